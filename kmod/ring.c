// SPDX-License-Identifier: GPL-2.0
/* The keys of one direction of a link, by epoch. */
#include "ring.h"

#include <linux/log2.h>
#include <linux/random.h>

#include "compat.h"
#include "key_wipe.h"
#include "keytable.h"
#include "names-gen.h"
#include "trace.h"

/**
 * DOC: Keys and their transforms
 *
 * A ring holds thousands of staged keys, but only the next QLINK_RING_AHEAD of them
 * have transforms. Where setting a key does not sleep, the slot of an older key
 * replaces each one that is used up, at once. Making a new transform sleeps, so a work
 * item does it. The work is queued when fewer than half are left, so at a thousand keys
 * a second it has some milliseconds.
 *
 * A transmit key becomes the current one only with a transform. Where the next key
 * has none yet, the ring keeps its current key; where it has no current key, it sends
 * nothing until the work has run. An install waits for the work, so that a link that
 * was without keys can send when the install returns.
 *
 * A receive key may be needed at any time: a sender that was cut off for a while
 * comes back many epochs later. Until the work has made the key's transform, its
 * frames are opened without one (qlink_aead_open_by()). This takes no memory before
 * a frame has authenticated, so forged frames cannot use up memory. Where setting a
 * key may sleep this is impossible; there each receive key comes with its transform
 * (qlink_key_new()) and takes more memory.
 *
 * The work holds a copy of a key outside of any lock, so a wipe is complete only when
 * the work has ended: whoever wipes a ring empties it and then cancels the work.
 */

atomic_t qlink_ring_silences = ATOMIC_INIT(0);

#define QLINK_RING_AHEAD	16
#define QLINK_PREPARE_RETRY_MS	100

/* Is there a key that should have a transform and has none? The active one always should. */
static bool qlink_ring_wants_transform(const struct qlink_ring *ring)
{
	return ring->bare && !ring->is_dead &&
	       (ring->bare->state == QLINK_KEY_STATE_ACTIVE ||
		ring->n_ready < QLINK_RING_AHEAD);
}

/* A key is about to leave, or to get its transform: the next one is the oldest without one. */
static void qlink_ring_advance_bare(struct qlink_ring *ring, struct qlink_key *key)
{
	if (ring->bare == key)
		ring->bare = qlink_ring_after(ring, key);
}

/* Give idle slots to the next keys, as long as there are some. Where no key is ready, the work does
 * it, because only the work makes a first key active. The same holds for a key that has a slot:
 * only the work frees the one that is left over.
 */
static void qlink_ring_prepare_now(struct qlink_ring *ring)
{
	struct qlink_slot *slot;
	struct qlink_key *key;

	while (ring->n_ready && qlink_ring_wants_transform(ring)) {
		key = ring->bare;
		if (key->state != QLINK_KEY_STATE_STAGED || key->has_slot)
			break;
		slot = qlink_slot_reuse(ring->direction, qlink_key_raw(key));
		if (!slot)
			break;
		qlink_ring_advance_bare(ring, key);
		qlink_key_give(key, slot);
		ring->n_ready++;
	}
}

static void qlink_ring_prepare_soon(struct qlink_ring *ring)
{
	lockdep_assert_held(&ring->lock);

	if (!qlink_ring_wants_transform(ring))
		return;
	if (qlink_aead_may_key_anywhere())
		qlink_ring_prepare_now(ring);
	if (!qlink_ring_wants_transform(ring))
		return;
	if (ring->bare->state == QLINK_KEY_STATE_ACTIVE || ring->n_ready < QLINK_RING_AHEAD / 2)
		mod_delayed_work(qlink_unbound_wq, &ring->prepare_work, 0);
}

/**
 * qlink_ring_leave_staged() - stop counting a key as staged
 * @ring: of the key
 * @key: staged until now
 *
 * Context: Under the lock of @ring.
 */
