// SPDX-License-Identifier: GPL-2.0
/* Fields of the outer IP header that follow the inner frame, and ECN on the way back. */
#include "outer.h"

#include <linux/if_vlan.h>
#include <linux/skbuff.h>

/* More VLAN tags than anybody has. */
#define QLINK_OUTER_TAGS	8

/**
 * qlink_outer_init() - prepare the fields that do not follow a frame
 * @outer: out
 * @config: as checked
 */
void qlink_outer_init(struct qlink_flow *outer, const struct qlink_config *config)
{
	if (config->dscp == QLINK_DSCP_INHERIT)
		outer->copies |= QLINK_COPIES_DSCP;
	else
		outer->tos = config->dscp << 2;
	if (config->ttl == QLINK_TTL_INHERIT)
		outer->copies |= QLINK_COPIES_TTL;
	else
		outer->ttl = config->ttl;
	if (config->ecn)
		outer->copies |= QLINK_COPIES_ECN;
}

/* Where the IP header of an Ethernet frame begins, behind its VLAN tags. 0 where it has none. */
static unsigned int qlink_outer_find(const struct sk_buff *skb, u8 *version)
{
	unsigned int at = 2 * ETH_ALEN, tags;
	const __be16 *type;
	const u8 *first;
	__be16 buffer;
	u8 byte;

	*version = 0;
	for (tags = 0; tags <= QLINK_OUTER_TAGS; tags++) {
		type = skb_header_pointer(skb, at, sizeof(buffer), &buffer);
		if (!type)
			return 0;
		if (!eth_type_vlan(*type))
			break;
		at += VLAN_HLEN;
	}
	*version = *type == htons(ETH_P_IP) ? 4 : *type == htons(ETH_P_IPV6) ? 6 : 0;
	at += sizeof(buffer);
	first = skb_header_pointer(skb, at, sizeof(byte), &byte);
	return first && *version && *first >> 4 == *version ? at : 0;
}

/**
 * qlink_outer_copy() - copy the fields of the inner IP header that options ask for
 * @flow: its fields change; for a frame without an IP header they stay
 * @skb: from the inner MAC header on
 *
 * Context: Any.
 */
void qlink_outer_copy(struct qlink_flow *flow, const struct sk_buff *skb)
{
	u8 version, field, ttl, buffer[sizeof(struct iphdr)];
	unsigned int at = qlink_outer_find(skb, &version);
	const void *ip;

	/* Both versions have these fields in their first 20 bytes. */
	ip = at ? skb_header_pointer(skb, at, sizeof(buffer), buffer) : NULL;
	if (!ip)
		return;
	field = version == 4 ? ((const struct iphdr *)ip)->tos : ipv6_get_dsfield(ip);
	ttl = version == 4 ? ((const struct iphdr *)ip)->ttl :
			     ((const struct ipv6hdr *)ip)->hop_limit;
	if (flow->copies & QLINK_COPIES_DSCP)
		flow->tos |= field & ~INET_ECN_MASK;
	if (flow->copies & QLINK_COPIES_ECN)
		flow->tos |= field & INET_ECN_MASK;
	if (flow->copies & QLINK_COPIES_TTL)
		flow->ttl = ttl;
}

static void qlink_outer_set(struct sk_buff *skb, void *ip, u8 version, bool is_ce)
{
	if (version == 4 && is_ce)
		IP_ECN_set_ce(ip);
	else if (version == 4)
		IP_ECN_set_ect1(ip);
	else if (is_ce)
		IP6_ECN_set_ce(skb, ip);
	else
		IP6_ECN_set_ect1(skb, ip);
}

/**
 * qlink_outer_mark() - tell an inner packet what happened to its outer one (RFC 6040, 4.2)
 * @skb: opened frame, from the inner MAC header on; linear, ours alone, without a checksum state
 * @ecn: of qlink_outer_ecn(), not INET_ECN_NOT_ECT, which changes nothing
 *
 * A frame without an IP header stays as it is.
 *
 * Context: Any.
 * Return: false where congestion was marked and the packet cannot say so: it must be dropped
 */
bool qlink_outer_mark(struct sk_buff *skb, u8 ecn)
{
	unsigned int at, bytes;
	bool is_ce = false;
	u8 version, inner;
	void *ip;

	at = qlink_outer_find(skb, &version);
	bytes = version == 4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	if (!at || skb->len < at + bytes)
		return true;
	ip = skb->data + at;
	inner = version == 4 ? ((struct iphdr *)ip)->tos : ipv6_get_dsfield(ip);
	/* 1 stands for a combination that is delivered, but that no sender should make. */
	if (__INET_ECN_decapsulate(ecn, inner, &is_ce))
		return ecn != INET_ECN_CE;
	if (is_ce || ecn == INET_ECN_ECT_1)
		qlink_outer_set(skb, ip, version, is_ce);
	return true;
}
