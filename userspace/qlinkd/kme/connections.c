// SPDX-License-Identifier: GPL-2.0-or-later
/* The connections to one key server, and the requests of all clients that go over them in turn. */
#include "connections.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "errand.h"
#include "qlinkd/base/clock.h"

/* After this many urgent requests in a row, one that is not goes first. */
#define URGENT_MAX	4

/* --- who shares them --- */

static bool is_same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool are_same_credentials(const struct credentials *a, const struct credentials *b)
{
	return a == b || (a && b && credentials_same(a, b));
}

static bool is_same_peer(const struct kme_peer *a, const struct kme_peer *b)
{
	return a->dialect == b->dialect && is_same_text(a->url, b->url) && is_same_text(a->id, b->id) &&
	       is_same_text(a->key, b->key) && a->side == b->side &&
	       are_same_credentials(a->credentials, b->credentials) &&
	       is_same_text(a->trouble, b->trouble) && a->tls == b->tls &&
	       a->connect_ms == b->connect_ms && a->timeout_ms == b->timeout_ms &&
	       a->parallel == b->parallel && turn_same(&a->turn, &b->turn);
}

static int copy_text(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? -ENOMEM : 0;
}

static int copy_peer(struct kme_peer *to, const struct kme_peer *from)
{
	*to = *from;
	to->credentials = credentials_get(from->credentials);
	to->url = to->id = to->key = to->trouble = NULL;
	return copy_text(&to->url, from->url) ?: copy_text(&to->id, from->id) ?: copy_text(&to->key, from->key) ?:
	       copy_text(&to->trouble, from->trouble);
}

static void free_peer(struct kme_peer *peer)
{
	free(peer->url);
	free(peer->id);
	free(peer->key);
	free(peer->trouble);
	credentials_put(peer->credentials);
}

static void on_done(struct kme_multi *multi, CURL *easy, CURLcode code);
static void on_due(struct kme_multi *multi);
static void on_woken(struct kme_multi *multi);

static int new_connections(struct kme_connections **out, struct kme_loop *loop, const struct kme_peer *peer)
{
	struct kme_connections *connections = calloc(1, sizeof(*connections));
	int err;

	if (!connections)
		return -ENOMEM;
	connections->refs = 1;
	connections->multi.done = on_done;
	connections->multi.due = on_due;
	err = copy_peer(&connections->peer, peer) ?: kme_multi_init(&connections->multi, loop);
	if (!err && peer->dialect->work) {
		err = kme_multi_watch(&connections->multi, on_woken);
		if (err)
			kme_multi_exit(&connections->multi);
	}
	if (err) {
		free_peer(&connections->peer);
		free(connections);
		return err;
	}
	*out = connections;
	return 0;
}

int kme_connections_get(struct kme_connections **out, struct kme_loop *loop, const struct kme_peer *peer)
{
	struct kme_multi *multi = kme_loop_first(loop);
	struct kme_connections *connections;

	for (; multi; multi = multi->next) {
		connections = (struct kme_connections *)multi;
		if (is_same_peer(&connections->peer, peer)) {
			connections->refs++;
			*out = connections;
			return 0;
		}
	}
	return new_connections(out, loop, peer);
}

void kme_connections_put(struct kme_connections *connections)
{
	if (!connections || --connections->refs)
		return;
	kme_multi_exit(&connections->multi);
	free_peer(&connections->peer);
	free(connections);
}

/* --- requests in turn --- */

static void append(struct kme_request **list, struct kme_request *request)
{
	while (*list)
		list = &(*list)->next;
	request->next = NULL;
	*list = request;
}

static void take_off(struct kme_request **list, const struct kme_request *request)
{
	while (*list != request)
		list = &(*list)->next;
	*list = request->next;
}

static struct kme_request **waiting_list(const struct kme_request *request)
{
	struct kme_connections *connections = request->connections;

	return request->is_urgent ? &connections->urgent : &connections->waiting;
}

/* The request that goes next, or NULL. */
static struct kme_request *find_next(const struct kme_connections *connections)
{
	bool is_urgent = connections->urgent && (!connections->waiting || connections->n_urgent < URGENT_MAX);

	return is_urgent ? connections->urgent : connections->waiting;
}

