// SPDX-License-Identifier: GPL-2.0
/* Sealed frames of one size, side by side in one packet, which a device below takes apart. */
#include "bundle.h"

#include <linux/mm.h>

#include "pages.h"

/**
 * DOC: Bundles
 *
 * Each frame is written and sealed where it will lie, in a page of its CPU, and becomes part
 * of the bundle when that has gone well. Frames of a bundle are of one size but for the last,
 * which may be smaller.
 */

/**
 * qlink_bundle_new() - make an empty bundle
 * @headroom: that the headers in front of it need
 *
 * Context: BHs off.
 * Return: the bundle, for kfree_skb(), or %NULL without memory
 */
struct sk_buff *qlink_bundle_new(unsigned int headroom)
{
	struct sk_buff *bundle = alloc_skb(headroom, GFP_ATOMIC);

	if (bundle)
		skb_reserve(bundle, headroom);
	return bundle;
}

/**
 * qlink_bundle_room() - where the next frame of a bundle can be sealed
 * @bundle: of this CPU
 * @bytes: that it takes
 *
 * Context: BHs off, under qlink_aead_lock() until qlink_bundle_add().
 * Return: the place, or %NULL where the bundle is full or there is no memory
 */
u8 *qlink_bundle_room(const struct sk_buff *bundle, unsigned int bytes)
{
	struct page_frag *here = qlink_pages_room(bytes, 1);

	if (unlikely(!here))
		return NULL;
	if (skb_shinfo(bundle)->nr_frags == MAX_SKB_FRAGS &&
	    !skb_can_coalesce((struct sk_buff *)bundle, MAX_SKB_FRAGS, here->page, here->offset))
		return NULL;
	return page_address(here->page) + here->offset;
}

/**
 * qlink_bundle_add() - take the frame in that was sealed in its place
 * @bundle: of this CPU
 * @bytes: as of qlink_bundle_room()
 *
 * Context: As of qlink_bundle_room().
 */
void qlink_bundle_add(struct sk_buff *bundle, unsigned int bytes)
{
	struct page_frag *here = qlink_pages_room(bytes, 1);
	int n = skb_shinfo(bundle)->nr_frags;

	if (skb_can_coalesce(bundle, n, here->page, here->offset)) {
		skb_frag_size_add(&skb_shinfo(bundle)->frags[n - 1], bytes);
	} else {
		get_page(here->page);
		skb_fill_page_desc(bundle, n, here->page, here->offset, bytes);
	}
	skb_len_add(bundle, bytes);
	here->offset += bytes;
}

/**
 * qlink_bundle_walk() - begin with the first frame of a bundle
 * @walk: out
 * @bundle: without a list of others; unchanged as long as @walk is used
 * @at: where its first frame begins
 * @frame_bytes: of its frames, not 0
 *
 * Context: Any.
 */
void qlink_bundle_walk(struct qlink_bundle_walk *walk, const struct sk_buff *bundle,
		       unsigned int at, unsigned int frame_bytes)
{
	walk->bundle = bundle;
	walk->frame_bytes = frame_bytes;
	walk->at = at;
	walk->piece = bundle->data;
	walk->piece_at = 0;
	walk->piece_end = skb_headlen(bundle);
	walk->next_frag = 0;
}

/**
 * qlink_bundle_frame() - look at the frame that a walk is at
 * @walk: of qlink_bundle_walk()
 * @bytes: of the frame, from its beginning; it has as many
 *
 * Return: the frame, or %NULL where these bytes are not contiguous
 */
const u8 *qlink_bundle_frame(struct qlink_bundle_walk *walk, unsigned int bytes)
{
	const struct skb_shared_info *info = skb_shinfo(walk->bundle);
	const skb_frag_t *frag;

	while (walk->at >= walk->piece_end && walk->next_frag < info->nr_frags) {
		frag = &info->frags[walk->next_frag++];
		walk->piece = skb_frag_address_safe(frag);
		walk->piece_at = walk->piece_end;
		walk->piece_end += skb_frag_size(frag);
	}
	if (unlikely(!walk->piece || walk->at + bytes > walk->piece_end))
		return NULL;
	return walk->piece + walk->at - walk->piece_at;
}

/**
 * qlink_bundle_header() - read the header of the frame that a walk is at
 * @walk: of qlink_bundle_walk()
 * @header: out
 *
 * Return: false where the frame is too short to have one
 */
bool qlink_bundle_header(struct qlink_bundle_walk *walk, struct qlink_header *header)
{
	const u8 *frame;

	if (unlikely(qlink_bundle_bytes(walk) < sizeof(*header)))
		return false;
	frame = qlink_bundle_frame(walk, sizeof(*header));
	if (likely(frame))
		memcpy(header, frame, sizeof(*header));
	else
		/* It cannot fail: there is that much. */
		skb_copy_bits(walk->bundle, walk->at, header, sizeof(*header));
	return true;
}
