// SPDX-License-Identifier: GPL-2.0
/* Whether the peer hears us, by keepalives that come back. */
#include "live.h"

#include <linux/ktime.h>

#include "compat.h"
#include "event.h"
#include "seal.h"
#include "tx.h"
#include "wire.h"

/**
 * DOC: Liveness
 *
 * Each end sends a keepalive every keepalive-ms, with the time as its stamp and with
 * the last stamp that it has heard. A keepalive that brings back one of the last
 * QLINK_STAMPS stamps that we sent proves that both directions work, under keys that are
 * in use. Any other keepalive proves nothing, because it may have been held back.
 *
 * ::
 *
 *   off --keepalive-ms--> not heard --one of our last stamps comes back--> heard
 *                             ^                                              |
 *                             +---- three intervals after that stamp --------+
 *                             +---- down, all keys wiped, another underlay --+
 *
 * The carrier is off while the peer is not heard. A stamp that came back counts from the
 * time that it was sent, however long it was on its way. So losing either direction drops
 * the carrier at both ends within three intervals, of the larger interval of the two ends.
 *
 * Over UDP a beacon goes before each keepalive, which is no part of this.
 *
 * One work item a link sends keepalives and checks the peer. It does so also without a
 * carrier, because the carrier comes back only after a keepalive. It runs only while the
 * device is up: ndo_open enables it and ndo_stop disables it, and a device is stopped
 * before it goes.
 */

#define QLINK_LIVE_INTERVALS	3

static u64 qlink_live_interval_ns(const struct qlink_live *live)
{
	return live->keepalive_ms * (u64)NSEC_PER_MSEC;
}

/* Until when the peer counts as heard, once this stamp has come back. */
static u64 qlink_live_until(const struct qlink_live *live, u64 stamp)
{
	u64 interval_ms = max(live->keepalive_ms, live->peer_ms);

	lockdep_assert_held(&live->lock);

	return stamp + QLINK_LIVE_INTERVALS * interval_ms * NSEC_PER_MSEC;
}

/* Forget all that is known of the peer. Returns whether it was heard. */
static bool qlink_live_clear(struct qlink_live *live)
{
	bool was_heard = live->is_heard;

	lockdep_assert_held(&live->lock);

	memset(live->stamps, 0, sizeof(live->stamps));
	live->peer_stamp = 0;
	live->peer_epoch = 0;
	live->peer_ms = 0;
	live->echo = 0;
	live->echo_ns = 0;
	live->send_at = 0;
	WRITE_ONCE(live->is_heard, false);
	return was_heard;
}

static void qlink_live_tell(struct qlink_dev *link, u32 kind)
{
	link->live.changed(link);
	qlink_event_raise(link, kind);
}

/* The stamp is stored before the attach and the key are looked up. When one of these changes and
 * qlink_live_forget() follows, either that forgets this stamp, or the keepalive uses the new ones.
 */
static void qlink_live_write(struct qlink_dev *link, u8 *plaintext)
{
	const struct qlink_key *key = rcu_dereference_bh(link->keyring.rx.current_key);
	struct qlink_live *live = &link->live;
	struct qlink_keepalive keepalive = { .epoch = key ? key->name.epoch : 0 };

	spin_lock(&live->lock);
	memmove(live->stamps + 1, live->stamps, sizeof(live->stamps) - sizeof(live->stamps[0]));
	live->stamps[0] = ktime_get_ns();
	keepalive.stamp = live->stamps[0];
	keepalive.echo = live->peer_stamp;
	keepalive.interval_ms = live->keepalive_ms;
	spin_unlock(&live->lock);
	qlink_keepalive_put(plaintext, &keepalive);
}

/* Over UDP a peer that roams answers to where a beacon came from: only it comes from the port on
 * which we receive, and through the NAT's mapping of that port. It proves nothing, or a link could
 * have a carrier whose frames, which come from other ports, a firewall drops.
 */
static void qlink_live_send_beacon(struct qlink_dev *link)
{
	const struct qlink_attach *attach = rcu_dereference_bh(link->attach);
	struct qlink_keepalive beacon = { .stamp = ktime_get_ns() };
	u8 plaintext[QLINK_KEEPALIVE_BYTES];

	if (!attach || attach->config.kind != QLINK_UNDERLAY_UDP)
		return;
	qlink_keepalive_put(plaintext, &beacon);
	qlink_tx_keepalive(link, plaintext, QLINK_FLOW_FROM_PORT);
}

