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
	/** @etsi: the KME */
	struct etsi etsi;

	/** @base: libevent's loop */
	struct event_base *base;

	/** @host: the address to listen on */
	char host[64];

	/** @port: the port to listen on; with 0, the kernel selects one at the first start */
	uint16_t port;

	/** @certificate: PEM file of the KME's certificate and its chain; empty if it has only pre-shared keys */
	char certificate[256];

	/** @key: PEM file of its private key */
	char key[256];

	/** @ca: PEM file of the CA that must have issued the certificates of SAEs */
	char ca[256];

	/** @tls: made from these files by server_load() */
	SSL_CTX *tls;

	/** @http: the HTTP server, %NULL while the KME is stopped */
	struct evhttp *http;

	/** @restart: timer that starts the KME again */
	struct event *restart;

	/** @n_connections: that it accepted so far */
	uint64_t n_connections;

	/** @held: answers that faults delay */
	TAILQ_HEAD(, held) held;
};

/**
 * server_load() - read the certificates and the key
 * @server: the server; all members before @tls are filled in
 * @why: filled in on failure; what was read before stays
 *
 * Return: 0, or -1 with @why.
 */
int server_load(struct server *server, struct qlink_why *why);

/**
 * server_start() - read the certificates and the key, and listen
 * @server: all members before @tls are filled in; nothing happens if it already runs
 * @why: filled in on failure
 *
 * Return: 0, or -1 with @why.
 */
int server_start(struct server *server, struct qlink_why *why);

/**
 * server_stop() - close all sockets, as after a power failure of the KME
 * @server: nothing happens if it does not run
 */
void server_stop(struct server *server);

/**
 * server_restart() - stop, and start again later
 * @server: the server
 * @ms: how long it is stopped
 */
void server_restart(struct server *server, unsigned int ms);

/**
 * server_release() - close the connections whose answers are delayed
 * @server: the server
 */
void server_release(struct server *server);

/**
 * server_exit() - stop and free everything
 * @server: the server, which need not have been loaded
 */
void server_exit(struct server *server);

/**
 * server_now_ms() - read the clock that supplies use
 *
 * Return: CLOCK_MONOTONIC in ms.
 */
uint64_t server_now_ms(void);

#endif
