/* SPDX-License-Identifier: GPL-2.0 */
/* What becomes of an authentic plaintext: a frame on its device, news of the peer, or a drop. */
#ifndef QLINK_DELIVERY_H
#define QLINK_DELIVERY_H

#include <linux/types.h>

struct napi_struct;
struct qlink_dev;
struct qlink_header;
struct qlink_origin;
struct sk_buff;

void qlink_delivery_make(struct napi_struct *napi, struct qlink_dev *link, struct sk_buff *skb,
			 u8 type, u8 ecn);
void qlink_delivery_make_keepalive(struct qlink_dev *link, struct sk_buff *skb,
				   const struct qlink_header *header,
				   const struct qlink_origin *origin);
void qlink_delivery_drop(struct qlink_dev *link, struct sk_buff *skb, unsigned int counter);
void qlink_delivery_miss(struct qlink_dev *link, unsigned int counter);

#endif
