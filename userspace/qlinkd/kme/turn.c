// SPDX-License-Identifier: GPL-2.0-or-later
/* When an end may ask a KME that fails if both ends ask at the same time; no I/O. */
#include "turn.h"

#include <strings.h>

void turn_init(struct turn *turn, uint32_t ms, const char *own, const char *peer)
{
	turn->ms = ms;
	/* Names have ASCII letters only, and the agent has no locale. */
	turn->is_second = ms && strcasecmp(own, peer) > 0;
}

bool turn_same(const struct turn *a, const struct turn *b)
{
	return a->ms == b->ms && a->is_second == b->is_second;
}

uint32_t turn_wait(const struct turn *turn, uint64_t wall_ms)
{
	uint32_t into, round = 2 * turn->ms;

	if (!turn->ms)
		return 0;
	/* How far the time is into two slots that begin with our own. */
	into = (uint32_t)((wall_ms + (turn->is_second ? turn->ms : 0)) % round);
	return into < turn->ms / 2 ? 0 : round - into;
}

uint32_t turn_limit(const struct turn *turn, uint32_t limit_ms)
{
	uint32_t most = turn->ms / 8 * 3;

	return turn->ms && most < limit_ms ? most : limit_ms;
}
