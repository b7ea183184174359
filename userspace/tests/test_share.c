// SPDX-License-Identifier: GPL-2.0-or-later
/* One end's share of a pool that both ends draw from. */
#include "qlinkd/kme/share.h"

#include <stddef.h>

#include "tap.h"

TEST(an_end_holds_no_more_than_it_leaves)
{
	static const struct {
		int64_t count;
		uint64_t came, held, want;
		const char *why;
	} rows[] = {
		{ 3000, 0, 0, 1500, "half of a full pool" },
		{ 3000, 1000, 1000, 500, "as many as it leaves" },
		{ 3000, 1500, 1500, 0, "its share is taken" },
		{ 1500, 0, 0, 750, "the other end has its share" },
		{ 1500, 0, 1499, 0, "no half key" },
		{ 100, 0, 101, 0, "it holds more already" },
		{ 5, 0, 3, 3, "half of what is there, rounded up, for a link without enough keys" },
		{ 1, 0, 0, 1, "the last key" },
		{ 5, 5, 0, 0, "nothing is left" },
		{ 5, 6, 0, 0, "more came than it counted" },
		{ 0, 0, 0, UINT64_MAX, "0 may mean anything" },
		{ -1, 0, 0, UINT64_MAX, "it does not count" },
	};
	struct share share;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		share_init(&share);
		share_counted(&share, rows[i].count, 1000);
		share_came(&share, rows[i].came);
		CHECK_NUMBER(rows[i].why, share_most(&share, rows[i].held, 4), rows[i].want);
	}
}

TEST(before_the_first_status_there_is_no_limit)
{
	struct share share;

	share_init(&share);
	CHECK(!share_is_known(&share), "known");
	CHECK(!share_is_old(&share, 100000), "asks for a status that says nothing");
	CHECK_NUMBER("most", share_most(&share, 1000, 4), UINT64_MAX);
}

TEST(a_count_is_of_now_for_two_seconds)
{
	struct share share;

	share_init(&share);
	share_counted(&share, 10, 5000);
	CHECK(!share_is_old(&share, 6999), "old too early");
	CHECK(share_is_old(&share, 7000), "never old");
}

/* After hours without keys: the first answer shows that there are some, and the status then how many. */
TEST(a_pool_that_was_empty_is_counted_once_keys_come)
{
	struct share share;
	unsigned int i;

	share_init(&share);
	share_counted(&share, 0, 5000);
	CHECK(!share_is_old(&share, 99000), "asks for the status of an empty pool");
	share_came(&share, 512);
	CHECK(share_is_old(&share, 5000), "takes more without a count");
	share_counted(&share, 1792, 5001);
	CHECK(!share_is_old(&share, 5002), "counts again");
	CHECK_NUMBER("half of what is left beside those it has", share_most(&share, 512, 4), 640);
	/* A KME that always says 0 is asked a few times, and then left alone. */
	share_init(&share);
	for (i = 0; i < 5 && (!i || share_is_old(&share, 0)); i++) {
		share_counted(&share, 0, 0);
		share_came(&share, 10);
	}
	CHECK_NUMBER("statuses", i, 4);
}

TEST(a_count_is_ignored_once_it_stays_although_keys_come)
{
	struct share share;
	unsigned int i;

	share_init(&share);
	share_counted(&share, 10, 0);
	for (i = 0; i < 10; i++)
		share_counted(&share, 10, 0);
	CHECK(share_is_known(&share), "ignored although no key came");
	for (i = 0; i < 3; i++) {
		CHECK(share_is_known(&share), "ignored after %u", i);
		share_came(&share, 1);
		share_counted(&share, 10, 0);
	}
	CHECK(!share_is_known(&share), "still taken for a count");
	share_came(&share, 1);
	share_counted(&share, 9, 0);
	CHECK(share_is_known(&share), "ignored although it changed");
}
