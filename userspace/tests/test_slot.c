// SPDX-License-Identifier: GPL-2.0-or-later
/* A slot of the state file opens only as it was written, at its place, under its key; and a torn one leaves the other. */
#include "qlinkd/state/slot.h"

#include <stdio.h>
#include <string.h>

#include "qlinkd/state/places.h"
#include "tap.h"

static const uint8_t key_bytes[SLOT_KEY_BYTES_MIN] = "a key that is not random at all";
static const uint8_t other_bytes[SLOT_KEY_BYTES_MIN] = "another key, not random either.";
static const struct bytes key = { key_bytes, sizeof(key_bytes) };
static const struct bytes other_key = { other_bytes, sizeof(other_bytes) };

/* Chains that nobody else has, by their first byte. */
static struct slot slot_of(const char *device, uint64_t counter, uint8_t first)
{
	struct slot slot = { .counter = counter };

	CHECK_NUMBER("link", slot_link("a", "b", device, slot.link), 0);
	memset(&slot.chains, first, sizeof(slot.chains));
	slot.chains.rx.previous[0] = 0;
	return slot;
}

static void seal(uint8_t *data, uint32_t number, const char *device, uint64_t counter, uint8_t first)
{
	struct slot slot = slot_of(device, counter, first);

	CHECK_NUMBER("seal", slot_seal(&key, number, &slot, data), 0);
}

TEST(a_slot_gives_back_what_was_sealed)
{
	struct slot slot = slot_of("qlink0", 7, 1), got;
	uint8_t data[SLOT_BYTES], again[SLOT_BYTES];
	size_t i, same = 0;

	CHECK_NUMBER("seal", slot_seal(&key, 5, &slot, data), 0);
	CHECK_NUMBER("open", slot_open(&key, 5, data, &got), SLOT_OPENED);
	CHECK(!memcmp(&got, &slot, sizeof(got)), "not the same");
	CHECK(!memmem(data, sizeof(data), slot.chains.tx.current, 8), "a chain in plain text");
	CHECK_NUMBER("again", slot_seal(&key, 5, &slot, again), 0);
	for (i = 96; i < 304; i++)
		same += data[i] == again[i];
	CHECK(same < 20, "%zu bytes are the same when sealed again", same);
}

TEST(each_bit_of_a_slot_counts)
{
	static const struct slot nothing;
	uint8_t data[SLOT_BYTES];
	struct slot got;
	size_t bit;

	seal(data, 3, "qlink0", 1, 1);
	for (bit = 0; bit < 8 * SLOT_BYTES; bit++) {
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CHECK(slot_open(&key, 3, data, &got) == SLOT_DAMAGED, "bit %zu is flipped", bit);
		CHECK(!memcmp(&got, &nothing, sizeof(got)), "bit %zu: something is left", bit);
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (tap_has_failed())
			return;
	}
	CHECK_NUMBER("as it was", slot_open(&key, 3, data, &got), SLOT_OPENED);
}

TEST(another_key_and_another_place_are_told_apart)
{
	uint8_t data[SLOT_BYTES], empty[SLOT_BYTES] = { 0 };
	struct slot got;

	seal(data, 3, "qlink0", 1, 1);
	CHECK_NUMBER("another key", slot_open(&other_key, 3, data, &got), SLOT_FOREIGN);
	CHECK_NUMBER("no chain of it", got.counter, 0);
	CHECK_NUMBER("moved", slot_open(&key, 2, data, &got), SLOT_DAMAGED);
	CHECK_NUMBER("never written", slot_open(&key, 3, empty, &got), SLOT_EMPTY);
}

TEST(names_of_links_cannot_run_into_each_other)
{
	static const char *const names[][3] = {
		{ "a", "b", "c" }, { "ab", "", "c" }, { "a", "bc", "" }, { "b", "a", "c" }, { "a", "c", "b" },
	};
	uint8_t links[COUNT(names)][SLOT_LINK_BYTES];
	size_t i, k;

	for (i = 0; i < COUNT(names); i++) {
		CHECK_NUMBER("link", slot_link(names[i][0], names[i][1], names[i][2], links[i]), 0);
		for (k = 0; k < i; k++)
			CHECK(memcmp(links[i], links[k], sizeof(links[i])), "%zu and %zu are the same", i, k);
	}
}

/* --- a file of slots --- */

/* The first byte of the chain that a file has for a link, -1 for none. */
static int chain_in(const uint8_t *file, size_t n, const char *device, struct places *places)
{
	struct slot wanted = slot_of(device, 0, 0);
	const struct place *place;
	int first = -1;

	memset(places, 0, sizeof(*places));
	CHECK_NUMBER("load", places_load(places, &key, file, n), 0);
	place = places_find(places, wanted.link);
	if (place)
		first = place->chains.tx.current[0];
	return first;
}

