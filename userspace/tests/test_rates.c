// SPDX-License-Identifier: GPL-2.0-or-later
/* Links whose KMEs give few keys: long fibres, and a pass of a satellite a day; with the default options. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "heap.h"
#include "simkme.h"
#include "tap.h"
#include "world.h"

#define MINUTE_MS	((uint64_t)60000)
#define MINUTES_A_DAY	(24 * 60)
/* Sanitizers see the first day. */
#define DAYS		(HEAP_IS_FAST ? 4U : 2U)

#define CONF	"agent\n name a\n certificate /a.pem\n key /a.key\n ca /ca.pem\n listen 127.0.0.1:7\n" \
	"peer b\n address 127.0.0.1:8\n" \
	"kme one\n url https://127.0.0.1:1\n id KME-1\n ca /c\n certificate /s\n key /k\n" \
	"link qlink0\n peer b\n kmes one\n sae S\n policy prefer-hybrid\n"

/* How keys arrive: one after so many ms, or so many at once each day. */
struct profile {
	const char *name;
	uint64_t key_ms, daily;
	/* when the link has settled, and what then holds */
	unsigned int settled_minutes;
	uint32_t period_min_ms, period_max_ms;
};

static void arrive(const struct profile *profile, uint64_t *due_ms, unsigned int minute)
{
	if (profile->daily && minute % MINUTES_A_DAY == 60)
		simkme_pairs[0].supply += profile->daily;
	for (; profile->key_ms && *due_ms <= device_now; *due_ms += profile->key_ms)
		simkme_pairs[0].supply++;
}

/* What a link lived through after it had settled. */
struct life {
	unsigned int minutes, hybrid;
	uint32_t period_ms;
	uint64_t staged, stock;
};

static void look(const struct world *world, struct life *life)
{
	const struct link *link = world->ends[0].link;

	life->minutes++;
	life->hybrid += world_is_hybrid();
	if (link->period_ms > life->period_ms)
		life->period_ms = link->period_ms;
	life->staged = link->view.tx.staged;
	life->stock = stocks_held(link->stocks);
}

static void live(const struct profile *profile)
{
	static const char *const confs[2] = { CONF, CONF };
	uint64_t due_ms, burned;
	struct life life = { 0 };
	struct world *world;
	unsigned int i, part;

	simkme_start(0);
	simkme_counts = true;
	world = world_new(confs, false);
	world->has_traffic = true;
	world_connect(world);
	due_ms = device_now;
	for (i = 0; i < DAYS * MINUTES_A_DAY && !tap_has_failed(); i++) {
		/* Keys arrive during the minute, too. */
		for (part = 0; part < 60; part++) {
			arrive(profile, &due_ms, part ? 1 : i);
			world_run(world, MINUTE_MS / 60);
		}
		CHECK(world_flows(world), "%s: frames lost in minute %u", profile->name, i);
		if (i >= profile->settled_minutes)
			look(world, &life);
	}
	burned = world->ends[0].link->counters.keys_burned + world->ends[1].link->counters.keys_burned;
	printf("# %s: hybrid %u of %u minutes, period %u ms at most; in the end %" PRIu64 " staged, %" PRIu64
	       " in stock: %" PRIu64 " minutes of cover; %" PRIu64 " keys given, %" PRIu64 " hybrid used\n",
	       profile->name, life.hybrid, life.minutes, life.period_ms, life.staged, life.stock,
	       (life.staged + life.stock) * world->ends[0].link->period_ms / MINUTE_MS, simkme_pairs[0].given,
	       world->n_hybrid);
	CHECK_NUMBER(profile->name, life.hybrid, life.minutes);
	CHECK(life.period_ms >= profile->period_min_ms && life.period_ms <= profile->period_max_ms,
	      "%s: period %u ms, want %u to %u", profile->name, life.period_ms, profile->period_min_ms,
	      profile->period_max_ms);
	CHECK_NUMBER("burned", burned, 0);
	world_free(world);
}

/* 256 bits a key, which both directions share. Field figures of links of 69 km are 12 to 22 bit/s. */
TEST(a_fibre_of_12_bits_a_second_keeps_a_link_hybrid)
{
	static const struct profile profile = {
		.name = "12 bit/s", .key_ms = 21333, .settled_minutes = 60,
		.period_min_ms = 20000, .period_max_ms = 120000,
	};

	live(&profile);
}

TEST(a_fibre_of_22_bits_a_second_keeps_a_link_hybrid)
{
	static const struct profile profile = {
		.name = "22 bit/s", .key_ms = 11636, .settled_minutes = 60,
		.period_min_ms = 10000, .period_max_ms = 120000,
	};

	live(&profile);
}

TEST(a_pass_of_2304_keys_a_day_keeps_a_link_hybrid)
{
	static const struct profile profile = {
		.name = "2304 keys a day", .daily = 2304, .settled_minutes = 26 * 60,
		.period_min_ms = 30000, .period_max_ms = 120000,
	};

	live(&profile);
}
