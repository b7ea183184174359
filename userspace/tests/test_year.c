// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an agent that runs for years meets: a year with a restart a week, on fibre and on satellite;
 * weeks without traffic, suspends, resets every second, thousands of reloads. Each key that a KME gave
 * is accounted for.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "heap.h"
#include "simkme.h"
#include "tap.h"
#include "world.h"

#define MINUTE_MS	(uint64_t)60000
#define HOUR_MS		(60 * MINUTE_MS)
#define DAY_MS		(24 * HOUR_MS)

/* Sanitizers see a shorter life. With QLINK_SOAK a year has all its weeks. */
#define WEEKS		(getenv("QLINK_SOAK") ? 52 : HEAP_IS_FAST ? 12 : 1)
#define RELOADS		(HEAP_IS_FAST ? 10000 : 300)
#define RESETS		(HEAP_IS_FAST ? 3600 : 300)
/* A pass of the satellite a day; between them there are no keys. */
#define PASS_KEYS	3000
#define PASS_AT		(6 * 60)
#define PASS_MINUTES	8

#define CONF(link) \
	"agent\n name a\n certificate /a.pem\n key /a.key\n ca /ca.pem\n listen 127.0.0.1:7\n" \
	"peer b\n address 127.0.0.1:8\n" \
	"kme one\n url https://127.0.0.1:1\n id KME-1\n ca /c\n certificate /s\n key /k\n" \
	"link qlink0\n peer b\n kmes one\n sae S\n policy prefer-hybrid\n" link
#define YEAR	CONF(" store 2000\n outage-cover 100\n floor-ms 240000\n ceiling-ms 290000\n" \
		     " reserve 8\n max-age-s 172800\n")
#define BUSY	CONF(" store 400\n outage-cover 100\n floor-ms 1000\n ceiling-ms 5000\n reserve 8\n" \
		     " max-age-s 3600\n")

static const char *const year[2] = { YEAR, YEAR };
static const char *const busy[2] = { BUSY, BUSY };

static struct world *start(const char *const confs[2], uint64_t supply)
{
	struct world *world;

	simkme_start(supply);
	world = world_new(confs, false);
	world->has_traffic = true;
	world_connect(world);
	CHECK(world_until_works(world, 10 * 1000) <= 10 * 1000, "no keys at the start");
	return world;
}

static uint64_t until_hybrid(struct world *world, uint64_t ms)
{
	uint64_t begun = device_now;

	while (!world_is_hybrid() || !world_works(world)) {
		if (device_now - begun >= ms)
			return UINT64_MAX;
		world_run(world, 10);
	}
	return device_now - begun;
}

static uint64_t held(const struct world *world)
{
	return stocks_held(world->ends[0].link->stocks) + stocks_held(world->ends[1].link->stocks);
}

/* Where the keys went that are neither used nor in stock. */
struct lost {
	uint64_t in_memory, burned, expired;
};

static void note_counted(const struct world *world, unsigned int end, struct lost *lost)
{
	lost->burned += world->ends[end].link->counters.keys_burned;
	lost->expired += world->ends[end].link->counters.keys_expired;
}

/* The agent's stock is in its memory only, and an offer under way ends with its session. */
static void restart(struct world *world, unsigned int end, struct lost *lost)
{
	lost->in_memory += stocks_held(world->ends[end].link->stocks);
	world_cut(world);
	note_counted(world, end, lost);
	world_restart(world, end);
	world_connect(world);
}

/* Every key that was given is used, in stock, or lost for a reason that has a counter. */
static void check_lost(const struct world *world, struct lost *lost, unsigned int n_restarts)
{
	uint64_t gone = simkme_pairs[0].given - world->n_hybrid - held(world), known;

	note_counted(world, 0, lost);
	note_counted(world, 1, lost);
	known = lost->in_memory + lost->burned + lost->expired;
	CHECK(gone <= known + (uint64_t)n_restarts * KME_BATCH_MAX,
	      "%" PRIu64 " keys are gone, %" PRIu64 " are accounted for", gone, known);
	printf("# %" PRIu64 " keys given, %zu used, %" PRIu64 " hybrid; lost %" PRIu64 ": %" PRIu64
	       " in memory at restarts, %" PRIu64 " burned, %" PRIu64 " expired\n",
	       simkme_pairs[0].given, world->n_used, world->n_hybrid, gone, lost->in_memory,
	       lost->burned, lost->expired);
}

/* Requests to KMEs come and go. */
static void check_heap(size_t before)
{
	CHECK(heap_bytes() <= before + 65536, "%zu bytes on the heap, %zu before", heap_bytes(),
	      before);
}

/* One week; returns the longest time without hybrid keys. */
static uint64_t live_a_week(struct world *world, uint64_t daily)
{
	uint64_t without = 0, most = 0;
	unsigned int i;

	for (i = 0; i < 7 * 24 * 60 && !tap_has_failed(); i++) {
		if (daily && i % (24 * 60) == PASS_AT)
			simkme_pairs[0].supply += daily;
		/* What was not fetched by then is gone. */
		if (daily && i % (24 * 60) == PASS_AT + PASS_MINUTES)
			simkme_pairs[0].supply = simkme_pairs[0].given;
		world_run(world, MINUTE_MS);
		CHECK(world_flows(world), "frames lost in minute %u of a week", i);
		without = world_is_hybrid() ? 0 : without + 1;
		most = without > most ? without : most;
	}
	return most;
}

