/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between 6.12 and 7.3: the only file that checks the kernel version. */
#ifndef QLINK_COMPAT_H
#define QLINK_COMPAT_H

#include <linux/version.h>
#include <linux/workqueue.h>
#include <net/inet_dscp.h>
#include <net/net_namespace.h>
#include <net/rtnetlink.h>
#include <net/udp_tunnel.h>

/* rtnl_link_ops.newlink() takes a struct since 6.15; delete the #else when 6.18 is the floor. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
#define QLINK_NEWLINK_ARGS struct net_device *dev, struct rtnl_newlink_params *params, \
			   struct netlink_ext_ack *extack
#define qlink_newlink_net(params)	rtnl_newlink_link_net(params)
#define qlink_newlink_tb(params)	((params)->tb)
#define qlink_newlink_data(params)	((params)->data)
#else
struct qlink_newlink_params;
#define QLINK_NEWLINK_ARGS struct net *params_net, struct net_device *dev, \
			   struct nlattr **params_tb, struct nlattr **params_data, \
			   struct netlink_ext_ack *extack
#define qlink_newlink_net(params)	params##_net
#define qlink_newlink_tb(params)	params##_tb
#define qlink_newlink_data(params)	params##_data
#endif

/* udp_tunnel_xmit_skb() and its IPv6 twin take IPCB flags since 6.16. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define qlink_udp_tunnel_xmit(args...)	udp_tunnel_xmit_skb(args, 0)
#define qlink_udp_tunnel6_xmit(args...)	udp_tunnel6_xmit_skb(args, 0)
#else
#define qlink_udp_tunnel_xmit(args...)	udp_tunnel_xmit_skb(args)
#define qlink_udp_tunnel6_xmit(args...)	udp_tunnel6_xmit_skb(args)
#endif

/* The DSCP of an IPv4 flow has a type of its own since 6.18. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
#define qlink_flow4_set_dscp(flow, tos) \
	((flow)->flowi4_dscp = inet_dsfield_to_dscp(tos))
#else
#define qlink_flow4_set_dscp(flow, tos) \
	((flow)->flowi4_tos = (tos) & INET_DSCP_MASK)
#endif

/* A UDP tunnel is a struct sock instead of a struct socket since 7.1. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 1, 0)
#define qlink_tunnel_sock(socket)	((socket)->sk)
#else
#define qlink_tunnel_sock(socket)	(socket)
#endif

/* netdev_lockdep_set_classes() moved out of linux/netdevice.h in 6.15. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
#include <net/netdev_lock.h>
#endif

/* pernet_operations lost exit_batch_rtnl() to exit_rtnl() in 6.16. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define QLINK_PERNET_EXIT_RTNL(one)	.exit_rtnl = one
#else
#define QLINK_PERNET_EXIT_RTNL(one)	.exit_batch_rtnl = one##_batch
#define QLINK_NEEDS_EXIT_BATCH_RTNL	1
#endif

/* The unbound workqueue was renamed in 6.18, and the old name warns since 7.0. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
#define qlink_unbound_wq	system_dfl_wq
#else
#define qlink_unbound_wq	system_unbound_wq
#endif

/* The library has this AES-GCM since 7.3; before, a similar name meant another, slow one. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 3, 0) && IS_REACHABLE(CONFIG_CRYPTO_LIB_AES_GCM)
#define QLINK_HAS_AES_GCM_LIBRARY	1
#endif

/* Before 6.13, hrtimer_init() did what hrtimer_setup() does, except setting the function. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define qlink_hrtimer_setup(timer, function, clock, mode) \
	hrtimer_setup(timer, function, clock, mode)
#else
#define qlink_hrtimer_setup(timer, called, clock, mode) \
	do { hrtimer_init(timer, clock, mode); (timer)->function = called; } while (0)
#endif

#endif
