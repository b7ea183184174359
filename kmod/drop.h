/* SPDX-License-Identifier: GPL-2.0 */
/* What is told of a frame that is dropped: a counter, a tracepoint and the core's reason. */
#ifndef QLINK_DROP_H
#define QLINK_DROP_H

#include <linux/skbuff.h>

#include "stats.h"

enum skb_drop_reason qlink_drop_reason(unsigned int counter);
void qlink_drop_count(struct qlink_stats __percpu *stats, const struct net_device *dev,
		      const struct sk_buff *skb, unsigned int counter, unsigned int n);
void qlink_drop_port(struct qlink_stats __percpu *stats, struct sk_buff *skb,
		     unsigned int counter, unsigned int n);

/**
 * qlink_drop() - count, trace and free a packet
 * @stats: of its link
 * @dev: of its link
 * @skb: taken over
 * @counter: QLINK_A_STATS_*, the one that says why
 * @n: number of its frames
 *
 * Context: BHs off.
 */
static inline void qlink_drop(struct qlink_stats __percpu *stats, const struct net_device *dev,
			      struct sk_buff *skb, unsigned int counter, unsigned int n)
{
	qlink_drop_count(stats, dev, skb, counter, n);
	kfree_skb_reason(skb, qlink_drop_reason(counter));
}

#endif