void qlink_ring_leave_staged(struct qlink_ring *ring, const struct qlink_key *key)
{
	lockdep_assert_held(&ring->lock);

	/* Told once, when the count falls below the limit. */
	if (ring->direction == QLINK_DIRECTION_TX && !ring->is_dead &&
	    ring->n_staged == ring->limits.keys_low)
		ring->upcalls->tell(ring, QLINK_EVENT_KIND_KEYS_LOW);
	WRITE_ONCE(ring->n_staged, ring->n_staged - 1);
	if (key->is_ready)
		ring->n_ready--;
}

/* Tell once that the limit is reached, until it is set again. */
static void qlink_ring_check_blocks2(struct qlink_ring *ring)
{
	u64 limit = BIT_ULL(ring->limits.blocks2_log2 - ilog2(QLINK_BLOCKS2_UNIT));

	if (ring->is_blocks2_told || qlink_history_blocks2(ring->history) < limit)
		return;
	ring->is_blocks2_told = true;
	ring->upcalls->tell(ring, QLINK_EVENT_KIND_BLOCKS2_HIGH);
}

/**
 * qlink_ring_activate() - make a staged key the active one
 * @ring: of the key
 * @key: staged; in a tx ring it has a transform
 *
 * Context: Under the lock of @ring.
 */
void qlink_ring_activate(struct qlink_ring *ring, struct qlink_key *key)
{
	lockdep_assert_held(&ring->lock);

	trace_qlink_key_taken(ring->dev, qlink_direction_name(ring->direction), key->name.epoch,
			      qlink_source_name(key->source), key->kmes,
			      qlink_key_state_name(key->state));
	qlink_ring_leave_staged(ring, key);
	WRITE_ONCE(key->state, QLINK_KEY_STATE_ACTIVE);
	ring->begun_at = 0;
	if (ring->direction == QLINK_DIRECTION_TX) {
		qlink_slot_limit(key->slot, ring->limits.rekey_frames, ring->limits.rekey_bytes);
		qlink_ring_check_blocks2(ring);
	}
	rcu_assign_pointer(ring->current_key, key);
	if (ring->direction == QLINK_DIRECTION_TX) {
		/* Pairs with qlink_ring_silence(): one of the two stores its NULL last. */
		smp_mb();
		if (unlikely(atomic_read(&qlink_ring_silences)))
			RCU_INIT_POINTER(ring->current_key, NULL);
	}
	qlink_ring_prepare_soon(ring);
}

/* A transmit ring without an active key starts with the oldest key that it holds. */
static bool qlink_ring_activate_first(struct qlink_ring *ring)
{
	struct qlink_key *key = list_first_entry_or_null(&ring->keys, struct qlink_key, entry);

	lockdep_assert_held(&ring->lock);

	/* In a ring that was silenced, it may be active already. */
	if (ring->direction != QLINK_DIRECTION_TX || ring->is_dead || !key ||
	    !key->is_ready || key->state != QLINK_KEY_STATE_STAGED || qlink_ring_current(ring))
		return false;
	qlink_ring_activate(ring, key);
	return true;
}

/**
 * qlink_ring_next() - the ready key that follows the active one
 * @ring: tx
 *
 * Context: Under the lock of @ring.
 * Return: the key, or %NULL
 */
struct qlink_key *qlink_ring_next(struct qlink_ring *ring)
{
	struct qlink_key *key = qlink_ring_current(ring);

	if (key)
		key = qlink_ring_after(ring, key);
	return key && key->is_ready ? key : NULL;
}

/* Change from the active key to the next one, if any, in one store: between two stores a frame
 * would find no key and be lost.
 */
