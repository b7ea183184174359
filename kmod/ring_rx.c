// SPDX-License-Identifier: GPL-2.0
/* How a receive ring opens frames, follows its peer, and wipes older keys. */
#include "ring_rx.h"

#include <linux/jiffies.h>

#include "compat.h"
#include "keytable.h"

/**
 * DOC: Late frames
 *
 * A receiver moves on to a newer key with the first frame that authenticates under it.
 * Older keys, used or skipped, are wiped when their grace is over. They are wiped
 * earlier, the oldest first, when there are more than QLINK_RETIRED_MAX of them or the
 * windows of the link take more than QLINK_WINDOW_BYTES_MAX. The active key is wiped
 * hard-seconds and a grace after its first frame. So no frame can be held back for
 * longer, whether a newer key was heard or not.
 *
 * The CPU that moves on to a newer key also retires the keys that it skips, and wipes those
 * that are due, so at a thousand keys a second no work is queued for each of them. It
 * does so for at most QLINK_RING_AT_ONCE keys, because a ring may hold many more and this
 * is a softirq. The work does the rest, in portions of that size, and wipes the last
 * ones. It comes up to QLINK_REAP_SLACK late to find several at once, and runs in a
 * softirq, because to wake a thread costs more than the work itself.
 */

#define QLINK_REAP_SLACK(grace)	min_t(u32, (grace) / 8, HZ)

static void qlink_ring_wipe_late(struct qlink_ring *ring, struct qlink_key *key,
				 enum qlink_late why)
{
	/* Frames read it without the lock. */
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

/* When a receive key is to be wiped: the low bits of jiffies. */
static u32 qlink_ring_wipe_at(const struct qlink_ring *ring, const struct qlink_key *key)
{
	u32 at = key->since + (u32)msecs_to_jiffies(ring->limits.grace_ms);

	return key->state == QLINK_KEY_STATE_ACTIVE ? at + ring->limits.hard_seconds * HZ : at;
}

/* When the work should wipe a key. Never later than for the active key, which lives at least a
 * second longer than the keys that it retired.
 */
static u32 qlink_ring_reap_at(const struct qlink_ring *ring, const struct qlink_key *key)
{
	u32 grace = msecs_to_jiffies(ring->limits.grace_ms);
	u32 at = qlink_ring_wipe_at(ring, key);

	return key->state == QLINK_KEY_STATE_ACTIVE ? at : at + QLINK_REAP_SLACK(grace);
}

/* Why a key has to be wiped now; unknown where it need not be. The oldest keys are wiped early
 * where there are too many.
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
	unsigned int n = 0;
	enum qlink_late why;

	lockdep_assert_held(&ring->lock);

	list_for_each_entry_safe(key, next, &ring->keys, entry) {
		why = qlink_ring_wipe_why(ring, key);
		if (why == QLINK_LATE_UNKNOWN || n++ == QLINK_RING_AT_ONCE)
			break;
		qlink_ring_wipe_late(ring, key, why);
	}
}

/* Retire keys that the ring has skipped. They are STAGED until then, and open late frames all the
 * same. @now: as of qlink_key_end()
 */
static void qlink_ring_retire_skipped(struct qlink_ring *ring, ktime_t now)
{
	struct qlink_key *key = ring->skipped;
	unsigned int n;

	lockdep_assert_held(&ring->lock);

	for (n = 0; key && n < QLINK_RING_AT_ONCE; n++) {
		if (key->name.epoch >= ring->followed_epoch) {
			key = NULL;
			break;
		}
		if (key->state == QLINK_KEY_STATE_STAGED)
			qlink_ring_retire(ring, key, now);
		key = qlink_ring_after(ring, key);
	}
	ring->skipped = key;
}

/* Have the work run when this key is due, or earlier; at once where there is more to retire. At a
 * thousand keys a second the work is nearly always queued for an earlier time already, and that
 * time stays.
 */
static void qlink_ring_reap_by(struct qlink_ring *ring, const struct qlink_key *key)
{
	s32 left = ring->skipped ? 0 : qlink_ring_reap_at(ring, key) - (u32)jiffies;
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
	qlink_ring_retire_skipped(ring, ring->begun_at);
	qlink_ring_wipe_old(ring);
	oldest = list_first_entry_or_null(&ring->keys, struct qlink_key, entry);
	if (oldest && (oldest->state != QLINK_KEY_STATE_STAGED || ring->skipped))
		qlink_ring_reap_by(ring, oldest);
	spin_unlock_bh(&ring->lock);
}

/**
 * qlink_ring_find() - find the receive key of a frame
 * @ring: receive ring
 * @epoch: from the header, not authenticated yet
 *
 * Context: BHs off; the key is borrowed until the RCU read side ends.
 * Return: the key, or NULL where the ring holds no key of this epoch
 */
struct qlink_key *qlink_ring_find(struct qlink_ring *ring, u64 epoch)
{
	struct qlink_key *key = rcu_dereference_bh(ring->current_key);

