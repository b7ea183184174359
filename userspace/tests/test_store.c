// SPDX-License-Identifier: GPL-2.0-or-later
/* The key store: bounded, in order, without repeated IDs, and wiped. */
#include "qlinkd/kme/store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tap.h"

static struct store make(uint32_t capacity, uint32_t cover, uint64_t age)
{
	struct store_config config = {
		.capacity = capacity, .outage_cover = cover, .key_bytes = 48,
		.max_age_ms = age,
	};
	struct store store;

	CHECK_NUMBER("new", store_new(&store, &config), 0);
	return store;
}

/* A key whose bytes are its number, but never 0. */
static int put(struct store *store, unsigned int number, uint64_t now,
	       struct qlink_why *why)
{
	uint8_t bytes[32];
	char text[16];
	struct bytes id = { (uint8_t *)text, 0 };
	struct bytes key = { bytes, sizeof(bytes) };

	id.len = (size_t)snprintf(text, sizeof(text), "key-%08u", number);
	memset(bytes, (int)(number % 255 + 1), sizeof(bytes));
	return store_put(store, &id, &key, now, why);
}

static void put_many(struct store *store, unsigned int from, unsigned int n,
		     uint64_t now)
{
	struct qlink_why why;

	while (n--)
		CHECK_NUMBER("put", put(store, from++, now, &why), 0);
}

/* How many bytes of the locked memory are not zero. */
static size_t traces(const struct store *store)
{
	size_t i, n = 0;

	for (i = 0; i < store->memory.len; i++)
		n += store->memory.data[i] != 0;
	return n;
}

static void check_taken(const struct store *store, uint32_t i,
			unsigned int number)
{
	struct bytes id = store_taken_id(store, i);
	struct bytes key = store_taken_key(store, i);
	char text[16];

	snprintf(text, sizeof(text), "key-%08u", number);
	CHECK(id.len == 12 && !memcmp(id.data, text, 12),
	      "taken %u: '%.*s', want '%s'", i, (int)id.len,
	      (const char *)id.data, text);
	CHECK(key.len == 32 && key.data[0] == number % 255 + 1 &&
	      key.data[31] == number % 255 + 1, "taken %u: other bytes", i);
}

TEST(the_oldest_keys_are_taken_first_and_wiped_after_use)
{
	struct store store = make(10, 10, 0);

	put_many(&store, 0, 5, 0);
	CHECK_NUMBER("stock", store_stock(&store), 5);
	CHECK_NUMBER("bytes", traces(&store), 5 * 32);
	CHECK_NUMBER("take", store_take(&store, 3, 0), 3);
	check_taken(&store, 0, 0);
	check_taken(&store, 2, 2);
	CHECK_NUMBER("stock", store_stock(&store), 2);
	CHECK_NUMBER("not twice", store_take(&store, 1, 0), 0);
	store_spend(&store);
	CHECK_NUMBER("bytes", traces(&store), 2 * 32);
	CHECK_NUMBER("take all", store_take(&store, 64, 0), 2);
	check_taken(&store, 0, 3);
	store_spend(&store);
	CHECK_NUMBER("bytes", traces(&store), 0);
	CHECK_NUMBER("none left", store_take(&store, 1, 0), 0);
	store_free(&store);
}

TEST(the_newest_key_can_be_taken_and_the_oldest_dropped)
{
	struct qlink_why why;
	struct store store = make(5, 5, 0);
	const struct bytes id = { (const uint8_t *)"other", 5 };
	const struct bytes key = { (const uint8_t *)"0123456789abcdef0123456789abcdef", 32 };

	CHECK_NUMBER("none", store_take_newest(&store, 0), 0);
	put_many(&store, 0, 5, 0);
	CHECK_NUMBER("take", store_take_newest(&store, 0), 1);
	check_taken(&store, 0, 4);
	CHECK_NUMBER("not twice", store_take(&store, 1, 0), 0);
	CHECK_NUMBER("no key is put after it", store_put(&store, &id, &key, 0, &why), -EBUSY);
	CHECK_NUMBER("nothing is dropped", store_drop(&store, 5), 0);
	store_spend(&store);
	CHECK_NUMBER("bytes", traces(&store), 4 * 32);
	CHECK_NUMBER("dropped", store_drop(&store, 2), 2);
	CHECK_NUMBER("bytes", traces(&store), 2 * 32);
	CHECK_NUMBER("the oldest again", store_take(&store, 1, 0), 1);
	check_taken(&store, 0, 2);
	store_spend(&store);
	CHECK_NUMBER("the only one", store_take_newest(&store, 0), 1);
	check_taken(&store, 0, 3);
	store_spend(&store);
	CHECK_NUMBER("bytes", traces(&store), 0);
	CHECK_NUMBER("no more than there are", store_drop(&store, 9), 0);
	store_free(&store);
}

TEST(slots_are_reused)
{
	struct store store = make(7, 7, 0);
	unsigned int i;

	put_many(&store, 0, 4, 0);
	for (i = 0; i < 1000; i++) {
		put_many(&store, i + 4, 1, i);
		CHECK_NUMBER("take", store_take(&store, 1, i), 1);
		check_taken(&store, 0, i);
		store_spend(&store);
	}
	CHECK_NUMBER("stock", store_stock(&store), 4);
	CHECK_NUMBER("bytes", traces(&store), 4 * 32);
	store_free(&store);
}

