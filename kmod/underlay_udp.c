// SPDX-License-Identifier: GPL-2.0
/* The udp underlay: UDP between two addresses, never fragmented. */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/jhash.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/udp_tunnel.h>

#include "compat.h"
#include "faultpoint.h"
#include "outer.h"
#include "udp_gso.h"
#include "udp_net.h"
#include "underlay_udp4.h"
#include "underlay_udp6.h"

#define QLINK_UDP_SOURCE_PORT	49152	/* the first of RFC 6335's dynamic ports */
#define QLINK_UDP_SOURCE_PORTS	64
#define QLINK_UDP_ENCAP_TYPE	1	/* any value but 0: nothing reads it */

/**
 * struct qlink_udp_port - what the links of a local address and port share
 */
struct qlink_udp_port {
	/** @port: the common part */
	struct qlink_port port;
	/** @family: of @local */
	const struct qlink_udp_family *family;
	/** @net: the link netns; the socket does not hold it */
	struct net *net;
	/** @local: our address */
	struct in6_addr local;
	/** @dev: device that an admin bound it to, or empty */
	char dev[IFNAMSIZ];
	/** @oif: VRF or device that @socket is bound to now, or 0; RTNL */
	int oif;
	/** @udp_port: the port on which we receive */
	__be16 udp_port;
	/** @gso: so that bundles arrive in one piece */
	struct qlink_udp_gso gso;
	/** @socket: owned by the port */
	struct socket *socket;
	/** @sk: of @socket; frames use it, because it lives a grace period longer than @socket */
	struct sock *sk;
	/** @rcu: frees the port's memory */
	struct rcu_head rcu;
};

static struct qlink_udp_port *qlink_udp_port_of(const struct qlink_attach *attach)
{
	return container_of(attach->port, struct qlink_udp_port, port);
}

static const struct qlink_udp_family *qlink_udp_family_of(const struct qlink_config *config)
{
	return config->address_bytes == sizeof(struct in6_addr) ? &qlink_udp6 : &qlink_udp4;
}

/* Could the sender have chosen this port? PROTOCOL.md section 6 says which ones there are. */
static bool qlink_udp_is_usual(const struct qlink_udp_port *udp, __be16 source)
{
	return (u16)(ntohs(source) - QLINK_UDP_SOURCE_PORT) < QLINK_UDP_SOURCE_PORTS ||
	       source == udp->udp_port;
}

static int qlink_udp_receive(struct sock *sk, struct sk_buff *skb)
{
	struct qlink_udp_port *udp = rcu_dereference_sk_user_data(sk);
	struct qlink_origin origin = {};

	qlink_faultpoint_delay(QLINK_FAULTPOINT_UDP_MS);
	if (unlikely(!udp || !pskb_may_pull(skb, sizeof(struct udphdr)))) {
		kfree_skb(skb);
		return 0;
	}
	origin.address_bytes = udp->family->address_bytes;
	if (udp->family == &qlink_udp6)
		memcpy(origin.address.bytes, &ipv6_hdr(skb)->saddr, sizeof(ipv6_hdr(skb)->saddr));
	else
		memcpy(origin.address.bytes, &ip_hdr(skb)->saddr, sizeof(ip_hdr(skb)->saddr));
	origin.port = ((const struct udphdr *)skb->data)->source;
	if (unlikely(!qlink_udp_is_usual(udp, origin.port)))
		origin.note = QLINK_ORIGIN_ODD_PORT;
	__skb_pull(skb, sizeof(struct udphdr));
	if (qlink_udp_gso_was_bundle(skb))
		qlink_udp_gso_want(&udp->gso);
	if (qlink_udp_gso_is_bundle(skb))
		qlink_port_receive_bundle(&udp->port, &origin, skb);
	else
		qlink_port_receive(&udp->port, &origin, skb);
	return 0;
}

