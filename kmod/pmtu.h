/* SPDX-License-Identifier: GPL-2.0 */
/* Tells the sender of a frame that does not fit which size would. */
#ifndef QLINK_PMTU_H
#define QLINK_PMTU_H

#include "qlink.h"

bool qlink_pmtu_tell(struct qlink_dev *link, struct sk_buff *skb, unsigned int max_bytes);

#endif
