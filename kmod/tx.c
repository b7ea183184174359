// SPDX-License-Identifier: GPL-2.0
/* The transmit path: from the stack to the underlay. */
#include "tx.h"

#include <linux/hrtimer.h>
#include <linux/skbuff.h>
#include <linux/workqueue.h>

#include "clock.h"
#include "compat.h"
#include "drop.h"
#include "frame.h"
#include "nest.h"
#include "pages.h"
#include "parcel_tx.h"
#include "seal.h"
#include "turn.h"

/**
 * DOC: Transmit path
 *
 * A frame of the stack is sent at once, by itself (frame.c), or waits in its CPU's queue until
 * the end of the softirq, or the next one:
 *
 * - With "parcel pack", frames that come in a softirq wait. Then small ones that follow each other
 *   share a parcel (pack.c); any other goes by itself, behind those that came before it. A frame
 *   that a process sends waits for nothing. With "parcel-hold-us", small ones that are forwarded
 *   wait for the CPU's timer, until there are enough for a parcel.
 * - With "parcel pad", all wait, and fill parcels of one size (fill.c).
 * - With "parcel constant", all go to the link's clock (clock.c), and wait here only behind others.
 * - Where the FPU is busy (6.12, a softirq inside a task's use of it), a frame waits. Later frames
 *   of the link on that CPU wait behind it, so that the order stays.
 *
 * live.c makes keepalives and sends them by qlink_tx_keepalive(), also without a
 * carrier, because the carrier comes back only after a keepalive.
 */

/**
 * struct qlink_tx_cpu - the frames of one CPU that wait
 */
struct qlink_tx_cpu {
	/** @queues: where they wait; skb->dev of each is the qlink device */
	struct qlink_queues queues;
	/** @work: sends them, from a softirq of the same CPU */
	struct work_struct work;
	/** @timer: queues @work when the first frame that may wait longer has waited that long */
	struct hrtimer timer;
};

static DEFINE_PER_CPU(struct qlink_tx_cpu, qlink_tx_cpus);

/* Send the frames of a link that have waited, in their order, as long as that is possible. What is
 * left in the turn then comes before all that is left in the batch.
 */
static void qlink_tx_batch(struct qlink_dev *link, struct sk_buff_head *batch,
			   struct qlink_turn *turn)
{
	struct sk_buff *skb;

	/* What has waited until the device went down is not sent any more. */
	while (unlikely(!netif_running(link->dev)) && (skb = __skb_dequeue(batch)))
		qlink_frame_drop(link, skb, QLINK_A_STATS_TX_NO_UNDERLAY);
	while (qlink_aead_may_run() && (skb = __skb_dequeue(batch)))
		qlink_turn_add(link, turn, skb);
}

static struct sk_buff *qlink_tx_make(const struct qlink_dev *link,
				     const struct qlink_attach *attach,
				     const u8 *plaintext, unsigned int bytes)
{
	unsigned int headroom = attach->headroom + QLINK_HEADER_BYTES;
	struct sk_buff *skb;

	skb = alloc_skb(headroom + bytes + QLINK_TAG_BYTES + attach->tailroom, GFP_ATOMIC);
	if (!skb)
		return NULL;
	skb_reserve(skb, headroom);
	skb_put_data(skb, plaintext, bytes);
	skb->dev = link->dev;
	return skb;
}

/* Send a keepalive by itself. */
static void qlink_tx_bare_keepalive(struct qlink_dev *link, struct qlink_attach *attach,
				    struct sk_buff *skb, struct qlink_flow flow)
{
	if (qlink_seal_send(link, attach, skb, 1, QLINK_TYPE_KEEPALIVE, flow))
		qlink_stats_inc(link->stats, QLINK_A_STATS_TX_KEEPALIVE);
}

/* Send a keepalive in a parcel of its own, like all parcels from the port of beacons: others of its
 * lane must not overtake it, or be overtaken.
 */
static void qlink_tx_padded_keepalive(struct qlink_dev *link, struct qlink_attach *attach,
				      struct sk_buff *skb)
{
	struct qlink_flow flow = qlink_parcel_tx_flow(attach, QLINK_FLOW_FROM_PORT);
	struct qlink_fill fill;

