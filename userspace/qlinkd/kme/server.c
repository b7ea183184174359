// SPDX-License-Identifier: GPL-2.0-or-later
/* What a client knows about one key server: health, method, limits, counters; no I/O. */
#include "server.h"

#include <string.h>

/* Requests by GET before POST is tried again, where it is not certain that POST is not accepted. */
#define GUESSES_MAX	8
/* The most keys of a request to a KME whose speed is not known. */
#define FIRST_MAX	32

static const char *const counter_names[] = {
	[KME_COUNTER_STATUS] = "status_requests",
	[KME_COUNTER_ENC] = "enc_keys_requests",
	[KME_COUNTER_DEC] = "dec_keys_requests",
	[KME_COUNTER_ANSWERED] = "answered",
	[KME_COUNTER_EMPTY] = "empty",
	[KME_COUNTER_DENIED] = "denied",
	[KME_COUNTER_METHOD] = "method",
	[KME_COUNTER_UNREACHABLE] = "unreachable",
	[KME_COUNTER_TLS] = "tls",
	[KME_COUNTER_IDENTITY] = "identity",
	[KME_COUNTER_TIMEOUT] = "timeout",
	[KME_COUNTER_CUT] = "cut",
	[KME_COUNTER_TOO_BIG] = "too_big",
	[KME_COUNTER_HTTP] = "http",
	[KME_COUNTER_MALFORMED] = "malformed",
	[KME_COUNTER_KEYS] = "keys",
	[KME_COUNTER_KEYS_MISSING] = "keys_missing",
	[KME_COUNTER_KEYS_BURNED] = "keys_burned",
};

const char *kme_counter_name(enum kme_counter counter)
{
	if (counter >= KME_COUNTER_FAULTS)
		return kme_fault_name((enum kme_fault)(counter - KME_COUNTER_FAULTS));
	return counter_names[counter];
}

enum kme_counter kme_outcome_counter(enum kme_outcome outcome)
{
	static const enum kme_counter counters[] = {
		[KME_OUTCOME_KEYS] = KME_COUNTER_ANSWERED,
		[KME_OUTCOME_EMPTY] = KME_COUNTER_EMPTY,
		[KME_OUTCOME_DENIED] = KME_COUNTER_DENIED,
		[KME_OUTCOME_BROKEN] = KME_COUNTER_HTTP,
	};

	return counters[outcome];
}

void kme_server_init(struct kme_server *server, int64_t now_ms, unsigned int timeout_ms)
{
	memset(server, 0, sizeof(*server));
	server->retry_ms = now_ms;
	server->batch = KME_BATCH_MAX;
	server->patience_ms = timeout_ms / 2;
	kme_status_init(&server->status);
	share_init(&server->share);
}

size_t kme_server_limit(const struct kme_server *server)
{
	int64_t limit = server->status.max_key_per_request;

	if (limit < 0 || limit > KME_BATCH_MAX)
		return KME_BATCH_MAX;
	return limit ? (size_t)limit : 1;
}

size_t kme_server_bears(const struct kme_server *server)
{
	return server->has_given || server->batch < FIRST_MAX ? server->batch : FIRST_MAX;
}

unsigned int kme_server_key_bits(const struct kme_server *server)
{
	int64_t least = (server->status.min_key_size + 7) / 8 * 8;

	bool is_odd = server->status.max_key_size >= 0 && least > server->status.max_key_size;

	if (least <= KME_SECRET_MIN_BYTES * 8 || least > KME_SECRET_MAX_BYTES * 8 || is_odd)
		return KME_SECRET_MIN_BYTES * 8;
	return (unsigned int)least;
}

void kme_server_status(struct kme_server *server, const struct kme_status *status,
		       const struct qlink_why *doubt, int64_t now_ms)
{
	server->status = *status;
	share_counted(&server->share, status->stored_key_count, now_ms);
	server->health = KME_HEALTH_UP;
	server->why = *doubt;
	if (server->batch > kme_server_limit(server))
		server->batch = kme_server_limit(server);
}

void kme_server_came(struct kme_server *server, uint64_t n)
{
	server->status.stored_key_count = -1;
	share_came(&server->share, n);
}

void kme_server_failed(struct kme_server *server, int64_t now_ms, unsigned int min_ms,
		       unsigned int max_ms, uint32_t random)
{
	uint64_t pause = min_ms;
	unsigned int i;

	for (i = 0; i < server->failures && pause < max_ms; i++)
		pause *= 2;
	if (pause > max_ms)
		pause = max_ms;
	/* From half of it to all of it. */
	pause -= pause / 2 * (random % 1024) / 1024;
	server->failures++;
	server->health = KME_HEALTH_DOWN;
	server->retry_ms = now_ms + (int64_t)pause;
}

void kme_server_worked(struct kme_server *server)
{
	server->failures = 0;
}

/* How many keys come in time if @n came in @took_ms. */
static size_t bearable(const struct kme_server *server, size_t n, uint64_t took_ms)
{
	uint64_t most = took_ms ? n * server->patience_ms / took_ms : KME_BATCH_MAX;

	if (most > KME_BATCH_MAX)
		return KME_BATCH_MAX;
	return most ? (size_t)most : 1;
}

void kme_server_batch(struct kme_server *server, size_t asked, size_t came, uint64_t took_ms)
{
	size_t limit = kme_server_limit(server), most;

	if (!came && asked > 1)
		server->batch = asked / 2;
	else if (came >= asked && asked * 2 > server->batch)
		server->batch = asked * 2;
	if (came) {
		server->has_given = true;
		most = bearable(server, came, took_ms);
		if (most < limit)
			limit = most;
	}
	if (server->batch > limit)
		server->batch = limit;
}

void kme_server_late(struct kme_server *server, size_t asked)
{
	server->batch = asked > 8 ? asked / 8 : 1;
}

enum kme_method kme_server_method(struct kme_server *server, enum kme_op op)
{
	if (server->method[op] != KME_METHOD_GET)
		return KME_METHOD_POST;
	if (!server->is_guess[op] || ++server->n_guesses[op] < GUESSES_MAX)
		return KME_METHOD_GET;
	server->n_guesses[op] = 0;
	return KME_METHOD_POST;
}

void kme_server_learn_method(struct kme_server *server, enum kme_op op, enum kme_method method,
			     bool is_guess)
{
	/* That GET works is no news after a guess. */
	if (server->is_guess[op] && method == KME_METHOD_GET)
		return;
	server->method[op] = method;
	server->is_guess[op] = is_guess;
}

const char *kme_method_name(enum kme_method method)
{
	static const char *const names[] = {
		[KME_METHOD_AUTO] = "auto",
		[KME_METHOD_POST] = "post",
		[KME_METHOD_GET] = "get",
	};

	return names[method];
}

bool kme_wants_other_method(const struct kme_server *server, enum kme_op op,
			    enum kme_method used, enum kme_rejects_method rejects)
{
	if (rejects == KME_REJECTS_METHOD_MAYBE)
		return (server->method[op] == KME_METHOD_AUTO || server->is_guess[op]) &&
		       used == KME_METHOD_POST;
	return rejects == KME_REJECTS_METHOD_YES;
}
