// SPDX-License-Identifier: GPL-2.0
/* How a transmit ring goes from key to key. */
#include "ring_tx.h"

#include "compat.h"

/**
 * DOC: When keys change
 *
 * A transmit key gives way to the next one that has a transform when it is older
 * than rekey-ms, when it has sealed rekey-frames or rekey-bytes, or on command.
 * These limits are soft: where nothing follows, the key goes on, overdue, and gives
 * way the moment that something does. After hard-seconds, or at its limit of
 * blocks, it goes whatever follows.
 *
 * Age counts from a key's first frame, so an idle link spends no keys. No frame
 * looks at a clock or at a flag for that: frames and bytes are leased to lanes, the
 * first frame of a key finds nothing leased and comes to qlink_ring_turn(), which
 * starts the timer; and the timer puts the next key in place itself, in one store.
 * That key waits for its own first frame. A timer that is set already and comes no later
 * stays as it is, looks what is due when it comes, and sets itself anew: where keys give
 * way by frames or bytes, it need not be moved for each.
 *
 * The timer, a frame that has spent its lease and a command may all want to rotate
 * at once. Each does so under the ring's lock, and only if the key that it means is
 * still the active one; a timer that fires late looks at what is due for the key
 * that is active now.
 */

/* A soft limit is reached. @now: as of qlink_key_end() */
static void qlink_ring_should_turn(struct qlink_ring *ring, ktime_t now)
{
	struct qlink_key *key = qlink_ring_current(ring);

	if (qlink_ring_next(ring)) {
		qlink_key_end(key, now);
		qlink_ring_pass_on(ring);
	} else if (!key->slot->is_overdue) {
		WRITE_ONCE(key->slot->is_overdue, true);
		/* One that only waits for its transform follows in a moment. */
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

/* Have the timer come in time for what is next in the life of the active key, if its first frame
 * came.
 */
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
	bool is_silent = false;
	struct qlink_key *key;

	spin_lock(&ring->lock);
	key = qlink_ring_current(ring);
	if (key && key->slot->has_begun) {
		if (!ktime_before(now, qlink_ring_hard_at(ring)))
			qlink_ring_pass_on(ring);
		else if (!ktime_before(now, qlink_ring_soft_at(ring)))
			qlink_ring_should_turn(ring, now);
		is_silent = !qlink_ring_current(ring);
		qlink_ring_set_timer(ring);
	}
	spin_unlock(&ring->lock);

	if (is_silent)
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
 * qlink_ring_turn() - a transmit key has no more to give without being asked for it
 * @ring: transmit ring
 * @key: of @ring, borrowed under RCU
 * @why: the error of qlink_slot_take()
 *
 * Its age begins; or it gives way to the next, or goes on without a soft limit where
 * there is none; or it is wiped, and the next seals from here on, or nothing does. In
 * each case something has changed, and the caller looks again.
 *
 * Context: BHs off.
 */
void qlink_ring_turn(struct qlink_ring *ring, struct qlink_key *key, int why)
{
	bool is_silent = false;

	spin_lock(&ring->lock);
	/* Another CPU may have been here first. */
	if (key == qlink_ring_current(ring)) {
		if (why == -ENOKEY)
			qlink_ring_pass_on(ring);
		else if (why == -EKEYEXPIRED)
			qlink_ring_should_turn(ring, 0);
		else if (!key->slot->has_begun)
			qlink_ring_begin(ring, key);
		is_silent = !qlink_ring_current(ring);
	}
	spin_unlock(&ring->lock);

	if (is_silent)
		ring->upcalls->changed(ring);
}

/**
 * qlink_ring_rotate() - let the active transmit key give way to the next, on command
 * @ring: transmit ring
 *
 * Context: Process context, sleeps; not under RTNL.
 * Return: 0, or %-ENOENT where nothing is there to follow it; then it stays
 */
int qlink_ring_rotate(struct qlink_ring *ring)
{
	int err = -ENOENT;

	qlink_ring_prepare(ring);
	spin_lock_bh(&ring->lock);
	if (qlink_ring_next(ring)) {
		qlink_ring_pass_on(ring);
		err = 0;
	}
	spin_unlock_bh(&ring->lock);
	return err;
}

/**
 * qlink_ring_tx_limit() - say how long keys are used
 * @ring: transmit ring, alive
 * @limits: hold for the active key, too, as if they had always done
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
