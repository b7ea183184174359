/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client of QKD key servers: several KMEs in order. */
#ifndef QLINKD_KME_CLIENT_H
#define QLINKD_KME_CLIENT_H

#include "qlinkd/credentials/credentials.h"
#include "server.h"
#include "turn.h"

/* KMEs that one client can have. */
#define KME_NODES_MAX	8
/* Requests that one KME gets at a time, unless the configuration says otherwise; and at most. */
#define KME_PARALLEL		2
#define KME_PARALLEL_MAX	8

/**
 * DOC: Words
 *
 * KME: key management entity, a server that gives out QKD keys. It has a partner, the KME of the
 * other end.
 *
 * SAE: secure application entity, the user of a KME; each agent is one. For a key, the master SAE
 * requested it and the slave SAE fetches it by its KME key ID.
 *
 * Dialect: the wording of requests and answers, as ETSI GS QKD 014 defines one. enc_keys and
 * dec_keys name the two requests for keys in any dialect.
 *
 * Node: one KME of a client, with what the client knows about it.
 *
 * Job: keys that the owner requested, with all requests sent for them. A job ends with one answer.
 *
 * Transfer: one HTTP request and its answer.
 *
 * Part: what one client wants of a request that it may share with others; see batch.h.
 *
 * Probe: a transfer that asks a node for its status. It costs no key.
 *
 * Store: keys that a KME delivered and no offer has used yet; see store.h.
 *
 * Burned key: a key that a KME may have given away and that no SAE has. No later request can get
 * it.
 */

/**
 * DOC: Life of a client
 *
 * A client serves one pair of SAEs: ours, named by our certificate, and the peer's, named by its
 * SAE ID. Both ends list their KMEs in the same order, so that KME 2 here is the partner of KME 2
 * there.
 *
 * No call waits. All clients of an agent are on one struct kme_loop, whose descriptor the owner
 * watches. It has clients that talk to the same KME share a few connections, over which their
 * requests go in turn; those of the same pair of SAEs that wait become one. When a request of a
 * client is over, struct kme_ops says that the client is @ready; then, and at its kme_deadline(),
 * the owner calls kme_run(), which reports everything that happened. A client has at most one
 * enc_keys and one dec_keys at a time.
 *
 * A client probes each KME before anything else, and again, with back-off, after a failure. Only
 * KMEs that are up get requests for keys, the first of them first. An enc_keys job that gets no
 * keys goes on to the next KME that is up.
 *
 * Call kme_memory_init() once before all this.
 */
struct kme;
struct kme_loop;

/**
 * struct kme_node_conf - one KME
 */
struct kme_node_conf {
	/**
	 * @url: https://host:port; an address is better than a name, which libcurl resolves in a
	 * thread of its own; for a dialect that asks a file, its path
	 */
	const char *url;

	/**
	 * @id: the KME ID that its certificate must have, as CN or alternative name; %NULL: the
	 * certificate must name the host in @url
	 */
	const char *id;

	/** @ca: PEM file */
	const char *ca;

	/** @certificate: PEM file of ours, followed by its chain */
	const char *certificate;

	/** @key: PEM file of our private key; for a dialect that asks a file, the file with the key to that */
	const char *key;

	/** @side: for a dialect that asks a file, which end this is */
	unsigned int side;

	/** @crl: PEM file of CRLs of the CA, %NULL for no revocation check */
	const char *crl;

	/** @psk_file: file of a pre-shared key, which takes the place of these four files and of @id; %NULL for none */
	const char *psk_file;

	/** @psk_id: name of that key */
	const char *psk_id;

	/** @psk_hash: the hash that it is used with */
	enum psk_hash psk_hash;

	/** @credentials: these files, loaded; %NULL to load them now, unless there is @trouble */
	struct credentials *credentials;

	/** @trouble: why they cannot be used: the KME is down until kme_renew(); %NULL if they can */
	const char *trouble;

	/**
	 * @parallel: requests that it gets at a time, at most KME_PARALLEL_MAX; 0 for KME_PARALLEL. Some
	 * KMEs fail when they have to do two things at once.
	 */
	uint32_t parallel;

