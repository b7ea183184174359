/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unix sockets that stand at a path. */
#ifndef QLINKD_UNIXSOCK_H
#define QLINKD_UNIXSOCK_H

#include "common/why.h"


/**
 * unixsock_listen() - listen at a path
 * @path: where; a socket that nobody listens to any more is replaced
 * @mode: permission bits of the socket
 * @why: filled in on failure
 *
 * Return: a non-blocking descriptor, or a negative errno: %-EADDRINUSE when somebody
 * listens there.
 */
int unixsock_listen(const char *path, unsigned int mode, struct qlink_why *why);

#endif
