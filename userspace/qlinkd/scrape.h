/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sockets at which Prometheus asks for the metrics, by HTTP. */
#ifndef QLINKD_SCRAPE_H
#define QLINKD_SCRAPE_H

#include "agent.h"
#include "qlinkd/base/activation.h"

/* Clients of one socket that are connected at once, at most; others wait. */
#define SCRAPE_CLIENTS_MAX	8
/* Seconds from a client's connection to its end, at most. */
#define SCRAPE_MOST_S		15
/* The metrics are made anew when they are so old, in ms. */
#define SCRAPE_FRESH_MS		500
/* The name that a socket of the service manager must have. */
#define SCRAPE_SOCKET_NAME	"metrics"

struct scrape;

/**
 * scrape_open() - listen for Prometheus
 * @scrape: where it goes; the caller closes it with scrape_close()
 * @agent: whose metrics; must outlive @scrape. Its configuration says where to listen.
 * @sockets: of the service manager, at which to listen as well; all are taken
 * @why: filled in on failure
 *
 * By TCP anybody may ask who reaches the socket. The header Host must then be an address,
 * localhost or the agent's name, so that no page of another site makes a browser read the metrics
 * (DNS rebinding).
 *
 * Return: 0, or a negative errno.
 */
int scrape_open(struct scrape **scrape, struct agent *agent, struct activation *sockets,
		struct qlink_why *why);

/**
 * scrape_close() - stop listening and remove the Unix socket
 * @scrape: from scrape_open(), or %NULL
 */
void scrape_close(struct scrape *scrape);

#endif
