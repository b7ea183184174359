// SPDX-License-Identifier: GPL-2.0
/* The keys of a link: a ring for each direction, by epoch. */
#include "keyring.h"

#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/rculist.h>

#include "keytable.h"

/**
 * DOC: Locking
 *
 * From the outside in:
 *
 * ====================  ========================================================
 * RTNL                  configuration of links, their underlays and ports
 * power lock            no install while the keys of all links are wiped; not
 *                       under RTNL
 * link mutex            one change of a link's keys or policy at a time
 * qlink_install_mutex   one install on the host at a time, so that the look-up
 *                       for an equal key and the entry of a new one are one step;
 *                       guards the list of all keyrings, too
 * ring lock             the list, states and counts of a ring, BHs off; where both of a
 *                       link are taken, the tx ring's is the outer one
 * live lock             what a link knows of its peer, BHs off; innermost, and never
 *                       taken under a ring lock
 * history lock          what the keys of a link were used for, innermost
 * pool lock             the idle slots, innermost
 * replay lock           one window, innermost
 * ====================  ========================================================
 *
 * Frames find keys under RCU and take only the replay lock; keepalives also take the
 * live lock. Two kinds of frames take the ring's lock: one that moves to another key, and
 * one under a key that has no transform yet. A key leaves the tables and the list under
 * its ring's lock, and is freed a grace period later. No transform is made under RTNL or
 * a ring lock.
 */

static DEFINE_MUTEX(qlink_install_mutex);

/* Changes under the mutex; an interrupt walks it under RCU. */
static LIST_HEAD(qlink_keyrings);

static void qlink_keyring_tx_changed(struct qlink_ring *ring)
{
	struct qlink_keyring *keyring = container_of(ring, struct qlink_keyring, tx);

	keyring->upcalls->tx_changed(keyring);
}

static void qlink_keyring_tx_tell(struct qlink_ring *ring, u32 kinds)
{
	struct qlink_keyring *keyring = container_of(ring, struct qlink_keyring, tx);

	keyring->upcalls->tell(keyring, kinds);
}

static void qlink_keyring_rx_tell(struct qlink_ring *ring, u32 kinds)
{
	struct qlink_keyring *keyring = container_of(ring, struct qlink_keyring, rx);

	keyring->upcalls->tell(keyring, kinds);
}

static const struct qlink_ring_upcalls qlink_keyring_tx_upcalls = {
	.changed = qlink_keyring_tx_changed,
	.tell = qlink_keyring_tx_tell,
};

static const struct qlink_ring_upcalls qlink_keyring_rx_upcalls = {
	.tell = qlink_keyring_rx_tell,
};

/**
 * qlink_keyring_init() - make the two empty rings of a link
 * @keyring: zeroed memory of the caller, for qlink_keyring_destroy() and qlink_keyring_free()
 * @dev: of the link
 * @upcalls: constant
 *
 * Context: Process context, sleeps.
 * Return: 0 or %-ENOMEM
 */
int qlink_keyring_init(struct qlink_keyring *keyring, const struct net_device *dev,
		       const struct qlink_keyring_upcalls *upcalls)
{
	keyring->history = qlink_history_new();
	if (!keyring->history)
		return -ENOMEM;
	keyring->generation = 1;
	keyring->upcalls = upcalls;
	keyring->tx.dev = dev;
	keyring->rx.dev = dev;
	qlink_ring_tx_init(&keyring->tx, keyring->history, &qlink_keyring_tx_upcalls);
	qlink_ring_rx_init(&keyring->rx, keyring->history, &qlink_keyring_rx_upcalls);
	mutex_lock(&qlink_install_mutex);
	list_add_tail_rcu(&keyring->entry, &qlink_keyrings);
	mutex_unlock(&qlink_install_mutex);
	return 0;
}

/* A dump of keys sees that the keys have changed meanwhile. The kernel's own rotation does not
 * count, or no dump of a busy link would ever be consistent.
 */
static void qlink_keyring_changed(struct qlink_keyring *keyring)
{
	WRITE_ONCE(keyring->generation, keyring->generation + 1);
}

/**
 * qlink_keyring_set_limits() - say how long keys are used
 * @keyring: of the link, alive
 * @limits: of both rings
 *
 * Context: Process context; under RTNL, or before anyone else knows @keyring.
 */
