// SPDX-License-Identifier: GPL-2.0
/* UDP packets of many datagrams, and how they reach the socket of a port in one piece. */
#include "udp_gso.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/udp.h>
#include <net/ipv6.h>

#include "bundle.h"
#include "udp_net.h"

/**
 * DOC: Bundles whole
 *
 * A bundle that a peer sent may still be one packet when it arrives, over a veth or from
 * another virtual machine. UDP takes such a packet apart before a tunnel's socket sees it,
 * unless the packet's type marks it as a tunnel packet; no setting of the socket replaces the
 * mark, also not ACCEPT_L4. The sender cannot set it, because then the devices on the path
 * would look for a packet inside, and GRO, which can, does not see a packet that came whole.
 * So a netfilter hook sets it, just before UDP, for packets that are nothing but bundles of
 * qlink: to the address and port of a link, with whole headers of version 1, all of one link
 * id. UDP takes all other packets apart as usual, and their datagrams come up one by one.
 *
 * The hook costs every packet to this host some time. So it exists only while bundles come:
 * the first one, which is taken apart, adds the hook, and when none has come for
 * QLINK_UDP_GSO_IDLE, the hook is removed.
 */

#if IS_ENABLED(CONFIG_NETFILTER)

#define QLINK_UDP_GSO_IDLE	(10 * HZ)

static u32 qlink_udp_gso_hash(__be16 port)
{
	return (__force u16)port;
}

static bool qlink_udp_gso_is_open(const struct net *net, u8 family,
				  const struct in6_addr *local, __be16 port)
{
	const struct qlink_udp_hooks *hooks = qlink_udp_net_hooks(net);
	const struct qlink_udp_gso *gso;

	hash_for_each_possible_rcu(hooks->table, gso, node, qlink_udp_gso_hash(port)) {
		if (gso->port == port && gso->family == family &&
		    ipv6_addr_equal(&gso->local, local))
			return true;
	}
	return false;
}

/* Is it UDP right behind the IP header, to one of our addresses and ports? */
static bool qlink_udp_gso_is_ours(const struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct in6_addr local = {};
	struct udphdr buffer;
	const struct udphdr *udp;

	if (state->pf == NFPROTO_IPV4) {
		if (ip_hdr(skb)->protocol != IPPROTO_UDP)
			return false;
		local.s6_addr32[0] = ip_hdr(skb)->daddr;
	} else {
		if (ipv6_hdr(skb)->nexthdr != IPPROTO_UDP)
			return false;
		local = ipv6_hdr(skb)->daddr;
	}
	udp = skb_header_pointer(skb, skb_transport_offset(skb), sizeof(buffer), &buffer);
	return udp && qlink_udp_gso_is_open(state->net, state->pf, &local, udp->dest);
}

/* Are these whole headers of version 1, and of one link id? */
static bool qlink_udp_gso_is_uniform(const struct sk_buff *skb, unsigned int at)
{
	struct qlink_bundle_walk walk;
	struct qlink_header header;
	int link_id = -1;

	qlink_bundle_walk(&walk, skb, at, skb_shinfo(skb)->gso_size);
	for (; qlink_bundle_bytes(&walk); qlink_bundle_next(&walk)) {
		if (!qlink_bundle_header(&walk, &header) ||
		    qlink_header_version(&header) != QLINK_WIRE_VERSION)
			return false;
		if (link_id < 0)
			link_id = qlink_header_link_id(&header);
		if (qlink_header_link_id(&header) != link_id)
			return false;
	}
	return true;
}

/* May the packet stay in one piece? Its checksum must be known to be right: GRO or a sender on this
 * machine made it of datagrams. And nobody else may be able to write to it, because a frame is
 * decrypted from where it lies: if its bytes changed between the check of the tag and the
 * decryption, the change would be a forgery. A process that spliced its pages into a socket on this
 * machine could do that.
 */
static bool qlink_udp_gso_may_stay(const struct sk_buff *skb, const struct nf_hook_state *state)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	unsigned int at = skb_transport_offset(skb) + sizeof(struct udphdr);

	return (info->gso_type & ~SKB_GSO_DODGY) == SKB_GSO_UDP_L4 && !skb->encapsulation &&
	       skb->ip_summed == CHECKSUM_PARTIAL &&
	       skb_checksum_start_offset(skb) == skb_transport_offset(skb) &&
	       !skb_cloned(skb) && !skb_has_shared_frag(skb) && !skb_has_frag_list(skb) &&
	       skb_frags_readable(skb) &&
	       skb->len > at + info->gso_size &&
	       skb->len - at <= info->gso_size * QLINK_BUNDLE_FRAMES_MAX &&
	       qlink_udp_gso_is_ours(skb, state) && qlink_udp_gso_is_uniform(skb, at);
}

