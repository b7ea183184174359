// SPDX-License-Identifier: GPL-2.0
/* The eth underlay: frames with an EtherType of their own to the peer's MAC address. */
#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/if_macvlan.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "underlay.h"
#include "wire.h"

/**
 * struct qlink_eth_port - what the links of a lower device and EtherType share
 */
struct qlink_eth_port {
	/** @port: the common part */
	struct qlink_port port;
	/** @lower: the lower device, held as long as the port exists */
	struct net_device *lower;
	/** @tracker: of the hold */
	netdevice_tracker tracker;
	/** @packet_type: the receive hook */
	struct packet_type packet_type;
	/** @rcu: frees it */
	struct rcu_head rcu;
};

static struct qlink_eth_port *qlink_eth_port_of(const struct qlink_attach *attach)
{
	return container_of(attach->port, struct qlink_eth_port, port);
}

static int qlink_eth_receive(struct sk_buff *skb, struct net_device *dev,
			     struct packet_type *packet_type, struct net_device *orig_dev)
{
	struct qlink_eth_port *eth = container_of(packet_type, struct qlink_eth_port,
						  packet_type);
	struct qlink_origin origin = {};

	/* Not for this port: another host's frame on a promiscuous device, a multicast, or a
	 * frame that we sent; and a frame for a VLAN or macvlan on the lower device. Where the
	 * lower device is the slave of a bond, its frames arrive here as the bond's.
	 */
	if (skb->pkt_type != PACKET_HOST ||
	    (dev != eth->lower && !netif_is_lag_master(dev))) {
		kfree_skb(skb);
		return NET_RX_DROP;
	}
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (!skb)
		return NET_RX_DROP;

	ether_addr_copy(origin.address.bytes, eth_hdr(skb)->h_source);
	qlink_port_receive(&eth->port, &origin, skb);
	return NET_RX_SUCCESS;
}

static struct qlink_eth_port *qlink_eth_port_find(const struct net_device *lower,
						  __be16 ethertype)
{
	struct qlink_eth_port *eth;

	list_for_each_entry(eth, qlink_underlay_ports(dev_net(lower), QLINK_UNDERLAY_ETH),
			    port.entry) {
		if (eth->lower == lower && eth->packet_type.type == ethertype)
			return eth;
	}
	return NULL;
}

static struct qlink_eth_port *qlink_eth_port_new(struct net_device *lower, __be16 ethertype)
{
	struct qlink_eth_port *eth = kzalloc(sizeof(*eth), GFP_KERNEL_ACCOUNT);

	if (!eth || qlink_port_init(&eth->port)) {
		kfree(eth);
		return NULL;
	}
	eth->lower = lower;
	netdev_hold(lower, &eth->tracker, GFP_KERNEL);
	eth->packet_type.type = ethertype;
	eth->packet_type.dev = lower;
	eth->packet_type.func = qlink_eth_receive;
	dev_add_pack(&eth->packet_type);
	list_add(&eth->port.entry, qlink_underlay_ports(dev_net(lower), QLINK_UNDERLAY_ETH));
	return eth;
}

static void qlink_eth_port_free_rcu(struct rcu_head *rcu)
{
	struct qlink_eth_port *eth = container_of(rcu, struct qlink_eth_port, rcu);

	qlink_port_destroy(&eth->port);
	kfree(eth);
}

/* The lower device is released at once: its unregistration waits for that, and itself waits for
 * frames that are still being sent through it.
 */
static void qlink_eth_port_free(struct qlink_eth_port *eth)
{
	list_del(&eth->port.entry);
	__dev_remove_pack(&eth->packet_type);
	netdev_put(eth->lower, &eth->tracker);
	call_rcu(&eth->rcu, qlink_eth_port_free_rcu);
}

static int qlink_eth_check(const struct qlink_config *config, struct netlink_ext_ack *extack)
{
	if (!config->lower_ifindex) {
		NL_SET_ERR_MSG(extack, "peer is set, but no lower device (link)");
		return -EINVAL;
	}
	if (!config->has_peer) {
		NL_SET_ERR_MSG(extack, "a lower device is set, but no peer");
		return -EINVAL;
	}
	if (!is_valid_ether_addr(config->peer)) {
		NL_SET_ERR_MSG_FMT(extack, "peer %pM is not a unicast address", config->peer);
		return -EADDRNOTAVAIL;
	}
	if (config->dscp || config->ecn || config->ttl || config->fwmark) {
		NL_SET_ERR_MSG(extack,
			       "dscp, ecn, ttl and fwmark are of the udp underlay: eth has no IP header");
		return -EINVAL;
	}
	if (!eth_proto_is_802_3(config->ethertype)) {
		NL_SET_ERR_MSG_FMT(extack, "ethertype 0x%04x is below 0x0600",
				   ntohs(config->ethertype));
		return -EINVAL;
	}
	return 0;
}

static struct net_device *qlink_eth_passthru(struct net_device *lower)
{
	struct net_device *upper;
	struct list_head *at;

	netdev_for_each_upper_dev_rcu(lower, upper, at) {
		const struct macvlan_dev *macvlan = netdev_priv(upper);

		if (netif_is_macvlan(upper) && macvlan->mode == MACVLAN_MODE_PASSTHRU)
			return upper;
	}
	return NULL;
}

