// SPDX-License-Identifier: GPL-2.0
/* Tells the sender of a frame that does not fit which size would. */
#include "pmtu.h"

#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/ip_tunnels.h>

#include "wire.h"

/**
 * struct qlink_pmtu_path - a stand-in for a route, for skb_tunnel_check_pmtu()
 *
 * That function asks a route for its MTU, and for nothing else. No real one says which size fits:
 * an eth underlay has no route, and the route of the udp underlay does not know what sealing adds.
 */
struct qlink_pmtu_path {
	/** @dst: only its mtu() is called */
	struct dst_entry dst;
	/** @mtu: largest IP packet that fits */
	unsigned int mtu;
};

static unsigned int qlink_pmtu_of_path(const struct dst_entry *dst)
{
	return container_of(dst, struct qlink_pmtu_path, dst)->mtu;
}

static struct dst_ops qlink_pmtu_ops = {
	.mtu = qlink_pmtu_of_path,
};

/* The code that answers an IP packet relies on complete headers. */
static bool qlink_pmtu_is_ip(struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return pskb_network_may_pull(skb, sizeof(struct iphdr)) &&
		       ip_hdr(skb)->version == 4 && ip_hdr(skb)->ihl >= 5;
	return skb->protocol == htons(ETH_P_IPV6) &&
	       pskb_network_may_pull(skb, sizeof(struct ipv6hdr));
}

#define QLINK_PMTU_TAGS_MAX	2

/**
 * struct qlink_pmtu_tag - a VLAN tag of a frame
 */
struct qlink_pmtu_tag {
	/** @proto: its EtherType */
	__be16 proto;
	/** @tci: its contents */
	u16 tci;
};

/* Take off the VLAN tags, the outer one first: code that answers an IP packet expects none.
 * Returns how many there were, or an errno.
 */
static int qlink_pmtu_take_tags(struct sk_buff *skb, struct qlink_pmtu_tag *tags)
{
	int n, err;

	for (n = 0; eth_type_vlan(skb->protocol); n++) {
		if (n == QLINK_PMTU_TAGS_MAX)
			return -E2BIG;
		tags[n].proto = skb->protocol;
		err = __skb_vlan_pop(skb, &tags[n].tci);
		if (err)
			return err;
	}
	return n;
}

/* Hand the answer to the bridge as if the device had received it, with the tags of the frame. */
static void qlink_pmtu_answer(struct qlink_dev *link, struct sk_buff *skb,
			      const struct qlink_pmtu_tag *tags, int n)
{
	skb_orphan(skb);
	skb_scrub_packet(skb, false);
	while (n--) {
		if (skb_vlan_push(skb, tags[n].proto, tags[n].tci)) {
			kfree_skb(skb);
			return;
		}
	}
	skb->protocol = eth_type_trans(skb, link->dev);
	netif_rx(skb);
}

/**
 * qlink_pmtu_tell() - tell the sender of a frame that does not fit which size would
 * @link: of the frame
 * @skb: from the MAC header on; its VLAN tags may be gone afterwards
 * @max_bytes: largest size of a sealed frame
 *
 * The sender of an IP packet learns the size through the route that the packet took.
 * Where the device is the port of a bridge, it learns the size from an ICMP error that
 * goes back into the bridge as if the device had received it, as vxlan does, with the VLAN
 * tags of the packet. The sender of a non-IP frame must know the MTU.
 *
 * Context: BHs off.
 * Return: true if @skb has become the answer and is gone, false if it is still the caller's
 */
bool qlink_pmtu_tell(struct qlink_dev *link, struct sk_buff *skb, unsigned int max_bytes)
{
	struct qlink_pmtu_path path = { .dst.ops = &qlink_pmtu_ops };
	struct qlink_pmtu_tag tags[QLINK_PMTU_TAGS_MAX];
	bool is_port = netif_is_any_bridge_port(link->dev);
	unsigned int header;
	int n_tags;

	n_tags = is_port ? qlink_pmtu_take_tags(skb, tags) : 0;
	if (n_tags < 0 || max_bytes < QLINK_MTU_LESS + ETH_MIN_MTU ||
	    skb_network_offset(skb) < ETH_HLEN)
		return false;
	/* With more than one VLAN tag, less fits than the device's MTU. */
	header = skb_network_offset(skb) + n_tags * VLAN_HLEN;
	path.mtu = max_bytes - max_t(unsigned int, QLINK_MTU_LESS, QLINK_OVERHEAD_BYTES + header);
	/* IPv4 looks up the route by device, and for a frame of a VLAN that is the VLAN device. */
	if (skb_dst(skb))
		skb->dev = skb_dst(skb)->dev;
	if (skb_tunnel_check_pmtu(skb, &path.dst, 0, is_port && qlink_pmtu_is_ip(skb)) <= 0)
		return false;
	qlink_pmtu_answer(link, skb, tags, n_tags);
	return true;
}
