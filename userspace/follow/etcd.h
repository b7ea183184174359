/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Follows the documents of a site in etcd, and keeps its status there. */
#ifndef FOLLOW_ETCD_H
#define FOLLOW_ETCD_H

#include <stdbool.h>
#include <stdint.h>

#include "backoff.h"
#include "call.h"
#include "gateway.h"

/**
 * DOC: A session with a member
 *
 * ::
 *
 *   DOWN -> LOGIN (if etcd has users) -> LOADING -> UP
 *     ^        |                            |        |
 *     +--------+--- any failure ------------+--------+   the next member, after a wait
 *
 * A session begins by reading both documents, whatever was known before, and watches from the next
 * revision on. So nothing depends on how long the site was parted, or on what etcd has compacted
 * meanwhile. What was read stays while etcd is out of reach.
 *
 * There are two connections: one for the watch, one for all else, one request at a time.
 */

/**
 * enum etcd_state - of the session
 */
enum etcd_state {
	/** @ETCD_DOWN: waits for the next try */
	ETCD_DOWN,

	/** @ETCD_LOGIN: asks for a token */
	ETCD_LOGIN,

	/** @ETCD_LOADING: reads the documents */
	ETCD_LOADING,

	/** @ETCD_UP: watches them */
	ETCD_UP,
};

/**
 * enum etcd_errand - what the request under way is for
 */
enum etcd_errand {
	ETCD_ERRAND_LOGIN,
	ETCD_ERRAND_LOAD,
	ETCD_ERRAND_GRANT,
	ETCD_ERRAND_KEEP,
	ETCD_ERRAND_PUT,
};

/**
 * struct etcd - etcd as this site has it
 */
struct etcd {
	/** @options: endpoints and certificates */
	const struct options *options;

	/** @keys: names of the keys */
	struct gateway_keys keys;

	/** @multi: libcurl's connections */
	CURLM *multi;

	/** @state: of the session */
	enum etcd_state state;

	/** @member: index of the endpoint in use */
	uint32_t member;

	/** @request: all but the watch */
	struct call request;

	/** @errand: what @request is for */
	enum etcd_errand errand;

	/** @watch: the stream */
	struct call watch;

	/** @is_watching: etcd has said that it watches */
	bool is_watching;

	/** @backoff: failures since etcd has said so last */
	struct backoff backoff;

	/** @retry_ms: when a session is tried again */
	uint64_t retry_ms;

	/** @token: says who we are, %NULL if etcd has no users or has forgotten it */
	char *token;

	/** @lease: of the status, 0 for none */
	uint64_t lease;

	/** @renew_ms: when to renew it */
	uint64_t renew_ms;

	/** @status: what etcd shall have, %NULL at first */
	char *status;

	/** @is_put: etcd has it, under @lease */
	bool is_put;

	/** @put_ms: not before this time is it put again after a refusal */
	uint64_t put_ms;

	/** @documents: as they were read last; its cluster is 0 before that */
	struct documents documents;

	/** @is_changed: they have changed since etcd_take_change() */
	bool is_changed;

	/** @why: what the last session ended with; empty once etcd watches again */
	struct qlink_why why;

	/** @watch_why: what is wrong with a line of the watch */
	struct qlink_why watch_why;
};

/**
 * etcd_open() - begin
 * @etcd: filled in
 * @options: must outlive it
 * @why: filled in on failure
 *
 * Return: 0, or %-ENOMEM.
 */
int etcd_open(struct etcd *etcd, const struct options *options, struct qlink_why *why);

/**
 * etcd_close() - end; the status stays until its lease ends
 * @etcd: from etcd_open()
 */
void etcd_close(struct etcd *etcd);

/**
 * etcd_run() - go on, without waiting
 * @etcd: the caller waits with curl_multi_poll() on its @multi
 * @now: CLOCK_BOOTTIME in ms
 */
void etcd_run(struct etcd *etcd, uint64_t now);

/**
 * etcd_due() - say when to call etcd_run() at the latest
 * @etcd: from etcd_open()
 *
 * Return: CLOCK_BOOTTIME in ms; or UINT64_MAX.
 */
uint64_t etcd_due(const struct etcd *etcd);

/**
 * etcd_put() - say what the status of the site is
 * @etcd: puts it as soon as it can
 * @status: owned by @etcd from here on
 */
void etcd_put(struct etcd *etcd, char *status);

/**
 * etcd_take_change() - ask whether the documents have changed
 * @etcd: from etcd_open()
 *
 * Return: true once after each change.
 */
bool etcd_take_change(struct etcd *etcd);

/**
 * etcd_endpoint() - name the member in use
 * @etcd: from etcd_open()
 *
 * Return: its URL.
 */
const char *etcd_endpoint(const struct etcd *etcd);

#endif
