/* SPDX-License-Identifier: GPL-2.0 */
/* The receive path: from the underlay to the stack. */
#ifndef QLINK_RX_H
#define QLINK_RX_H

#include "qlink.h"

int qlink_rx_init(void);
void qlink_rx_exit(void);

void qlink_rx_receive(struct qlink_attach *attach, struct sk_buff *skb);
void qlink_rx_receive_bundle(struct qlink_attach *attach, struct sk_buff *skb);
struct qlink_queue_group __percpu *qlink_rx_group_new(void);

#endif
