/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connects to a peer by TCP, again and again with growing pauses. */
#ifndef QLINKD_DIALLER_H
#define QLINKD_DIALLER_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "qlinkd/config/config.h"

/* Shortest and longest pause in ms before the next attempt. */
#define DIALLER_MIN_MS		20
#define DIALLER_MAX_MS		1000
/* Longest time in ms to connect by TCP, before the TLS handshake. */
#define DIALLER_CONNECT_MS	3000

/**
 * struct dialler_ops - what a dialler tells its owner
 */
struct dialler_ops {
	/** @due: the pause is over; the owner may call dialler_dial() */
	void (*due)(void *arg);

	/**
	 * @dialled: an attempt has ended: @fd is the connected socket, from here on the
	 * owner's, or -1 and @why says why, valid during the call
	 */
	void (*dialled)(void *arg, int fd, const char *why);
};

/**
 * struct dialler - attempts to connect to one peer
 *
 * Only dialler.c changes its members; others may read them.
 */
struct dialler {
	/** @base: event loop */
	struct event_base *base;

	/** @ops: of the owner */
	const struct dialler_ops *ops;

	/** @arg: first argument of @ops */
	void *arg;

	/** @fd: socket that is being connected, or -1 */
	int fd;

	/** @attempt: @fd is connected, has failed or has timed out */
	struct event *attempt;

	/** @timer: the pause before the next attempt */
	struct event *timer;

	/** @pause_ms: next pause, in ms */
	uint32_t pause_ms;
};

/**
 * dialler_init() - set up a dialler
 * @dialler: to be filled in
 * @base: event loop; outlives the dialler
 * @ops: called from the event loop, and by dialler_dial()
 * @arg: for @ops
 *
 * Context: Process.
 * Return: 0, or %-ENOMEM; dialler_clear() is allowed after both.
 */
int dialler_init(struct dialler *dialler, struct event_base *base, const struct dialler_ops *ops, void *arg);

/**
 * dialler_clear() - end an attempt and all pauses, and free what they used
 * @dialler: a dialler, or zeros
 *
 * Context: Process.
 */
void dialler_clear(struct dialler *dialler);

/**
 * dialler_is_busy() - whether there is an attempt
 * @dialler: the dialler
 *
 * Context: Process.
 * Return: whether a socket is being connected.
 */
bool dialler_is_busy(const struct dialler *dialler);

/**
 * dialler_wait() - begin the pause before the next attempt, unless there is one
 * @dialler: the dialler
 *
 * The pause after it is twice as long, up to %DIALLER_MAX_MS.
 *
 * Context: Process.
 */
void dialler_wait(struct dialler *dialler);

/**
 * dialler_hurry() - end the pause at once
 * @dialler: the dialler
 *
 * Context: Process.
 */
void dialler_hurry(struct dialler *dialler);

/**
 * dialler_forget() - have the next pause be the shortest one
 * @dialler: the dialler
 *
 * Context: Process.
 */
void dialler_forget(struct dialler *dialler);

/**
 * dialler_dial() - attempt to connect, unless there is an attempt
 * @dialler: the dialler
 * @to: address and port of the peer
 *
 * Refused is a route that uses a qlink device, see route_check().
 *
 * Context: Process; asks the kernel for the route. The result goes to the owner, perhaps before
 * this returns.
 */
void dialler_dial(struct dialler *dialler, const struct config_endpoint *to);

#endif
