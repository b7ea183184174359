// SPDX-License-Identifier: GPL-2.0-or-later
/* How long to wait before something that has failed is tried again. */
#include "backoff.h"

uint32_t backoff_next(struct backoff *backoff, uint32_t random)
{
	uint32_t wait = BACKOFF_MIN_MS, i;

	for (i = 0; i < backoff->n && wait < BACKOFF_MAX_MS; i++)
		wait *= 2;
	if (wait > BACKOFF_MAX_MS)
		wait = BACKOFF_MAX_MS;
	if (backoff->n < UINT32_MAX)
		backoff->n++;
	return wait / 2 + random % (wait / 2 + 1);
}

void backoff_reset(struct backoff *backoff)
{
	backoff->n = 0;
}