static void qlink_ring_supersede(struct qlink_ring *ring)
{
	struct qlink_key *next = NULL;

	lockdep_assert_held(&ring->lock);

	if (ring->direction == QLINK_DIRECTION_TX && !ring->is_dead)
		next = qlink_ring_next(ring);
	if (next) {
		ring->n_rekeys++;
		qlink_ring_activate(ring, next);
		ring->upcalls->tell(ring, QLINK_EVENT_KIND_ROTATED);
	} else {
		RCU_INIT_POINTER(ring->current_key, NULL);
		if (ring->direction == QLINK_DIRECTION_TX)
			ring->upcalls->tell(ring, QLINK_EVENT_KIND_EXHAUSTED);
	}
}

/**
 * qlink_ring_drop() - remove a key from its ring and the tables, and wipe it
 * @ring: of the key
 * @key: in @ring; wiped when no frame can be using it
 *
 * A transmit ring that loses its active key continues with the next one.
 *
 * Context: BHs off, under the lock of @ring.
 */
void qlink_ring_drop(struct qlink_ring *ring, struct qlink_key *key)
{
	lockdep_assert_held(&ring->lock);

	trace_qlink_key_gone(ring->dev, qlink_direction_name(ring->direction), key->name.epoch,
			     qlink_source_name(key->source), key->kmes,
			     qlink_key_state_name(key->state));
	qlink_ring_advance_bare(ring, key);
	if (ring->skipped == key)
		ring->skipped = qlink_ring_after(ring, key);
	switch ((enum qlink_key_state)key->state) {
	case QLINK_KEY_STATE_STAGED:
		qlink_ring_leave_staged(ring, key);
		break;
	case QLINK_KEY_STATE_ACTIVE:
		qlink_ring_supersede(ring);
		break;
	case QLINK_KEY_STATE_RETIRED:
		ring->n_retired--;
		break;
	}
	list_del(&key->entry);
	if (key->has_slot)
		ring->window_bytes -= key->slot->window_bytes;
	qlink_key_retire(key, ring->history);
	key->is_dropped = true;
	qlink_keytable_remove(key);
	qlink_key_free(key);
	/* It may have been the last key with a transform. */
	qlink_ring_prepare_soon(ring);
}

/**
 * qlink_ring_advance() - wipe the active key; the next one takes over, if there is one
 * @ring: tx
 *
 * Context: BHs off, under the lock of @ring.
 */
void qlink_ring_advance(struct qlink_ring *ring)
{
	struct qlink_key *key = qlink_ring_current(ring);

	if (key)
		qlink_ring_drop(ring, key);
}

/**
 * qlink_ring_pick() - copy the next key that needs a transform
 * @ring: any
 * @epoch: out, of the key
 * @raw: out, QLINK_KEY_BYTES bytes, which the caller wipes
 *
 * Return: false when no key needs one
 */
static bool qlink_ring_pick(struct qlink_ring *ring, u64 *epoch, u8 *raw)
{
	bool is_wanted;

	spin_lock_bh(&ring->lock);
	is_wanted = qlink_ring_wants_transform(ring);
	if (is_wanted) {
		*epoch = ring->bare->name.epoch;
		memcpy(raw, qlink_key_raw(ring->bare), QLINK_KEY_BYTES);
	}
	spin_unlock_bh(&ring->lock);
	return is_wanted;
}

/* Replace an overdue active key, now that a key is ready to follow it. */
static void qlink_ring_catch_up(struct qlink_ring *ring)
{
	struct qlink_key *key = qlink_ring_current(ring);

	if (ring->direction == QLINK_DIRECTION_TX && key && key->slot->is_overdue &&
	    qlink_ring_next(ring))
		qlink_ring_advance(ring);
}

/**
 * qlink_ring_give() - give a key the slot that was made for it
 * @ring: of the key
 * @epoch: of the key, which may have left the ring, or retired, meanwhile
 * @slot: taken over
 *
 * Only the calling work makes transforms, so a key of this epoch that is still the
 * oldest without one is the same key: an epoch can come a second time only after a
 * wipe, and a wipe waits for the work.
 */
