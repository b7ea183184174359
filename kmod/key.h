/* SPDX-License-Identifier: GPL-2.0 */
/* One key of one direction: epoch, source, state, and the slot that it has. */
#ifndef QLINK_KEY_H
#define QLINK_KEY_H

#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/rhashtable-types.h>
#include <linux/qlink.h>

#include "names-gen.h"
#include "slot.h"

struct qlink_ring;

/**
 * struct qlink_key_config - a key as the installer describes it
 *
 * @key and @salt point into memory that the caller wipes.
 */
struct qlink_key_config {
	/** @direction: tx seals, rx opens */
	enum qlink_direction direction;
	/** @source: where the key comes from */
	enum qlink_source source;
	/** @kmes: how many KMEs it has secrets of; 0 for a source without a KME */
	u8 kmes;
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
 * struct qlink_epoch_name - what the table of keys finds a key by
 */
struct qlink_epoch_name {
	/** @ring: the ring that holds the key */
	const struct qlink_ring *ring;
	/** @epoch: of the key */
	u64 epoch;
};

/**
 * struct qlink_key - one key of one direction
 *
 * A ring may hold thousands of keys, so a staged key takes at most
 * QLINK_KEY_STAGED_BYTES. It gets its slot later.
 *
 * @slot takes the place of @raw in one step under the ring's lock, and @has_slot
 * says so after it; likewise @is_ready says that @slot has a transform. Both stay
 * true from then on.
 */
struct qlink_key {
	/** @name: ring and epoch */
	struct qlink_epoch_name name;
	/** @by_epoch: in the table of all keys */
	struct rhash_head by_epoch;
	/** @by_fingerprint: in the table of all fingerprints */
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
		/** @since: low bits of jiffies when it became ACTIVE or RETIRED; rx only */
		u32 since;
	};
	union {
		/** @raw: the key, while it has no slot */
		u8 raw[QLINK_KEY_BYTES];
		/** @slot: once @has_slot */
		struct qlink_slot *slot;
	};
	union {
		/** @entry: in the ring, oldest epoch first; the ring's lock */
		struct list_head entry;
		/** @gone: in the list of keys to wipe; from qlink_key_free() on */
		struct llist_node gone;
	};
	/** @direction: an enum qlink_direction */
	u8 direction;
	/** @source: an enum qlink_source */
	u8 source;
	/** @kmes: how many KMEs it has secrets of */
	u8 kmes;
	/** @state: an enum qlink_key_state; the ring's lock */
	u8 state;
	/** @is_installed: false until its whole message is accepted */
	u8 is_installed;
	/** @has_slot: @slot may be used */
	u8 has_slot;
	/** @is_ready: @slot has a transform */
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
void qlink_key_destroy(struct qlink_key *key);

int qlink_key_add_slot(struct qlink_key *key);
struct qlink_slot *qlink_key_give(struct qlink_key *key, struct qlink_slot *slot);
const u8 *qlink_key_raw(const struct qlink_key *key);

void qlink_key_usage(const struct qlink_key *key, struct qlink_usage *usage);
u64 qlink_key_blocks(const struct qlink_key *key);
void qlink_key_begin(struct qlink_key *key);
void qlink_key_end(struct qlink_key *key, ktime_t now);
void qlink_key_count(struct qlink_key *key, struct qlink_history *history);
void qlink_key_retire(struct qlink_key *key, struct qlink_history *history);

/**
 * qlink_key_slot() - the slot of a key
 * @key: borrowed under RCU
 *
 * Return: the slot, which may not have a transform yet; or %NULL where the key has none
 */
static inline struct qlink_slot *qlink_key_slot(const struct qlink_key *key)
{
	/* Pairs with the release in qlink_key_add_slot() and qlink_key_give(). */
	return likely(smp_load_acquire(&key->has_slot)) ? key->slot : NULL;
}

/**
 * qlink_key_is_ready() - has a key a transform?
 * @key: borrowed under RCU
 *
 * Return: whether @key->slot->aead may be used
 */
static inline bool qlink_key_is_ready(const struct qlink_key *key)
{
	/* Pairs with the release in qlink_key_give(). */
	return smp_load_acquire(&key->is_ready);
}

#endif