	qlink_fill_init(&fill);
	qlink_fill_add_keepalive(&fill, skb);
	qlink_parcel_tx_send_all(link, attach, &fill, qlink_parcel_tx_bytes(link, attach), flow);
}

/* The mode is read once: where it changes meanwhile, the command that changes it waits. */
static void qlink_tx_keepalive_out(struct qlink_dev *link, struct qlink_attach *attach,
				   struct sk_buff *skb, struct qlink_flow flow)
{
	u8 mode = READ_ONCE(link->parcel);
	struct qlink_nest nest;

	if (mode == QLINK_PARCEL_MODE_CONSTANT && qlink_clock_add_keepalive(link, skb))
		return;
	if (!qlink_nest_enter(&nest, link)) {
		qlink_frame_drop(link, skb, QLINK_A_STATS_TX_LOOP);
		return;
	}
	if (mode > QLINK_PARCEL_MODE_PACK)
		qlink_tx_padded_keepalive(link, attach, skb);
	else
		qlink_tx_bare_keepalive(link, attach, skb, flow);
	qlink_nest_leave(&nest);
}

/**
 * qlink_tx_keepalive() - seal and send a keepalive
 * @link: alive
 * @plaintext: QLINK_KEEPALIVE_BYTES bytes
 * @flow: 0, or QLINK_FLOW_FROM_PORT for a beacon
 *
 * The device does not count it as a packet; it has a counter of its own. A drop is
 * counted like that of any frame.
 *
 * Context: BHs off, in an RCU read side, qlink_aead_may_run(); not while another
 * frame is being sent.
 */
void qlink_tx_keepalive(struct qlink_dev *link, const u8 *plaintext, u32 flow)
{
	struct qlink_attach *attach = rcu_dereference_bh(link->attach);
	struct sk_buff *skb;

	if (!attach) {
		qlink_drop_count(link->stats, link->dev, NULL, QLINK_A_STATS_TX_NO_UNDERLAY, 1);
		return;
	}
	skb = qlink_tx_make(link, attach, plaintext, QLINK_KEEPALIVE_BYTES);
	if (!skb) {
		qlink_drop_count(link->stats, link->dev, NULL, QLINK_A_STATS_TX_NO_MEMORY, 1);
		return;
	}
	qlink_tx_keepalive_out(link, attach, skb, qlink_parcel_tx_flow(attach, flow));
}

/* How long a frame may wait for others to share its parcel; 0 for no longer than this softirq. */
static unsigned int qlink_tx_hold_us(const struct qlink_dev *link, const struct qlink_queue *queue,
				     struct sk_buff *skb)
{
	unsigned int hold_us = READ_ONCE(link->parcel_hold_us);
	const struct qlink_attach *attach;

	if (likely(!hold_us) || READ_ONCE(link->parcel) != QLINK_PARCEL_MODE_PACK)
		return 0;
	attach = rcu_dereference_bh(link->attach);
	return attach && qlink_frame_is_forwarded(skb) &&
	       qlink_pack_may_wait(attach, skb, skb_queue_len_lockless(&queue->packets),
				   qlink_queue_bytes(queue)) ? hold_us : 0;
}

/* Have all that waits on this CPU leave in time for a frame that may wait so long. */
static void qlink_tx_hold(struct hrtimer *timer, unsigned int us)
{
	ktime_t until = ktime_add_us(ktime_get(), us);

	if (!hrtimer_is_queued(timer) || ktime_before(until, hrtimer_get_expires(timer)))
		hrtimer_start(timer, until, HRTIMER_MODE_ABS_PINNED_SOFT);
}

/* Where the CPU has gone offline, another one sends what waited there. */
static enum hrtimer_restart qlink_tx_held(struct hrtimer *timer)
{
	struct qlink_tx_cpu *here = container_of(timer, struct qlink_tx_cpu, timer);

	queue_work(system_bh_wq, &here->work);
	return HRTIMER_NORESTART;
}

/* Have a frame wait for the CPU's work, which runs at the end of this softirq, or later. The first
 * frame that waits longer sets the timer for all that follow it. The work stops the timer before it
 * takes what waits: where the timer is set after a frame was added, the frame is taken in time.
 */
