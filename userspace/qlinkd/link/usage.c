// SPDX-License-Identifier: GPL-2.0-or-later
/* How many of something are used a second, over the last minute or two; no I/O. */
#include "usage.h"

/* Begins a window where the present one has lasted long enough. Nothing is left of one before a pause. */
static void turn(struct usage *usage, uint64_t now)
{
	uint64_t ms = now - usage->began;

	if (usage->began && ms < USAGE_WINDOW_MS)
		return;
	usage->before_ms = usage->began && ms < 2 * USAGE_WINDOW_MS ? ms : 0;
	usage->before = usage->before_ms ? usage->n : 0;
	usage->n = 0;
	usage->began = now;
}

void usage_add(struct usage *usage, uint64_t n, uint64_t now)
{
	turn(usage, now);
	usage->n += n;
}

double usage_rate(const struct usage *usage, uint64_t now)
{
	struct usage present = *usage;
	uint64_t ms;

	if (!usage->began)
		return 0;
	turn(&present, now);
	ms = present.before_ms + (now - present.began);
	/* What was used in the first second is no rate yet. */
	return (double)(present.n + present.before) * 1000 / (double)(ms < 1000 ? 1000 : ms);
}
