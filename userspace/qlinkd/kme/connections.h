/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connections to one key server, and the requests of all clients that go over them in turn. */
#ifndef QLINKD_KME_CONNECTIONS_H
#define QLINKD_KME_CONNECTIONS_H

#include "http.h"
#include "loop.h"

enum kme_request_state {
	/* there is none */
	KME_REQUEST_NONE,
	/* it waits for its turn, and is not sent yet */
	KME_REQUEST_WAITING,
	KME_REQUEST_RUNNING,
	/* it is over; its owner has yet to call kme_request_end() */
	KME_REQUEST_OVER,
};

/**
 * struct kme_request - a request and its answer; all zero when there is none
 */
struct kme_request {
	/** @transfer: what goes over the connection; what is left of it is the answer */
	struct kme_transfer transfer;

	/** @state: how far it is */
	enum kme_request_state state;

	/**
	 * @write: called when its turn has come, to fill in @url, @body and @room; again if it then had to wait
	 * after all. Returns 0, or a negative errno.
	 */
	int (*write)(void *arg);

	/** @url: with query; from malloc(), as is @body */
	char *url;

	/** @body: of a POST; %NULL for a GET */
	char *body;

	/** @room: most bytes of the answer */
	size_t room;

	/** @is_once: it must not be sent twice, because the KME would carry it out twice */
	bool is_once;

	/** @is_urgent: it goes before requests that are not; but one of these goes after each few */
	bool is_urgent;

	/**
	 * @over: called once the request is over, within kme_loop_run() or kme_request_send(), to
	 * have the owner look at @state soon
	 */
	void (*over)(void *arg);

	/** @arg: for @write and @over */
	void *arg;

	/**
	 * @connections: where it waits, runs or ran; a reference. This and the rest are for connections.c,
	 * and for batch.c to read
	 */
	struct kme_connections *connections;

	/** @next: waits behind it, or runs as well, or %NULL */
	struct kme_request *next;

	/** @n_answered: of @connections when it began */
	uint64_t n_answered;

	/** @code: how it ended, from libcurl */
	CURLcode code;

	/** @err: why it could not be sent at all, 0 if it could */
	int err;
};

/**
 * struct kme_connections - the connections to one KME under one identity
 *
 * Shared by the clients of an agent whose struct kme_peer is the same, so that a KME has few
 * connections however many links it serves. Nobody uses a connection on which another KME ID was
 * checked, or for which other credentials were used.
 */
struct kme_connections {
	/** @multi: their transfers; the first member */
	struct kme_multi multi;

	/** @peer: the KME */
	struct kme_peer peer;

	/** @terms: of the last connection that was made */
	struct kme_terms terms;

	/** @refs: clients and requests */
	unsigned int refs;

	/** @running: requests under way; together with others to the same URL, at most @peer.parallel */
	struct kme_request *running;

	/** @n_answered: requests that had any answer */
	uint64_t n_answered;

	/** @urgent: requests that wait, first in, first out */
	struct kme_request *urgent;

	/** @waiting: the others */
	struct kme_request *waiting;

	/** @is_full: no further connection could be made; the end of a request is the next occasion to try */
	bool is_full;

	/** @n_urgent: urgent ones in a row that went before a waiting one */
	unsigned int n_urgent;
};

/**
 * kme_connections_get() - find or make the connections to a KME
 * @connections: where they go; the caller passes them to kme_connections_put()
 * @loop: the loop
 * @peer: the KME; copied
 *
 * Makes no connection yet.
 *
 * Return: 0, or %-ENOMEM.
 */
int kme_connections_get(struct kme_connections **connections, struct kme_loop *loop,
			const struct kme_peer *peer);

/**
 * kme_connections_put() - drop a reference
 * @connections: closed with the last one; or %NULL
 *
 * Context: Not within kme_loop_run().
 */
void kme_connections_put(struct kme_connections *connections);

/**
 * kme_request_send() - send a request in its turn
 * @request: without a state; must not move until kme_request_free()
 * @connections: takes a reference
 *
 * At most @parallel requests to a URL run at a time, and they start only in this end's turns, if the KME
 * has any. If a further connection cannot be made while one
 * serves a request, the others wait for that one. If none can be made, or the KME has given no
 * answer to anybody for the whole time of a request, all that wait end in the same way, because each
 * would wait as long.
 */
void kme_request_send(struct kme_request *request, struct kme_connections *connections);

/**
 * kme_request_end() - take the answer
 * @request: is over; its @transfer gets @status and @took_ms, and keeps the answer until
 *	kme_request_free()
 * @counter: gets %KME_COUNTER_ANSWERED for a complete answer with any HTTP status, or the counter of how
 *	else it ended
 * @why: filled in unless there is a complete answer
 *
 * Return: 0, or a negative errno if it could not be sent at all; then @counter is as it was.
 */
int kme_request_end(struct kme_request *request, enum kme_counter *counter, struct qlink_why *why);

/**
 * kme_request_free() - wipe and free a request, which may still wait or run
 * @request: all zero afterwards
 *
 * Context: As kme_connections_put().
 */
void kme_request_free(struct kme_request *request);

#endif
