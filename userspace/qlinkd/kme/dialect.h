/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a client asks of a key server and what the server answers, in any dialect; no I/O. */
#ifndef QLINKD_KME_DIALECT_H
#define QLINKD_KME_DIALECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/why.h"

/* A KME key ID is opaque: this many of [0-9A-Za-z-]. A UUID has 36. */
#define KME_KEY_ID_MIN		8
#define KME_KEY_ID_MAX		64
/* The least bytes that make a 256-bit key, and the most that there is room for. */
#define KME_SECRET_MIN_BYTES	32
#define KME_SECRET_MAX_BYTES	128
/* The most keys of one request, whatever a KME would allow. */
#define KME_BATCH_MAX		512
/* The most bytes of an answer: its frame, and each key with its extensions. */
#define KME_ANSWER_BASE_BYTES	16384
#define KME_ANSWER_KEY_BYTES	1024
/* Room for any URL, with its NUL. */
#define KME_URL_MAX		1024
/* The longest SAE ID or KME ID, which are free text. */
#define KME_SAE_ID_MAX		128
/* Room for any body about n keys, with its NUL. */
#define KME_BODY_MAX(n)		(128 + (n) * (KME_KEY_ID_MAX + 16))

/* The interfaces of key servers that a KME may have, as the option dialect of qlinkd.conf(5) names them. */
enum kme_dialect_kind {
	/* ETSI GS QKD 014; the default */
	KME_DIALECT_ETSI014,
	/* Secure Key Integration Protocol */
	KME_DIALECT_SKIP,
	/* a vault, which is a file and no server */
	KME_DIALECT_VAULT,
	KME_DIALECT_N,
};

enum kme_op {
	/* how the KME is doing */
	KME_OP_STATUS,
	/* new keys, for the master SAE */
	KME_OP_ENC,
	/* keys by their IDs, for the slave SAE */
	KME_OP_DEC,
	KME_OP_N,
};

/**
 * struct kme_key_id - a KME key ID, ended by a NUL
 */
struct kme_key_id {
	/** @text: KME_KEY_ID_MIN to KME_KEY_ID_MAX characters */
	char text[KME_KEY_ID_MAX + 1];
};

/**
 * struct kme_key - a key as a KME delivered it; secret
 */
struct kme_key {
	/** @id: its KME key ID */
	struct kme_key_id id;

	/** @place: for dec_keys, the index of @id among the requested IDs; else 0 */
	uint16_t place;

	/** @len: bytes of the secret, KME_SECRET_MIN_BYTES to _MAX_BYTES */
	uint8_t len;

	/** @bytes: the secret */
	uint8_t bytes[KME_SECRET_MAX_BYTES];
};

/**
 * struct kme_ask - the keys that a request asks for
 */
struct kme_ask {
	/** @n: how many, 1 to KME_BATCH_MAX */
	size_t n;

	/** @ids: for dec_keys, their @n IDs, each once; %NULL for enc_keys */
	const struct kme_key_id *ids;

	/** @bits: for enc_keys, the size of a key, a multiple of 8; 0 for the least that qlinkd takes */
	unsigned int bits;
};

/* What is wrong with a key in an answer; a bad key has exactly one fault. */
enum kme_fault {
	/* the ID or the key is missing, or has the wrong type */
	KME_FAULT_MEMBER,
	/* the key ID is too long, too short, or has other characters */
	KME_FAULT_ID,
	/* the key is not canonical base64 */
	KME_FAULT_BASE64,
	/* the key is not hexadecimal */
	KME_FAULT_HEX,
	/* the key has too few or too many bits */
	KME_FAULT_SIZE,
	/* the same ID or the same key came more than once: none of them is taken */
	KME_FAULT_REPEATED,
	/* the request did not name this key ID */
	KME_FAULT_UNKNOWN_ID,
	/* more keys than requested */
	KME_FAULT_EXTRA,
	KME_FAULT_N,
};

/**
 * struct kme_tally - how many keys of one answer were good, and what was wrong with the others
 */
struct kme_tally {
	/** @sent: keys in the answer */
	size_t sent;

	/** @taken: good keys */
	size_t taken;

	/** @faults: bad keys, by enum kme_fault; with @taken they add up to @sent */
	size_t faults[KME_FAULT_N];
};

/**
 * struct kme_status - what a KME reports about itself; a number of -1 means not reported
 */
struct kme_status {
	/** @key_size: bits of a key when the request names no size */
	int64_t key_size;

