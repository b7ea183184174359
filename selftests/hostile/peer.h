/* SPDX-License-Identifier: GPL-2.0 */
/* A hostile peer: what it makes next, and what is sealed and not sent yet. */
#ifndef PEER_H
#define PEER_H

#include "maker.h"
#include "sealer.h"
#include "underlay.h"

struct peer {
	struct maker maker;
	/* the last one that was made */
	struct maker_parcel made;
	struct sealer *sealers[MAKER_EPOCHS];
	/* the batch */
	uint8_t *frames[UNDERLAY_FRAMES];
	uint32_t frame_bytes[UNDERLAY_FRAMES];
	unsigned int n;
};

/* By the words "eth|udp FROM TO SEED COUNT [EPOCH KEY-FILE]…", and with so many lanes. Ends the process where they are wrong. */
void peer_new(struct peer *peer, int argc, char **argv, unsigned int n_lanes);

/* Adds what was made to the batch. */
void peer_seal(struct peer *peer);

#endif
