// SPDX-License-Identifier: GPL-2.0-or-later
/* How a link is keyed: its device, its peer and the clock, without a KME. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tap.h"
#include "world.h"

#define PQC_CONF \
	"agent\n name a\n certificate /a.pem\n key /a.key\n ca /ca.pem\n listen 127.0.0.1:7\n" \
	"peer b\n address 127.0.0.1:8\n" \
	"link qlink0\n peer b\n policy pqc-only\n floor-ms 1000\n ceiling-ms 10000\n"

static const char *const pqc[2] = { PQC_CONF, PQC_CONF };

TEST(two_ends_agree_and_frames_flow)
{
	struct world *world = world_new(pqc, true);

	world->has_traffic = true;
	world_connect(world);
	CHECK(world_until_works(world, 1000) <= 1000, "no keys within a second");
	world_run(world, 60000);
	CHECK(world_works(world), "it stopped");
	world_free(world);
}