static struct qlink_udp_port *qlink_udp_port_find(struct net *net,
						  const struct qlink_config *config)
{
	const struct qlink_udp_family *family = qlink_udp_family_of(config);
	struct qlink_udp_port *udp;

	list_for_each_entry(udp, qlink_underlay_ports(net, QLINK_UNDERLAY_UDP), port.entry) {
		if (udp->family == family && !strcmp(udp->dev, config->dev) &&
		    ipv6_addr_equal(&udp->local, &config->local) &&
		    udp->udp_port == config->port)
			return udp;
	}
	return NULL;
}

/* The device that frames with this local address are bound to: the admin's, or the VRF that has the
 * address. 0 where the address is in no VRF, also where it is in one besides; negative where there
 * is no such device.
 */
static int qlink_udp_find_oif(struct net *net, const struct qlink_config *config,
			      struct netlink_ext_ack *extack)
{
	const struct qlink_udp_family *family = qlink_udp_family_of(config);
	const struct net_device *dev;

	ASSERT_RTNL();

	if (config->dev[0]) {
		dev = __dev_get_by_name(net, config->dev);
		if (dev)
			return dev->ifindex;
		NL_SET_ERR_MSG_FMT(extack, "dev %s: no such device in the netns of the underlay",
				   config->dev);
		return -ENODEV;
	}
	if (family->is_local(net, NULL, config))
		return 0;
	for_each_netdev(net, dev) {
		if (netif_is_l3_master(dev) && family->is_local(net, dev, config))
			return dev->ifindex;
	}
	return -EADDRNOTAVAIL;
}

static const char *qlink_udp_why_unbound(int err)
{
	switch (err) {
	case -EADDRNOTAVAIL:
		return "it is no address of this host";
	case -EADDRINUSE:
		return "another socket or link has this port";
	case -EACCES:
		return "the port is privileged";
	case -EPERM:
		return "to change the device of a socket takes CAP_NET_RAW";
	default:
		return "cannot be bound";
	}
}

static void qlink_udp_say_unbound(const struct qlink_config *config, int err,
				  struct netlink_ext_ack *extack)
{
	const char *where = config->dev[0] ? ", by dev " : "";
	const char *why = qlink_udp_why_unbound(err);

	if (config->address_bytes == sizeof(struct in6_addr))
		NL_SET_ERR_MSG_FMT(extack, "local %pI6c port %u: %s%s%s (%d)", &config->local,
				   ntohs(config->port), why, where, config->dev, err);
	else
		NL_SET_ERR_MSG_FMT(extack, "local %pI4 port %u: %s%s%s (%d)", &config->local,
				   ntohs(config->port), why, where, config->dev, err);
}

static int qlink_udp_port_open(struct qlink_udp_port *udp, const struct qlink_config *config,
			       struct netlink_ext_ack *extack)
{
	struct udp_port_cfg address = {
		.local_udp_port = config->port,
		.bind_ifindex = udp->oif,
	};
	struct udp_tunnel_sock_cfg tunnel = {
		.sk_user_data = udp,
		.encap_type = QLINK_UDP_ENCAP_TYPE,
		.encap_rcv = qlink_udp_receive,
	};
	int err;

	udp->family->bind_to(&address, config);
	err = udp_sock_create(udp->net, &address, &udp->socket);
	if (err) {
		qlink_udp_say_unbound(config, err, extack);
		return err;
	}
	udp->sk = udp->socket->sk;
	udp->gso.net = udp->net;
	udp->gso.family = config->address_bytes == sizeof(struct in6_addr) ? AF_INET6 : AF_INET;
	udp->gso.local = udp->local;
	udp->gso.port = udp->udp_port;
	qlink_udp_gso_open(&udp->gso, udp->sk);
	/* The size of a frame follows the route and its device, never an ICMP message. */
	udp->family->ignore_pmtu(udp->sk);
	setup_udp_tunnel_sock(udp->net, qlink_tunnel_sock(udp->socket), &tunnel);
	/* A checksum over sealed bytes is of no use to anybody. */
	inet_dec_convert_csum(udp->sk);
	return 0;
}

