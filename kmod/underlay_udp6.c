// SPDX-License-Identifier: GPL-2.0
/* The IPv6 part of the udp underlay. */
#include "underlay_udp6.h"

#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/lwtunnel.h>
#include <net/xfrm.h>

#include "compat.h"

#define QLINK_UDP6_HEADER_BYTES	(sizeof(struct ipv6hdr) + sizeof(struct udphdr))

static int qlink_udp6_check_address(const struct in6_addr *address, const char *name,
				    struct netlink_ext_ack *extack)
{
	int type = ipv6_addr_type(address);

	if (type & IPV6_ADDR_MAPPED) {
		NL_SET_ERR_MSG_FMT(extack, "%s %pI6c is an IPv4 address in an IPv6 one", name,
				   address);
		return -EADDRNOTAVAIL;
	}
	if (!(type & IPV6_ADDR_UNICAST)) {
		NL_SET_ERR_MSG_FMT(extack, "%s %pI6c is not a unicast address", name, address);
		return -EADDRNOTAVAIL;
	}
	/* A link-local address needs a device, and a udp link has no lower device. */
	if (type & IPV6_ADDR_LINKLOCAL) {
		NL_SET_ERR_MSG_FMT(extack, "%s %pI6c is link-local, and a link has no scope",
				   name, address);
		return -EADDRNOTAVAIL;
	}
	return 0;
}

static int qlink_udp6_check(const struct qlink_config *config, struct netlink_ext_ack *extack)
{
	int err;

	if (!ipv6_mod_enabled()) {
		NL_SET_ERR_MSG_FMT(extack, "local %pI6c: IPv6 is disabled in this kernel",
				   &config->local);
		return -EAFNOSUPPORT;
	}
	err = qlink_udp6_check_address(&config->remote, "remote", extack);
	return err ?: qlink_udp6_check_address(&config->local, "local", extack);
}

#if IS_ENABLED(CONFIG_IPV6)

static bool qlink_udp6_is_local(struct net *net, const struct net_device *dev,
				const struct qlink_config *config)
{
	return ipv6_chk_addr(net, &config->local, dev, 0);
}

static void qlink_udp6_bind_to(struct udp_port_cfg *address, const struct qlink_config *config)
{
	address->family = AF_INET6;
	address->local_ip6 = config->local;
	address->ipv6_v6only = true;
	address->use_udp6_tx_checksums = true;
	address->use_udp6_rx_checksums = true;
}

static void qlink_udp6_ignore_pmtu(struct sock *sk)
{
	WRITE_ONCE(inet6_sk(sk)->pmtudisc, IPV6_PMTUDISC_INTERFACE);
}

static struct dst_entry *qlink_udp6_route(const struct qlink_attach *attach,
					  const struct qlink_target *target)
{
	struct flowi6 flow = {
		.flowi6_proto = IPPROTO_UDP,
		.flowi6_oif = READ_ONCE(attach->oif),
		.saddr = attach->config.local,
		.daddr = target->address,
		.fl6_sport = attach->config.port,
		.fl6_dport = target->port,
		.flowi6_mark = attach->config.fwmark,
		.flowlabel = ip6_make_flowinfo(attach->outer.tos, 0),
	};

	return ip6_dst_lookup_flow(attach->net, NULL, &flow, NULL);
}

static void qlink_udp6_cache(const struct qlink_attach *attach, struct qlink_target *target,
			     struct dst_entry *dst)
{
	dst_cache_set_ip6(&target->dst_cache, dst, &attach->config.local);
}

static unsigned int qlink_udp6_mtu(const struct dst_entry *dst);

#ifdef CONFIG_XFRM
/* What IPsec leaves of its own route. If an ICMP message has claimed less for that one, IPv6 sends
 * fragments of what IPsec has made.
 */
static unsigned int qlink_udp6_xfrm_mtu(const struct dst_entry *dst)
{
	const struct dst_entry *child = xfrm_dst_child(dst);

	return xfrm_state_mtu(dst->xfrm, child->ops->family == AF_INET6 ?
					 qlink_udp6_mtu(child) : dst_mtu(child));
}
#else
static unsigned int qlink_udp6_xfrm_mtu(const struct dst_entry *dst)
{
	return 0;
}
#endif

/* The MTU of the route as it was configured. A route that was cloned for a learned size has a
 * metric of its own, which does not count; the look-ups that IPv6 exports all prefer that one, so
 * the metric is read from the configured route. The device's MTU for IPv6 counts: a sysctl or a
 * trusted router has set it. An encapsulation of the route itself takes its headers from that.
 */
