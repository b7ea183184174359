// SPDX-License-Identifier: GPL-2.0
/* The udp underlay: UDP between two fixed addresses, DF set. */
#include <linux/ip.h>
#include <linux/jhash.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/inet_sock.h>
#include <net/ip.h>
#include <net/ip_tunnels.h>
#include <net/route.h>
#include <net/udp_tunnel.h>

#include "compat.h"
#include "underlay.h"
#include "wire.h"

#define QLINK_UDP_HEADERS_BYTES	(sizeof(struct iphdr) + sizeof(struct udphdr))
#define QLINK_UDP_SOURCE_PORT	49152	/* the first of RFC 6335's dynamic ports */
#define QLINK_UDP_ENCAP_TYPE	1	/* any but 0: nothing asks for it */

/**
 * struct qlink_udp_port - what the links of a local address and port share
 */
struct qlink_udp_port {
	/** @port: the common part */
	struct qlink_port port;
	/** @net: the link netns; the socket does not hold it */
	struct net *net;
	/** @local: our address */
	__be32 local;
	/** @udp_port: that we receive on */
	__be16 udp_port;
	/** @socket: owned by the port */
	struct socket *socket;
	/** @rcu: frees the port's memory */
	struct rcu_head rcu;
};

/* All of the host, guarded by RTNL. */
static LIST_HEAD(qlink_udp_ports);

static struct qlink_udp_port *qlink_udp_port_of(const struct qlink_attach *attach)
{
	return container_of(attach->port, struct qlink_udp_port, port);
}

static __be32 qlink_udp_v4(const struct in6_addr *address)
{
	return address->s6_addr32[0];
}

static int qlink_udp_receive(struct sock *sk, struct sk_buff *skb)
{
	struct qlink_udp_port *udp = rcu_dereference_sk_user_data(sk);
	struct qlink_peer_address peer = {};

	if (unlikely(!udp || !pskb_may_pull(skb, sizeof(struct udphdr)))) {
		kfree_skb(skb);
		return 0;
	}
	memcpy(peer.bytes, &ip_hdr(skb)->saddr, sizeof(ip_hdr(skb)->saddr));
	__skb_pull(skb, sizeof(struct udphdr));
	qlink_port_receive(&udp->port, &peer, skb);
	return 0;
}

static struct qlink_udp_port *qlink_udp_port_find(const struct net *net, __be32 local,
						  __be16 udp_port)
{
	struct qlink_udp_port *udp;

	list_for_each_entry(udp, &qlink_udp_ports, port.entry) {
		if (net_eq(udp->net, net) && udp->local == local && udp->udp_port == udp_port)
			return udp;
	}
	return NULL;
}

static int qlink_udp_port_open(struct qlink_udp_port *udp, struct netlink_ext_ack *extack)
{
	struct udp_port_cfg address = {
		.family = AF_INET,
		.local_ip.s_addr = udp->local,
		.local_udp_port = udp->udp_port,
	};
	struct udp_tunnel_sock_cfg tunnel = {
		.sk_user_data = udp,
		.encap_type = QLINK_UDP_ENCAP_TYPE,
		.encap_rcv = qlink_udp_receive,
	};
	int err;

	err = udp_sock_create(udp->net, &address, &udp->socket);
	if (err) {
		NL_SET_ERR_MSG_FMT(extack, "local %pI4 port %u: cannot be bound (%d)",
				   &udp->local, ntohs(udp->udp_port), err);
		return err;
	}
	/* The size of a frame follows the route's device, never an ICMP message. */
	WRITE_ONCE(inet_sk(udp->socket->sk)->pmtudisc, IP_PMTUDISC_INTERFACE);
	setup_udp_tunnel_sock(udp->net, qlink_tunnel_sock(udp->socket), &tunnel);
	return 0;
}

static struct qlink_udp_port *qlink_udp_port_new(struct net *net,
						 const struct qlink_config *config,
						 struct netlink_ext_ack *extack)
{
	struct qlink_udp_port *udp = kzalloc(sizeof(*udp), GFP_KERNEL_ACCOUNT);
	int err = -ENOMEM;