	/**
	 * @stored_key_count: KMEs differ in what they count; 0 tells that a server error means
	 * no keys, and share.h has what else follows from it; -1 once keys came after it
	 */
	int64_t stored_key_count;

	/** @max_key_count: keys that the KME can store */
	int64_t max_key_count;

	/** @max_key_per_request: most keys of one answer */
	int64_t max_key_per_request;

	/** @max_key_size: bits */
	int64_t max_key_size;

	/** @min_key_size: bits */
	int64_t min_key_size;

	/** @master: our SAE ID, as the KME knows us; empty if not reported, as are the other names */
	char master[KME_SAE_ID_MAX + 1];

	/** @slave: the SAE ID of the peer; these are printable ASCII without quotes */
	char slave[KME_SAE_ID_MAX + 1];
};

/**
 * kme_status_init() - say that nothing is reported
 * @status: filled in
 */
void kme_status_init(struct kme_status *status);

/* What a request led to, however the KME words it. */
enum kme_outcome {
	/* there are keys, perhaps fewer than requested */
	KME_OUTCOME_KEYS,
	/* the KME works and has no such key: out of keys, or the key IDs are unknown */
	KME_OUTCOME_EMPTY,
	/* the KME does not accept us as an SAE that may have these keys */
	KME_OUTCOME_DENIED,
	/* anything else */
	KME_OUTCOME_BROKEN,
};

/* Whether the server rejects the HTTP method, POST or GET, and not the request itself. */
enum kme_rejects_method {
	KME_REJECTS_METHOD_NO,
	KME_REJECTS_METHOD_MAYBE,
	KME_REJECTS_METHOD_YES,
};

/**
 * struct kme_verdict - what an HTTP status means
 */
struct kme_verdict {
	/** @outcome: KEYS if the body is to be judged; the body may still be bad */
	enum kme_outcome outcome;

	/** @rejects_method: whether the other method may work */
	enum kme_rejects_method rejects_method;

	/** @may_have_burned: the KME may have given the requested keys away */
	bool may_have_burned;
};

/* The most of a KME's own words that is quoted, with a NUL. */
#define KME_WORDS_MAX	160

/**
 * struct kme_refusal - what a KME says in an answer without keys
 */
struct kme_refusal {
	/** @words: its own, printable ASCII without quotes; empty if there are none */
	char words[KME_WORDS_MAX];

	/** @is_dry: they say that there are no keys now */
	bool is_dry;
};

/**
 * struct kme_work - a request that is carried out on this machine
 */
struct kme_work {
	/** @path: of a file, in the place of the base URL */
	const char *path;

	/** @key_path: of the file with a key to it */
	const char *key_path;

	/** @request: what @write_url of the dialect wrote */
	const char *request;

	/** @body: what @write_body wrote, or %NULL */
	const char *body;

	/** @side: which end this is */
	unsigned int side;

	/** @answer: locked memory for the body of the answer */
	uint8_t *answer;

	/** @room: bytes there */
	size_t room;

	/** @len: gets the bytes of the answer */
	size_t len;

	/** @has_spent: set if the request may have spent keys, although it failed */
	bool has_spent;
};

/**
 * struct kme_dialect - every rule of one key server interface
 *
 * All rules about URLs, bodies, JSON and HTTP status codes belong here. The functions but @work do no I/O.
 */
struct kme_dialect {
	/**
	 * @work: carries a request out, in a thread of its own; %NULL: it goes to a server by HTTPS
	 *
	 * Sees nothing but @work. Returns 0, which counts as HTTP status 200; or a negative errno with @why.
	 */
	int (*work)(struct kme_work *work, struct qlink_why *why);

	/**
	 * @held_max: most keys that an agent holds in memory, because they are lost when it ends; 0 for as
	 * many as the link wants
	 */
	uint32_t held_max;

	/** @media_type: of bodies and answers */
	const char *media_type;

	/** @url_ids_max: most key IDs that the URL of a GET can name, 1 at least */
	size_t url_ids_max;

	/** @has_status_of_sae: the URL of a status names the other SAE, which the KME may not know */
	bool has_status_of_sae;

	/**
	 * @check_url: check the base URL of a KME, as configured
	 *
	 * Returns 0, or %-EINVAL with the broken rule in @why.
	 */
	int (*check_url)(const char *url, struct qlink_why *why);

