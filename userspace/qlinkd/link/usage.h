/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many of something are used a second, over the last minute or two; no I/O. */
#ifndef QLINKD_USAGE_H
#define QLINKD_USAGE_H

#include <stdint.h>

/* How long one of the two windows is that a rate is taken of, in ms. */
#define USAGE_WINDOW_MS	60000

/**
 * struct usage - counts of the present window and of the one before it; all zero to begin with
 *
 * Times are in ms on any clock that does not go back.
 */
struct usage {
	/** @began: of the present window; 0 before the first use */
	uint64_t began;

	/** @n: used since */
	uint64_t n;

	/** @before: used in the window before it */
	uint64_t before;

	/** @before_ms: how long that was, 0 for none */
	uint64_t before_ms;
};

/**
 * usage_add() - note what was used
 * @usage: the counts
 * @n: how many
 * @now: time in ms, above 0
 */
void usage_add(struct usage *usage, uint64_t n, uint64_t now);

/**
 * usage_rate() - say how many were used a second
 * @usage: the counts
 * @now: time in ms
 *
 * Return: the mean over the present window and the one before it; 0 if nothing was used.
 */
double usage_rate(const struct usage *usage, uint64_t now);

#endif