static void qlink_live_send(struct qlink_dev *link)
{
	u8 plaintext[QLINK_KEEPALIVE_BYTES];

	local_bh_disable();
	rcu_read_lock();
	if (qlink_seal_can_send(link)) {
		qlink_live_send_beacon(link);
		qlink_live_write(link, plaintext);
		qlink_tx_keepalive(link, plaintext, 0);
	}
	rcu_read_unlock();
	local_bh_enable();
}

/* Is a keepalive due? Up to a tick early counts, or rounding would make the interval longer. */
static bool qlink_live_is_due(struct qlink_live *live, u64 now)
{
	u64 interval = qlink_live_interval_ns(live);

	lockdep_assert_held(&live->lock);

	if (!live->keepalive_ms || now + TICK_NSEC < live->send_at)
		return false;
	live->send_at += interval;
	/* The first one, or the work came late. */
	if (live->send_at <= now)
		live->send_at = now + interval;
	return true;
}

/* Queue the work for the next keepalive, or for the time when the peer is lost. */
static void qlink_live_wait(struct qlink_live *live, u64 now)
{
	u64 at = live->send_at;

	lockdep_assert_held(&live->lock);

	if (!live->keepalive_ms)
		return;
	if (live->is_heard)
		at = min(at, qlink_live_until(live, live->echo));
	mod_delayed_work(qlink_unbound_wq, &live->work,
			 at > now ? nsecs_to_jiffies(at - now) + 1 : 0);
}

static void qlink_live_work(struct work_struct *work)
{
	struct qlink_live *live = container_of(to_delayed_work(work), struct qlink_live, work);
	struct qlink_dev *link = container_of(live, struct qlink_dev, live);
	bool is_lost, is_due;
	u64 now;

	spin_lock_bh(&live->lock);
	now = ktime_get_ns();
	is_lost = live->is_heard && now >= qlink_live_until(live, live->echo);
	if (is_lost)
		WRITE_ONCE(live->is_heard, false);
	is_due = qlink_live_is_due(live, now);
	qlink_live_wait(live, now);
	spin_unlock_bh(&live->lock);

	if (is_lost)
		qlink_live_tell(link, QLINK_EVENT_KIND_PEER_LOST);
	if (is_due)
		qlink_live_send(link);
}

static bool qlink_live_is_ours(const struct qlink_live *live, u64 stamp)
{
	unsigned int i;

	for (i = 0; i < QLINK_STAMPS; i++) {
		if (live->stamps[i] == stamp)
			return true;
	}
	return false;
}

/* Take a stamp that came back. Returns whether the peer is heard now and was not before. No stamp
 * counts twice; nor does 0, which a peer sends that has heard no stamp.
 */
static bool qlink_live_take_echo(struct qlink_live *live, u64 echo, u64 now)
{
	lockdep_assert_held(&live->lock);

	if (echo <= live->echo || !qlink_live_is_ours(live, echo) ||
	    now >= qlink_live_until(live, echo))
		return false;
	live->echo = echo;
	live->echo_ns = now - echo;
	if (live->is_heard)
		return false;
	WRITE_ONCE(live->is_heard, true);
	return true;
}

/**
 * qlink_live_hear() - take a keepalive of the peer
 * @link: alive
 * @plaintext: QLINK_KEEPALIVE_BYTES bytes, authentic, and never seen before
 *
 * Context: Softirq.
 */
void qlink_live_hear(struct qlink_dev *link, const u8 *plaintext)
{
	struct qlink_live *live = &link->live;
	struct qlink_keepalive keepalive;
	bool is_news = false;
	u64 now;

	qlink_keepalive_get(&keepalive, plaintext);
	if (qlink_keepalive_is_beacon(&keepalive))
		return;
	spin_lock(&live->lock);
	if (live->keepalive_ms) {
		now = ktime_get_ns();
		/* The last one that came, not the largest: the peer's clock may have restarted. */
		live->peer_stamp = keepalive.stamp;
		live->peer_epoch = keepalive.epoch;
		live->peer_ms = keepalive.interval_ms;
		is_news = qlink_live_take_echo(live, keepalive.echo, now);
		if (is_news)
			qlink_live_wait(live, now);
	}
	spin_unlock(&live->lock);
	if (is_news)
		qlink_live_tell(link, QLINK_EVENT_KIND_PEER_HEARD);
}

