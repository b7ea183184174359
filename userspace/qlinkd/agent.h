/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent: all its peers and links on one loop. */
#ifndef QLINKD_AGENT_H
#define QLINKD_AGENT_H

#include <event2/event.h>

#include "common/notify.h"
#include "libqlink/event.h"
#include "qlinkd/peer/listen.h"
#include "overview.h"
#include "services.h"
#include "setup.h"

/**
 * struct agent - the agent
 *
 * Members are for agent.c; others only read them.
 */
struct agent {
	/** @path: of the configuration file */
	const char *path;

	/** @now: what that file says, and all that runs for it */
	struct setup now;

	/** @services: shared by all links and peers */
	struct services services;

	/** @notify: the service manager */
	struct notify notify;

	/** @overview: how the links stand, as the service manager was told last */
	char overview[NOTIFY_TEXT_MAX - sizeof("STATUS=")];

	/** @refused: why the last reload was refused; empty if it was not */
	char refused[200];

	/** @base: the loop */
	struct event_base *base;

	/** @monitor: receives events of devices */
	struct qlink_monitor *monitor;

	/** @monitor_event: the monitor is readable */
	struct event *monitor_event;

	/** @kmes_event: a request to a KME goes on */
	struct event *kmes_event;

	/** @state_event: chains were written to the disk */
	struct event *state_event;

	/** @beat: timer of the watchdog */
	struct event *beat;

	/** @signals: SIGTERM, SIGINT, SIGHUP */
	struct event *signals[3];

	/** @listener: accepts connections of peers, %NULL if the agent does not listen */
	struct listener *listener;

	/** @n_beats: number of beats of @beat so far */
	uint64_t n_beats;

	/** @began: services_now() at the start */
	uint64_t began;

	/** @reloads: reloads that succeeded */
	uint64_t reloads;

	/** @err: why the loop ended, 0 if a signal ended it */
	int err;
};

/**
 * agent_check() - refuse all that a reload of this file would refuse
 * @path: of the configuration file
 * @error: filled in on failure
 *
 * Builds everything, as a reload does, and frees it.
 *
 * Return: 0, or a negative errno.
 */
int agent_check(const char *path, struct config_error *error);

/**
 * agent_open() - set up what the configuration asks for
 * @agent: all zero, but for @path, @services.broker and @monitor; the caller closes it with
 *	agent_close(), also on failure
 * @error: filled in on failure
 *
 * Return: 0, or a negative errno.
 */
int agent_open(struct agent *agent, struct config_error *error);

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
 * @error: filled in on failure; then nothing has changed
 *
 * Return: 0, or a negative errno.
 */
int agent_reload(struct agent *agent, struct config_error *error);

/**
 * agent_try_reload() - do all of a reload but the last step
 * @agent: the agent; nothing of it changes
 * @use: called with what runs, and with what would take its place; both are valid during the call
 * @arg: for @use
 * @error: filled in on failure: what a reload would be refused for
 *
 * Return: 0, or a negative errno.
 */
int agent_try_reload(struct agent *agent,
		     void (*use)(void *arg, const struct setup *now, const struct setup *next),
		     void *arg, struct config_error *error);

/**
 * agent_find_link() - find a link
 * @agent: the agent
 * @device: its name
 *
 * Return: the link, or %NULL.
 */
struct link *agent_find_link(const struct agent *agent, const char *device);

#endif