	/**
	 * @turn_ms: length of the turns that both ends take to ask it, TURN_MIN_MS to TURN_MAX_MS; 0 for
	 * no turns. Some KMEs fail when both ends ask at once.
	 */
	uint32_t turn_ms;

	/** @tls: the least TLS that it must offer */
	enum kme_tls tls;

	/** @method: the HTTP method it accepts; KME_METHOD_AUTO finds out */
	enum kme_method method;

	/** @dialect: how requests and answers are worded */
	enum kme_dialect_kind dialect;
};

/**
 * struct kme_conf - the configuration of a client; everything is copied
 */
struct kme_conf {
	/** @sae: the peer's SAE ID */
	const char *sae;

	/** @name: this agent's name; with @peer, for nodes that have turns; may be %NULL without */
	const char *name;

	/** @peer: the peer's name */
	const char *peer;

	/** @nodes: the KMEs, in order */
	const struct kme_node_conf *nodes;

	/** @n_nodes: 1 to KME_NODES_MAX */
	unsigned int n_nodes;

	/** @connect_ms: limit for a connection with its TLS handshake, above 0 */
	unsigned int connect_ms;

	/** @timeout_ms: limit for a whole transfer, above 0 */
	unsigned int timeout_ms;

	/** @retry_min_ms: first pause after a failure, above 0 */
	unsigned int retry_min_ms;

	/** @retry_max_ms: longest pause, at least @retry_min_ms */
	unsigned int retry_max_ms;
};

/**
 * struct kme_answer - how a job ended
 */
struct kme_answer {
	/** @op: KME_OP_ENC or KME_OP_DEC */
	enum kme_op op;

	/** @node: the KME of the last request, 0 for the first */
	unsigned int node;

	/** @outcome: of the last request, but KEYS whenever there are any */
	enum kme_outcome outcome;

	/** @asked: keys of the job */
	size_t asked;

	/**
	 * @n_sent: keys that the last request asked for; fewer than @asked where the KME gives
	 * only few at once
	 */
	size_t n_sent;

	/**
	 * @keys: the good ones; wiped when the callback returns. No key or ID is in it twice. The
	 * store checks whether an ID was seen before.
	 */
	const struct kme_key *keys;

	/** @n_keys: how many */
	size_t n_keys;

	/** @tally: of all keys that came */
	struct kme_tally tally;

	/** @n_burned: keys burned, at most. After dec_keys the peer must drop them. */
	size_t n_burned;

	/** @why: the last thing that was wrong, empty if nothing was */
	struct qlink_why why;
};

/**
 * struct kme_ops - what a client reports to its owner
 *
 * kme_run() and kme_cancel_fetch() call all but @ready. They may call anything but kme_run() and kme_free().
 */
struct kme_ops {
	/** @answer: a job ended */
	void (*answer)(void *arg, const struct kme_answer *answer);

	/** @health: a KME came up or went down; for up, @why is what is doubtful, mostly empty */
	void (*health)(void *arg, unsigned int node, enum kme_health health,
		       const struct qlink_why *why);

	/** @counted: the status came that kme_count() asked for; may be %NULL */
	void (*counted)(void *arg, unsigned int node);

	/**
	 * @ready: kme_run() has work to do; may be %NULL for an owner that looks after each
	 * kme_loop_run(). Called by other clients and the loop too, so it must not do that work itself.
	 */
	void (*ready)(void *arg);
};

/**
 * kme_new() - make a client
 * @conf: its configuration
 * @loop: where its requests run; must outlive it
 * @ops: what it calls
 * @arg: for @ops
 * @kme: where it goes; the caller frees it with kme_free()
 * @why: filled in on failure
 *
 * Return:
 * * %0		- made; the next kme_run() sends the first probes
 * * %-EINVAL	- @conf breaks a rule, which @why has
 * * others	- as the system says
 */
