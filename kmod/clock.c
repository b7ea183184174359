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
 * Whoever sends holds the lock of the queue, so a tick does not take it before its parcel has left.
 *
 * All parcels come from the port that the link receives on, as with the mode pad, so that a beacon
 * in one is as good as a beacon alone.
 */

/* How soon to try again where the FPU is busy (6.12, a softirq inside a task's use of it). */
#define QLINK_CLOCK_RETRY_NS	(20 * NSEC_PER_USEC)

static u64 qlink_clock_interval_ns(const struct qlink_clock *clock)
{
	return READ_ONCE(clock->interval_us) * (u64)NSEC_PER_USEC;
}

/* Most memory that frames of a link may take while they wait: small ones take much more than their
 * records.
 */
#define QLINK_CLOCK_MEMORY	(16U << 20)

/**
 * struct qlink_clock_cb - control block of a parcel that is ready
 */
struct qlink_clock_cb {
	/** @attach: serial of the attach that it was made for */
	u64 attach;
	/** @sum: what it has */
	struct qlink_fill_sum sum;
	/** @bytes: of its plaintext */
	unsigned int bytes;
	/** @n: frames and keepalives that are lost with it */
	unsigned int n;
};

static struct qlink_clock_cb *qlink_clock_cb(const struct sk_buff *parcel)
{
	BUILD_BUG_ON(sizeof(struct qlink_clock_cb) > sizeof(parcel->cb));
	return (struct qlink_clock_cb *)parcel->cb;
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
	if (link->clock.has_stopped && link->clock.fill.bytes <= qlink_clock_limit(link) / 4) {
		link->clock.has_stopped = false;
		netif_tx_wake_all_queues(link->dev);
	}
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
	struct qlink_fill_sum sum;
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
	parcel = qlink_parcel_tx_make(link, attach, &clock->fill, bytes, &sum);
	/* What waits can wait for the next tick. */
	if (IS_ERR(parcel))
		return true;
	*qlink_clock_cb(parcel) = (struct qlink_clock_cb){
		.attach = attach->serial,
		.sum = sum,
		.bytes = bytes,
		.n = sum.records + clock->fill.is_cut,
	};
	/* Pairs with the xchg() of those who take it. */
	smp_store_release(&clock->ready, parcel);
	return true;
}

static bool qlink_clock_prepare(struct qlink_dev *link)
{
	struct qlink_clock *clock = &link->clock;
	bool is_done = true;

	spin_lock(&clock->lock);
	if (!READ_ONCE(clock->ready))
		is_done = qlink_clock_make(link);
	qlink_clock_wake(link);
	spin_unlock(&clock->lock);
	return is_done;
}

/* What is cut goes with a parcel that was not sent. */
static void qlink_clock_give_up(struct qlink_clock *clock)
{
	spin_lock(&clock->lock);
	qlink_fill_give_up(&clock->fill);
	spin_unlock(&clock->lock);
}

static void qlink_clock_lose(struct qlink_dev *link, struct sk_buff *parcel, unsigned int counter)
{
	qlink_drop(link->stats, link->dev, parcel, counter, qlink_clock_cb(parcel)->n);
	qlink_clock_give_up(&link->clock);
}

static void qlink_clock_lose_ready(struct qlink_dev *link, unsigned int counter)
{
	struct sk_buff *parcel = xchg(&link->clock.ready, NULL);

	if (parcel)
		qlink_clock_lose(link, parcel, counter);
}

static bool qlink_clock_emit(struct qlink_dev *link, struct qlink_attach *attach,
			     struct sk_buff *parcel)
{
	struct qlink_clock_cb cb = *qlink_clock_cb(parcel);
	struct qlink_nest nest;
	bool is_sent;

	if (unlikely(!attach || attach->serial != cb.attach)) {
		qlink_clock_lose(link, parcel, QLINK_A_STATS_TX_NO_UNDERLAY);
		return false;
	}
	if (unlikely(READ_ONCE(link->is_looped) || !qlink_nest_enter(&nest, link))) {
		qlink_clock_lose(link, parcel, QLINK_A_STATS_TX_LOOP);
		return false;
	}
	is_sent = qlink_seal_emit(link, attach, parcel, cb.n,
				  qlink_parcel_tx_flow(attach, QLINK_FLOW_FROM_PORT));
	qlink_nest_leave(&nest);
	if (likely(is_sent))
		qlink_parcel_tx_count(link, cb.bytes, &cb.sum);
	else
		qlink_clock_give_up(&link->clock);
	return is_sent;
}

/* Send the parcel that is ready. Returns whether one was sent. */
static bool qlink_clock_send(struct qlink_dev *link)
{
	struct sk_buff *parcel = xchg(&link->clock.ready, NULL);

	return parcel && qlink_clock_emit(link, rcu_dereference_bh(link->attach), parcel);
}

/* It is time for a parcel. Ticks that have passed without one are counted. Returns how many. */
static u64 qlink_clock_strike(struct qlink_dev *link, ktime_t now)
{
	struct qlink_clock *clock = &link->clock;
	u64 interval = qlink_clock_interval_ns(clock), missed = 0;

	if (unlikely(ktime_sub(now, clock->due) >= interval))
		missed = div64_u64(ktime_sub(now, clock->due), interval);
	clock->due = ktime_add_ns(clock->due, (missed + 1) * interval);
	missed += !qlink_clock_send(link);
	if (unlikely(missed) && clock->is_able)
		qlink_stats_add(link->stats, QLINK_A_STATS_TX_PARCEL_LATE, missed);
	return missed;
}

/* When clocks may tick again on a CPU that is too slow for them. */
static DEFINE_PER_CPU(ktime_t, qlink_clock_free_at);

