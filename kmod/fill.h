/* SPDX-License-Identifier: GPL-2.0 */
/* Frames that are written into parcels of a given size, cut where a parcel ends. */
#ifndef QLINK_FILL_H
#define QLINK_FILL_H

#include <linux/skbuff.h>

#include "parcel.h"

/* Smallest plaintext that takes a head and some of its content. */
#define QLINK_FILL_BYTES_MIN	(QLINK_PARCEL_FIRST_BYTES + QLINK_PARCEL_HEAD_BYTES + 4)

/**
 * qlink_fill_room() - how much a parcel can have
 * @sealed: bytes of a sealed frame, as large as it may be
 *
 * Return: bytes of plaintext; 0 where that is too little for any
 */
static inline unsigned int qlink_fill_room(unsigned int sealed)
{
	if (unlikely(sealed < QLINK_OVERHEAD_BYTES + QLINK_FILL_BYTES_MIN))
		return 0;
	return min(sealed - QLINK_OVERHEAD_BYTES, QLINK_PARCEL_PLAINTEXT_MAX);
}

/**
 * struct qlink_fill - frames that wait to be written into parcels
 */
struct qlink_fill {
	/** @frames: one a record, the oldest first */
	struct sk_buff_head frames;
	/** @bytes: that their records still take */
	unsigned int bytes;
	/** @memory: that the frames take */
	unsigned int memory;
	/**
	 * @is_of_frame: the parcels are those of one frame, and have its socket, priority, mark
	 * and time; others have none, so that queues below cannot tell what is in them
	 */
	bool is_of_frame;
	/** @is_cut: the head of the first record is in a parcel, and its content not all */
	bool is_cut;
	/** @n_begun: how often the first record has begun anew */
	u8 n_begun;
	/** @lane: of that parcel */
	u8 lane;
	/** @written: bytes of the first record's content that are in parcels */
	u16 written;
	/** @epoch: of the last of these parcels */
	u64 epoch;
	/** @sequence: of the last of these parcels */
	u64 sequence;
};

/**
 * struct qlink_fill_sum - what one parcel has
 */
struct qlink_fill_sum {
	/** @records: frames and keepalives that end in it */
	unsigned int records;
	/** @n: frames among them */
	unsigned int n;
	/** @bytes: of these frames */
	unsigned int bytes;
	/** @pad: bytes at its end that are padding */
	unsigned int pad;
	/** @is_cover: it has nothing but padding */
	bool is_cover;
};

void qlink_fill_init(struct qlink_fill *fill);
void qlink_fill_add(struct qlink_fill *fill, struct sk_buff *skb);
void qlink_fill_add_keepalive(struct qlink_fill *fill, struct sk_buff *skb);
bool qlink_fill_is_hopeless(const struct qlink_fill *fill);
void qlink_fill_write(struct qlink_fill *fill, struct sk_buff *parcel, unsigned int bytes,
		      struct qlink_fill_sum *sum);
void qlink_fill_give_up(struct qlink_fill *fill);
void qlink_fill_take(struct qlink_fill *fill, struct sk_buff_head *frames, unsigned int n);
void qlink_fill_dress(const struct qlink_fill *fill, struct sk_buff *parcel);
unsigned int qlink_fill_purge(struct qlink_fill *fill);

bool qlink_fill_takes(struct sk_buff *skb);

/**
 * qlink_fill_is_empty() - does no frame wait?
 * @fill: of the caller
 *
 * Return: whether none does
 */
static inline bool qlink_fill_is_empty(const struct qlink_fill *fill)
{
	return skb_queue_empty(&fill->frames);
}

#endif
