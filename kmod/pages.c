// SPDX-License-Identifier: GPL-2.0
/* Memory for sealed frames that is reused without being cleared. */
#include "pages.h"

#include <linux/align.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>
#include <net/sock.h>

#include "aead.h"
#include "faultpoint.h"

/**
 * DOC: Pages
 *
 * Kernels clear pages when they are allocated (init_on_alloc). For a frame that costs about
 * as much as the copy of its payload, and is useless, because each byte is overwritten. So
 * each CPU uses some pages of its own in turn, and reuses a page from its beginning when all
 * frames in it have gone. A page that still has frames when its turn comes is replaced.
 */

#define QLINK_PAGES		16
#define QLINK_PAGE_BYTES	32768	/* what skb_page_frag_refill() tries to allocate */

/**
 * struct qlink_pages - the pages of a CPU; under qlink_aead_lock()
 */
struct qlink_pages {
	/** @frags: pages, or NULL, each with an offset that says how much is taken */
	struct page_frag frags[QLINK_PAGES];
	/** @at: index of the current page */
	unsigned int at;
};

static DEFINE_PER_CPU(struct qlink_pages, qlink_pages);

static void qlink_pages_put(struct page_frag *frag)
{
	if (frag->page)
		put_page(frag->page);
	frag->page = NULL;
}

static bool qlink_pages_fits(struct page_frag *frag, unsigned int bytes, unsigned int align)
{
	unsigned int at = ALIGN(frag->offset, align);

	if (!frag->page || at + bytes > frag->size)
		return false;
	frag->offset = at;
	return true;
}

/* A page from the memory reserves is not kept: sockets drop frames in it, and its memory is meant
 * for the way out of a shortage.
 */
static bool qlink_pages_refill(struct page_frag *frag, unsigned int bytes)
{
	if (unlikely(!skb_page_frag_refill(bytes, frag, GFP_ATOMIC)))
		return false;
	if (qlink_faultpoint_hits(QLINK_FAULTPOINT_RESERVES))
		set_page_pfmemalloc(frag->page);
	return likely(!page_is_pfmemalloc(frag->page));
}

/**
 * qlink_pages_room() - find memory for a frame or a part of one
 * @bytes: size of the memory
 * @align: a power of 2
 *
 * To take the memory, the caller adds @bytes to the offset, and takes a reference of the
 * page unless it has one.
 *
 * Context: BHs off, under qlink_aead_lock() until it is taken.
 * Return: the page, with @bytes free from its offset on; or %NULL without memory, or where
 * @bytes is more than a page has
 */
struct page_frag *qlink_pages_room(unsigned int bytes, unsigned int align)
{
	struct qlink_pages *here = this_cpu_ptr(&qlink_pages);
	struct page_frag *frag = &here->frags[here->at];

	if (likely(qlink_pages_fits(frag, bytes, align)))
		return frag;
	if (unlikely(bytes + align > QLINK_PAGE_BYTES))
		return NULL;
	here->at = (here->at + 1) % QLINK_PAGES;
	frag = &here->frags[here->at];
	if (likely(qlink_pages_refill(frag, bytes + align) && qlink_pages_fits(frag, bytes, align)))
		return frag;
	qlink_pages_put(frag);
	return NULL;
}

/**
 * qlink_pages_skb() - make an empty frame in a page of this CPU
 * @bytes: room of the frame, headroom included; where a page is too small, it is allocated
 *
 * Context: BHs off.
 * Return: the frame, for kfree_skb(), or %NULL without memory
 */
struct sk_buff *qlink_pages_skb(unsigned int bytes)
{
	unsigned int all = SKB_HEAD_ALIGN(bytes);
	struct sk_buff *skb = NULL;
	struct page_frag *here;

	qlink_aead_lock();
	here = qlink_pages_room(all, SMP_CACHE_BYTES);
	if (likely(here))
		skb = napi_build_skb(page_address(here->page) + here->offset, all);
	if (likely(skb)) {
		get_page(here->page);
		here->offset += all;
	}
	qlink_aead_unlock();
	return skb ?: alloc_skb(bytes, GFP_ATOMIC);
}

/**
 * qlink_pages_exit() - release the pages of all CPUs
 *
 * Context: Process context, when no device is left.
 */
void qlink_pages_exit(void)
{
	int cpu, i;

	for_each_possible_cpu(cpu) {
		for (i = 0; i < QLINK_PAGES; i++)
			qlink_pages_put(&per_cpu(qlink_pages, cpu).frags[i]);
	}
}
