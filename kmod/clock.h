/* SPDX-License-Identifier: GPL-2.0 */
/* Parcels of one size at a constant rate, whether there is anything to send or not. */
#ifndef QLINK_CLOCK_H
#define QLINK_CLOCK_H

#include "qlink.h"

void qlink_clock_init(struct qlink_dev *link);
void qlink_clock_start(struct qlink_dev *link);
void qlink_clock_stop(struct qlink_dev *link);
void qlink_clock_clear(struct qlink_dev *link);
void qlink_clock_discard(struct qlink_dev *link);

void qlink_clock_enter(struct qlink_dev *link);
bool qlink_clock_leave(struct qlink_dev *link, u8 mode, struct sk_buff_head *frames,
		       bool has_patience);

bool qlink_clock_add(struct qlink_dev *link, struct sk_buff_head *frames);
bool qlink_clock_add_keepalive(struct qlink_dev *link, struct sk_buff *skb);

#endif