static void qlink_tx_wait(struct qlink_dev *link, struct sk_buff *skb)
{
	unsigned int n = max_t(unsigned int, skb_shinfo(skb)->gso_segs, 1), hold_us;
	struct qlink_tx_cpu *here = this_cpu_ptr(&qlink_tx_cpus);
	struct qlink_queue *queue = this_cpu_ptr(link->tx_queue);
	bool was_empty = qlink_queue_is_empty(queue), is_first;

	hold_us = qlink_tx_hold_us(link, queue, skb);
	if (!qlink_queue_add(queue, skb, n, &is_first))
		qlink_frame_drop(link, skb, QLINK_A_STATS_TX_QUEUE_FULL);
	else if (likely(!hold_us))
		queue_work_on(smp_processor_id(), system_bh_wq, &here->work);
	else if (was_empty || !hrtimer_is_queued(&here->timer))
		qlink_tx_hold(&here->timer, hold_us);
}

/* Turns of one run. What is sent may come back and wait anew: two links that are carried over each
 * other would otherwise keep a CPU for ever.
 */
#define QLINK_TX_TURNS	64

/* Frames of one link go together over several turns, but do not wait while another has its turn. */
static void qlink_tx_turns(struct qlink_tx_cpu *here)
{
	struct qlink_dev *link = NULL, *next;
	unsigned int left = QLINK_TX_TURNS;
	struct qlink_turn turn;
	struct qlink_queue *queue;
	struct sk_buff_head batch;

	__skb_queue_head_init(&batch);
	qlink_turn_init(&turn);
	while (left-- && qlink_aead_may_run() &&
	       (queue = qlink_queues_take(&here->queues, &batch))) {
		next = netdev_priv(skb_peek(&batch)->dev);
		if (next != link)
			qlink_turn_out(link, &turn);
		link = next;
		qlink_tx_batch(link, &batch, &turn);
		if (!skb_queue_empty(&batch)) {
			qlink_turn_out(link, &turn);
			qlink_queue_put_back(queue, &batch);
		}
	}
	qlink_turn_out(link, &turn);
}

/* The devices of these frames cannot go while this runs: their ndo_uninit kills the queues, and
 * the core waits for this RCU read side before it frees them.
 */
static void qlink_tx_work(struct work_struct *work)
{
	struct qlink_tx_cpu *here = container_of(work, struct qlink_tx_cpu, work);

	local_bh_disable();
	rcu_read_lock();
	if (unlikely(hrtimer_is_queued(&here->timer)))
		hrtimer_try_to_cancel(&here->timer);
	qlink_tx_turns(here);
	if (!qlink_queues_are_empty(&here->queues))
		queue_work(system_bh_wq, work);
	rcu_read_unlock();
	local_bh_enable();
}

/* Straight to the clock, so that a qdisc stops as soon as its queue is full. */
static void qlink_tx_by_clock(struct qlink_dev *link, struct sk_buff *skb)
{
	struct sk_buff_head records;

	qlink_turn_records(link, skb, &records);
	if (likely(qlink_clock_add(link, &records)))
		return;
	/* The mode has just changed. */
	while ((skb = __skb_dequeue(&records)))
		qlink_tx_wait(link, skb);
}

/* Does a frame wait for others that may follow it? */
static bool qlink_tx_gathers(const struct qlink_dev *link, const struct sk_buff *skb, u8 mode)
{
	if (mode != QLINK_PARCEL_MODE_PACK)
		return mode > QLINK_PARCEL_MODE_PACK;
	return in_serving_softirq() ||
	       (READ_ONCE(link->parcel_hold_us) && qlink_frame_is_forwarded(skb));
}

/**
 * qlink_tx_xmit() - ndo_start_xmit of a qlink device
 * @skb: frame from the MAC header on; taken over
 * @dev: qlink device
 *
 * Context: BHs off, in an RCU read side.
 * Return: NETDEV_TX_OK always: a frame is sent or counted
 */
