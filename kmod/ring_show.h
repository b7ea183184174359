/* SPDX-License-Identifier: GPL-2.0 */
/* A ring as netlink attributes: in links and in events. */
#ifndef QLINK_RING_SHOW_H
#define QLINK_RING_SHOW_H

#include "ring.h"

struct sk_buff;

size_t qlink_ring_bytes(void);
int qlink_ring_fill(struct sk_buff *msg, struct qlink_ring *ring, int attribute);

#endif
