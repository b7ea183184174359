// SPDX-License-Identifier: GPL-2.0
/* Cuts TCP frames that are too large for the wire into segments that fit. */
#include "gso.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <net/checksum.h>
#include <net/ip.h>

/**
 * DOC: Cutting TCP
 *
 * The kernel's segmentation makes a frame of each segment, with references to the payload,
 * which then has to be copied before it is sealed. Here the payload is copied once, to where
 * it is sealed. Only the frames of bulk transfers are cut here: TCP right behind an IPv4 or
 * IPv6 header, with an unfinished checksum. The kernel cuts all others: UDP; TCP with a fixed
 * IPv4 identification, with a CWR that is a counter (AccECN), behind extension headers, in a
 * tunnel, or with lengths from an untrusted source; and a frame with a request for a transmit
 * timestamp.
 *
 * The segments are byte for byte those that the kernel would have sent; gso.sh compares them.
 */

static bool qlink_gso_is_tcp4(const struct qlink_gso *gso)
{
	const struct iphdr *ip = ip_hdr(gso->skb);

	return ip->version == 4 && ip->protocol == IPPROTO_TCP &&
	       gso->network + ip->ihl * 4 == gso->transport;
}

static bool qlink_gso_is_tcp6(const struct qlink_gso *gso)
{
	const struct ipv6hdr *ip = ipv6_hdr(gso->skb);

	return ip->version == 6 && ip->nexthdr == IPPROTO_TCP &&
	       gso->network + sizeof(*ip) == gso->transport;
}

/**
 * qlink_gso_begin() - prepare to cut a large frame
 * @gso: out
 * @skb: from the MAC header on; stays the caller's, and unchanged as long as @gso is used
 *
 * Context: Any.
 * Return: false for a frame that skb_gso_segment() has to cut
 */
bool qlink_gso_begin(struct qlink_gso *gso, const struct sk_buff *skb)
{
	unsigned int type = skb_shinfo(skb)->gso_type & ~SKB_GSO_TCP_ECN;

	gso->skb = skb;
	gso->network = skb_network_offset(skb);
	gso->transport = skb_checksum_start_offset(skb);
	gso->payload_bytes = skb_shinfo(skb)->gso_size;
	gso->n = 0;
	if (skb->ip_summed != CHECKSUM_PARTIAL || skb->encapsulation ||
	    skb->csum_offset != offsetof(struct tcphdr, check) ||
	    skb_transport_offset(skb) != gso->transport ||
	    skb_headlen(skb) < gso->transport + sizeof(struct tcphdr) ||
	    skb_shinfo(skb)->tx_flags & SKBTX_ANY_TSTAMP)
		return false;
	if (!(type == SKB_GSO_TCPV4 && qlink_gso_is_tcp4(gso)) &&
	    !(type == SKB_GSO_TCPV6 && qlink_gso_is_tcp6(gso)))
		return false;
	gso->header_bytes = gso->transport + tcp_hdrlen(skb);
	gso->at = gso->header_bytes;
	gso->pseudo = csum_sub(csum_unfold(tcp_hdr(skb)->check),
			       (__force __wsum)htonl(skb->len - gso->transport));
	return tcp_hdrlen(skb) >= sizeof(struct tcphdr) &&
	       gso->header_bytes <= skb_headlen(skb) && gso->header_bytes < skb->len;
}

/* Bytes of payload in the next segment. */
static unsigned int qlink_gso_next(const struct qlink_gso *gso)
{
	return min(gso->payload_bytes, gso->skb->len - gso->at);
}

/**
 * qlink_gso_bytes() - how large is the next segment?
 * @gso: of qlink_gso_begin()
 *
 * Return: bytes from the MAC header on, never more than the first segment; 0 when none is left
 */
unsigned int qlink_gso_bytes(const struct qlink_gso *gso)
{
	return gso->at < gso->skb->len ? gso->header_bytes + qlink_gso_next(gso) : 0;
}

/**
 * qlink_gso_left() - how many segments are left?
 * @gso: of qlink_gso_begin()
 *
 * Return: segments
 */
unsigned int qlink_gso_left(const struct qlink_gso *gso)
{
	return DIV_ROUND_UP(gso->skb->len - gso->at, gso->payload_bytes);
}

static void qlink_gso_fix_ip4(const struct qlink_gso *gso, struct iphdr *ip,
			      unsigned int tcp_bytes)
{
	ip->tot_len = htons(gso->transport - gso->network + tcp_bytes);
	ip->id = htons(ntohs(ip->id) + gso->n);
	ip_send_check(ip);
}

/* Flags that count once stay in the first segment (CWR) or in the last one (FIN, PSH). */
static void qlink_gso_fix_tcp(const struct qlink_gso *gso, struct tcphdr *tcp,
			      unsigned int tcp_bytes, bool is_last)
{
	tcp->seq = htonl(ntohl(tcp->seq) + gso->at - gso->header_bytes);
	if (gso->n)
		tcp->cwr = 0;
	if (!is_last) {
		tcp->fin = 0;
		tcp->psh = 0;
	}
	tcp->check = ~csum_fold(csum_add(gso->pseudo, (__force __wsum)htonl(tcp_bytes)));
}

/**
 * qlink_gso_cut() - write the next segment
 * @gso: of qlink_gso_begin(), with one left
 * @to: out, qlink_gso_bytes() bytes
 *
 * Its checksum is unfinished, and at the same place as in the whole frame.
 */
void qlink_gso_cut(struct qlink_gso *gso, u8 *to)
{
	unsigned int payload_bytes = qlink_gso_next(gso);
	unsigned int tcp_bytes = gso->header_bytes - gso->transport + payload_bytes;
	void *ip = to + gso->network;

	memcpy(to, gso->skb->data, gso->header_bytes);
	/* It cannot fail: the frame has that many bytes. */
	skb_copy_bits(gso->skb, gso->at, to + gso->header_bytes, payload_bytes);
	if (skb_shinfo(gso->skb)->gso_type & SKB_GSO_TCPV4)
		qlink_gso_fix_ip4(gso, ip, tcp_bytes);
	else
		((struct ipv6hdr *)ip)->payload_len = htons(tcp_bytes);
	qlink_gso_fix_tcp(gso, (struct tcphdr *)(to + gso->transport), tcp_bytes,
			  gso->at + payload_bytes == gso->skb->len);
	gso->at += payload_bytes;
	gso->n++;
}
