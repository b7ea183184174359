// SPDX-License-Identifier: GPL-2.0-or-later
/* Computes how many keys a quantum channel has made by a given time, as a pure function. */
#include "supply.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/number.h"

/* Ten years: products of times and counts fit into 64 bits. */
#define SECONDS_MAX	315360000.0
#define KEYS_MAX	1000000000

/* A decimal number from 0 to @max, for example 12 or 0.5. */
static int parse_real(const char *text, double max, const char *what,
		      double *value, struct qlink_why *why)
{
	char *end = NULL;

	*value = strtod(text, &end);
	if (end == text || *end || !isfinite(*value) || *value < 0 ||
	    *value > max) {
		snprintf(why->text, sizeof(why->text),
			 "%s '%.32s' is not a number from 0 to %.0f", what,
			 text, max);
		return -EINVAL;
	}
	return 0;
}

static int parse_ms(const char *text, const char *what, uint64_t *ms,
		    struct qlink_why *why)
{
	double seconds;

	if (parse_real(text, SECONDS_MAX, what, &seconds, why))
		return -EINVAL;
	*ms = (uint64_t)(seconds * 1000);
	return 0;
}

static int parse_keys(const char *text, uint64_t *keys, struct qlink_why *why)
{
	struct qlink_why rule;

	if (!qlink_parse_number(text, 0, KEYS_MAX, keys, &rule))
		return 0;
	snprintf(why->text, sizeof(why->text), "keys '%.32s': %.70s", text,
		 rule.text);
	return -EINVAL;
}

static int parse_fibre(struct supply *supply, char *const *argv,
		       struct qlink_why *why)
{
	supply->kind = SUPPLY_FIBRE;
	return parse_real(argv[0], KEYS_MAX, "rate", &supply->rate, why);
}

static int parse_pass(struct supply *supply, char *const *argv,
		      struct qlink_why *why)
{
	supply->kind = SUPPLY_PASS;
	if (parse_keys(argv[0], &supply->keys, why) ||
	    parse_ms(argv[1], "period", &supply->period_ms, why) ||
	    parse_ms(argv[2], "duration", &supply->duration_ms, why))
		return -EINVAL;
	if (supply->duration_ms && supply->duration_ms <= supply->period_ms)
		return 0;
	snprintf(why->text, sizeof(why->text),
		 "a pass must last longer than 0 s and at most its period");
	return -EINVAL;
}

static int add_step(struct supply *supply, uint64_t at_ms, uint64_t keys)
{
	struct supply_step *steps, *last = NULL;

	if (supply->n_steps) {
		last = &supply->steps[supply->n_steps - 1];
		if (at_ms < last->at_ms)
			return -EINVAL;
		keys += last->total;
	}
	steps = realloc(supply->steps, (supply->n_steps + 1) * sizeof(*steps));
	if (!steps)
		return -ENOMEM;
	steps[supply->n_steps++] = (struct supply_step){ at_ms, keys };
	supply->steps = steps;
	return 0;
}

/* Each line has SECONDS KEYS; "#" starts a comment, and empty lines are ignored. */
static int read_line(struct supply *supply, char *line, unsigned int number,
		     struct qlink_why *why)
{
	char *at, *count, *more, *save = NULL;
	struct qlink_why rule = { "" };
	uint64_t ms, keys;

	line[strcspn(line, "#\n")] = '\0';
	at = strtok_r(line, " \t\r", &save);
	if (!at)
		return 0;
	count = strtok_r(NULL, " \t\r", &save);
	more = strtok_r(NULL, " \t\r", &save);
	if (!count || more) {
		snprintf(why->text, sizeof(why->text),
			 "line %u: must be SECONDS KEYS", number);
		return -EINVAL;
	}
	if (parse_ms(at, "time", &ms, &rule) || parse_keys(count, &keys, &rule)) {
		snprintf(why->text, sizeof(why->text), "line %u: %.100s",
			 number, rule.text);
		return -EINVAL;
	}
	if (!add_step(supply, ms, keys))
		return 0;
	snprintf(why->text, sizeof(why->text),
		 "line %u: time %.32s is before that of the line above", number, at);
	return -EINVAL;
}

static int parse_file(struct supply *supply, char *const *argv,
		      struct qlink_why *why)
{
	unsigned int number = 0;
	char line[256];
	FILE *file;
	int err = 0;

	supply->kind = SUPPLY_FILE;
	file = fopen(argv[0], "re");
	if (!file) {
		err = -errno;
		snprintf(why->text, sizeof(why->text), "file %.80s: %s",
			 argv[0], strerror(errno));
		return err;
	}
	while (!err && fgets(line, sizeof(line), file))
		err = read_line(supply, line, ++number, why);
	fclose(file);
	return err;
}

static int parse_none(struct supply *supply, char *const *argv,
		      struct qlink_why *why)
{
	(void)argv;
	(void)why;
	supply->kind = SUPPLY_NONE;
	return 0;
}

static const struct {
	const char *name;
	int n_args;
	int (*parse)(struct supply *supply, char *const *argv,
		     struct qlink_why *why);
} profiles[] = {
	{ "none", 0, parse_none },
	{ "fibre", 1, parse_fibre },
	{ "pass", 3, parse_pass },
	{ "file", 1, parse_file },
};

int supply_parse(struct supply *supply, int argc, char *const *argv,
		 struct qlink_why *why)
{
	size_t i;
	int err;

	memset(supply, 0, sizeof(*supply));
	for (i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
		if (argc != profiles[i].n_args + 1 ||
		    strcmp(argv[0], profiles[i].name))
			continue;
		err = profiles[i].parse(supply, argv + 1, why);
		if (err)
			supply_free(supply);
		return err;
	}
	snprintf(why->text, sizeof(why->text),
		 "must be none, fibre RATE, pass KEYS PERIOD DURATION or file PATH");
	return -EINVAL;
}

void supply_free(struct supply *supply)
{
	free(supply->steps);
	memset(supply, 0, sizeof(*supply));
}

static uint64_t made_in_passes(const struct supply *supply, uint64_t ms)
{
	uint64_t phase = ms % supply->period_ms;

	if (phase > supply->duration_ms)
		phase = supply->duration_ms;
	return ms / supply->period_ms * supply->keys +
	       (uint64_t)((double)supply->keys * (double)phase /
			  (double)supply->duration_ms);
}

static uint64_t made_in_file(const struct supply *supply, uint64_t ms)
{
	uint64_t total = 0;
	size_t i;

	for (i = 0; i < supply->n_steps && supply->steps[i].at_ms <= ms; i++)
		total = supply->steps[i].total;
	return total;
}

uint64_t supply_made(const struct supply *supply, uint64_t ms)
{
	switch (supply->kind) {
	case SUPPLY_NONE:
		break;
	case SUPPLY_FIBRE:
		return (uint64_t)(supply->rate * (double)ms / 1000);
	case SUPPLY_PASS:
		return made_in_passes(supply, ms);
	case SUPPLY_FILE:
		return made_in_file(supply, ms);
	}
	return 0;
}
