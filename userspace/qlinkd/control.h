/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control socket: one line of a command, one line of JSON. */
#ifndef QLINKD_CONTROL_H
#define QLINKD_CONTROL_H

#include "agent.h"

/* Bytes of a command line, at most. */
#define CONTROL_LINE_MAX	256
/* Clients that are connected at once, at most. */
#define CONTROL_CLIENTS_MAX	16

struct control;

/**
 * control_open() - listen on a Unix socket
 * @control: where it goes; the caller closes it with control_close()
 * @path: of the socket; a socket file without a listener is replaced
 * @agent: must outlive @control
 * @why: filled in on failure
 *
 * Any process that may open the socket, whose mode is 0660, may ask for the status. Commands that
 * change something are for root, the user of this process and the group of the option operators.
 * Each of those is in the audit log, with who asked.
 *
 * Return: 0, or a negative errno.
 */
int control_open(struct control **control, const char *path, struct agent *agent,
		 struct qlink_why *why);

/**
 * control_close() - stop listening and remove the socket
 * @control: from control_open(), or %NULL
 */
void control_close(struct control *control);

#endif
