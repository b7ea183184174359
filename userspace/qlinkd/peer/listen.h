/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where peers that dial come in. */
#ifndef QLINKD_LISTEN_H
#define QLINKD_LISTEN_H

#include <event2/event.h>

#include "connection.h"
#include "qlinkd/config/config.h"
#include "qlinkd/services.h"

/* Refusals that are logged at once, and ms until there is room for one more; all are counted. */
#define LISTENER_LOG_BURST	20
#define LISTENER_LOG_MS	1000

struct listener;

/**
 * struct listener_ops - what the listener tells
 */
struct listener_ops {
	/**
	 * @entered: a peer whose name is @name; the connection is the callee's, who hands it
	 * over or frees it
	 */
	void (*entered)(void *arg, const char *name, struct connection *connection);
};

/**
 * listener_open() - listen
 * @listener: where it goes; the caller closes it with listener_close()
 * @config: where, and who the peers are; outlives the listener
 * @names: of all peers, ended by %NULL; outlive the listener
 * @services: likewise
 * @base: of the loop
 * @context: of all channels
 * @ops: what is told
 * @arg: for @ops
 * @why: filled in on failure
 *
 * Who comes in while its handshake is not made, and who goes for it: admission.h.
 *
 * Return: 0, or a negative errno.
 */
int listener_open(struct listener **listener, const struct config *config, const char *const *names,
		  struct services *services, struct event_base *base,
		  struct tls_context *context, const struct listener_ops *ops, void *arg,
		  struct qlink_why *why);

/**
 * listener_close() - listen no more, and send away who is not in yet
 * @listener: from listener_open(), or %NULL
 */
void listener_close(struct listener *listener);

#endif
