/* SPDX-License-Identifier: GPL-2.0 */
/* Cuts TCP frames that are too large for the wire into segments that fit. */
#ifndef QLINK_GSO_H
#define QLINK_GSO_H

#include <linux/skbuff.h>

/**
 * struct qlink_gso - a large TCP frame that is being cut
 *
 * Every segment has the headers of the frame and as much payload as one packet of the
 * connection holds; the last one has the rest.
 */
struct qlink_gso {
	/** @skb: the frame from the MAC header on; not changed */
	const struct sk_buff *skb;
	/** @network: offset of the IP header */
	unsigned int network;
	/** @transport: offset of the TCP header */
	unsigned int transport;
	/** @header_bytes: offset of the payload */
	unsigned int header_bytes;
	/** @payload_bytes: payload of each segment but the last one */
	unsigned int payload_bytes;
	/** @pseudo: sum of TCP's pseudo header, without a length */
	__wsum pseudo;
	/** @at: offset of the next segment's payload */
	unsigned int at;
	/** @n: number of segments cut so far */
	unsigned int n;
};

bool qlink_gso_begin(struct qlink_gso *gso, const struct sk_buff *skb);
unsigned int qlink_gso_bytes(const struct qlink_gso *gso);
unsigned int qlink_gso_left(const struct qlink_gso *gso);
void qlink_gso_cut(struct qlink_gso *gso, u8 *to);

#endif
