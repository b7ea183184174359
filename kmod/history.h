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
 * struct qlink_record - what a key was used for, written when it is wiped
 */
struct qlink_record {
	/** @epoch: of the key */
	u64 epoch;
	/** @kme_key_id: handle of the KME key ID, all zero for none */
	u8 kme_key_id[QLINK_KME_KEY_ID_BYTES];
	/** @first_ms: when its first frame came, by CLOCK_BOOTTIME */
	u64 first_ms;
	/** @last_ms: when another key took over, or this one went, by CLOCK_BOOTTIME */
	u64 last_ms;
	/** @usage: of its whole life */
	struct qlink_usage usage;
	/** @direction: an enum qlink_direction */
	u8 direction;
	/** @source: an enum qlink_source */
	u8 source;
	/** @kmes: how many KMEs it had secrets of */
	u8 kmes;
} __aligned(8); /* the same on machines that align a u64 to 4 bytes */

static_assert(sizeof(struct qlink_record) == 64);

#define QLINK_RECORDS_PER_PAGE	(PAGE_SIZE / sizeof(struct qlink_record))
#define QLINK_HISTORY_PAGES	(QLINK_HISTORY_RECORDS / QLINK_RECORDS_PER_PAGE)

/**
 * struct qlink_history - what the keys of one link were used for
 *
 * A key that has left its ring adds its record when no frame can be using it any more.
 * The link may have gone by then, so the key holds a reference.
 */
struct qlink_history {
	/** @ref: references of the link and of keys that wait to be wiped */
	struct kref ref;
	/** @lock: guards all below; BHs off, innermost */
	spinlock_t lock;
	/** @n: records that were ever made; the last one has this number */
	u64 n;
	/** @blocks2: sum of qlink_blocks2() over the tx keys that have gone */
	u64 blocks2;
	/** @usage: what has been counted, by direction and source */
	struct qlink_usage usage[QLINK_DIRECTIONS][QLINK_SOURCES];
	/** @page: record number i is at (i - 1) modulo QLINK_HISTORY_RECORDS */
	struct qlink_record *page[QLINK_HISTORY_PAGES];
	/** @n_keys: keys that have room for a record; changes under the link mutex, as @n_pages */
	u64 n_keys;
	/** @n_pages: how many of @page are allocated, enough for @n_keys records */
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
 * The sum stays below U64_MAX for 2^20 keys that are used to the last block, or 2^63
 * keys that are hardly used.
 *
 * Return: in units of QLINK_BLOCKS2_UNIT, rounded up
 */
static inline u64 qlink_blocks2(u64 blocks)
{
	return DIV_ROUND_UP_ULL(blocks * blocks, QLINK_BLOCKS2_UNIT);
}

#endif
