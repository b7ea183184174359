/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A lab for tests: the simulator, certificates, and clients that talk to it. */
#ifndef QLINK_KME_LAB_H
#define QLINK_KME_LAB_H

#include "qlinkd/kme/client.h"

/* Longer than anything takes that ends at all, even on a busy machine. */
#define LAB_DEADLINE_MS	30000

/**
 * struct lab_client - a client and what it reported
 */
struct lab_client {
	/** @kme: the client */
	struct kme *kme;

	/** @loop: where it runs; its own unless it was given one */
	struct kme_loop *loop;

	/** @shares_loop: the loop is another client's */
	bool shares_loop;

	/** @answer: the last answer; its keys are @keys */
	struct kme_answer answer;

	/** @keys: copies of the keys of the last answer */
	struct kme_key keys[KME_BATCH_MAX];

	/** @n_answers: answers so far */
	unsigned int n_answers;

	/** @n_up: how often each KME came up */
	unsigned int n_up[KME_NODES_MAX];

	/** @n_down: how often each KME went down */
	unsigned int n_down[KME_NODES_MAX];

	/** @why: the reason of the last change */
	struct qlink_why why;
};

/**
 * struct lab_options - how a client differs from the default
 */
struct lab_options {
	/** @cert: name of its certificate; %NULL: sae-a or sae-b */
	const char *cert;

	/** @ca: name of the CA that it trusts; %NULL: ca */
	const char *ca;

	/** @crl: name of its CRL; %NULL: none */
	const char *crl;

	/** @id: KME ID; %NULL: the right one; "-": none, so that the host is checked */
	const char *id;

	/** @sae: the peer's SAE ID; %NULL: the right one */
	const char *sae;

	/** @url: of its KME; %NULL: the right one; a path: below the right one */
	const char *url;

	/** @timeout_ms: 0 for a long one */
	unsigned int timeout_ms;

	/** @beside: a client whose loop it is on, and which ends after it; %NULL: a loop of its own */
	const struct lab_client *beside;

	/** @parallel: as for the client */
	unsigned int parallel;

	/** @turn_ms: as for the client; the agents are "a" and "b" */
	unsigned int turn_ms;

	/** @tls: as for the client */
	enum kme_tls tls;

	/** @method: as for the client */
	enum kme_method method;

	/** @dialect: as for the client */
	enum kme_dialect_kind dialect;

	/** @psk: name of its pre-shared key, instead of certificates; %NULL: none */
	const char *psk;

	/** @psk_id: the KME's name of that key; %NULL: the right one */
	const char *psk_id;

	/** @psk_hash: as for the client */
	enum psk_hash psk_hash;

	/** @first: URL of another KME that comes first; %NULL: it has one KME */
	const char *first;
};

/**
 * lab_start() - start a simulator
 * @more_a: more lines for KME a, each ended by a newline
 * @more_b: likewise for KME b
 *
 * SAE-A and SAE-B have a link with 1000 keys in stock and no supply.
 */
void lab_start(const char *more_a, const char *more_b);

/**
 * lab_start_as() - start a simulator whose KME a has another certificate
 * @certificate: its name
 */
void lab_start_as(const char *certificate);

/**
 * lab_start_psk() - start a simulator that knows SAE-A and SAE-B by pre-shared keys
 * @more: more lines for each KME
 * @has_certificates: it has certificates too
 *
 * Their names are encryptor-a and encryptor-b, those of the keys a and b.
 */
void lab_start_psk(const char *more, bool has_certificates);

/**
 * lab_stop() - stop the simulator
 *
 * It must exit with status 0.
 */
void lab_stop(void);

/**
 * lab_command() - send a command to the simulator
 * @format: the command
 *
 * Return: its reply without the newline, valid until the next call.
 */
__attribute__((format(printf, 1, 2)))
const char *lab_command(const char *format, ...);

/**
 * lab_client_start() - start a client at KME a or b
 * @client: filled in; ended by lab_client_stop()
 * @side: 0 or 1
 * @options: may be %NULL
 */
