/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes that have connected to a socket: how many, how long, one answer at a time. */
#ifndef QLINKD_CLIENTS_H
#define QLINKD_CLIENTS_H

#include <stddef.h>

#include <event2/bufferevent.h>

#include "accept.h"
#include "common/why.h"

/* A client that sends nothing, or reads nothing, for this many seconds is disconnected. */
#define CLIENTS_IDLE_S	30

/**
 * enum clients_step - what is next for a client
 * @CLIENTS_WAIT: its request is not whole yet
 * @CLIENTS_GO_ON: its request was answered, and it may send another
 * @CLIENTS_END: disconnect it as soon as it has read what was written to it
 */
enum clients_step {
	CLIENTS_WAIT,
	CLIENTS_GO_ON,
	CLIENTS_END,
};

/**
 * struct clients_kind - the clients of one socket
 */
struct clients_kind {
	/** @most: clients that are connected at once, at most; others wait in the backlog */
	size_t most;

	/** @request_bytes: bytes of a request, at most; a client that sends more is disconnected */
	size_t request_bytes;

	/**
	 * @most_s: seconds that a client may stay, however busy it is; 0 for as long as it likes.
	 * Not for a kind whose clients send several requests.
	 */
	unsigned int most_s;

	/**
	 * @serve: take a request from the input of @io, and write its answer to the output;
	 * must not free @io
	 */
	enum clients_step (*serve)(void *arg, struct bufferevent *io);
};

/**
 * struct client - one client
 */
struct client {
	/** @clients: that it is one of */
	struct clients *clients;

	/** @io: the connection, %NULL for none */
	struct bufferevent *io;

	/** @end: when it must have gone; %NULL if its kind has no such limit */
	struct event *end;

	/** @is_last: disconnect it when the answer is written */
	bool is_last;
};

/**
 * struct clients - a socket and its clients
 *
 * Members are for clients.c; tests read them.
 */
struct clients {
	/** @kind: what they may do */
	const struct clients_kind *kind;

	/** @arg: argument of @kind->serve */
	void *arg;

	/** @base: event loop */
	struct event_base *base;

	/** @path: of a Unix socket that clients_open() made, otherwise %NULL */
	char *path;

	/** @acceptor: the socket */
	struct acceptor acceptor;

	/** @list: @kind->most of them */
	struct client *list;
};

/**
 * clients_open() - listen at a path
 * @clients: set to the socket; the caller closes it with clients_close(); %NULL on failure
 * @base: event loop
 * @path: where; a socket file at which no process listens any more is replaced. Its mode is 0660.
 * @kind: what clients may do; must outlive @clients
 * @arg: argument of @kind->serve
 * @why: filled in on failure
 *
 * A client gets one answer at a time: its next request waits until it has read the answer to the
 * one before.
 *
 * Context: Process.
 * Return: 0, or a negative errno as unixsock_listen().
 */
int clients_open(struct clients **clients, struct event_base *base, const char *path,
		 const struct clients_kind *kind, void *arg, struct qlink_why *why);

/**
 * clients_adopt() - serve the clients of a socket that listens already
 * @clients: set to the socket; the caller closes it with clients_close(); %NULL on failure
 * @base: event loop
 * @fd: the socket, which does not block; taken over, also on failure. A file that it has stays.
 * @kind: as clients_open() takes it
 * @arg: likewise
 * @why: filled in on failure
 *
 * Context: Process.
 * Return: 0, or %-ENOMEM.
 */
int clients_adopt(struct clients **clients, struct event_base *base, int fd,
		  const struct clients_kind *kind, void *arg, struct qlink_why *why);

/**
 * clients_close() - disconnect all clients, close the socket and remove the file of clients_open()
 * @clients: from clients_open() or clients_adopt(), or %NULL
 *
 * Context: Process.
 */
void clients_close(struct clients *clients);

#endif