TEST(keys_that_do_not_fit_are_refused_with_value_and_rule)
{
	static uint8_t zero[100];
	struct store store = make(2, 2, 0);
	struct bytes id = { (const uint8_t *)"abcdefgh", 8 };
	struct bytes key = { zero, 32 };
	struct qlink_why why;

	key.len = 31;
	CHECK_NUMBER("31", store_put(&store, &id, &key, 0, &why), -EINVAL);
	CHECK_TEXT("31", why.text, "key of 31 bytes, not 32 to 48; see key-bytes");
	key.len = 49;
	CHECK_NUMBER("49", store_put(&store, &id, &key, 0, &why), -EINVAL);
	CHECK_TEXT("49", why.text, "key of 49 bytes, not 32 to 48; see key-bytes");
	key.len = 48;
	id.len = 0;
	CHECK_NUMBER("no ID", store_put(&store, &id, &key, 0, &why), -EINVAL);
	CHECK_TEXT("no ID", why.text, "key ID of 0 bytes, not 1 to 64");
	id = (struct bytes){ zero, 65 };
	CHECK_NUMBER("ID of 65", store_put(&store, &id, &key, 0, &why),
		     -EINVAL);
	put_many(&store, 1, 1, 0);
	CHECK_NUMBER("twice", put(&store, 1, 0, &why), -EEXIST);
	CHECK_TEXT("twice", why.text, "key ID key-00000001 is in the store already");
	put_many(&store, 2, 1, 0);
	CHECK_NUMBER("full", put(&store, 3, 0, &why), -ENOSPC);
	CHECK_TEXT("full", why.text, "full with 2 keys");
	CHECK_NUMBER("stock", store_stock(&store), 2);
	store_free(&store);
}

TEST(an_id_is_known_as_long_as_its_key_is_in_the_store)
{
	struct store store = make(300, 300, 0);
	struct qlink_why why;
	unsigned int i;

	put_many(&store, 0, 300, 0);
	for (i = 0; i < 300; i++)
		CHECK(put(&store, i, 0, &why) == -ENOSPC, "%u: taken", i);
	CHECK_NUMBER("take", store_take(&store, 100, 0), 100);
	store_spend(&store);
	for (i = 100; i < 300; i++)
		CHECK(put(&store, i, 0, &why) == -EEXIST, "%u: not known", i);
	put_many(&store, 0, 100, 0);
	store_free(&store);
}

TEST(keys_are_wiped_and_counted_at_their_maximum_age)
{
	struct store store = make(10, 10, 1000);

	put_many(&store, 0, 2, 100);
	put_many(&store, 2, 2, 600);
	CHECK_NUMBER("just before", store_expire(&store, 1099), 0);
	CHECK_NUMBER("of that age", store_expire(&store, 1100), 2);
	CHECK_NUMBER("bytes", traces(&store), 2 * 32);
	CHECK_NUMBER("too old to be taken", store_take(&store, 2, 1600), 0);
	CHECK_NUMBER("counted", store.n_expired, 4);
	CHECK_NUMBER("bytes", traces(&store), 0);
	store_free(&store);
}

TEST(only_the_outage_cover_is_requested_from_a_scarce_kme)
{
	struct store store = make(100, 20, 0);

	CHECK_NUMBER("empty", store_wanted(&store), 20);
	put_many(&store, 0, 20, 0);
	CHECK_NUMBER("covered", store_wanted(&store), 0);
	store_take(&store, 4, 0);
	store_spend(&store);
	CHECK_NUMBER("a fifth gone", store_wanted(&store), 0);
	store_take(&store, 1, 0);
	store_spend(&store);
	CHECK_NUMBER("a quarter gone", store_wanted(&store), 5);
	put_many(&store, 20, 3, 0);
	CHECK_NUMBER("until it is full again", store_wanted(&store), 2);
	put_many(&store, 23, 2, 0);
	CHECK_NUMBER("full", store_wanted(&store), 0);
	store.is_rich = true;
	CHECK_NUMBER("rich", store_wanted(&store), 80);
	store_free(&store);
}

TEST(no_more_keys_are_wanted_than_there_is_room_for)
{
	struct store store = make(8, 8, 0);

	put_many(&store, 0, 8, 0);
	store_take(&store, 6, 0);
	CHECK_NUMBER("taken keys still use their slots", store_wanted(&store), 0);
	store_spend(&store);
	CHECK_NUMBER("spent", store_wanted(&store), 6);
	store_free(&store);
}

TEST(configurations_out_of_range_are_refused)
{
	static const struct {
		struct store_config config;
		const char *why;
	} rows[] = {
		{ { 0, 0, 32, 0 }, "no room" },
		{ { STORE_CAPACITY_MAX + 1, 0, 32, 0 }, "too much room" },
		{ { 1, 0, 31, 0 }, "short keys" },
		{ { 1, 0, 1025, 0 }, "long keys" },
	};
	struct store store;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		CHECK_NUMBER(rows[i].why, store_new(&store, &rows[i].config),
			     -EINVAL);
		store_free(&store);
	}
}

TEST(twenty_thousand_keys_fit)
{
	struct store store = make(20000, 20000, 0);

	put_many(&store, 0, 20000, 0);
	CHECK_NUMBER("stock", store_stock(&store), 20000);
	CHECK_NUMBER("take", store_take(&store, 20000, 0), 20000);
	check_taken(&store, 19999, 19999);
	store_spend(&store);
	CHECK_NUMBER("bytes", traces(&store), 0);
	store_free(&store);
}