/* Takes the request that goes next off its list. */
static void take_next(struct kme_connections *connections, const struct kme_request *request)
{
	take_off(waiting_list(request), request);
	connections->n_urgent = request->is_urgent && connections->waiting ? connections->n_urgent + 1 : 0;
}

/* Puts a request that was taken off back to the front. */
static void wait_again(struct kme_request *request)
{
	struct kme_request **list = waiting_list(request);

	request->err = 0;
	request->state = KME_REQUEST_WAITING;
	request->next = *list;
	*list = request;
}

static void set_over(struct kme_request *request, CURLcode code)
{
	request->code = code;
	request->state = KME_REQUEST_OVER;
	request->over(request->arg);
}

/* Those of connections that a reload replaced count too: it is the same KME. */
static unsigned int count_running(const struct kme_connections *connections)
{
	const struct kme_multi *multi = kme_loop_first(connections->multi.loop);
	const struct kme_connections *other;
	const struct kme_request *request;
	unsigned int n = 0;

	for (; multi; multi = multi->next) {
		other = (const struct kme_connections *)multi;
		if (strcmp(other->peer.url, connections->peer.url))
			continue;
		for (request = other->running; request; request = request->next)
			n++;
	}
	return n;
}

static int start_transfer(struct kme_connections *connections, struct kme_request *request)
{
	if (connections->peer.dialect->work)
		return kme_errand_start(&request->transfer, &connections->peer, request->url, request->body,
					request->room, connections->multi.wake);
	return kme_transfer_start(&request->transfer, connections->multi.curl, &connections->peer, request->url,
				  request->body, request->room, request->is_once);
}

static void free_transfer(struct kme_transfer *transfer, CURLM *curl)
{
	kme_errand_free(transfer);
	kme_transfer_free(transfer, curl);
}

/* An errand has nobody but us who knows that its time is over. */
static void set_deadline(struct kme_connections *connections)
{
	const struct kme_request *request = connections->running;
	int64_t at_ms = -1;

	for (; request; request = request->next) {
		if (at_ms < 0 || kme_errand_deadline(&request->transfer) < at_ms)
			at_ms = kme_errand_deadline(&request->transfer);
	}
	kme_multi_arm(&connections->multi, at_ms);
}

static int start(struct kme_connections *connections, struct kme_request *request)
{
	int err = request->write(request->arg) ?: start_transfer(connections, request);

	if (err)
		return err;
	request->transfer.owner = request;
	request->n_answered = connections->n_answered;
	request->state = KME_REQUEST_RUNNING;
	append(&connections->running, request);
	if (request->transfer.errand)
		set_deadline(connections);
	return 0;
}

/* Whether it is the other end's turn at the KME. Then on_due() looks again when it is this end's. */
static bool is_others_turn(struct kme_connections *connections)
{
	uint32_t wait = turn_wait(&connections->peer.turn, clock_ms(CLOCK_REALTIME));

	if (wait)
		kme_multi_wake(&connections->multi, wait);
	return wait;
}

/*
 * Starts as many as may run. Where memory is short for a moment, requests wait as long as one runs, whose
 * end is the next occasion.
 */
static void start_more(struct kme_connections *connections)
{
	struct kme_request *request;
	unsigned int n;

	while ((n = count_running(connections)) < connections->peer.parallel &&
	       !(n && connections->is_full) && (request = find_next(connections)) && !is_others_turn(connections)) {
		take_next(connections, request);
		request->err = start(connections, request);
		if (request->err && n) {
			wait_again(request);
			return;
		}
		if (request->err)
			set_over(request, CURLE_OUT_OF_MEMORY);
	}
}

/* A request to this KME has ended: there may be another one's turn, over whichever connections. */
static void start_others(struct kme_connections *connections)
{
	struct kme_multi *multi = kme_loop_first(connections->multi.loop);
	struct kme_connections *other;

	for (; multi; multi = multi->next) {
		other = (struct kme_connections *)multi;
		if (!strcmp(other->peer.url, connections->peer.url))
			start_more(other);
	}
}

static void on_due(struct kme_multi *multi)
{
	start_more((struct kme_connections *)multi);
}

void kme_request_send(struct kme_request *request, struct kme_connections *connections)
{
	connections->refs++;
	request->connections = connections;
	request->state = KME_REQUEST_WAITING;
	append(waiting_list(request), request);
	start_more(connections);
}

