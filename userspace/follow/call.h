/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One request to etcd's gateway and its answer, or the stream of its answers, by libcurl. */
#ifndef FOLLOW_CALL_H
#define FOLLOW_CALL_H

#include <curl/curl.h>

#include "common/why.h"
#include "lines.h"
#include "options.h"

/* Longest answer, and longest line of a stream: two values of etcd's largest size, in base64. */
#define CALL_ANSWER_MAX	(8 << 20)

/**
 * struct call - a request; all zero while there is none
 */
struct call {
	/** @easy: libcurl's handle; %NULL while there is no request */
	CURL *easy;

	/** @body: what is sent; owned */
	char *body;

	/** @headers: of the request */
	struct curl_slist *headers;

	/** @error: of libcurl */
	char error[CURL_ERROR_SIZE];

	/** @lines: the answer, or the line of a stream that has begun */
	struct lines lines;

	/** @take: takes a line of a stream; %NULL for one answer, which stays in @lines */
	lines_take_one take;

	/** @arg: for @take */
	void *arg;

	/** @err: what @take or memory has failed with */
	int err;
};

/**
 * struct call_target - where a request goes
 */
struct call_target {
	/** @endpoint: URL of the member */
	const char *endpoint;

	/** @path: as "v3/kv/txn" */
	const char *path;

	/** @token: says who we are, or %NULL */
	const char *token;
};

/**
 * call_start() - send a request
 * @call: none is under way
 * @multi: carries it on
 * @options: certificates
 * @target: where to
 * @body: what is sent; owned by the call from here on, also on failure; %NULL is refused
 * @take: takes each line of a stream; %NULL for one answer
 * @arg: for @take
 *
 * Return: 0, or %-ENOMEM, and there is no request.
 */
int call_start(struct call *call, CURLM *multi, const struct options *options, const struct call_target *target,
	       char *body, lines_take_one take, void *arg);

/**
 * call_status() - read the status of HTTP
 * @call: its answer has begun
 *
 * Return: as 200; 0 before the answer.
 */
long call_status(const struct call *call);

/**
 * call_failed() - say why a request has failed
 * @call: is over
 * @code: of libcurl
 * @why: filled in
 */
void call_failed(const struct call *call, CURLcode code, struct qlink_why *why);

/**
 * call_end() - end a request, whether it is over or not
 * @call: all zero afterwards
 * @multi: carried it
 */
void call_end(struct call *call, CURLM *multi);

#endif
