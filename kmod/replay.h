/* SPDX-License-Identifier: GPL-2.0 */
/* The replay window of one lane. */
#ifndef QLINK_REPLAY_H
#define QLINK_REPLAY_H

#include <linux/bitmap.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#define QLINK_REPLAY_BITS	4096

enum qlink_replay_verdict {
	QLINK_REPLAY_GOOD,
	QLINK_REPLAY_SEEN,
	QLINK_REPLAY_OLD,
};

/**
 * struct qlink_replay - sliding window over the sequences of one lane
 *
 * A sequence is accepted at most once, and never after @top has moved
 * QLINK_REPLAY_BITS or more beyond it. The bit of sequence s is bit
 * s modulo QLINK_REPLAY_BITS.
 */
struct qlink_replay {
	/** @lock: guards @top and @seen; innermost, taken with BHs off */
	spinlock_t lock;

	/** @top: highest sequence accepted, 0 before the first frame */
	u64 top;

	/** @seen: one bit per sequence in (@top - QLINK_REPLAY_BITS, @top] */
	DECLARE_BITMAP(seen, QLINK_REPLAY_BITS);
};

void qlink_replay_init(struct qlink_replay *replay);

enum qlink_replay_verdict qlink_replay_check(struct qlink_replay *replay, u64 sequence);

enum qlink_replay_verdict qlink_replay_commit(struct qlink_replay *replay, u64 sequence);

#endif