static void live_a_year(uint64_t supply, uint64_t daily, unsigned int gap_minutes)
{
	struct world *world = start(year, supply + daily);
	struct lost lost = { 0 };
	clock_t begun = clock();
	size_t heap = 0;
	unsigned int week, weeks = WEEKS;
	uint64_t most = 0, gap;

	for (week = 0; week < weeks && !tap_has_failed(); week++) {
		gap = live_a_week(world, daily);
		most = gap > most ? gap : most;
		heap = heap ?: heap_bytes();
		check_heap(heap);
		restart(world, week % 2, &lost);
		CHECK(world_until_works(world, 10 * 1000) <= 10 * 1000, "week %u: no keys after a"
		      " restart", week);
	}
	CHECK(most <= gap_minutes, "%" PRIu64 " minutes without hybrid keys", most);
	check_lost(world, &lost, weeks);
	CHECK(lost.burned <= weeks * 64, "%" PRIu64 " keys burned, by one offer at each restart",
	      lost.burned);
	printf("# %u weeks in %.1f s\n", weeks, (double)(clock() - begun) / CLOCKS_PER_SEC);
	world_free(world);
}

TEST(a_year_on_fibre_with_a_restart_a_week)
{
	live_a_year(UINT64_MAX / 2, 0, 1);
}

/* A restart loses the stock of one end, which has new keys only after the next pass. */
TEST(a_year_on_satellite_with_a_restart_a_week)
{
	live_a_year(0, PASS_KEYS, 24 * 60);
}

TEST(after_a_week_without_traffic_the_first_keys_are_hybrid)
{
	struct world *world = start(busy, UINT64_MAX / 2);
	uint64_t before, took;

	CHECK(until_hybrid(world, 30 * 1000) <= 30 * 1000, "no hybrid keys");
	world_run(world, HOUR_MS);
	world->has_traffic = false;
	before = simkme_pairs[0].given;
	world_run(world, 7 * DAY_MS);
	/* Each hour all that aged is replaced, and no more. */
	CHECK(simkme_pairs[0].given - before <= (uint64_t)(7 * 24 + 2) * 2 * 400,
	      "%" PRIu64 " keys asked for", simkme_pairs[0].given - before);
	world->has_traffic = true;
	took = until_hybrid(world, 30 * 1000);
	CHECK(took <= 10 * 1000, "hybrid after %" PRIu64 " ms", took);
	CHECK(stocks_usable(world->ends[0].link->stocks) > 0, "no stock");
	world_free(world);
}

/* Whoever can send a reset each second, or a line that is that bad. */
/* Until no offer is under way: its keys are neither used nor lost yet. */
static void settle(struct world *world)
{
	unsigned int i, end;

	for (i = 0, end = 0; i < 1000 && end < 2; i++) {
		if (world->ends[end].link->session.tx.step == SESSION_STEP_IDLE)
			end++;
		else
			world_run(world, 10);
	}
	CHECK(end == 2, "an offer does not end");
}

TEST(resets_every_second_cost_few_keys_and_no_frame)
{
	struct world *world = start(busy, UINT64_MAX / 2);
	struct lost lost = { 0 };
	unsigned int i;

	CHECK(until_hybrid(world, 30 * 1000) <= 30 * 1000, "no hybrid keys");
	for (i = 0; i < RESETS && !tap_has_failed(); i++) {
		world_cut(world);
		world_connect(world);
		world_run(world, 1000);
		CHECK(world_flows(world), "frames lost at reset %u", i);
	}
	CHECK(world_is_hybrid(), "fell back");
	settle(world);
	check_lost(world, &lost, 0);
	/* At the worst moment: the agents look for what is missing once a second, just before each reset. */
	CHECK(lost.burned <= world->n_hybrid / 3, "%" PRIu64 " keys burned for %" PRIu64 " used",
	      lost.burned, world->n_hybrid);
	world_free(world);
}

/* The clock goes on meanwhile, and nothing runs. */
TEST(after_a_suspend_of_any_length_new_keys_come_at_once)
{
	static const uint64_t lengths[] = { 1, 1000, MINUTE_MS, HOUR_MS, DAY_MS, 30 * DAY_MS };
	struct world *world = start(busy, UINT64_MAX / 2);
	uint64_t took;
	size_t i;

	for (i = 0; i < COUNT(lengths) * 2; i++) {
		CHECK(until_hybrid(world, 30 * 1000) <= 30 * 1000, "no hybrid keys");
		world_run(world, MINUTE_MS);
		device_wipe(&devices[i % 2]);
		device_now += lengths[i / 2];
		world_notice(world, (unsigned int)i % 2, QLINK_EVENT_KIND_WIPED);
		took = world_until_works(world, 10 * 1000);
		CHECK(took <= 2000, "suspended for %" PRIu64 " ms: keys after %" PRIu64 " ms",
		      lengths[i / 2], took);
	}
	world_free(world);
}

/* A reload that changes a link ends it and makes it anew. */
TEST(thousands_of_reloads_leave_nothing_behind)
{
	struct world *world = start(busy, UINT64_MAX / 2);
	struct lost lost = { 0 };
	size_t heap = 0;
	unsigned int i;

	for (i = 0; i < RELOADS && !tap_has_failed(); i++) {
		restart(world, i % 2, &lost);
		world_run(world, i % 100 ? 300 : 3000);
		if (i == 100)
			heap = heap_bytes();
		CHECK(world_flows(world), "frames lost at reload %u", i);
	}
	world_run(world, MINUTE_MS);
	CHECK(world_works(world) && world_is_hybrid(), "%s", world->ends[0].link->why);
	check_lost(world, &lost, RELOADS);
	check_heap(heap);
	CHECK_NUMBER("clients", simkme_clients(), 2);
	world_free(world);
}