static unsigned int qlink_udp_gso_hook(void *priv, struct sk_buff *skb,
				       const struct nf_hook_state *state)
{
	if (unlikely(skb_is_gso(skb)) && qlink_udp_gso_may_stay(skb, state))
		skb_shinfo(skb)->gso_type |= SKB_GSO_UDP_TUNNEL;
	return NF_ACCEPT;
}

static const struct nf_hook_ops qlink_udp4_gso_ops = {
	.hook		= qlink_udp_gso_hook,
	.pf		= NFPROTO_IPV4,
	.hooknum	= NF_INET_LOCAL_IN,
	.priority	= INT_MAX,
};

static const struct nf_hook_ops qlink_udp6_gso_ops = {
	.hook		= qlink_udp_gso_hook,
	.pf		= NFPROTO_IPV6,
	.hooknum	= NF_INET_LOCAL_IN,
	.priority	= INT_MAX,
};

static const struct nf_hook_ops *qlink_udp_gso_ops(const struct qlink_udp_gso *gso)
{
	return gso->family == AF_INET6 ? &qlink_udp6_gso_ops : &qlink_udp4_gso_ops;
}

/* All ports of a netns and family share one hook. */
static void qlink_udp_gso_add_hook(struct qlink_udp_hooks *hooks, struct qlink_udp_gso *gso)
{
	unsigned int *n = gso->family == AF_INET6 ? &hooks->n6 : &hooks->n4;

	lockdep_assert_held(&hooks->mutex);

	if (!*n && nf_register_net_hook(gso->net, qlink_udp_gso_ops(gso)))
		return;
	++*n;
	gso->is_hooked = true;
	hash_add_rcu(hooks->table, &gso->node, qlink_udp_gso_hash(gso->port));
}

static void qlink_udp_gso_remove_hook(struct qlink_udp_hooks *hooks, struct qlink_udp_gso *gso)
{
	unsigned int *n = gso->family == AF_INET6 ? &hooks->n6 : &hooks->n4;

	lockdep_assert_held(&hooks->mutex);

	hash_del_rcu(&gso->node);
	gso->is_hooked = false;
	if (!--*n)
		nf_unregister_net_hook(gso->net, qlink_udp_gso_ops(gso));
}

/* Runs as long as bundles come, and once more to remove the hook. */
static void qlink_udp_gso_work(struct work_struct *work)
{
	struct qlink_udp_gso *gso = container_of(work, struct qlink_udp_gso, work.work);
	struct qlink_udp_hooks *hooks = qlink_udp_net_hooks(gso->net);
	bool is_wanted = xchg(&gso->is_wanted, false);

	mutex_lock(&hooks->mutex);
	if (is_wanted && !gso->is_hooked)
		qlink_udp_gso_add_hook(hooks, gso);
	else if (!is_wanted && gso->is_hooked)
		qlink_udp_gso_remove_hook(hooks, gso);
	mutex_unlock(&hooks->mutex);
	if (is_wanted)
		schedule_delayed_work(&gso->work, QLINK_UDP_GSO_IDLE);
}

/**
 * qlink_udp_gso_open() - prepare a port for bundles
 * @gso: memory of the caller, zero except net, family, local and port
 * @sk: the socket, whose receiver recognizes a bundle
 *
 * Context: Process context, before a packet can reach the socket.
 */
void qlink_udp_gso_open(struct qlink_udp_gso *gso, struct sock *sk)
{
	INIT_DELAYED_WORK(&gso->work, qlink_udp_gso_work);
	udp_set_bit(ACCEPT_L4, sk);
}

/**
 * qlink_udp_gso_want() - note that a bundle came, whole or taken apart
 * @gso: of the port that received it
 *
 * Context: Softirq.
 */
void qlink_udp_gso_want(struct qlink_udp_gso *gso)
{
	if (READ_ONCE(gso->is_wanted))
		return;
	WRITE_ONCE(gso->is_wanted, true);
	schedule_delayed_work(&gso->work, 0);
}

/**
 * qlink_udp_gso_close() - undo qlink_udp_gso_open()
 * @gso: no packet finds the port any more; its memory is freed a grace period later
 *
 * A packet that has found the port before may still want the hook. It finds the work disabled.
 *
 * Context: Process context, sleeps.
 */
void qlink_udp_gso_close(struct qlink_udp_gso *gso)
{
	struct qlink_udp_hooks *hooks = qlink_udp_net_hooks(gso->net);

	disable_delayed_work_sync(&gso->work);
	mutex_lock(&hooks->mutex);
	if (gso->is_hooked)
		qlink_udp_gso_remove_hook(hooks, gso);
	mutex_unlock(&hooks->mutex);
}

#else

/* Without netfilter UDP takes all bundles apart. */
void qlink_udp_gso_open(struct qlink_udp_gso *gso, struct sock *sk)
{
}

void qlink_udp_gso_want(struct qlink_udp_gso *gso)
{
}

void qlink_udp_gso_close(struct qlink_udp_gso *gso)
{
}

#endif
