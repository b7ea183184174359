// SPDX-License-Identifier: GPL-2.0-or-later
/* The rings of a link as ranges of epochs, as agents send them in STATE; pure. */
#include "rings.h"

#include <stdlib.h>
#include <string.h>

static int by_epoch(const void *left, const void *right)
{
	const struct qlink_key *a = left, *b = right;

	if (a->direction != b->direction)
		return a->direction < b->direction ? -1 : 1;
	return a->epoch < b->epoch ? -1 : a->epoch > b->epoch;
}

void rings_sort(struct qlink_key *keys, size_t n)
{
	if (n)
		qsort(keys, n, sizeof(*keys), by_epoch);
}

/* Removes the oldest range to make room for a newer one. */
static void drop_oldest(struct session_ring *ring)
{
	memmove(&ring->held[0], &ring->held[1],
		(SESSION_RANGES_MAX - 1) * sizeof(ring->held[0]));
	ring->n_held--;
}

uint64_t rings_report(struct session_ring *ring, const struct qlink_ring *from,
		      uint8_t direction, const struct qlink_key *keys, size_t n)
{
	struct session_range *range = NULL;
	bool has_more = false;
	size_t i;

	memset(ring, 0, sizeof(*ring));
	memcpy(ring->id, from->id, sizeof(ring->id));
	ring->newest = from->newest_epoch;
	for (i = 0; i < n; i++) {
		if (keys[i].direction != direction)
			continue;
		if (range && range->last + 1 == keys[i].epoch) {
			range->last++;
			continue;
		}
		if (ring->n_held == SESSION_RANGES_MAX) {
			drop_oldest(ring);
			has_more = true;
		}
		range = &ring->held[ring->n_held++];
		range->first = keys[i].epoch;
		range->last = keys[i].epoch;
	}
	return has_more ? ring->held[0].first : 0;
}

bool rings_holds(const struct session_ring *ring, uint64_t epoch)
{
	uint8_t i;

	for (i = 0; i < ring->n_held; i++) {
		if (epoch >= ring->held[i].first && epoch <= ring->held[i].last)
			return true;
	}
	return false;
}

static bool must_delete(const struct qlink_key *key, const struct session_rings *peer,
		    uint64_t current)
{
	if (key->direction == QLINK_DIRECTION_TX)
		return !rings_holds(&peer->rx, key->epoch);
	return key->epoch > current && !rings_holds(&peer->tx, key->epoch);
}

size_t rings_select(struct qlink_key *keys, size_t n,
		    const struct session_rings *peer, uint64_t current)
{
	struct qlink_key key;
	size_t i, n_selected = 0;

	for (i = 0; i < n; i++) {
		if (!must_delete(&keys[i], peer, current))
			continue;
		key = keys[i];
		keys[i] = keys[n_selected];
		keys[n_selected++] = key;
	}
	return n_selected;
}
