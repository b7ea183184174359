/* SPDX-License-Identifier: GPL-2.0 */
/* The keys of one direction of a link, by epoch. */
#ifndef QLINK_RING_H
#define QLINK_RING_H

#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/qlink.h>

#include "accept.h"
#include "key.h"

#define QLINK_RING_KEYS_MAX	32768
#define QLINK_RETIRED_MAX	1024
#define QLINK_RING_AT_ONCE	128	/* keys that are retired or dropped at once, BHs off */
#define QLINK_WINDOW_BYTES_MAX	(4 << 20)

/**
 * struct qlink_limits - how long keys are used
 */
struct qlink_limits {
	/** @rekey_frames: a tx key gives way after this many frames, 0 for never */
	u64 rekey_frames;
	/** @rekey_bytes: a tx key gives way after this many bytes of plaintext, 0 for never */
	u64 rekey_bytes;
	/** @rekey_ms: a tx key gives way this long after its first frame, 0 for never */
	u32 rekey_ms;
	/** @hard_seconds: no key is used for longer than this after its first frame */
	u32 hard_seconds;
	/** @grace_ms: rx: how long late frames of an older key are accepted */
	u32 grace_ms;
	/** @keys_low: tx: an event is sent when fewer keys are staged, 0 for never */
	u32 keys_low;
	/** @blocks2_log2: tx: an event is sent when the sum of blocks squared reaches 2^this */
	u8 blocks2_log2;
};

/**
 * enum qlink_late - why an epoch is not held any more
 * @QLINK_LATE_UNKNOWN: never held, or deleted by request
 * @QLINK_LATE_GRACE: its grace is over
 * @QLINK_LATE_EVICTED: it was wiped before that, to make room for newer ones
 * @QLINK_LATE_EXPIRED: it was used for as long as any key may be
 */
enum qlink_late {
	QLINK_LATE_UNKNOWN,
	QLINK_LATE_GRACE,
	QLINK_LATE_EVICTED,
	QLINK_LATE_EXPIRED,
};

#define QLINK_LATE_N	(QLINK_LATE_EXPIRED + 1)

struct qlink_ring;

/**
 * struct qlink_ring_upcalls - what a ring tells the layers above it
 */
struct qlink_ring_upcalls {
	/** @changed: tx: the ring got a key to seal with, or lost its last one; without the lock */
	void (*changed)(struct qlink_ring *ring);
	/** @tell: takes bits of enum qlink_event_kind; called under the ring's lock */
	void (*tell)(struct qlink_ring *ring, u32 kinds);
};

/**
 * struct qlink_ring - the keys of one direction of a link
 *
 * @keys is sorted by epoch, oldest first, and every key in it is at or below
 * @newest_epoch, which never goes down. At most one key is ACTIVE, and it is
 * the one that @current_key points to. Counts agree with the states. Among the keys
 * that are not RETIRED, all before @bare have a transform, and none from @bare on has.
 */
struct qlink_ring {
	/**
	 * @current_key: tx: the key that seals; rx: the newest that has authenticated. It becomes
	 * NULL without the lock where qlink_ring_silence() is called
	 */
	struct qlink_key __rcu *current_key;
	/** @direction: tx or rx */
	enum qlink_direction direction;
	/** @dev: device of its link, for tracepoints; constant */
	const struct net_device *dev;
	/** @lock: guards all below and changes of @current_key; taken with BHs off */
	spinlock_t lock;
	/** @keys: oldest epoch first */
	struct list_head keys;
	/** @bare: the oldest key that is not retired and has no transform, or NULL */
	struct qlink_key *bare;
	/**
	 * @skipped: rx: where to go on retiring the STAGED keys below @followed_epoch, or NULL
	 * where there is none
	 */
	struct qlink_key *skipped;
	/** @followed_epoch: rx: of the key that became ACTIVE last, 0 for none */
	u64 followed_epoch;
	/** @newest_epoch: the newest that the ring ever held, 0 for none */
	u64 newest_epoch;
	/** @n_staged: number of STAGED keys */
	u32 n_staged;
	/** @n_ready: how many of the STAGED keys have a transform */
	u32 n_ready;
	/** @n_retired: number of RETIRED keys */
	u32 n_retired;
	/** @window_bytes: rx: memory that the windows of its keys take */
	u32 window_bytes;
	/** @n_rekeys: how often another key took over from the active one */
	u64 n_rekeys;
	/** @late: rx: the newest epoch that was wiped for each reason, 0 for none */
	u64 late[QLINK_LATE_N];
	/** @limits: as set */
	struct qlink_limits limits;
	/** @begun_at: ktime_get() at the active key's first frame, 0 before */
	ktime_t begun_at;
	/** @is_blocks2_told: tx: the event that @limits.blocks2_log2 asks for was sent */
	bool is_blocks2_told;
	/** @is_dead: no key seals or is installed any more, and no timer is armed */
	bool is_dead;
	/** @id: random, a new one whenever the ring starts anew */
	u8 id[QLINK_RING_ID_BYTES];
	/** @history: where keys are recorded; constant, held by the keyring */
	struct qlink_history *history;
	/** @upcalls: constant */
	const struct qlink_ring_upcalls *upcalls;
	/** @age_timer: tx: expires when the active key should, or must, give way */
	struct hrtimer age_timer;
	/** @reap_work: rx: wipes keys when their grace or hard-seconds are over */
	struct delayed_work reap_work;
	/** @reap_at: when @reap_work is due, in jiffies; valid while @is_reaping */
	unsigned long reap_at;
	/** @is_reaping: @reap_work is queued */
	bool is_reaping;
	/** @prepare_work: makes transforms for the next keys; only this work makes any */
	struct delayed_work prepare_work;
};

