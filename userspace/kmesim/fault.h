/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The faults that a KME simulates, and how often. */
#ifndef KMESIM_FAULT_H
#define KMESIM_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/why.h"


/* The operations that a client can request. */
enum etsi_op {
	ETSI_STATUS,
	ETSI_ENC,
	ETSI_DEC,
	ETSI_OP_N,
};

enum fault_kind {
	/* answer with an HTTP status and give no keys; arg is the status */
	FAULT_HTTP,
	/* the same, with a body of HTML */
	FAULT_HTML,
	/* process the request, and never answer */
	FAULT_HANG,
	/* process the request, and send one byte of the answer every arg ms */
	FAULT_DRIP,
	/* process the request, and send half of the JSON as if it were complete */
	FAULT_TRUNCATE,
	/* process the request, send half of the answer, and close the connection */
	FAULT_CUT,
	/* answer with a body above any limit; arg is its size in KiB */
	FAULT_HUGE,
	/* answer with bytes that are not JSON */
	FAULT_GARBAGE,
	/* keys of arg bits */
	FAULT_SIZE,
	/* the first key_ID, for every key */
	FAULT_DUPLICATE_ID,
	/* the first key, under every key_ID */
	FAULT_DUPLICATE_KEY,
	/* one key too few */
	FAULT_SHORT,
	/* one key too many */
	FAULT_EXTRA,
	/* key_IDs that nobody asked for */
	FAULT_WRONG_ID,
	/* key_IDs with characters that are not allowed */
	FAULT_BAD_ID,
	/* keys that differ from those of the other KME */
	FAULT_WRONG_KEY,
	/* base64 that is not canonical */
	FAULT_BAD_BASE64,
	/* enc_keys only: the other KME does not get the keys */
	FAULT_ONE_SIDE,
	FAULT_N,
};

/**
 * struct fault - one fault of one KME
 */
struct fault {
	/** @is_set: whether the fault is set */
	bool is_set;

	/** @ops: the operations that it applies to, bit n for enum etsi_op n */
	unsigned int ops;

	/** @left: how many more times it happens; 0 if it happens until it is cleared */
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

	/** @served: how often each fault has happened */
	uint64_t served[FAULT_N];
};

/**
 * fault_name() - name a fault
 * @kind: below FAULT_N
 *
 * Return: its name on the control socket.
 */
const char *fault_name(enum fault_kind kind);

/**
 * fault_find() - look up a fault by its name
 * @name: the name
 *
 * Return: an enum fault_kind, or -1.
 */
int fault_find(const char *name);

/**
 * fault_parse() - set a fault from words
 * @faults: out: the faults, with the new one
 * @argc: number of words
 * @argv: NAME [ARG] [op OP] [count N]
 * @why: filled in on failure
 *
 * Return: 0, or %-EINVAL.
 */
int fault_parse(struct faults *faults, int argc, char *const *argv,
		struct qlink_why *why);

/**
 * fault_happens() - tell whether a fault applies to this request, and count it
 * @faults: the faults of the KME
 * @kind: the fault
 * @op: the operation that was requested
 * @arg: filled in if the fault applies; may be %NULL
 *
 * Return: true if it applies.
 */
bool fault_happens(struct faults *faults, enum fault_kind kind,
		   enum etsi_op op, unsigned int *arg);

#endif
