// SPDX-License-Identifier: GPL-2.0-or-later
/* The connections to one key server, and the requests of all clients that go over them in turn. */
#include "connections.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
	       are_same_credentials(a->credentials, b->credentials) && is_same_text(a->trouble, b->trouble) && a->tls == b->tls &&
	       a->connect_ms == b->connect_ms && a->timeout_ms == b->timeout_ms &&
	       a->parallel == b->parallel;
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
	to->url = to->id = to->trouble = NULL;
	return copy_text(&to->url, from->url) ?: copy_text(&to->id, from->id) ?:
	       copy_text(&to->trouble, from->trouble);
}

static void free_peer(struct kme_peer *peer)
{
	free(peer->url);
	free(peer->id);
	free(peer->trouble);
	credentials_put(peer->credentials);
}

static void on_done(struct kme_multi *multi, CURL *easy, CURLcode code);

static int new_connections(struct kme_connections **out, struct kme_loop *loop, const struct kme_peer *peer)
{
	struct kme_connections *connections = calloc(1, sizeof(*connections));
	int err;

	if (!connections)
		return -ENOMEM;
	connections->refs = 1;
	connections->multi.done = on_done;
	err = copy_peer(&connections->peer, peer) ?: kme_multi_init(&connections->multi, loop);
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

	for (; multi; multi = multi->next) {
		*out = (struct kme_connections *)multi;
		if (is_same_peer(&(*out)->peer, peer)) {
			(*out)->refs++;
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

/* Takes the request that goes next off its list; NULL for none. */
static struct kme_request *take_next(struct kme_connections *connections)
{
	bool is_urgent = connections->urgent && (!connections->waiting || connections->n_urgent < URGENT_MAX);
	struct kme_request **list = is_urgent ? &connections->urgent : &connections->waiting, *request = *list;

	connections->n_urgent = is_urgent && connections->waiting ? connections->n_urgent + 1 : 0;
	if (request)
		*list = request->next;
	return request;
}

static void set_over(struct kme_request *request, CURLcode code)
{
	request->code = code;
	request->state = KME_REQUEST_OVER;
	request->over(request->arg);
}

static void start(struct kme_connections *connections, struct kme_request *request)
{
	char *body = request->body;

	request->body = NULL;
	request->n_answered = connections->n_answered;
	request->err = kme_transfer_start(&request->transfer, connections->multi.curl, &connections->peer,
					  request->url, body, request->room);
	request->transfer.owner = request;
	if (request->err) {
		set_over(request, CURLE_OUT_OF_MEMORY);
		return;
	}
	request->state = KME_REQUEST_RUNNING;
	connections->n_running++;
}

static void start_more(struct kme_connections *connections)
{
	struct kme_request *request;

	while (connections->n_running < connections->peer.parallel && (request = take_next(connections)))
		start(connections, request);
}

void kme_request_send(struct kme_request *request, struct kme_connections *connections)
{
	connections->refs++;
	request->connections = connections;
	request->state = KME_REQUEST_WAITING;
	append(request->is_urgent ? &connections->urgent : &connections->waiting, request);
	start_more(connections);
}

static void remove_waiting(struct kme_request *request)
{
	struct kme_connections *connections = request->connections;
	struct kme_request **at = request->is_urgent ? &connections->urgent : &connections->waiting;

	while (*at != request)
		at = &(*at)->next;
	*at = request->next;
}

void kme_request_move(struct kme_request *request, struct kme_connections *connections)
{
	struct kme_connections *before = request->connections;

	if (request->state != KME_REQUEST_WAITING || before == connections)
		return;
	remove_waiting(request);
	kme_request_send(request, connections);
	kme_connections_put(before);
}

/* --- the end of a request --- */

/* No connection could be made, and none that was there has had an answer meanwhile. */
static bool is_unconnected(const struct kme_connections *connections, const struct kme_request *request)
{
	curl_off_t sent_us = 0;

	curl_easy_getinfo(request->transfer.easy, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
	return request->code != CURLE_OK && !sent_us && request->n_answered == connections->n_answered;
}

/* Ends all that wait as @first ended. */
static void end_waiting(struct kme_connections *connections, const struct kme_request *first)
{
	struct kme_request *request;

	while ((request = take_next(connections))) {
		kme_transfer_fail(&request->transfer, &first->transfer);
		set_over(request, first->code);
	}
}

static void note_terms(struct kme_connections *connections, const struct kme_transfer *transfer)
{
	if (transfer->handshake.is_done)
		connections->terms = transfer->handshake.terms;
}

static void on_done(struct kme_multi *multi, CURL *easy, CURLcode code)
{
	struct kme_connections *connections = (struct kme_connections *)multi;
	struct kme_transfer *transfer;
	struct kme_request *request;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
	request = transfer->owner;
	request->code = code;
	note_terms(connections, transfer);
	connections->n_running--;
	if (is_unconnected(connections, request))
		end_waiting(connections, request);
	else if (code == CURLE_OK)
		connections->n_answered++;
	set_over(request, code);
	start_more(connections);
}

int kme_request_end(struct kme_request *request, enum kme_counter *counter, struct qlink_why *why)
{
	if (request->err)
		return qlink_refuse(why, request->err, "cannot send a request: %s", strerror(-request->err));
	*counter = kme_transfer_end(&request->transfer, request->connections->multi.curl, request->code, why);
	return 0;
}

void kme_request_free(struct kme_request *request)
{
	struct kme_connections *connections = request->connections;
	bool was_running = request->state == KME_REQUEST_RUNNING;

	if (request->state == KME_REQUEST_WAITING)
		remove_waiting(request);
	kme_transfer_free(&request->transfer, connections ? connections->multi.curl : NULL);
	free(request->url);
	free(request->body);
	memset(request, 0, sizeof(*request));
	if (!connections)
		return;
	if (was_running) {
		connections->n_running--;
		start_more(connections);
	}
	kme_connections_put(connections);
}
