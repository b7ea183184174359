/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A listening socket on the loop: it accepts no more connections than there is room for. */
#ifndef QLINKD_ACCEPT_H
#define QLINKD_ACCEPT_H

#include <stdbool.h>
#include <sys/socket.h>

#include <event2/event.h>

/* Pause in ms before connections are accepted again when there was no descriptor for one. */
#define ACCEPT_PAUSE_MS	100

/**
 * struct acceptor_ops - what a listening socket calls of its owner
 */
struct acceptor_ops {
	/** @has_room: say whether a connection may be accepted; if not, see acceptor_resume() */
	bool (*has_room)(void *arg);

	/** @accepted: take over the descriptor @fd of a connection; it does not block */
	void (*accepted)(void *arg, int fd, const struct sockaddr_storage *from);

	/**
	 * @delayed: a connection waits, because there is no descriptor or no memory for it, as
	 * the negative errno @err says; %NULL for an owner that need not know
	 */
	void (*delayed)(void *arg, int err);
};

/**
 * struct acceptor - a listening socket
 *
 * Members are for accept.c; tests read them.
 */
struct acceptor {
	/** @ops: of the owner */
	const struct acceptor_ops *ops;

	/** @arg: argument of @ops */
	void *arg;

	/** @fd: the socket */
	int fd;

	/** @readable: a connection waits; not on the loop while there is no room */
	struct event *readable;

	/** @pause: until connections are accepted again */
	struct event *pause;
};

/**
 * acceptor_open() - begin to accept connections
 * @acceptor: filled in; the caller closes it with acceptor_close(), also on failure
 * @base: event loop
 * @fd: a socket that listens and does not block; taken over
 * @ops: what to call; must outlive @acceptor
 * @arg: argument of @ops
 *
 * A connection for which there is no room, or no descriptor, stays in the backlog of the socket.
 * Meanwhile the loop does not look at the socket, which would be readable all the time.
 *
 * Context: Process.
 * Return: 0, or %-ENOMEM.
 */
int acceptor_open(struct acceptor *acceptor, struct event_base *base, int fd,
		  const struct acceptor_ops *ops, void *arg);

/**
 * acceptor_resume() - accept connections again, because there is room
 * @acceptor: from acceptor_open()
 *
 * Context: The event loop's thread.
 */
void acceptor_resume(struct acceptor *acceptor);

/**
 * acceptor_close() - stop and close the socket
 * @acceptor: from acceptor_open()
 *
 * Context: Process.
 */
void acceptor_close(struct acceptor *acceptor);

#endif
