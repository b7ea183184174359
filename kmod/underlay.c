// SPDX-License-Identifier: GPL-2.0
/* What all underlays have in common: the links of a port, and the first check of a frame. */
#include "underlay.h"

#include <linux/random.h>
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "bundle.h"
#include "drop.h"

#define QLINK_PORT_STRAY_MAX	64

static const struct qlink_underlay_upcalls *qlink_underlay_up __ro_after_init;

/* Whoever owns a user namespace chooses the links of a port, so their hash has a secret: a chain of
 * links would slow down all that the CPU receives. Odd numbers, by which a word is multiplied: the
 * upper bits of the sum are a universal hash. Each frame is hashed, so a stronger one would cost
 * each frame most of a percent; here nobody learns a hash, and no secret depends on it.
 */
static struct {
	u64 upper;
	u64 lower;
	u64 id;
} qlink_port_secret __ro_after_init;

/**
 * struct qlink_underlay_net - the ports of a netns
 */
struct qlink_underlay_net {
	/** @ports: by kind; RTNL */
	struct list_head ports[QLINK_UNDERLAY_UDP + 1];
};

static unsigned int qlink_underlay_net_id __read_mostly;

/**
 * qlink_underlay_ports() - the ports of a kind in a netns
 * @net: alive
 * @kind: of the underlay
 *
 * Return: the list, by qlink_port.entry; RTNL guards it
 */
struct list_head *qlink_underlay_ports(const struct net *net, enum qlink_underlay kind)
{
	struct qlink_underlay_net *here = net_generic(net, qlink_underlay_net_id);

	return &here->ports[kind];
}

static int __net_init qlink_underlay_net_init(struct net *net)
{
	struct qlink_underlay_net *here = net_generic(net, qlink_underlay_net_id);
	unsigned int kind;

	for (kind = 0; kind < ARRAY_SIZE(here->ports); kind++)
		INIT_LIST_HEAD(&here->ports[kind]);
	return 0;
}

static struct pernet_operations qlink_underlay_net_ops = {
	.init	= qlink_underlay_net_init,
	.id	= &qlink_underlay_net_id,
	.size	= sizeof(struct qlink_underlay_net),
};

/**
 * qlink_underlay_init() - set the upcalls, make the lists of ports
 * @upcalls: constant
 *
 * Return: 0 or %-ENOMEM
 */
int __init qlink_underlay_init(const struct qlink_underlay_upcalls *upcalls)
{
	qlink_underlay_up = upcalls;
	qlink_port_secret.upper = get_random_u64() | 1;
	qlink_port_secret.lower = get_random_u64() | 1;
	qlink_port_secret.id = get_random_u64() | 1;
	return register_pernet_subsys(&qlink_underlay_net_ops);
}

/**
 * qlink_underlay_exit() - free the lists, when no link is left
 */
void qlink_underlay_exit(void)
{
	unregister_pernet_subsys(&qlink_underlay_net_ops);
}

/**
 * qlink_underlay_note_bytes() - note the size that fits the route of a frame
 * @attach: of the link
 * @bytes: largest size of a sealed frame on the route just taken, 0 where there is none
 *
 * The size of a route that leads back into the link means nothing, and only code that
 * holds RTNL can find that out. So the link is told once of each new size, and then
 * checks for itself.
 *
 * Context: BHs off, in an RCU read side.
 */
void qlink_underlay_note_bytes(struct qlink_attach *attach, unsigned int bytes)
{
	unsigned int before = READ_ONCE(attach->noted_bytes);

	if (before == bytes)
		return;
	WRITE_ONCE(attach->noted_bytes, bytes);
	if (!before || READ_ONCE(attach->max_bytes) != bytes)
		qlink_underlay_up->resized(attach);
}

/**
 * qlink_underlay_of() - the ops of a kind
 * @kind: not QLINK_UNDERLAY_NONE
 *
 * Return: the ops
 */
const struct qlink_underlay_ops *qlink_underlay_of(enum qlink_underlay kind)
{
	return kind == QLINK_UNDERLAY_ETH ? &qlink_underlay_eth_ops : &qlink_underlay_udp_ops;
}

/**
 * qlink_underlay_drop() - free a sealed frame that is not sent
 * @skb: taken over
 * @verdict: why, not QLINK_XMIT_SENT; the link counts it
 *
 * Context: BHs off.
 * Return: @verdict
 */
enum qlink_xmit_verdict qlink_underlay_drop(struct sk_buff *skb, enum qlink_xmit_verdict verdict)
{
	static const unsigned int counters[] = {
		[QLINK_XMIT_DOWN]	= QLINK_A_STATS_TX_NO_UNDERLAY,
		[QLINK_XMIT_NO_ROUTE]	= QLINK_A_STATS_TX_NO_ROUTE,
		[QLINK_XMIT_LOOP]	= QLINK_A_STATS_TX_LOOP,
		[QLINK_XMIT_TOO_BIG]	= QLINK_A_STATS_TX_TOO_BIG,
		[QLINK_XMIT_NO_MEMORY]	= QLINK_A_STATS_TX_NO_MEMORY,
	};