static unsigned int qlink_udp6_mtu(const struct dst_entry *dst)
{
	unsigned int mtu = READ_ONCE(dst->dev->mtu);
	const struct fib6_info *from;
	const struct inet6_dev *idev;
	u32 metric = 0;

	if (unlikely(dst_xfrm(dst)))
		return qlink_udp6_xfrm_mtu(dst);
	rcu_read_lock();
	idev = __in6_dev_get(dst->dev);
	if (idev)
		mtu = min_t(unsigned int, mtu, READ_ONCE(idev->cnf.mtu6));
	from = rcu_dereference(dst_rt6_info(dst)->from);
	if (from)
		metric = READ_ONCE(from->fib6_metrics->metrics[RTAX_MTU - 1]);
	rcu_read_unlock();
	if (metric)
		mtu = min(mtu, metric);
	mtu = min_t(unsigned int, mtu, IP6_MAX_MTU);
	return mtu - lwtunnel_headroom(dst->lwtstate, mtu);
}

/**
 * qlink_udp6_unlearn() - copy a route without the size that was learned for it
 * @dst: route to the peer; released
 *
 * IPv6 would drop a frame that is larger than an ICMP message has claimed for the path,
 * whoever sent that message. Nothing else prevents it: below a tunnel IPv6 asks the route
 * alone, not the socket as IPv4 does; no flag of the packet says so (ignore_df would send
 * fragments); and no look-up that is exported passes over the learned route. So the frame
 * takes a route of its own, which is freed with it.
 *
 * Context: BHs off, in an RCU read side.
 * Return: the route, or NULL without memory
 */
static struct dst_entry *qlink_udp6_unlearn(struct dst_entry *dst)
{
	struct rt6_info *learned = dst_rt6_info(dst);
	struct net_device *dev = dst->dev;
	struct rt6_info *route;

	route = ip6_dst_alloc(dev_net(dev), dev, DST_NOCOUNT);
	if (route) {
		route->dst.input = dst->input;
		route->dst.output = dst->output;
		route->dst.lwtstate = lwtstate_get(dst->lwtstate);
		route->rt6i_dst = learned->rt6i_dst;
		route->rt6i_gateway = learned->rt6i_gateway;
		route->rt6i_flags = learned->rt6i_flags & RTF_GATEWAY;
		route->rt6i_idev = in6_dev_get(dev);
	}
	dst_release(dst);
	return route ? &route->dst : NULL;
}

static enum qlink_xmit_verdict qlink_udp6_send(const struct qlink_attach *attach,
					       const struct qlink_target *target, struct sock *sk,
					       struct sk_buff *skb, struct dst_entry *dst,
					       __be16 source_port, struct qlink_flow flow)
{
	unsigned int bytes = qlink_udp_datagram_bytes(skb) + QLINK_UDP6_HEADER_BYTES;

	if (unlikely(bytes > dst_mtu(dst) && !dst_xfrm(dst))) {
		dst = qlink_udp6_unlearn(dst);
		if (!dst)
			return qlink_underlay_drop(skb, QLINK_XMIT_NO_MEMORY);
	}
	skb_scrub_packet(skb, !net_eq(dev_net(attach->dev), attach->net));
	if (unlikely(attach->config.fwmark))
		skb->mark = attach->config.fwmark;
	skb->protocol = htons(ETH_P_IPV6);
	qlink_udp_tunnel6_xmit(dst, sk, skb, NULL, &attach->config.local,
			       &target->address, flow.tos,
			       flow.ttl ?: ip6_dst_hoplimit(dst), 0,
			       source_port, target->port, false);
	return QLINK_XMIT_SENT;
}

const struct qlink_udp_family qlink_udp6 = {
	.address_bytes	= sizeof(struct in6_addr),
	.header_bytes	= QLINK_UDP6_HEADER_BYTES,
	.csum_feature	= NETIF_F_IPV6_CSUM,
	.check		= qlink_udp6_check,
	.is_local	= qlink_udp6_is_local,
	.bind_to	= qlink_udp6_bind_to,
	.ignore_pmtu		= qlink_udp6_ignore_pmtu,
	.route		= qlink_udp6_route,
	.cache		= qlink_udp6_cache,
	.mtu		= qlink_udp6_mtu,
	.send		= qlink_udp6_send,
};

#else

/* Its check refuses every configuration. */
const struct qlink_udp_family qlink_udp6 = {
	.address_bytes	= sizeof(struct in6_addr),
	.header_bytes	= QLINK_UDP6_HEADER_BYTES,
	.check		= qlink_udp6_check,
};

#endif
