/* SPDX-License-Identifier: GPL-2.0 */
/* TCP frames that are larger than the wire carries, cut into those that it does. */
#ifndef QLINK_GSO_H
#define QLINK_GSO_H

#include <linux/skbuff.h>

/**
 * struct qlink_gso - a large TCP frame on its way to be cut
 *
 * Every segment has the headers of the frame, and as much of its payload as one packet of
 * the connection takes; the last has what is left.
 */
struct qlink_gso {
	/** @skb: the frame from the MAC header on; not changed */
	const struct sk_buff *skb;
	/** @network: where the IP header begins */
	unsigned int network;
	/** @transport: where the TCP header begins */
	unsigned int transport;
	/** @header_bytes: where the payload begins */
	unsigned int header_bytes;
	/** @payload_bytes: of a segment, but for the last one */
	unsigned int payload_bytes;
	/** @pseudo: sum of TCP's pseudo header, without a length */
	__wsum pseudo;
	/** @at: where the payload of the next segment begins */
	unsigned int at;
	/** @n: segments that were cut */
	unsigned int n;
};

bool qlink_gso_begin(struct qlink_gso *gso, const struct sk_buff *skb);
unsigned int qlink_gso_bytes(const struct qlink_gso *gso);
unsigned int qlink_gso_left(const struct qlink_gso *gso);
void qlink_gso_cut(struct qlink_gso *gso, u8 *to);

#endif
