/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of etcd's JSON gateway: what we ask, and what it answers. */
#ifndef FOLLOW_GATEWAY_H
#define FOLLOW_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/why.h"

/**
 * DOC: The gateway
 *
 * etcd answers HTTP with JSON at the client port. Keys and values are in base64, 64-bit numbers are
 * texts. A member that has its default value is left out. A stream is one JSON object a line.
 *
 * Functions that make a request return its body, which is freed with free(), or %NULL without
 * memory. Functions that read an answer return 0, or %-EBADMSG with the reason.
 */

/**
 * struct document - the value of a key
 */
struct document {
	/** @text: @len bytes and a NUL, on the heap; %NULL if there is no such key */
	char *text;

	/** @len: its bytes */
	size_t len;

	/** @revision: of etcd when it was put; 0 if there is no such key */
	uint64_t revision;
};

/**
 * struct documents - what a site follows
 */
struct documents {
	/** @common: the part of all sites */
	struct document common;

	/** @site: the part of this site */
	struct document site;

	/** @cluster: the number of the etcd that they are from, 0 before the first */
	uint64_t cluster;

	/** @revision: of etcd when they were read */
	uint64_t revision;
};

/**
 * struct gateway_keys - names of the keys
 */
struct gateway_keys {
	/** @common: of the document of all sites */
	char *common;

	/** @site: of the document of this site */
	char *site;

	/** @status: of what we say */
	char *status;
};

/**
 * gateway_keys_make() - name the keys
 * @keys: filled in; freed with gateway_keys_free(), also on failure
 * @prefix: of all keys
 * @site: name of the site
 *
 * Return: 0, or %-ENOMEM.
 */
int gateway_keys_make(struct gateway_keys *keys, const char *prefix, const char *site);

/**
 * gateway_keys_free() - free the names
 * @keys: from gateway_keys_make()
 */
void gateway_keys_free(struct gateway_keys *keys);

/**
 * gateway_documents_free() - free both documents
 * @documents: all zero afterwards
 */
void gateway_documents_free(struct documents *documents);

/* Body for kv/txn: reads both documents as of one revision. */
char *gateway_load(const struct gateway_keys *keys);

/**
 * gateway_loaded() - take the answer to gateway_load()
 * @text: the answer
 * @len: its bytes
 * @documents: replaced on success
 * @why: filled in on failure
 *
 * Return: 0, or %-EBADMSG.
 */
int gateway_loaded(const char *text, size_t len, struct documents *documents, struct qlink_why *why);

/* Body for watch: both documents, from @revision on. */
char *gateway_watch(const struct gateway_keys *keys, uint64_t revision);

/**
 * gateway_watched() - take one line of the stream
 * @text: the line
 * @len: its bytes
 * @keys: names of the keys
 * @documents: changed by its events
 * @is_changed: set to true if they changed
 * @why: filled in on failure
 *
 * Return: 0; %-EBADMSG, or %-ECANCELED if etcd ends the watch: the documents must be loaded again.
 */
int gateway_watched(const char *text, size_t len, const struct gateway_keys *keys, struct documents *documents,
		    bool *is_changed, struct qlink_why *why);

/* Body for lease/grant, and its answer: the number of the lease. */
char *gateway_grant(uint64_t ttl_ms);
int gateway_granted(const char *text, size_t len, uint64_t *lease, struct qlink_why *why);

/* Body for lease/keepalive, and its answer: whether etcd still had the lease. */
char *gateway_keep(uint64_t lease);
int gateway_kept(const char *text, size_t len, bool *is_there, struct qlink_why *why);

/* Body for kv/put of the status. */
char *gateway_put(const struct gateway_keys *keys, const char *status, uint64_t lease);

/* Body for auth/authenticate, and its answer: a token, which is freed with free(). */
char *gateway_login(const char *user, const char *password);
int gateway_token(const char *text, size_t len, char **token, struct qlink_why *why);

/**
 * gateway_refused() - say why etcd has refused a request
 * @text: its answer
 * @len: its bytes
 * @status: of HTTP
 * @why: filled in
 */
void gateway_refused(const char *text, size_t len, long status, struct qlink_why *why);

#endif
