// SPDX-License-Identifier: GPL-2.0-or-later
/* Clocks in ms. */
#include "clock.h"

uint64_t clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
