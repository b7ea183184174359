// SPDX-License-Identifier: GPL-2.0
/* A parcel: many frames, whole or in part, as the plaintext of one sealed frame. */
#include "parcel.h"

#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>

/**
 * qlink_parcel_begin() - begin to take a parcel apart
 * @walk: filled in: the rest of an earlier record, and where the first record begins
 * @plaintext: of the parcel; stays with the caller, and has to last as long as the walk
 * @bytes: of it
 *
 * The source is PROTOCOL.md, section 7.
 *
 * Context: Any.
 * Return: whether there are as many bytes as the parcel says belong to an earlier record
 */
bool qlink_parcel_begin(struct qlink_parcel_walk *walk, const u8 *plaintext, unsigned int bytes)
{
	if (bytes < QLINK_PARCEL_FIRST_BYTES)
		return false;
	walk->rest = plaintext + QLINK_PARCEL_FIRST_BYTES;
	walk->rest_bytes = get_unaligned_be16(plaintext);
	walk->end = plaintext + bytes;
	if (walk->rest_bytes > bytes - QLINK_PARCEL_FIRST_BYTES)
		return false;
	walk->at = walk->rest + walk->rest_bytes;
	return true;
}

/* Everything from here on must be zero. Returns what qlink_parcel_next() does at the end. */
static int qlink_parcel_pad(const struct qlink_parcel_walk *walk)
{
	return memchr_inv(walk->at, 0, walk->end - walk->at) ? -EBADMSG : 0;
}

static bool qlink_parcel_is_good(const struct qlink_parcel_record *record)
{
	if (record->kind == QLINK_PARCEL_KEEPALIVE)
		return record->bytes == QLINK_KEEPALIVE_BYTES;
	return record->kind < QLINK_PARCEL_KINDS && record->bytes;
}

/**
 * qlink_parcel_next() - find the next record
 * @walk: of qlink_parcel_begin(), which returned true
 * @record: filled in, where there is one
 *
 * Context: Any.
 * Return: 1; 0 at the end, where only padding follows; or %-EBADMSG where it is no record and no
 * padding. The walk is over then.
 */
int qlink_parcel_next(struct qlink_parcel_walk *walk, struct qlink_parcel_record *record)
{
	unsigned int left = walk->end - walk->at;
	u16 head;

	if (left < QLINK_PARCEL_HEAD_BYTES)
		return qlink_parcel_pad(walk);
	head = get_unaligned_be16(walk->at);
	if (!head)
		return qlink_parcel_pad(walk);

	record->kind = head >> QLINK_PARCEL_KIND_SHIFT;
	record->bytes = head & QLINK_PARCEL_RECORD_BYTES_MAX;
	if (!qlink_parcel_is_good(record))
		return -EBADMSG;
	record->content = walk->at + QLINK_PARCEL_HEAD_BYTES;
	record->here = min_t(unsigned int, record->bytes, left - QLINK_PARCEL_HEAD_BYTES);
	walk->at = record->content + record->here;
	return 1;
}
