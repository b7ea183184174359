/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a client knows about one key server: health, method, limits, counters; no I/O. */
#ifndef QLINKD_KME_SERVER_H
#define QLINKD_KME_SERVER_H

#include "dialect.h"
#include "share.h"
#include "terms.h"

enum kme_health {
	/* it has not answered a status yet */
	KME_HEALTH_UNKNOWN,
	/* it gets requests for keys */
	KME_HEALTH_UP,
	/* it gets no request until retry_ms, and then one for its status first */
	KME_HEALTH_DOWN,
};

/* The HTTP method of requests for keys. */
enum kme_method {
	/* unknown: POST first, then GET */
	KME_METHOD_AUTO,
	KME_METHOD_POST,
	KME_METHOD_GET,
};

enum kme_counter {
	/* requests sent, by operation */
	KME_COUNTER_STATUS,
	KME_COUNTER_ENC,
	KME_COUNTER_DEC,
	/* how requests ended: each moves exactly one of the counters from here to MALFORMED */
	KME_COUNTER_ANSWERED,
	KME_COUNTER_EMPTY,
	KME_COUNTER_DENIED,
	/* the KME rejected POST or GET, and the other was tried */
	KME_COUNTER_METHOD,
	/* no connection */
	KME_COUNTER_UNREACHABLE,
	/* TLS failed, verification of the KME's certificate included */
	KME_COUNTER_TLS,
	/* a valid certificate with another KME ID */
	KME_COUNTER_IDENTITY,
	/* no complete answer in time */
	KME_COUNTER_TIMEOUT,
	/* the connection closed before the end of the answer */
	KME_COUNTER_CUT,
	/* the answer is longer than any valid one */
	KME_COUNTER_TOO_BIG,
	/* an HTTP status that says the KME is broken, or has no meaning here */
	KME_COUNTER_HTTP,
	/* not JSON, or not the expected JSON */
	KME_COUNTER_MALFORMED,
	/* keys: taken, fewer than requested, and at most this many lost for both ends */
	KME_COUNTER_KEYS,
	KME_COUNTER_KEYS_MISSING,
	KME_COUNTER_KEYS_BURNED,
	/* keys refused, by enum kme_fault */
	KME_COUNTER_FAULTS,
	KME_COUNTER_N = KME_COUNTER_FAULTS + KME_FAULT_N,
};

/**
 * struct kme_times - how long the last status took, and what time it was there
 */
struct kme_times {
	/** @connect_ms: until the handshake was over; 0 if the connection was there already */
	uint64_t connect_ms;

	/** @answer_ms: from the request to the begin of the answer */
	uint64_t answer_ms;

	/** @has_clock: the answer has the time */
	bool has_clock;

	/** @ahead_s: by how much the KME's clock is ahead of ours; the answer has whole seconds */
	int64_t ahead_s;
};

/**
 * struct kme_server - what a client knows about one KME
 */
struct kme_server {
	/** @health: whether it gets requests for keys */
	enum kme_health health;

	/** @failures: in a row; only an answer about keys resets them */
	unsigned int failures;

	/** @retry_ms: unless up, CLOCK_BOOTTIME of the next status */
	int64_t retry_ms;

	/** @why: of the last failure; while it is up, what is doubtful; empty for neither */
	struct qlink_why why;

	/** @status: the last one it reported */
	struct kme_status status;

	/** @terms: of the last connection that was made */
	struct kme_terms terms;

	/** @times: of the last status */
	struct kme_times times;

	/** @n_terms: how often a connection had other terms than the one before, the first included */
	unsigned int n_terms;

	/** @keys_ms: CLOCK_BOOTTIME at which keys of it were taken last, 0 for never */
	int64_t keys_ms;

	/** @share: of the pool of keys that it counts in its status */
	struct share share;

	/** @method: for enc_keys and dec_keys, as far as known */
	enum kme_method method[KME_OP_N];

	/**
	 * @is_guess: GET is used only because an error to POST may have been about the method;
	 * POST is tried again after @n_guesses requests
	 */
	bool is_guess[KME_OP_N];

	/** @n_guesses: requests by GET since POST was tried */
	unsigned int n_guesses[KME_OP_N];

	/** @batch: most keys of the next enc_keys, and of a dec_keys that is shared; 1 to KME_BATCH_MAX */
	size_t batch;

	/** @has_given: an answer with keys showed how fast it is */
	bool has_given;