void qlink_keyring_set_limits(struct qlink_keyring *keyring,
			      const struct qlink_limits *limits)
{
	qlink_ring_tx_limit(&keyring->tx, limits);
	qlink_ring_rx_limit(&keyring->rx, limits);
}

/**
 * qlink_keyring_destroy() - wipe all keys of a link, for good
 * @keyring: the memory stays valid, with dead rings, until a grace period is over
 *
 * Context: Process context, sleeps.
 */
void qlink_keyring_destroy(struct qlink_keyring *keyring)
{
	/* Whoever wipes all keys of the host waits until these are on their way, too. */
	mutex_lock(&qlink_install_mutex);
	list_del_rcu(&keyring->entry);
	qlink_ring_destroy(&keyring->tx);
	qlink_ring_destroy(&keyring->rx);
	mutex_unlock(&qlink_install_mutex);
}

/**
 * qlink_keyring_free() - release what a keyring holds besides keys
 * @keyring: destroyed; nobody looks at it any more
 *
 * Context: Any.
 */
void qlink_keyring_free(struct qlink_keyring *keyring)
{
	qlink_history_put(keyring->history);
}

/**
 * qlink_keyrings_silence() - stop all links of the host from sealing frames, from any context
 *
 * qlink_keyrings_stop() and qlink_keyrings_wipe() must follow. Until qlink_keyrings_unsilence(),
 * no link gets a key to seal with, not even one that is made meanwhile. Frames that are already
 * being sealed may still leave.
 *
 * Context: Any, hard interrupts included.
 */
void qlink_keyrings_silence(void)
{
	struct qlink_keyring *keyring;

	atomic_inc(&qlink_ring_silences);
	/* Pairs with qlink_ring_activate(). */
	smp_mb__after_atomic();
	rcu_read_lock();
	list_for_each_entry_rcu(keyring, &qlink_keyrings, entry)
		qlink_ring_silence(&keyring->tx);
	rcu_read_unlock();
}

/**
 * qlink_keyrings_silenced() - how often all links of the host were silenced
 *
 * Context: Any.
 * Return: for qlink_keyrings_unsilence(), once all keys that were held then are wiped
 */
int qlink_keyrings_silenced(void)
{
	return atomic_read(&qlink_ring_silences);
}

/**
 * qlink_keyrings_unsilence() - let links seal again, unless they were silenced once more since
 * @n: of qlink_keyrings_silenced()
 *
 * Context: Any; the rings are empty, and the caller prevents installs.
 */
void qlink_keyrings_unsilence(int n)
{
	atomic_sub(n, &qlink_ring_silences);
}

/**
 * qlink_keyrings_stop() - stop all links of the host from sealing frames
 *
 * It is quick, because it touches one key a link; qlink_keyrings_wipe() must follow.
 * Frames that are already being sealed may still leave.
 *
 * Context: Process context, sleeps.
 */
void qlink_keyrings_stop(void)
{
	struct qlink_keyring *keyring;

	mutex_lock(&qlink_install_mutex);
	list_for_each_entry(keyring, &qlink_keyrings, entry)
		qlink_ring_stop(&keyring->tx);
	mutex_unlock(&qlink_install_mutex);
}

/**
 * qlink_keyrings_wipe() - wipe all keys of all links of the host
 * @cause: shown with the link
 *
 * The rings start anew, with new ids. The memory of the keys is wiped when
 * qlink_key_flush() has returned.
 *
 * Context: Process context, sleeps. The caller prevents installs.
 */
void qlink_keyrings_wipe(enum qlink_wipe_cause cause)
{
	struct qlink_keyring *keyring;

	mutex_lock(&qlink_install_mutex);
	list_for_each_entry(keyring, &qlink_keyrings, entry) {
		qlink_ring_wipe(&keyring->tx);
		qlink_ring_wipe(&keyring->rx);
		qlink_keyring_changed(keyring);
		WRITE_ONCE(keyring->wiped_by, cause);
		/* Pairs with qlink_roam_hear(): the rings are empty then. */
		smp_store_release(&keyring->n_wipes, keyring->n_wipes + 1);
		keyring->upcalls->wiped(keyring);
		keyring->upcalls->tx_changed(keyring);
		keyring->upcalls->tell(keyring, QLINK_EVENT_KIND_WIPED);
		cond_resched();
	}
	mutex_unlock(&qlink_install_mutex);
}

