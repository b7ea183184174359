/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of the agent that may touch the kernel, and does nothing else. */
#ifndef QLINKD_BROKER_H
#define QLINKD_BROKER_H

#include <stdint.h>

/**
 * DOC: Two processes
 *
 * What comes from the network, from KMEs and peers, is parsed by a process that has no
 * power over the kernel's links. The broker has, and hears only that process: fixed
 * structures, over a socket pair, one question at a time. It answers a table of them, for the
 * devices that the configuration file names and no others, and ends at the first question
 * that is none: the agent ends with it, and the service manager starts both anew. Frames go
 * on under staged keys meanwhile.
 */

/**
 * broker_run() - answer until the agent is gone
 * @fd: of the socket pair
 * @keys: memory shared with the agent, SESSION_OFFER_MAX times QLINK_SECRET_BYTES
 * @path: of the configuration file, for the names of devices
 *
 * Return: exit status of the process.
 */
int broker_run(int fd, uint8_t *keys, const char *path);

#endif
