// SPDX-License-Identifier: GPL-2.0
/* Packets that wait on a CPU: a queue for each link, and whose turn it is. */
#include "queue.h"

#include <linux/percpu.h>

/**
 * DOC: Fair queues
 *
 * All links of a host share its CPUs, and a frame waits for its CPU before anybody knows whether it
 * is authentic. So each link has a queue of its own on each CPU, and the queues are served in turn
 * (deficit round robin): in a turn a link's packets may cost QLINK_QUEUE_TURN. A packet costs its
 * bytes and, for each of its frames, QLINK_QUEUE_FRAME, which is about what it takes to handle a
 * frame without any bytes. What a packet costs above the rest of a turn is taken off the turns
 * that follow.
 *
 * A queue may cost no more than what is left of QLINK_QUEUES_COST then. So one link can take half
 * of it, two links a third each. An empty queue takes any packet: a link that comes later always
 * finds room, however many links are flooded. A packet that finds none is dropped; whoever floods a
 * link drops that link's frames only. All links have the same weight, of whichever netns they are.
 */

#define QLINK_QUEUE_FRAME	1024
#define QLINK_QUEUE_TURN	(16 << 10)
#define QLINK_QUEUES_COST	(16 << 20)

/**
 * qlink_queues_init() - make the empty list of a CPU
 * @queues: zeroed
 */
void qlink_queues_init(struct qlink_queues *queues)
{
	spin_lock_init(&queues->lock);
	INIT_LIST_HEAD(&queues->active);
}

static void qlink_queue_add_cost(struct qlink_queue *queue, int cost)
{
	lockdep_assert_held(&queue->queues->lock);

	queue->cost += cost;
	WRITE_ONCE(queue->queues->cost, queue->queues->cost + cost);
}

/* Move the packets of one turn to a batch. It is another queue's turn then. */
static void qlink_queue_serve(struct qlink_queue *queue, struct sk_buff_head *batch)
{
	unsigned int cost, sum = 0;
	struct sk_buff *skb;

	queue->credit += QLINK_QUEUE_TURN;
	while (queue->credit > 0 && (skb = __skb_dequeue(&queue->packets))) {
		cost = qlink_queue_cb(skb)->cost;
		queue->credit -= cost;
		sum += cost;
		__skb_queue_tail(batch, skb);
	}
	qlink_queue_add_cost(queue, -sum);
	if (skb_queue_empty(&queue->packets)) {
		list_del_init(&queue->entry);
		queue->credit = 0;
	} else {
		list_move_tail(&queue->entry, &queue->queues->active);
	}
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
	struct qlink_queue *queue;

	spin_lock(&queues->lock);
	do {
		queue = list_first_entry_or_null(&queues->active, struct qlink_queue, entry);
		if (queue)
			qlink_queue_serve(queue, batch);
	} while (queue && skb_queue_empty(batch));
	spin_unlock(&queues->lock);
	return queue;
}

/**
 * qlink_queue_new() - make the empty queues of a link, one a CPU
 * @queues: of all CPUs
 *
 * Context: Process context, sleeps.
 * Return: the queues, for free_percpu() after qlink_queue_kill(), or %NULL without memory
 */
struct qlink_queue __percpu *qlink_queue_new(struct qlink_queues __percpu *queues)
{
	struct qlink_queue __percpu *all = alloc_percpu_gfp(struct qlink_queue, GFP_KERNEL_ACCOUNT);
	int cpu;

	if (!all)
		return NULL;
	for_each_possible_cpu(cpu) {
		struct qlink_queue *queue = per_cpu_ptr(all, cpu);

		queue->queues = per_cpu_ptr(queues, cpu);
		__skb_queue_head_init(&queue->packets);
		INIT_LIST_HEAD(&queue->entry);
	}
	return all;
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
			  (!queue->cost ||
			   queue->cost + queues->cost + cost <= QLINK_QUEUES_COST));
	if (has_room) {
		*is_first = !queues->cost;
		qlink_queue_cb(skb)->cost = cost;
		if (skb_queue_empty(&queue->packets))
			list_add_tail(&queue->entry, &queues->active);
		__skb_queue_tail(&queue->packets, skb);
		qlink_queue_add_cost(queue, cost);
	}
	spin_unlock(&queues->lock);
	return has_room;
}

/**
 * qlink_queue_put_back() - have packets that were taken wait again, in front of all others
 * @queue: that they came from
 * @batch: the rest of what qlink_queues_take() gave; empty afterwards
 *
 * If their link goes, they are freed.
 *
 * Context: BHs off, in the RCU read side in which they were taken.
 */
void qlink_queue_put_back(struct qlink_queue *queue, struct sk_buff_head *batch)
{
	struct qlink_queues *queues = queue->queues;
	struct sk_buff *skb;

	spin_lock(&queues->lock);
	if (!queue->is_dead) {
		skb_queue_walk(batch, skb)
			qlink_queue_add_cost(queue, qlink_queue_cb(skb)->cost);
		skb_queue_splice_init(batch, &queue->packets);
		list_move(&queue->entry, &queues->active);
	}
	spin_unlock(&queues->lock);
	__skb_queue_purge(batch);
}

static void qlink_queue_kill_one(struct qlink_queue *queue, struct sk_buff_head *gone)
{
	spin_lock_bh(&queue->queues->lock);
	queue->is_dead = true;
	list_del_init(&queue->entry);
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