	/** @patience_ms: how long an answer should take at most, half of the time limit */
	uint64_t patience_ms;

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
 * kme_outcome_counter() - say which counter an outcome moves
 * @outcome: of an HTTP status
 *
 * Return: the counter of how the request ended.
 */
enum kme_counter kme_outcome_counter(enum kme_outcome outcome);

/**
 * kme_server_init() - start with a KME that nothing is known about
 * @server: filled in
 * @now_ms: CLOCK_BOOTTIME; its first status is due at once
 * @timeout_ms: limit for a request
 */
void kme_server_init(struct kme_server *server, int64_t now_ms, unsigned int timeout_ms);

/**
 * kme_server_status() - learn from a status
 * @server: is up from here on; its failures still count, so that its back-off does not start anew
 * @status: what it reported
 * @doubt: what is doubtful about it, empty for nothing
 * @now_ms: CLOCK_BOOTTIME
 */
void kme_server_status(struct kme_server *server, const struct kme_status *status,
		       const struct qlink_why *doubt, int64_t now_ms);

/**
 * kme_server_came() - note that new keys came
 * @server: what its last status counted is no longer what it has
 * @n: how many, above 0
 */
void kme_server_came(struct kme_server *server, uint64_t n);

/**
 * kme_server_failed() - start a server's back-off
 * @server: is down from here on
 * @now_ms: CLOCK_BOOTTIME
 * @min_ms: the first pause; it doubles with each failure
 * @max_ms: the longest pause
 * @random: any number; it spreads the pause from half of it to all of it, so that many links do
 *	not come back at the same time
 */
void kme_server_failed(struct kme_server *server, int64_t now_ms, unsigned int min_ms,
		       unsigned int max_ms, uint32_t random);

/**
 * kme_server_worked() - note that a request for keys was answered
 * @server: its failures are reset
 */
void kme_server_worked(struct kme_server *server);

/**
 * kme_server_limit() - say how many keys a server gives at once, by its own status
 * @server: the server
 *
 * Return: 1 to KME_BATCH_MAX; KME_BATCH_MAX if the server does not report a limit.
 */
size_t kme_server_limit(const struct kme_server *server);

/**
 * kme_server_bears() - say how many keys a server may be asked for at once
 * @server: the server
 *
 * As long as it is not known how fast it answers, few keys are lost if that takes too long.
 *
 * Return: 1 to KME_BATCH_MAX.
 */
size_t kme_server_bears(const struct kme_server *server);

/**
 * kme_server_key_bits() - say how large keys to ask a server for
 * @server: the server
 *
 * Return: 256, or what its status says is the least, if that is more, there is room for it, and its
 * largest key is not smaller.
 */
unsigned int kme_server_key_bits(const struct kme_server *server);

/**
 * kme_server_batch() - learn how many keys to request at once
 * @server: the server
 * @asked: how many keys the last request asked for
 * @came: how many came
 * @took_ms: after how long
 *
 * If none came where several were requested, the next request asks for half as many: some KMEs
 * refuse a number above a limit or a stock that they do not report. If all came, it may ask for
 * twice as many, but not for more than would come within half of the time limit at that speed.
 */
void kme_server_batch(struct kme_server *server, size_t asked, size_t came, uint64_t took_ms);

/**
 * kme_server_late() - learn from a request for keys whose answer was not complete in time
 * @server: the server
 * @asked: how many keys the request asked for
 *
 * All of them may be burned. The next request asks for an eighth: if it is the line that is slow,
 * few keys are burned until a number is found that comes in time.
 */
void kme_server_late(struct kme_server *server, size_t asked);

/**
 * kme_server_method() - choose the method of the next request for keys
 * @server: what is known about it
 * @op: what is requested
 *
 * Return: POST or GET.
 */
enum kme_method kme_server_method(struct kme_server *server, enum kme_op op);

/**
 * kme_server_learn_method() - note that a method worked
 * @server: what is known about it
 * @op: what was requested
 * @method: POST or GET
 * @is_guess: the other one was tried first, and may have failed for another reason
 */
void kme_server_learn_method(struct kme_server *server, enum kme_op op, enum kme_method method,
			     bool is_guess);

/**
 * kme_method_name() - name a method
 * @method: an enum kme_method
 *
 * Return: auto, post or get.
 */
const char *kme_method_name(enum kme_method method);

/**
 * kme_wants_other_method() - say whether to send the request again by the other method
 * @server: what is known about it
 * @op: what was requested
 * @used: POST or GET
 * @rejects: what the answer says about the method
 *
 * An answer that only may be about the method counts as such as long as no POST has worked.
 *
 * Return: true if the other method may work.
 */
bool kme_wants_other_method(const struct kme_server *server, enum kme_op op,
			    enum kme_method used, enum kme_rejects_method rejects);

#endif
