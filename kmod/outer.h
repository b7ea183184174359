/* SPDX-License-Identifier: GPL-2.0 */
/* Fields of the outer IP header that follow the inner frame, and ECN on the way back. */
#ifndef QLINK_OUTER_H
#define QLINK_OUTER_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/inet_ecn.h>

#include "underlay.h"

void qlink_outer_init(struct qlink_flow *outer, const struct qlink_config *config);
void qlink_outer_copy(struct qlink_flow *flow, const struct sk_buff *skb);
bool qlink_outer_mark(struct sk_buff *skb, u8 ecn);

/**
 * qlink_outer_flow() - what of a frame its underlay may follow
 * @attach: of the link
 * @skb: from the inner MAC header on, not sealed yet
 *
 * The inner header is read only where an option asks for it.
 *
 * Return: its flow, and the fields of its outer header
 */
static inline struct qlink_flow qlink_outer_flow(const struct qlink_attach *attach,
						 struct sk_buff *skb)
{
	struct qlink_flow flow = attach->outer;

	flow.hash = skb_get_hash(skb);
	if (unlikely(flow.copies))
		qlink_outer_copy(&flow, skb);
	return flow;
}

/**
 * qlink_outer_ecn() - the ECN field of the outer header that a packet arrived with
 * @skb: from the udp underlay, its network header as IP has set it
 *
 * Return: INET_ECN_*
 */
static inline u8 qlink_outer_ecn(const struct sk_buff *skb)
{
	u8 field = skb->protocol == htons(ETH_P_IPV6) ? ipv6_get_dsfield(ipv6_hdr(skb)) :
							ip_hdr(skb)->tos;

	return field & INET_ECN_MASK;
}

#endif
