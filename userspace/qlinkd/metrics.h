/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Metrics for Prometheus, by HTTP on a Unix socket. */
#ifndef QLINKD_METRICS_H
#define QLINKD_METRICS_H

#include "agent.h"

/* Clients that are connected at once, at most; others wait. */
#define METRICS_CLIENTS_MAX	8

struct metrics;

/**
 * metrics_open() - listen on a Unix socket
 * @metrics: where it goes; the caller closes it with metrics_close()
 * @path: of the socket
 * @agent: must outlive @metrics
 * @why: filled in on failure
 *
 * Return: 0, or a negative errno.
 */
int metrics_open(struct metrics **metrics, const char *path, struct agent *agent,
		 struct qlink_why *why);

/**
 * metrics_close() - stop listening and remove the socket
 * @metrics: from metrics_open(), or %NULL
 */
void metrics_close(struct metrics *metrics);

#endif