static void qlink_ring_give(struct qlink_ring *ring, u64 epoch, struct qlink_slot *slot)
{
	struct qlink_key *key;
	bool has_begun = false;

	spin_lock_bh(&ring->lock);
	key = ring->bare;
	if (key && key->name.epoch == epoch && !ring->is_dead) {
		qlink_ring_advance_bare(ring, key);
		slot = qlink_key_give(key, slot);
		if (key->state == QLINK_KEY_STATE_STAGED)
			ring->n_ready++;
		has_begun = qlink_ring_activate_first(ring);
		qlink_ring_catch_up(ring);
	}
	spin_unlock_bh(&ring->lock);
	qlink_slot_free(slot);
	if (has_begun)
		ring->upcalls->changed(ring);
}

static void qlink_ring_prepare_work(struct work_struct *work)
{
	struct qlink_ring *ring = container_of(to_delayed_work(work), struct qlink_ring,
					       prepare_work);
	u8 raw[QLINK_KEY_BYTES] __aligned(16);
	struct qlink_slot *slot;
	u64 epoch;

	while (qlink_ring_pick(ring, &epoch, raw)) {
		slot = qlink_slot_new(ring->direction, raw);
		if (IS_ERR(slot)) {
			queue_delayed_work(qlink_unbound_wq, &ring->prepare_work,
					   msecs_to_jiffies(QLINK_PREPARE_RETRY_MS));
			break;
		}
		qlink_ring_give(ring, epoch, slot);
		cond_resched();
	}
	memzero_explicit(raw, sizeof(raw));
}

/**
 * qlink_ring_prepare() - give the next keys of a ring their transforms
 * @ring: alive
 *
 * Returns when they have them, or when there is no memory. In that case the work
 * tries again later, and until then the ring holds the keys but does not use them.
 *
 * Context: Process context, sleeps; not under RTNL.
 */
void qlink_ring_prepare(struct qlink_ring *ring)
{
	mod_delayed_work(qlink_unbound_wq, &ring->prepare_work, 0);
	flush_delayed_work(&ring->prepare_work);
}

/**
 * qlink_ring_init() - the common part of qlink_ring_tx_init() and qlink_ring_rx_init()
 * @ring: zeroed memory of the caller
 * @direction: of its keys
 * @history: where its keys are recorded; held as long as the ring lives
 * @upcalls: constant
 *
 * Context: Any.
 */
void qlink_ring_init(struct qlink_ring *ring, enum qlink_direction direction,
		     struct qlink_history *history, const struct qlink_ring_upcalls *upcalls)
{
	RCU_INIT_POINTER(ring->current_key, NULL);
	ring->direction = direction;
	ring->history = history;
	ring->upcalls = upcalls;
	spin_lock_init(&ring->lock);
	INIT_LIST_HEAD(&ring->keys);
	INIT_DELAYED_WORK(&ring->prepare_work, qlink_ring_prepare_work);
	get_random_bytes(ring->id, sizeof(ring->id));
}

/* Drop the first keys of a ring, which is dead then; few enough that softirqs can wait for it. */
static bool qlink_ring_drop_some(struct qlink_ring *ring)
{
	struct qlink_key *key, *next;
	unsigned int n = 0;

	spin_lock_bh(&ring->lock);
	ring->is_dead = true;
	list_for_each_entry_safe(key, next, &ring->keys, entry) {
		qlink_ring_drop(ring, key);
		if (++n == QLINK_RING_AT_ONCE)
			break;
	}
	spin_unlock_bh(&ring->lock);
	return n == QLINK_RING_AT_ONCE;
}

static void qlink_ring_empty(struct qlink_ring *ring)
{
	while (qlink_ring_drop_some(ring))
		cond_resched();
	/* A dead ring does not queue the work again; the work ends and wipes its copy of a key. */
	cancel_delayed_work_sync(&ring->prepare_work);
	if (ring->direction == QLINK_DIRECTION_TX)
		hrtimer_cancel(&ring->age_timer);
}

