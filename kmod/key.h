/* SPDX-License-Identifier: GPL-2.0 */
/* One key of one direction: epoch, source, transform, limits, lanes, wipe. */
#ifndef QLINK_KEY_H
#define QLINK_KEY_H

#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/rhashtable-types.h>
#include <linux/qlink.h>

#include "aead.h"
#include "history.h"
#include "replay.h"
#include "wire.h"

struct qlink_ring;

/**
 * struct qlink_key_config - what the installer says of a key
 *
 * @key and @salt point into memory that the caller wipes.
 */
struct qlink_key_config {
	/** @direction: tx seals, rx opens */
	enum qlink_direction direction;
	/** @source: where the key comes from */
	enum qlink_source source;
	/** @epoch: 1 to QLINK_EPOCH_MAX */
	u64 epoch;
	/** @hard_blocks: AES blocks that the key may seal, tx only */
	u64 hard_blocks;
	/** @kme_key_id: handle of the KME key ID, all zero for none */
	u8 kme_key_id[QLINK_KME_KEY_ID_BYTES];
	/** @key: QLINK_KEY_BYTES bytes */
	const u8 *key;
	/** @salt: QLINK_SALT_BYTES bytes */
	const u8 *salt;
};

/**
 * struct qlink_tx_lane - what one lane has sealed under a key
 *
 * Touched only by the CPU of the lane, under qlink_aead_lock(); where several
 * CPUs share a lane (more than QLINK_LANES of them), under @lock as well.
 */
struct qlink_tx_lane {
	/** @lock: taken only where lanes are shared */
	spinlock_t lock;
	/** @sequence: the last one taken; a number is never given back */
	u64 sequence;
	/** @sequence_end: the last one that may be taken without asking for more */
	u64 sequence_end;
	/** @leased_blocks: of the key's limit, not used yet */
	u64 leased_blocks;
	/** @bytes: of plaintext */
	u64 bytes;
	/** @bytes_end: likewise */
	u64 bytes_end;
} ____cacheline_aligned_in_smp;

/**
 * struct qlink_rx_lane - what one lane of the sender has been opened of
 */
struct qlink_rx_lane {
	/** @next: in its list; constant */
	struct qlink_rx_lane *next;
	/** @lane: whose it is; constant */
	u8 lane;
	/** @replay: window over the lane's sequences */
	struct qlink_replay replay;
	/** @frames: accepted */
	atomic64_t frames;
	/** @bytes: of plaintext accepted */
	atomic64_t bytes;
};

/* The lanes of a receive key are in so many lists: one in each, up to so many CPUs that seal. */
#define QLINK_RX_LANE_LISTS	8

/**
 * struct qlink_epoch_name - what a receive key is found by
 *
 * Compared as memory, so no padding.
 */
struct qlink_epoch_name {
	/** @ring: that holds the key */
	const struct qlink_ring *ring;
	/** @epoch: of the key */
	u64 epoch;
};

/**
 * struct qlink_key_use - what a key needs to seal or open frames
 *
 * A staged key has none but for a few that will be the next. It is given to a
 * key under its ring's lock, once. When the key is wiped, it is, too, and waits for
 * another key of the same direction.
 */
struct qlink_key_use {
	/** @direction: of its keys */
	enum qlink_direction direction;
	/** @next_idle: the next one that waits for a key */
	struct qlink_key_use *next_idle;
	/** @spare_lane: rx: a window of a key before, or NULL */
	struct qlink_rx_lane *spare_lane;
	/** @aead: transform of the key; NULL in a receive key that has none yet */
	struct qlink_aead *aead;
	/** @rx_lanes: by lane; one is there once a frame of it has authenticated. Rx only, grow */
	struct qlink_rx_lane __rcu *rx_lanes[QLINK_RX_LANE_LISTS];
	/** @rx_lists: a bit for each list that is not empty, set just before; most keys have one */
	unsigned long rx_lists;
	/** @unleased_blocks: of the key's limit, not leased to a lane yet; tx only */
	atomic64_t unleased_blocks;
	/** @unleased_frames: until the key should give way, likewise */
	atomic64_t unleased_frames;
	/** @unleased_bytes: likewise */
	atomic64_t unleased_bytes;
	/** @rekey_bytes: how many these were at first; tx only */
	u64 rekey_bytes;
	/** @has_begun: tx: its first frame came; the ring's lock */
	bool has_begun;
	/** @is_overdue: tx: it should give way, and nothing was there to follow it */
	bool is_overdue;
	/** @window_bytes: rx: memory that its windows take; the ring's lock */
	u32 window_bytes;
	/** @first_at: when its first frame came, 0 before; of ktime_get(); the ring's lock */
	ktime_t first_at;
	/** @last_at: when another one took over, or it went; likewise */
	ktime_t last_at;
	/** @history: that it goes down in; NULL while it is in its ring */
	struct qlink_history *history;
	/** @counted: what @history has counted of it already */
	struct qlink_usage counted;
	/** @raw: the key as long as @aead is NULL, then zeros; the ring's lock */
	u8 raw[QLINK_KEY_BYTES] __aligned(16);
	/** @tx_lanes: one a possible CPU, at most QLINK_LANES; tx only */
	struct qlink_tx_lane tx_lanes[];
};