static struct qlink_udp_port *qlink_udp_port_new(struct net *net,
						 const struct qlink_config *config,
						 struct netlink_ext_ack *extack)
{
	struct qlink_udp_port *udp = kzalloc(sizeof(*udp), GFP_KERNEL_ACCOUNT);
	int oif = qlink_udp_find_oif(net, config, extack);
	int err = -ENOMEM;

	if (!udp)
		return ERR_PTR(-ENOMEM);
	if (oif == -ENODEV) {
		err = oif;
		goto free_udp;
	}
	udp->family = qlink_udp_family_of(config);
	udp->net = net;
	udp->local = config->local;
	udp->udp_port = config->port;
	strscpy(udp->dev, config->dev);
	/* An address that no device has may be bound even so, where a sysctl allows it. */
	udp->oif = max(oif, 0);
	if (qlink_port_init(&udp->port))
		goto free_udp;
	err = qlink_udp_port_open(udp, config, extack);
	if (err)
		goto destroy_port;
	list_add(&udp->port.entry, qlink_underlay_ports(net, QLINK_UNDERLAY_UDP));
	qlink_udp_net_watch(net);
	return udp;

destroy_port:
	qlink_port_destroy(&udp->port);
free_udp:
	kfree(udp);
	return ERR_PTR(err);
}

static bool qlink_udp_port_is_of(const struct qlink_udp_port *udp, const struct net_device *dev)
{
	const struct qlink_attach *attach;
	unsigned int bucket;

	hash_for_each(udp->port.links, bucket, attach, node) {
		if (attach->dev != dev)
			return false;
	}
	return true;
}

static struct qlink_udp_port *qlink_udp_port_find_own(const struct qlink_attach *attach)
{
	const struct qlink_config *config = &attach->config;
	struct qlink_udp_port *udp;

	list_for_each_entry(udp, qlink_underlay_ports(attach->net, QLINK_UNDERLAY_UDP),
			    port.entry) {
		if (udp->family == qlink_udp_family_of(config) &&
		    ipv6_addr_equal(&udp->local, &config->local) &&
		    udp->udp_port == config->port && qlink_udp_port_is_of(udp, attach->dev))
			return udp;
	}
	return NULL;
}

/* Has another port this address and port already, by this device? Two sockets would take each
 * other's frames, and no check of the core prevents it once they are bound.
 */
static bool qlink_udp_is_taken(const struct qlink_udp_port *udp, int oif)
{
	const struct qlink_udp_port *other;

	list_for_each_entry(other, qlink_underlay_ports(udp->net, QLINK_UNDERLAY_UDP), port.entry) {
		if (other != udp && other->family == udp->family && other->oif == oif &&
		    other->udp_port == udp->udp_port && ipv6_addr_equal(&other->local, &udp->local))
			return true;
	}
	return false;
}

static int qlink_udp_port_bind(struct qlink_udp_port *udp, int oif)
{
	int err = qlink_udp_is_taken(udp, oif) ? -EADDRINUSE : sock_bindtoindex(udp->sk, oif, true);

	if (!err)
		udp->oif = oif;
	return err;
}

static int qlink_udp_port_rebind(struct qlink_udp_port *udp, const struct qlink_config *config,
				 struct netlink_ext_ack *extack)
{
	int oif = qlink_udp_find_oif(udp->net, config, extack), err;

	if (oif == -ENODEV)
		return oif;
	if (oif >= 0 &&
	    udp->family->is_local(udp->net, __dev_get_by_index(udp->net, oif), config))
		err = qlink_udp_port_bind(udp, oif);
	else
		err = -EADDRNOTAVAIL;
	if (err) {
		qlink_udp_say_unbound(config, err, extack);
		return err;
	}
	strscpy(udp->dev, config->dev);
	return 0;
}