	kfree_skb_reason(skb, qlink_drop_reason(counters[verdict]));
	return verdict;
}

/**
 * qlink_port_init() - make a port without links
 * @port: zeroed memory of the caller
 *
 * Context: Process context, sleeps.
 * Return: 0 or %-ENOMEM
 */
int qlink_port_init(struct qlink_port *port)
{
	hash_init(port->links);
	hash_init(port->ids);
	hash_init(port->roaming);
	INIT_LIST_HEAD(&port->entry);
	port->stats = qlink_stats_new();
	return port->stats ? 0 : -ENOMEM;
}

/**
 * qlink_port_destroy() - free what qlink_port_init() made
 * @port: no frame can be looking at it
 */
void qlink_port_destroy(struct qlink_port *port)
{
	free_percpu(port->stats);
}

static u32 qlink_port_hash(const struct qlink_peer_address *peer, u16 link_id)
{
	u64 sum = get_unaligned((const u64 *)peer->bytes) * qlink_port_secret.upper +
		  get_unaligned((const u64 *)(peer->bytes + 8)) * qlink_port_secret.lower +
		  link_id * qlink_port_secret.id;

	return sum >> 32;
}

static u32 qlink_port_hash_id(u16 link_id)
{
	return link_id * qlink_port_secret.id >> 32;
}

static struct qlink_attach *qlink_port_find(struct qlink_port *port,
					    const struct qlink_peer_address *peer, u16 link_id)
{
	struct qlink_attach *attach;

	hash_for_each_possible_rcu(port->links, attach, node, qlink_port_hash(peer, link_id)) {
		if (attach->config.link_id == link_id &&
		    !memcmp(&attach->peer, peer, sizeof(*peer)))
			return attach;
	}
	return NULL;
}

/* A frame of a link that roams may come from any address; its id has to do. */
static struct qlink_attach *qlink_port_find_roaming(struct qlink_port *port, u16 link_id)
{
	struct qlink_attach *attach;

	hash_for_each_possible_rcu(port->roaming, attach, roam_node, qlink_port_hash_id(link_id)) {
		if (attach->config.link_id == link_id)
			return attach;
	}
	return NULL;
}

static int qlink_port_check(struct qlink_port *port, const struct qlink_attach *attach,
			    struct netlink_ext_ack *extack)
{
	u16 link_id = attach->config.link_id;
	struct qlink_attach *other;

	other = qlink_port_find(port, &attach->peer, link_id);
	if (other && other->dev != attach->dev) {
		NL_SET_ERR_MSG_FMT(extack, "id %u of this peer belongs to %s already",
				   link_id, other->dev->name);
		return -EEXIST;
	}
	other = attach->config.roam ? qlink_port_find_roaming(port, link_id) : NULL;
	if (other && other->dev != attach->dev) {
		NL_SET_ERR_MSG_FMT(extack, "id %u belongs to %s already, which roams too",
				   link_id, other->dev->name);
		return -EEXIST;
	}
	return 0;
}

/**
 * qlink_port_enter() - add a link to a port, where it then receives
 * @port: of the link's underlay
 * @attach: with its peer address and link id set
 * @extack: told of the other link, where there is one
 *
 * While a link changes its configuration, it may be on a port twice.
 *
 * Context: RTNL held.
 * Return: 0, or %-EEXIST where another link has the same peer and id, or both roam and have the
 * same id
 */
int qlink_port_enter(struct qlink_port *port, struct qlink_attach *attach,
		     struct netlink_ext_ack *extack)
{
	int err;

	ASSERT_RTNL();

	err = qlink_port_check(port, attach, extack);
	if (err)
		return err;
	attach->port = port;
	hash_add_rcu(port->links, &attach->node,
		     qlink_port_hash(&attach->peer, attach->config.link_id));
	hash_add_rcu(port->ids, &attach->id_node, qlink_port_hash_id(attach->config.link_id));
	if (attach->config.roam)
		hash_add_rcu(port->roaming, &attach->roam_node,
			     qlink_port_hash_id(attach->config.link_id));
	port->n_links++;
	return 0;
}

/**
 * qlink_port_leave() - remove a link from a port
 * @port: the port that it entered
 * @attach: freed by the caller, a grace period later
 *
 * Context: RTNL held.
 * Return: whether it was the last link of the port
 */
bool qlink_port_leave(struct qlink_port *port, struct qlink_attach *attach)
{
	ASSERT_RTNL();

	hash_del_rcu(&attach->node);
	hash_del_rcu(&attach->id_node);
	if (attach->config.roam)
		hash_del_rcu(&attach->roam_node);
	return !--port->n_links;
}

