/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One exchange with a key server over mutual TLS, by libcurl. */
#ifndef QLINKD_KME_HTTP_H
#define QLINKD_KME_HTTP_H

#include <curl/curl.h>

#include "common/secret.h"
#include "server.h"

/**
 * struct kme_peer - where a KME is, and how it and we prove who we are
 */
struct kme_peer {
	/** @dialect: how requests and answers are worded */
	const struct kme_dialect *dialect;

	/** @url: its base URL, which passed the dialect's check */
	char *url;

	/** @id: the KME ID that its certificate must have; %NULL: its host */
	char *id;

	/** @ca: PEM file of the CA that its certificate must come from */
	char *ca;

	/** @certificate: PEM file of our own, with its chain */
	char *certificate;

	/** @key: PEM file of our private key */
	char *key;

	/** @connect_ms: time for a connection with its TLS */
	unsigned int connect_ms;

	/** @timeout_ms: time for all of an exchange */
	unsigned int timeout_ms;

	/** @is_impostor: the last certificate was good, and of another */
	bool is_impostor;
};

/**
 * struct kme_transfer - one exchange; all zero when there is none
 */
struct kme_transfer {
	/** @easy: libcurl's handle; its private pointer is this transfer */
	CURL *easy;

	/** @headers: of the request */
	struct curl_slist *headers;

	/** @owner: the caller's */
	void *owner;

	/** @peer: whom it goes to */
	struct kme_peer *peer;

	/** @body: of a POST; %NULL for a GET */
	char *body;

	/** @body_len: its bytes */
	size_t body_len;

	/** @body_sent: how many libcurl took */
	size_t body_sent;

	/** @answer: locked memory for the answer's body */
	struct qlink_secret answer;

	/** @len: bytes in it */
	size_t len;

	/** @is_too_big: there were more */
	bool is_too_big;

	/** @is_resent: libcurl wanted to send the body again */
	bool is_resent;

	/** @status: of HTTP, once it is over */
	long status;

	/** @was_sent: the KME may have seen the request */
	bool was_sent;

	/** @error: libcurl's words */
	char error[CURL_ERROR_SIZE];
};

/**
 * kme_transfer_start() - begin an exchange
 * @transfer: all zero; filled in
 * @multi: where it runs
 * @peer: whom it goes to; must outlive @multi's connections
 * @url: with query
 * @body: of a POST, from malloc(), taken over also on failure; %NULL for a GET
 * @room: bytes that the answer may have
 *
 * TLS 1.2 at least, as ETSI GS QKD 014 V1.1.1, 4.3 says, with hybrid groups
 * first; HTTP/1.1; no proxy, no redirect, no other protocol. A body is never
 * sent twice, because the KME gives keys away once.
 *
 * Return: 0, or a negative errno.
 */
int kme_transfer_start(struct kme_transfer *transfer, CURLM *multi,
		       struct kme_peer *peer, const char *url, char *body,
		       size_t room);

/**
 * kme_transfer_end() - take an exchange that is over out of its loop
 * @transfer: fills in @status and @was_sent; the answer stays
 * @multi: where it ran
 * @code: what libcurl says
 * @why: filled in unless there is a whole answer
 *
 * Return: %KME_COUNTER_ANSWERED for a whole answer of whatever status, or how
 * else it ended.
 */
enum kme_counter kme_transfer_end(struct kme_transfer *transfer, CURLM *multi,
				  CURLcode code, struct qlink_why *why);

/**
 * kme_transfer_free() - wipe and free everything, also of one that runs
 * @transfer: all zero afterwards
 * @multi: where it runs or ran
 */
void kme_transfer_free(struct kme_transfer *transfer, CURLM *multi);

#endif
