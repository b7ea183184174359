// SPDX-License-Identifier: GPL-2.0
/* What the udp underlay has of each netns: its hooks, and notice of changed routes. */
#include "udp_net.h"

#include <linux/rtnetlink.h>
#include <linux/workqueue.h>
#include <net/fib_notifier.h>
#include <net/netns/generic.h>

#include "compat.h"
#include "underlay.h"

/**
 * DOC: Changed routes
 *
 * A frame finds out by itself that its route has changed. A link without traffic has to be told,
 * because its carrier, its MTU and the VRF of its local address depend on the route too. Routes,
 * rules and local addresses are all entries of the FIB, whose notifier queues one work item for
 * the netns, and that has all links follow.
 *
 * The work runs QLINK_UDP_NET_GAP after the first change, or later where the last run took long.
 * So a table of a million routes that is loaded costs some runs a second, and no share of the time
 * above a tenth, whatever the number of links. The gap has another use: some changes are
 * announced just before they are made.
 */

#define QLINK_UDP_NET_GAP	(HZ / 10)
#define QLINK_UDP_NET_SHARE	9	/* a run is followed by this many times its own duration */

/**
 * struct qlink_udp_net - the udp underlay in one netns
 */
struct qlink_udp_net {
	/** @hooks: of udp_gso.c */
	struct qlink_udp_hooks hooks;
	/** @net: the netns */
	struct net *net;
	/** @fib: told of each change of a route, a rule or a local address */
	struct notifier_block fib;
	/** @is_watching: @fib is registered; only @work changes it */
	bool is_watching;
	/** @gap: from a change to the run of @work, in jiffies */
	unsigned long gap;
	/** @work: registers @fib, and has all links follow */
	struct delayed_work work;
};

static unsigned int qlink_udp_net_id __read_mostly;

static void qlink_udp_net_follow(struct qlink_udp_net *here)
{
	struct qlink_port *port;

	rtnl_lock();
	list_for_each_entry(port, qlink_underlay_ports(here->net, QLINK_UNDERLAY_UDP), entry)
		qlink_port_follow(port);
	qlink_underlay_follow_all();
	rtnl_unlock();
}

/* To register reads all routes, and fails where they change meanwhile. On 6.12 it takes RTNL. So
 * it is done here, and again until it succeeds.
 */
static void qlink_udp_net_work(struct work_struct *work)
{
	struct qlink_udp_net *here = container_of(to_delayed_work(work), struct qlink_udp_net,
						  work);
	u64 began = get_jiffies_64();

	if (!here->is_watching)
		WRITE_ONCE(here->is_watching,
			   !register_fib_notifier(here->net, &here->fib, NULL, NULL));
	qlink_udp_net_follow(here);
	WRITE_ONCE(here->gap, max_t(u64, QLINK_UDP_NET_GAP,
				    QLINK_UDP_NET_SHARE * (get_jiffies_64() - began)));
	if (!here->is_watching)
		queue_delayed_work(qlink_unbound_wq, &here->work,
				   max_t(unsigned long, HZ, here->gap));
}

/* In any context but a hard interrupt. A netns without ports pays for this look. */
static int qlink_udp_net_event(struct notifier_block *fib, unsigned long event, void *ptr)
{
	struct qlink_udp_net *here = container_of(fib, struct qlink_udp_net, fib);

	/* While it is registered it tells of all routes that there are. */
	if (READ_ONCE(here->is_watching) &&
	    !list_empty(qlink_underlay_ports(here->net, QLINK_UNDERLAY_UDP)))
		queue_delayed_work(qlink_unbound_wq, &here->work, READ_ONCE(here->gap));
	return NOTIFY_DONE;
}

/**
 * qlink_udp_net_hooks() - the addresses and ports of a netns to which bundles come
 * @net: alive
 *
 * Return: the table
 */
struct qlink_udp_hooks *qlink_udp_net_hooks(const struct net *net)
{
	struct qlink_udp_net *here = net_generic(net, qlink_udp_net_id);

	return &here->hooks;
}

/**
 * qlink_udp_net_watch() - have the links of a netns follow its routes from now on
 * @net: alive; has a port
 *
 * Context: RTNL held.
 */
void qlink_udp_net_watch(struct net *net)
{
	struct qlink_udp_net *here = net_generic(net, qlink_udp_net_id);

	if (!READ_ONCE(here->is_watching))
		queue_delayed_work(qlink_unbound_wq, &here->work, 0);
}

static int __net_init qlink_udp_net_enter(struct net *net)
{
	struct qlink_udp_net *here = net_generic(net, qlink_udp_net_id);

	mutex_init(&here->hooks.mutex);
	hash_init(here->hooks.table);
	INIT_DELAYED_WORK(&here->work, qlink_udp_net_work);
	here->net = net;
	here->gap = QLINK_UDP_NET_GAP;
	here->fib.notifier_call = qlink_udp_net_event;
	return 0;
}

/* The links are gone: device.c deletes them earlier, in the exit under RTNL. */
static void __net_exit qlink_udp_net_leave(struct net *net)
{
	struct qlink_udp_net *here = net_generic(net, qlink_udp_net_id);

	disable_delayed_work_sync(&here->work);
	if (here->is_watching)
		unregister_fib_notifier(net, &here->fib);
}

static struct pernet_operations qlink_udp_net_ops = {
	.init = qlink_udp_net_enter,
	.exit = qlink_udp_net_leave,
	.id = &qlink_udp_net_id,
	.size = sizeof(struct qlink_udp_net),
};

/**
 * qlink_udp_net_init() - prepare every netns
 *
 * Context: Process context, sleeps.
 * Return: 0 or %-ENOMEM
 */
int __init qlink_udp_net_init(void)
{
	return register_pernet_subsys(&qlink_udp_net_ops);
}

/**
 * qlink_udp_net_exit() - undo qlink_udp_net_init(), when no link is left
 *
 * Context: Process context, sleeps.
 */
void qlink_udp_net_exit(void)
{
	unregister_pernet_subsys(&qlink_udp_net_ops);
}
