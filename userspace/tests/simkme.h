/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client of kme.h in simulated time, and the pairs of KMEs that it asks. */
#ifndef QLINK_TESTS_SIMKME_H
#define QLINK_TESTS_SIMKME_H

#include <stdbool.h>
#include <stdint.h>

#include "qlinkd/kme/client.h"

/*
 * The real client and qlink-kmesim need real time: test_stock and test_kme have them. This
 * one ends a request at a chosen moment, as it may, and obeys kme_server.c, as it does.
 */

#define SIMKME_NEVER	UINT64_MAX
/* Keys that a KME keeps for its peer until they are fetched. */
#define SIMKME_KEPT	65536

/* What a request comes to. */
enum simkme_outcome {
	SIMKME_UP,
	SIMKME_DRY,
	SIMKME_DENIED,
	SIMKME_BROKEN,
	/* keys come, but fewer than there are; the rest is lost */
	SIMKME_SHORT,
	/* enc_keys: key IDs that it gave before */
	SIMKME_OLD,
	/* dec_keys: other keys than the peer's */
	SIMKME_WRONG,
	SIMKME_OUTCOMES,
};

struct simkme_plan {
	/* ms until it is so; SIMKME_NEVER: the client's timeout ends it */
	uint64_t delay;
	enum simkme_outcome outcome;
};

/* What a request of @op by the end of @side to its KME @node will come to. */
extern struct simkme_plan (*simkme_plan)(int side, unsigned int node, enum kme_op op);

/* How many keys each pair may give, and gave, and how many its other end fetched. */
struct simkme_pair {
	uint64_t supply, given, fetched;
	uint8_t is_fetched[SIMKME_KEPT];
};

extern struct simkme_pair simkme_pairs[KME_NODES_MAX];

/* Pairs with @supply keys each; clients are of side 0, 1 in the order they are made. */
void simkme_start(uint64_t supply);

/* The side of the clients that are made from now on. */
extern int simkme_side;

/* When the next client has an answer. */
uint64_t simkme_next(void);

/* How many clients there are. */
unsigned int simkme_clients(void);

#endif