/**
 * qlink_live_forget() - forget all stamps, so that they prove nothing any more
 * @link: its keys were wiped, or it is on another underlay
 *
 * When it returns, no keepalive that brings back an earlier stamp counts, not even one
 * that was opened already.
 *
 * Context: Process context.
 */
void qlink_live_forget(struct qlink_dev *link)
{
	struct qlink_live *live = &link->live;
	bool was_heard;

	spin_lock_bh(&live->lock);
	was_heard = qlink_live_clear(live);
	qlink_live_wait(live, ktime_get_ns());
	spin_unlock_bh(&live->lock);
	if (was_heard)
		qlink_live_tell(link, QLINK_EVENT_KIND_PEER_LOST);
}

/**
 * qlink_live_prompt() - send a keepalive now if the peer is not heard
 * @link: alive; it may just have become able to send
 *
 * Nothing is sent while the peer is heard: too many stamps at once would displace the
 * earlier ones.
 *
 * Context: Any but hard interrupts.
 */
void qlink_live_prompt(struct qlink_dev *link)
{
	struct qlink_live *live = &link->live;

	spin_lock_bh(&live->lock);
	if (!live->is_heard) {
		live->send_at = 0;
		qlink_live_wait(live, ktime_get_ns());
	}
	spin_unlock_bh(&live->lock);
}

/**
 * qlink_live_set() - say how often keepalives are sent
 * @link: registered
 * @keepalive_ms: checked; 0 for never
 *
 * Without keepalives the carrier does not depend on the peer, at once. With them the peer
 * has to be heard first; a change of the interval leaves it heard.
 *
 * Context: RTNL held.
 */
void qlink_live_set(struct qlink_dev *link, u32 keepalive_ms)
{
	struct qlink_live *live = &link->live;
	u64 now;

	if (live->keepalive_ms == keepalive_ms)
		return;
	spin_lock_bh(&live->lock);
	now = ktime_get_ns();
	if (!live->keepalive_ms || !keepalive_ms)
		qlink_live_clear(live);
	WRITE_ONCE(live->keepalive_ms, keepalive_ms);
	live->send_at = min(live->send_at, now + qlink_live_interval_ns(live));
	qlink_live_wait(live, now);
	spin_unlock_bh(&live->lock);
	live->changed(link);
}

/**
 * qlink_live_start() - the device is up: send keepalives, where they are on
 * @link: down until now
 *
 * Context: RTNL held.
 */
void qlink_live_start(struct qlink_dev *link)
{
	enable_delayed_work(&link->live.work);
	qlink_live_prompt(link);
}

/**
 * qlink_live_stop() - the device is down: stop keepalives and forget the peer
 * @link: up until now
 *
 * Context: RTNL held, sleeps.
 */
void qlink_live_stop(struct qlink_dev *link)
{
	disable_delayed_work_sync(&link->live.work);
	qlink_live_forget(link);
}

/**
 * qlink_live_read() - read what is shown of the peer
 * @link: alive
 * @info: out
 *
 * Context: Any but hard interrupts.
 */
void qlink_live_read(struct qlink_dev *link, struct qlink_live_info *info)
{
	struct qlink_live *live = &link->live;

	spin_lock_bh(&live->lock);
	info->keepalive_ms = live->keepalive_ms;
	info->is_heard = live->is_heard;
	info->peer_epoch = live->peer_epoch;
	info->echo_us = div_u64(live->echo_ns, NSEC_PER_USEC);
	spin_unlock_bh(&live->lock);
}

/**
 * qlink_live_init() - prepare keepalives, which begin when the device is up
 * @link: zeroed
 * @changed: called when the carrier may have to change; BHs may be off, no lock is held
 */
void qlink_live_init(struct qlink_dev *link, void (*changed)(struct qlink_dev *link))
{
	spin_lock_init(&link->live.lock);
	link->live.changed = changed;
	INIT_DELAYED_WORK(&link->live.work, qlink_live_work);
	disable_delayed_work(&link->live.work);
}