/**
 * qlink_ring_destroy() - wipe all keys of a ring, for good
 * @ring: the memory stays valid until a grace period is over
 *
 * Context: Process context, sleeps.
 */
void qlink_ring_destroy(struct qlink_ring *ring)
{
	qlink_ring_empty(ring);
	if (ring->direction == QLINK_DIRECTION_RX)
		cancel_delayed_work_sync(&ring->reap_work);
}

/**
 * qlink_ring_stop() - stop a transmit ring from sealing frames
 * @ring: to be wiped or destroyed next
 *
 * Context: Process context.
 */
void qlink_ring_stop(struct qlink_ring *ring)
{
	spin_lock_bh(&ring->lock);
	ring->is_dead = true;
	RCU_INIT_POINTER(ring->current_key, NULL);
	spin_unlock_bh(&ring->lock);
}

/**
 * qlink_ring_silence() - stop a transmit ring from sealing frames, without waiting for anything
 * @ring: to be wiped or destroyed next, before qlink_ring_silences is lowered
 *
 * It does without the lock, whose holder this CPU may have interrupted.
 *
 * Context: Any, hard interrupts included; qlink_ring_silences is raised, and a full barrier
 * follows that.
 */
void qlink_ring_silence(struct qlink_ring *ring)
{
	RCU_INIT_POINTER(ring->current_key, NULL);
}

/**
 * qlink_ring_wipe() - wipe all keys of a ring, which then starts anew
 * @ring: alive
 *
 * It has a new id then, and accepts any epoch as its first one.
 *
 * Context: Process context, sleeps. The caller prevents installs.
 */
void qlink_ring_wipe(struct qlink_ring *ring)
{
	qlink_ring_empty(ring);
	spin_lock_bh(&ring->lock);
	ring->newest_epoch = 0;
	ring->followed_epoch = 0;
	memset(ring->late, 0, sizeof(ring->late));
	get_random_bytes(ring->id, sizeof(ring->id));
	ring->is_dead = false;
	spin_unlock_bh(&ring->lock);
}

/**
 * qlink_ring_rename() - give a ring a new id
 * @ring: empty
 *
 * Context: Process context.
 */
void qlink_ring_rename(struct qlink_ring *ring)
{
	spin_lock_bh(&ring->lock);
	get_random_bytes(ring->id, sizeof(ring->id));
	spin_unlock_bh(&ring->lock);
}

/**
 * qlink_ring_publish() - put keys into a ring
 * @ring: alive
 * @keys: checked, in the tables; keys of the other direction are skipped
 * @n: how many
 *
 * Context: Process context; one install at a time.
 */
void qlink_ring_publish(struct qlink_ring *ring, struct qlink_key **keys, unsigned int n)
{
	unsigned int i;

	spin_lock_bh(&ring->lock);
	for (i = 0; i < n; i++) {
		if (keys[i]->direction != ring->direction)
			continue;
		keys[i]->state = QLINK_KEY_STATE_STAGED;
		list_add_tail(&keys[i]->entry, &ring->keys);
		WRITE_ONCE(ring->n_staged, ring->n_staged + 1);
		ring->newest_epoch = keys[i]->name.epoch;
		if (keys[i]->is_ready)
			ring->n_ready++;
		else if (!ring->bare)
			ring->bare = keys[i];
		/* From here on qlink_ring_find() returns it. */
		smp_store_release(&keys[i]->is_installed, true);
	}
	qlink_ring_prepare_soon(ring);
	spin_unlock_bh(&ring->lock);
}

/**
 * qlink_ring_find_held() - find a key by its epoch
 * @ring: any
 * @epoch: any
 *
 * Context: BHs off, under the lock of @ring, which keeps the key in the ring.
 * Return: the key, or NULL where the ring holds no key of this epoch
 */
