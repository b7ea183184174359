/* SPDX-License-Identifier: GPL-2.0 */
/* Choices: by the bytes of a fuzzer's input, or at random. */
#ifndef DICE_H
#define DICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dice {
	/* what is left of an input; NULL for random choices */
	const uint8_t *at, *end;
	/* of the random choices; never 0 */
	uint64_t state;
};

static inline struct dice dice_of_input(const uint8_t *data, size_t size)
{
	return (struct dice){ data, data + size, 1 };
}

static inline struct dice dice_of_seed(uint64_t seed)
{
	return (struct dice){ NULL, NULL, seed * 0x9e3779b97f4a7c15ULL | 1 };
}

/* Whether an input is used up: all choices are 0 from then on. */
static inline bool dice_is_over(const struct dice *dice) { return dice->at && dice->at == dice->end; }

/* xorshift64 */
static inline uint64_t dice_random(struct dice *dice)
{
	dice->state ^= dice->state << 13;
	dice->state ^= dice->state >> 7;
	return dice->state ^= dice->state << 17;
}

static inline uint8_t dice_byte(struct dice *dice) { return dice->at == dice->end ? 0 : *dice->at++; }

/* A number below n, which is 65536 at most. */
static inline uint32_t dice_roll(struct dice *dice, uint32_t n)
{
	uint32_t value;

	if (!dice->at)
		return (uint32_t)((dice_random(dice) >> 32) * n >> 32);
	value = dice_byte(dice);
	if (n > 256)
		value = value << 8 | dice_byte(dice);
	return value % n;
}

/* One time in n; never when an input is used up. */
static inline bool dice_hits(struct dice *dice, uint32_t n) { return dice_roll(dice, n) == 1; }

#endif
