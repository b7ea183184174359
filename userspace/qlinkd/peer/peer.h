/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A peer: its links, and the one connection that they share. */
#ifndef QLINKD_PEER_H
#define QLINKD_PEER_H

#include <event2/event.h>

#include "connection.h"
#include "dialler.h"
#include "qlinkd/link/run.h"

/**
 * DOC: Words
 *
 * * peer: another agent, known by the name in its certificate
 * * dial: connect to the peer by TCP; of two agents one dials, see dial_is_ours()
 * * caller: whoever has connected to our listener and has not completed the handshake
 * * admission: the rules for how many callers may be in the handshake at a time
 * * refusal: a reason for which a connection is closed, with a name and a counter
 * * connection: TCP and TLS with one peer, for all its links
 * * move: change a link from a connection to the next one, by a new session
 */

/**
 * DOC: Make before break
 *
 * A connection is replaced when this end or the peer has other certificates, when it is old, and by
 * command. The end that dials makes the next one while the present one serves all links. The end
 * that is called begins the change when it accepts the next one; the end that dials, when
 * it hears of that: by a message on the next one, or by LEAVE on the present one. For in TLS 1.3 the
 * peer may refuse our certificate after our handshake is complete.
 *
 * Each link then settles its offers, says LEAVE, and moves when nothing is in flight
 * (SESSION_ACTION_LEFT), or when the peer speaks of it on the next connection, because the peer has
 * moved it. What is not moved after PEER_MOVE_MS, or when the present connection ends,
 * moves anyway. After the last link has moved, the present connection becomes the old one: this
 * end sends close_notify on it, and reads on until the peer has sent its own.
 *
 * The end that is called cannot dial. To have another connection it has one link say LEAVE: the end
 * that dials makes a connection if it has none to move to.
 */

/* A connection that lasted this many ms ends the growth of the pause. */
#define PEER_LASTS_MS		10000
/*
 * Most bytes that wait to be sent, for each link. The messages of one session that can wait at a time
 * are under 9 KiB; a session starts over after 5 s, and after 10 s of silence TCP ends the connection.
 */
#define PEER_OUT_BYTES		(32 * 1024)
/* How long links have to settle their offers before they move, in ms; and how long an old connection is read. */
#define PEER_MOVE_MS		5000
#define PEER_DRAIN_MS		5000

/**
 * struct peer_link - a link of a peer
 */
struct peer_link {
	/** @link: the link */
	struct link *link;

	/** @has_moved: it is on the next connection; only while links move */
	bool has_moved;
};

/**
 * struct peer - one peer
 *
 * Only peer.c changes its members; others may read them.
 */
struct peer {
	/** @config: from the configuration file; outlives the peer */
	const struct config_peer *config;

	/** @services: outlive the peer */
	struct services *services;

	/** @base: event loop */
	struct event_base *base;

	/** @context: TLS settings of all connections */
	struct tls_context *context;

	/** @links: links whose other end is this peer */
	struct peer_link *links;

	/** @n_links: number of @links */
	size_t n_links;

	/** @links_room: for how many there is room */
	size_t links_room;

	/** @is_started: peer_start() was called */
	bool is_started;

	/** @dials: this agent dials; the peer does not */
	bool dials;

	/** @dialler: connects to the peer by TCP, if @dials */
	struct dialler dialler;

	/** @opened_at: time in ms at which the handshake of the last connection was completed */
	uint64_t opened_at;

	/** @connection: dialled by either end, or %NULL */
	struct connection *connection;

	/** @is_open: the handshake of @connection is complete */
	bool is_open;

	/** @is_stale: @connection is to be replaced */
	bool is_stale;

	/** @life_ms: age of @connection in ms at which it is replaced, 0 for any */
	uint32_t life_ms;

	/** @ends_at: time of the system's clock at which to verify the peer again; 0 if unknown */
	time_t ends_at;

	/** @next: takes the place of @connection when the peer has accepted it, or %NULL */
	struct connection *next;

	/** @next_is_open: its handshake is complete */
	bool next_is_open;

	/** @is_moving: links move from @connection to @next, which the peer has accepted */
	bool is_moving;

	/** @mover: a link may have left @connection */
	struct event *mover;

	/** @move_limit: timer after which all links move */
	struct event *move_limit;

	/** @old: was @connection before; read until the peer has finished with it as well, or %NULL */
	struct connection *old;

	/** @drain: timer after which @old is closed */
	struct event *drain;

	/** @n_connections: number of connections whose handshake was completed */
	uint64_t n_connections;

	/** @n_unknown_link: number of messages for links that this peer is not configured for */
	uint64_t n_unknown_link;

	/** @names: the peer's name and %NULL, as tls_new() takes them */
	const char *names[2];

