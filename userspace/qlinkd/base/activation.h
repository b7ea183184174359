/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets that the service manager has opened: sd_listen_fds(3), without its library. */
#ifndef QLINKD_ACTIVATION_H
#define QLINKD_ACTIVATION_H

#include <stddef.h>

#include "common/why.h"

/* Sockets of the service manager, at most. */
#define ACTIVATION_MAX	8

/**
 * struct activation - the sockets
 */
struct activation {
	/** @fds: listening stream sockets that do not block; -1 where one was taken */
	int fds[ACTIVATION_MAX];

	/** @n: how many */
	size_t n;
};

/**
 * activation_open() - take over the sockets of one name
 * @activation: filled in; empty if the service manager passes none
 * @name: that all sockets must have, as the unit's FileDescriptorName= gives it
 * @why: filled in on failure
 *
 * Reads LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES and removes them from the environment. The
 * caller calls activation_close(), also on failure.
 *
 * Context: Process, before it has threads (it changes the environment).
 * Return: 0, or %-EINVAL with @why: for a variable that cannot be parsed, another name, or a
 * descriptor that is not a listening stream socket.
 */
int activation_open(struct activation *activation, const char *name, struct qlink_why *why);

/**
 * activation_take() - take a socket
 * @activation: from activation_open()
 *
 * Return: a descriptor, which the caller closes, or -1 if no other is left.
 */
int activation_take(struct activation *activation);

/**
 * activation_close() - close the sockets that nobody took
 * @activation: from activation_open()
 */
void activation_close(struct activation *activation);

#endif
