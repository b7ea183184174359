// SPDX-License-Identifier: GPL-2.0-or-later
/* The rate of use: a mean over one or two minutes, which forgets what was before. */
#include "qlinkd/link/usage.h"

#include "tap.h"

/* Uses a key each @ms from @from to @to. */
static void use(struct usage *usage, uint64_t from, uint64_t to, uint64_t ms)
{
	for (; from < to; from += ms)
		usage_add(usage, 1, from);
}

static void check_rate(const char *why, const struct usage *usage, uint64_t now, double want)
{
	double rate = usage_rate(usage, now);

	CHECK(rate > want * 0.98 - 1e-9 && rate < want * 1.02 + 1e-9, "%s: %f keys a second, want %f", why, rate, want);
}

TEST(nothing_used_is_no_rate)
{
	struct usage usage = { 0 };

	check_rate("never used", &usage, 5000, 0);
}

TEST(a_steady_use_is_its_rate)
{
	struct usage usage = { 0 };

	use(&usage, 1000, 31000, 100);
	check_rate("after half a minute", &usage, 31000, 10);
	use(&usage, 31000, 601000, 100);
	check_rate("after ten minutes", &usage, 601000, 10);
}

TEST(the_first_key_is_not_a_thousand_a_second)
{
	struct usage usage = { 0 };

	usage_add(&usage, 1, 1000);
	check_rate("1 ms after the first", &usage, 1001, 1);
}

TEST(a_change_shows_within_two_minutes)
{
	struct usage usage = { 0 };

	use(&usage, 1000, 300000, 100);
	use(&usage, 300000, 300000 + 2 * USAGE_WINDOW_MS + 1000, 1000);
	check_rate("slower", &usage, 300000 + 2 * USAGE_WINDOW_MS + 1000, 1);
}

TEST(a_pause_ends_in_nothing)
{
	struct usage usage = { 0 };

	use(&usage, 1000, 300000, 100);
	check_rate("two minutes later", &usage, 300000 + 2 * USAGE_WINDOW_MS, 0);
	usage_add(&usage, 1, 900000);
	check_rate("used again", &usage, 901000, 1);
}
