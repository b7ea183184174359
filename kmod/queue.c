// SPDX-License-Identifier: GPL-2.0
/* Packets that wait on a CPU: a queue a link, a group of queues a netns, and whose turn it is. */
#include "queue.h"

#include <linux/percpu.h>

/**
 * DOC: Fair queues
 *
 * All links of a host share its CPUs, and a frame waits for its CPU before anybody knows whether it
 * is authentic. So each link has a queue of its own on each CPU. The queues of the links of one
 * netns (that of their underlay) are a group: an unprivileged user may have a netns and make any
 * number of links in it, and all of them together count as one.
 *
 * The groups are served in turn, and in a group its queues (deficit round robin on both levels): in
 * a turn the packets may cost QLINK_QUEUE_TURN. A packet costs its bytes and, for each of its
 * frames, QLINK_QUEUE_FRAME, which is about what it takes to handle a frame without any bytes. What
 * a packet costs above the rest of a turn is taken off the turns that follow.
 *
 * A group may cost no more than what it leaves of QLINK_QUEUES_COST beside the other groups, or
 * QLINK_QUEUE_GROUP_LEAST if that is more; and a queue no more than what it leaves of its group's
 * part. So one link can take a quarter, and two links of one netns a sixth each. An empty queue
 * takes any packet: a link that comes later always finds room, however many links are flooded. A
 * packet that finds none is dropped; whoever floods a link drops that link's frames only.
 */

#define QLINK_QUEUE_FRAME	1024
#define QLINK_QUEUE_TURN	(16 << 10)
#define QLINK_QUEUES_COST	(32U << 20)
#define QLINK_QUEUE_GROUP_LEAST	(1024U << 10)

/**
 * qlink_queues_init() - make the empty list of a CPU
 * @queues: zeroed
 */
void qlink_queues_init(struct qlink_queues *queues)
{
	spin_lock_init(&queues->lock);
	INIT_LIST_HEAD(&queues->active);
}

/**
 * qlink_queue_group_new() - make the empty groups of a netns, one a CPU
 * @queues: of all CPUs
 *
 * Context: Process context, sleeps.
 * Return: the groups, for free_percpu() when the netns has no link left, or %NULL without memory
 */
struct qlink_queue_group __percpu *qlink_queue_group_new(struct qlink_queues __percpu *queues)
{
	struct qlink_queue_group __percpu *all = alloc_percpu_gfp(struct qlink_queue_group,
								  GFP_KERNEL_ACCOUNT);
	int cpu;

	if (!all)
		return NULL;
	for_each_possible_cpu(cpu) {
		struct qlink_queue_group *group = per_cpu_ptr(all, cpu);

		group->queues = per_cpu_ptr(queues, cpu);
		INIT_LIST_HEAD(&group->active);
		INIT_LIST_HEAD(&group->entry);
	}
	return all;
}

static void qlink_queue_add_cost(struct qlink_queue *queue, int cost)
{
	lockdep_assert_held(&queue->queues->lock);

	WRITE_ONCE(queue->cost, queue->cost + cost);
	queue->group->cost += cost;
	WRITE_ONCE(queue->queues->cost, queue->queues->cost + cost);
}

/* A queue without packets is in no list, and neither is a group without such queues. Both enter
 * with the credit of one turn. A debt ends when they leave: nobody has waited for them.
 */
static void qlink_queue_enter(struct qlink_queue *queue)
{
	struct qlink_queue_group *group = queue->group;

	if (list_empty(&group->active)) {
		list_add_tail(&group->entry, &group->queues->active);
		group->credit = QLINK_QUEUE_TURN;
	}
	list_add_tail(&queue->entry, &group->active);
	queue->credit = QLINK_QUEUE_TURN;
}

static void qlink_queue_leave(struct qlink_queue *queue)
{
	list_del_init(&queue->entry);
	if (list_empty(&queue->group->active))
		list_del_init(&queue->group->entry);
}

/* Move the packets of one turn to a batch, or, after it, let the next queue have one. */
static void qlink_queue_serve(struct qlink_queue *queue, struct sk_buff_head *batch)
{
	unsigned int cost, sum = 0;
	struct sk_buff *skb;

	if (queue->credit <= 0) {
		queue->credit += QLINK_QUEUE_TURN;
		list_move_tail(&queue->entry, &queue->group->active);
		return;
	}
	while (queue->credit > 0 && (skb = __skb_dequeue(&queue->packets))) {
		cost = qlink_queue_cb(skb)->cost;
		queue->credit -= cost;
		sum += cost;
		__skb_queue_tail(batch, skb);
	}
	queue->group->credit -= sum;
	qlink_queue_add_cost(queue, -sum);
	if (skb_queue_empty(&queue->packets))
		qlink_queue_leave(queue);
}

/* Serve a queue of a group and return it, or, after its turn, let the next group have one. */
static struct qlink_queue *qlink_queue_group_serve(struct qlink_queue_group *group,
						   struct sk_buff_head *batch)
{
	struct qlink_queue *queue;

	if (group->credit <= 0) {
		group->credit += QLINK_QUEUE_TURN;
		list_move_tail(&group->entry, &group->queues->active);
		return NULL;
	}
	do {
		queue = list_first_entry(&group->active, struct qlink_queue, entry);
		qlink_queue_serve(queue, batch);
	} while (skb_queue_empty(batch));
	return queue;
}

/**
 * qlink_queues_take() - take the packets whose turn it is
 * @queues: of a CPU
 * @batch: empty; gets packets of one link, in their order
 *
 * Context: BHs off, in an RCU read side for as long as the result is used.
 * Return: the queue that they waited in, or %NULL where nothing waits
 */
