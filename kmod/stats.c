// SPDX-License-Identifier: GPL-2.0
/* Per-CPU counters, and the one table of their names. */
#include "stats.h"

#include <linux/netdevice.h>

/* Netlink, ethtool -S and the tests call a counter the same. */
const char *const qlink_stats_names[QLINK_A_STATS_MAX + 1] = {
	[QLINK_A_STATS_TX_NO_UNDERLAY]	= "tx_no_underlay",
	[QLINK_A_STATS_TX_NO_KEY]	= "tx_no_key",
	[QLINK_A_STATS_TX_BAD_FRAME]	= "tx_bad_frame",
	[QLINK_A_STATS_TX_TOO_BIG]	= "tx_too_big",
	[QLINK_A_STATS_TX_NO_MEMORY]	= "tx_no_memory",
	[QLINK_A_STATS_TX_NO_ROUTE]	= "tx_no_route",
	[QLINK_A_STATS_TX_LOOP]		= "tx_loop",
	[QLINK_A_STATS_TX_QUEUE_FULL]	= "tx_queue_full",
	[QLINK_A_STATS_TX_SEAL_ERROR]	= "tx_seal_error",
	[QLINK_A_STATS_RX_SHORT]	= "rx_short",
	[QLINK_A_STATS_RX_BAD_TYPE]	= "rx_bad_type",
	[QLINK_A_STATS_RX_BAD_HEADER]	= "rx_bad_header",
	[QLINK_A_STATS_RX_DOWN]		= "rx_down",
	[QLINK_A_STATS_RX_QUEUE_FULL]	= "rx_queue_full",
	[QLINK_A_STATS_RX_NO_MEMORY]	= "rx_no_memory",
	[QLINK_A_STATS_RX_NO_KEY]	= "rx_no_key",
	[QLINK_A_STATS_RX_AFTER_GRACE]	= "rx_after_grace",
	[QLINK_A_STATS_RX_EVICTED]	= "rx_evicted",
	[QLINK_A_STATS_RX_EXPIRED]	= "rx_expired",
	[QLINK_A_STATS_RX_REPLAY]	= "rx_replay",
	[QLINK_A_STATS_RX_OLD]		= "rx_old",
	[QLINK_A_STATS_RX_AUTH_ERROR]	= "rx_auth_error",
	[QLINK_A_STATS_RX_OPEN_ERROR]	= "rx_open_error",
	[QLINK_A_STATS_RX_BAD_INNER]	= "rx_bad_inner",
	[QLINK_A_STATS_TX_KEEPALIVE]	= "tx_keepalive",
	[QLINK_A_STATS_RX_KEEPALIVE]	= "rx_keepalive",
	[QLINK_A_STATS_TX_FPU_WAIT]	= "tx_fpu_wait",
	[QLINK_A_STATS_RX_FPU_WAIT]	= "rx_fpu_wait",
	[QLINK_A_STATS_KEY_REFUSED]	= "key_refused",
};

const char *const qlink_port_names[QLINK_A_PORT_MAX + 1] = {
	[QLINK_A_PORT_RX_SHORT]		= "port_rx_short",
	[QLINK_A_PORT_RX_BAD_VERSION]	= "port_rx_bad_version",
	[QLINK_A_PORT_RX_NO_LINK]	= "port_rx_no_link",
};

static_assert((int)QLINK_A_PORT_MAX <= (int)QLINK_A_STATS_MAX);

/**
 * qlink_stats_new() - make a set of counters, all 0
 *
 * Context: Process context, sleeps.
 * Return: the counters, for free_percpu(), or NULL without memory
 */
struct qlink_stats __percpu *qlink_stats_new(void)
{
	return netdev_alloc_pcpu_stats(struct qlink_stats);
}

/**
 * qlink_stats_sum() - read a counter
 * @stats: of a link or a port
 * @id: which counter, a netlink attribute
 *
 * Context: Any.
 * Return: its sum over all possible CPUs
 */
u64 qlink_stats_sum(const struct qlink_stats __percpu *stats, unsigned int id)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		const struct qlink_stats *one = per_cpu_ptr(stats, cpu);
		unsigned int start;
		u64 n;

		do {
			start = u64_stats_fetch_begin(&one->syncp);
			n = u64_stats_read(&one->n[id]);
		} while (u64_stats_fetch_retry(&one->syncp, start));
		sum += n;
	}
	return sum;
}
