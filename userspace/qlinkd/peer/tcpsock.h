/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listening TCP sockets at an endpoint. */
#ifndef QLINKD_TCPSOCK_H
#define QLINKD_TCPSOCK_H

#include "qlinkd/config/config.h"

/**
 * tcpsock_listen() - listen at an endpoint
 * @at: where; the host may get the address later
 * @backlog: connections that may wait to be accepted
 *
 * Context: Process.
 * Return: a non-blocking descriptor, which the caller closes, or a negative errno.
 */
int tcpsock_listen(const struct config_endpoint *at, int backlog);

#endif