struct qlink_queue *qlink_queues_take(struct qlink_queues *queues, struct sk_buff_head *batch)
{
	struct qlink_queue *queue = NULL;

	spin_lock(&queues->lock);
	while (!queue && !list_empty(&queues->active))
		queue = qlink_queue_group_serve(list_first_entry(&queues->active,
								 struct qlink_queue_group, entry),
						batch);
	spin_unlock(&queues->lock);
	return queue;
}

/**
 * qlink_queue_new() - make the empty queues of a link, one a CPU
 * @groups: of the link's netns
 *
 * Context: Process context, sleeps.
 * Return: the queues, for free_percpu() after qlink_queue_kill(), or %NULL without memory
 */
struct qlink_queue __percpu *qlink_queue_new(struct qlink_queue_group __percpu *groups)
{
	struct qlink_queue __percpu *all = alloc_percpu_gfp(struct qlink_queue, GFP_KERNEL_ACCOUNT);
	int cpu;

	if (!all)
		return NULL;
	for_each_possible_cpu(cpu) {
		struct qlink_queue *queue = per_cpu_ptr(all, cpu);

		queue->group = per_cpu_ptr(groups, cpu);
		queue->queues = queue->group->queues;
		__skb_queue_head_init(&queue->packets);
		INIT_LIST_HEAD(&queue->entry);
	}
	return all;
}

/* What the group may cost, while other groups hold what they hold. */
static unsigned int qlink_queue_group_part(const struct qlink_queue_group *group)
{
	unsigned int others = group->queues->cost - group->cost;

	return max(others < QLINK_QUEUES_COST ? (QLINK_QUEUES_COST - others) / 2 : 0,
		   QLINK_QUEUE_GROUP_LEAST);
}

/**
 * qlink_queue_add() - have a packet wait
 * @queue: of the packet's link and of this CPU
 * @skb: taken over where this returns true; its control block is overwritten
 * @n: number of its frames; a bundle has gso_size, a single frame has none
 * @is_first: out where it was taken over: nothing else waits on this CPU
 *
 * Context: BHs off.
 * Return: false where the queue has no room or its link goes
 */
bool qlink_queue_add(struct qlink_queue *queue, struct sk_buff *skb, unsigned int n,
		     bool *is_first)
{
	unsigned int cost = skb->len + n * QLINK_QUEUE_FRAME;
	struct qlink_queues *queues = queue->queues;
	bool has_room;

	spin_lock(&queues->lock);
	has_room = likely(!queue->is_dead &&
			  (!queue->cost || queue->cost + queue->group->cost + cost <=
					   qlink_queue_group_part(queue->group)));
	if (has_room) {
		*is_first = !queues->cost;
		qlink_queue_cb(skb)->cost = cost;
		if (skb_queue_empty(&queue->packets))
			qlink_queue_enter(queue);
		__skb_queue_tail(&queue->packets, skb);
		qlink_queue_add_cost(queue, cost);
	}
	spin_unlock(&queues->lock);
	return has_room;
}

/**
 * qlink_queue_bytes() - how many bytes of a link wait on this CPU?
 * @queue: of the link and this CPU
 *
 * Context: BHs off.
 * Return: at least that many; exactly, where no packet has several frames
 */
unsigned int qlink_queue_bytes(const struct qlink_queue *queue)
{
	return READ_ONCE(queue->cost) - skb_queue_len_lockless(&queue->packets) * QLINK_QUEUE_FRAME;
}

/**
 * qlink_queue_put_back() - have packets that were taken wait again, in front of all others
 * @queue: that they came from
 * @batch: the rest of what qlink_queues_take() gave, not empty; empty afterwards
 *
 * What they cost is no longer taken off a turn. If their link goes, they are freed.
 *
 * Context: BHs off, in the RCU read side in which they were taken.
 */
void qlink_queue_put_back(struct qlink_queue *queue, struct sk_buff_head *batch)
{
	struct qlink_queues *queues = queue->queues;
	unsigned int sum = 0;
	struct sk_buff *skb;

	spin_lock(&queues->lock);
	if (!queue->is_dead) {
		skb_queue_walk(batch, skb)
			sum += qlink_queue_cb(skb)->cost;
		if (!list_empty(&queue->group->active))
			queue->group->credit += sum;
		if (skb_queue_empty(&queue->packets))
			qlink_queue_enter(queue);
		else
			queue->credit += sum;
		qlink_queue_add_cost(queue, sum);
		skb_queue_splice_init(batch, &queue->packets);
		list_move(&queue->entry, &queue->group->active);
		list_move(&queue->group->entry, &queues->active);
	}
	spin_unlock(&queues->lock);
	__skb_queue_purge(batch);
}

static void qlink_queue_kill_one(struct qlink_queue *queue, struct sk_buff_head *gone)
{
	spin_lock_bh(&queue->queues->lock);
	queue->is_dead = true;
	if (!skb_queue_empty(&queue->packets))
		qlink_queue_leave(queue);
	qlink_queue_add_cost(queue, -queue->cost);
	skb_queue_splice_tail_init(&queue->packets, gone);
	spin_unlock_bh(&queue->queues->lock);
}

/**
 * qlink_queue_kill() - free the packets of a link that goes, and let none wait any more
 * @all: queues of the link
 *
 * Packets that were taken and not put back are still being handled, in an RCU read side.
 *
 * Context: Process context.
 */
void qlink_queue_kill(struct qlink_queue __percpu *all)
{
	struct sk_buff_head gone;
	int cpu;

	__skb_queue_head_init(&gone);
	for_each_possible_cpu(cpu)
		qlink_queue_kill_one(per_cpu_ptr(all, cpu), &gone);
	__skb_queue_purge(&gone);
}