/**
 * struct qlink_key - one key of one direction
 *
 * A ring may hold thousands, so a staged key is QLINK_KEY_STAGED_BYTES and no
 * more; what it is used with comes later. A sequence that qlink_key_take() gave
 * out is never given out again.
 *
 * @raw becomes @use in one step under the ring's lock, and @is_used says so
 * after it; @is_ready likewise that @use has a transform. Neither goes back.
 */
struct qlink_key {
	/** @name: ring and epoch */
	struct qlink_epoch_name name;
	/** @by_epoch: in the table of all keys */
	struct rhash_head by_epoch;
	/** @by_fingerprint: likewise */
	struct rhash_head by_fingerprint;
	/** @fingerprint: keyed hash of the key, to find an equal one */
	u64 fingerprint;
	/** @kme_key_id: handle of the KME key ID */
	u8 kme_key_id[QLINK_KME_KEY_ID_BYTES];
	/** @salt: of the nonce */
	u8 salt[QLINK_SALT_BYTES];
	union {
		/** @hard_blocks: AES blocks that the key may seal; tx only */
		u32 hard_blocks;
		/** @since: the low bits of jiffies when it became what it is; rx only */
		u32 since;
	};
	union {
		/** @raw: the key, while it has no use */
		u8 raw[QLINK_KEY_BYTES];
		/** @use: once @is_used */
		struct qlink_key_use *use;
	};
	union {
		/** @entry: in the ring, oldest epoch first; the ring's lock */
		struct list_head entry;
		/** @gone: among those that wait to be wiped; from qlink_key_free() on */
		struct llist_node gone;
	};
	/** @direction: an enum qlink_direction */
	u8 direction;
	/** @source: an enum qlink_source */
	u8 source;
	/** @state: an enum qlink_key_state; the ring's lock */
	u8 state;
	/** @is_installed: false until its whole message is accepted */
	u8 is_installed;
	/** @is_used: it has a use */
	u8 is_used;
	/** @is_ready: the use has a transform */
	u8 is_ready;
	/** @is_dropped: it has left its ring; the ring's lock */
	u8 is_dropped;
};

#define QLINK_KEY_STAGED_BYTES	128
static_assert(sizeof(struct qlink_key) <= QLINK_KEY_STAGED_BYTES);

int qlink_key_init(void);
void qlink_key_exit(void);

struct qlink_key *qlink_key_new(const struct qlink_key_config *config,
				const struct qlink_ring *ring);
void qlink_key_free(struct qlink_key *key);
void qlink_key_flush(void);

struct qlink_key_use *qlink_key_use_new(enum qlink_direction direction, const u8 *raw);
struct qlink_key_use *qlink_key_use_again(enum qlink_direction direction, const u8 *raw);
void qlink_key_use_free(struct qlink_key_use *use);
int qlink_key_make_use(struct qlink_key *key);
struct qlink_key_use *qlink_key_give(struct qlink_key *key, struct qlink_key_use *use);
const u8 *qlink_key_raw(const struct qlink_key *key);

void qlink_key_limit(struct qlink_key *key, u64 frames, u64 bytes);
int qlink_key_take(struct qlink_key *key, unsigned int lane, unsigned int bytes,
		   u64 *sequence);

enum qlink_replay_verdict qlink_key_check(struct qlink_key *key, u8 lane, u64 sequence);
int qlink_key_commit(struct qlink_key *key, u8 lane, u64 sequence, unsigned int bytes,
		     enum qlink_replay_verdict *verdict, unsigned int *made);

void qlink_key_usage(const struct qlink_key *key, struct qlink_usage *usage);
u64 qlink_key_blocks(const struct qlink_key *key);
void qlink_key_begin(struct qlink_key *key);
void qlink_key_end(struct qlink_key *key, ktime_t now);
void qlink_key_count(struct qlink_key *key, struct qlink_history *history);
void qlink_key_retire(struct qlink_key *key, struct qlink_history *history);

/**
 * qlink_key_is_used() - has a key what it needs to be used?
 * @key: borrowed under RCU
 *
 * Return: whether @key->use may be looked at
 */
static inline bool qlink_key_is_used(const struct qlink_key *key)
{
	/* Pairs with what qlink_key_make_use() and qlink_key_give() release. */
	return smp_load_acquire(&key->is_used);
}

/**
 * qlink_key_is_ready() - has a key a transform?
 * @key: borrowed under RCU
 *
 * Return: whether @key->use->aead may be looked at
 */
static inline bool qlink_key_is_ready(const struct qlink_key *key)
{
	/* Pairs with what qlink_key_give() releases. */
	return smp_load_acquire(&key->is_ready);
}

static inline const char *qlink_direction_name(enum qlink_direction direction)
{
	return direction == QLINK_DIRECTION_TX ? "tx" : "rx";
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