/**
 * qlink_eth_taker() - find the device that takes the frames of @lower before qlink sees them
 * @lower: any device
 *
 * That is a bridge or Open vSwitch that has @lower, or the bond over it, as a port; or
 * a macvlan in passthru mode. The relation counts, not the flags of @lower: when it
 * leaves a bridge, the flags are cleared only after the notifier.
 *
 * Context: RTNL held.
 * Return: the device, or NULL
 */
static struct net_device *qlink_eth_taker(struct net_device *lower)
{
	struct net_device *master = netdev_master_upper_dev_get(lower), *taker;

	if (master && netif_is_lag_master(master))
		master = netdev_master_upper_dev_get(master);
	if (master && netif_is_any_bridge_master(master))
		return master;
	rcu_read_lock();
	taker = qlink_eth_passthru(lower);
	rcu_read_unlock();
	return taker;
}

static int qlink_eth_check_lower(struct net_device *lower, const struct net_device *dev,
				 struct netlink_ext_ack *extack)
{
	const struct net_device *taker;

	if (lower == dev) {
		NL_SET_ERR_MSG(extack, "a link cannot be its own lower device");
		return -ELOOP;
	}
	if (lower->type != ARPHRD_ETHER || lower->flags & IFF_LOOPBACK) {
		NL_SET_ERR_MSG_FMT(extack, "%s is not an Ethernet device", lower->name);
		return -EINVAL;
	}
	taker = qlink_eth_taker(lower);
	if (taker) {
		NL_SET_ERR_MSG_FMT(extack, "%s is a %s of %s, which takes its frames",
				   lower->name, netif_is_macvlan(taker) ? "passthru device" :
				   "bridge port", taker->name);
		return -EBUSY;
	}
	if (lower->mtu < QLINK_MTU_LESS + ETH_MIN_MTU) {
		NL_SET_ERR_MSG_FMT(extack, "mtu %u of %s is too small", lower->mtu, lower->name);
		return -EINVAL;
	}
	return 0;
}

static int qlink_eth_attach(struct qlink_attach *attach, struct netlink_ext_ack *extack)
{
	struct net_device *lower = __dev_get_by_index(attach->net,
						      attach->config.lower_ifindex);
	struct qlink_eth_port *eth;
	int err;

	if (!lower) {
		NL_SET_ERR_MSG_FMT(extack, "no device has index %d",
				   attach->config.lower_ifindex);
		return -ENODEV;
	}
	err = qlink_eth_check_lower(lower, attach->dev, extack);
	if (err)
		return err;

	eth = qlink_eth_port_find(lower, attach->config.ethertype) ?:
	      qlink_eth_port_new(lower, attach->config.ethertype);
	if (!eth)
		return -ENOMEM;

	ether_addr_copy(attach->peer.bytes, attach->config.peer);
	attach->headroom = LL_RESERVED_SPACE(lower);
	attach->tailroom = lower->needed_tailroom;
	err = qlink_port_enter(&eth->port, attach, extack);
	if (err && !eth->port.n_links)
		qlink_eth_port_free(eth);
	return err;
}

static void qlink_eth_detach(struct qlink_attach *attach)
{
	struct qlink_eth_port *eth = qlink_eth_port_of(attach);

	if (qlink_port_leave(&eth->port, attach))
		qlink_eth_port_free(eth);
}

static enum qlink_xmit_verdict qlink_eth_xmit(struct qlink_attach *attach,
					      struct sk_buff *skb, struct qlink_flow flow)
{
	struct net_device *lower = qlink_eth_port_of(attach)->lower;
	struct ethhdr *eth;

	if (unlikely(!(READ_ONCE(lower->flags) & IFF_UP)))
		return qlink_underlay_drop(skb, QLINK_XMIT_DOWN);
	if (unlikely(skb_cow_head(skb, LL_RESERVED_SPACE(lower))))
		return qlink_underlay_drop(skb, QLINK_XMIT_NO_MEMORY);
	skb_scrub_packet(skb, !net_eq(dev_net(attach->dev), attach->net));
	skb_reset_network_header(skb);
	eth = skb_push(skb, ETH_HLEN);
	skb_reset_mac_header(skb);
	ether_addr_copy(eth->h_dest, attach->config.peer);
	ether_addr_copy(eth->h_source, lower->dev_addr);
	eth->h_proto = attach->config.ethertype;
	skb->protocol = attach->config.ethertype;
	skb->dev = lower;
	dev_queue_xmit(skb);
	return QLINK_XMIT_SENT;
}

static unsigned int qlink_eth_measure(struct qlink_attach *attach, const struct dst_entry *route)
{
	return qlink_eth_port_of(attach)->lower->mtu;
}

static bool qlink_eth_has_carrier(const struct qlink_attach *attach)
{
	const struct net_device *lower = qlink_eth_port_of(attach)->lower;

	return netif_running(lower) && netif_oper_up(lower);
}

static bool qlink_eth_is_taken(const struct qlink_attach *attach)
{
	return qlink_eth_taker(qlink_eth_port_of(attach)->lower);
}

const struct qlink_underlay_ops qlink_underlay_eth_ops = {
	.check		= qlink_eth_check,
	.attach		= qlink_eth_attach,
	.detach		= qlink_eth_detach,
	.xmit		= qlink_eth_xmit,
	.measure	= qlink_eth_measure,
	.has_carrier	= qlink_eth_has_carrier,
	.is_taken	= qlink_eth_is_taken,
};
