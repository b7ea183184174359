/* SPDX-License-Identifier: GPL-2.0 */
/* Packets that wait on a CPU: a queue a link, a group of queues a netns, and whose turn it is. */
#ifndef QLINK_QUEUE_H
#define QLINK_QUEUE_H

#include <linux/list.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>

/**
 * struct qlink_queues - all that waits on one CPU
 */
struct qlink_queues {
	/** @lock: guards the groups and queues of the CPU; taken with BHs off */
	spinlock_t lock;
	/** @active: groups that hold packets; it is the first one's turn */
	struct list_head active;
	/** @cost: of all packets in them */
	unsigned int cost;
};

/**
 * struct qlink_queue_group - the queues of all links of one netns on one CPU
 */
struct qlink_queue_group {
	/** @queues: of the CPU; constant. Its lock guards all below */
	struct qlink_queues *queues;
	/** @active: queues that hold packets; it is the first one's turn */
	struct list_head active;
	/** @entry: in the list of groups that hold packets; empty where this one holds none */
	struct list_head entry;
	/** @cost: of all packets in the queues */
	unsigned int cost;
	/** @credit: what the group may still cost in its turn; below 0 it has had more */
	int credit;
};

/**
 * struct qlink_queue - the packets of one link that wait on one CPU
 */
struct qlink_queue {
	/** @queues: of the CPU; constant. Its lock guards all below */
	struct qlink_queues *queues;
	/** @group: of the link's netns, on the same CPU; constant. Gone when @is_dead */
	struct qlink_queue_group *group;
	/** @packets: of the link, the oldest first */
	struct sk_buff_head packets;
	/** @entry: in the group's list of queues that hold packets; empty if this one holds none */
	struct list_head entry;
	/** @cost: of all @packets */
	unsigned int cost;
	/** @credit: what the queue may still cost in its turn; below 0 it has had more */
	int credit;
	/** @is_dead: the link goes, and nothing is queued any more */
	bool is_dead;
};

/**
 * struct qlink_queue_cb - control block of a packet in a queue
 */
struct qlink_queue_cb {
	/** @cost: of the packet */
	unsigned int cost;
	/** @is_bundle: a bundle of frames of gso_size bytes each, the last may have fewer */
	bool is_bundle;
};

static inline struct qlink_queue_cb *qlink_queue_cb(const struct sk_buff *skb)
{
	return (struct qlink_queue_cb *)skb->cb;
}

void qlink_queues_init(struct qlink_queues *queues);
struct qlink_queue *qlink_queues_take(struct qlink_queues *queues, struct sk_buff_head *batch);

struct qlink_queue_group __percpu *qlink_queue_group_new(struct qlink_queues __percpu *queues);

struct qlink_queue __percpu *qlink_queue_new(struct qlink_queue_group __percpu *groups);
bool qlink_queue_add(struct qlink_queue *queue, struct sk_buff *skb, unsigned int n,
		     bool *is_first);
void qlink_queue_put_back(struct qlink_queue *queue, struct sk_buff_head *batch);
void qlink_queue_kill(struct qlink_queue __percpu *all);

/**
 * qlink_queues_are_empty() - does nothing wait on this CPU?
 * @queues: of this CPU
 *
 * Context: BHs off.
 * Return: whether nothing does
 */
static inline bool qlink_queues_are_empty(const struct qlink_queues *queues)
{
	return !READ_ONCE(queues->cost);
}

/**
 * qlink_queue_is_empty() - does nothing of a link wait on this CPU?
 * @queue: of the link and this CPU
 *
 * Context: BHs off.
 * Return: whether nothing does
 */
static inline bool qlink_queue_is_empty(const struct qlink_queue *queue)
{
	return !READ_ONCE(queue->cost);
}

unsigned int qlink_queue_bytes(const struct qlink_queue *queue);

#endif