struct qlink_key *qlink_ring_find_held(struct qlink_ring *ring, u64 epoch)
{
	struct qlink_key *key;

	lockdep_assert_held(&ring->lock);

	rcu_read_lock();
	key = qlink_keytable_find(ring, epoch);
	rcu_read_unlock();
	return key && key->is_installed ? key : NULL;
}

/* Drop some refused keys, few enough that frames can wait. Returns whether there were any. */
static bool qlink_ring_refuse_some(struct qlink_ring *ring, const struct qlink_accept *accept)
{
	struct qlink_key *key, *next;
	unsigned int n = 0;

	spin_lock_bh(&ring->lock);
	/* Newest first, so that no refused key becomes the active one meanwhile. */
	list_for_each_entry_safe_reverse(key, next, &ring->keys, entry) {
		if (qlink_accept_has_key(accept, key->source, key->kmes))
			continue;
		qlink_ring_drop(ring, key);
		if (++n == QLINK_RING_AT_ONCE)
			break;
	}
	spin_unlock_bh(&ring->lock);
	return n;
}

/**
 * qlink_ring_refuse() - wipe the keys that the link does not accept
 * @ring: any
 * @accept: of the link
 *
 * Context: Process context.
 * Return: whether a key was wiped
 */
bool qlink_ring_refuse(struct qlink_ring *ring, const struct qlink_accept *accept)
{
	bool has_dropped = false;

	while (qlink_ring_refuse_some(ring, accept)) {
		has_dropped = true;
		cond_resched();
	}
	return has_dropped;
}

/**
 * qlink_ring_read() - read what is shown of a ring
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
	info->current_kmes = key ? key->kmes : 0;
	info->n_staged = ring->n_staged;
	info->n_retired = ring->n_retired;
	info->n_rekeys = ring->n_rekeys;
	info->age_ms = key && ring->begun_at ?
		       ktime_to_ms(ktime_sub(ktime_get(), ring->begun_at)) : 0;
	info->is_overdue = key && key->has_slot && key->slot->is_overdue;
	spin_unlock_bh(&ring->lock);
}

/**
 * qlink_ring_usage() - what all keys that a ring ever held were used for
 * @ring: any
 * @by_source: out, QLINK_SOURCES of them
 *
 * The active key is counted here; all others were counted when they gave way. Frames
 * that were in flight when a key gave way, a moment ago, may be missing.
 *
 * Context: Process context or BHs off. Takes the ring's lock.
 */
void qlink_ring_usage(struct qlink_ring *ring, struct qlink_usage *by_source)
{
	struct qlink_key *key;

	spin_lock_bh(&ring->lock);
	key = qlink_ring_current(ring);
	if (key && key->has_slot)
		qlink_key_count(key, ring->history);
	qlink_history_usage(ring->history, ring->direction, by_source);
	spin_unlock_bh(&ring->lock);
}

/**
 * qlink_ring_blocks2() - the sum, over all keys, of their AES blocks squared
 * @ring: tx
 *
 * Context: Process context or BHs off. Takes the ring's lock.
 * Return: as of qlink_blocks2()
 */
u64 qlink_ring_blocks2(struct qlink_ring *ring)
{
	struct qlink_key *key;
	u64 sum;

	spin_lock_bh(&ring->lock);
	key = qlink_ring_current(ring);
	sum = key ? qlink_blocks2(qlink_key_blocks(key)) : 0;
	sum += qlink_history_blocks2(ring->history);
	spin_unlock_bh(&ring->lock);
	return sum;
}

/**
 * qlink_ring_visit() - call a function for the keys of a ring, oldest first
 * @ring: any
 * @after: only keys of epochs above it
 * @visit: called for each key, under the ring's lock; does not sleep
 * @arg: passed to @visit
 *
 * Context: Process context or BHs off. Takes the ring's lock.
 * Return: 0 at the end of the ring, or the value with which @visit ended the visit
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
