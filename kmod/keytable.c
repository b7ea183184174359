// SPDX-License-Identifier: GPL-2.0
/* The keys of the whole host: a table by epoch, and one by which equal keys are found. */
#include "keytable.h"

#include <linux/hash.h>
#include <linux/rhashtable.h>

/**
 * DOC: Hashes of keys
 *
 * Each key is added to two tables and removed again, and each new epoch is looked up, so at
 * a thousand keys a second the cost of a hash matters. The default hash of the tables guards
 * against an attacker who chooses colliding entries, but only root installs keys. Epochs
 * follow each other, and a multiplication spreads them; a fingerprint is a keyed hash already.
 */

/* All keys of the host, by (ring, epoch). */
static struct rhashtable qlink_epochs;

static u32 qlink_epoch_hash(const void *data, u32 bytes, u32 seed)
{
	const struct qlink_epoch_name *name = data;

	return hash_64(hash_64((uintptr_t)name->ring, 64) + name->epoch, 32) ^ seed;
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

/* All keys of the host, by the keyed hash of their bytes; it may hold equal ones. */
static struct rhashtable qlink_fingerprints;

static u32 qlink_fingerprint_hash(const void *data, u32 bytes, u32 seed)
{
	return *(const u64 *)data ^ seed;
}

/**
 * struct qlink_equal_query - which keys forbid a new one
 */
struct qlink_equal_query {
	/** @fingerprint: of the new key; first, because the table hashes it */
	u64 fingerprint;
	/** @key: the new key */
	const struct qlink_key *key;
	/** @other_ring: the ring of its link for the other direction */
	const struct qlink_ring *other_ring;
};

/* 0 for a key that forbids the new one: equal to it, and of the same link; or both are tx keys. */
static int qlink_equal_compare(struct rhashtable_compare_arg *arg, const void *object)
{
	const struct qlink_equal_query *query = arg->key;
	const struct qlink_key *other = object;

	if (other->fingerprint != query->fingerprint)
		return 1;
	if (other->name.ring == query->key->name.ring || other->name.ring == query->other_ring)
		return 0;
	return query->key->direction == QLINK_DIRECTION_RX ||
	       other->direction == QLINK_DIRECTION_RX;
}

static const struct rhashtable_params qlink_fingerprints_params = {
	.key_len = sizeof_field(struct qlink_key, fingerprint),
	.key_offset = offsetof(struct qlink_key, fingerprint),
	.head_offset = offsetof(struct qlink_key, by_fingerprint),
	.hashfn = qlink_fingerprint_hash,
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

	static_assert(sizeof(struct qlink_epoch_name) == sizeof(void *) + sizeof(u64));

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

/**
 * qlink_keytable_check_equal() - is there an equal key that forbids this one?
 * @key: not added yet
 * @other_ring: the ring of its link for the other direction
 * @index: of the key in its message
 * @extack: told which key it equals
 *
 * Equal keys could use the same nonces. So no two keys of one link are equal, and no two tx
 * keys of the host.
 *
 * Context: Process context.
 * Return: 0 or %-EEXIST
 */
int qlink_keytable_check_equal(const struct qlink_key *key, const struct qlink_ring *other_ring,
			       unsigned int index, struct netlink_ext_ack *extack)
{
	struct qlink_equal_query query = {
		.fingerprint = key->fingerprint, .key = key, .other_ring = other_ring,
	};
	const struct qlink_key *other;
	int err = 0;

	rcu_read_lock();
	other = rhashtable_lookup(&qlink_fingerprints, &query, qlink_fingerprints_params);
	if (other) {
		err = -EEXIST;
		if (other->name.ring == key->name.ring || other->name.ring == other_ring)
			NL_SET_ERR_MSG_FMT(extack, "key %u: equals key %s %llu of this link",
					   index, qlink_direction_name(other->direction),
					   other->name.epoch);
		else
			NL_SET_ERR_MSG_FMT(extack, "key %u: equals a tx key of this host",
					   index);
	}
	rcu_read_unlock();
	return err;
}