/* --- the end of a request --- */

/* Whether some request has a connection and waits for its answer. */
static bool serves_any(const struct kme_connections *connections)
{
	const struct kme_request *request = connections->running;

	while (request && !request->transfer.n_sends)
		request = request->next;
	return request;
}

/*
 * Whether a request is to have its turn again: it was not sent, because the KME bears no further connection
 * than the one on which it serves others, or has answered one since. So it takes an answer for each turn.
 */
static bool is_to_wait(const struct kme_connections *connections, const struct kme_request *request,
		       CURLcode code)
{
	return code != CURLE_OK && !request->transfer.n_sends &&
	       (serves_any(connections) || request->n_answered != connections->n_answered);
}

/*
 * Whether all that wait would end as @request did: nobody has had an answer since it began, and it was in
 * vain for its whole time, or no connection could be made.
 */
static bool is_end_of_all(const struct kme_connections *connections, const struct kme_request *request,
			  CURLcode code)
{
	if (code == CURLE_OK || request->n_answered != connections->n_answered)
		return false;
	return !request->transfer.n_sends || code == CURLE_OPERATION_TIMEDOUT;
}

/* Ends all that wait as @first ended. */
static void end_waiting(struct kme_connections *connections, const struct kme_request *first, CURLcode code)
{
	struct kme_request *request;

	while ((request = find_next(connections))) {
		take_next(connections, request);
		kme_transfer_fail(&request->transfer, &first->transfer);
		set_over(request, code);
	}
}

static void end(struct kme_connections *connections, struct kme_request *request, CURLcode code)
{
	if (is_end_of_all(connections, request, code))
		end_waiting(connections, request, code);
	else if (code == CURLE_OK)
		connections->n_answered++;
	set_over(request, code);
}

static void note_terms(struct kme_connections *connections, const struct kme_transfer *transfer)
{
	if (transfer->handshake.is_done)
		connections->terms = transfer->handshake.terms;
}

/* Errands that are over, or whose time is. */
static void on_woken(struct kme_multi *multi)
{
	struct kme_connections *connections = (struct kme_connections *)multi;
	struct kme_request *request = connections->running;
	CURLcode code;

	while (request) {
		if (!kme_errand_is_over(&request->transfer, &code)) {
			request = request->next;
			continue;
		}
		take_off(&connections->running, request);
		end(connections, request, code);
		start_others(connections);
		/* The list may be another one. */
		request = connections->running;
	}
	set_deadline(connections);
}

static void on_done(struct kme_multi *multi, CURL *easy, CURLcode code)
{
	struct kme_connections *connections = (struct kme_connections *)multi;
	struct kme_transfer *transfer;
	struct kme_request *request;
	bool is_to_wait_again;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
	request = transfer->owner;
	note_terms(connections, transfer);
	take_off(&connections->running, request);
	is_to_wait_again = is_to_wait(connections, request, code);
	connections->is_full = is_to_wait_again && serves_any(connections);
	if (is_to_wait_again) {
		kme_transfer_free(transfer, multi->curl);
		wait_again(request);
	} else {
		end(connections, request, code);
	}
	start_others(connections);
}

int kme_request_end(struct kme_request *request, enum kme_counter *counter, struct qlink_why *why)
{
	if (request->err)
		return qlink_refuse(why, request->err, "cannot send a request: %s", strerror(-request->err));
	if (request->connections->peer.dialect->work)
		*counter = kme_errand_end(&request->transfer, request->code, why);
	else
		*counter = kme_transfer_end(&request->transfer, request->connections->multi.curl, request->code, why);
	return 0;
}

void kme_request_free(struct kme_request *request)
{
	struct kme_connections *connections = request->connections;
	bool was_running = request->state == KME_REQUEST_RUNNING;

	if (request->state == KME_REQUEST_WAITING)
		take_off(waiting_list(request), request);
	else if (was_running)
		take_off(&connections->running, request);
	free_transfer(&request->transfer, connections ? connections->multi.curl : NULL);
	free(request->url);
	free(request->body);
	memset(request, 0, sizeof(*request));
	if (!connections)
		return;
	if (was_running) {
		connections->is_full = false;
		start_others(connections);
	}
	kme_connections_put(connections);
}
