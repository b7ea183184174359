// SPDX-License-Identifier: GPL-2.0
/* How a transmit ring changes from key to key. */
#include "ring_tx.h"

#include "compat.h"

/**
 * DOC: When keys change
 *
 * A transmit key gives way to the next one that has a transform when it is older
 * than rekey-ms, when it has sealed rekey-frames or rekey-bytes, or on command.
 * These limits are soft: where no key can follow, the key is overdue and stays in use,
 * and gives way as soon as another is ready. After hard-seconds, or at its limit of
 * blocks, it is wiped whether another follows or not.
 *
 * Age counts from a key's first frame, so an idle link uses up no keys. No frame looks
 * at a clock or at a flag for that. Frames and bytes are leased to lanes; the first frame
 * of a key finds nothing leased and calls qlink_ring_limit_reached(), which starts the
 * timer. The timer itself makes the next key active, in one store, and that key waits for
 * its own first frame. A timer that is set already and expires early enough is not moved:
 * when it expires, it looks at what is due and sets itself again. So where keys give way
 * by frames or bytes, the timer is not moved for each key.
 *
 * The timer, a frame that has used up its lease, and a command may all rotate at once.
 * Each does so under the ring's lock, and only if the key that it means is still the
 * active one. A timer that fires late looks at what is due for the key that is active
 * then.
 */

/* A soft limit of the active key is reached. @now: as of qlink_key_end() */
static void qlink_ring_soft_limit_reached(struct qlink_ring *ring, ktime_t now)
{
	struct qlink_key *key = qlink_ring_current(ring);

	if (!key)
		return;
	if (qlink_ring_next(ring)) {
		qlink_key_end(key, now);
		qlink_ring_advance(ring);
	} else if (!key->slot->is_overdue) {
		WRITE_ONCE(key->slot->is_overdue, true);
		/* A staged key that only waits for its transform follows in a moment. */
		if (!ring->n_staged)
			ring->upcalls->tell(ring, QLINK_EVENT_KIND_OVERDUE);
	}
}

static ktime_t qlink_ring_soft_at(const struct qlink_ring *ring)
{
	return ring->limits.rekey_ms ?
	       ktime_add_ms(ring->begun_at, ring->limits.rekey_ms) : KTIME_MAX;
}

static ktime_t qlink_ring_hard_at(const struct qlink_ring *ring)
{
	return ktime_add_ms(ring->begun_at, ring->limits.hard_seconds * (u64)MSEC_PER_SEC);
}

/* Set the timer to the next limit by age of the active key, once its first frame came. */
static void qlink_ring_set_timer(struct qlink_ring *ring)
{
	struct qlink_key *key = qlink_ring_current(ring);
	ktime_t at = qlink_ring_hard_at(ring);

	lockdep_assert_held(&ring->lock);

	if (!key || !key->slot->has_begun)
		return;
	if (!key->slot->is_overdue && ktime_before(qlink_ring_soft_at(ring), at))
		at = qlink_ring_soft_at(ring);
	if (!hrtimer_is_queued(&ring->age_timer) ||
	    ktime_before(at, hrtimer_get_expires(&ring->age_timer)))
		hrtimer_start(&ring->age_timer, at, HRTIMER_MODE_ABS_SOFT);
}

static enum hrtimer_restart qlink_ring_age(struct hrtimer *timer)
{
	struct qlink_ring *ring = container_of(timer, struct qlink_ring, age_timer);
	ktime_t now = ktime_get();
	bool is_exhausted = false;
	struct qlink_key *key;

	spin_lock(&ring->lock);
	key = qlink_ring_current(ring);
	if (key && key->slot->has_begun) {
		if (!ktime_before(now, qlink_ring_hard_at(ring)))
			qlink_ring_advance(ring);
		else if (!ktime_before(now, qlink_ring_soft_at(ring)))
			qlink_ring_soft_limit_reached(ring, now);
		is_exhausted = !qlink_ring_current(ring);
		qlink_ring_set_timer(ring);
	}
	spin_unlock(&ring->lock);

	if (is_exhausted)
		ring->upcalls->changed(ring);
	return HRTIMER_NORESTART;
}

static void qlink_ring_begin(struct qlink_ring *ring, struct qlink_key *key)
{
	qlink_key_begin(key);
	ring->begun_at = key->slot->first_at;
	WRITE_ONCE(key->slot->has_begun, true);
	qlink_ring_set_timer(ring);
}

/**
 * qlink_ring_limit_reached() - go on after a transmit key gave no sequence
 * @ring: transmit ring
 * @key: of @ring, borrowed under RCU
 * @why: the error of qlink_slot_take()
 *
 * At the key's first frame, its age begins. At a soft limit it gives way to the next
 * key; where none is ready, it stays in use without the limit. At a hard limit it is
 * wiped; the next key is active then, or none. In each case the state has changed, and
 * the caller looks for a key again.
 *
 * Context: BHs off.
 */
void qlink_ring_limit_reached(struct qlink_ring *ring, struct qlink_key *key, int why)
{
	bool is_exhausted = false;

	spin_lock(&ring->lock);
	/* Another CPU may have been here first. */
	if (key == qlink_ring_current(ring)) {
		if (why == -ENOKEY)
			qlink_ring_advance(ring);
		else if (why == -EKEYEXPIRED)
			qlink_ring_soft_limit_reached(ring, 0);
		else if (!key->slot->has_begun)
			qlink_ring_begin(ring, key);
		is_exhausted = !qlink_ring_current(ring);
	}
	spin_unlock(&ring->lock);

	if (is_exhausted)
		ring->upcalls->changed(ring);
}

/**
 * qlink_ring_rotate() - let the active transmit key give way to the next, on command
 * @ring: transmit ring
 *
 * Context: Process context, sleeps; not under RTNL.
 * Return: 0, or %-ENOENT where no key can follow; then the active key stays
 */
int qlink_ring_rotate(struct qlink_ring *ring)
{
	int err = -ENOENT;

	qlink_ring_prepare(ring);
	spin_lock_bh(&ring->lock);
	if (qlink_ring_next(ring)) {
		qlink_ring_advance(ring);
		err = 0;
	}
	spin_unlock_bh(&ring->lock);
	return err;
}

/**
 * qlink_ring_tx_limit() - say how long keys are used
 * @ring: transmit ring, alive
 * @limits: apply to the active key, too, as if they had always been set
 *
 * Context: Process context.
 */
void qlink_ring_tx_limit(struct qlink_ring *ring, const struct qlink_limits *limits)
{
	struct qlink_key *key;

	spin_lock_bh(&ring->lock);
	ring->limits = *limits;
	ring->is_blocks2_told = false;
	key = qlink_ring_current(ring);
	if (key) {
		qlink_slot_limit(key->slot, limits->rekey_frames, limits->rekey_bytes);
		qlink_ring_set_timer(ring);
	}
	spin_unlock_bh(&ring->lock);
}

/**
 * qlink_ring_tx_init() - make an empty transmit ring
 * @ring: zeroed memory of the caller
 * @history: as of qlink_ring_init()
 * @upcalls: constant
 *
 * Context: Any.
 */
void qlink_ring_tx_init(struct qlink_ring *ring, struct qlink_history *history,
			const struct qlink_ring_upcalls *upcalls)
{
	qlink_ring_init(ring, QLINK_DIRECTION_TX, history, upcalls);
	qlink_hrtimer_setup(&ring->age_timer, qlink_ring_age, CLOCK_MONOTONIC,
			    HRTIMER_MODE_ABS_SOFT);
}
