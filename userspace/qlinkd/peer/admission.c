// SPDX-License-Identifier: GPL-2.0-or-later
/* Which callers may be in the handshake, so that a flood of callers cannot keep a peer out. */
#include "admission.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

/* Bytes of an address that identify a host; in IPv6 its /64, because it can choose the rest. */
static size_t host_bytes(const struct qlink_addr *addr)
{
	return addr->len == 4 ? 4 : 8;
}

static bool is_same(const struct qlink_addr *a, const struct qlink_addr *b)
{
	return a->len == b->len && !memcmp(a->bytes, b->bytes, host_bytes(a));
}

static int free_slot(const struct admission *admission)
{
	int i;

	for (i = 0; i < ADMISSION_MAX; i++) {
		if (!admission->callers[i].is_used)
			return i;
	}
	return -EBUSY;
}

/* Returns the oldest caller of an address, and in @n how many callers it has. */
static int oldest_same(const struct admission *admission, const struct qlink_addr *from,
		       unsigned int *n)
{
	int i, oldest = -EBUSY;

	*n = 0;
	for (i = 0; i < ADMISSION_MAX; i++) {
		if (!admission->callers[i].is_used || !is_same(&admission->callers[i].from, from))
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
	return free_slot(admission) >= 0 || oldest_unknown(admission) >= 0;
}

static int find_slot(const struct admission *admission, const struct qlink_addr *from)
{
	unsigned int n_same;
	int slot = oldest_same(admission, from, &n_same);

	if (n_same >= ADMISSION_SAME_MAX)
		return slot;
	slot = free_slot(admission);
	return slot < 0 ? oldest_unknown(admission) : slot;
}

void admission_init(struct admission *admission, uint64_t now)
{
	memset(admission, 0, sizeof(*admission));
	rate_init(&admission->unknown, ADMISSION_UNKNOWN_BURST, ADMISSION_UNKNOWN_MS, now);
}

int admission_enter(struct admission *admission, const struct qlink_addr *from, bool is_known,
		    uint64_t now, bool *evicts)
{
	int slot;

	*evicts = false;
	if (!is_known && !rate_take(&admission->unknown, now))
		return -EBUSY;
	slot = find_slot(admission, from);
	if (slot < 0)
		return slot;
	*evicts = admission->callers[slot].is_used;
	admission->callers[slot] = (struct admission_caller){
		.from = *from,
		.is_known = is_known,
		.is_used = true,
		.order = admission->n_ever++,
	};
	return slot;
}

void admission_leave(struct admission *admission, int slot)
{
	admission->callers[slot].is_used = false;
}
