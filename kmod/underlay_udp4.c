// SPDX-License-Identifier: GPL-2.0
/* The IPv4 part of the udp underlay. */
#include "underlay_udp4.h"

#include <linux/ip.h>
#include <linux/udp.h>
#include <net/inet_sock.h>
#include <net/ip.h>
#include <net/ip_tunnels.h>
#include <net/lwtunnel.h>
#include <net/route.h>

#include "compat.h"

static __be32 qlink_udp4_address(const struct in6_addr *address)
{
	return address->s6_addr32[0];
}

static int qlink_udp4_check(const struct qlink_config *config, struct netlink_ext_ack *extack)
{
	__be32 remote = qlink_udp4_address(&config->remote);
	__be32 local = qlink_udp4_address(&config->local);

	if (ipv4_is_multicast(remote) || ipv4_is_zeronet(remote) || ipv4_is_lbcast(remote)) {
		NL_SET_ERR_MSG_FMT(extack, "remote %pI4 is not a unicast address", &remote);
		return -EADDRNOTAVAIL;
	}
	if (ipv4_is_multicast(local) || ipv4_is_zeronet(local)) {
		NL_SET_ERR_MSG_FMT(extack, "local %pI4 is not an address of a host", &local);
		return -EADDRNOTAVAIL;
	}
	return 0;
}

static bool qlink_udp4_is_local(struct net *net, const struct net_device *dev,
				const struct qlink_config *config)
{
	return inet_addr_type_dev_table(net, dev, qlink_udp4_address(&config->local)) == RTN_LOCAL;
}

static void qlink_udp4_bind_to(struct udp_port_cfg *address, const struct qlink_config *config)
{
	address->family = AF_INET;
	address->local_ip.s_addr = qlink_udp4_address(&config->local);
}

static void qlink_udp4_ignore_pmtu(struct sock *sk)
{
	WRITE_ONCE(inet_sk(sk)->pmtudisc, IP_PMTUDISC_INTERFACE);
}

static struct dst_entry *qlink_udp4_route(const struct qlink_attach *attach,
					  const struct qlink_target *target)
{
	struct flowi4 flow = {
		.flowi4_proto = IPPROTO_UDP,
		.flowi4_oif = READ_ONCE(attach->oif),
		.saddr = qlink_udp4_address(&attach->config.local),
		.daddr = qlink_udp4_address(&target->address),
		.fl4_sport = attach->config.port,
		.fl4_dport = target->port,
		.flowi4_mark = attach->config.fwmark,
	};
	struct rtable *route;

	qlink_flow4_set_dscp(&flow, attach->outer.tos);
	route = ip_route_output_key(attach->net, &flow);
	return IS_ERR(route) ? ERR_CAST(route) : &route->dst;
}

static void qlink_udp4_cache(const struct qlink_attach *attach, struct qlink_target *target,
			     struct dst_entry *dst)
{
	dst_cache_set_ip4(&target->dst_cache, dst, qlink_udp4_address(&attach->config.local));
}

/* The metric of a route with IPsec includes what that takes. A route with an encapsulation of its
 * own (MPLS, SRv6) takes its headers from the MTU too; one that only names a tunnel device (encap
 * ip) does not, because that device has an MTU.
 */
static unsigned int qlink_udp4_mtu(const struct dst_entry *dst)
{
	unsigned int mtu = READ_ONCE(dst->dev->mtu);
	u32 metric = dst_metric_raw(dst, RTAX_MTU);

	if (metric)
		mtu = min(mtu, metric);
	mtu = min_t(unsigned int, mtu, IP_MAX_MTU);
	return mtu - lwtunnel_headroom(dst->lwtstate, mtu);
}

static enum qlink_xmit_verdict qlink_udp4_send(const struct qlink_attach *attach,
					       const struct qlink_target *target, struct sock *sk,
					       struct sk_buff *skb, struct dst_entry *dst,
					       __be16 source_port, struct qlink_flow flow)
{
	bool xnet = !net_eq(dev_net(attach->dev), attach->net);

	skb->protocol = htons(ETH_P_IP);
	/* A mark has to outlast the scrub, so that is done here. */
	if (unlikely(attach->config.fwmark)) {
		skb_scrub_packet(skb, xnet);
		skb->mark = attach->config.fwmark;
		xnet = false;
	}
	qlink_udp_tunnel_xmit(dst_rtable(dst), sk, skb,
			      qlink_udp4_address(&attach->config.local),
			      qlink_udp4_address(&target->address),
			      flow.tos, flow.ttl ?: ip4_dst_hoplimit(dst), htons(IP_DF),
			      source_port, target->port, xnet, !skb_is_gso(skb));
	return QLINK_XMIT_SENT;
}

const struct qlink_udp_family qlink_udp4 = {
	.address_bytes	= sizeof(struct in_addr),
	.header_bytes	= sizeof(struct iphdr) + sizeof(struct udphdr),
	.csum_feature	= NETIF_F_IP_CSUM,
	.check		= qlink_udp4_check,
	.is_local	= qlink_udp4_is_local,
	.bind_to	= qlink_udp4_bind_to,
	.ignore_pmtu		= qlink_udp4_ignore_pmtu,
	.route		= qlink_udp4_route,
	.cache		= qlink_udp4_cache,
	.mtu		= qlink_udp4_mtu,
	.send		= qlink_udp4_send,
};
