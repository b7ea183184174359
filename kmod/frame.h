/* SPDX-License-Identifier: GPL-2.0 */
/* A frame of the stack on its way to the underlay: by itself, in segments, or in parts. */
#ifndef QLINK_FRAME_H
#define QLINK_FRAME_H

#include "qlink.h"

void qlink_frame_drop(struct qlink_dev *link, struct sk_buff *skb, unsigned int counter);
bool qlink_frame_is_forwarded(const struct sk_buff *skb);
struct qlink_flow qlink_frame_flow(const struct qlink_dev *link, const struct qlink_attach *attach,
				   struct sk_buff *skb);
bool qlink_frame_record(struct qlink_dev *link, struct sk_buff *skb);
struct sk_buff *qlink_frame_segments(struct qlink_dev *link, struct sk_buff *skb);
void qlink_frame_send(struct qlink_dev *link, struct sk_buff *skb);

#endif
