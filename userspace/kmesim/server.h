/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One KME's HTTPS server. */
#ifndef KMESIM_SERVER_H
#define KMESIM_SERVER_H

#include <sys/queue.h>

#include <event2/event.h>
#include <event2/http.h>
#include <openssl/ssl.h>

#include "etsi.h"

struct held;

/**
 * struct server - one KME and its sockets
 */
struct server {
	/** @etsi: the KME behind it */
	struct etsi etsi;

	/** @base: libevent's loop */
	struct event_base *base;

	/** @host: address to listen on */
	char host[64];

	/** @port: likewise; 0 before the first start lets the kernel choose */
	uint16_t port;

	/** @certificate: PEM file of the KME's certificate and its chain */
	char certificate[256];

	/** @key: PEM file of its private key */
	char key[256];

	/** @ca: PEM file of the CA that SAE certificates must come from */
	char ca[256];

	/** @tls: made of these by server_load() */
	SSL_CTX *tls;

	/** @http: while it runs */
	struct evhttp *http;

	/** @restart: starts it again */
	struct event *restart;

	/** @held: answers that are late on purpose */
	TAILQ_HEAD(, held) held;
};

/**
 * server_load() - read certificates, and be ready to start
 * @server: with everything above @tls filled in
 * @why: filled in on failure
 *
 * Return: 0, or -1.
 */
int server_load(struct server *server, struct qlink_why *why);

/**
 * server_start() - listen
 * @server: from server_load(); nothing happens if it runs
 * @why: filled in on failure
 *
 * Return: 0, or -1 with @why.
 */
int server_start(struct server *server, struct qlink_why *why);

/**
 * server_stop() - close all sockets, as if the KME had lost its power
 * @server: nothing happens if it does not run
 */
void server_stop(struct server *server);

/**
 * server_restart() - stop, and start after a while
 * @server: the server
 * @ms: how long it is down
 */
void server_restart(struct server *server, unsigned int ms);

/**
 * server_release() - close the connections whose answers hang or drip
 * @server: the server
 */
void server_release(struct server *server);

/**
 * server_exit() - stop and free everything
 * @server: also one that was never loaded
 */
void server_exit(struct server *server);

/**
 * server_now_ms() - the clock of supplies
 *
 * Return: CLOCK_MONOTONIC in ms.
 */
uint64_t server_now_ms(void);

#endif