	if (likely(key && key->name.epoch == epoch))
		return key;

	key = qlink_keytable_find(ring, epoch);
	/* Pairs with qlink_ring_publish(): a key of a refused message is not returned. */
	return key && smp_load_acquire(&key->is_installed) ? key : NULL;
}

/* Copy a key that has no transform; %-EAGAIN where it has one now, %-ENOENT once wiped. */
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

/* An authentic frame came: give the key a slot, so that it can have windows. */
static int qlink_ring_add_slot(struct qlink_ring *ring, struct qlink_key *key)
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

/* Open the first frames of a key whose transform was not made ahead. */
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
	return err ?: qlink_ring_add_slot(ring, key);
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
 * * %0		- authentic, and @key has a slot
 * * %-EBADMSG	- the tag is not valid; the content is undefined
 * * %-ENOENT	- the key was wiped meanwhile
 * * %-ENOMEM	- no memory for the key's slot
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
 * qlink_ring_note_windows() - count the memory of a window that a first frame made
 * @ring: receive ring
 * @key: of @ring, borrowed under RCU
 * @bytes: of the window
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

/* Make a key the active one. Older keys, used or skipped, open late frames until their grace is
 * over.
 */
static void qlink_ring_move_on(struct qlink_ring *ring, struct qlink_key *key)
{
	struct qlink_key *older = qlink_ring_current(ring);

	lockdep_assert_held(&ring->lock);

	qlink_key_begin(key);
	if (older)
		qlink_ring_retire(ring, older, key->slot->first_at);
	/* Where some are left from an earlier step, they are the older ones. */
	if (!ring->skipped)
		ring->skipped = older ?: list_first_entry(&ring->keys, struct qlink_key, entry);
	ring->followed_epoch = key->name.epoch;
	qlink_ring_retire_skipped(ring, key->slot->first_at);
	/* Skipped keys get no transform any more; this key is the next to get one. */
	if (ring->bare && ring->bare->name.epoch < key->name.epoch)
		ring->bare = key;
	if (older)
		ring->n_rekeys++;
	qlink_ring_activate(ring, key);
	key->since = (u32)jiffies;
	ring->begun_at = key->slot->first_at;
	ring->upcalls->tell(ring, QLINK_EVENT_KIND_PEER_EPOCH);
	qlink_ring_wipe_old(ring);
	/* The oldest key is the first that is due. */
	qlink_ring_reap_by(ring, list_first_entry(&ring->keys, struct qlink_key, entry));
}

/**
 * qlink_ring_follow() - a frame under this key has authenticated
 * @ring: receive ring
 * @key: of @ring, borrowed under RCU
 *
 * A newer key becomes the current one. A late frame is counted at once, because the
 * usage of its key has been counted already.
 *
 * Context: BHs off.
 */
void qlink_ring_follow(struct qlink_ring *ring, struct qlink_key *key)
{
	if (likely(key == rcu_access_pointer(ring->current_key)))
		return;

	spin_lock(&ring->lock);
	/* Not if the key was dropped or skipped since, or another CPU was here first. */
	if (!key->is_dropped && key->state == QLINK_KEY_STATE_STAGED &&
	    key->name.epoch > ring->followed_epoch)
		qlink_ring_move_on(ring, key);
	else if (!key->is_dropped && key->state == QLINK_KEY_STATE_RETIRED)
		qlink_key_count(key, ring->history);
	spin_unlock(&ring->lock);
}

/**
 * qlink_ring_late() - why is an epoch not held?
 * @ring: receive ring
 * @epoch: not held; from a frame that is not authenticated
 *
 * The ring remembers one epoch for each reason, the newest. So where keys were wiped
 * for several reasons, this may return another reason than the true one.
 *
 * Context: Any.
 * Return: the reason whose remembered epoch is the lowest at or above @epoch; unknown where
 * none is
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
 * @limits: apply to all keys, as if they had always been set
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
