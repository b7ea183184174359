/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A stand-in for the KME client, in simulated time, and pairs of KMEs for it. */
#ifndef QLINK_TESTS_SIMKME_H
#define QLINK_TESTS_SIMKME_H

#include <stdbool.h>
#include <stdint.h>

#include "qlinkd/kme/client.h"

/*
 * The real client and qlink-kmesim need real time; test_stock and test_kme use them. This
 * one ends each request at a chosen time, and uses the real qlinkd/kme/server.c.
 */

#define SIMKME_NEVER	UINT64_MAX
/* Keys that a KME keeps for its peer until they are fetched. */
#define SIMKME_KEPT	65536

/* How a request ends. */
enum simkme_outcome {
	SIMKME_UP,
	SIMKME_DRY,
	SIMKME_DENIED,
	SIMKME_BROKEN,
	/* only half of the keys arrive; the others are lost */
	SIMKME_SHORT,
	/* enc_keys: keys that it gave before */
	SIMKME_OLD,
	/* dec_keys: keys that differ from the peer's */
	SIMKME_WRONG,
	SIMKME_OUTCOMES,
};

struct simkme_plan {
	/* ms until it ends; SIMKME_NEVER: the client's timeout ends it */
	uint64_t delay;
	enum simkme_outcome outcome;
	/* ms for each key besides; dec_keys are then as many requests as keys */
	uint64_t per_key;
};

/* The status counts the keys of a pair that were not given yet, which both ends draw from. */
extern bool simkme_counts;

/* How a request of @op by the end @side to its KME @node will end. */
extern struct simkme_plan (*simkme_plan)(int side, unsigned int node, enum kme_op op);

/* How many keys each pair can give, has given, and how many the other end fetched. */
struct simkme_pair {
	uint64_t supply, given, fetched;
	/* keys that left a KME in an answer that did not arrive in time */
	uint64_t late;
	uint8_t is_fetched[SIMKME_KEPT];
	/* a KME forgets keys that are not fetched by then, or that are not of the newest batches of the
	 * end that requested them; 0 for never
	 */
	uint64_t kept_ms;
	unsigned int kept_batches, n_batches[2];
	struct simkme_origin {
		uint64_t at;
		unsigned int batch;
		int side;
	} from[SIMKME_KEPT];
};

extern struct simkme_pair simkme_pairs[KME_NODES_MAX];

/* Start with new pairs of @supply keys each. */
void simkme_start(uint64_t supply);

/* The side of the clients that are made from now on. */
extern int simkme_side;

/* When the next request ends. */
uint64_t simkme_next(void);

/* How many clients there are. */
unsigned int simkme_clients(void);

#endif
