/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How often something may happen: some times at once, and then once in a while. */
#ifndef QLINKD_RATE_H
#define QLINKD_RATE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct rate - what is left of it
 */
struct rate {
	/** @most: times at once */
	uint32_t most;

	/** @refill_ms: until there is room for one more; above 0 */
	uint32_t refill_ms;

	/** @room: times from now on */
	uint32_t room;

	/** @refilled: ms until which @room was counted */
	uint64_t refilled;
};

/**
 * rate_init() - begin with all of it
 * @rate: filled in
 * @most: times at once
 * @refill_ms: until there is room for one more; above 0
 * @now: time in ms
 */
void rate_init(struct rate *rate, uint32_t most, uint32_t refill_ms, uint64_t now);

/**
 * rate_take() - take one, if there is one
 * @rate: from rate_init()
 * @now: time in ms, not before that of the last call
 *
 * Return: whether there was.
 */
bool rate_take(struct rate *rate, uint64_t now);

#endif
