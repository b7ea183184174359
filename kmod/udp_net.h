/* SPDX-License-Identifier: GPL-2.0 */
/* What the udp underlay has of each netns: notice of changed routes. */
#ifndef QLINK_UDP_NET_H
#define QLINK_UDP_NET_H

#include <linux/list.h>
#include <net/net_namespace.h>

void qlink_udp_net_watch(struct net *net);

int qlink_udp_net_init(void);
void qlink_udp_net_exit(void);

#endif
