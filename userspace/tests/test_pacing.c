// SPDX-License-Identifier: GPL-2.0-or-later
/* Pacing, over simulated months of fibre and satellite links. */
#include "qlinkd/kme/pacing.h"

#include <stdbool.h>
#include <string.h>

#include "tap.h"

#define SECOND	1000ULL
#define MINUTE	(60 * SECOND)
#define HOUR	(60 * MINUTE)
#define DAY	(24 * HOUR)
/* Keys that the agent can hold. */
#define ROOM	20000

/* A link that carries frames, simulated in steps of a second. */
struct world {
	struct pacing pacing;
	uint64_t now;
	/* Parts of a key: yet to be spent, in millionths, and yet to come, in thousandths. */
	uint64_t due, rest;
	uint64_t spent, n_missing, lowest;
	bool is_idle;
};

static void world_make(struct world *world, uint32_t floor_ms,
		       uint32_t ceiling_ms, uint64_t reserve)
{
	struct pacing_config config = { floor_ms, ceiling_ms, reserve };

	memset(world, 0, sizeof(*world));
	world->now = 5 * DAY;
	world->lowest = UINT64_MAX;
	pacing_init(&world->pacing, &config, world->now);
}

/* The kernel rotates once per period; a missing key is counted. */
static void spend_second(struct world *world)
{
	uint32_t period = pacing_period(&world->pacing, 0, world->now);
	uint64_t n;

	CHECK(period >= world->pacing.config.floor_ms &&
	      period <= world->pacing.config.ceiling_ms,
	      "a period of %u ms", period);
	world->due += SECOND * 1000000 / period;
	n = world->due / 1000000;
	world->due %= 1000000;
	if (n > world->pacing.stock)
		world->n_missing++;
	pacing_spent(&world->pacing, n);
	world->spent += n;
}

/* Let time pass while @milli_keys thousandths of a key come each second. */
static void pass(struct world *world, uint64_t ms, uint64_t milli_keys)
{
	uint64_t until = world->now + ms, n;

	for (; world->now < until; world->now += SECOND) {
		world->rest += milli_keys;
		n = world->rest / 1000;
		world->rest %= 1000;
		/* Keys that the agent cannot hold stay in the KME. */
		if (world->pacing.stock + n > ROOM)
			n = ROOM - world->pacing.stock;
		if (n)
			pacing_arrived(&world->pacing, n, world->now);
		if (!world->is_idle)
			spend_second(world);
		if (world->pacing.stock < world->lowest)
			world->lowest = world->pacing.stock;
	}
}

static bool is_near(uint64_t got, uint64_t want, unsigned int percent)
{
	return got * 100 >= want * (100 - percent) &&
	       got * 100 <= want * (100 + percent);
}

TEST(a_fibre_is_used_at_its_key_rate_and_the_stock_stays)
{
	static const uint64_t rates[] = { 200, 1000, 10000, 100000, 250000 };
	struct world world;
	uint64_t day, want, before;
	size_t i;

	for (i = 0; i < COUNT(rates); i++) {
		world_make(&world, 1, 300000, 500);
		pass(&world, HOUR * 2, rates[i]);
		want = 500 + 60 * rates[i] / 1000;
		for (day = 0; day < 3; day++) {
			world.spent = 0;
			before = world.pacing.stock;
			pass(&world, DAY, rates[i]);
			/* Periods are whole ms: 4.3 and 4.9 are both 4. */
			CHECK(is_near(world.pacing.stock, before, 1) &&
			      is_near(world.pacing.stock, want, 25),
			      "%llu mHz: stock %llu, want %llu",
			      (unsigned long long)rates[i],
			      (unsigned long long)world.pacing.stock,
			      (unsigned long long)want);
			CHECK(is_near(world.spent, rates[i] * 86400 / 1000, 2),
			      "%llu mHz: %llu keys a day",
			      (unsigned long long)rates[i],
			      (unsigned long long)world.spent);
		}
		CHECK_NUMBER("missing keys", world.n_missing, 0);
	}
}

TEST(a_fibre_with_a_high_rate_is_used_at_the_floor)
{
	struct world world;

	world_make(&world, 20, 300000, 500);
	pass(&world, DAY, 50000000);
	CHECK_NUMBER("period", pacing_period(&world.pacing, 0, world.now), 20);
	CHECK_NUMBER("the room is full but for the keys of a second", world.lowest >= ROOM - 50,
		     1);
}

TEST(a_fibre_with_a_low_rate_is_used_at_the_ceiling)
{
	struct world world;

	/* One key arrives in 100 s; the ceiling uses one a minute. */
	world_make(&world, 1, 60000, 0);
	pass(&world, DAY, 10);
	CHECK(world.n_missing > 0, "no key was missing");
	CHECK(is_near(world.spent, 1440, 1), "%llu keys a day",
	      (unsigned long long)world.spent);
}

/* Passes of 5 minutes over 30 days; checked once every gap has occurred twice. */
static void month_of_passes(const uint64_t *gaps, size_t n_gaps, uint64_t keys,
			    uint64_t reserve, unsigned int waste)
{
	struct world world;
	uint64_t begun, pass_number, left;

	world_make(&world, 10, 300000, reserve);
	begun = world.now;
	for (pass_number = 0; world.now < begun + 30 * DAY; pass_number++) {
		pass(&world, 5 * MINUTE, keys * 1000 / 300);
		if (pass_number == 2 * n_gaps)
			world.lowest = world.pacing.stock;
		pass(&world, gaps[pass_number % n_gaps], 0);
		left = world.pacing.stock;
		if (pass_number < 2 * n_gaps)
			continue;
		CHECK(left + 2 >= reserve,
		      "pass %llu of %llu keys: %llu are left, reserve %llu",
		      (unsigned long long)pass_number, (unsigned long long)keys,
		      (unsigned long long)left, (unsigned long long)reserve);
		CHECK((left - reserve) * 100 <= keys * waste || left < reserve,
		      "pass %llu of %llu keys: %llu are unused",
		      (unsigned long long)pass_number, (unsigned long long)keys,
		      (unsigned long long)left);
	}
	CHECK_NUMBER("missing keys", world.n_missing, 0);
	CHECK(world.lowest + 2 >= reserve, "down to %llu",
	      (unsigned long long)world.lowest);
}