/**
 * qlink_keyrings_rename() - give all rings of the host new ids
 *
 * Context: Process context, sleeps. The rings are empty, and the caller prevents
 * installs.
 */
void qlink_keyrings_rename(void)
{
	struct qlink_keyring *keyring;

	mutex_lock(&qlink_install_mutex);
	list_for_each_entry(keyring, &qlink_keyrings, entry) {
		qlink_ring_rename(&keyring->tx);
		qlink_ring_rename(&keyring->rx);
	}
	mutex_unlock(&qlink_install_mutex);
}

static int qlink_keyring_check_epoch(const struct qlink_key *key, unsigned int index,
				     u64 newest, struct netlink_ext_ack *extack)
{
	u64 epoch = key->name.epoch;

	if (epoch <= newest) {
		NL_SET_ERR_MSG_FMT(extack,
				   "key %u: epoch %llu is not above %llu, the newest of %s",
				   index, epoch, newest, qlink_direction_name(key->direction));
		return -EEXIST;
	}
	/* The first epoch of a ring is free: the peer may have counted for years. */
	if (newest && epoch - newest > QLINK_EPOCH_JUMP_MAX) {
		NL_SET_ERR_MSG_FMT(extack,
				   "key %u: epoch %llu is more than 2^32 above %llu",
				   index, epoch, newest);
		return -ERANGE;
	}
	return 0;
}

/* Check a key against those held and those before it in its message, and add it to the tables. */
static int qlink_keyring_admit(struct qlink_keyring *keyring, struct qlink_key *key,
			       unsigned int index, u64 *newest, u32 *n_staged,
			       struct netlink_ext_ack *extack)
{
	struct qlink_ring *other_ring = key->direction == QLINK_DIRECTION_TX ? &keyring->rx :
					&keyring->tx;
	int err;

	err = qlink_keyring_check_epoch(key, index, newest[key->direction], extack);
	if (!err && ++n_staged[key->direction] > QLINK_RING_KEYS_MAX) {
		NL_SET_ERR_MSG_FMT(extack, "key %u: %s holds %u staged keys, the most", index,
				   qlink_direction_name(key->direction), QLINK_RING_KEYS_MAX);
		err = -ENOSPC;
	}
	if (!err)
		err = qlink_keytable_check_equal(key, other_ring, index, extack);
	if (err)
		return err;

	err = qlink_keytable_add(key);
	if (err) {
		NL_SET_ERR_MSG_FMT(extack, "key %u: no memory for the table of keys", index);
		return err;
	}
	newest[key->direction] = key->name.epoch;
	return 0;
}

/**
 * qlink_keyring_install() - install keys, all of them or none
 * @keyring: of the link, alive
 * @keys: made for @keyring, in the order of the message
 * @n: how many
 * @refused: out, the index of the key that breaks a rule
 * @extack: told which key breaks which rule
 *
 * Takes over all @keys when it succeeds. When it fails it takes none, and the caller
 * frees them with qlink_key_free().
 *
 * Context: Process context, sleeps; under the link mutex.
 * Return:
 * * %0		- all installed
 * * %-EEXIST	- an epoch that is not above the newest held, or an equal key
 * * %-ERANGE	- an epoch that is too far above the newest held
 * * %-ENOSPC	- the ring is full
 * * %-ENOMEM	- no memory
 */
int qlink_keyring_install(struct qlink_keyring *keyring, struct qlink_key **keys,
			  unsigned int n, unsigned int *refused,
			  struct netlink_ext_ack *extack)
{
	u64 newest[] = {
		[QLINK_DIRECTION_TX] = keyring->tx.newest_epoch,
		[QLINK_DIRECTION_RX] = keyring->rx.newest_epoch,
	};
	u32 n_staged[] = {
		[QLINK_DIRECTION_TX] = READ_ONCE(keyring->tx.n_staged),
		[QLINK_DIRECTION_RX] = READ_ONCE(keyring->rx.n_staged),
	};
	unsigned int i;
	int err;

	*refused = 0;
	err = qlink_history_reserve(keyring->history, n);
	if (err) {
		NL_SET_ERR_MSG(extack, "no memory for the records of keys");
		return err;
	}
	mutex_lock(&qlink_install_mutex);
	for (i = 0; i < n && !err; i++)
		err = qlink_keyring_admit(keyring, keys[i], i, newest, n_staged, extack);
	if (err) {
		*refused = i - 1;
		/* The last one was not added. */
		for (i--; i > 0; i--)
			qlink_keytable_remove(keys[i - 1]);
	} else {
		qlink_ring_publish(&keyring->rx, keys, n);
		qlink_ring_publish(&keyring->tx, keys, n);
		qlink_keyring_changed(keyring);
	}
	mutex_unlock(&qlink_install_mutex);