/* A link that only changes its dev, and shares its port with no other link, keeps the port: a
 * second socket with the same address would often be refused. NULL where there is no such port.
 */
static struct qlink_udp_port *qlink_udp_port_keep(const struct qlink_attach *attach,
						  struct netlink_ext_ack *extack)
{
	struct qlink_udp_port *udp = qlink_udp_port_find_own(attach);
	int err = udp ? qlink_udp_port_rebind(udp, &attach->config, extack) : 0;

	return err ? ERR_PTR(err) : udp;
}

static void qlink_udp_port_free_rcu(struct rcu_head *rcu)
{
	struct qlink_udp_port *udp = container_of(rcu, struct qlink_udp_port, rcu);

	qlink_port_destroy(&udp->port);
	kfree(udp);
}

/* The socket is released at once, because its netns may be going. Frames that have found the port
 * may still use it, and the inner part of the socket, for a grace period: 6.12 waits for them in
 * the release, 7.3 does not.
 */
static void qlink_udp_port_free(struct qlink_udp_port *udp)
{
	list_del(&udp->port.entry);
	udp_tunnel_sock_release(qlink_tunnel_sock(udp->socket));
	qlink_udp_gso_close(&udp->gso);
	call_rcu(&udp->rcu, qlink_udp_port_free_rcu);
}

/* A remote that is any has nothing to check; @local, which is checked as well, stands for it. */
static int qlink_udp_check_addresses(const struct qlink_config *config,
				     struct netlink_ext_ack *extack)
{
	struct qlink_config probe = *config;

	if (qlink_config_has_any_remote(config))
		probe.remote = config->local;
	return qlink_udp_family_of(config)->check(&probe, extack);
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
	if (!config->port) {
		NL_SET_ERR_MSG(extack, "local and remote are set, but no port");
		return -EINVAL;
	}
	if (qlink_config_has_any_remote(config) && !config->roam) {
		NL_SET_ERR_MSG(extack, "remote is any, and roam is off");
		return -EINVAL;
	}
	return qlink_udp_check_addresses(config, extack);
}

static int qlink_udp_attach(struct qlink_attach *attach, struct netlink_ext_ack *extack)
{
	const struct qlink_config *config = &attach->config;
	struct qlink_udp_port *udp;
	int err;

	err = qlink_endpoint_init(&attach->endpoint, &config->remote, config->port);
	if (err)
		return err;

	udp = qlink_udp_port_find(attach->net, config);
	if (!udp)
		udp = qlink_udp_port_keep(attach, extack);
	if (!udp)
		udp = qlink_udp_port_new(attach->net, config, extack);
	if (IS_ERR(udp)) {
		err = PTR_ERR(udp);
		goto exit_endpoint;
	}

	memcpy(attach->peer.bytes, &config->remote, sizeof(attach->peer.bytes));
	attach->oif = udp->oif;
	qlink_outer_init(&attach->outer, config);
	attach->flow_secret = get_random_u32();
	attach->headroom = LL_MAX_HEADER + udp->family->header_bytes;
	err = qlink_port_enter(&udp->port, attach, extack);
	if (!err)
		return 0;
	if (!udp->port.n_links)
		qlink_udp_port_free(udp);
exit_endpoint:
	qlink_endpoint_exit(&attach->endpoint);
	return err;
}

/* The address has moved to a VRF, or out of one: the socket and the routes move with it. Where no
 * device has the address, or dev names none, they stay.
 */
static void qlink_udp_follow(struct qlink_attach *attach)
{
	struct qlink_udp_port *udp = qlink_udp_port_of(attach);
	int oif = qlink_udp_find_oif(udp->net, &attach->config, NULL);

	if (oif >= 0 && oif != udp->oif)
		qlink_udp_port_bind(udp, oif);
	if (attach->oif == udp->oif)
		return;
	WRITE_ONCE(attach->oif, udp->oif);
	qlink_endpoint_forget_routes(&attach->endpoint);
}

