/* SPDX-License-Identifier: GPL-2.0 */
/* A slot: what one key at a time needs to seal or open frames. */
#ifndef QLINK_SLOT_H
#define QLINK_SLOT_H

#include <linux/atomic.h>
#include <linux/ktime.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/qlink.h>

#include "aead.h"
#include "history.h"
#include "replay.h"
#include "wire.h"

/**
 * struct qlink_tx_lane - what one lane has sealed under a key
 *
 * Only the lane's CPU touches it, under qlink_aead_lock(). Where several CPUs
 * share a lane (more than QLINK_LANES of them), they also take @lock.
 */
struct qlink_tx_lane {
	/** @lock: taken only where CPUs share the lane */
	spinlock_t lock;
	/** @sequence: the last one taken; a number is never given back */
	u64 sequence;
	/** @sequence_end: the last one that the lane may take before it leases more */
	u64 sequence_end;
	/** @leased_blocks: blocks of the key's limit that are leased and not used yet */
	u64 leased_blocks;
	/** @bytes: of plaintext */
	u64 bytes;
	/** @bytes_end: bytes that the lane may reach before it leases more */
	u64 bytes_end;
} ____cacheline_aligned_in_smp;

/**
 * struct qlink_rx_lane - what has been accepted from one lane of the sender
 */
struct qlink_rx_lane {
	/** @next: the next one of its list; constant */
	struct qlink_rx_lane *next;
	/** @lane: number of the lane; constant */
	u8 lane;
	/** @replay: window over the lane's sequences */
	struct qlink_replay replay;
	/** @frames: accepted */
	atomic64_t frames;
	/** @bytes: of plaintext accepted */
	atomic64_t bytes;
};

/* The rx lanes of a slot are in this many lists: up to this many CPUs that seal have one each. */
#define QLINK_RX_LANE_LISTS	8

/**
 * struct qlink_slot - what one key at a time needs to seal or open frames
 *
 * Most staged keys have no slot; the next few have one. A key gets its slot once,
 * under its ring's lock. When the key is wiped, the slot is wiped too, and waits
 * in a pool for another key of the same direction.
 */
struct qlink_slot {
	/** @direction: of its keys */
	enum qlink_direction direction;
	/** @next_idle: the next one in the pool */
	struct qlink_slot *next_idle;
	/** @spare_lane: rx: a window left from an earlier key, or NULL */
	struct qlink_rx_lane *spare_lane;
	/** @aead: transform of the key; NULL in the slot of a receive key that has none yet */
	struct qlink_aead *aead;
	/**
	 * @rx_lanes: rx: lists of windows, by lane number. The first authentic frame of a lane
	 * adds its window; none is removed before the key is wiped.
	 */
	struct qlink_rx_lane __rcu *rx_lanes[QLINK_RX_LANE_LISTS];
	/** @rx_lists: a bit for each list with an entry, set just before; most keys have one */
	unsigned long rx_lists;
	/** @unleased_blocks: blocks of the key's limit that no lane has leased; tx only */
	atomic64_t unleased_blocks;
	/** @unleased_frames: frames of the soft limit that no lane has leased; tx only */
	atomic64_t unleased_frames;
	/** @unleased_bytes: the same for bytes of plaintext */
	atomic64_t unleased_bytes;
	/** @rekey_bytes: initial value of @unleased_bytes; 0 without a limit; tx only */
	u64 rekey_bytes;
	/** @hard_blocks: AES blocks that the key may seal; tx only */
	u32 hard_blocks;
	/** @has_begun: tx: the key's first frame came; the ring's lock */
	bool has_begun;
	/** @is_overdue: tx: the key should give way, but no key was ready to follow it */
	bool is_overdue;
	/** @window_bytes: rx: memory that the windows take; the ring's lock */
	u32 window_bytes;
	/** @first_at: ktime_get() at the key's first frame, 0 before; the ring's lock */
	ktime_t first_at;
	/** @last_at: ktime_get() when another key took over, or this one went; the ring's lock */
	ktime_t last_at;
	/** @history: where the key will be recorded; NULL while it is in its ring */
	struct qlink_history *history;
	/** @counted: the part of the usage that @history has counted already */
	struct qlink_usage counted;
	/** @raw: the key as long as @aead is NULL, then zeros; the ring's lock */
	u8 raw[QLINK_KEY_BYTES] __aligned(16);
	/** @tx_lanes: one for each possible CPU, at most QLINK_LANES; tx only */
	struct qlink_tx_lane tx_lanes[];
};

int qlink_slot_init(void);
void qlink_slot_exit(void);

struct qlink_slot *qlink_slot_new(enum qlink_direction direction, const u8 *raw);
struct qlink_slot *qlink_slot_new_bare(enum qlink_direction direction, const u8 *raw);
struct qlink_slot *qlink_slot_reuse(enum qlink_direction direction, const u8 *raw);
void qlink_slot_free(struct qlink_slot *slot);

void qlink_slot_set_hard_blocks(struct qlink_slot *slot, u32 blocks);
void qlink_slot_limit(struct qlink_slot *slot, u64 frames, u64 bytes);
int qlink_slot_take(struct qlink_slot *slot, unsigned int lane, unsigned int bytes,
		    u64 *sequence);

enum qlink_replay_verdict qlink_slot_check(struct qlink_slot *slot, u8 lane, u64 sequence);
int qlink_slot_commit(struct qlink_slot *slot, u8 lane, u64 sequence, unsigned int bytes,
		      enum qlink_replay_verdict *verdict, unsigned int *made);

void qlink_slot_usage(const struct qlink_slot *slot, struct qlink_usage *usage);
u64 qlink_slot_blocks(const struct qlink_slot *slot);

/**
 * qlink_blocks() - how much of its limit a frame takes from a key
 * @bytes: of plaintext
 *
 * Return: AES blocks, as GCM counts them: the text, the tag's mask and the length block
 */
static inline unsigned int qlink_blocks(unsigned int bytes)
{
	return DIV_ROUND_UP(bytes, 16) + 2;
}

/**
 * qlink_lane() - the lane that this CPU seals in
 *
 * Context: BHs off.
 * Return: 0 to QLINK_LANES - 1
 */
static inline unsigned int qlink_lane(void)
{
	return smp_processor_id() % QLINK_LANES;
}

#endif
