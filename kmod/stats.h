/* SPDX-License-Identifier: GPL-2.0 */
/* Per-CPU counters. */
#ifndef QLINK_STATS_H
#define QLINK_STATS_H

#include <linux/percpu.h>
#include <linux/u64_stats_sync.h>
#include <linux/qlink.h>

/* A counter is named by its netlink attribute, QLINK_A_STATS_* or QLINK_A_PORT_*. */
#define QLINK_STATS_FIRST	(QLINK_A_STATS_PAD + 1)
#define QLINK_PORT_FIRST	(QLINK_A_PORT_PAD + 1)

/**
 * struct qlink_stats - one CPU's counters, of a link or of a port
 *
 * Written by its own CPU with BHs off, read by anyone.
 */
struct qlink_stats {
	/** @syncp: makes a 64-bit counter whole on 32-bit machines */
	struct u64_stats_sync syncp;

	/** @n: by netlink attribute */
	u64_stats_t n[QLINK_A_STATS_MAX + 1];
};

struct qlink_stats __percpu *qlink_stats_new(void);

u64 qlink_stats_sum(const struct qlink_stats __percpu *stats, unsigned int id);

/**
 * qlink_stats_add() - count
 * @stats: of the link or the port
 * @id: which counter, a netlink attribute
 * @n: how many
 *
 * Context: BHs off.
 */
static inline void qlink_stats_add(struct qlink_stats __percpu *stats, unsigned int id,
				   unsigned int n)
{
	struct qlink_stats *here = this_cpu_ptr(stats);

	u64_stats_update_begin(&here->syncp);
	u64_stats_add(&here->n[id], n);
	u64_stats_update_end(&here->syncp);
}

static inline void qlink_stats_inc(struct qlink_stats __percpu *stats, unsigned int id)
{
	qlink_stats_add(stats, id, 1);
}

#endif
