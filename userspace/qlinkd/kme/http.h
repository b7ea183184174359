/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One HTTP request to a key server and its answer, over mutual TLS, by libcurl. */
#ifndef QLINKD_KME_HTTP_H
#define QLINKD_KME_HTTP_H

#include <curl/curl.h>

#include "common/secret.h"
#include "qlinkd/credentials/credentials.h"
#include "handshake.h"
#include "server.h"
#include "turn.h"

/**
 * struct kme_peer - the address of a KME, and how it and we authenticate
 */
struct kme_peer {
	/** @dialect: how requests and answers are worded */
	const struct kme_dialect *dialect;

	/** @url: its base URL, which passed the dialect's check; the path of a file for a dialect with @work */
	char *url;

	/** @key: for a dialect with @work, path of the file with a key to it; else %NULL */
	char *key;

	/** @side: likewise, which end this is */
	unsigned int side;

	/** @id: the KME ID that its certificate must have; %NULL: the host in @url */
	char *id;

	/** @credentials: our certificate and key, and the CA that must have issued its own */
	struct credentials *credentials;

	/** @trouble: why there are no @credentials, and no transfer may start; %NULL if there are */
	char *trouble;

	/** @connect_ms: limit for a connection with its TLS handshake */
	unsigned int connect_ms;

	/** @timeout_ms: limit for a whole transfer */
	unsigned int timeout_ms;

	/** @parallel: requests that it gets at a time, at most */
	unsigned int parallel;

	/** @turn: when a transfer may start; connections.c sees to it */
	struct turn turn;

	/** @tls: the least TLS that it must offer */
	enum kme_tls tls;
};

struct kme_errand;

/**
 * struct kme_transfer - one request and its answer; all zero when there is none
 */
struct kme_transfer {
	/** @easy: libcurl's handle, %NULL once it is over; its private pointer is this transfer */
	CURL *easy;

	/** @headers: header lines of the request */
	struct curl_slist *headers;

	/** @errand: for a dialect with @work, what is carried out in the place of a transfer; else %NULL */
	struct kme_errand *errand;

	/** @owner: the caller's */
	void *owner;

	/** @peer: the KME */
	struct kme_peer *peer;

	/** @credentials: of @peer when the transfer began; a reference of its own */
	struct credentials *credentials;

	/** @handshake: of its connection, with these credentials */
	struct kme_handshake handshake;

	/** @body: of a POST, the caller's; %NULL for a GET */
	const char *body;

	/** @body_len: its bytes */
	size_t body_len;

	/** @body_sent: bytes of it that libcurl took */
	size_t body_sent;

	/** @answer: locked memory for the body of the answer */
	struct qlink_secret answer;

	/** @len: bytes of the answer so far */
	size_t len;

	/** @is_too_big: the answer did not fit */
	bool is_too_big;

	/** @is_once: it must not be sent twice */
	bool is_once;

	/** @n_sends: how often libcurl began to send it; above 0: the KME may have seen it */
	unsigned int n_sends;

	/** @is_resent: libcurl wanted to send it again */
	bool is_resent;

	/** @status: the HTTP status, once the transfer is over */
	long status;

	/** @took_ms: how long it took, with its connection, once it is over */
	uint64_t took_ms;

	/** @times: likewise */
	struct kme_times times;

	/** @error: libcurl's error message */
	char error[CURL_ERROR_SIZE];
};

/**
 * kme_transfer_start() - start a transfer
 * @transfer: all zero; filled in
 * @multi: where it runs
 * @peer: the KME; must outlive the connections of @multi
 * @url: with query
 * @body: of a POST, which must outlive the transfer; %NULL for a GET
 * @room: most bytes of the answer
 * @is_once: never send it twice, because the KME gives each key away once
 *
 * TLS as @peer demands, with hybrid groups first; HTTP/1.1; no proxy, no redirect, no other
 * protocol. A reload does not change the credentials of a transfer that has begun.
 *
 * Return: 0, or a negative errno.
 */
int kme_transfer_start(struct kme_transfer *transfer, CURLM *multi, struct kme_peer *peer,
		       const char *url, const char *body, size_t room, bool is_once);

/**
 * kme_transfer_fail() - end a transfer that never started as another one ended
 * @transfer: all zero; filled in for kme_transfer_end(), with the code of @other
 * @other: to the same KME; not passed to kme_transfer_end() yet
 */
void kme_transfer_fail(struct kme_transfer *transfer, const struct kme_transfer *other);

/**
 * kme_transfer_end() - take a transfer that is over off its loop
 * @transfer: gets its @status and @took_ms; keeps the answer
 * @multi: where it ran
 * @code: how it ended, from libcurl
 * @why: filled in unless there is a complete answer
 *
 * Return: %KME_COUNTER_ANSWERED for a complete answer with any HTTP status, or the counter of how
 * else it ended.
 */
enum kme_counter kme_transfer_end(struct kme_transfer *transfer, CURLM *multi, CURLcode code,
				  struct qlink_why *why);

/**
 * kme_refused() - say how a KME refused a request, in our words first
 * @transfer: the request
 * @op: what was requested
 * @status: the HTTP status; 401 and 403 are about our certificate, so that its name is said, and
 *	404 is about the URL
 * @refusal: what the KME says
 * @sae: the other SAE, which the request named
 * @why: filled in
 */
void kme_refused(const struct kme_transfer *transfer, enum kme_op op, long status,
		 const struct kme_refusal *refusal, const char *sae, struct qlink_why *why);

/**
 * kme_transfer_free() - wipe and free a transfer, which may still run
 * @transfer: all zero afterwards
 * @multi: where it runs or ran
 */
void kme_transfer_free(struct kme_transfer *transfer, CURLM *multi);

#endif
