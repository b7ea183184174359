// SPDX-License-Identifier: GPL-2.0
/* How a receive ring opens frames, follows its peer, and lets older keys go. */
#include "ring_rx.h"

#include <linux/jiffies.h>

#include "compat.h"
#include "keytable.h"

/**
 * DOC: Late frames
 *
 * A receiver moves on by the first frame that authenticates under a newer key.
 * Older keys, used or skipped, are wiped when their grace is over, or before, the
 * oldest first, when there are more than QLINK_RETIRED_MAX of them or the windows of
 * the link take more than QLINK_WINDOW_BYTES_MAX. The active one is wiped
 * hard-seconds and a grace after its first frame, so no frame can be held back for
 * longer, whether a newer key was heard or not.
 *
 * Whoever moves on to a newer key wipes those whose time has come, so at a thousand
 * keys a second no work is queued for them one by one. The work is there for the last
 * ones, and comes up to QLINK_REAP_SLACK later to find several at once; in a softirq, for
 * to wake a thread costs more than what it has to do.
 */

#define QLINK_REAP_SLACK(grace)	min_t(u32, (grace) / 8, HZ)

static void qlink_ring_wipe_late(struct qlink_ring *ring, struct qlink_key *key,
				 enum qlink_late why)
{
	/* Frames look at it without the lock. */
	WRITE_ONCE(ring->late[why], key->name.epoch);
	qlink_ring_drop(ring, key);
}

static void qlink_ring_retire(struct qlink_ring *ring, struct qlink_key *key, ktime_t now)
{
	lockdep_assert_held(&ring->lock);

	if (key->state == QLINK_KEY_STATE_RETIRED)
		return;
	if (key->state == QLINK_KEY_STATE_STAGED)
		qlink_ring_leave_staged(ring, key);
	WRITE_ONCE(key->state, QLINK_KEY_STATE_RETIRED);
	if (key->has_slot)
		qlink_key_count(key, ring->history);
	qlink_key_end(key, now);
	key->since = (u32)jiffies;
	ring->n_retired++;
}

/* When a receive key is to be wiped, in jiffies; the low bits. */
static u32 qlink_ring_wipe_at(const struct qlink_ring *ring, const struct qlink_key *key)
{
	u32 at = key->since + (u32)msecs_to_jiffies(ring->limits.grace_ms);

	return key->state == QLINK_KEY_STATE_ACTIVE ? at + ring->limits.hard_seconds * HZ : at;
}

/* When the work should come for it. Never later than for the active key: that one lives longer
 * than those that it retired by a second at least.
 */
static u32 qlink_ring_reap_at(const struct qlink_ring *ring, const struct qlink_key *key)
{
	u32 grace = msecs_to_jiffies(ring->limits.grace_ms);
	u32 at = qlink_ring_wipe_at(ring, key);

	return key->state == QLINK_KEY_STATE_ACTIVE ? at : at + QLINK_REAP_SLACK(grace);
}

/* Why a key has to go now; unknown where it has not. The oldest go before their time where there
 * are too many.
 */
static enum qlink_late qlink_ring_wipe_why(const struct qlink_ring *ring,
					   const struct qlink_key *key)
{
	bool is_active = key->state == QLINK_KEY_STATE_ACTIVE;

	if (key->state == QLINK_KEY_STATE_STAGED)
		return QLINK_LATE_UNKNOWN;
	if ((s32)(qlink_ring_wipe_at(ring, key) - (u32)jiffies) <= 0)
		return is_active ? QLINK_LATE_EXPIRED : QLINK_LATE_GRACE;
	if (!is_active && (ring->n_retired > QLINK_RETIRED_MAX ||
			   ring->window_bytes > QLINK_WINDOW_BYTES_MAX))
		return QLINK_LATE_EVICTED;
	return QLINK_LATE_UNKNOWN;
}

static void qlink_ring_wipe_old(struct qlink_ring *ring)
{
	struct qlink_key *key, *next;
	enum qlink_late why;

	lockdep_assert_held(&ring->lock);

	list_for_each_entry_safe(key, next, &ring->keys, entry) {
		why = qlink_ring_wipe_why(ring, key);
		if (why == QLINK_LATE_UNKNOWN)
			break;
		qlink_ring_wipe_late(ring, key, why);
	}
}

/* The work may be due sooner already, but never later. At a thousand keys a second most find
 * that it is, and none of them puts it off.
 */