	/**
	 * @write_url: write the URL of a request to @url
	 *
	 * @base passed @check_url. @sae is the other SAE, not yet URL-encoded: the slave for
	 * status and enc_keys, the master for dec_keys. @ask is for a GET about keys, with at
	 * most @url_ids_max IDs; it is %NULL for a POST and for a status. Returns 0, or
	 * %-ENAMETOOLONG.
	 */
	int (*write_url)(char url[KME_URL_MAX], const char *base, const char *sae,
			 enum kme_op op, const struct kme_ask *ask);

	/**
	 * @write_body: write the body of a POST to @body, ended by a NUL
	 *
	 * @body has KME_BODY_MAX(@ask->n) bytes. Asks for the keys by ID, or for @ask->n keys
	 * of @ask->bits. Returns the length. %NULL if kme_dialect_has_post() denies it.
	 */
	size_t (*write_body)(char *body, const struct kme_ask *ask);

	/**
	 * @judge_keys: take the good keys from the body of an answer
	 *
	 * @text has @len bytes and need not end with a NUL. @keys is locked memory for @ask->n;
	 * it gets the good keys in the order of the answer, and the rest of it is wiped. @tally
	 * is always filled in. @why gets the first thing that was wrong, and is empty if nothing
	 * was; it never quotes the answer. Not reentrant. Returns the number of keys taken,
	 * %-EBADMSG if the body is not a list of keys at all, or %-ENOMEM without locked memory.
	 */
	int (*judge_keys)(const char *text, size_t len, const struct kme_ask *ask,
			  struct kme_key *keys, struct kme_tally *tally, struct qlink_why *why);

	/**
	 * @judge_status: read the body of a status
	 *
	 * @sae is the other SAE. Returns 0, and may say in @why what is doubtful; or a negative errno with the reason
	 * in @why: as @judge_keys,
	 * or %-EACCES if the status says that there are no keys for us and @sae.
	 */
	int (*judge_status)(const char *text, size_t len, const char *sae, struct kme_status *status,
			    struct qlink_why *why);

	/** @read_refusal: read the body of an answer that is not 200; it may be anything */
	void (*read_refusal)(const char *text, size_t len, struct kme_refusal *refusal);

	/** @classify: say what an HTTP status means as an answer to @op */
	struct kme_verdict (*classify)(enum kme_op op, long status);
};

/**
 * kme_dialect_name() - name a dialect
 * @kind: below KME_DIALECT_N
 *
 * Return: the word of the option dialect in qlinkd.conf(5).
 */
const char *kme_dialect_name(enum kme_dialect_kind kind);

/**
 * kme_dialect_has_post() - say whether a dialect asks for keys by POST
 * @kind: below KME_DIALECT_N
 *
 * Return: true for POST and GET, false for GET alone.
 */
bool kme_dialect_has_post(enum kme_dialect_kind kind);

/**
 * kme_dialect_has_psk() - say whether a dialect lets a pre-shared key stand for certificates in TLS
 * @kind: below KME_DIALECT_N
 *
 * Return: true if it does.
 */
bool kme_dialect_has_psk(enum kme_dialect_kind kind);

/**
 * kme_dialect_is_file() - say whether a dialect asks a file, and no server
 * @kind: below KME_DIALECT_N
 *
 * Return: true if there are no URL, no SAE and no certificates.
 */
bool kme_dialect_is_file(enum kme_dialect_kind kind);

/**
 * kme_op_name() - name an operation, for errors
 * @op: below KME_OP_N
 *
 * Return: status, enc_keys or dec_keys.
 */
const char *kme_op_name(enum kme_op op);

/**
 * kme_fault_name() - name a fault, for counters and logs
 * @fault: below KME_FAULT_N
 *
 * Return: a word with underscores.
 */
const char *kme_fault_name(enum kme_fault fault);

/**
 * kme_outcome_name() - name an outcome
 * @outcome: an enum kme_outcome
 *
 * Return: keys, empty, denied or broken.
 */
const char *kme_outcome_name(enum kme_outcome outcome);

/**
 * kme_answer_room() - say how long an answer may be
 * @n_keys: keys requested; 0 for a status
 *
 * Return: bytes.
 */
size_t kme_answer_room(size_t n_keys);

/**
 * kme_id_is_good() - say whether a text can be a KME key ID
 * @text: the text
 * @len: its length
 *
 * Return: true if its length and all its characters are allowed.
 */
bool kme_id_is_good(const char *text, size_t len);

#endif
