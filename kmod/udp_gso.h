/* SPDX-License-Identifier: GPL-2.0 */
/* UDP packets of many datagrams, and how they reach the socket of a port in one piece. */
#ifndef QLINK_UDP_GSO_H
#define QLINK_UDP_GSO_H

#include <linux/in6.h>
#include <linux/skbuff.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include <net/sock.h>

/**
 * struct qlink_udp_gso - an address and port to which bundles may come
 */
struct qlink_udp_gso {
	/** @node: in the table of those that have a hook */
	struct hlist_node node;
	/** @is_hooked: it is in that table; under the table's mutex */
	bool is_hooked;
	/** @is_wanted: a bundle came since @work ran last */
	bool is_wanted;
	/** @work: adds the hook, and removes it when no bundle comes any more */
	struct delayed_work work;
	/** @net: the link netns */
	struct net *net;
	/** @family: AF_INET or AF_INET6 */
	u8 family;
	/** @local: our address; an IPv4 address is in the first bytes, the rest is zero */
	struct in6_addr local;
	/** @port: the port on which we receive */
	__be16 port;
};

void qlink_udp_gso_open(struct qlink_udp_gso *gso, struct sock *sk);
void qlink_udp_gso_want(struct qlink_udp_gso *gso);
void qlink_udp_gso_close(struct qlink_udp_gso *gso);

/**
 * qlink_udp_gso_is_bundle() - is this packet a bundle in one piece?
 * @skb: as the socket got it
 *
 * Return: whether it is one
 */
static inline bool qlink_udp_gso_is_bundle(const struct sk_buff *skb)
{
	return skb_is_gso(skb) && skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4 &&
	       !skb->encapsulation;
}

/**
 * qlink_udp_gso_was_bundle() - is this packet a part of a bundle that was taken apart?
 * @skb: as the socket got it
 *
 * Return: whether it looks like one
 */
static inline bool qlink_udp_gso_was_bundle(const struct sk_buff *skb)
{
	return skb->ip_summed == CHECKSUM_PARTIAL && skb_is_nonlinear(skb);
}

#endif
