// SPDX-License-Identifier: GPL-2.0
/* Parcels of one size at a constant rate, whether there is anything to send or not. */
#include "clock.h"

#include <linux/err.h>
#include <linux/ktime.h>
#include <net/sch_generic.h>

#include "compat.h"
#include "drop.h"
#include "nest.h"
#include "parcel_tx.h"
#include "seal.h"

/**
 * DOC: Constant rate
 *
 * At each tick one parcel leaves. It was made right after the tick before, so that what is in it,
 * and how long it took to write, does not show in the time between a tick and its parcel. Then the
 * next one is made from what waits; where nothing waits, it has nothing but padding. So a frame
 * waits for at most as many intervals as the queue has parcels, and one.
 *
 * A tick without a parcel is counted and not caught up: size and rate never follow the load. The
 * timer runs while the device is up, with a carrier or without. Where the link cannot send, because
 * it has no key or no underlay, nothing leaves, and what waits is dropped.
 *
 * All parcels come from the port that the link receives on, so that a beacon in one is as good as a
 * beacon alone.
 */

/* How soon to try again where the FPU is busy (6.12, a softirq inside a task's use of it). */
#define QLINK_CLOCK_RETRY_NS	(20 * NSEC_PER_USEC)

static u64 qlink_clock_interval_ns(const struct qlink_clock *clock)
{
	return READ_ONCE(clock->interval_us) * (u64)NSEC_PER_USEC;
}

/* Most bytes of records that may wait. */
static unsigned int qlink_clock_limit(const struct qlink_dev *link)
{
	const struct qlink_attach *attach = rcu_dereference_bh(link->attach);

	return attach ? READ_ONCE(link->clock.queue) * qlink_parcel_tx_bytes(link, attach) : 0;
}

/* Does the device have a qdisc, in which frames can wait? */
static bool qlink_clock_has_qdisc(const struct net_device *dev)
{
	return rcu_dereference_bh(netdev_get_tx_queue(dev, 0)->qdisc)->enqueue;
}

/* A qdisc goes on from a quarter of the queue on, and stops at half of it, so that a large frame of
 * many segments still has room.
 */
static void qlink_clock_wake(struct qlink_dev *link)
{
	if (netif_queue_stopped(link->dev) &&
	    link->clock.fill.bytes <= qlink_clock_limit(link) / 4)
		netif_wake_queue(link->dev);
}

/* Why nothing can be sent. */
static unsigned int qlink_clock_counter(const struct qlink_dev *link)
{
	const struct qlink_attach *attach = rcu_dereference_bh(link->attach);

	if (attach && !qlink_attach_has_target(attach))
		return QLINK_A_STATS_TX_NO_ROUTE;
	return attach && READ_ONCE(link->is_underlay_up) ? QLINK_A_STATS_TX_NO_KEY :
							   QLINK_A_STATS_TX_NO_UNDERLAY;
}

/* Make the parcel of the next tick. Returns false where the FPU is busy. */
static bool qlink_clock_make(struct qlink_dev *link)
{
	struct qlink_attach *attach = rcu_dereference_bh(link->attach);
	struct qlink_clock *clock = &link->clock;
	struct sk_buff *parcel;
	unsigned int bytes;

	if (!qlink_aead_may_run())
		return false;
	clock->is_able = qlink_seal_can_send(link);
	if (!clock->is_able) {
		qlink_parcel_tx_drop(link, &clock->fill, qlink_clock_counter(link));
		return true;
	}
	bytes = qlink_parcel_tx_bytes(link, attach);
	if (unlikely(!bytes)) {
		qlink_parcel_tx_drop(link, &clock->fill, QLINK_A_STATS_TX_TOO_BIG);
		return true;
	}
	parcel = qlink_parcel_tx_make(link, attach, &clock->fill, bytes, &clock->sum);
	/* What waits can wait for the next tick. */
	if (IS_ERR(parcel))
		return true;
	clock->ready = parcel;
	clock->bytes = bytes;
	clock->attach = attach;
	return true;
}

static bool qlink_clock_prepare(struct qlink_dev *link)
{
	struct qlink_clock *clock = &link->clock;
	bool is_done = true;

	spin_lock(&clock->lock);
	if (!clock->ready)
		is_done = qlink_clock_make(link);
	qlink_clock_wake(link);
	spin_unlock(&clock->lock);
	return is_done;
}

