// SPDX-License-Identifier: GPL-2.0
/* The keys of a link: a ring for each direction, by epoch. */
#include "keyring.h"

#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/random.h>

#include "keytable.h"

/**
 * DOC: Locking
 *
 * From the outside in:
 *
 * ====================  ========================================================
 * RTNL                  configuration of links, their underlays and ports
 * power gate            no install while the keys of all links are wiped; not
 *                       under RTNL
 * link mutex            one change of a link's keys or policy at a time
 * qlink_install_mutex   one install on the host at a time, so that the look-up
 *                       for an equal key and the entry of a new one are one step;
 *                       guards the list of all keyrings, too
 * ring lock             the list, states and counts of a ring, BHs off
 * replay lock           one window, innermost
 * ====================  ========================================================
 *
 * Frames take none but the replay lock: they find keys under RCU. A key leaves
 * the tables and the list under its ring's lock, and is freed a grace period
 * later. No transform is made under RTNL or a ring lock.
 */

static DEFINE_MUTEX(qlink_install_mutex);

static LIST_HEAD(qlink_keyrings);

static struct qlink_key *qlink_ring_current(struct qlink_ring *ring)
{
	return rcu_dereference_protected(ring->current_key, lockdep_is_held(&ring->lock));
}

/* In one store from the active key to the one that follows it, if any: a frame that came
 * between two stores would find no key and be lost.
 */
static void qlink_ring_supersede(struct qlink_ring *ring, struct qlink_key *key)
{
	struct qlink_key *next = NULL;

	lockdep_assert_held(&ring->lock);

	if (ring->direction == QLINK_DIRECTION_TX && !ring->is_dead &&
	    !list_is_last(&key->entry, &ring->keys)) {
		next = list_next_entry(key, entry);
		next->state = QLINK_KEY_STATE_ACTIVE;
		ring->n_staged--;
	}
	rcu_assign_pointer(ring->current_key, next);
}

/* Out of the ring and the tables, and wiped when no frame can be using it. A transmit ring that
 * loses its active key goes on with the next.
 */
static void qlink_ring_drop(struct qlink_ring *ring, struct qlink_key *key)
{
	lockdep_assert_held(&ring->lock);

	switch (key->state) {
	case QLINK_KEY_STATE_STAGED:
		ring->n_staged--;
		break;
	case QLINK_KEY_STATE_ACTIVE:
		qlink_ring_supersede(ring, key);
		break;
	case QLINK_KEY_STATE_RETIRED:
		ring->n_retired--;
		break;
	}
	list_del_init(&key->entry);
	qlink_keytable_remove(key);
	qlink_key_free(key);
}

static void qlink_ring_activate(struct qlink_ring *ring, struct qlink_key *key)
{
	lockdep_assert_held(&ring->lock);

	key->state = QLINK_KEY_STATE_ACTIVE;
	ring->n_staged--;
	rcu_assign_pointer(ring->current_key, key);
}

/* A transmit ring that had no key to seal with begins with the oldest that it was given. */
static void qlink_ring_activate_first(struct qlink_ring *ring)
{
	struct qlink_key *key = list_first_entry_or_null(&ring->keys, struct qlink_key, entry);

	lockdep_assert_held(&ring->lock);

	if (ring->direction == QLINK_DIRECTION_TX && !ring->is_dead && key &&
	    !qlink_ring_current(ring))
		qlink_ring_activate(ring, key);
}

static void qlink_ring_retire(struct qlink_ring *ring, struct qlink_key *key)
{
	lockdep_assert_held(&ring->lock);

	if (key->state == QLINK_KEY_STATE_RETIRED)
		return;
	if (key->state == QLINK_KEY_STATE_STAGED)
		ring->n_staged--;
	key->state = QLINK_KEY_STATE_RETIRED;
	key->retired_at = jiffies;
	ring->n_retired++;
}

static void qlink_ring_reap_later(struct qlink_ring *ring, unsigned long delay)
{
	lockdep_assert_held(&ring->lock);

	if (!ring->is_dead && ring->n_retired)
		queue_delayed_work(system_unbound_wq, &ring->reap_work, delay);
}

