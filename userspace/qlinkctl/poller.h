/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asks qlinkd for its status without waiting for the answer. */
#ifndef QLINKCTL_POLLER_H
#define QLINKCTL_POLLER_H

#include "ctl.h"

/**
 * struct poller - a question, and as much of its answer as has come
 */
struct poller {
	/** @fd: readable when more has come; -1 if nothing is asked */
	int fd;

	/** @text: what has come */
	char *text;

	/** @len: how much that is */
	size_t len;

	/** @room: at @text */
	size_t room;
};

/**
 * poller_start() - ask
 * @poller: asks nothing else now
 * @ctl: says where the socket is
 * @why: filled in on failure: value, rule
 *
 * Return: 0, or a negative errno with @why.
 */
int poller_start(struct poller *poller, const struct ctl *ctl, struct qlink_why *why);

/**
 * poller_read() - read what has come
 * @poller: has asked
 * @ctl: says where the socket is
 * @status: the status, which the caller frees, once it is complete
 * @why: filled in on failure: value, rule
 *
 * Return: 0 with @status, %-EAGAIN if more is to come, or another negative errno with @why; then nothing is asked
 * any more.
 */
int poller_read(struct poller *poller, const struct ctl *ctl, json_t **status, struct qlink_why *why);

/**
 * poller_stop() - ask no more
 * @poller: has asked, or not
 */
void poller_stop(struct poller *poller);

#endif