TEST(a_satellite_burst_lasts_until_the_next_pass_and_leaves_the_reserve)
{
	static const uint64_t regular[] = { 12 * HOUR };
	static const uint64_t often[] = { 90 * MINUTE };

	month_of_passes(regular, 1, 2000, 300, 2);
	month_of_passes(regular, 1, 15000, 300, 2);
	month_of_passes(often, 1, 2000, 100, 4);
}

TEST(irregular_passes_are_planned_by_the_longest_gap)
{
	static const uint64_t gaps[] = {
		95 * MINUTE, 95 * MINUTE, 13 * HOUR, 95 * MINUTE, 9 * HOUR,
	};

	/* After a short gap many keys are left, and serve in the next one. */
	month_of_passes(gaps, COUNT(gaps), 4000, 300, 400);
}

TEST(the_reserve_at_the_ceiling_lasts_through_a_failed_pass)
{
	struct world world;
	unsigned int i;

	/* The reserve covers 13 hours at the ceiling. */
	world_make(&world, 10, 300000, 160);
	for (i = 0; i < 6; i++) {
		pass(&world, 5 * MINUTE, 2000 * 1000 / 300);
		pass(&world, 12 * HOUR, 0);
	}
	world.n_missing = 0;
	pass(&world, 12 * HOUR, 0);
	CHECK_NUMBER("missing keys", world.n_missing, 0);
	CHECK_NUMBER("period", pacing_period(&world.pacing, 0, world.now), 300000);
	CHECK(world.pacing.stock < 100, "the reserve was not used");
}

TEST(the_first_pass_is_not_spent_at_once)
{
	struct world world;

	world_make(&world, 1000, 300000, 100);
	pass(&world, 5 * MINUTE, 10000 * 1000 / 300);
	pass(&world, 11 * HOUR, 0);
	CHECK(world.pacing.stock > 500, "only %llu left after 11 h",
	      (unsigned long long)world.pacing.stock);
	CHECK_NUMBER("missing keys", world.n_missing, 0);
}

TEST(a_fibre_counts_as_steady_again_once_it_was_up_as_long_as_it_was_cut)
{
	struct world world;

	world_make(&world, 1, 300000, 100);
	pass(&world, 10 * HOUR, 10000);
	pass(&world, 2 * HOUR, 0);
	pass(&world, HOUR, 10000);
	CHECK(pacing_period(&world.pacing, 0, world.now) > 150,
	      "spends as if the fibre had never been cut");
	pass(&world, 2 * HOUR, 10000);
	CHECK(is_near(pacing_period(&world.pacing, 0, world.now), 100, 5),
	      "period %u ms, want about 100",
	      pacing_period(&world.pacing, 0, world.now));
}

TEST(an_idle_link_uses_no_keys)
{
	struct world world;

	world_make(&world, 10, 300000, 100);
	pass(&world, 5 * MINUTE, 10000);
	world.is_idle = true;
	world.spent = 0;
	world.lowest = UINT64_MAX;
	pass(&world, 30 * DAY, 1000);
	CHECK_NUMBER("spent", world.spent, 0);
	CHECK_NUMBER("stock", world.pacing.stock, ROOM);
	CHECK(world.lowest >= 600, "went down to %llu",
	      (unsigned long long)world.lowest);
}

TEST(staged_keys_count_as_stock)
{
	struct pacing_config config = { 5, 120000, 40 };
	struct pacing pacing;

	pacing_init(&pacing, &config, 0);
	pacing_arrived(&pacing, 100, 1000);
	CHECK_NUMBER("in stock", pacing_period(&pacing, 0, 1000), 1000);
	pacing_spent(&pacing, 90);
	CHECK_NUMBER("staged", pacing_period(&pacing, 90, 1000), 1000);
	CHECK_NUMBER("half of them used", pacing_period(&pacing, 60, 1000), 2000);
	CHECK_NUMBER("the reserve is kept", pacing_period(&pacing, 30, 1000), 120000);
	CHECK_NUMBER("no more arrive: they must last", pacing_period(&pacing, 90, 70000), 120000);
}

TEST(counts_stop_at_their_limits)
{
	struct pacing_config config = { 5, 1000, UINT64_MAX };
	struct pacing pacing;

	pacing_init(&pacing, &config, 0);
	CHECK_NUMBER("no stock", pacing_period(&pacing, 0, 1), 1000);
	pacing_spent(&pacing, 3);
	CHECK_NUMBER("below none", pacing.stock, 0);
	pacing_arrived(&pacing, UINT64_MAX, 1);
	pacing_arrived(&pacing, 7, 2);
	CHECK(pacing.stock >= UINT64_MAX / 2, "wrapped");
	CHECK_NUMBER("all reserved", pacing_period(&pacing, 0, 2), 1000);
	CHECK_NUMBER("staged ones too", pacing_period(&pacing, UINT32_MAX, 2), 1000);
	pacing.config.reserve = 0;
	CHECK_NUMBER("all to spend", pacing_period(&pacing, 0, 2), 5);
}