static void qlink_ring_reap(struct work_struct *work)
{
	struct qlink_ring *ring = container_of(to_delayed_work(work), struct qlink_ring,
					       reap_work);
	unsigned long grace = msecs_to_jiffies(QLINK_GRACE_MS);
	struct qlink_key *key, *next;
	unsigned long delay = 0;

	spin_lock_bh(&ring->lock);
	list_for_each_entry_safe(key, next, &ring->keys, entry) {
		if (key->state != QLINK_KEY_STATE_RETIRED)
			break;
		if (time_before(jiffies, key->retired_at + grace)) {
			delay = key->retired_at + grace - jiffies;
			break;
		}
		qlink_ring_drop(ring, key);
	}
	qlink_ring_reap_later(ring, delay);
	spin_unlock_bh(&ring->lock);
}

static void qlink_ring_init(struct qlink_ring *ring, struct qlink_keyring *keyring,
			    enum qlink_direction direction)
{
	RCU_INIT_POINTER(ring->current_key, NULL);
	ring->keyring = keyring;
	ring->direction = direction;
	spin_lock_init(&ring->lock);
	INIT_LIST_HEAD(&ring->keys);
	INIT_DELAYED_WORK(&ring->reap_work, qlink_ring_reap);
	get_random_bytes(ring->id, sizeof(ring->id));
}

/**
 * qlink_keyring_init() - make the two empty rings of a link
 * @keyring: zeroed memory of the caller
 * @upcalls: constant
 *
 * Context: Process context.
 */
void qlink_keyring_init(struct qlink_keyring *keyring,
			const struct qlink_keyring_upcalls *upcalls)
{
	keyring->upcalls = upcalls;
	qlink_ring_init(&keyring->tx, keyring, QLINK_DIRECTION_TX);
	qlink_ring_init(&keyring->rx, keyring, QLINK_DIRECTION_RX);
	mutex_lock(&qlink_install_mutex);
	list_add_tail(&keyring->entry, &qlink_keyrings);
	mutex_unlock(&qlink_install_mutex);
}

static void qlink_ring_empty(struct qlink_ring *ring)
{
	struct qlink_key *key, *next;

	lockdep_assert_held(&ring->lock);

	ring->is_dead = true;
	list_for_each_entry_safe(key, next, &ring->keys, entry)
		qlink_ring_drop(ring, key);
}

static void qlink_ring_destroy(struct qlink_ring *ring)
{
	spin_lock_bh(&ring->lock);
	qlink_ring_empty(ring);
	spin_unlock_bh(&ring->lock);
	cancel_delayed_work_sync(&ring->reap_work);
}

/**
 * qlink_keyring_destroy() - wipe all keys of a link, for good
 * @keyring: stays valid memory, with dead rings, until a grace period is over
 *
 * Context: Process context, sleeps.
 */
void qlink_keyring_destroy(struct qlink_keyring *keyring)
{
	mutex_lock(&qlink_install_mutex);
	list_del(&keyring->entry);
	mutex_unlock(&qlink_install_mutex);
	qlink_ring_destroy(&keyring->tx);
	qlink_ring_destroy(&keyring->rx);
}

/**
 * qlink_keyrings_silence() - let no link of the host seal a frame any more
 *
 * Quick, because it touches one key a link; qlink_keyrings_wipe() must follow.
 * Frames that are being sealed already may still leave.
 *
 * Context: Process context, sleeps.
 */
void qlink_keyrings_silence(void)
{
	struct qlink_keyring *keyring;

	mutex_lock(&qlink_install_mutex);
	list_for_each_entry(keyring, &qlink_keyrings, entry) {
		spin_lock_bh(&keyring->tx.lock);
		keyring->tx.is_dead = true;
		RCU_INIT_POINTER(keyring->tx.current_key, NULL);
		spin_unlock_bh(&keyring->tx.lock);
	}
	mutex_unlock(&qlink_install_mutex);
}