static void qlink_ring_reap_by(struct qlink_ring *ring, const struct qlink_key *key)
{
	s32 left = qlink_ring_reap_at(ring, key) - (u32)jiffies;
	unsigned long at = jiffies + max(left, 0);

	lockdep_assert_held(&ring->lock);

	if (ring->is_dead || (ring->is_reaping && !time_before(at, ring->reap_at)))
		return;
	ring->is_reaping = true;
	ring->reap_at = at;
	mod_delayed_work(system_bh_wq, &ring->reap_work, max(left, 0));
}

static void qlink_ring_reap(struct work_struct *work)
{
	struct qlink_ring *ring = container_of(to_delayed_work(work), struct qlink_ring,
					       reap_work);
	struct qlink_key *oldest;

	spin_lock_bh(&ring->lock);
	ring->is_reaping = false;
	qlink_ring_wipe_old(ring);
	oldest = list_first_entry_or_null(&ring->keys, struct qlink_key, entry);
	if (oldest && oldest->state != QLINK_KEY_STATE_STAGED)
		qlink_ring_reap_by(ring, oldest);
	spin_unlock_bh(&ring->lock);
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

/* A copy of a key that has no transform; %-EAGAIN where it has one now, %-ENOENT once wiped. */
static int qlink_ring_copy_raw(struct qlink_ring *ring, const struct qlink_key *key, u8 *raw)
{
	int err = 0;

	spin_lock(&ring->lock);
	if (key->is_dropped)
		err = -ENOENT;
	else if (key->is_ready)
		err = -EAGAIN;
	else
		memcpy(raw, qlink_key_raw(key), QLINK_KEY_BYTES);
	spin_unlock(&ring->lock);
	return err;
}

/* An authentic frame came: from here on the key has windows. */
static int qlink_ring_take_up(struct qlink_ring *ring, struct qlink_key *key)
{
	int err = 0;

	spin_lock(&ring->lock);
	if (key->is_dropped)
		err = -ENOENT;
	else if (!key->has_slot)
		err = qlink_key_add_slot(key);
	spin_unlock(&ring->lock);
	return err;
}

/* The way of the first frames of a key that was further away than transforms are made ahead. */
static int qlink_ring_open_bare(struct qlink_ring *ring, struct qlink_key *key, u8 *to,
				const u8 *frame, unsigned int bytes, const u8 *nonce)
{
	u8 raw[QLINK_KEY_BYTES] __aligned(16);
	int err = qlink_ring_copy_raw(ring, key, raw);

	if (err == -EAGAIN)
		return qlink_aead_open(key->slot->aead, to, frame, bytes, nonce);
	if (err)
		return err;
	err = qlink_aead_may_key_anywhere() ?
	      qlink_aead_open_by(raw, to, frame, bytes, nonce) : -ENOMEM;
	memzero_explicit(raw, sizeof(raw));
	return err ?: qlink_ring_take_up(ring, key);
}

/**
 * qlink_ring_open() - check and decrypt one frame
 * @ring: receive ring
 * @key: of @ring, borrowed under RCU
 * @to: as of qlink_aead_open()
 * @frame: likewise
 * @bytes: of @frame in all
 * @nonce: QLINK_NONCE_BYTES bytes
 *
 * Context: BHs off, qlink_aead_lock() held, qlink_aead_may_run().
 * Return:
 * * %0		- authentic, and @key is used
 * * %-EBADMSG	- the tag is not valid; the content is undefined
 * * %-ENOENT	- the key was wiped meanwhile
 * * %-ENOMEM	- no memory to take the key into use
 * * any other	- of the crypto API
 */
int qlink_ring_open(struct qlink_ring *ring, struct qlink_key *key, u8 *to, const u8 *frame,
		    unsigned int bytes, const u8 *nonce)
{
	if (likely(qlink_key_is_ready(key)))
		return qlink_aead_open(key->slot->aead, to, frame, bytes, nonce);
	return qlink_ring_open_bare(ring, key, to, frame, bytes, nonce);
}

/**
 * qlink_ring_note_windows() - a window of a receive key was made, for a first frame
 * @ring: receive ring
 * @key: of @ring, borrowed under RCU
 * @bytes: that it takes
 *
 * Context: BHs off.
 */
void qlink_ring_note_windows(struct qlink_ring *ring, struct qlink_key *key,
			     unsigned int bytes)
{
	spin_lock(&ring->lock);
	qlink_key_begin(key);
	if (!key->is_dropped) {
		key->slot->window_bytes += bytes;
		ring->window_bytes += bytes;
		qlink_ring_wipe_old(ring);
	}
	spin_unlock(&ring->lock);
}

/* Older keys, used or skipped, open late frames for their grace. */
static void qlink_ring_move_on(struct qlink_ring *ring, struct qlink_key *key)
{
	struct qlink_key *older = key;

	lockdep_assert_held(&ring->lock);

	qlink_key_begin(key);
	list_for_each_entry_continue_reverse(older, &ring->keys, entry) {
		if (older->state == QLINK_KEY_STATE_RETIRED)
			break;
		qlink_ring_retire(ring, older, key->slot->first_at);
	}
	/* Those that were skipped go without a transform; it is this one's turn. */
	if (ring->bare && ring->bare->name.epoch < key->name.epoch)
		ring->bare = key;
	if (qlink_ring_current(ring))
		ring->n_rekeys++;
	qlink_ring_activate(ring, key);
	key->since = (u32)jiffies;
	ring->begun_at = key->slot->first_at;
	ring->upcalls->tell(ring, QLINK_EVENT_KIND_PEER_EPOCH);
	qlink_ring_wipe_old(ring);
	/* The oldest of those that have a time to go. */
	qlink_ring_reap_by(ring, list_first_entry(&ring->keys, struct qlink_key, entry));
}

/**
 * qlink_ring_follow() - a frame under this key has authenticated
 * @ring: receive ring
 * @key: of @ring, borrowed under RCU
 *
 * A newer key becomes the current one. A late frame is counted at once, because its key
 * has been counted already.
 *
 * Context: BHs off.
 */
void qlink_ring_follow(struct qlink_ring *ring, struct qlink_key *key)
{
	if (likely(key == rcu_access_pointer(ring->current_key)))
		return;

	spin_lock(&ring->lock);
	/* Not if it was dropped since, or another CPU was here first. */
	if (!key->is_dropped && key->state == QLINK_KEY_STATE_STAGED)
		qlink_ring_move_on(ring, key);
	else if (!key->is_dropped && key->state == QLINK_KEY_STATE_RETIRED)
		qlink_key_count(key, ring->history);
	spin_unlock(&ring->lock);
}

/**
 * qlink_ring_late() - why is an epoch not held?
 * @ring: receive ring
 * @epoch: not held; nothing of the frame that names it is known to be true
 *
 * Where keys went for several reasons it may name another of them: it remembers
 * one epoch for each.
 *
 * Context: Any.
 * Return: the reason that the newest wiped epoch at or above it, and next to it, went for
 */
enum qlink_late qlink_ring_late(const struct qlink_ring *ring, u64 epoch)
{
	enum qlink_late why = QLINK_LATE_UNKNOWN;
	u64 late, nearest = U64_MAX;
	int i;

	for (i = QLINK_LATE_GRACE; i < QLINK_LATE_N; i++) {
		late = READ_ONCE(ring->late[i]);
		if (late >= epoch && late < nearest) {
			nearest = late;
			why = i;
		}
	}
	return why;
}

/**
 * qlink_ring_rx_limit() - say how long keys are used
 * @ring: receive ring, alive
 * @limits: hold for all keys, as if they had always done
 *
 * Context: Process context.
 */
void qlink_ring_rx_limit(struct qlink_ring *ring, const struct qlink_limits *limits)
{
	struct qlink_key *key;

	spin_lock_bh(&ring->lock);
	ring->limits = *limits;
	key = list_first_entry_or_null(&ring->keys, struct qlink_key, entry);
	if (key && key->state != QLINK_KEY_STATE_STAGED)
		qlink_ring_reap_by(ring, key);
	spin_unlock_bh(&ring->lock);
}

/**
 * qlink_ring_rx_init() - make an empty receive ring
 * @ring: zeroed memory of the caller
 * @history: as of qlink_ring_init()
 * @upcalls: constant
 *
 * Context: Any.
 */
void qlink_ring_rx_init(struct qlink_ring *ring, struct qlink_history *history,
			const struct qlink_ring_upcalls *upcalls)
{
	qlink_ring_init(ring, QLINK_DIRECTION_RX, history, upcalls);
	INIT_DELAYED_WORK(&ring->reap_work, qlink_ring_reap);
}
