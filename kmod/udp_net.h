/* SPDX-License-Identifier: GPL-2.0 */
/* What the udp underlay has of each netns: its hooks, and notice of changed routes. */
#ifndef QLINK_UDP_NET_H
#define QLINK_UDP_NET_H

#include <linux/hashtable.h>
#include <linux/mutex.h>
#include <net/net_namespace.h>

#define QLINK_UDP_HOOKS_BITS	6

/**
 * struct qlink_udp_hooks - addresses and ports of a netns to which bundles come
 */
struct qlink_udp_hooks {
	/** @mutex: guards changes of the other members */
	struct mutex mutex;
	/** @table: struct qlink_udp_gso by port; read under RCU */
	DECLARE_HASHTABLE(table, QLINK_UDP_HOOKS_BITS);
	/** @n4: how many of IPv4 */
	unsigned int n4;
	/** @n6: how many of IPv6 */
	unsigned int n6;
};

struct qlink_udp_hooks *qlink_udp_net_hooks(const struct net *net);
void qlink_udp_net_watch(struct net *net);

int qlink_udp_net_init(void);
void qlink_udp_net_exit(void);

#endif