	if (!udp)
		return ERR_PTR(-ENOMEM);
	udp->net = net;
	udp->local = qlink_udp_v4(&config->local);
	udp->udp_port = config->port;
	if (qlink_port_init(&udp->port))
		goto free_udp;
	err = qlink_udp_port_open(udp, extack);
	if (err)
		goto destroy_port;
	list_add(&udp->port.entry, &qlink_udp_ports);
	return udp;

destroy_port:
	qlink_port_destroy(&udp->port);
free_udp:
	kfree(udp);
	return ERR_PTR(err);
}

static void qlink_udp_port_free_rcu(struct rcu_head *rcu)
{
	struct qlink_udp_port *udp = container_of(rcu, struct qlink_udp_port, rcu);

	qlink_port_destroy(&udp->port);
	kfree(udp);
}

/* The socket goes at once, because its netns may be going. Its release waits for the frames
 * that are being sent or received through it.
 */
static void qlink_udp_port_free(struct qlink_udp_port *udp)
{
	list_del(&udp->port.entry);
	udp_tunnel_sock_release(qlink_tunnel_sock(udp->socket));
	call_rcu(&udp->rcu, qlink_udp_port_free_rcu);
}

static int qlink_udp_check(const struct qlink_config *config, struct netlink_ext_ack *extack)
{
	if (!config->address_bytes || !config->remote_bytes) {
		NL_SET_ERR_MSG_FMT(extack, "%s is set, but not %s",
				   config->address_bytes ? "local" : "remote",
				   config->address_bytes ? "remote" : "local");
		return -EINVAL;
	}
	if (config->address_bytes != config->remote_bytes) {
		NL_SET_ERR_MSG(extack, "local and remote are not of one family");
		return -EINVAL;
	}
	if (config->address_bytes != sizeof(__be32)) {
		NL_SET_ERR_MSG(extack, "the udp underlay takes IPv4 addresses only, so far");
		return -EAFNOSUPPORT;
	}
	if (!config->port) {
		NL_SET_ERR_MSG(extack, "local and remote are set, but no port");
		return -EINVAL;
	}
	if (ipv4_is_multicast(qlink_udp_v4(&config->remote)) ||
	    ipv4_is_zeronet(qlink_udp_v4(&config->remote)) ||
	    ipv4_is_lbcast(qlink_udp_v4(&config->remote))) {
		NL_SET_ERR_MSG_FMT(extack, "remote %pI4 is not a unicast address",
				   &config->remote);
		return -EADDRNOTAVAIL;
	}
	if (ipv4_is_multicast(qlink_udp_v4(&config->local)) ||
	    ipv4_is_zeronet(qlink_udp_v4(&config->local))) {
		NL_SET_ERR_MSG_FMT(extack, "local %pI4 is not an address of a host",
				   &config->local);
		return -EADDRNOTAVAIL;
	}
	return 0;
}

static struct rtable *qlink_udp_route(struct qlink_attach *attach)
{
	struct flowi4 flow = {
		.flowi4_proto = IPPROTO_UDP,
		.saddr = qlink_udp_v4(&attach->config.local),
		.daddr = qlink_udp_v4(&attach->config.remote),
		.fl4_sport = attach->config.port,
		.fl4_dport = attach->config.port,
	};

	return ip_route_output_key(attach->net, &flow);
}

/* Of the route and its device; what an ICMP message claimed does not count. */
static unsigned int qlink_udp_route_mtu(const struct rtable *route)
{
	unsigned int mtu = READ_ONCE(route->dst.dev->mtu);
	u32 metric = dst_metric_raw(&route->dst, RTAX_MTU);

	if (metric)
		mtu = min(mtu, metric);
	return min_t(unsigned int, mtu, IP_MAX_MTU);
}

static int qlink_udp_attach(struct qlink_attach *attach, struct netlink_ext_ack *extack)
{
	const struct qlink_config *config = &attach->config;
	struct qlink_udp_port *udp;
	int err;

	err = dst_cache_init(&attach->dst_cache, GFP_KERNEL_ACCOUNT);
	if (err)
		return err;

	udp = qlink_udp_port_find(attach->net, qlink_udp_v4(&config->local), config->port);
	if (!udp)
		udp = qlink_udp_port_new(attach->net, config, extack);
	if (IS_ERR(udp)) {
		err = PTR_ERR(udp);
		goto destroy_cache;
	}

	memcpy(attach->peer.bytes, &config->remote, sizeof(__be32));
	attach->flow_secret = get_random_u32();
	attach->headroom = LL_MAX_HEADER + QLINK_UDP_HEADERS_BYTES;
	err = qlink_port_enter(&udp->port, attach, extack);
	if (!err)
		return 0;
	if (!udp->port.n_links)
		qlink_udp_port_free(udp);
destroy_cache:
	dst_cache_destroy(&attach->dst_cache);
	return err;
}

