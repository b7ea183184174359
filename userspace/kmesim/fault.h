/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a KME does wrong on purpose, and how often. */
#ifndef KMESIM_FAULT_H
#define KMESIM_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/why.h"


/* What a client asks of a KME. */
enum etsi_op {
	ETSI_STATUS,
	ETSI_ENC,
	ETSI_DEC,
	ETSI_OP_N,
};

enum fault_kind {
	/* answer with an HTTP status and leave the keys alone; arg is the status */
	FAULT_HTTP,
	/* likewise, with a body of HTML */
	FAULT_HTML,
	/* do what was asked, and never answer */
	FAULT_HANG,
	/* do what was asked, and send a byte every arg ms */
	FAULT_DRIP,
	/* do what was asked, and send half of the JSON as if it were all */
	FAULT_TRUNCATE,
	/* do what was asked, send half, and close the connection */
	FAULT_CUT,
	/* answer with a body far beyond any bound; arg is its size in KiB */
	FAULT_HUGE,
	/* answer with bytes that are no JSON */
	FAULT_GARBAGE,
	/* keys of arg bits */
	FAULT_SIZE,
	/* the first key_ID, for every key */
	FAULT_DUPLICATE_ID,
	/* the first key, under every key_ID */
	FAULT_DUPLICATE_KEY,
	/* one key less than there should be */
	FAULT_SHORT,
	/* one key more */
	FAULT_EXTRA,
	/* key_IDs that nobody asked for */
	FAULT_WRONG_ID,
	/* key_IDs with characters that none has */
	FAULT_BAD_ID,
	/* base64 that is not canonical */
	FAULT_BAD_BASE64,
	/* enc_keys only: the other KME never hears of the keys */
	FAULT_ONE_SIDE,
	FAULT_N,
};

/**
 * struct fault - one fault of one KME
 */
struct fault {
	/** @is_set: whether it happens */
	bool is_set;

	/** @ops: to which operations; bit n for enum etsi_op n */
	unsigned int ops;

	/** @left: how often; 0 for until it is cleared */
	uint64_t left;

	/** @arg: a status, a time, a size */
	unsigned int arg;
};

/**
 * struct faults - all faults of one KME
 */
struct faults {
	/** @fault: by enum fault_kind */
	struct fault fault[FAULT_N];

	/** @served: how often each happened */
	uint64_t served[FAULT_N];
};

/**
 * fault_name() - name a fault
 * @kind: below FAULT_N
 *
 * Return: its word on the control socket.
 */
const char *fault_name(enum fault_kind kind);

/**
 * fault_find() - look up a fault by its word
 * @name: the word
 *
 * Return: an enum fault_kind, or -1.
 */
int fault_find(const char *name);

/**
 * fault_parse() - set a fault from words
 * @faults: where it goes
 * @argc: words
 * @argv: NAME [ARG] [op OP] [count N]
 * @why: filled in on failure
 *
 * Return: 0, or %-EINVAL.
 */
int fault_parse(struct faults *faults, int argc, char *const *argv,
		struct qlink_why *why);

/**
 * fault_happens() - whether a fault happens to this request; counts it
 * @faults: of the KME
 * @kind: which fault
 * @op: what was asked
 * @arg: filled in if it happens; may be %NULL
 *
 * Return: true if it does.
 */
bool fault_happens(struct faults *faults, enum fault_kind kind,
		   enum etsi_op op, unsigned int *arg);

#endif