/* As new: another id, and whatever epoch comes first is welcome. */
static void qlink_ring_wipe(struct qlink_ring *ring)
{
	spin_lock_bh(&ring->lock);
	qlink_ring_empty(ring);
	ring->newest_epoch = 0;
	get_random_bytes(ring->id, sizeof(ring->id));
	ring->is_dead = false;
	spin_unlock_bh(&ring->lock);
}

/**
 * qlink_keyrings_wipe() - wipe all keys of all links of the host
 * @cause: shown to whoever asks where they went
 *
 * The rings start afresh, under new ids. The memory of the keys is wiped when
 * qlink_key_flush() has returned.
 *
 * Context: Process context, sleeps. The caller keeps installs out.
 */
void qlink_keyrings_wipe(enum qlink_wipe_cause cause)
{
	struct qlink_keyring *keyring;

	mutex_lock(&qlink_install_mutex);
	list_for_each_entry(keyring, &qlink_keyrings, entry) {
		qlink_ring_wipe(&keyring->tx);
		qlink_ring_wipe(&keyring->rx);
		WRITE_ONCE(keyring->wiped_by, cause);
		WRITE_ONCE(keyring->n_wipes, keyring->n_wipes + 1);
		keyring->upcalls->tx_changed(keyring);
		cond_resched();
	}
	mutex_unlock(&qlink_install_mutex);
}

static void qlink_ring_rename(struct qlink_ring *ring)
{
	spin_lock_bh(&ring->lock);
	get_random_bytes(ring->id, sizeof(ring->id));
	spin_unlock_bh(&ring->lock);
}

/**
 * qlink_keyrings_rename() - give all rings of the host new ids
 *
 * Context: Process context, sleeps. The rings are empty, the caller keeps
 * installs out.
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

/* Check a key against those held and those before it in its message, and enter it. */
static int qlink_keyring_admit(struct qlink_key *key, unsigned int index, u64 *newest,
			       u32 *n_staged, struct netlink_ext_ack *extack)
{
	int err;

	err = qlink_keyring_check_epoch(key, index, newest[key->direction], extack);
	if (!err && ++n_staged[key->direction] > QLINK_RING_KEYS_MAX) {
		NL_SET_ERR_MSG_FMT(extack, "key %u: %s holds %u staged keys, the most", index,
				   qlink_direction_name(key->direction), QLINK_RING_KEYS_MAX);
		err = -ENOSPC;
	}
	if (!err)
		err = qlink_keytable_check_equal(key, index, extack);
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

static void qlink_ring_publish(struct qlink_ring *ring, struct qlink_key **keys,
			       unsigned int n)
{
	unsigned int i;

	spin_lock_bh(&ring->lock);
	for (i = 0; i < n; i++) {
		if (keys[i]->direction != ring->direction)
			continue;
		keys[i]->state = QLINK_KEY_STATE_STAGED;
		list_add_tail(&keys[i]->entry, &ring->keys);
		ring->n_staged++;
		ring->newest_epoch = keys[i]->name.epoch;
		/* From here on qlink_ring_find() gives it out. */
		smp_store_release(&keys[i]->is_installed, true);
	}
	qlink_ring_activate_first(ring);
	spin_unlock_bh(&ring->lock);
}

/**
 * qlink_keyring_install() - install keys, all of them or none
 * @keyring: of the link, alive
 * @keys: made for @keyring, in the order of the message
 * @n: how many
 * @extack: told which key breaks which rule
 *
 * Takes over all @keys when it succeeds; none when it does not, and the caller
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
			  unsigned int n, struct netlink_ext_ack *extack)
{
	u64 newest[] = {
		[QLINK_DIRECTION_TX] = keyring->tx.newest_epoch,
		[QLINK_DIRECTION_RX] = keyring->rx.newest_epoch,
	};
	u32 n_staged[] = {
		[QLINK_DIRECTION_TX] = keyring->tx.n_staged,
		[QLINK_DIRECTION_RX] = keyring->rx.n_staged,
	};
	unsigned int i;
	int err = 0;

	mutex_lock(&qlink_install_mutex);
	for (i = 0; i < n && !err; i++)
		err = qlink_keyring_admit(keys[i], i, newest, n_staged, extack);
	if (err) {
		/* The last one was not entered. */
		for (i--; i > 0; i--)
			qlink_keytable_remove(keys[i - 1]);
	} else {
		qlink_ring_publish(&keyring->rx, keys, n);
		qlink_ring_publish(&keyring->tx, keys, n);
	}
	mutex_unlock(&qlink_install_mutex);

	if (!err)
		keyring->upcalls->tx_changed(keyring);
	return err;
}

