// SPDX-License-Identifier: GPL-2.0
/* Events: what happens to a link, sent to all listeners. */
#include "event.h"

#include <net/genetlink.h>

#include "compat.h"
#include "netlink-gen.h"
#include "ring_show.h"

/**
 * DOC: Events
 *
 * Each event sets a bit. The first bit queues a work item, which sends one message with
 * all bits that are set by then and with the state of the rings. It runs at once where
 * the last message was sent QLINK_EVENT_GAP ago or earlier, and otherwise when that gap
 * is over. So an attacker's frames cause at most 20 messages a second for a link. The last
 * message always shows the final state: a bit is set after the change that it reports, and
 * the work clears the bits before it reads the state.
 *
 * Where the only events are changes of keys, the gap is QLINK_EVENT_LONG_GAP, so that
 * listening to a thousand rekeys a second does not cost more than the rekeys.
 *
 * A listener that is too slow misses a message and sees a gap in the sequence numbers.
 * The numbers also grow while nobody listens.
 */

#define QLINK_EVENT_GAP		(HZ / 20)
#define QLINK_EVENT_LONG_GAP	(HZ / 4)
#define QLINK_EVENTS_OF_REKEY	(QLINK_EVENT_KIND_ROTATED | QLINK_EVENT_KIND_PEER_EPOCH)

static size_t qlink_event_bytes(void)
{
	return nla_total_size(sizeof(u32)) +			/* ifindex */
	       nla_total_size(IFNAMSIZ) +
	       nla_total_size(0) +				/* the nest */
	       3 * nla_total_size_64bit(sizeof(u64)) +		/* sequence, two counters */
	       nla_total_size(sizeof(u32)) +			/* kinds */
	       nla_total_size(sizeof(u8)) +			/* peer heard */
	       2 * nla_total_size(sizeof(struct in6_addr)) +	/* endpoint, former */
	       2 * nla_total_size(sizeof(u16)) +		/* their ports */
	       2 * qlink_ring_bytes();
}

static int qlink_event_fill_place(struct sk_buff *msg, const struct qlink_place *place,
				  u8 address_bytes, int address, int port)
{
	if (!place->is_known)
		return 0;
	return nla_put(msg, address, address_bytes, &place->address) ?:
	       nla_put_be16(msg, port, place->port);
}

static int qlink_event_fill_endpoint(struct sk_buff *msg, const struct qlink_dev *link)
{
	struct qlink_attach *attach = rcu_dereference(link->attach);
	struct qlink_place now, former;
	u8 address_bytes;

	if (!attach || !attach->config.roam)
		return 0;
	address_bytes = attach->config.address_bytes;
	qlink_endpoint_read(&attach->endpoint, &now, &former);
	return qlink_event_fill_place(msg, &now, address_bytes, QLINK_A_EVENT_ENDPOINT,
				      QLINK_A_EVENT_ENDPOINT_PORT) ?:
	       qlink_event_fill_place(msg, &former, address_bytes, QLINK_A_EVENT_FORMER,
				      QLINK_A_EVENT_FORMER_PORT);
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
	     nla_put_u8(msg, QLINK_A_EVENT_PEER_HEARD, READ_ONCE(link->live.is_heard))) ||
	    qlink_event_fill_endpoint(msg, link))
		return -EMSGSIZE;
	return 0;
}

static void qlink_event_copy_name(struct qlink_dev *link, char *name)
{
	spin_lock(&link->events.lock);
	strscpy(name, link->events.name, IFNAMSIZ);
	spin_unlock(&link->events.lock);
}

static int qlink_event_fill(struct sk_buff *msg, struct qlink_dev *link, u32 kinds,
			    bool is_device_net)
{
	char name[IFNAMSIZ];
	struct nlattr *nest;
	void *header;

	qlink_event_copy_name(link, name);
	header = genlmsg_put(msg, 0, 0, &qlink_nl_family, 0, QLINK_CMD_EVENT);
	if (!header ||
	    (is_device_net &&
	     nla_put_u32(msg, QLINK_A_IFINDEX, READ_ONCE(link->dev->ifindex))) ||
	    nla_put_string(msg, QLINK_A_IFNAME, name))
		return -EMSGSIZE;
	nest = nla_nest_start(msg, QLINK_A_EVENT);
	if (!nest || qlink_event_fill_nest(msg, link, kinds))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	genlmsg_end(msg, header);
	return 0;
}

/* Without memory the message is lost, and listeners see a gap in the sequence numbers. */
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

	/* Code that finds nothing pending sees this too, and queues the work a gap from now. */
	WRITE_ONCE(link->events.sent_at, jiffies);
	kinds = atomic_xchg(&link->events.pending, 0);
	link->events.sequence++;
	/* The device may be moving to another netns; neither netns goes during the read side. */
	rcu_read_lock();
	net = dev_net(link->dev);
	qlink_event_send(link, net, kinds, true);
	if (!net_eq(net, link->net))
		qlink_event_send(link, link->net, kinds, false);
	rcu_read_unlock();
}

/* In how many jiffies a message with these kinds may be sent. */
static long qlink_event_wait(const struct qlink_events *events, u32 kinds)
{
	long gap = kinds & ~QLINK_EVENTS_OF_REKEY ? QLINK_EVENT_GAP : QLINK_EVENT_LONG_GAP;

	return clamp((long)(READ_ONCE(events->sent_at) + gap - jiffies), 0L, gap);
}

/**
 * qlink_event_raise() - report that something has happened to a link
 * @link: alive
 * @kinds: bits of enum qlink_event_kind; the changes that they report are done
 *
 * Context: Any but hard interrupts. Costs one load where the same kinds are pending already.
 */
void qlink_event_raise(struct qlink_dev *link, u32 kinds)
{
	struct qlink_events *events = &link->events;
	u32 before;

	if ((atomic_read(&events->pending) & kinds) == kinds)
		return;
	before = atomic_fetch_or(kinds, &events->pending);
	/* Where a bit was set before, the work is queued and has not run yet; maybe it is queued
	 * for too late.
	 */
	if (!before)
		queue_delayed_work(qlink_unbound_wq, &events->work,
				   qlink_event_wait(events, kinds));
	else if (kinds & ~QLINK_EVENTS_OF_REKEY && !(before & ~QLINK_EVENTS_OF_REKEY))
		mod_delayed_work(qlink_unbound_wq, &events->work,
				 qlink_event_wait(events, kinds));
}

/**
 * qlink_event_rename() - take the name of a link's device into the events
 * @link: alive
 *
 * Context: Process context, RTNL held.
 */
void qlink_event_rename(struct qlink_dev *link)
{
	spin_lock(&link->events.lock);
	strscpy(link->events.name, link->dev->name, IFNAMSIZ);
	spin_unlock(&link->events.lock);
}

/**
 * qlink_event_init() - prepare the events of a link
 * @link: zeroed, its device has a name
 *
 * Context: Process context, RTNL held.
 */
void qlink_event_init(struct qlink_dev *link)
{
	atomic_set(&link->events.pending, 0);
	INIT_DELAYED_WORK(&link->events.work, qlink_event_work);
	link->events.sent_at = jiffies - QLINK_EVENT_GAP;
	spin_lock_init(&link->events.lock);
	qlink_event_rename(link);
}

/**
 * qlink_event_exit() - stop the events of a link
 * @link: no more frames are queued for it
 *
 * A frame that another CPU is handling may still raise one, which is lost.
 *
 * Context: Process context, sleeps.
 */
void qlink_event_exit(struct qlink_dev *link)
{
	disable_delayed_work_sync(&link->events.work);
}
