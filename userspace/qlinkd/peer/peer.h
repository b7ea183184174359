/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A peer: its links, and the one connection that they share. */
#ifndef QLINKD_PEER_H
#define QLINKD_PEER_H

#include <event2/event.h>

#include "connection.h"
#include "qlinkd/link/run.h"

/* Between two attempts to reach it, and while it is away. */
#define PEER_DIAL_MIN_MS	20
#define PEER_DIAL_MAX_MS	1000
/* Until a connection without TLS is made. */
#define PEER_CONNECT_MS		3000

/**
 * struct peer - one peer
 *
 * Members are for peer.c; others may look.
 */
struct peer {
	/** @config: as in the file; outlives the peer */
	const struct config_peer *config;

	/** @services: outlive the peer */
	struct services *services;

	/** @base: of the loop */
	struct event_base *base;

	/** @context: of all channels */
	struct tls_context *context;

	/** @links: that it is the other end of */
	struct link **links;

	/** @n_links: how many */
	size_t n_links;

	/** @dials: we do, it does not */
	bool dials;

	/** @dialling: socket of an attempt under way, or -1 */
	int dialling;

	/** @dialled: that socket is connected, or is not */
	struct event *dialled;

	/** @redial: when the next attempt is due */
	struct event *redial;

	/** @dial_ms: pause before it */
	uint32_t dial_ms;

	/** @connection: made by either end, or %NULL */
	struct connection *connection;

	/** @is_open: @connection has its handshake behind it */
	bool is_open;

	/** @n_connections: that were ever open */
	uint64_t n_connections;

	/** @n_unknown_link: messages for links that it has no part in */
	uint64_t n_unknown_link;

	/** @names: its own, and %NULL, as a channel wants them */
	const char *names[2];

	/** @why: what is in the way of a connection, empty for nothing */
	char why[sizeof(struct qlink_why)];
};

/**
 * peer_new() - begin to have a peer
 * @peer: where it goes; the caller frees it with peer_free()
 * @own: our name
 * @config: outlives it
 * @services: likewise
 * @base: of the loop
 * @context: of all channels
 *
 * Return: 0, or %-ENOMEM.
 */
int peer_new(struct peer **peer, const char *own, const struct config_peer *config,
	     struct services *services, struct event_base *base,
	     struct tls_context *context);

/**
 * peer_free() - end the connection; links are the caller's
 * @peer: from peer_new(), or %NULL
 */
void peer_free(struct peer *peer);

/**
 * peer_add_link() - let a link be spoken for
 * @peer: the peer
 * @link: outlives the peer, or is removed
 *
 * Return: 0, or %-ENOMEM.
 */
int peer_add_link(struct peer *peer, struct link *link);

/**
 * peer_remove_link() - let it be no more
 * @peer: the peer
 * @link: from peer_add_link()
 */
void peer_remove_link(struct peer *peer, struct link *link);

/**
 * peer_adopt() - take a connection that the peer made
 * @peer: the peer
 * @connection: its handshake is made, and names this peer; another one that there is ends
 */
void peer_adopt(struct peer *peer, struct connection *connection);

/**
 * peer_say() - send bytes of a link
 * @peer: the peer
 * @data: a message
 * @len: its bytes
 */
void peer_say(struct peer *peer, const uint8_t *data, size_t len);

#endif
