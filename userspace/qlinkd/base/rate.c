// SPDX-License-Identifier: GPL-2.0-or-later
/* How often something may happen: some times at once, and then once in a while. */
#include "rate.h"

void rate_init(struct rate *rate, uint32_t most, uint32_t refill_ms, uint64_t now)
{
	*rate = (struct rate){ .most = most, .refill_ms = refill_ms, .room = most,
				   .refilled = now };
}

bool rate_take(struct rate *rate, uint64_t now)
{
	uint64_t more = (now - rate->refilled) / rate->refill_ms;

	rate->refilled += more * rate->refill_ms;
	rate->room = more > rate->most - rate->room ? rate->most :
							    rate->room + (uint32_t)more;
	if (!rate->room)
		return false;
	rate->room--;
	return true;
}
