// SPDX-License-Identifier: GPL-2.0-or-later
/* A limit on how often something may happen: a burst at once, then one per interval. */
#include "rate.h"

void rate_init(struct rate *rate, uint32_t burst, uint32_t refill_ms, uint64_t now)
{
	*rate = (struct rate){
		.burst = burst,
		.refill_ms = refill_ms,
		.tokens = burst,
		.refilled = now,
	};
}

bool rate_take(struct rate *rate, uint64_t now)
{
	uint64_t more = (now - rate->refilled) / rate->refill_ms;

	rate->refilled += more * rate->refill_ms;
	if (more > rate->burst - rate->tokens)
		rate->tokens = rate->burst;
	else
		rate->tokens += (uint32_t)more;
	if (!rate->tokens)
		return false;
	rate->tokens--;
	return true;
}