static void qlink_udp_detach(struct qlink_attach *attach)
{
	struct qlink_udp_port *udp = qlink_udp_port_of(attach);

	if (qlink_port_leave(&udp->port, attach))
		qlink_udp_port_free(udp);
	/* What the CPUs' caches hold goes with the attach, a grace period later. */
}

static struct rtable *qlink_udp_route_cached(struct qlink_attach *attach)
{
	__be32 saddr;
	struct rtable *route = dst_cache_get_ip4(&attach->dst_cache, &saddr);

	if (likely(route))
		return route;
	route = qlink_udp_route(attach);
	if (!IS_ERR(route))
		dst_cache_set_ip4(&attach->dst_cache, &route->dst,
				  qlink_udp_v4(&attach->config.local));
	return route;
}

static __be16 qlink_udp_source_port(const struct qlink_attach *attach, u32 flow)
{
	u32 n = attach->config.source_ports;

	if (n == 1)
		return attach->config.port;
	return htons(QLINK_UDP_SOURCE_PORT +
		     reciprocal_scale(jhash_1word(flow, attach->flow_secret), n));
}

static enum qlink_xmit_verdict qlink_udp_xmit(struct qlink_attach *attach,
					      struct sk_buff *skb, u32 flow)
{
	struct qlink_udp_port *udp = qlink_udp_port_of(attach);
	struct rtable *route = qlink_udp_route_cached(attach);
	enum qlink_xmit_verdict verdict;

	if (IS_ERR(route)) {
		verdict = QLINK_XMIT_NO_ROUTE;
		goto drop;
	}
	verdict = QLINK_XMIT_LOOP;
	if (unlikely(route->dst.dev == attach->dev))
		goto put_route;
	verdict = QLINK_XMIT_TOO_BIG;
	if (unlikely(skb->len + QLINK_UDP_HEADERS_BYTES > qlink_udp_route_mtu(route)))
		goto put_route;
	verdict = QLINK_XMIT_NO_MEMORY;
	if (unlikely(skb_cow_head(skb, LL_RESERVED_SPACE(route->dst.dev) +
				       QLINK_UDP_HEADERS_BYTES)))
		goto put_route;

	/* No device: the tunnel code would count the frame a second time there. */
	skb->dev = NULL;
	skb->protocol = htons(ETH_P_IP);
	qlink_udp_tunnel_xmit(route, udp->socket->sk, skb,
			      qlink_udp_v4(&attach->config.local),
			      qlink_udp_v4(&attach->config.remote),
			      0, ip4_dst_hoplimit(&route->dst), htons(IP_DF),
			      qlink_udp_source_port(attach, flow), attach->config.port,
			      !net_eq(dev_net(attach->dev), attach->net), true);
	return QLINK_XMIT_SENT;

put_route:
	ip_rt_put(route);
drop:
	kfree_skb(skb);
	return verdict;
}

static unsigned int qlink_udp_measure(struct qlink_attach *attach)
{
	struct rtable *route = qlink_udp_route(attach);
	unsigned int mtu = ETH_DATA_LEN;

	if (!IS_ERR(route)) {
		mtu = qlink_udp_route_mtu(route);
		ip_rt_put(route);
	}
	return mtu - QLINK_UDP_HEADERS_BYTES;
}

static bool qlink_udp_has_carrier(const struct qlink_attach *attach)
{
	return true;
}

const struct qlink_underlay_ops qlink_underlay_udp_ops = {
	.check		= qlink_udp_check,
	.attach		= qlink_udp_attach,
	.detach		= qlink_udp_detach,
	.xmit		= qlink_udp_xmit,
	.measure	= qlink_udp_measure,
	.has_carrier	= qlink_udp_has_carrier,
};
