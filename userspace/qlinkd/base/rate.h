/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A limit on how often something may happen: a burst at once, then one per interval. */
#ifndef QLINKD_RATE_H
#define QLINKD_RATE_H

#include <stdbool.h>
#include <stdint.h>

/**
 * DOC: Words
 *
 * * burst: how many events may happen at once, after a long time without any
 * * token: permission for one event; an event takes one, time adds them back
 * * refill: the time in which one token is added
 */

/**
 * struct rate - a token bucket
 */
struct rate {
	/** @burst: most tokens that the bucket can hold */
	uint32_t burst;

	/** @refill_ms: ms in which one token is added; above 0 */
	uint32_t refill_ms;

	/** @tokens: events that are allowed now, at most @burst */
	uint32_t tokens;

	/** @refilled: time in ms up to which tokens were added */
	uint64_t refilled;
};

/**
 * rate_init() - start with a full bucket
 * @rate: filled in
 * @burst: most events at once
 * @refill_ms: ms until one more event is allowed; above 0
 * @now: time in ms
 *
 * Context: Pure.
 */
void rate_init(struct rate *rate, uint32_t burst, uint32_t refill_ms, uint64_t now);

/**
 * rate_take() - take a token, if there is one
 * @rate: from rate_init()
 * @now: time in ms, not earlier than in the last call
 *
 * Context: Pure.
 * Return: %true if a token was taken, so the event is allowed.
 */
bool rate_take(struct rate *rate, uint64_t now);

#endif
