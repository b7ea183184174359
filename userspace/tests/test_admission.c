// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether a peer gets a place at the listener, whoever else is connecting. */
#include "qlinkd/peer/admission.h"

#include <errno.h>
#include <string.h>

#include "tap.h"

static struct admission admission;

static struct qlink_addr v4(uint8_t a, uint8_t b)
{
	return (struct qlink_addr){ .len = 4, .bytes = { 192, 0, a, b } };
}

/* A caller connects at @now and displaces place @goes, or none if -1. Returns its place or an error. */
static int enter_v(struct qlink_addr from, bool is_known, uint64_t now, int goes)
{
	struct admission before = admission;
	bool evicts;
	int place = admission_enter(&admission, &from, is_known, now, &evicts);

	CHECK(place < ADMISSION_MAX, "place %d", place);
	CHECK(evicts == (goes >= 0), "a caller was displaced: %d", evicts);
	CHECK(place < 0 || evicts == before.callers[place].is_used, "place %d", place);
	if (goes >= 0)
		CHECK_NUMBER("the displaced caller", place, goes);
	return place;
}

static unsigned int n_here(bool is_known)
{
	unsigned int i, n = 0;

	for (i = 0; i < ADMISSION_MAX; i++)
		n += admission.callers[i].is_used && admission.callers[i].is_known == is_known;
	return n;
}

TEST(an_address_above_its_limit_loses_its_oldest_connection)
{
	int i, place[ADMISSION_SAME_MAX];

	admission_init(&admission, 0);
	for (i = 0; i < ADMISSION_SAME_MAX; i++)
		place[i] = enter_v(v4(2, 1), true, 0, -1);
	for (i = 0; i < 10; i++)
		enter_v(v4(2, 1), true, 0, place[i % ADMISSION_SAME_MAX]);
	CHECK_NUMBER("places of the address", n_here(true), ADMISSION_SAME_MAX);
	/* Other addresses get places, and a caller that left is not counted. */
	enter_v(v4(2, 2), true, 0, -1);
	admission_leave(&admission, place[1]);
	CHECK_NUMBER("the free place", enter_v(v4(2, 1), true, 0, -1), place[1]);
}

TEST(an_ipv6_site_counts_as_one_address)
{
	struct qlink_addr from = { .len = 16, .bytes = { 0x20, 1, 0xd, 0xb8 } };
	int i, first = -1;

	admission_init(&admission, 0);
	for (i = 0; i < ADMISSION_SAME_MAX; i++) {
		from.bytes[15] = (uint8_t)i;
		first = i ? first : enter_v(from, false, 0, -1);
		if (i)
			enter_v(from, false, 0, -1);
	}
	from.bytes[8] = 9;
	enter_v(from, false, 0, first);
	from.bytes[7] = 9;
	enter_v(from, false, 0, -1);
	CHECK_NUMBER("callers", n_here(false), ADMISSION_SAME_MAX + 1);
}

TEST(a_peer_replaces_the_oldest_unknown_caller)
{
	int i, place[ADMISSION_MAX];

	admission_init(&admission, 0);
	for (i = 0; i < ADMISSION_MAX; i++)
		place[i] = enter_v(v4(3, (uint8_t)i), false, 0, -1);
	/* So does an unknown caller; otherwise the first callers would keep out all others. */
	enter_v(v4(4, 1), false, 0, place[0]);
	for (i = 1; i < ADMISSION_MAX; i++)
		enter_v(v4(2, (uint8_t)i), true, 0, place[i]);
	CHECK_NUMBER("unknown", n_here(false), 1);
	CHECK(admission_has_room(&admission), "one unknown caller can be displaced");
	enter_v(v4(2, 200), true, 0, place[0]);
	/* Peers do not displace each other: a new caller waits to be accepted. */
	CHECK(!admission_has_room(&admission), "only peers");
	admission_leave(&admission, place[5]);
	CHECK(admission_has_room(&admission), "no room in spite of a free place");
}

/* 1000 unknown callers a second for 10 s, each from another address; every 100 ms a peer connects for 200 ms. */
TEST(a_flood_of_unknown_callers_is_bounded_and_displaces_no_peer)
{
	int peers[4] = { -1, -1, -1, -1 }, place;
	unsigned int n_in = 0, i;
	bool evicts;
	struct qlink_addr from;
	uint64_t now;

	admission_init(&admission, 5000);
	for (now = 5000; now < 15000; now++) {
		from = v4(100, 0);
		memcpy(from.bytes + 2, &now, 2);
		place = admission_enter(&admission, &from, false, now, &evicts);
		n_in += place >= 0;
		CHECK(place >= 0 || place == -EBUSY, "%d", place);
		for (i = 0; i < 4; i++)
			CHECK(peers[i] < 0 || peers[i] != place, "an unknown caller displaced a peer");
		if (now % 100)
			continue;
		i = now / 100 % 4;
		if (peers[(i + 2) % 4] >= 0)
			admission_leave(&admission, peers[(i + 2) % 4]);
		peers[(i + 2) % 4] = -1;
		from = v4(2, (uint8_t)i);
		peers[i] = admission_enter(&admission, &from, true, now, &evicts);
		CHECK(peers[i] >= 0, "a peer gets no place: %d", peers[i]);
	}
	CHECK_NUMBER("unknown", n_in, ADMISSION_UNKNOWN_BURST + 9999 / ADMISSION_UNKNOWN_MS);
}