void lab_client_start(struct lab_client *client, int side,
		      const struct lab_options *options);

/**
 * lab_client_renew() - have a client use other files for its first KME
 * @client: from lab_client_start()
 * @cert: name of its certificate
 * @ca: name of the CA that it trusts
 * @crl: name of its CRL; %NULL: none
 */
void lab_client_renew(struct lab_client *client, const char *cert, const char *ca, const char *crl);

/**
 * lab_client_renew_psk() - have a client use another pre-shared key for its first KME
 * @client: from lab_client_start()
 * @psk: name of the key
 * @psk_id: the KME's name of it
 */
void lab_client_renew_psk(struct lab_client *client, const char *psk, const char *psk_id);

/**
 * lab_client_stop() - stop a client
 * @client: from lab_client_start()
 */
void lab_client_stop(struct lab_client *client);

/**
 * lab_poll() - wait until a client has work to do, and run it
 * @client: the client
 * @start_ms: when this wait began
 *
 * Return: false once LAB_DEADLINE_MS have passed.
 */
bool lab_poll(struct lab_client *client, int64_t start_ms);

/**
 * lab_conf() - write the configuration of an agent that uses the KMEs of the simulator
 * @text: filled in
 * @size: size of @text
 * @side: 0 or 1
 * @link: more options of link qlink0, each on a line of its own, indented
 *
 * The agents are "a" and "b". The link may name the KMEs "one" and "two", which are the same server, and "dead",
 * where no server listens.
 */
void lab_conf(char *text, size_t size, int side, const char *link);

/**
 * lab_folder() - say where the certificates are
 *
 * Return: the folder, with the files of tests/kme-certs.
 */
const char *lab_folder(void);

/**
 * lab_kme() - write the section of a KME of the simulator
 * @text: filled in; more lines of the section may follow
 * @size: size of @text
 * @side: 0 or 1
 * @name: of the section
 */
void lab_kme(char *text, size_t size, int side, const char *name);

/**
 * lab_get() - request keys and wait for the answer
 * @client: the client; the call waits until a KME is up
 * @n: how many
 *
 * Return: how many arrived.
 */
size_t lab_get(struct lab_client *client, size_t n);

/**
 * lab_fetch() - fetch keys by ID and wait for the answer
 * @client: the client; the call waits until its first KME is up
 * @keys: the keys of the other end
 * @n: how many
 *
 * Return: how many arrived.
 */
size_t lab_fetch(struct lab_client *client, const struct kme_key *keys,
		 size_t n);

/**
 * lab_curl() - send a request to a KME by the curl program
 * @side: which KME, 0 or 1
 * @cert: name of a certificate; %NULL for none
 * @args: the path after /api/v1/keys, with a slash, or that of another dialect, without one; and more
 *	arguments
 *
 * Return: the HTTP status, a space, the body; valid until the next call.
 */
const char *lab_curl(int side, const char *cert, const char *args);

/* Run a client until a condition is true. */
#define LAB_WAIT(client, so) do {					\
	int64_t start_ = lab_now_ms();					\
	bool is_so_;							\
	while (!(is_so_ = (so)) && lab_poll((client), start_))		\
		;							\
	CHECK(is_so_, "never came true: %s", #so);			\
} while (0)

/**
 * lab_counter() - read a counter of a client's first KME
 * @client: the client
 * @which: the counter
 *
 * Return: its value.
 */
uint64_t lab_counter(const struct lab_client *client, enum kme_counter which);

/**
 * lab_moved() - list the counters of a client's first KME that moved, but for its status requests
 * @client: the client
 * @before: what they were
 *
 * Return: as "name 2, other 1"; valid until the next call.
 */
const char *lab_moved(const struct lab_client *client, const struct kme_server *before);

/**
 * lab_now_ms() - read a monotonic clock
 *
 * Return: milliseconds.
 */
int64_t lab_now_ms(void);

#endif
