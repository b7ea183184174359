/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One connection to a peer: its channel on the loop, messages in and out. */
#ifndef QLINKD_CONNECTION_H
#define QLINKD_CONNECTION_H

#include <event2/event.h>

#include "qlinkd/agreement/message.h"
#include "tls.h"

/* What waits to be sent at most; a peer that takes no more is cut off. */
#define CONNECTION_OUT_MAX	(1U << 20)
/* Until the handshake is made. */
#define CONNECTION_HANDSHAKE_MS	5000

struct connection;

/**
 * struct connection_ops - what a connection tells its owner
 */
struct connection_ops {
	/** @opened: the handshake is made */
	void (*opened)(void *arg, struct connection *connection);

	/** @heard: a message, decoded, and as bytes; both are gone afterwards */
	void (*heard)(void *arg, struct msg *msg, const uint8_t *data, size_t len);

	/** @closed: it is over; the owner frees it, within this call or later */
	void (*closed)(void *arg, struct connection *connection, const char *why);
};

/**
 * connection_new() - begin to talk on a connected socket
 * @connection: where it goes; the owner frees it with connection_free()
 * @base: of the loop
 * @context: outlives it
 * @fd: connected, non-blocking; the connection's from here on, also on failure
 * @has_dialled: we made the connection
 * @peers: names that the peer may have, ended by %NULL; outlive it
 * @ops: what it tells; outlive it
 * @arg: for @ops
 *
 * Return: 0, or %-ENOMEM.
 */
int connection_new(struct connection **connection, struct event_base *base,
		   struct tls_context *context, int fd, bool has_dialled,
		   const char *const *peers, const struct connection_ops *ops, void *arg);

/**
 * connection_free() - end a connection
 * @connection: from connection_new(), or %NULL
 */
void connection_free(struct connection *connection);

/**
 * connection_hand_over() - give a connection another owner
 * @connection: the connection
 * @ops: of the new owner; outlive it
 * @arg: for @ops
 */
void connection_hand_over(struct connection *connection, const struct connection_ops *ops,
			  void *arg);

/**
 * connection_say() - send a message
 * @connection: its handshake is made
 * @data: the message, copied
 * @len: its bytes
 *
 * What cannot be sent ends the connection: @closed is called from the loop, not from
 * here.
 */
void connection_say(struct connection *connection, const uint8_t *data, size_t len);

/**
 * connection_channel() - get what is below
 * @connection: the connection
 *
 * Return: its channel, which stays its own.
 */
struct tls *connection_channel(struct connection *connection);

#endif
