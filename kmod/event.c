// SPDX-License-Identifier: GPL-2.0
/* Events: what happens to a link, told to whoever listens. */
#include "event.h"

#include <net/genetlink.h>

#include "compat.h"
#include "netlink-gen.h"
#include "ring_show.h"

/**
 * DOC: Events
 *
 * What happens sets a bit, and the first bit queues a work item, which sends one
 * message with all bits that are set by then and with what the rings are like. It
 * runs at once where the last one is QLINK_EVENT_GAP or more ago, and when that is
 * over otherwise. So an attacker's frames make 20 messages a second of a link and no
 * more, and the last one always tells how things are in the end: whoever sets a bit
 * does so after the deed, and the work clears the bits before it looks.
 *
 * Where nothing has happened but that keys changed, the gap is QLINK_EVENT_CALM: who
 * listens to a thousand rekeys a second had better not cost more than they do.
 *
 * A message whose listener is too slow is lost to it; the next has a sequence number
 * that is not the next, also where nobody listened in between.
 */

#define QLINK_EVENT_GAP		(HZ / 20)
#define QLINK_EVENT_CALM	(HZ / 4)
#define QLINK_EVENTS_CALM	(QLINK_EVENT_KIND_ROTATED | QLINK_EVENT_KIND_PEER_EPOCH)

static size_t qlink_event_bytes(void)
{
	return nla_total_size(sizeof(u32)) +			/* ifindex */
	       nla_total_size(IFNAMSIZ) +
	       nla_total_size(0) +				/* the nest */
	       3 * nla_total_size_64bit(sizeof(u64)) +		/* sequence, two counters */
	       nla_total_size(sizeof(u32)) +			/* kinds */
	       nla_total_size(sizeof(u8)) +			/* peer heard */
	       2 * qlink_ring_bytes();
}

static int qlink_event_fill_nest(struct sk_buff *msg, struct qlink_dev *link, u32 kinds)
{
	u64 failures = qlink_stats_sum(link->stats, QLINK_A_STATS_RX_AUTH_ERROR);
	u64 replays = qlink_stats_sum(link->stats, QLINK_A_STATS_RX_REPLAY) +
		      qlink_stats_sum(link->stats, QLINK_A_STATS_RX_OLD);

	if (nla_put_u64_64bit(msg, QLINK_A_EVENT_SEQUENCE, link->events.sequence,
			      QLINK_A_EVENT_PAD) ||
	    nla_put_u32(msg, QLINK_A_EVENT_KINDS, kinds) ||
	    qlink_ring_fill(msg, &link->keyring.tx, QLINK_A_EVENT_TX) ||
	    qlink_ring_fill(msg, &link->keyring.rx, QLINK_A_EVENT_RX) ||
	    nla_put_u64_64bit(msg, QLINK_A_EVENT_AUTH_FAILURES, failures, QLINK_A_EVENT_PAD) ||
	    nla_put_u64_64bit(msg, QLINK_A_EVENT_REPLAYS, replays, QLINK_A_EVENT_PAD) ||
	    (READ_ONCE(link->live.keepalive_ms) &&
	     nla_put_u8(msg, QLINK_A_EVENT_PEER_HEARD, READ_ONCE(link->live.is_heard))))
		return -EMSGSIZE;
	return 0;
}

static int qlink_event_fill(struct sk_buff *msg, struct qlink_dev *link, u32 kinds,
			    bool is_device_net)
{
	struct nlattr *nest;
	void *header;

	header = genlmsg_put(msg, 0, 0, &qlink_nl_family, 0, QLINK_CMD_EVENT);
	if (!header ||
	    (is_device_net &&
	     nla_put_u32(msg, QLINK_A_IFINDEX, READ_ONCE(link->dev->ifindex))) ||
	    nla_put_string(msg, QLINK_A_IFNAME, link->dev->name))
		return -EMSGSIZE;
	nest = nla_nest_start(msg, QLINK_A_EVENT);
	if (!nest || qlink_event_fill_nest(msg, link, kinds))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	genlmsg_end(msg, header);
	return 0;
}

/* Without memory the event is lost, and its number is missed like any other. */
static void qlink_event_send(struct qlink_dev *link, struct net *net, u32 kinds,
			     bool is_device_net)
{
	struct sk_buff *msg;

	if (!genl_has_listeners(&qlink_nl_family, net, QLINK_NLGRP_EVENTS))
		return;
	msg = genlmsg_new(qlink_event_bytes(), GFP_ATOMIC);
	if (!msg)
		return;
	if (WARN_ON_ONCE(qlink_event_fill(msg, link, kinds, is_device_net)))
		nlmsg_free(msg);
	else
		genlmsg_multicast_netns(&qlink_nl_family, net, msg, 0, QLINK_NLGRP_EVENTS,
					GFP_ATOMIC);
}

static void qlink_event_work(struct work_struct *work)
{
	struct qlink_dev *link = container_of(to_delayed_work(work), struct qlink_dev,
					      events.work);
	struct net *net;
	u32 kinds;

	/* Whoever finds nothing pending sees this, too, and queues the next one a gap from now. */
	WRITE_ONCE(link->events.sent_at, jiffies);
	kinds = atomic_xchg(&link->events.pending, 0);
	link->events.sequence++;
	/* The device may be on its way to another netns; neither goes while we read. */
	rcu_read_lock();
	net = dev_net(link->dev);
	qlink_event_send(link, net, kinds, true);
	if (!net_eq(net, link->net))
		qlink_event_send(link, link->net, kinds, false);
	rcu_read_unlock();
}

/* When a message with these kinds may be sent, from now on in jiffies. */
static long qlink_event_wait(const struct qlink_events *events, u32 kinds)
{
	long gap = kinds & ~QLINK_EVENTS_CALM ? QLINK_EVENT_GAP : QLINK_EVENT_CALM;

	return clamp((long)(READ_ONCE(events->sent_at) + gap - jiffies), 0L, gap);
}

/**
 * qlink_event_raise() - tell that something has happened to a link
 * @link: alive
 * @kinds: bits of enum qlink_event_kind; what they say has been done
 *
 * Context: Any but hard interrupts. Costs one load where the same is pending already.
 */
void qlink_event_raise(struct qlink_dev *link, u32 kinds)
{
	struct qlink_events *events = &link->events;
	u32 before;

	if ((atomic_read(&events->pending) & kinds) == kinds)
		return;
	before = atomic_fetch_or(kinds, &events->pending);
	/* Where a bit was set before, the work is due, and has not looked yet; maybe too late. */
	if (!before)
		queue_delayed_work(qlink_unbound_wq, &events->work,
				   qlink_event_wait(events, kinds));
	else if (kinds & ~QLINK_EVENTS_CALM && !(before & ~QLINK_EVENTS_CALM))
		mod_delayed_work(qlink_unbound_wq, &events->work,
				 qlink_event_wait(events, kinds));
}

/**
 * qlink_event_init() - let a link have events
 * @link: zeroed
 */
void qlink_event_init(struct qlink_dev *link)
{
	atomic_set(&link->events.pending, 0);
	INIT_DELAYED_WORK(&link->events.work, qlink_event_work);
	link->events.sent_at = jiffies - QLINK_EVENT_GAP;
}

/**
 * qlink_event_exit() - let a link have no more events
 * @link: no more frames are queued for it
 *
 * A frame that another CPU is in the middle of may still raise one, which is lost.
 *
 * Context: Process context, sleeps.
 */
void qlink_event_exit(struct qlink_dev *link)
{
	disable_delayed_work_sync(&link->events.work);
}
