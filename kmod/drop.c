// SPDX-License-Identifier: GPL-2.0
/* What is told of a frame that is dropped: a counter, a tracepoint and the core's reason. */
#include "drop.h"

#include "names-gen.h"
#include "trace.h"

/**
 * DOC: Reasons
 *
 * dropwatch and others show the core's reason of a drop. A module cannot add reasons of its own:
 * the list of subsystems is the core's. So a drop has the core's reason where one of these is true
 * of it, and none elsewhere. What it was exactly, the tracepoint qlink:qlink_drop says with the
 * name of the counter that moved.
 */

/**
 * qlink_drop_reason() - the core's reason for a drop
 * @counter: QLINK_A_STATS_*
 *
 * Context: Any.
 * Return: the reason; not specified where the core has none that is true
 */
enum skb_drop_reason qlink_drop_reason(unsigned int counter)
{
	switch (counter) {
	case QLINK_A_STATS_TX_NO_UNDERLAY:
	case QLINK_A_STATS_RX_DOWN:
		return SKB_DROP_REASON_DEV_READY;
	case QLINK_A_STATS_TX_BAD_FRAME:
	case QLINK_A_STATS_RX_SHORT:
		return SKB_DROP_REASON_PKT_TOO_SMALL;
	case QLINK_A_STATS_TX_TOO_BIG:
		return SKB_DROP_REASON_PKT_TOO_BIG;
	case QLINK_A_STATS_TX_NO_MEMORY:
	case QLINK_A_STATS_RX_NO_MEMORY:
		return SKB_DROP_REASON_NOMEM;
	case QLINK_A_STATS_TX_NO_ROUTE:
		return SKB_DROP_REASON_IP_OUTNOROUTES;
	case QLINK_A_STATS_TX_QUEUE_FULL:
	case QLINK_A_STATS_RX_QUEUE_FULL:
		return SKB_DROP_REASON_CPU_BACKLOG;
	case QLINK_A_STATS_RX_BAD_TYPE:
		return SKB_DROP_REASON_UNHANDLED_PROTO;
	case QLINK_A_STATS_RX_BAD_ECN:
		return SKB_DROP_REASON_IP_TUNNEL_ECN;
	default:
		return SKB_DROP_REASON_NOT_SPECIFIED;
	}
}

/**
 * qlink_drop_count() - count and trace frames that are dropped
 * @stats: of their link
 * @dev: of their link
 * @skb: they are in it; %NULL where they were not made
 * @counter: QLINK_A_STATS_*
 * @n: how many
 *
 * Context: BHs off.
 */
void qlink_drop_count(struct qlink_stats __percpu *stats, const struct net_device *dev,
		      const struct sk_buff *skb, unsigned int counter, unsigned int n)
{
	qlink_stats_add(stats, counter, n);
	trace_qlink_drop(dev, skb, qlink_stats_name(counter), n);
}

/**
 * qlink_drop_port() - count, trace and free a packet that belongs to no link
 * @stats: of the port
 * @skb: taken over
 * @counter: QLINK_A_PORT_*
 * @n: number of its frames
 *
 * Context: BHs off.
 */
void qlink_drop_port(struct qlink_stats __percpu *stats, struct sk_buff *skb,
		     unsigned int counter, unsigned int n)
{
	qlink_stats_add(stats, counter, n);
	trace_qlink_drop(skb->dev, skb, qlink_port_name(counter), n);
	kfree_skb_reason(skb, counter == QLINK_A_PORT_RX_SHORT ? SKB_DROP_REASON_PKT_TOO_SMALL :
			 SKB_DROP_REASON_UNHANDLED_PROTO);
}