/* The disk has written the bytes up to @i, or those from @i on, when the power fails. */
TEST(a_write_that_is_torn_at_any_byte_leaves_the_other_slot)
{
	uint8_t file[2][SLOT_BYTES], before[SLOT_BYTES], after[SLOT_BYTES];
	struct places places;
	unsigned int is_end, n_torn = 0;
	bool is_torn;
	size_t i;

	seal(file[1], 1, "qlink0", 2, 2);
	seal(before, 0, "qlink0", 1, 1);
	seal(after, 0, "qlink0", 3, 3);
	for (is_end = 0; is_end < 2; is_end++) {
		for (i = 1; i < SLOT_BYTES; i++) {
			memcpy(file[0], is_end ? before : after, i);
			memcpy(file[0] + i, (is_end ? after : before) + i, SLOT_BYTES - i);
			/* Both writes begin with the same bytes, so that one of them may be whole. */
			is_torn = memcmp(file[0], before, SLOT_BYTES) && memcmp(file[0], after, SLOT_BYTES);
			if (!is_torn)
				continue;
			n_torn++;
			CHECK(chain_in(file[0], 2, "qlink0", &places) == 2, "torn at byte %zu", i);
			CHECK(places.n_damaged == 1 && !places.n_foreign, "at byte %zu: not damaged", i);
			CHECK(places.list[0].newest == 1, "at byte %zu: the good one is written next", i);
			places_free(&places);
			if (tap_has_failed())
				return;
		}
	}
	CHECK(n_torn > 2 * 480, "only %u writes were torn", n_torn);
	memcpy(file[0], after, SLOT_BYTES);
	CHECK_NUMBER("the whole write", chain_in(file[0], 2, "qlink0", &places), 3);
	places_free(&places);
}

TEST(a_slot_that_was_copied_elsewhere_does_not_count)
{
	uint8_t file[4][SLOT_BYTES];
	struct places places;

	seal(file[0], 0, "qlink0", 1, 1);
	seal(file[1], 1, "qlink0", 3, 3);
	seal(file[2], 2, "qlink1", 2, 2);
	seal(file[3], 3, "qlink1", 4, 4);
	memcpy(file[3], file[1], SLOT_BYTES);
	CHECK_NUMBER("the link whose slot it was", chain_in(file[0], 4, "qlink0", &places), 3);
	places_free(&places);
	CHECK_NUMBER("the link that had the place", chain_in(file[0], 4, "qlink1", &places), 2);
	CHECK_NUMBER("damaged", places.n_damaged, 1);
	places_free(&places);
	memcpy(file[3], file[2], SLOT_BYTES);
	CHECK_NUMBER("its own other slot", chain_in(file[0], 4, "qlink1", &places), 2);
	CHECK_NUMBER("damaged", places.n_damaged, 1);
	places_free(&places);
}

TEST(places_of_links_that_are_gone_are_used_again_whole)
{
	uint8_t file[3][SLOT_BYTES] = { { 0 } };
	struct slot third = slot_of("qlink2", 0, 0);
	const struct place *place;
	struct places places;

	seal(file[0], 0, "qlink0", 1, 1);
	seal(file[2], 2, "qlink1", 2, 2);
	CHECK_NUMBER("loaded", chain_in(file[0], 3, "qlink1", &places), 2);
	CHECK_NUMBER("places", places.n, 2);
	places.list[0].is_wanted = true;
	place = places_claim(&places, third.link);
	CHECK(place == &places.list[1], "not that of the link that is gone");
	CHECK(place && place->owed == 2 && chain_is_zero(place->chains.tx.current), "the old chain is left");
	CHECK(places_claim(&places, third.link) == place, "claimed again");
	CHECK_NUMBER("owed", places.n_owed, 1);
	third = slot_of("qlink3", 0, 0);
	place = places_claim(&places, third.link);
	CHECK(place == &places.list[2] && places.n == 3, "not at the end of the file");
	places_free(&places);
}

TEST(there_is_room_for_thousands_of_links)
{
	struct places places = { .n = 0 };
	struct slot slot;
	char device[16];
	unsigned int i;

	for (i = 0; i < 2000; i++) {
		snprintf(device, sizeof(device), "qlink%u", i);
		slot = slot_of(device, 0, 0);
		if (!places_claim(&places, slot.link))
			break;
		places_claim(&places, slot.link)->chains.tx.current[0] = (uint8_t)i;
	}
	CHECK_NUMBER("places", places.n, 2000);
	slot = slot_of("qlink77", 0, 0);
	CHECK_NUMBER("a chain", places_find(&places, slot.link)->chains.tx.current[0], 77);
	places_free(&places);
}