	/** @why: why there is no connection, or no new one; empty otherwise */
	char why[sizeof(struct qlink_why)];
};

/**
 * peer_new() - create a peer that does nothing yet
 * @peer: set to the peer; the caller frees it with peer_free()
 * @own: this agent's name, as in its certificate
 * @config: outlives the peer
 * @services: outlive the peer
 * @base: event loop
 * @context: TLS settings; outlive the peer
 *
 * Context: The event loop's thread.
 * Return: 0, or %-ENOMEM.
 */
int peer_new(struct peer **peer, const char *own, const struct config_peer *config,
	     struct services *services, struct event_base *base,
	     struct tls_context *context);

/**
 * peer_free() - close the connection and free the peer; its links stay the caller's
 * @peer: from peer_new(), or %NULL
 *
 * Context: The event loop's thread.
 */
void peer_free(struct peer *peer);

/**
 * peer_start() - start dialling if this agent dials; or take a new configuration
 * @peer: the peer
 * @config: has the same name and address as before; outlives the peer
 *
 * Context: The event loop's thread.
 */
void peer_start(struct peer *peer, const struct config_peer *config);

/**
 * peer_recheck() - verify the peer's certificate again, against the CAs, CRLs and time of now
 * @peer: the peer; a connection that it would not get now ends
 *
 * Context: The event loop's thread.
 */
void peer_recheck(struct peer *peer);

/**
 * peer_watch() - verify the peer's certificate again at the time at which it expires
 * @peer: the peer
 * @now: time of the system's clock
 *
 * Also when another of its chain, or a CRL, expires. To be called each second; it looks at
 * nothing until then. peer_recheck() does so at any time, as clocks may be set.
 *
 * Context: The event loop's thread.
 */
void peer_watch(struct peer *peer, time_t now);

/**
 * peer_renew() - replace a connection that began with other certificates of ours
 * @peer: the peer; its links move to another connection, made with those of now
 *
 * Context: The event loop's thread.
 */
void peer_renew(struct peer *peer);

/**
 * peer_reconnect() - replace the connection by a new one, without losing a key
 * @peer: the peer
 *
 * Context: The event loop's thread.
 * Return: 0; %-ENOTCONN without a connection, %-EALREADY if it is just being replaced.
 */
int peer_reconnect(struct peer *peer);

/**
 * peer_grow_old() - do what the age of the connection demands
 * @peer: the peer; its connection gets another key of TLS, or is replaced if it is older than the
 *	configuration allows
 *
 * Context: The event loop's thread.
 */
void peer_grow_old(struct peer *peer);

/**
 * peer_left() - note that a link may have left the connection
 * @peer: the peer; it looks from the event loop
 *
 * Context: The event loop's thread.
 */
void peer_left(struct peer *peer);

/**
 * peer_reserve_links() - make room, so that peer_add_link() cannot fail
 * @peer: the peer
 * @n: most links that it will have
 *
 * Context: Process.
 * Return: 0, or %-ENOMEM.
 */
int peer_reserve_links(struct peer *peer, size_t n);

/**
 * peer_add_link() - add a link whose other end is this peer
 * @peer: the peer, with room for the link
 * @link: outlives the peer, or is removed first; connected at once if the connection is open
 *
 * Context: The event loop's thread.
 */
void peer_add_link(struct peer *peer, struct link *link);

/**
 * peer_remove_link() - remove a link
 * @peer: the peer
 * @link: from peer_add_link(); the caller frees it
 *
 * Context: The event loop's thread.
 */
void peer_remove_link(struct peer *peer, struct link *link);

/**
 * peer_id_owner() - find the link that has a link id
 * @peer: the peer
 * @but: a link that does not count
 * @id: the id, not 0
 *
 * Return: another link to this peer with this id, or %NULL.
 */
const struct link *peer_id_owner(const struct peer *peer, const struct link *but, uint16_t id);

/**
 * peer_adopt() - take over a connection that the peer dialled
 * @peer: the peer; links move to it from the connection that it has
 * @connection: its handshake is complete and its certificate names this peer; from now on
 *	the peer owns it
 *
 * Context: The event loop's thread.
 */
void peer_adopt(struct peer *peer, struct connection *connection);

/**
 * peer_hang_up() - end the connection, which is then made anew
 * @peer: the peer; its links are told later, from the event loop
 * @why: for the log
 *
 * Context: The event loop's thread.
 */
void peer_hang_up(struct peer *peer, const char *why);

/**
 * peer_send() - send a message of a link; dropped without an open connection
 * @peer: the peer
 * @link: the link, which says on which connection
 * @data: the message; copied
 * @len: bytes at @data
 *
 * Context: The event loop's thread; never waits.
 */
void peer_send(struct peer *peer, const struct link *link, const uint8_t *data, size_t len);

#endif
