// SPDX-License-Identifier: GPL-2.0
/* A hostile peer: what it makes next, and what is sealed and not sent yet. */
#include "peer.h"

#include <err.h>
#include <stdlib.h>

void peer_new(struct peer *peer, int argc, char **argv, unsigned int n_lanes)
{
	struct maker *maker = &peer->maker;

	if (argc < 8 || argc % 2)
		errx(2, "usage: eth|udp FROM TO SEED COUNT [EPOCH KEY-FILE]…");
	maker->dice = dice_of_seed(strtoull(argv[4], NULL, 0));
	maker->n_lanes = n_lanes;
	maker->most_bytes = 65000;
	maker->usual_bytes = 400;
	for (int at = 6; at < argc && maker->n_epochs < MAKER_EPOCHS; at += 2) {
		peer->sealers[maker->n_epochs] = sealer_new(argv[at + 1]);
		if (!peer->sealers[maker->n_epochs])
			err(1, "%s", argv[at + 1]);
		maker->epochs[maker->n_epochs++] = strtoull(argv[at], NULL, 0);
	}
	for (unsigned int i = 0; i < UNDERLAY_FRAMES; i++) {
		peer->frames[i] = calloc(1, MAKER_BYTES_MAX + SEALER_OVERHEAD);
		if (!peer->frames[i])
			err(1, "frames");
	}
}

void peer_seal(struct peer *peer)
{
	unsigned int epoch = 0;

	while (peer->maker.epochs[epoch] != peer->made.epoch)
		epoch++;
	peer->frame_bytes[peer->n] = sealer_seal(peer->sealers[epoch], peer->frames[peer->n], &peer->made);
	peer->n++;
}
