/* SPDX-License-Identifier: GPL-2.0 */
/* What the keys of a link were used for: a record of each that has gone, and sums of all. */
#ifndef QLINK_HISTORY_H
#define QLINK_HISTORY_H

#include <linux/kref.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/spinlock.h>
#include <linux/qlink.h>

#define QLINK_HISTORY_RECORDS	8192

#define QLINK_DIRECTIONS	(QLINK_DIRECTION_RX + 1)
#define QLINK_SOURCES		(QLINK_SOURCE_STATIC + 1)

/**
 * struct qlink_usage - how much was sealed or opened
 */
struct qlink_usage {
	/** @frames: of any type */
	u64 frames;
	/** @bytes: of plaintext */
	u64 bytes;
};

/**
 * struct qlink_record - what a key was used for, once it has gone
 */
struct qlink_record {
	/** @epoch: of the key */
	u64 epoch;
	/** @kme_key_id: handle of the KME key ID, all zero for none */
	u8 kme_key_id[QLINK_KME_KEY_ID_BYTES];
	/** @first_ms: when its first frame came, of CLOCK_BOOTTIME */
	u64 first_ms;
	/** @last_ms: when another one took over, or it went, likewise */
	u64 last_ms;
	/** @usage: in all */
	struct qlink_usage usage;
	/** @direction: an enum qlink_direction */
	u8 direction;
	/** @source: an enum qlink_source */
	u8 source;
};

static_assert(sizeof(struct qlink_record) == 64);

#define QLINK_RECORDS_PER_PAGE	(PAGE_SIZE / sizeof(struct qlink_record))
#define QLINK_HISTORY_PAGES	(QLINK_HISTORY_RECORDS / QLINK_RECORDS_PER_PAGE)

/**
 * struct qlink_history - of one link
 *
 * A key that has left its ring adds what it was used for when no frame can be using
 * it any more, which may be after the link has gone: so it holds a reference.
 */
struct qlink_history {
	/** @ref: of the link and of keys on their way out */
	struct kref ref;
	/** @lock: guards all below; BHs off, innermost */
	spinlock_t lock;
	/** @n: records that were ever made; the last has this number */
	u64 n;
	/** @blocks2: as qlink_blocks2() sums it up, of tx keys that have gone */
	u64 blocks2;
	/** @usage: of the keys that have gone, by direction and source */
	struct qlink_usage usage[QLINK_DIRECTIONS][QLINK_SOURCES];
	/** @page: record number i is at (i - 1) modulo QLINK_HISTORY_RECORDS */
	struct qlink_record *page[QLINK_HISTORY_PAGES];
	/** @n_keys: that may come to be recorded; changes under the link mutex, as @n_pages */
	u64 n_keys;
	/** @n_pages: of @page, there for all of @n_keys */
	unsigned int n_pages;
};

struct qlink_history *qlink_history_new(void);
struct qlink_history *qlink_history_get(struct qlink_history *history);
void qlink_history_put(struct qlink_history *history);

int qlink_history_reserve(struct qlink_history *history, unsigned int n);
void qlink_history_count(struct qlink_history *history, enum qlink_direction direction,
			 enum qlink_source source, const struct qlink_usage *usage);
void qlink_history_add(struct qlink_history *history, const struct qlink_record *record,
		       const struct qlink_usage *counted, u64 blocks);
void qlink_history_usage(struct qlink_history *history, enum qlink_direction direction,
			 struct qlink_usage *by_source);
u64 qlink_history_blocks2(struct qlink_history *history);
u64 qlink_history_read(struct qlink_history *history, u64 after, struct qlink_record *record);

/**
 * qlink_blocks2() - the square of the AES blocks that a key has sealed
 * @blocks: up to QLINK_HARD_BLOCKS_MAX
 *
 * A sum of them stays below U64_MAX for 2^20 keys that are used to the last block,
 * and 2^63 that are used for next to nothing.
 *
 * Return: in units of QLINK_BLOCKS2_UNIT, rounded up
 */
static inline u64 qlink_blocks2(u64 blocks)
{
	return DIV_ROUND_UP_ULL(blocks * blocks, QLINK_BLOCKS2_UNIT);
}

#endif
