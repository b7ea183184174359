/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of one key server: health, habits, limits, counters; pure. */
#ifndef QLINKD_KME_SERVER_H
#define QLINKD_KME_SERVER_H

#include "ask.h"

enum kme_health {
	/* it never answered a status */
	KME_HEALTH_UNKNOWN,
	/* it may be asked for keys */
	KME_HEALTH_UP,
	/* left alone until retry_ms, then asked for its status first */
	KME_HEALTH_DOWN,
};

/* How a KME wants to be asked. */
enum kme_method {
	/* not known: POST first, then GET */
	KME_METHOD_AUTO,
	KME_METHOD_POST,
	KME_METHOD_GET,
};

/* What a request came to, whatever words the KME has for it. */
enum kme_outcome {
	/* there are keys, perhaps fewer than asked for */
	KME_OUTCOME_KEYS,
	/* the KME works and has none: dry, or it does not know the key IDs */
	KME_OUTCOME_EMPTY,
	/* the KME does not take us for somebody who may have them */
	KME_OUTCOME_DENIED,
	/* anything else */
	KME_OUTCOME_BROKEN,
};

enum kme_counter {
	/* requests sent, of each kind */
	KME_COUNTER_STATUS,
	KME_COUNTER_ENC,
	KME_COUNTER_DEC,
	/* how they ended: each moves one of these */
	KME_COUNTER_ANSWERED,
	KME_COUNTER_EMPTY,
	KME_COUNTER_DENIED,
	/* the KME wants the other of POST and GET */
	KME_COUNTER_METHOD,
	/* no connection */
	KME_COUNTER_UNREACHABLE,
	/* TLS failed, the KME's certificate included */
	KME_COUNTER_TLS,
	/* a good certificate of somebody else */
	KME_COUNTER_IDENTITY,
	/* no whole answer in time */
	KME_COUNTER_TIMEOUT,
	/* the connection ended within the answer */
	KME_COUNTER_CUT,
	/* more bytes than such an answer can have */
	KME_COUNTER_TOO_BIG,
	/* an HTTP status that says the KME is broken, or makes no sense */
	KME_COUNTER_HTTP,
	/* no JSON, or not the right one */
	KME_COUNTER_MALFORMED,
	/* keys: taken, fewer than asked for, and lost for both ends at most */
	KME_COUNTER_KEYS,
	KME_COUNTER_KEYS_MISSING,
	KME_COUNTER_KEYS_BURNED,
	/* keys refused, by enum kme_fault */
	KME_COUNTER_FAULTS,
	KME_COUNTER_N = KME_COUNTER_FAULTS + KME_FAULT_N,
};

/**
 * struct kme_server - one KME as its client knows it
 */
struct kme_server {
	/** @health: whether it may be asked for keys */
	enum kme_health health;

	/** @failures: in a row; only an answer about keys ends them */
	unsigned int failures;

	/** @retry_ms: NEW, ILL: CLOCK_BOOTTIME of the next status */
	int64_t retry_ms;

	/** @status: the last it told */
	struct kme_status status;

	/** @method: for enc_keys and dec_keys, as far as known */
	enum kme_method method[KME_OP_N];

	/** @batch: most keys to ask for at once, 1 to KME_BATCH_MAX */
	size_t batch;

	/** @counters: by enum kme_counter */
	uint64_t counters[KME_COUNTER_N];
};

/**
 * kme_counter_name() - name a counter, for metrics
 * @counter: below KME_COUNTER_N
 *
 * Return: a word with underscores.
 */
const char *kme_counter_name(enum kme_counter counter);

/**
 * kme_outcome_name() - name an outcome
 * @outcome: an enum kme_outcome
 *
 * Return: keys, empty, denied or broken.
 */
const char *kme_outcome_name(enum kme_outcome outcome);

/**
 * kme_server_init() - forget everything
 * @server: filled in
 * @now_ms: CLOCK_BOOTTIME; its first status is due at once
 */
void kme_server_init(struct kme_server *server, int64_t now_ms);

/**
 * kme_server_status() - learn from a status
 * @server: is up from here on; a server that has failed stays on its back-off's rung
 * @status: what it told
 */
void kme_server_status(struct kme_server *server,
		       const struct kme_status *status);

/**
 * kme_server_failed() - leave a server alone for a while
 * @server: is down from here on
 * @now_ms: CLOCK_BOOTTIME
 * @min_ms: the first pause; it doubles with each failure
 * @max_ms: the longest
 * @random: any; spreads the pause from half of it to all of it, so that many
 *	links do not come back in step
 */
void kme_server_failed(struct kme_server *server, int64_t now_ms,
		       unsigned int min_ms, unsigned int max_ms,
		       uint32_t random);

/**
 * kme_server_worked() - note that a request for keys was answered
 * @server: of which failures are forgotten
 */
void kme_server_worked(struct kme_server *server);

/**
 * kme_server_limit() - the most keys that it says it gives at once
 * @server: the server
 *
 * Return: 1 to KME_BATCH_MAX, which is also for a server that says nothing.
 */
size_t kme_server_limit(const struct kme_server *server);

/**
 * kme_server_batch() - learn how many keys it likes to be asked for
 * @server: the server
 * @asked: how many it was asked for
 * @came: how many came
 *
 * None for many halves the next request: some KMEs refuse a number above a
 * limit or a stock that they do not tell. All of them doubles it.
 */
void kme_server_batch(struct kme_server *server, size_t asked, size_t came);

/**
 * kme_classify() - what an HTTP status means
 * @op: what was asked
 * @status: of HTTP
 * @counter: how the request ended
 *
 * KMEs do not agree on what says "no key": 400, 404 and 503 are all in use. 200
 * is KEYS here, before anyone looked.
 *
 * Return: the outcome.
 */
enum kme_outcome kme_classify(enum kme_op op, long status,
			      enum kme_counter *counter);

/**
 * kme_wants_other_method() - whether to ask again by the other method
 * @server: what is known of it
 * @op: what was asked
 * @used: POST or GET
 * @status: of HTTP, not 200
 *
 * Return: true if the answer may be about the method.
 */
bool kme_wants_other_method(const struct kme_server *server, enum kme_op op,
			    enum kme_method used, long status);

#endif