/* Send a parcel that was made for this attach. What is cut goes with it, if that fails. */
static void qlink_clock_emit(struct qlink_dev *link, struct qlink_attach *attach,
			     struct sk_buff *parcel)
{
	struct qlink_clock *clock = &link->clock;
	unsigned int n = clock->sum.records + clock->fill.is_cut;
	struct qlink_nest nest;
	bool is_sent = false;

	if (unlikely(!attach || attach != clock->attach)) {
		qlink_drop(link->stats, link->dev, parcel, QLINK_A_STATS_TX_NO_UNDERLAY, n);
	} else if (unlikely(!qlink_nest_enter(&nest, link))) {
		qlink_drop(link->stats, link->dev, parcel, QLINK_A_STATS_TX_LOOP, n);
	} else {
		is_sent = qlink_seal_emit(link, attach, parcel, n,
					  qlink_parcel_tx_flow(attach, QLINK_FLOW_FROM_PORT));
		qlink_nest_leave(&nest);
	}
	if (likely(is_sent)) {
		qlink_parcel_tx_count(link, clock->bytes, &clock->sum);
		return;
	}
	spin_lock(&clock->lock);
	qlink_fill_give_up(&clock->fill);
	spin_unlock(&clock->lock);
}

/* Send the parcel that is ready. Returns false where there is none. */
static bool qlink_clock_send(struct qlink_dev *link)
{
	struct sk_buff *parcel;

	spin_lock(&link->clock.lock);
	parcel = link->clock.ready;
	link->clock.ready = NULL;
	spin_unlock(&link->clock.lock);
	if (!parcel)
		return false;
	qlink_clock_emit(link, rcu_dereference_bh(link->attach), parcel);
	return true;
}

/* It is time for a parcel. Ticks that have passed without one are counted. */
static void qlink_clock_strike(struct qlink_dev *link, ktime_t now)
{
	struct qlink_clock *clock = &link->clock;
	u64 interval = qlink_clock_interval_ns(clock), missed = 0;

	if (unlikely(ktime_sub(now, clock->due) >= interval))
		missed = div64_u64(ktime_sub(now, clock->due), interval);
	clock->due = ktime_add_ns(clock->due, (missed + 1) * interval);
	missed += !qlink_clock_send(link);
	if (unlikely(missed) && clock->is_able)
		qlink_stats_add(link->stats, QLINK_A_STATS_TX_PARCEL_LATE, missed);
}

static enum hrtimer_restart qlink_clock_tick(struct hrtimer *timer)
{
	struct qlink_clock *clock = container_of(timer, struct qlink_clock, timer);
	struct qlink_dev *link = container_of(clock, struct qlink_dev, clock);
	ktime_t now = ktime_get(), next;

	rcu_read_lock();
	if (!ktime_before(now, clock->due))
		qlink_clock_strike(link, now);
	next = clock->due;
	if (unlikely(!qlink_clock_prepare(link)))
		next = min(next, ktime_add_ns(ktime_get(), QLINK_CLOCK_RETRY_NS));
	rcu_read_unlock();
	hrtimer_set_expires(timer, next);
	return HRTIMER_RESTART;
}

/**
 * qlink_clock_add() - have frames wait for their ticks
 * @link: of the frames
 * @frames: qlink_fill_takes() each; taken over, the list is empty then
 *
 * Context: BHs off, in an RCU read side.
 * Return: false where the mode is not constant any more; then nothing has changed
 */
bool qlink_clock_add(struct qlink_dev *link, struct sk_buff_head *frames)
{
	struct qlink_clock *clock = &link->clock;
	bool is_on, has_time = netif_running(link->dev);
	unsigned int limit = qlink_clock_limit(link);
	struct sk_buff *skb;

	spin_lock(&clock->lock);
	is_on = link->parcel == QLINK_PARCEL_MODE_CONSTANT;
	while (is_on && (skb = __skb_dequeue(frames))) {
		if (has_time && clock->fill.bytes + qlink_fill_record_bytes(skb) <= limit)
			qlink_fill_add(&clock->fill, skb);
		else
			qlink_drop(link->stats, link->dev, skb, has_time && limit ?
				   QLINK_A_STATS_TX_PARCEL_FULL : QLINK_A_STATS_TX_NO_UNDERLAY, 1);
	}
	if (is_on && clock->fill.bytes > limit / 2 && qlink_clock_has_qdisc(link->dev))
		netif_stop_queue(link->dev);
	spin_unlock(&clock->lock);
	return is_on;
}

