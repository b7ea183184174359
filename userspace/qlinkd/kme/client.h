/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Client of QKD key servers: ETSI GS QKD 014 V1.1.1, several KMEs in order. */
#ifndef QLINKD_KME_H
#define QLINKD_KME_H

#include "server.h"

/* KMEs that one client can have. */
#define KME_NODES_MAX	8

/**
 * DOC: Life of a client
 *
 * A client is for one pair of SAEs: ours, by our certificate, and the peer's, by
 * its SAE ID. Its KMEs stand in an order that both ends share, so that number 2
 * here is the one that talks to number 2 there.
 *
 * Nothing waits. The owner's loop watches kme_fd() for input and calls
 * kme_run(); whatever happened is told by struct kme_ops, from within kme_run().
 * There is one enc_keys and one dec_keys at a time.
 *
 * A KME is asked for its status before anything else, and again, with back-off,
 * after it failed. A status costs no key. Only KMEs that are up are asked for
 * keys, the first of them first; enc_keys moves to the next within one job.
 *
 * Call kme_memory_init() once before all this.
 */
struct kme;

/**
 * struct kme_node_conf - one KME
 */
struct kme_node_conf {
	/** @url: https://host:port. Better an address: libcurl looks names up
	 * in a thread of its own.
	 */
	const char *url;

	/** @id: the KME ID that its certificate must have, as CN or alternative
	 * name; %NULL: the certificate must be that of the host in @url
	 */
	const char *id;

	/** @ca: PEM file */
	const char *ca;

	/** @certificate: PEM file of ours, the chain behind it */
	const char *certificate;

	/** @key: PEM file of our private key */
	const char *key;

	/** @method: how it wants to be asked; KME_METHOD_AUTO finds out */
	enum kme_method method;

	/** @dialect: its interface; %NULL for ETSI GS QKD 014 */
	const struct kme_dialect *dialect;
};

/**
 * struct kme_conf - what a client is made of; everything is copied
 */
struct kme_conf {
	/** @sae: the peer's SAE ID */
	const char *sae;

	/** @nodes: the KMEs, in order */
	const struct kme_node_conf *nodes;

	/** @n_nodes: 1 to KME_NODES_MAX */
	unsigned int n_nodes;

	/** @connect_ms: for a connection with its TLS, above 0 */
	unsigned int connect_ms;

	/** @timeout_ms: for a whole request, above 0 */
	unsigned int timeout_ms;

	/** @retry_min_ms: first pause after a failure, above 0 */
	unsigned int retry_min_ms;

	/** @retry_max_ms: longest pause, at least @retry_min_ms */
	unsigned int retry_max_ms;
};

/**
 * struct kme_answer - how a wish for keys ended
 */
struct kme_answer {
	/** @op: KME_OP_ENC or KME_OP_DEC */
	enum kme_op op;

	/** @node: the KME that was asked last, 0 for the first */
	unsigned int node;

	/** @outcome: of the last request, but KEYS whenever there are any */
	enum kme_outcome outcome;

	/** @asked: keys wanted */
	size_t asked;

	/** @n_sent: how many of them the last request asked for, which is fewer where
	 * the KME likes to be asked for few
	 */
	size_t n_sent;

	/** @keys: the good ones; wiped when the callback returns. Unique among
	 * themselves; whether a key or an ID was seen before is the store's to
	 * know.
	 */
	const struct kme_key *keys;

	/** @n_keys: how many */
	size_t n_keys;

	/** @tally: how the keys that came were judged */
	struct kme_tally tally;

	/** @n_burned: keys that a KME may have given away and nobody has. For
	 * dec_keys the peer must drop them.
	 */
	size_t n_burned;

	/** @why: what was wrong last, empty if nothing was */
	struct qlink_why why;
};

/**
 * struct kme_ops - what a client tells its owner
 *
 * All are called from kme_run(). They may call anything but kme_run() and
 * kme_free().
 */
struct kme_ops {
	/** @answer: a wish for keys ended */
	void (*answer)(void *arg, const struct kme_answer *answer);

	/** @health: a KME came up or went down; @why is empty for up */
	void (*health)(void *arg, unsigned int node, enum kme_health health,
		       const struct qlink_why *why);
};

/**
 * kme_new() - make a client
 * @conf: what of
 * @ops: what it tells
 * @arg: for @ops
 * @kme: where it goes; the caller frees it with kme_free()
 * @why: filled in on failure
 *
 * Return:
 * * %0		- its first statuses are asked for by the next kme_run()
 * * %-EINVAL	- @conf breaks a rule, which @why has
 * * others	- as the system says
 */
int kme_new(const struct kme_conf *conf, const struct kme_ops *ops, void *arg,
	    struct kme **kme, struct qlink_why *why);

/**
 * kme_free() - end everything, wipe everything
 * @kme: from kme_new(), or %NULL; a job under way ends without an answer
 */
void kme_free(struct kme *kme);

/**
 * kme_fd() - what the owner's loop watches
 * @kme: the client
 *
 * Return: a file descriptor that is readable when kme_run() has work; the same
 * for the client's whole life.
 */
int kme_fd(const struct kme *kme);

/**
 * kme_run() - do what there is to do, without waiting
 * @kme: the client
 */
void kme_run(struct kme *kme);

/**
 * kme_get_keys() - ask for new keys, as the master SAE
 * @kme: the client
 * @n: how many, 1 to KME_BATCH_MAX; fewer may come, all in one request, for some
 *	KMEs forget a batch when the next is asked for
 *
 * Source: ETSI GS QKD 014 V1.1.1, 5.2.
 *
 * Return:
 * * %0		- an answer will come
 * * %-EAGAIN	- no KME is up
 * * %-EBUSY	- one enc_keys is under way
 * * %-EINVAL	- @n is out of range
 * * others	- as the system says
 */
int kme_get_keys(struct kme *kme, size_t n);

/**
 * kme_fetch_keys() - ask for the keys that the peer named, as the slave SAE
 * @kme: the client
 * @node: the KME whose partner the peer had them from
 * @ids: their key IDs, each once; copied
 * @n: how many, 1 to KME_BATCH_MAX
 *
 * Source: ETSI GS QKD 014 V1.1.1, 5.3. As many requests as the KME's limits
 * need; where it refuses many at once, it is asked for fewer, so that one ID
 * that it lost does not burn the others.
 *
 * Return: as kme_get_keys(); %-EAGAIN if this KME is not up, %-EINVAL also for
 * an ID that is malformed or there twice.
 */
int kme_fetch_keys(struct kme *kme, unsigned int node,
		   const struct kme_key_id *ids, size_t n);

/**
 * kme_server() - what is known of a KME
 * @kme: the client
 * @node: which, below the number of its KMEs
 *
 * Return: health, status and counters; valid as long as the client.
 */
const struct kme_server *kme_server(const struct kme *kme, unsigned int node);

#endif
