// SPDX-License-Identifier: GPL-2.0-or-later
/* What the rings of a link hold, and which keys must be deleted. */
#include "qlinkd/broker/rings.h"

#include <string.h>

#include "tap.h"

#define TX	QLINK_DIRECTION_TX
#define RX	QLINK_DIRECTION_RX

static struct qlink_key key(uint8_t direction, uint64_t epoch)
{
	return (struct qlink_key){ .direction = direction, .epoch = epoch };
}

TEST(keys_become_ranges_of_their_own_ring)
{
	struct qlink_key keys[] = { key(RX, 9), key(TX, 5), key(TX, 3), key(RX, 10), key(TX, 4),
				    key(TX, 7) };
	const struct qlink_ring from = { .id = { 1, 2, 3 }, .newest_epoch = 12 };
	struct session_ring ring;

	rings_sort(keys, COUNT(keys));
	CHECK_NUMBER("all reported", rings_report(&ring, &from, TX, keys, COUNT(keys)), 0);
	CHECK_NUMBER("runs", ring.n_held, 2);
	CHECK_NUMBER("first of the first", ring.held[0].first, 3);
	CHECK_NUMBER("last of the first", ring.held[0].last, 5);
	CHECK_NUMBER("first of the second", ring.held[1].first, 7);
	CHECK_NUMBER("last of the second", ring.held[1].last, 7);
	CHECK_NUMBER("newest", ring.newest, 12);
	CHECK(!memcmp(ring.id, from.id, sizeof(ring.id)), "another id");
	CHECK_NUMBER("the other ring", rings_report(&ring, &from, RX, keys, COUNT(keys)), 0);
	CHECK_NUMBER("its ranges", ring.n_held, 1);
	CHECK_NUMBER("its last", ring.held[0].last, 10);
}

TEST(an_empty_ring_holds_nothing)
{
	const struct qlink_ring from = { .newest_epoch = 0 };
	struct session_ring ring;

	rings_sort(NULL, 0);
	CHECK_NUMBER("logged", rings_report(&ring, &from, TX, NULL, 0), 0);
	CHECK_NUMBER("runs", ring.n_held, 0);
	CHECK(!rings_holds(&ring, 0), "epoch 0");
	CHECK(!rings_holds(&ring, 1), "epoch 1");
}

TEST(with_too_many_ranges_only_the_newest_are_reported)
{
	struct qlink_key keys[SESSION_RANGES_MAX + 3];
	const struct qlink_ring from = { .newest_epoch = 100 };
	struct session_ring ring;
	size_t i;

	for (i = 0; i < COUNT(keys); i++)
		keys[i] = key(RX, 2 * i + 1);
	CHECK_NUMBER("first reported", rings_report(&ring, &from, RX, keys, COUNT(keys)), 7);
	CHECK_NUMBER("runs", ring.n_held, SESSION_RANGES_MAX);
	CHECK(!rings_holds(&ring, 5), "the oldest");
	CHECK(rings_holds(&ring, 7), "the first that is reported");
	CHECK(!rings_holds(&ring, 8), "between two");
	CHECK(rings_holds(&ring, 2 * COUNT(keys) - 1), "the newest");
}

TEST(keys_that_the_peer_does_not_hold_are_deleted)
{
	static const struct {
		uint8_t direction;
		uint64_t epoch;
		bool goes;
		const char *why;
	} rows[] = {
		{ TX, 1, true, "older than what the peer opens with" },
		{ TX, 2, false, "the peer opens with it" },
		{ TX, 4, true, "the peer never had it" },
		{ RX, 1, false, "our key, not newer than the current one: for late frames" },
		{ RX, 3, false, "the current one" },
		{ RX, 4, true, "the peer will not seal with it" },
		{ RX, 5, false, "the peer will" },
		{ RX, 7, true, "above all that the peer holds" },
	};
	const struct session_rings peer = {
		.rx = { .held = { { 2, 3 } }, .n_held = 1 },
		.tx = { .held = { { 3, 3 }, { 5, 6 } }, .n_held = 2 },
	};
	struct qlink_key keys[COUNT(rows)];
	size_t i, j, n_go, n_want = 0;
	bool goes;

	for (i = 0; i < COUNT(rows); i++) {
		keys[i] = key(rows[i].direction, rows[i].epoch);
		n_want += rows[i].goes;
	}
	n_go = rings_select(keys, COUNT(keys), &peer, 3);
	CHECK_NUMBER("how many", n_go, n_want);
	for (i = 0; i < COUNT(rows); i++) {
		goes = false;
		for (j = 0; j < n_go; j++)
			goes |= keys[j].direction == rows[i].direction &&
				keys[j].epoch == rows[i].epoch;
		CHECK_NUMBER(rows[i].why, goes, rows[i].goes);
	}
}
