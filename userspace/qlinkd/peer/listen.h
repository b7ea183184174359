/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The listener: it accepts callers and hands those that are peers to the agent. */
#ifndef QLINKD_LISTEN_H
#define QLINKD_LISTEN_H

#include <event2/event.h>

#include "address.h"
#include "connection.h"
#include "qlinkd/config/config.h"
#include "qlinkd/services.h"

/* Most refusals logged at once, and ms until one more is logged; all refusals are counted. */
#define LISTENER_LOG_BURST	20
#define LISTENER_LOG_MS	1000

struct listener;

/**
 * struct listener_refusal - the last caller that was refused
 */
struct listener_refusal {
	/** @at: services_now() then; 0 if none was refused so far */
	uint64_t at;

	/** @from: its address, as far as it is known */
	char from[ADDRESS_TEXT];

	/** @why: as in the log */
	char why[sizeof(struct qlink_why)];
};

/**
 * struct listener_ops - callbacks of the listener, from the event loop
 */
struct listener_ops {
	/**
	 * @accepted: the peer @name has completed its handshake; the callee owns the
	 * connection and calls connection_hand_over()
	 */
	void (*accepted)(void *arg, const char *name, struct connection *connection);
};

/**
 * listener_open() - start listening
 * @listener: set to the listener; the caller closes it with listener_close()
 * @config: address to listen on, and the peers' addresses; outlives the listener
 * @names: names of all peers, ended by %NULL; outlive the listener
 * @services: log and counters; outlive the listener
 * @base: event loop
 * @context: TLS settings; outlive the listener
 * @ops: callbacks; outlive the listener
 * @arg: for @ops
 * @why: filled in on failure
 *
 * admission.h has the rules for callers whose handshake is not complete. The address need
 * not exist yet (IP_FREEBIND).
 *
 * Context: The event loop's thread.
 * Return: 0; or with @why %-ENOMEM, or %-EADDRNOTAVAIL if it cannot listen.
 */
int listener_open(struct listener **listener, const struct config *config, const char *const *names,
		  struct services *services, struct event_base *base,
		  struct tls_context *context, const struct listener_ops *ops, void *arg,
		  struct qlink_why *why);

/**
 * listener_renew() - go on with another configuration, on the same socket
 * @listener: the listener
 * @config: the peers' addresses; outlives the listener. The address to listen on is the same
 * @names: as for listener_open()
 *
 * Callers whose handshake is not complete are closed, because they may be of a peer that is
 * gone. The others call again.
 *
 * Context: The event loop's thread.
 */
void listener_renew(struct listener *listener, const struct config *config,
		    const char *const *names);

/**
 * listener_refusal() - say which caller was refused last, and why
 * @listener: the listener
 *
 * Return: the refusal; its @at is 0 if there was none.
 */
const struct listener_refusal *listener_refusal(const struct listener *listener);

/**
 * listener_close() - stop listening, and close connections whose handshake is not complete
 * @listener: from listener_open(), or %NULL
 *
 * Context: The event loop's thread.
 */
void listener_close(struct listener *listener);

#endif
