// SPDX-License-Identifier: GPL-2.0
/* The keys of the whole host: a table by epoch, and one by which equal keys are found. */
#include "keytable.h"

#include <linux/random.h>
#include <linux/rhashtable.h>
#include <linux/siphash.h>

/**
 * DOC: Hashes of keys
 *
 * Whoever owns a user namespace and a network namespace in it may install keys, and anybody
 * may forge a frame that names an epoch. So an unprivileged user chooses what is looked up
 * here, in tables that all links of the host share. Both hashes are keyed with a secret: no
 * choice of epochs and keys puts many of them into one chain. The seed of a table goes into
 * the hash, not on top of it, so that a rehash separates those that chance has put there.
 *
 * No two entries of a table have the same name, or they would make a chain whatever the hash:
 * the table of epochs is by ring and epoch, the table of equal keys by what is searched for.
 */

static hsiphash_key_t qlink_keytable_secret __read_mostly;

/* The hash of a ring and a number in it. */
static u32 qlink_keytable_hash(const struct qlink_ring *ring, u64 number, u32 seed)
{
	uintptr_t address = (uintptr_t)ring;

	return hsiphash_4u32(lower_32_bits(number), upper_32_bits(number),
			     lower_32_bits(address), upper_32_bits(address) ^ seed,
			     &qlink_keytable_secret);
}

/* All keys of the host, by (ring, epoch). */
static struct rhashtable qlink_epochs;

static u32 qlink_epoch_hash(const void *data, u32 bytes, u32 seed)
{
	const struct qlink_epoch_name *name = data;

	return qlink_keytable_hash(name->ring, name->epoch, seed);
}

static int qlink_epoch_compare(struct rhashtable_compare_arg *arg, const void *object)
{
	const struct qlink_epoch_name *name = arg->key;
	const struct qlink_key *key = object;

	return key->name.epoch != name->epoch || key->name.ring != name->ring;
}

static const struct rhashtable_params qlink_epochs_params = {
	.key_len = sizeof(struct qlink_epoch_name),
	.key_offset = offsetof(struct qlink_key, name),
	.head_offset = offsetof(struct qlink_key, by_epoch),
	.hashfn = qlink_epoch_hash,
	.obj_cmpfn = qlink_epoch_compare,
	.automatic_shrinking = true,
};

/**
 * struct qlink_equal_name - where an equal key is searched for
 *
 * Receive keys are unique in their ring, and transmit keys on the host.
 */
struct qlink_equal_name {
	/** @ring: the receive ring; %NULL for all transmit rings */
	const struct qlink_ring *ring;
	/** @fingerprint: of the key */
	u64 fingerprint;
};

/* All keys of the host, by (receive ring or none, keyed hash of the key). */
static struct rhashtable qlink_fingerprints;

static struct qlink_equal_name qlink_equal_name(const struct qlink_key *key)
{
	return (struct qlink_equal_name){
		.ring = key->direction == QLINK_DIRECTION_RX ? key->name.ring : NULL,
		.fingerprint = key->fingerprint,
	};
}

static u32 qlink_equal_hash(const void *data, u32 bytes, u32 seed)
{
	const struct qlink_equal_name *name = data;

	return qlink_keytable_hash(name->ring, name->fingerprint, seed);
}

static u32 qlink_equal_hash_key(const void *object, u32 bytes, u32 seed)
{
	struct qlink_equal_name name = qlink_equal_name(object);

	return qlink_equal_hash(&name, sizeof(name), seed);
}

static int qlink_equal_compare(struct rhashtable_compare_arg *arg, const void *object)
{
	const struct qlink_equal_name *query = arg->key;
	struct qlink_equal_name name = qlink_equal_name(object);

	return name.fingerprint != query->fingerprint || name.ring != query->ring;
}

static const struct rhashtable_params qlink_fingerprints_params = {
	.key_len = sizeof(struct qlink_equal_name),
	.head_offset = offsetof(struct qlink_key, by_fingerprint),
	.hashfn = qlink_equal_hash,
	.obj_hashfn = qlink_equal_hash_key,
	.obj_cmpfn = qlink_equal_compare,
	.automatic_shrinking = true,
};

/**
 * qlink_keytable_init() - make the tables that all rings share
 *
 * Context: Process context, sleeps.
 * Return: 0 or %-ENOMEM
 */
