// SPDX-License-Identifier: GPL-2.0-or-later
/* Which callers may wait for their handshake, so that no flood of them keeps a peer out. */
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

static int free_place(const struct admission *admission)
{
	int i;

	for (i = 0; i < ADMISSION_MAX; i++) {
		if (!admission->callers[i].is_here)
			return i;
	}
	return -EBUSY;
}

/* The oldest of one address, and how many it has. */
static int oldest_same(const struct admission *admission, const struct qlink_addr *from,
		       unsigned int *n)
{
	int i, oldest = -EBUSY;

	*n = 0;
	for (i = 0; i < ADMISSION_MAX; i++) {
		if (!admission->callers[i].is_here || !is_same(&admission->callers[i].from, from))
			continue;
		++*n;
		if (oldest < 0 || admission->callers[i].order < admission->callers[oldest].order)
			oldest = i;
	}
	return oldest;
}

static int oldest_unknown(const struct admission *admission)
{
	int i, oldest = -EBUSY;

	for (i = 0; i < ADMISSION_MAX; i++) {
		if (!admission->callers[i].is_known &&
		    (oldest < 0 || admission->callers[i].order < admission->callers[oldest].order))
			oldest = i;
	}
	return oldest;
}

bool admission_has_room(const struct admission *admission)
{
	return free_place(admission) >= 0 || oldest_unknown(admission) >= 0;
}

static int find_place(const struct admission *admission, const struct qlink_addr *from)
{
	unsigned int n_same;
	int place = oldest_same(admission, from, &n_same);

	if (n_same >= ADMISSION_SAME_MAX)
		return place;
	place = free_place(admission);
	return place < 0 ? oldest_unknown(admission) : place;
}

void admission_init(struct admission *admission, uint64_t now)
{
	memset(admission, 0, sizeof(*admission));
	rate_init(&admission->unknown, ADMISSION_UNKNOWN_BURST, ADMISSION_UNKNOWN_MS, now);
}

int admission_enter(struct admission *admission, const struct qlink_addr *from, bool is_known,
		    uint64_t now, bool *has_to_go)
{
	int place;

	*has_to_go = false;
	if (!is_known && !rate_take(&admission->unknown, now))
		return -EBUSY;
	place = find_place(admission, from);
	if (place < 0)
		return place;
	*has_to_go = admission->callers[place].is_here;
	admission->callers[place] = (struct admission_caller){
		.from = *from,
		.is_known = is_known,
		.is_here = true,
		.order = admission->n_ever++,
	};
	return place;
}

void admission_leave(struct admission *admission, int place)
{
	admission->callers[place].is_here = false;
}
