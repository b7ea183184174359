/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where peers that dial come in. */
#ifndef QLINKD_DOOR_H
#define QLINKD_DOOR_H

#include <event2/event.h>

#include "connection.h"
#include "qlinkd/config.h"
#include "qlinkd/services.h"

/* Refusals that are logged at once, and ms until there is room for one more; all are counted. */
#define DOOR_TOLD_BURST	20
#define DOOR_TOLD_MS	1000

struct door;

/**
 * struct door_ops - what the door tells
 */
struct door_ops {
	/**
	 * @entered: a peer whose name is @name; the connection is the callee's, who hands it
	 * over or frees it
	 */
	void (*entered)(void *arg, const char *name, struct connection *connection);
};

/**
 * door_open() - listen
 * @door: where it goes; the caller closes it with door_close()
 * @config: where, and who the peers are; outlives the door
 * @names: of all peers, ended by %NULL; outlive the door
 * @services: likewise
 * @base: of the loop
 * @context: of all channels
 * @ops: what is told
 * @arg: for @ops
 * @why: filled in on failure
 *
 * Who comes in while its handshake is not made, and who goes for it: crowd.h.
 *
 * Return: 0, or a negative errno.
 */
int door_open(struct door **door, const struct config *config, const char *const *names,
	      struct services *services, struct event_base *base,
	      struct channel_context *context, const struct door_ops *ops, void *arg,
	      struct qlink_why *why);

/**
 * door_close() - listen no more, and send away who is not in yet
 * @door: from door_open(), or %NULL
 */
void door_close(struct door *door);

#endif
