/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One connection to a peer: TLS on the event loop, messages in and out. */
#ifndef QLINKD_CONNECTION_H
#define QLINKD_CONNECTION_H

#include <event2/event.h>

#include "qlinkd/agreement/message.h"
#include "tls.h"

/* Longest handshake in ms. */
#define CONNECTION_HANDSHAKE_MS	5000

struct connection;

/**
 * struct connection_ops - callbacks of a connection to its owner, from the event loop
 */
struct connection_ops {
	/** @opened: the handshake is complete and all rules hold */
	void (*opened)(void *arg, struct connection *connection);

	/** @received: a message, decoded and as bytes; both are valid during the call only */
	void (*received)(void *arg, struct msg *msg, const uint8_t *data, size_t len);

	/** @closed: the connection has ended; the owner frees it, in this call or later */
	void (*closed)(void *arg, struct connection *connection, const char *why);
};

/**
 * connection_new() - start TLS on a connected socket
 * @connection: set to the connection; the owner frees it with connection_free()
 * @base: event loop
 * @context: TLS settings; outlive the connection
 * @fd: connected, non-blocking; from now on the connection owns it, also on failure
 * @has_dialled: this end dialled the connection
 * @peers: names that the peer may have, ended by %NULL; outlive the connection
 * @ops: callbacks; outlive the connection
 * @arg: for @ops
 *
 * Context: The event loop's thread.
 * Return: 0, or %-ENOMEM.
 */
int connection_new(struct connection **connection, struct event_base *base,
		   struct tls_context *context, int fd, bool has_dialled,
		   const char *const *peers, const struct connection_ops *ops, void *arg);

/**
 * connection_free() - close and free a connection, without a callback
 * @connection: from connection_new(), or %NULL
 *
 * Context: The event loop's thread. Of its own callbacks only @closed may call it.
 */
void connection_free(struct connection *connection);

/**
 * connection_hand_over() - change the owner of a connection
 * @connection: the connection
 * @ops: callbacks of the new owner; outlive the connection
 * @arg: for @ops
 *
 * Context: The event loop's thread.
 */
void connection_hand_over(struct connection *connection, const struct connection_ops *ops,
			  void *arg);

/**
 * connection_send() - send a message
 * @connection: its handshake is complete
 * @data: the message; copied
 * @len: bytes at @data
 * @most: bytes that may wait to be sent, with this message; beyond that the connection ends
 *
 * If the message cannot be sent, the connection ends: the event loop calls @closed later,
 * not this function.
 *
 * Context: The event loop's thread; never waits.
 */
void connection_send(struct connection *connection, const uint8_t *data, size_t len,
		     size_t most);

/**
 * connection_look() - do what is due without messages: change the key that is sent with
 * @connection: its handshake is complete
 *
 * Context: The event loop's thread.
 */
void connection_look(struct connection *connection);

/**
 * connection_finish() - send nothing more, once all that waits is sent
 * @connection: its handshake is complete; messages of the peer still come, until it has finished
 *	as well: then the event loop calls @closed
 *
 * Context: The event loop's thread; never waits.
 */
void connection_finish(struct connection *connection);

/**
 * connection_end() - end a connection
 * @connection: the connection; the event loop calls @closed later, not this function
 * @why: what @closed is told
 *
 * Context: The event loop's thread.
 */
void connection_end(struct connection *connection, const char *why);

/**
 * connection_tls() - get the TLS of a connection
 * @connection: the connection
 *
 * Return: its TLS, which the connection owns.
 */
struct tls *connection_tls(struct connection *connection);

#endif
