/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent tells the service manager: sd_notify(3), without its library. */
#ifndef QLINKD_NOTIFY_H
#define QLINKD_NOTIFY_H

#include <stdint.h>

#include "common/why.h"


/* Of a message. */
#define NOTIFY_TEXT_MAX	512

/**
 * struct notify - a service manager that listens
 */
struct notify {
	/** @fd: connected to it, -1 for nobody */
	int fd;

	/** @watchdog_ms: how often it wants WATCHDOG=1 at least, half of its patience;
	 * 0 for never
	 */
	uint32_t watchdog_ms;
};

/**
 * notify_open() - find the service manager
 * @notify: filled in; nobody listens where NOTIFY_SOCKET is not set
 * @why: filled in on failure
 *
 * NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are taken from the environment and
 * out of it, so that no child speaks for us.
 *
 * Return: 0, or a negative errno.
 */
int notify_open(struct notify *notify, struct qlink_why *why);

/**
 * notify_close() - say no more
 * @notify: from notify_open()
 */
void notify_close(struct notify *notify);

/**
 * notify_say() - tell the service manager
 * @notify: from notify_open()
 * @format: of assignments, with newlines between them, as in "READY=1\nSTATUS=%s"
 *
 * Never waits.
 *
 * Return: 0, also where nobody listens; %-EMSGSIZE for more than NOTIFY_TEXT_MAX, or
 * what sending it came to.
 */
__attribute__((format(printf, 2, 3)))
int notify_say(const struct notify *notify, const char *format, ...);

#endif
