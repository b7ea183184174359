// SPDX-License-Identifier: GPL-2.0
/* What becomes of an authentic plaintext: a frame on its device, news of the peer, or a drop. */
#include "delivery.h"

#include <linux/etherdevice.h>
#include <linux/skbuff.h>
#include <net/gro.h>

#include "drop.h"
#include "live.h"
#include "outer.h"
#include "roam.h"

/**
 * qlink_delivery_drop() - count, trace and free what is not delivered
 * @link: alive
 * @skb: taken over
 * @counter: QLINK_A_STATS_*, the one that says why
 *
 * Context: Softirq.
 */
void qlink_delivery_drop(struct qlink_dev *link, struct sk_buff *skb, unsigned int counter)
{
	qlink_drop(link->stats, link->dev, skb, counter, 1);
}

/**
 * qlink_delivery_miss() - count and trace a drop of which nothing is there
 * @link: alive
 * @counter: QLINK_A_STATS_*, the one that says why
 *
 * Context: Softirq.
 */
void qlink_delivery_miss(struct qlink_dev *link, unsigned int counter)
{
	qlink_drop_count(link->stats, link->dev, NULL, counter, 1);
}

/* Type 2: false where the checksum field is not inside the frame, behind the Ethernet header. */
static bool qlink_delivery_pull_csum(struct sk_buff *skb, u16 *start, u16 *offset)
{
	*start = get_unaligned_be16(skb->data);
	*offset = get_unaligned_be16(skb->data + 2);
	__skb_pull(skb, QLINK_CSUM_BYTES);
	return *start >= ETH_HLEN && *start + *offset + sizeof(__sum16) <= skb->len;
}

/**
 * qlink_delivery_make() - deliver a plaintext
 * @napi: whose GRO takes the frame; %NULL for straight to the stack
 * @link: alive
 * @skb: of a length that its type may have; taken over
 * @type: an enum qlink_type, no parcel
 * @ecn: the ECN field of the outer header; Not-ECT where the link does not look at it
 *
 * Context: Softirq, in an RCU read side.
 */
void qlink_delivery_make(struct napi_struct *napi, struct qlink_dev *link, struct sk_buff *skb,
			 u8 type, u8 ecn)
{
	u16 start = 0, offset = 0;

	if (type == QLINK_TYPE_KEEPALIVE) {
		qlink_stats_inc(link->stats, QLINK_A_STATS_RX_KEEPALIVE);
		qlink_live_hear(link, skb->data);
		consume_skb(skb);
		return;
	}
	if (type == QLINK_TYPE_FRAME_CSUM &&
	    unlikely(!qlink_delivery_pull_csum(skb, &start, &offset))) {
		qlink_delivery_drop(link, skb, QLINK_A_STATS_RX_BAD_INNER);
		return;
	}
	if (unlikely(ecn) && unlikely(!qlink_outer_mark(skb, ecn))) {
		qlink_delivery_drop(link, skb, QLINK_A_STATS_RX_BAD_ECN);
		return;
	}

	dev_sw_netstats_rx_add(link->dev, skb->len);
	skb->protocol = eth_type_trans(skb, link->dev);
	skb_reset_network_header(skb);
	/* It cannot fail: qlink_delivery_pull_csum() was stricter. */
	if (type == QLINK_TYPE_FRAME_CSUM)
		skb_partial_csum_set(skb, start - ETH_HLEN, offset);
	if (napi)
		napi_gro_receive(napi, skb);
	else
		netif_receive_skb(skb);
}

/**
 * qlink_delivery_make_keepalive() - deliver a keepalive of a parcel from a place that matters
 * @link: alive
 * @skb: its plaintext; taken over
 * @header: of the parcel
 * @origin: where that came from
 *
 * A beacon in a parcel is as good as one alone.
 *
 * Context: Softirq, in an RCU read side.
 */
void qlink_delivery_make_keepalive(struct qlink_dev *link, struct sk_buff *skb,
				   const struct qlink_header *header,
				   const struct qlink_origin *origin)
{
	qlink_roam_beacon(link, origin, header, skb->data);
	qlink_delivery_make(NULL, link, skb, QLINK_TYPE_KEEPALIVE, INET_ECN_NOT_ECT);
}
