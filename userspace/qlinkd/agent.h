/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent: all its peers and links on one loop. */
#ifndef QLINKD_AGENT_H
#define QLINKD_AGENT_H

#include <event2/event.h>

#include "libqlink/event.h"
#include "qlinkd/base/notify.h"
#include "qlinkd/config/config.h"
#include "qlinkd/link/run.h"
#include "qlinkd/peer/listen.h"
#include "qlinkd/peer/peer.h"
#include "services.h"

/**
 * struct agent_link - a link and its events on the loop
 */
struct agent_link {
	/** @agent: that the link belongs to */
	struct agent *agent;

	/** @link: the link */
	struct link *link;

	/** @peer: the agent at its other end */
	struct peer *peer;

	/** @stock: event of its KMEs, %NULL for a link without KMEs */
	struct event *stock;

	/** @timer: event of the link's deadline */
	struct event *timer;
};

/**
 * struct agent - the agent
 *
 * Members are for agent.c; others only read them.
 */
struct agent {
	/** @path: of the configuration file */
	const char *path;

	/** @config: what that file says */
	struct config config;

	/** @services: shared by all links and peers */
	struct services services;

	/** @notify: the service manager */
	struct notify notify;

	/** @base: the loop */
	struct event_base *base;

	/** @context: of the TLS connections to all peers */
	struct tls_context *context;

	/** @monitor: receives events of devices */
	struct qlink_monitor *monitor;

	/** @monitor_event: the monitor is readable */
	struct event *monitor_event;

	/** @beat: timer of the watchdog */
	struct event *beat;

	/** @signals: SIGTERM, SIGINT, SIGHUP */
	struct event *signals[3];

	/** @listener: accepts connections of peers, %NULL if the agent does not listen */
	struct listener *listener;

	/** @names: of all peers, for @listener; ends with %NULL */
	const char **names;

	/** @peers: of the configuration */
	struct peer **peers;

	/** @n_peers: how many */
	size_t n_peers;

	/** @links: likewise */
	struct agent_link **links;

	/** @n_links: how many */
	size_t n_links;

	/** @began: services_now() at the start */
	uint64_t began;

	/** @reloads: reloads that succeeded */
	uint64_t reloads;

	/** @err: why the loop ended, 0 if a signal ended it */
	int err;
};

/**
 * agent_read_config() - read a configuration and refuse all that can be refused
 * @config: filled in; the caller frees it with config_free(), also on failure
 * @path: of the file; must outlive @config
 * @error: filled in on failure
 *
 * What "qlinkd -n" refuses, the start and a reload refuse, and nothing else.
 *
 * Return: 0, or a negative errno.
 */
int agent_read_config(struct config *config, const char *path, struct config_error *error);

/**
 * agent_open() - set up what the configuration asks for
 * @agent: all zero, but for @path, @services.broker and @monitor; the caller closes it with
 *	agent_close(), also on failure
 * @why: filled in on failure
 *
 * Return: 0, or a negative errno.
 */
int agent_open(struct agent *agent, struct qlink_why *why);

/**
 * agent_run() - run the loop until a signal or an error ends it
 * @agent: from agent_open()
 *
 * Return: 0, or %-EPIPE when the broker has ended.
 */
int agent_run(struct agent *agent);

/**
 * agent_close() - wipe and free everything
 * @agent: from agent_open()
 */
void agent_close(struct agent *agent);

/**
 * agent_reload() - read the configuration anew
 * @agent: the agent; links and peers that do not change run on undisturbed
 * @why: filled in on failure; then nothing has changed
 *
 * Return: 0, or a negative errno.
 */
int agent_reload(struct agent *agent, struct qlink_why *why);

/**
 * agent_find_link() - find a link
 * @agent: the agent
 * @device: its name
 *
 * Return: the link, or %NULL.
 */
struct link *agent_find_link(const struct agent *agent, const char *device);

#endif