int kme_new(const struct kme_conf *conf, struct kme_loop *loop, const struct kme_ops *ops, void *arg,
	    struct kme **kme, struct qlink_why *why);

/**
 * kme_free() - wipe and free a client
 * @kme: from kme_new(), or %NULL; a running job ends without an answer
 */
void kme_free(struct kme *kme);

/**
 * kme_renew() - use other credentials for all connections from now on
 * @kme: the client; a KME that is down is asked again at once
 * @node: which KME, 0 for the first
 * @credentials: the client takes a reference of its own
 *
 * A request that is being sent ends on its connection. No idle connection is used again. Without memory,
 * the old ones stay.
 */
void kme_renew(struct kme *kme, unsigned int node, struct credentials *credentials);

/**
 * kme_deadline() - when kme_run() is due even if no request is over
 * @kme: the client
 *
 * Return: CLOCK_BOOTTIME in ms; %INT64_MAX for never.
 */
int64_t kme_deadline(const struct kme *kme);

/**
 * kme_run() - do all work that is due, without waiting
 * @kme: the client
 */
void kme_run(struct kme *kme);

/**
 * kme_count() - have a KME count its keys, unless it has just done so
 * @kme: the client
 * @node: which KME, 0 for the first
 *
 * Return: true if there is a request for its status, which ends with @counted, or with @health if the
 * KME goes down; false if what is known is good enough, or the KME is not up.
 */
bool kme_count(struct kme *kme, unsigned int node);

/**
 * kme_get_keys() - request new keys, as the master SAE
 * @kme: the client
 * @first: the first KME that may be asked, 0 for the first of all
 * @n: how many, 1 to KME_BATCH_MAX; fewer may come, because each KME gets only one request: some
 *	KMEs forget a batch when the next is requested
 *
 * Source: ETSI GS QKD 014 V1.1.1, 5.2.
 *
 * Return:
 * * %0		- an answer will come
 * * %-EAGAIN	- no KME from @first on is up
 * * %-EBUSY	- an enc_keys runs already
 * * %-EINVAL	- @n is out of range
 * * others	- as the system says
 */
int kme_get_keys(struct kme *kme, unsigned int first, size_t n);

/**
 * kme_withdraw_get() - drop a request for new keys that is not sent yet
 * @kme: the client
 *
 * Return: true if there was one, which ends without an answer; false if there is none, or the KME may
 * have seen it.
 */
bool kme_withdraw_get(struct kme *kme);

/**
 * kme_waits() - whether requests of other clients, or of the peer, keep the first answer away
 * @kme: the client
 *
 * Return: true if a status or new keys are requested, and the request waits for its turn; or it is under
 * way to a KME at which the ends take turns, so that it may have waited for long.
 */
bool kme_waits(const struct kme *kme);

/**
 * kme_fetch_keys() - request the keys that the peer named, as the slave SAE
 * @kme: the client
 * @node: the KME whose partner gave them to the peer
 * @ids: their key IDs, each once; copied
 * @n: how many, 1 to KME_BATCH_MAX
 *
 * Source: ETSI GS QKD 014 V1.1.1, 5.3. Sends as many requests as the KME's limits need. Where the
 * KME refuses many at once, the next request is for fewer, so that one lost ID does not burn the
 * other keys.
 *
 * Return: as kme_get_keys(); %-EAGAIN if this KME is not up, %-EINVAL also for an ID that is
 * malformed or repeated.
 */
int kme_fetch_keys(struct kme *kme, unsigned int node, const struct kme_key_id *ids, size_t n);

/**
 * kme_cancel_fetch() - give up the keys that the peer named, because its offer is over
 * @kme: the client
 *
 * Reports an answer at once if a dec_keys runs, without keys. Those that came and those of the
 * request under way are burned.
 */
void kme_cancel_fetch(struct kme *kme);

/**
 * kme_server() - look up what is known about a KME
 * @kme: the client
 * @node: which, below the number of its KMEs
 *
 * Return: health, status and counters; valid as long as the client.
 */
const struct kme_server *kme_server(const struct kme *kme, unsigned int node);

#endif