	if (err)
		return err;
	/* Once the install has succeeded, a link that was without keys can send. */
	qlink_ring_prepare(&keyring->rx);
	qlink_ring_prepare(&keyring->tx);
	return 0;
}

static int qlink_keyring_check_names(struct qlink_keyring *keyring,
				     const struct qlink_key_config *names, unsigned int n,
				     struct netlink_ext_ack *extack)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct qlink_ring *ring = qlink_keyring_ring(keyring, names[i].direction);

		if (qlink_ring_find_held(ring, names[i].epoch))
			continue;
		NL_SET_ERR_MSG_FMT(extack, "key %u: %s holds no epoch %llu", i,
				   qlink_direction_name(names[i].direction), names[i].epoch);
		return -ENOENT;
	}
	return 0;
}

/* Wipe the named keys. The first call checks all names under both locks, so that no key goes
 * between the check and the wipe, and keeps the active keys. The second call wipes those, too.
 */
static int qlink_keyring_drop_named(struct qlink_keyring *keyring,
				    const struct qlink_key_config *names, unsigned int n,
				    bool is_first, struct netlink_ext_ack *extack)
{
	struct qlink_ring *ring;
	struct qlink_key *key;
	unsigned int i;
	int err;

	spin_lock_bh(&keyring->tx.lock);
	spin_lock_nested(&keyring->rx.lock, SINGLE_DEPTH_NESTING);
	err = is_first ? qlink_keyring_check_names(keyring, names, n, extack) : 0;
	for (i = 0; i < n && !err; i++) {
		ring = qlink_keyring_ring(keyring, names[i].direction);
		key = qlink_ring_find_held(ring, names[i].epoch);
		if (key && !(is_first && key->state == QLINK_KEY_STATE_ACTIVE))
			qlink_ring_drop(ring, key);
	}
	spin_unlock(&keyring->rx.lock);
	spin_unlock_bh(&keyring->tx.lock);
	return err;
}

/**
 * qlink_keyring_delete() - wipe keys, all of them or none
 * @keyring: of the link
 * @names: direction and epoch of each; a key may be named twice
 * @n: how many
 * @extack: told which one is not held
 *
 * When it returns, no frame is sealed or accepted under the keys any more. A
 * transmit ring that loses its active key continues with the next one, and no frame
 * is lost. For that the named keys that are not active go first, so that the key that
 * comes next has its transform when the active key goes. Meanwhile the active key may
 * have reached a limit and given way; then it is wiped already.
 *
 * Context: Process context, sleeps; under the link mutex, not under RTNL.
 * Return: 0, or %-ENOENT when one is not held; then none is deleted
 */
int qlink_keyring_delete(struct qlink_keyring *keyring,
			 const struct qlink_key_config *names, unsigned int n,
			 struct netlink_ext_ack *extack)
{
	int err = qlink_keyring_drop_named(keyring, names, n, true, extack);

	if (err)
		return err;
	qlink_ring_prepare(&keyring->tx);
	qlink_keyring_drop_named(keyring, names, n, false, extack);
	qlink_keyring_changed(keyring);

	keyring->upcalls->tx_changed(keyring);
	synchronize_net();
	return 0;
}

/**
 * qlink_keyring_refuse() - wipe the keys that the link does not accept
 * @keyring: of the link
 * @accept: of the link
 *
 * Context: Process context, sleeps. Under the link mutex, so that no refused
 * key is installed after it. The policy is in force once the caller has waited
 * for the frames in flight with synchronize_net().
 * Return: whether a key was wiped
 */
bool qlink_keyring_refuse(struct qlink_keyring *keyring, const struct qlink_accept *accept)
{
	bool has_dropped_tx = qlink_ring_refuse(&keyring->tx, accept);
	bool has_dropped_rx = qlink_ring_refuse(&keyring->rx, accept);

	if (has_dropped_tx || has_dropped_rx)
		qlink_keyring_changed(keyring);
	if (has_dropped_tx)
		keyring->upcalls->tx_changed(keyring);
	return has_dropped_tx || has_dropped_rx;
}
