// SPDX-License-Identifier: GPL-2.0-or-later
/* The bounded memory of what was seen. */
#include <stdio.h>
#include <string.h>

#include "qlinkd/base/seen.h"
#include "tap.h"

static const struct bytes nothing;

static int see(struct seen *seen, uint8_t kind, const char *one, const char *two)
{
	struct bytes a = { (const uint8_t *)one, strlen(one) };
	struct bytes b = { (const uint8_t *)two, strlen(two) };

	return seen_before(seen, kind, &a, &b);
}

TEST(a_thing_is_seen_once_by_kind_and_parts)
{
	struct seen seen = { .n = 0 };

	CHECK_NUMBER("new", see(&seen, 0, "ab", "c"), 0);
	CHECK_NUMBER("again", see(&seen, 0, "ab", "c"), 1);
	CHECK_NUMBER("other parts", see(&seen, 0, "a", "bc"), 0);
	CHECK_NUMBER("other kind", see(&seen, 1, "ab", "c"), 0);
	CHECK_NUMBER("one part", see(&seen, 0, "abc", ""), 0);
	seen_free(&seen);
	CHECK_NUMBER("forgotten", see(&seen, 0, "ab", "c"), 0);
	seen_free(&seen);
}

static int see_number(struct seen *seen, uint32_t number)
{
	struct bytes a = { (const uint8_t *)&number, sizeof(number) };

	return seen_before(seen, 0, &a, &nothing);
}

TEST(the_last_ones_are_remembered_and_memory_is_bounded)
{
	struct seen seen = { .n = 0 };
	uint32_t i, n = 3 * SEEN_LEAST + 5;

	for (i = 0; i < n; i++)
		CHECK(!see_number(&seen, i), "%u: seen before", i);
	for (i = n - SEEN_LEAST; i < n; i++)
		CHECK(see_number(&seen, i) == 1, "%u: forgotten", i);
	CHECK_NUMBER("the first is forgotten", see_number(&seen, 0), 0);
	seen_free(&seen);
}
