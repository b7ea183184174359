// SPDX-License-Identifier: GPL-2.0
/* Per-CPU counters. */
#include "stats.h"

#include <linux/netdevice.h>

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