netdev_tx_t qlink_tx_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct qlink_dev *link = netdev_priv(dev);
	u8 mode = READ_ONCE(link->parcel);

	if (unlikely(mode == QLINK_PARCEL_MODE_CONSTANT) &&
	    qlink_queue_is_empty(this_cpu_ptr(link->tx_queue))) {
		qlink_tx_by_clock(link, skb);
	} else if (qlink_tx_gathers(link, skb, mode)) {
		qlink_tx_wait(link, skb);
	} else if (unlikely(!qlink_aead_may_run() ||
			    !qlink_queue_is_empty(this_cpu_ptr(link->tx_queue)))) {
		if (!mode)
			qlink_stats_inc(link->stats, QLINK_A_STATS_TX_FPU_WAIT);
		qlink_tx_wait(link, skb);
	} else {
		qlink_frame_send(link, skb);
	}
	return NETDEV_TX_OK;
}

/* Rounds in which the queue of the clock empties, with all that comes meanwhile. What comes after
 * that is a flood, from which some are lost.
 */
#define QLINK_TX_LEAVE_ROUNDS	32768

/* One round: false when the mode has changed. */
static bool qlink_tx_leave_some(struct qlink_dev *link, u8 mode, bool has_patience)
{
	struct qlink_turn turn;
	struct sk_buff_head frames;
	struct sk_buff *skb;
	bool is_done;

	qlink_turn_init(&turn);
	__skb_queue_head_init(&frames);
	local_bh_disable();
	rcu_read_lock();
	is_done = qlink_clock_leave(link, mode, &frames, has_patience);
	while ((skb = __skb_dequeue(&frames)))
		qlink_turn_as(link, &turn, skb, mode);
	qlink_turn_out(link, &turn);
	rcu_read_unlock();
	local_bh_enable();
	return !is_done;
}

/* From the mode constant to another: what has waited goes first. */
static void qlink_tx_leave_clock(struct qlink_dev *link, u8 mode)
{
	unsigned int left = QLINK_TX_LEAVE_ROUNDS;

	while (qlink_tx_leave_some(link, mode, left)) {
		cond_resched();
		left -= !!left;
	}
}

/**
 * qlink_tx_set_parcel() - say how frames share sealed frames
 * @link: registered
 * @mode: an enum qlink_parcel_mode
 *
 * The order of frames stays, and none is lost.
 *
 * Context: RTNL held, sleeps.
 */
void qlink_tx_set_parcel(struct qlink_dev *link, u8 mode)
{
	if (mode == link->parcel)
		return;
	if (link->parcel == QLINK_PARCEL_MODE_CONSTANT) {
		qlink_clock_stop(link);
		qlink_tx_leave_clock(link, mode);
	} else if (mode == QLINK_PARCEL_MODE_CONSTANT) {
		qlink_clock_enter(link);
	} else {
		WRITE_ONCE(link->parcel, mode);
	}
	/* No frame that is of another size is on its way any more. */
	if (mode > QLINK_PARCEL_MODE_PACK)
		synchronize_net();
}

/**
 * qlink_tx_group_new() - make the groups in which the links of a netns wait
 *
 * Context: Process context, sleeps.
 * Return: as of qlink_queue_group_new()
 */
struct qlink_queue_group __percpu *qlink_tx_group_new(void)
{
	return qlink_queue_group_new(&qlink_tx_cpus.queues);
}

/**
 * qlink_tx_init() - make the CPUs' queues
 *
 * Return: 0
 */
int __init qlink_tx_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		qlink_queues_init(&per_cpu(qlink_tx_cpus, cpu).queues);
		INIT_WORK(&per_cpu(qlink_tx_cpus, cpu).work, qlink_tx_work);
		qlink_hrtimer_setup(&per_cpu(qlink_tx_cpus, cpu).timer, qlink_tx_held,
				    CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED_SOFT);
	}
	return 0;
}

/**
 * qlink_tx_exit() - wait for the last work, when no device is left
 */
void qlink_tx_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		hrtimer_cancel(&per_cpu(qlink_tx_cpus, cpu).timer);
		cancel_work_sync(&per_cpu(qlink_tx_cpus, cpu).work);
	}
	qlink_pages_exit();
}