/**
 * qlink_clock_add_keepalive() - have a keepalive leave with the next parcel that is made
 * @link: of it
 * @skb: QLINK_KEEPALIVE_BYTES bytes; taken over unless false is returned
 *
 * Context: BHs off, in an RCU read side.
 * Return: false where the mode is not constant any more
 */
bool qlink_clock_add_keepalive(struct qlink_dev *link, struct sk_buff *skb)
{
	struct qlink_clock *clock = &link->clock;
	bool is_on;

	spin_lock(&clock->lock);
	is_on = link->parcel == QLINK_PARCEL_MODE_CONSTANT;
	if (is_on)
		qlink_fill_add_keepalive(&clock->fill, skb);
	spin_unlock(&clock->lock);
	return is_on;
}

/**
 * qlink_clock_start() - begin to tick, where the mode is constant
 * @link: its device is up
 *
 * The ticks stay on the CPU that this runs on.
 *
 * Context: RTNL held.
 */
void qlink_clock_start(struct qlink_dev *link)
{
	struct qlink_clock *clock = &link->clock;

	if (link->parcel != QLINK_PARCEL_MODE_CONSTANT || !netif_running(link->dev))
		return;
	clock->due = ktime_add_ns(ktime_get(), qlink_clock_interval_ns(clock));
	hrtimer_start(&clock->timer, clock->due, HRTIMER_MODE_ABS_PINNED_SOFT);
}

/**
 * qlink_clock_stop() - stop ticking
 * @link: its clock may be running
 *
 * Context: RTNL held, sleeps.
 */
void qlink_clock_stop(struct qlink_dev *link)
{
	hrtimer_cancel(&link->clock.timer);
}

/**
 * qlink_clock_clear() - drop all that waits
 * @link: its clock has stopped, and its device sends nothing any more
 *
 * Context: Process context.
 */
void qlink_clock_clear(struct qlink_dev *link)
{
	struct qlink_clock *clock = &link->clock;

	spin_lock_bh(&clock->lock);
	kfree_skb(clock->ready);
	clock->ready = NULL;
	qlink_fill_purge(&clock->fill);
	spin_unlock_bh(&clock->lock);
	netif_start_queue(link->dev);
}

/**
 * qlink_clock_enter() - the mode is constant from now on
 * @link: with another mode until now
 *
 * Context: RTNL held.
 */
void qlink_clock_enter(struct qlink_dev *link)
{
	spin_lock_bh(&link->clock.lock);
	WRITE_ONCE(link->parcel, QLINK_PARCEL_MODE_CONSTANT);
	spin_unlock_bh(&link->clock.lock);
	qlink_clock_start(link);
}

/**
 * qlink_clock_flush() - send the parcel that is ready now
 * @link: its clock has stopped
 *
 * Context: BHs off, in an RCU read side.
 */
void qlink_clock_flush(struct qlink_dev *link)
{
	qlink_clock_send(link);
}

/**
 * qlink_clock_leave() - the mode is another from now on, if nothing waits
 * @link: its clock has stopped
 * @mode: the other one
 * @frames: out: what has waited, which the caller sends before it asks again
 *
 * A frame of which only a part was sent is whole in @frames. So the order of frames stays.
 *
 * Context: BHs off, in an RCU read side, RTNL held.
 * Return: whether the mode has changed
 */
bool qlink_clock_leave(struct qlink_dev *link, u8 mode, struct sk_buff_head *frames)
{
	struct qlink_clock *clock = &link->clock;
	bool is_done;

	__skb_queue_head_init(frames);
	spin_lock(&clock->lock);
	is_done = qlink_fill_is_empty(&clock->fill);
	if (is_done)
		WRITE_ONCE(link->parcel, mode);
	else
		qlink_fill_take(&clock->fill, frames);
	spin_unlock(&clock->lock);
	if (is_done)
		netif_wake_queue(link->dev);
	return is_done;
}

/**
 * qlink_clock_init() - make a clock that does not tick yet
 * @link: zeroed
 */
void qlink_clock_init(struct qlink_dev *link)
{
	struct qlink_clock *clock = &link->clock;

	spin_lock_init(&clock->lock);
	qlink_fill_init(&clock->fill);
	clock->interval_us = QLINK_PARCEL_INTERVAL_US_DEFAULT;
	clock->queue = QLINK_PARCEL_QUEUE_DEFAULT;
	qlink_hrtimer_setup(&clock->timer, qlink_clock_tick, CLOCK_MONOTONIC,
			    HRTIMER_MODE_ABS_PINNED_SOFT);
}
