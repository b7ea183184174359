/* SPDX-License-Identifier: GPL-2.0 */
/* The socket that a frame is charged to, and what takes its place. */
#ifndef QLINK_OWNER_H
#define QLINK_OWNER_H

#include <linux/skbuff.h>

bool qlink_owner_is_there(const struct sk_buff *skb);
bool qlink_owner_is_told(const struct sk_buff *skb);
void qlink_owner_charge(struct sk_buff *own, struct sk_buff *skb);
void qlink_owner_move(struct sk_buff *own, struct sk_buff *skb);

#endif
