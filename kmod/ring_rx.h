/* SPDX-License-Identifier: GPL-2.0 */
/* How a receive ring opens frames, follows its peer, and wipes older keys. */
#ifndef QLINK_RING_RX_H
#define QLINK_RING_RX_H

#include "ring.h"

void qlink_ring_rx_init(struct qlink_ring *ring, struct qlink_history *history,
			const struct qlink_ring_upcalls *upcalls);

struct qlink_key *qlink_ring_find(struct qlink_ring *ring, u64 epoch);
enum qlink_late qlink_ring_late(const struct qlink_ring *ring, u64 epoch);
int qlink_ring_open(struct qlink_ring *ring, struct qlink_key *key, u8 *to, const u8 *frame,
		    unsigned int bytes, const u8 *nonce);
void qlink_ring_note_windows(struct qlink_ring *ring, struct qlink_key *key,
			     unsigned int bytes);
void qlink_ring_follow(struct qlink_ring *ring, struct qlink_key *key);

void qlink_ring_rx_limit(struct qlink_ring *ring, const struct qlink_limits *limits);

#endif
