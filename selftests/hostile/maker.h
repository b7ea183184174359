/* SPDX-License-Identifier: GPL-2.0 */
/* Makes parcels as a peer would that wants to harm the receiver: most are nearly right. */
#ifndef MAKER_H
#define MAKER_H

#include "dice.h"

#define MAKER_LANES		256
#define MAKER_EPOCHS		4
#define MAKER_BYTES_MAX		65536	/* of a plaintext */

struct maker_lane {
	/* the epoch that it goes on with, as an index */
	unsigned int epoch;
	/* the last sequence, by epoch */
	uint64_t sequence[MAKER_EPOCHS];
	/* of the record that its last parcel has cut, 0 for none */
	uint32_t missing;
};

struct maker {
	struct dice dice;
	/* how many lanes it uses, and which epochs, in their order */
	unsigned int n_lanes, n_epochs;
	uint64_t epochs[MAKER_EPOCHS];
	/* the largest plaintext, and the largest of most */
	uint32_t most_bytes, usual_bytes;
	struct maker_lane lanes[MAKER_LANES];
	/* of the contents of frames */
	uint32_t filler;
};

/* A parcel before it is sealed. */
struct maker_parcel {
	uint8_t lane;
	uint64_t epoch, sequence;
	uint32_t bytes;
	uint8_t plaintext[MAKER_BYTES_MAX];
};

/* The next one, by what the dice say. Its sequence may have been used before. */
void maker_make(struct maker *maker, struct maker_parcel *parcel);

/* One that begins a record of the largest size in a lane, and never ends it. */
void maker_begin(struct maker *maker, unsigned int lane, struct maker_parcel *parcel);

/* One that makes a receiver drop what it holds for a lane, and gives it nothing to hold. */
void maker_end(struct maker *maker, unsigned int lane, struct maker_parcel *parcel);

#endif
