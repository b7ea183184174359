/* SPDX-License-Identifier: GPL-2.0 */
/* How a transmit ring changes from key to key. */
#ifndef QLINK_RING_TX_H
#define QLINK_RING_TX_H

#include "ring.h"

void qlink_ring_tx_init(struct qlink_ring *ring, struct qlink_history *history,
			const struct qlink_ring_upcalls *upcalls);
void qlink_ring_limit_reached(struct qlink_ring *ring, struct qlink_key *key, int why);
int qlink_ring_rotate(struct qlink_ring *ring);
void qlink_ring_tx_limit(struct qlink_ring *ring, const struct qlink_limits *limits);

#endif
