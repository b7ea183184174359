/* SPDX-License-Identifier: GPL-2.0 */
/* Sealed frames of one size, side by side in one packet that a device below takes apart. */
#ifndef QLINK_BUNDLE_H
#define QLINK_BUNDLE_H

#include <linux/skbuff.h>

#include "wire.h"

#define QLINK_BUNDLE_FRAMES_MAX	64	/* the limit that UDP segmentation had at first */

/**
 * struct qlink_bundle_walk - position of a walk from frame to frame of a bundle
 */
struct qlink_bundle_walk {
	/** @bundle: not changed */
	const struct sk_buff *bundle;
	/** @frame_bytes: size of each frame, but the last one may be smaller */
	unsigned int frame_bytes;
	/** @at: offset of the current frame */
	unsigned int at;
	/** @piece: contiguous memory of the bundle; NULL where it cannot be read directly */
	const u8 *piece;
	/** @piece_at: offset of @piece in the bundle */
	unsigned int piece_at;
	/** @piece_end: offset of its end */
	unsigned int piece_end;
	/** @next_frag: index of the frag after @piece */
	unsigned int next_frag;
};

struct sk_buff *qlink_bundle_new(unsigned int headroom);
u8 *qlink_bundle_room(const struct sk_buff *bundle, unsigned int bytes);
void qlink_bundle_add(struct sk_buff *bundle, unsigned int bytes);

void qlink_bundle_walk(struct qlink_bundle_walk *walk, const struct sk_buff *bundle,
		       unsigned int at, unsigned int frame_bytes);
const u8 *qlink_bundle_frame(struct qlink_bundle_walk *walk, unsigned int bytes);
bool qlink_bundle_header(struct qlink_bundle_walk *walk, struct qlink_header *header);

/**
 * qlink_bundle_n() - how many frames has a bundle?
 * @bundle: from its first frame on; frames of gso_size bytes each, the last may have fewer
 *
 * Return: frames
 */
static inline unsigned int qlink_bundle_n(const struct sk_buff *bundle)
{
	return DIV_ROUND_UP(bundle->len, skb_shinfo(bundle)->gso_size);
}

/**
 * qlink_bundle_bytes() - how large is the current frame of a walk?
 * @walk: of qlink_bundle_walk()
 *
 * Return: bytes; 0 after the last frame
 */
static inline unsigned int qlink_bundle_bytes(const struct qlink_bundle_walk *walk)
{
	return min(walk->frame_bytes, walk->bundle->len - walk->at);
}

/**
 * qlink_bundle_next() - go on to the next frame
 * @walk: not after the last frame
 */
static inline void qlink_bundle_next(struct qlink_bundle_walk *walk)
{
	walk->at += qlink_bundle_bytes(walk);
}

#endif
