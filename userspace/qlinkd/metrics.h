/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent counts, as metrics for Prometheus. */
#ifndef QLINKD_METRICS_H
#define QLINKD_METRICS_H

#include "agent.h"

struct evbuffer;

/* Source: Prometheus text format, version 0.0.4. */
#define METRICS_CONTENT_TYPE	"text/plain; version=0.0.4; charset=utf-8"

/**
 * metrics_write() - write all metrics of qlinkd(8)
 * @out: where they are added
 * @agent: whose metrics
 *
 * No secret is among them.
 */
void metrics_write(struct evbuffer *out, const struct agent *agent);

#endif