/* The link of a frame, or NULL. The peer of a link that does not roam goes first. */
static struct qlink_attach *qlink_port_seek(struct qlink_port *port,
					    const struct qlink_origin *origin, u16 link_id)
{
	struct qlink_attach *attach = qlink_port_find(port, &origin->address, link_id);

	return likely(attach) ? attach : qlink_port_find_roaming(port, link_id);
}

/* A frame belongs to no link: its id to none, or not with this address. Where one link alone has
 * the id, that link is told, because its peer may have a new address. Of several, all but one
 * would be told what is not true. Returns the counter.
 */
static unsigned int qlink_port_stray(struct qlink_port *port, u16 link_id)
{
	struct qlink_attach *attach, *first = NULL;
	unsigned int n = 0;

	hash_for_each_possible_rcu(port->ids, attach, id_node, qlink_port_hash_id(link_id)) {
		/* Whoever owns links chooses how many share an id, and forged frames come here. */
		if (n++ == QLINK_PORT_STRAY_MAX)
			break;
		if (attach->config.link_id != link_id)
			continue;
		/* A link that changes its configuration is on the port twice. */
		if (first && first->dev != attach->dev)
			return QLINK_A_PORT_RX_OTHER_PEER;
		first = attach;
	}
	if (!first)
		return QLINK_A_PORT_RX_NO_LINK;
	qlink_underlay_up->strayed(first);
	return QLINK_A_PORT_RX_OTHER_PEER;
}

/* Where a frame came from is not looked at before the frame is authentic. */
static void qlink_port_note(const struct qlink_attach *attach, const struct qlink_origin *origin,
			    struct sk_buff *skb)
{
	struct qlink_origin *note = qlink_origin_of(skb);

	note->note = origin->note;
	if (likely(!attach->config.roam))
		return;
	*note = *origin;
	note->note = QLINK_ORIGIN_ROAMING;
}

/**
 * qlink_port_follow() - have the links of a port follow their routes
 * @port: of links
 *
 * They do so with qlink_underlay_follow_all(), each once for all ports.
 *
 * Context: RTNL held.
 */
void qlink_port_follow(struct qlink_port *port)
{
	struct qlink_attach *attach;
	unsigned int bucket;

	ASSERT_RTNL();

	hash_for_each(port->links, bucket, attach, node)
		qlink_underlay_up->follow(attach);
}

/**
 * qlink_underlay_follow_all() - have all links follow that qlink_port_follow() has named
 *
 * Context: RTNL held, sleeps.
 */
void qlink_underlay_follow_all(void)
{
	qlink_underlay_up->follow_all();
}

/**
 * qlink_port_receive() - find the link of a frame and hand the frame up
 * @port: the port that received it
 * @origin: where it came from
 * @skb: from the qlink header on, not shared; taken over
 *
 * Context: Softirq, in an RCU read side.
 */
void qlink_port_receive(struct qlink_port *port, const struct qlink_origin *origin,
			struct sk_buff *skb)
{
	const struct qlink_header *header;
	struct qlink_attach *attach;
	unsigned int counter;

	if (unlikely(!pskb_may_pull(skb, QLINK_HEADER_BYTES))) {
		counter = QLINK_A_PORT_RX_SHORT;
		goto drop;
	}
	header = (const struct qlink_header *)skb->data;
	if (unlikely(qlink_header_version(header) != QLINK_WIRE_VERSION)) {
		counter = QLINK_A_PORT_RX_BAD_VERSION;
		goto drop;
	}
	attach = qlink_port_seek(port, origin, qlink_header_link_id(header));
	if (unlikely(!attach)) {
		counter = qlink_port_stray(port, qlink_header_link_id(header));
		goto drop;
	}
	qlink_port_note(attach, origin, skb);
	qlink_underlay_up->rx(attach, skb);
	return;

drop:
	qlink_drop_port(port->stats, skb, counter, 1);
}

/**
 * qlink_port_receive_bundle() - find the link of a bundle and hand the bundle up
 * @port: the port that received it
 * @origin: where it came from
 * @skb: frames of version 1 and of one link id, of gso_size bytes each, the last may have fewer;
 *	taken over
 *
 * Context: Softirq, in an RCU read side.
 */
void qlink_port_receive_bundle(struct qlink_port *port, const struct qlink_origin *origin,
			       struct sk_buff *skb)
{
	unsigned int counter = QLINK_A_PORT_RX_NO_LINK;
	struct qlink_attach *attach;
	struct qlink_bundle_walk walk;
	struct qlink_header header;

	qlink_bundle_walk(&walk, skb, 0, skb_shinfo(skb)->gso_size);
	if (unlikely(!qlink_bundle_header(&walk, &header)))
		goto drop;
	attach = qlink_port_seek(port, origin, qlink_header_link_id(&header));
	if (unlikely(!attach)) {
		counter = qlink_port_stray(port, qlink_header_link_id(&header));
		goto drop;
	}
	qlink_port_note(attach, origin, skb);
	qlink_underlay_up->rx_bundle(attach, skb);
	return;

drop:
	qlink_drop_port(port->stats, skb, counter, qlink_bundle_n(skb));
}
