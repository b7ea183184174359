/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between IPv4 and IPv6 in the udp underlay. */
#ifndef QLINK_UDP_H
#define QLINK_UDP_H

#include <net/dst.h>
#include <net/udp_tunnel.h>

#include "underlay.h"

/**
 * struct qlink_udp_family - one address family of the udp underlay
 *
 * A route is a reference, for dst_release(). @cache and @send run with BHs off, in
 * an RCU read side.
 */
struct qlink_udp_family {
	/** @address_bytes: 4 or 16 */
	u8 address_bytes;
	/** @header_bytes: of the IP and the UDP header */
	unsigned int header_bytes;
	/** @csum_feature: feature of a device that finishes UDP checksums of this family */
	netdev_features_t csum_feature;
	/** @check: can a link use these addresses? extack says why not */
	int (*check)(const struct qlink_config *config, struct netlink_ext_ack *extack);
	/** @is_local: is the local address one of @dev's VRF, or with NULL of no VRF? */
	bool (*is_local)(struct net *net, const struct net_device *dev,
			 const struct qlink_config *config);
	/** @bind_to: fill in the address that the socket of a port is bound to */
	void (*bind_to)(struct udp_port_cfg *address, const struct qlink_config *config);
	/** @ignore_pmtu: have the socket ignore path sizes of ICMP messages */
	void (*ignore_pmtu)(struct sock *sk);
	/** @route: look up the route to the peer, or an ERR_PTR() */
	struct dst_entry *(*route)(const struct qlink_attach *attach,
				   const struct qlink_target *target);
	/** @cache: store a route for this CPU */
	void (*cache)(const struct qlink_attach *attach, struct qlink_target *target,
		      struct dst_entry *dst);
	/** @mtu: MTU of a route and its device, whatever an ICMP message has claimed */
	unsigned int (*mtu)(const struct dst_entry *dst);
	/**
	 * @send: send @skb, with room for the headers, along @dst; takes both over. The verdict is
	 * QLINK_XMIT_SENT or QLINK_XMIT_NO_MEMORY
	 */
	enum qlink_xmit_verdict (*send)(const struct qlink_attach *attach,
					const struct qlink_target *target, struct sock *sk,
					struct sk_buff *skb, struct dst_entry *dst,
					__be16 source_port, struct qlink_flow flow);
};

/**
 * qlink_udp_datagram_bytes() - size of the datagrams that a packet becomes
 * @skb: sealed frame, or a bundle
 *
 * Return: bytes of each, without a UDP header
 */
static inline unsigned int qlink_udp_datagram_bytes(const struct sk_buff *skb)
{
	return skb_is_gso(skb) ? skb_shinfo(skb)->gso_size : skb->len;
}

#endif
