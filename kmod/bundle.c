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