int __init qlink_keytable_init(void)
{
	int err;

	get_random_bytes(&qlink_keytable_secret, sizeof(qlink_keytable_secret));
	err = rhashtable_init(&qlink_epochs, &qlink_epochs_params);
	if (err)
		return err;
	err = rhashtable_init(&qlink_fingerprints, &qlink_fingerprints_params);
	if (err)
		rhashtable_destroy(&qlink_epochs);
	return err;
}

/**
 * qlink_keytable_exit() - undo qlink_keytable_init(), when no key is left
 */
void qlink_keytable_exit(void)
{
	rhashtable_destroy(&qlink_fingerprints);
	rhashtable_destroy(&qlink_epochs);
	memzero_explicit(&qlink_keytable_secret, sizeof(qlink_keytable_secret));
}

/**
 * qlink_keytable_add() - add a key to the tables
 * @key: checked; the caller has held its mutex since
 *
 * Context: Process context.
 * Return: 0, or %-ENOMEM and the like when the tables cannot grow
 */
int qlink_keytable_add(struct qlink_key *key)
{
	int err;

	err = rhashtable_insert_fast(&qlink_fingerprints, &key->by_fingerprint,
				     qlink_fingerprints_params);
	if (err)
		return err;

	err = rhashtable_insert_fast(&qlink_epochs, &key->by_epoch, qlink_epochs_params);
	if (err)
		rhashtable_remove_fast(&qlink_fingerprints, &key->by_fingerprint,
				       qlink_fingerprints_params);
	return err;
}

/**
 * qlink_keytable_remove() - remove a key from the tables
 * @key: that qlink_keytable_add() added
 *
 * Context: Any. A look-up may return it until a grace period is over.
 */
void qlink_keytable_remove(struct qlink_key *key)
{
	rhashtable_remove_fast(&qlink_fingerprints, &key->by_fingerprint,
			       qlink_fingerprints_params);
	rhashtable_remove_fast(&qlink_epochs, &key->by_epoch, qlink_epochs_params);
}

/**
 * qlink_keytable_find() - find a key
 * @ring: the ring that holds it
 * @epoch: of the key
 *
 * Context: In an RCU read side; the key is borrowed until that ends.
 * Return: the key, or NULL; it may not be installed yet
 */
struct qlink_key *qlink_keytable_find(const struct qlink_ring *ring, u64 epoch)
{
	struct qlink_epoch_name name = { .ring = ring, .epoch = epoch };

	return rhashtable_lookup(&qlink_epochs, &name, qlink_epochs_params);
}

/* In an RCU read side; the key is borrowed until that ends. */
static const struct qlink_key *qlink_keytable_find_equal(const struct qlink_ring *rx_ring,
							 u64 fingerprint)
{
	struct qlink_equal_name name = { .ring = rx_ring, .fingerprint = fingerprint };

	return rhashtable_lookup(&qlink_fingerprints, &name, qlink_fingerprints_params);
}

/**
 * qlink_keytable_check_equal() - is there an equal key that forbids this one?
 * @key: not added yet
 * @other_ring: the ring of its link for the other direction
 * @index: of the key in its message
 * @extack: told which key it equals
 *
 * Equal keys could use the same nonces. So no two keys of one link are equal, and no two tx
 * keys of the host. A receive key may equal any key of another link.
 *
 * Context: Process context.
 * Return: 0 or %-EEXIST
 */
int qlink_keytable_check_equal(const struct qlink_key *key, const struct qlink_ring *other_ring,
			       unsigned int index, struct netlink_ext_ack *extack)
{
	bool is_tx = key->direction == QLINK_DIRECTION_TX;
	const struct qlink_ring *tx_ring = is_tx ? key->name.ring : other_ring;
	const struct qlink_ring *rx_ring = is_tx ? other_ring : key->name.ring;
	const struct qlink_key *other;
	int err = 0;

	rcu_read_lock();
	other = qlink_keytable_find_equal(rx_ring, key->fingerprint) ?:
		qlink_keytable_find_equal(NULL, key->fingerprint);
	if (other && (other->name.ring == rx_ring || other->name.ring == tx_ring)) {
		err = -EEXIST;
		NL_SET_ERR_MSG_FMT(extack, "key %u: equals key %s %llu of this link", index,
				   qlink_direction_name(other->direction), other->name.epoch);
	} else if (other && is_tx) {
		err = -EEXIST;
		NL_SET_ERR_MSG_FMT(extack, "key %u: equals a tx key of this host", index);
	}
	rcu_read_unlock();
	return err;
}
