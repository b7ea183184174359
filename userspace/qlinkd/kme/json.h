/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Judges what a key server answers: strict, bounded, without any I/O. */
#ifndef QLINKD_KME_JSON_H
#define QLINKD_KME_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/why.h"


/* A KME key ID is opaque: so many of [0-9A-Za-z-]. A UUID has 36. */
#define KME_KEY_ID_MIN		8
#define KME_KEY_ID_MAX		64
/* What a key must have to count as one of 256 bits, and what we have room for. */
#define KME_SECRET_MIN_BYTES	32
#define KME_SECRET_MAX_BYTES	128
/* Keys asked for at once, whatever a KME would allow. */
#define KME_BATCH_MAX		512
/* Room that an answer may take: its frame, and each key with its extensions. */
#define KME_ANSWER_BASE_BYTES	16384
#define KME_ANSWER_KEY_BYTES	1024

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

	/** @place: for dec_keys, which of the IDs asked for; else 0 */
	uint16_t place;

	/** @len: bytes that count, KME_SECRET_MIN_BYTES to _MAX_BYTES */
	uint8_t len;

	/** @bytes: the secret */
	uint8_t bytes[KME_SECRET_MAX_BYTES];
};

/**
 * struct kme_ask - what was asked for
 */
struct kme_ask {
	/** @n: keys wanted, 1 to KME_BATCH_MAX */
	size_t n;

	/** @ids: the @n that dec_keys asked for, each once; %NULL for enc_keys */
	const struct kme_key_id *ids;
};

/* What is wrong with a key in an answer; a bad key has exactly one fault. */
enum kme_fault {
	/* no object, or without a key_ID or key that is a string */
	KME_FAULT_MEMBER,
	/* the key_ID is too long, too short, or has other characters */
	KME_FAULT_ID,
	/* the key is no canonical base64 */
	KME_FAULT_BASE64,
	/* too few or too many bits */
	KME_FAULT_SIZE,
	/* the same key_ID, or the same key, more than once: none is taken */
	KME_FAULT_REPEATED,
	/* nobody asked for that key_ID */
	KME_FAULT_UNKNOWN_ID,
	/* more keys than asked for */
	KME_FAULT_EXTRA,
	KME_FAULT_N,
};

/**
 * struct kme_tally - how the keys of one answer were judged
 */
struct kme_tally {
	/** @sent: keys in the answer */
	size_t sent;

	/** @taken: keys that were good */
	size_t taken;

	/** @faults: the others; with @taken they make @sent */
	size_t faults[KME_FAULT_N];
};

/**
 * struct kme_status - what a KME says of itself; -1 is "did not say"
 */
struct kme_status {
	/** @key_size: bits of a key when the request names none */
	int64_t key_size;

	/** @stored_key_count: counts what the KME wants; decide nothing by it */
	int64_t stored_key_count;

	/** @max_key_count: what the KME has room for */
	int64_t max_key_count;

	/** @max_key_per_request: most keys of one answer */
	int64_t max_key_per_request;

	/** @max_key_size: bits */
	int64_t max_key_size;

	/** @min_key_size: bits */
	int64_t min_key_size;
};

/**
 * kme_fault_name() - name a fault, for counters and logs
 * @fault: below KME_FAULT_N
 *
 * Return: a word with underscores.
 */
const char *kme_fault_name(enum kme_fault fault);

/**
 * kme_answer_room() - how long an answer may be
 * @n_keys: keys asked for; 0 for a status
 *
 * Return: bytes.
 */
size_t kme_answer_room(size_t n_keys);

/**
 * kme_id_is_good() - whether a text can be a KME key ID
 * @text: the text
 * @len: its length
 *
 * Return: true if it has the characters and the length of one.
 */
bool kme_id_is_good(const char *text, size_t len);

/**
 * kme_judge_keys() - take the good keys out of a key container
 * @text: body of the answer; need not end with a NUL
 * @len: its bytes
 * @ask: what was asked for
 * @keys: room for @ask->n, in locked memory; the good ones are put there in
 *	the order of the answer, what is behind them is wiped
 * @tally: filled in whenever the container could be read
 * @why: the first thing that was wrong, empty if nothing was. Never quotes
 *	the answer.
 *
 * A key container is that of ETSI GS QKD 014 V1.1.1, 6.3. Members that it does
 * not know are passed over, as are extensions; a member twice is refused.
 * jansson must have the allocator of kme_memory_init(). Not reentrant.
 *
 * Return: keys taken, 0 to @ask->n, or
 * * %-EBADMSG	- no JSON, or no key container
 * * %-ENOMEM	- no locked memory
 */
int kme_judge_keys(const char *text, size_t len, const struct kme_ask *ask,
		   struct kme_key *keys, struct kme_tally *tally,
		   struct qlink_why *why);

/**
 * kme_judge_status() - read a status
 * @text: body of the answer; need not end with a NUL
 * @len: its bytes
 * @status: filled in
 * @why: filled in on failure; never quotes the answer
 *
 * The data format is that of ETSI GS QKD 014 V1.1.1, 6.1. Every member may be
 * absent, and a number may stand in quotes; one that is neither, or negative,
 * or above 2^31 - 1, counts as absent.
 *
 * Return: 0, or as kme_judge_keys().
 */
int kme_judge_status(const char *text, size_t len, struct kme_status *status,
		     struct qlink_why *why);

#endif
