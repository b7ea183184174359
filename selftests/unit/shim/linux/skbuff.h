/* SPDX-License-Identifier: GPL-2.0 */
/* Packets with bytes and a control block, and queues of them. */
#ifndef SHIM_SKBUFF_H
#define SHIM_SKBUFF_H

#include <linux/list.h>
#include <stdlib.h>

struct sk_buff {
	struct list_head list;
	unsigned int len;
	/* of those with bytes: as many as there is room for */
	unsigned int room;
	char cb[48] __aligned(8);
	u8 *data;
};

struct napi_struct;

/* Whether none is made; a test sets it. */
static bool skb_lacks_memory;

/* How many with bytes are there, and how much room they have. */
static unsigned int skb_n_held;
static unsigned long skb_bytes_held;

/* With bytes that lie alone, so that AddressSanitizer sees each one too far. */
static inline struct sk_buff *napi_alloc_skb(struct napi_struct *napi, unsigned int room)
{
	struct sk_buff *skb;

	(void)napi;
	if (skb_lacks_memory)
		return NULL;
	skb = calloc(1, sizeof(*skb));
	skb->data = malloc(room);
	skb->room = room;
	skb_n_held++;
	skb_bytes_held += room;
	return skb;
}

static inline void skb_put_data(struct sk_buff *skb, const void *data, unsigned int bytes)
{
	memcpy(skb->data + skb->len, data, bytes);
	skb->len += bytes;
	assert(skb->len <= skb->room);
}

static inline void kfree_skb(struct sk_buff *skb)
{
	if (!skb)
		return;
	skb_n_held--;
	skb_bytes_held -= skb->room;
	free(skb->data);
	free(skb);
}

struct sk_buff_head { struct list_head list; };

#define skb_queue_walk(head, skb) \
	for (skb = (struct sk_buff *)(head)->list.next; (void *)skb != (head); \
	     skb = (struct sk_buff *)skb->list.next)

static inline void __skb_queue_head_init(struct sk_buff_head *head) { INIT_LIST_HEAD(&head->list); }
static inline bool skb_queue_empty(const struct sk_buff_head *head) { return list_empty(&head->list); }

static inline unsigned int skb_queue_len_lockless(const struct sk_buff_head *head)
{
	const struct list_head *entry;
	unsigned int n = 0;

	for (entry = head->list.next; entry != &head->list; entry = entry->next)
		n++;
	return n;
}

static inline void __skb_queue_tail(struct sk_buff_head *head, struct sk_buff *skb)
{
	list_add_tail(&skb->list, &head->list);
}

static inline struct sk_buff *__skb_dequeue(struct sk_buff_head *head)
{
	struct sk_buff *skb = (struct sk_buff *)head->list.next;

	if (skb_queue_empty(head))
		return NULL;
	list_del_init(&skb->list);
	return skb;
}

/* Puts what @from holds in front of what @head holds. */
static inline void skb_queue_splice_init(struct sk_buff_head *from, struct sk_buff_head *head)
{
	while (!skb_queue_empty(from))
		list_move(from->list.prev, &head->list);
}

static inline void skb_queue_splice_tail_init(struct sk_buff_head *from, struct sk_buff_head *head)
{
	while (!skb_queue_empty(from))
		list_move_tail(from->list.next, &head->list);
}

static inline void __skb_queue_purge(struct sk_buff_head *head)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(head)))
		free(skb);
}

#endif
