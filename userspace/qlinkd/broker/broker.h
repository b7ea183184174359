/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process of the agent that may change links in the kernel, and does nothing else. */
#ifndef QLINKD_BROKER_H
#define QLINKD_BROKER_H

#include <stdint.h>

/**
 * DOC: Words
 *
 * * agent: the process that talks to KMEs and peers; without CAP_NET_ADMIN
 * * broker: the process that talks to the kernel; with CAP_NET_ADMIN
 * * request: a fixed structure that the agent sends; struct request
 * * reply: a fixed structure that the broker sends back; struct reply
 * * ring: all keys of one direction that the kernel holds
 * * range: a run of consecutive epochs, as STATE lists them
 * * handle: 16 bytes by which the kernel names a KME key ID
 * * record: what the kernel noted about a key that is gone
 */

/**
 * DOC: Two processes
 *
 * The agent parses all data from the network, from KMEs and from peers, and has no privilege
 * over links. The broker has that privilege and reads from the agent only: fixed structures,
 * over a socket pair, one request at a time. It answers the requests of a table, and only for
 * devices that the configuration file names. At the first invalid request it exits. Then the
 * agent exits too, and the service manager starts both again. Meanwhile frames continue
 * under staged keys.
 */

/**
 * broker_run() - answer requests until the agent exits
 * @fd: the broker's end of the socket pair, which keeps message boundaries
 * @keys: memory shared with the agent, SESSION_OFFER_MAX times QLINK_SECRET_BYTES
 * @path: path of the configuration file, which has the names of the devices
 *
 * Context: The broker process; waits. It needs CAP_NET_ADMIN.
 * Return: exit status of the process: 0 after the agent has closed its end, else 1.
 */
int broker_run(int fd, uint8_t *keys, const char *path);

#endif
