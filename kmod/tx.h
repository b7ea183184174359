/* SPDX-License-Identifier: GPL-2.0 */
/* The transmit path: from the stack to the underlay. */
#ifndef QLINK_TX_H
#define QLINK_TX_H

#include "qlink.h"

int qlink_tx_init(void);
void qlink_tx_exit(void);

netdev_tx_t qlink_tx_xmit(struct sk_buff *skb, struct net_device *dev);
void qlink_tx_keepalive(struct qlink_dev *link, const u8 *plaintext, u32 flow);
void qlink_tx_set_parcel(struct qlink_dev *link, u8 mode);
struct qlink_queue_group __percpu *qlink_tx_group_new(void);

#endif