/* A CPU whose clocks need all of it would do nothing else: timers come before all processes. After
 * a tick that was missed, none comes on this CPU for twice as long as this one took.
 */
static void qlink_clock_yield(ktime_t begun)
{
	ktime_t now = ktime_get();

	__this_cpu_write(qlink_clock_free_at, ktime_add(now, 2 * ktime_sub(now, begun)));
}

static enum hrtimer_restart qlink_clock_tick(struct hrtimer *timer)
{
	struct qlink_clock *clock = container_of(timer, struct qlink_clock, timer);
	struct qlink_dev *link = container_of(clock, struct qlink_dev, clock);
	ktime_t now = ktime_get(), next = __this_cpu_read(qlink_clock_free_at);
	u64 missed = 0;

	if (unlikely(ktime_before(now, next))) {
		hrtimer_set_expires(timer, next);
		return HRTIMER_RESTART;
	}
	rcu_read_lock();
	if (!ktime_before(now, clock->due))
		missed = qlink_clock_strike(link, now);
	next = clock->due;
	if (unlikely(!qlink_clock_prepare(link)))
		next = min(next, ktime_add_ns(ktime_get(), QLINK_CLOCK_RETRY_NS));
	rcu_read_unlock();
	if (unlikely(missed))
		qlink_clock_yield(now);
	hrtimer_set_expires(timer, next);
	return HRTIMER_RESTART;
}

/* Is there room for one more frame? An empty queue takes any. Where a qdisc can be stopped, all
 * segments of the frame that crosses the limit have room.
 */
static bool qlink_clock_has_room(const struct qlink_clock *clock, unsigned int limit,
				 unsigned int begun_at)
{
	return begun_at < limit && clock->fill.memory < QLINK_CLOCK_MEMORY;
}

/* Have frames wait, as many as have room. */
static void qlink_clock_take(struct qlink_dev *link, struct sk_buff_head *frames,
			     unsigned int limit)
{
	struct qlink_clock *clock = &link->clock;
	bool has_qdisc = qlink_clock_has_qdisc(link->dev);
	unsigned int begun_at = clock->fill.bytes;
	struct sk_buff *skb;

	while ((skb = skb_peek(frames)) &&
	       qlink_clock_has_room(clock, limit, has_qdisc ? begun_at : clock->fill.bytes)) {
		__skb_unlink(skb, frames);
		qlink_fill_add(&clock->fill, skb);
	}
	if (has_qdisc && clock->fill.bytes > limit / 2) {
		clock->has_stopped = true;
		netif_tx_stop_all_queues(link->dev);
	}
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
	unsigned int limit = qlink_clock_limit(link), counter = QLINK_A_STATS_TX_PARCEL_FULL;
	struct qlink_clock *clock = &link->clock;
	struct sk_buff *skb;

	spin_lock(&clock->lock);
	if (unlikely(link->parcel != QLINK_PARCEL_MODE_CONSTANT)) {
		spin_unlock(&clock->lock);
		return false;
	}
	/* Under the lock: what is added after ndo_stop would be sent after the next ndo_open. */
	if (unlikely(!limit || !netif_running(link->dev)))
		counter = QLINK_A_STATS_TX_NO_UNDERLAY;
	else
		qlink_clock_take(link, frames, limit);
	spin_unlock(&clock->lock);
	while (unlikely((skb = __skb_dequeue(frames))))
		qlink_drop(link->stats, link->dev, skb, counter, 1);
	return true;
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

	local_bh_disable();
	qlink_clock_lose_ready(link, QLINK_A_STATS_TX_NO_UNDERLAY);
	spin_lock(&clock->lock);
	qlink_parcel_tx_drop(link, &clock->fill, QLINK_A_STATS_TX_NO_UNDERLAY);
	clock->has_stopped = false;
	spin_unlock(&clock->lock);
	local_bh_enable();
	netif_tx_start_all_queues(link->dev);
}

/**
 * qlink_clock_discard() - drop the parcel that is ready: it is sealed under a key that must go
 * @link: its keys were wiped
 *
 * Context: Process context or BHs off.
 */
void qlink_clock_discard(struct qlink_dev *link)
{
	local_bh_disable();
	qlink_clock_lose_ready(link, QLINK_A_STATS_TX_NO_KEY);
	local_bh_enable();
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

/* How many frames are taken at once when the mode changes. */
#define QLINK_CLOCK_LEAVE_FRAMES	64

/**
 * qlink_clock_leave() - the mode is another from now on, if nothing waits
 * @link: its clock has stopped
 * @mode: the other one
 * @frames: empty; out: the first of those that have waited, which the caller sends before it asks
 *	again
 * @has_patience: false: what waits is dropped, and the mode changes
 *
 * The parcel that is ready is sent first. A frame of which only a part was sent is whole in
 * @frames. So the order of frames stays.
 *
 * Context: BHs off, in an RCU read side, RTNL held.
 * Return: whether the mode has changed
 */
bool qlink_clock_leave(struct qlink_dev *link, u8 mode, struct sk_buff_head *frames,
		       bool has_patience)
{
	struct qlink_clock *clock = &link->clock;
	bool is_done;

	qlink_clock_send(link);
	spin_lock(&clock->lock);
	if (unlikely(!has_patience))
		qlink_parcel_tx_drop(link, &clock->fill, QLINK_A_STATS_TX_PARCEL_FULL);
	is_done = qlink_fill_is_empty(&clock->fill);
	if (is_done) {
		WRITE_ONCE(link->parcel, mode);
		clock->has_stopped = false;
	} else {
		qlink_fill_take(&clock->fill, frames, QLINK_CLOCK_LEAVE_FRAMES);
	}
	spin_unlock(&clock->lock);
	if (is_done)
		netif_tx_wake_all_queues(link->dev);
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
