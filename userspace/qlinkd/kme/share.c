// SPDX-License-Identifier: GPL-2.0-or-later
/* One end's share of a pool of keys that both ends draw from; no I/O. */
#include "share.h"

/* A count that was the same so often in a row, although keys came, does not count the pool. */
#define SAME_MAX	3

void share_init(struct share *share)
{
	*share = (struct share){ .count = -1 };
}

void share_counted(struct share *share, int64_t count, int64_t now_ms)
{
	if (share->came)
		share->n_same = count == share->count ? share->n_same + 1 : 0;
	share->count = count;
	share->at_ms = now_ms;
	share->came = 0;
}

void share_came(struct share *share, uint64_t n)
{
	share->came += n;
}

bool share_is_known(const struct share *share)
{
	return share->count > 0 && share->n_same < SAME_MAX;
}

bool share_is_old(const struct share *share, int64_t now_ms)
{
	/* An empty pool has keys now, as after a gap of hours: how many, before one end takes them all. */
	if (!share->count && share->came && share->n_same < SAME_MAX)
		return true;
	return share_is_known(share) && now_ms - share->at_ms >= SHARE_FRESH_MS;
}

uint64_t share_most(const struct share *share, uint64_t held, uint64_t least)
{
	uint64_t left = (uint64_t)share->count - share->came;

	if (!share_is_known(share))
		return UINT64_MAX;
	if (share->came >= (uint64_t)share->count)
		return 0;
	if (held < least)
		return (left + 1) / 2;
	return left > held ? (left - held) / 2 : 0;
}
