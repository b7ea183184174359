/* SPDX-License-Identifier: GPL-2.0 */
/* What IPv4 and IPv6 do apart, for the udp underlay. */
#ifndef QLINK_UDP_H
#define QLINK_UDP_H

#include <net/dst.h>
#include <net/udp_tunnel.h>

#include "underlay.h"

/**
 * struct qlink_udp_family - one address family of the udp underlay
 *
 * A route is a reference, for dst_release(). cache and send run with BHs off, in
 * an RCU read side.
 */
struct qlink_udp_family {
	/** @header_bytes: of the IP and the UDP header */
	unsigned int header_bytes;
	/** @csum_feature: of a device that finishes the checksum of UDP over it */
	netdev_features_t csum_feature;
	/** @check: can links be made between these addresses? extack says why not */
	int (*check)(const struct qlink_config *config, struct netlink_ext_ack *extack);
	/** @bind_to: fill in what the socket of a link is bound to */
	void (*bind_to)(struct udp_port_cfg *address, const struct qlink_config *config);
	/** @deafen: let the socket take no size of a path from an ICMP message */
	void (*deafen)(struct sock *sk);
	/** @route: look up the way to the peer, or an ERR_PTR() */
	struct dst_entry *(*route)(const struct qlink_attach *attach);
	/** @cache: keep a route for this CPU */
	void (*cache)(struct qlink_attach *attach, struct dst_entry *dst);
	/** @mtu: of a route and its device; what an ICMP message claimed does not count */
	unsigned int (*mtu)(const struct dst_entry *dst);
	/** @send: send @skb, with room for the headers, along @dst; takes both over */
	void (*send)(const struct qlink_attach *attach, struct sock *sk, struct sk_buff *skb,
		     struct dst_entry *dst, __be16 source_port);
};

/**
 * qlink_udp_datagram_bytes() - how large are the datagrams that a packet becomes?
 * @skb: sealed frame, or a bundle of some
 *
 * Return: bytes of each, without a UDP header
 */
static inline unsigned int qlink_udp_datagram_bytes(const struct sk_buff *skb)
{
	return skb_is_gso(skb) ? skb_shinfo(skb)->gso_size : skb->len;
}

#endif
