// SPDX-License-Identifier: GPL-2.0-or-later
/* How often something may happen: some times at once, and then once in a while. */
#include "rate.h"

void budget_init(struct budget *budget, uint32_t most, uint32_t refill_ms, uint64_t now)
{
	*budget = (struct budget){ .most = most, .refill_ms = refill_ms, .room = most,
				   .refilled = now };
}

bool budget_take(struct budget *budget, uint64_t now)
{
	uint64_t more = (now - budget->refilled) / budget->refill_ms;

	budget->refilled += more * budget->refill_ms;
	budget->room = more > budget->most - budget->room ? budget->most :
							    budget->room + (uint32_t)more;
	if (!budget->room)
		return false;
	budget->room--;
	return true;
}
