// SPDX-License-Identifier: GPL-2.0-or-later
/* Who may wait at the door, and who has to go for it: a crowd keeps no peer out. */
#include "admission.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* Bytes of an address that tell a host from others, or a site where hosts are free to choose. */
static size_t own_bytes(const struct qlink_addr *addr)
{
	return addr->len == 4 ? 4 : 8;
}

static bool is_same(const struct qlink_addr *a, const struct qlink_addr *b)
{
	return a->len == b->len && !memcmp(a->bytes, b->bytes, own_bytes(a));
}

static int free_place(const struct crowd *crowd)
{
	int i;

	for (i = 0; i < CROWD_MAX; i++) {
		if (!crowd->guests[i].is_here)
			return i;
	}
	return -EBUSY;
}

/* The oldest of one address, and how many it has. */
static int oldest_same(const struct crowd *crowd, const struct qlink_addr *from, unsigned int *n)
{
	int i, oldest = -EBUSY;

	*n = 0;
	for (i = 0; i < CROWD_MAX; i++) {
		if (!crowd->guests[i].is_here || !is_same(&crowd->guests[i].from, from))
			continue;
		++*n;
		if (oldest < 0 || crowd->guests[i].order < crowd->guests[oldest].order)
			oldest = i;
	}
	return oldest;
}

static int oldest_stranger(const struct crowd *crowd)
{
	int i, oldest = -EBUSY;

	for (i = 0; i < CROWD_MAX; i++) {
		if (!crowd->guests[i].is_known &&
		    (oldest < 0 || crowd->guests[i].order < crowd->guests[oldest].order))
			oldest = i;
	}
	return oldest;
}

bool crowd_has_room(const struct crowd *crowd)
{
	return free_place(crowd) >= 0 || oldest_stranger(crowd) >= 0;
}

static int find_place(const struct crowd *crowd, const struct qlink_addr *from)
{
	unsigned int n_same;
	int place = oldest_same(crowd, from, &n_same);

	if (n_same >= CROWD_SAME_MAX)
		return place;
	place = free_place(crowd);
	return place < 0 ? oldest_stranger(crowd) : place;
}

void crowd_init(struct crowd *crowd, uint64_t now)
{
	memset(crowd, 0, sizeof(*crowd));
	budget_init(&crowd->strangers, CROWD_STRANGERS_BURST, CROWD_STRANGER_MS, now);
}

int crowd_enter(struct crowd *crowd, const struct qlink_addr *from, bool is_known, uint64_t now,
		bool *has_to_go)
{
	int place;

	*has_to_go = false;
	if (!is_known && !budget_take(&crowd->strangers, now))
		return -EBUSY;
	place = find_place(crowd, from);
	if (place < 0)
		return place;
	*has_to_go = crowd->guests[place].is_here;
	crowd->guests[place] = (struct crowd_guest){ .from = *from, .is_known = is_known,
						     .is_here = true, .order = crowd->n_ever++ };
	return place;
}

void crowd_leave(struct crowd *crowd, int place)
{
	crowd->guests[place].is_here = false;
}