static struct qlink_key *qlink_ring_named(struct qlink_ring *ring, u64 epoch)
{
	struct qlink_key *key;

	lockdep_assert_held(&ring->lock);

	list_for_each_entry(key, &ring->keys, entry) {
		if (key->name.epoch == epoch)
			return key;
	}
	return NULL;
}

static int qlink_keyring_check_names(struct qlink_keyring *keyring,
				     const struct qlink_key_config *names, unsigned int n,
				     struct netlink_ext_ack *extack)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct qlink_ring *ring = qlink_keyring_ring(keyring, names[i].direction);

		if (qlink_ring_named(ring, names[i].epoch))
			continue;
		NL_SET_ERR_MSG_FMT(extack, "key %u: %s holds no epoch %llu", i,
				   qlink_direction_name(names[i].direction), names[i].epoch);
		return -ENOENT;
	}
	return 0;
}

/**
 * qlink_keyring_delete() - wipe keys, all of them or none
 * @keyring: of the link
 * @names: direction and epoch of each; one may be named twice
 * @n: how many
 * @extack: told which one is not held
 *
 * When it returns, no frame is sealed or accepted under the keys any more. A
 * transmit ring that loses its active key goes on with the next.
 *
 * Context: Process context, sleeps.
 * Return: 0, or %-ENOENT when one is not held; then none is deleted
 */
int qlink_keyring_delete(struct qlink_keyring *keyring,
			 const struct qlink_key_config *names, unsigned int n,
			 struct netlink_ext_ack *extack)
{
	struct qlink_key *key;
	unsigned int i;
	int err;

	/* Both locks, so that no key goes between the look and the deed. */
	spin_lock_bh(&keyring->tx.lock);
	spin_lock_nested(&keyring->rx.lock, SINGLE_DEPTH_NESTING);
	err = qlink_keyring_check_names(keyring, names, n, extack);
	for (i = 0; i < n && !err; i++) {
		struct qlink_ring *ring = qlink_keyring_ring(keyring, names[i].direction);

		key = qlink_ring_named(ring, names[i].epoch);
		if (key)
			qlink_ring_drop(ring, key);
	}
	spin_unlock(&keyring->rx.lock);
	spin_unlock_bh(&keyring->tx.lock);

	if (!err) {
		keyring->upcalls->tx_changed(keyring);
		synchronize_net();
	}
	return err;
}

static bool qlink_ring_refuse(struct qlink_ring *ring, u32 accept)
{
	struct qlink_key *key, *next;
	bool has_dropped = false;

	spin_lock_bh(&ring->lock);
	list_for_each_entry_safe(key, next, &ring->keys, entry) {
		if (accept & BIT(key->source))
			continue;
		qlink_ring_drop(ring, key);
		has_dropped = true;
	}
	spin_unlock_bh(&ring->lock);
	return has_dropped;
}

/**
 * qlink_keyring_refuse() - wipe the keys whose source the link refuses
 * @keyring: of the link
 * @accept: the sources that it accepts, a bit each
 *
 * Context: Process context, sleeps. Under the link mutex, so that no refused
 * key comes in behind it. The policy is in force once the caller has waited
 * for the frames in flight with synchronize_net().
 * Return: whether a key was wiped
 */
bool qlink_keyring_refuse(struct qlink_keyring *keyring, u32 accept)
{
	bool has_dropped_tx = qlink_ring_refuse(&keyring->tx, accept);
	bool has_dropped_rx = qlink_ring_refuse(&keyring->rx, accept);

	if (has_dropped_tx)
		keyring->upcalls->tx_changed(keyring);
	return has_dropped_tx || has_dropped_rx;
}

