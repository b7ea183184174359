/* SPDX-License-Identifier: GPL-2.0 */
/* A parcel: many frames, whole or in part, as the plaintext of one sealed frame. */
#ifndef QLINK_PARCEL_H
#define QLINK_PARCEL_H

#include "wire.h"

/* The length of the record's content, 14 bits. */
#define QLINK_PARCEL_RECORD_BYTES_MAX	0x3fff
#define QLINK_PARCEL_HEAD_BYTES	2
/* Where the first record begins. */
#define QLINK_PARCEL_FIRST_BYTES	2
#define QLINK_PARCEL_KIND_SHIFT	14

/* Largest plaintext of a parcel that is sent, whatever the underlay carries. A frame of half of it
 * still has a length that fits in the head of its record.
 */
#define QLINK_PARCEL_PLAINTEXT_MAX	16000
static_assert(QLINK_PARCEL_PLAINTEXT_MAX / 2 <= QLINK_PARCEL_RECORD_BYTES_MAX);

enum qlink_parcel_kind {
	QLINK_PARCEL_FRAME,
	QLINK_PARCEL_FRAME_CSUM,
	QLINK_PARCEL_KEEPALIVE,
	QLINK_PARCEL_KINDS,
};

/**
 * struct qlink_parcel_record - a frame in a parcel, or the begin of one
 */
struct qlink_parcel_record {
	/** @kind: an enum qlink_parcel_kind */
	u8 kind;
	/** @bytes: of its whole content, 1 to QLINK_PARCEL_RECORD_BYTES_MAX */
	u16 bytes;
	/** @here: how many of them this parcel has; fewer where its end cuts the record */
	u16 here;
	/** @content: these */
	const u8 *content;
};

/**
 * struct qlink_parcel_walk - position of a walk through a parcel
 */
struct qlink_parcel_walk {
	/** @rest: what belongs to a record of the parcel before this one */
	const u8 *rest;
	/** @rest_bytes: of it, 0 for none */
	unsigned int rest_bytes;
	/** @at: what has not been walked through yet */
	const u8 *at;
	/** @end: of the parcel */
	const u8 *end;
};

/**
 * qlink_parcel_head() - the head of a record
 * @kind: of it
 * @bytes: of its content, 1 to QLINK_PARCEL_RECORD_BYTES_MAX
 *
 * Return: the head
 */
static inline u16 qlink_parcel_head(enum qlink_parcel_kind kind, unsigned int bytes)
{
	return kind << QLINK_PARCEL_KIND_SHIFT | bytes;
}

bool qlink_parcel_begin(struct qlink_parcel_walk *walk, const u8 *plaintext, unsigned int bytes);
int qlink_parcel_next(struct qlink_parcel_walk *walk, struct qlink_parcel_record *record);

#endif