/**
 * struct qlink_ring_info - what is shown of a ring
 */
struct qlink_ring_info {
	/** @id: of the ring */
	u8 id[QLINK_RING_ID_BYTES];
	/** @newest_epoch: the newest that the ring ever held, 0 for none */
	u64 newest_epoch;
	/** @current_epoch: of the active key, 0 for none */
	u64 current_epoch;
	/** @current_source: of the active key */
	enum qlink_source current_source;
	/** @current_kmes: of the active key */
	u8 current_kmes;
	/** @n_staged: keys that wait for their turn */
	u32 n_staged;
	/** @n_retired: keys kept for late frames */
	u32 n_retired;
	/** @n_rekeys: how often another key took over */
	u64 n_rekeys;
	/** @age_ms: since the first frame of the active key */
	u64 age_ms;
	/** @is_overdue: the active key should give way, but no key is ready to follow it */
	bool is_overdue;
};

/*
 * How many reasons there are for which no transmit ring of the host may get a key to seal with,
 * although it holds some. Raised before qlink_ring_silence(), from any context.
 */
extern atomic_t qlink_ring_silences;

/** typedef qlink_key_visitor - called for a key under its ring's lock; non-zero ends the visit */
typedef int (*qlink_key_visitor)(const struct qlink_key *key, void *arg);

/**
 * qlink_ring_current() - the active key of a ring
 * @ring: any
 *
 * Context: Under the lock of @ring.
 * Return: the key, or %NULL; the next call may return %NULL even under the same lock, because
 * qlink_ring_silence() takes none
 */
static inline struct qlink_key *qlink_ring_current(struct qlink_ring *ring)
{
	return rcu_dereference_check(ring->current_key, lockdep_is_held(&ring->lock));
}

/**
 * qlink_ring_after() - the key that follows another one
 * @ring: of the key
 * @key: in @ring
 *
 * Context: Under the lock of @ring.
 * Return: the key of the next epoch that is held, or %NULL
 */
static inline struct qlink_key *qlink_ring_after(const struct qlink_ring *ring,
						 struct qlink_key *key)
{
	return list_is_last(&key->entry, &ring->keys) ? NULL : list_next_entry(key, entry);
}

void qlink_ring_init(struct qlink_ring *ring, enum qlink_direction direction,
		     struct qlink_history *history, const struct qlink_ring_upcalls *upcalls);
void qlink_ring_destroy(struct qlink_ring *ring);
void qlink_ring_stop(struct qlink_ring *ring);
void qlink_ring_silence(struct qlink_ring *ring);
void qlink_ring_wipe(struct qlink_ring *ring);
void qlink_ring_rename(struct qlink_ring *ring);

void qlink_ring_publish(struct qlink_ring *ring, struct qlink_key **keys, unsigned int n);
void qlink_ring_prepare(struct qlink_ring *ring);
struct qlink_key *qlink_ring_find_held(struct qlink_ring *ring, u64 epoch);
struct qlink_key *qlink_ring_next(struct qlink_ring *ring);
void qlink_ring_activate(struct qlink_ring *ring, struct qlink_key *key);
void qlink_ring_leave_staged(struct qlink_ring *ring, const struct qlink_key *key);
void qlink_ring_drop(struct qlink_ring *ring, struct qlink_key *key);
void qlink_ring_advance(struct qlink_ring *ring);
bool qlink_ring_refuse(struct qlink_ring *ring, const struct qlink_accept *accept);

void qlink_ring_read(struct qlink_ring *ring, struct qlink_ring_info *info);
void qlink_ring_usage(struct qlink_ring *ring, struct qlink_usage *by_source);
u64 qlink_ring_blocks2(struct qlink_ring *ring);
int qlink_ring_visit(struct qlink_ring *ring, u64 after, qlink_key_visitor visit, void *arg);

#endif
