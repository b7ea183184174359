/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many keys a quantum channel has made by a given time; pure. */
#ifndef KMESIM_SUPPLY_H
#define KMESIM_SUPPLY_H

#include <stddef.h>
#include <stdint.h>

#include "common/why.h"


enum supply_kind {
	/* nothing comes */
	SUPPLY_NONE,
	/* so many keys a second, for ever */
	SUPPLY_FIBRE,
	/* a satellite: so many keys while it passes, then nothing until the next */
	SUPPLY_PASS,
	/* what a file says, then nothing */
	SUPPLY_FILE,
};

/**
 * struct supply_step - one line of a supply file
 */
struct supply_step {
	/** @at_ms: when, from the start of the supply */
	uint64_t at_ms;

	/** @total: keys made until then, all lines so far */
	uint64_t total;
};

/**
 * struct supply - a supply profile
 */
struct supply {
	/** @kind: which of the members below count */
	enum supply_kind kind;

	/** @rate: fibre: keys a second */
	double rate;

	/** @keys: pass: keys of one pass */
	uint64_t keys;

	/** @period_ms: pass: from the start of one to the start of the next */
	uint64_t period_ms;

	/** @duration_ms: pass: how long one lasts, at most the period */
	uint64_t duration_ms;

	/** @steps: file: its lines, in order of time */
	struct supply_step *steps;

	/** @n_steps: file: how many */
	size_t n_steps;
};

/**
 * supply_parse() - read a profile from words
 * @supply: filled in; freed with supply_free()
 * @argc: words
 * @argv: "none", "fibre RATE", "pass KEYS PERIOD DURATION" or "file PATH";
 *	times in seconds
 * @why: filled in on failure
 *
 * Return: 0, or %-EINVAL with @why, or another errno for the file.
 */
int supply_parse(struct supply *supply, int argc, char *const *argv,
		 struct qlink_why *why);

/**
 * supply_free() - free what a profile holds
 * @supply: from supply_parse(), or all zero
 */
void supply_free(struct supply *supply);

/**
 * supply_made() - count the keys that a supply has made
 * @supply: the profile
 * @ms: time since it started
 *
 * Return: keys; never less for a later time.
 */
uint64_t supply_made(const struct supply *supply, uint64_t ms);

#endif