static void qlink_udp_detach(struct qlink_attach *attach)
{
	struct qlink_udp_port *udp = qlink_udp_port_of(attach);

	if (qlink_port_leave(&udp->port, attach))
		qlink_udp_port_free(udp);
	/* The routes in the CPUs' caches are released with the attach, a grace period later. */
}

static unsigned int qlink_udp_max_bytes(const struct qlink_udp_family *family,
					const struct dst_entry *dst)
{
	unsigned int mtu = family->mtu(dst);

	return mtu - min(mtu, family->header_bytes);
}

/* The cache drops its route when any route has changed. The size is checked only then, so that it
 * costs a frame nothing as long as no route changes.
 */
static struct dst_entry *qlink_udp_route_cached(struct qlink_attach *attach,
						const struct qlink_udp_family *family,
						struct qlink_target *target)
{
	struct dst_entry *dst = target ? dst_cache_get(&target->dst_cache) : ERR_PTR(-EHOSTUNREACH);

	if (likely(dst))
		return dst;
	dst = family->route(attach, target);
	if (IS_ERR(dst)) {
		qlink_underlay_note_bytes(attach, 0);
		return dst;
	}
	family->cache(attach, target, dst);
	qlink_underlay_note_bytes(attach, qlink_udp_max_bytes(family, dst));
	return dst;
}

static __be16 qlink_udp_source_port(const struct qlink_attach *attach, u32 flow)
{
	u32 n = attach->config.source_ports;

	/* To a peer that may be behind a NAT: that passes only what comes from the port that the
	 * peer sends to.
	 */
	if (n == 1 || attach->config.roam || flow == QLINK_FLOW_FROM_PORT)
		return attach->config.port;
	return htons(QLINK_UDP_SOURCE_PORT +
		     reciprocal_scale(jhash_1word(flow, attach->flow_secret), n));
}

/* A bundle can be sent where no xfrm transform is on the route and the device finishes checksums:
 * each of the datagrams has its own. The device cuts the bundle, or the kernel does just before.
 */
static unsigned int qlink_udp_bundle_bytes(struct qlink_attach *attach)
{
	const struct qlink_udp_family *family = qlink_udp_port_of(attach)->family;
	struct qlink_target *target = qlink_endpoint_target(&attach->endpoint);
	struct dst_entry *dst = qlink_udp_route_cached(attach, family, target);
	unsigned int bytes = 0, headers;
	netdev_features_t features;

	if (IS_ERR(dst))
		return 0;
	features = READ_ONCE(dst->dev->features);
	headers = family->header_bytes + dst->dev->hard_header_len;
	if (features & NETIF_F_SG && features & (NETIF_F_HW_CSUM | family->csum_feature) &&
	    !dst_xfrm(dst))
		bytes = min(READ_ONCE(dst->dev->gso_max_size), GSO_LEGACY_MAX_SIZE) - 1;
	dst_release(dst);
	return bytes - min(bytes, headers);
}

/* As UDP's segmentation requires: the checksum field will hold the sum of the pseudo header. */
static void qlink_udp_bundle(struct sk_buff *skb)
{
	skb_shinfo(skb)->gso_type = SKB_GSO_UDP_L4;
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_headroom(skb) - sizeof(struct udphdr);
	skb->csum_offset = offsetof(struct udphdr, check);
}

static enum qlink_xmit_verdict qlink_udp_xmit(struct qlink_attach *attach,
					      struct sk_buff *skb, struct qlink_flow flow)
{
	struct qlink_udp_port *udp = qlink_udp_port_of(attach);
	const struct qlink_udp_family *family = udp->family;
	struct qlink_target *target = qlink_endpoint_target(&attach->endpoint);
	struct dst_entry *dst = qlink_udp_route_cached(attach, family, target);
	enum qlink_xmit_verdict verdict;

