// SPDX-License-Identifier: GPL-2.0
/* Sealed frames of one size, side by side in one packet that a device below takes apart. */
#include "bundle.h"

#include <linux/mm.h>

#include "pages.h"

/**
 * DOC: Bundles
 *
 * Each frame is written and sealed at its final place, in a page of the CPU, and then added to
 * the bundle if that succeeded. All frames of a bundle have one size, but the last may be
 * smaller.
 */

/**
 * qlink_bundle_new() - make an empty bundle
 * @headroom: bytes for the headers in front of it
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
 * @bytes: size of the frame
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
 * qlink_bundle_add() - add the frame that was sealed at its place
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
 * qlink_bundle_walk() - start a walk at the first frame of a bundle
 * @walk: out
 * @bundle: without a frag list; unchanged as long as @walk is used
 * @at: offset of its first frame
 * @frame_bytes: size of its frames, not 0
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
 * qlink_bundle_frame() - get the first bytes of the current frame of a walk
 * @walk: of qlink_bundle_walk()
 * @bytes: how many, at most the size of the frame
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
 * qlink_bundle_header() - read the header of the current frame of a walk
 * @walk: of qlink_bundle_walk()
 * @header: out
 *
 * Return: false where the frame is too short for a header
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
		/* It cannot fail: the frame has that many bytes. */
		skb_copy_bits(walk->bundle, walk->at, header, sizeof(*header));
	return true;
}
