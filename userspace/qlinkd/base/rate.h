/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How often something may happen: some times at once, and then once in a while. */
#ifndef QLINKD_BUDGET_H
#define QLINKD_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct budget - what is left of it
 */
struct budget {
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
 * budget_init() - begin with all of it
 * @budget: filled in
 * @most: times at once
 * @refill_ms: until there is room for one more; above 0
 * @now: time in ms
 */
void budget_init(struct budget *budget, uint32_t most, uint32_t refill_ms, uint64_t now);

/**
 * budget_take() - take one, if there is one
 * @budget: from budget_init()
 * @now: time in ms, not before that of the last call
 *
 * Return: whether there was.
 */
bool budget_take(struct budget *budget, uint64_t now);

#endif