/**
 * qlink_ring_find() - find the receive key of a frame
 * @ring: receive ring
 * @epoch: from the header, not authenticated yet
 *
 * Context: BHs off; the key is borrowed until the RCU read side ends.
 * Return: the key, or NULL where none of this epoch is held
 */
struct qlink_key *qlink_ring_find(struct qlink_ring *ring, u64 epoch)
{
	struct qlink_key *key = rcu_dereference_bh(ring->current_key);

	if (likely(key && key->name.epoch == epoch))
		return key;

	key = qlink_keytable_find(ring, epoch);
	/* Pairs with qlink_ring_publish(): a key of a refused message is not given out. */
	return key && smp_load_acquire(&key->is_installed) ? key : NULL;
}

/**
 * qlink_ring_follow() - a frame under this key has authenticated
 * @ring: receive ring
 * @key: of @ring, borrowed under RCU
 *
 * A newer key becomes the current one. Older ones, used or skipped, open late
 * frames for QLINK_GRACE_MS more.
 *
 * Context: BHs off.
 */
void qlink_ring_follow(struct qlink_ring *ring, struct qlink_key *key)
{
	struct qlink_key *older;

	if (likely(key == rcu_access_pointer(ring->current_key)))
		return;

	spin_lock(&ring->lock);
	/* Not if it was dropped since, is late itself, or another CPU was here first. */
	if (list_empty(&key->entry) || key->state != QLINK_KEY_STATE_STAGED) {
		spin_unlock(&ring->lock);
		return;
	}
	list_for_each_entry(older, &ring->keys, entry) {
		if (older == key)
			break;
		qlink_ring_retire(ring, older);
	}
	qlink_ring_activate(ring, key);
	qlink_ring_reap_later(ring, msecs_to_jiffies(QLINK_GRACE_MS));
	spin_unlock(&ring->lock);
}

/**
 * qlink_ring_rotate() - leave a transmit key whose limit is reached
 * @ring: transmit ring
 * @key: of @ring, borrowed under RCU; wiped
 *
 * The next staged key seals from here on, or none.
 *
 * Context: BHs off.
 */
void qlink_ring_rotate(struct qlink_ring *ring, struct qlink_key *key)
{
	bool has_dropped = false;

	spin_lock(&ring->lock);
	/* Another CPU may have been here first. */
	if (key == qlink_ring_current(ring)) {
		qlink_ring_drop(ring, key);
		has_dropped = true;
	}
	spin_unlock(&ring->lock);

	if (has_dropped)
		ring->keyring->upcalls->tx_changed(ring->keyring);
}

/**
 * qlink_ring_read() - what is shown of a ring
 * @ring: any
 * @info: out
 *
 * Context: Process context or BHs off. Takes the ring's lock.
 */
void qlink_ring_read(struct qlink_ring *ring, struct qlink_ring_info *info)
{
	struct qlink_key *key;

	spin_lock_bh(&ring->lock);
	memcpy(info->id, ring->id, sizeof(info->id));
	key = qlink_ring_current(ring);
	info->newest_epoch = ring->newest_epoch;
	info->current_epoch = key ? key->name.epoch : 0;
	info->current_source = key ? key->source : 0;
	info->n_staged = ring->n_staged;
	info->n_retired = ring->n_retired;
	spin_unlock_bh(&ring->lock);
}

/**
 * qlink_ring_visit() - see the keys of a ring, oldest first
 * @ring: any
 * @after: only epochs above it
 * @visit: called for each, under the ring's lock; does not sleep
 * @arg: of @visit
 *
 * Context: Process context or BHs off. Takes the ring's lock.
 * Return: 0 at the end of the ring, or what @visit stopped with
 */
int qlink_ring_visit(struct qlink_ring *ring, u64 after, qlink_key_visitor visit, void *arg)
{
	struct qlink_key *key;
	int err = 0;

	spin_lock_bh(&ring->lock);
	list_for_each_entry(key, &ring->keys, entry) {
		if (key->name.epoch <= after)
			continue;
		err = visit(key, arg);
		if (err)
			break;
	}
	spin_unlock_bh(&ring->lock);
	return err;
}
