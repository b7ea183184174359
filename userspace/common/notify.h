/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages to the service manager: sd_notify(3), without its library. */
#ifndef QLINK_NOTIFY_H
#define QLINK_NOTIFY_H

#include <stdint.h>

#include "why.h"


/* Longest message, in bytes. */
#define NOTIFY_TEXT_MAX	512

/**
 * struct notify - the connection to the service manager
 */
struct notify {
	/** @fd: datagram socket connected to the service manager; -1 if there is none */
	int fd;

	/**
	 * @watchdog_ms: longest time between two WATCHDOG=1, half of the service manager's
	 * limit; 0 if it wants none
	 */
	uint32_t watchdog_ms;
};

/**
 * notify_open() - connect to the service manager
 * @notify: filled in; @notify->fd is -1 if NOTIFY_SOCKET is not set
 * @why: filled in on failure
 *
 * Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and removes them from the
 * environment, so that no child process sends messages in this program's name. The caller
 * calls notify_close().
 *
 * Context: Process, before it has threads (it changes the environment).
 * Return: 0, or a negative errno with @why: %-EINVAL for a variable that cannot be parsed,
 * else what socket() or connect() failed with.
 */
int notify_open(struct notify *notify, struct qlink_why *why);

/**
 * notify_close() - close the connection to the service manager
 * @notify: from notify_open()
 */
void notify_close(struct notify *notify);

/**
 * notify_send() - send a message to the service manager
 * @notify: from notify_open()
 * @format: printf() format of assignments, one a line, as in "READY=1\nSTATUS=%s"
 *
 * Context: Process; never waits.
 * Return: 0, also without a service manager; %-EMSGSIZE if the message is longer than
 * NOTIFY_TEXT_MAX; or what send() failed with.
 */
__attribute__((format(printf, 2, 3)))
int notify_send(const struct notify *notify, const char *format, ...);

#endif
