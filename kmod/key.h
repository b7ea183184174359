/* SPDX-License-Identifier: GPL-2.0 */
/* One key of one direction: epoch, source, transform, limits, lanes, wipe. */
#ifndef QLINK_KEY_H
#define QLINK_KEY_H

#include <linux/list.h>
#include <linux/rhashtable-types.h>
#include <linux/workqueue.h>
#include <linux/qlink.h>

#include "aead.h"
#include "replay.h"
#include "wire.h"

struct qlink_keyring;
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
	/** @leased_blocks: of the key's limit, not used yet */
	u64 leased_blocks;
	/** @bytes: of plaintext */
	u64 bytes;
} ____cacheline_aligned_in_smp;

/**
 * struct qlink_rx_lane - what one lane of the sender has been opened of
 */
struct qlink_rx_lane {
	/** @replay: window over the lane's sequences */
	struct qlink_replay replay;
	/** @frames: accepted */
	atomic64_t frames;
	/** @bytes: of plaintext accepted */
	atomic64_t bytes;
};

/**
 * struct qlink_rx_lanes - the lanes of a receive key, made as they are heard
 */
struct qlink_rx_lanes {
	/** @lane: NULL until a frame of the lane has authenticated */
	struct qlink_rx_lane __rcu *lane[QLINK_LANES];
};

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
 * struct qlink_key - one key of one direction
 *
 * Everything above @state is constant once the key is in a ring; @state and
 * what follows belongs to the ring, under its lock. A sequence that
 * qlink_key_take() gave out is never given out again.
 */
struct qlink_key {
	/** @aead: keyed transform */
	struct qlink_aead *aead;
	/** @name: ring and epoch */
	struct qlink_epoch_name name;
	/** @link: whose ring it is, to tell links apart */
	const struct qlink_keyring *link;
	/** @salt: of the nonce */
	u8 salt[QLINK_SALT_BYTES];
	/** @direction: tx seals, rx opens */
	enum qlink_direction direction;
	/** @source: where the key comes from */
	enum qlink_source source;
	/** @hard_blocks: AES blocks that the key may seal */
	u64 hard_blocks;
	/** @unleased_blocks: of @hard_blocks, not leased to a lane yet */
	atomic64_t unleased_blocks;
	/** @tx_lanes: one a possible CPU, at most QLINK_LANES; tx only */
	struct qlink_tx_lane *tx_lanes;
	/** @rx_lanes: NULL until a frame has authenticated; rx only */
	struct qlink_rx_lanes __rcu *rx_lanes;
	/** @kme_key_id: handle of the KME key ID */
	u8 kme_key_id[QLINK_KME_KEY_ID_BYTES];
	/** @fingerprint: keyed hash of the key, to find an equal one */
	u8 fingerprint[16];

	/** @is_installed: false until its whole message is accepted */
	bool is_installed;
	/** @state: how far the key has come */
	enum qlink_key_state state;
	/** @retired_at: in jiffies */
	unsigned long retired_at;
	/** @entry: in the ring, oldest epoch first */
	struct list_head entry;
	/** @by_epoch: in the table of receive keys */
	struct rhash_head by_epoch;
	/** @by_fingerprint: in the table of all keys */
	struct rhlist_head by_fingerprint;
	/** @free_work: frees the key in process context after a grace period */
	struct rcu_work free_work;
};

int qlink_key_init(void);
void qlink_key_exit(void);

struct qlink_key *qlink_key_new(const struct qlink_key_config *config,
				const struct qlink_keyring *link,
				const struct qlink_ring *ring);
void qlink_key_free(struct qlink_key *key);
void qlink_key_flush(void);

int qlink_key_take(struct qlink_key *key, unsigned int lane, unsigned int bytes,
		   u64 *sequence);

enum qlink_replay_verdict qlink_key_check(struct qlink_key *key, u8 lane, u64 sequence);
int qlink_key_commit(struct qlink_key *key, u8 lane, u64 sequence, unsigned int bytes,
		     enum qlink_replay_verdict *verdict);

void qlink_key_usage(const struct qlink_key *key, u64 *frames, u64 *bytes);

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
