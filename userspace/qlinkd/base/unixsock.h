/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listening Unix sockets at a path. */
#ifndef QLINKD_UNIXSOCK_H
#define QLINKD_UNIXSOCK_H

#include "common/why.h"


/**
 * unixsock_listen() - listen at a path
 * @path: where; a socket file at which no process listens any more is replaced
 * @mode: permission bits of the socket file
 * @why: filled in on failure
 *
 * The socket is a stream socket. The caller closes the descriptor and removes the file.
 *
 * Context: Process; changes the umask for a moment, so a file that another thread
 * creates meanwhile has no more than the bits of @mode.
 * Return: a non-blocking descriptor, or a negative errno with @why: %-EADDRINUSE if a
 * process listens at @path, %-ENAMETOOLONG if @path does not fit a socket address.
 */
int unixsock_listen(const char *path, unsigned int mode, struct qlink_why *why);

#endif
