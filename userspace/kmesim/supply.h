/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Computes how many keys a quantum channel has made by a given time, as a pure function. */
#ifndef KMESIM_SUPPLY_H
#define KMESIM_SUPPLY_H

#include <stddef.h>
#include <stdint.h>

#include "common/why.h"


enum supply_kind {
	/* no keys arrive */
	SUPPLY_NONE,
	/* a constant number of keys a second */
	SUPPLY_FIBRE,
	/* a satellite: keys arrive evenly during a pass, and none until the next pass */
	SUPPLY_PASS,
	/* keys arrive as a file says, and none after its last line */
	SUPPLY_FILE,
};

/**
 * struct supply_step - one line of a supply file
 */
struct supply_step {
	/** @at_ms: time since the start of the supply */
	uint64_t at_ms;

	/** @total: keys made by then, by this and all earlier lines */
	uint64_t total;
};

/**
 * struct supply - a supply profile
 */
struct supply {
	/** @kind: which of the members below are used */
	enum supply_kind kind;

	/** @rate: fibre: keys per second */
	double rate;

	/** @keys: pass: keys per pass */
	uint64_t keys;

	/** @period_ms: pass: time from the start of one pass to the start of the next */
	uint64_t period_ms;

	/** @duration_ms: pass: duration of one pass, at most the period */
	uint64_t duration_ms;

	/** @steps: file: its lines in order of time */
	struct supply_step *steps;

	/** @n_steps: file: number of @steps */
	size_t n_steps;
};

/**
 * supply_parse() - parse a profile
 * @supply: filled in; must be freed with supply_free()
 * @argc: number of words
 * @argv: "none", "fibre RATE", "pass KEYS PERIOD DURATION" or "file PATH";
 *	times in seconds
 * @why: filled in on failure
 *
 * Return: 0, or %-EINVAL with @why, or another errno for the file.
 */
int supply_parse(struct supply *supply, int argc, char *const *argv,
		 struct qlink_why *why);

/**
 * supply_free() - free the memory of a profile
 * @supply: from supply_parse(), or all zero
 */
void supply_free(struct supply *supply);

/**
 * supply_made() - count the keys that a supply has made
 * @supply: the profile
 * @ms: time since it started
 *
 * Return: the number of keys; it never falls as @ms grows.
 */
uint64_t supply_made(const struct supply *supply, uint64_t ms);

#endif