	if (IS_ERR(dst)) {
		verdict = QLINK_XMIT_NO_ROUTE;
		goto drop;
	}
	verdict = QLINK_XMIT_LOOP;
	/* The tunnel code would silently drop a frame that is nested deeper. */
	if (unlikely(dst->dev == attach->dev ||
		     dev_recursion_level() > IP_TUNNEL_RECURSION_LIMIT))
		goto release_route;
	verdict = QLINK_XMIT_TOO_BIG;
	if (unlikely(qlink_udp_datagram_bytes(skb) + family->header_bytes > family->mtu(dst))) {
		qlink_underlay_note_bytes(attach, qlink_udp_max_bytes(family, dst));
		goto release_route;
	}
	verdict = QLINK_XMIT_NO_MEMORY;
	if (unlikely(skb_cow_head(skb, LL_RESERVED_SPACE(dst->dev) + family->header_bytes)))
		goto release_route;

	if (skb_is_gso(skb))
		qlink_udp_bundle(skb);
	/* No device: the tunnel code would count the frame a second time there. */
	skb->dev = NULL;
	return family->send(attach, target, udp->sk, skb, dst,
			    qlink_udp_source_port(attach, flow.hash), flow);

release_route:
	dst_release(dst);
drop:
	return qlink_underlay_drop(skb, verdict);
}

/* Is it the routing table that has no way to the peer? With IPsec, a route may also wait for a key,
 * or be forbidden by a policy, and no routing table announces the end of that.
 */
static bool qlink_udp_is_no_route(int err)
{
	switch (err) {
	case -ENETUNREACH:
	case -EHOSTUNREACH:
	case -ENODEV:
	case -EACCES:	/* a route of type prohibit */
	case -EINVAL:	/* a route of type blackhole, or a local address that is gone */
		return true;
	default:
		return false;
	}
}

static struct dst_entry *qlink_udp_route(const struct qlink_attach *attach)
{
	const struct qlink_udp_family *family = qlink_udp_port_of(attach)->family;
	const struct qlink_target *target;
	struct dst_entry *dst;

	rcu_read_lock();
	target = qlink_endpoint_target(&attach->endpoint);
	dst = target ? family->route(attach, target) : NULL;
	rcu_read_unlock();
	return IS_ERR(dst) && !qlink_udp_is_no_route(PTR_ERR(dst)) ? NULL : dst;
}

static unsigned int qlink_udp_measure(struct qlink_attach *attach, const struct dst_entry *route)
{
	const struct qlink_udp_family *family = qlink_udp_port_of(attach)->family;
	unsigned int bytes = route ? qlink_udp_max_bytes(family, route) : 0;

	/* Without a route the size stays as it was. */
	return bytes ?: READ_ONCE(attach->max_bytes) ?: ETH_DATA_LEN - family->header_bytes;
}

/* As strict as for an address that an admin sets. An address of the other family is not possible
 * for this link any more, whose family has changed since the frame came.
 */
static bool qlink_udp_may_roam_to(const struct qlink_attach *attach,
				  const struct qlink_origin *origin)
{
	struct qlink_config probe = attach->config;

	memcpy(&probe.remote, origin->address.bytes, sizeof(probe.remote));
	return origin->port && origin->address_bytes == probe.address_bytes &&
	       !qlink_udp_family_of(&probe)->check(&probe, NULL);
}

static bool qlink_udp_has_carrier(const struct qlink_attach *attach)
{
	return true;
}

const struct qlink_underlay_ops qlink_underlay_udp_ops = {
	.check		= qlink_udp_check,
	.attach		= qlink_udp_attach,
	.follow		= qlink_udp_follow,
	.detach		= qlink_udp_detach,
	.xmit		= qlink_udp_xmit,
	.bundle_bytes	= qlink_udp_bundle_bytes,
	.route		= qlink_udp_route,
	.measure	= qlink_udp_measure,
	.may_roam_to	= qlink_udp_may_roam_to,
	.has_carrier	= qlink_udp_has_carrier,
};
