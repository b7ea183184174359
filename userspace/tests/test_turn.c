// SPDX-License-Identifier: GPL-2.0-or-later
/* Turns of two ends at their KMEs, by their wall clocks. */
#include "qlinkd/kme/turn.h"

#include <stddef.h>

#include "tap.h"

#define MS	2000U
/* 2026-11-30, a multiple of 2 * MS. */
#define T	1796000000000ULL

static void init_both(struct turn ends[2], uint32_t ms, const char *a, const char *b)
{
	turn_init(&ends[0], ms, a, b);
	turn_init(&ends[1], ms, b, a);
}

TEST(the_lower_name_has_even_slots_and_asks_in_the_first_half_of_each)
{
	static const struct {
		uint64_t at;
		uint32_t first, second;
		const char *why;
	} rows[] = {
		{ T, 0, 2000, "begin of an even slot" },
		{ T + 999, 0, 1001, "end of its first half" },
		{ T + 1000, 3000, 1000, "the second half: an answer may be under way" },
		{ T + 1999, 2001, 1, "end of the slot" },
		{ T + 2000, 2000, 0, "begin of an odd slot" },
		{ T + 2999, 1001, 0, "end of its first half" },
		{ T + 3000, 1000, 3000, "its second half" },
		{ T + 3999, 1, 2001, "its end" },
		{ T + 4000, 0, 2000, "even again" },
		{ 0, 0, 2000, "a clock that was never set" },
	};
	struct turn ends[2];
	size_t i;

	init_both(ends, MS, "site-a", "site-b");
	for (i = 0; i < COUNT(rows); i++) {
		CHECK(turn_wait(&ends[0], rows[i].at) == rows[i].first, "%s: site-a waits %u ms, not %u",
		      rows[i].why, turn_wait(&ends[0], rows[i].at), rows[i].first);
		CHECK(turn_wait(&ends[1], rows[i].at) == rows[i].second, "%s: site-b waits %u ms, not %u",
		      rows[i].why, turn_wait(&ends[1], rows[i].at), rows[i].second);
	}
}

TEST(without_turns_both_ends_may_always_ask)
{
	struct turn ends[2];

	init_both(ends, 0, "site-a", "site-b");
	CHECK_NUMBER("one", turn_wait(&ends[0], T), 0);
	CHECK_NUMBER("the other", turn_wait(&ends[1], T), 0);
	CHECK_NUMBER("limit", turn_limit(&ends[0], 5000), 5000);
	turn_init(&ends[0], 0, NULL, NULL);
	CHECK_NUMBER("without names", turn_wait(&ends[0], T), 0);
}

TEST(both_ends_have_opposite_slots_whatever_their_names)
{
	static const char *const names[] = {
		"0", "9", "a", "B", "site-a", "SITE-B", "site-a.example", "site-a.example.org", "site_a", "site.a", "Z",
	};
	struct turn ends[2], same;
	size_t i, k;

	for (i = 0; i < COUNT(names); i++) {
		for (k = 0; k < COUNT(names); k++) {
			if (i == k)
				continue;
			init_both(ends, MS, names[i], names[k]);
			CHECK(ends[0].is_second != ends[1].is_second, "%s and %s have the same slots", names[i],
			      names[k]);
			CHECK(!turn_same(&ends[0], &ends[1]), "%s and %s: seem the same", names[i], names[k]);
		}
	}
	init_both(ends, MS, "Site-A", "site-b");
	turn_init(&same, MS, "SITE-A", "SITE-B");
	CHECK(turn_same(&ends[0], &same), "certificates have no case, and slots have");
	turn_init(&same, MS + 1, "SITE-A", "SITE-B");
	CHECK(!turn_same(&ends[0], &same), "another length is the same");
}

/* What one end asked may be under way at any moment from its start to its limit. */
TEST(no_answer_is_under_way_when_the_other_end_may_ask)
{
	static const uint32_t lengths[] = { TURN_MIN_MS, 1001, 1234, MS, 5999, TURN_MAX_MS };
	uint32_t ms, limit, at, after;
	struct turn ends[2];
	size_t i;

	for (i = 0; i < COUNT(lengths); i++) {
		ms = lengths[i];
		init_both(ends, ms, "site-a", "site-b");
		limit = turn_limit(&ends[0], UINT32_MAX);
		CHECK_NUMBER("the same limit", turn_limit(&ends[1], UINT32_MAX), limit);
		CHECK_NUMBER("a limit that is less stays", turn_limit(&ends[0], 100), 100);
		for (at = 0; at < 2 * ms; at++) {
			CHECK(turn_wait(&ends[0], at) || turn_wait(&ends[1], at), "%u ms, %u: both may ask", ms, at);
			if (turn_wait(&ends[0], at))
				continue;
			after = turn_wait(&ends[1], at);
			CHECK(after >= limit + ms / 8, "%u ms, %u: the other may ask in %u ms, and an answer takes %u",
			      ms, at, after, limit);
		}
	}
}

/* Clocks are set while an end waits. It looks again when its wait is over, and at most once more. */
TEST(after_a_step_of_the_clock_nobody_waits_for_longer_than_a_slot_and_a_half)
{
	static const int64_t steps[] = { -86400001, -3000, -2000, -999, -1, 0, 1, 999, 2000, 3000, 86400001 };
	struct turn ends[2];
	uint32_t at, wait;
	size_t i, end;

	init_both(ends, MS, "site-a", "site-b");
	for (i = 0; i < COUNT(steps); i++) {
		for (at = 0; at < 2 * MS; at++) {
			for (end = 0; end < 2; end++) {
				uint64_t there = T + at + (uint64_t)steps[i];

				wait = turn_wait(&ends[end], there);
				CHECK(wait <= MS + MS / 2, "%u ms after a step of %lld", wait, (long long)steps[i]);
				CHECK_NUMBER("then it may", turn_wait(&ends[end], there + wait), 0);
			}
		}
	}
}
