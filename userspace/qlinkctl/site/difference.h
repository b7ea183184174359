/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What another configuration of a site would change. */
#ifndef QLINKCTL_DIFFERENCE_H
#define QLINKCTL_DIFFERENCE_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "site.h"

/**
 * struct difference - an option that has another value
 */
struct difference {
	/** @path: kind, name and option, as in "device/qlink0/remote"; on the heap */
	char *path;

	/** @from: the value now, %NULL for none; on the heap */
	char *from;

	/** @to: the value to be, %NULL for none; on the heap */
	char *to;
};

/**
 * struct differences - all of them; all zero for none
 */
struct differences {
	/** @items: in the order of the sections */
	struct difference *items;

	/** @n: how many */
	size_t n;
};

/**
 * difference_add() - add one
 * @differences: the list
 * @section: whose option it is
 * @option: its name, or %NULL for the section as a whole
 * @from: the value now, or %NULL; copied
 * @to: the value to be, or %NULL; copied
 *
 * Return: 0, or %-ENOMEM.
 */
int difference_add(struct differences *differences, const struct site_section *section, const char *option,
		   const char *from, const char *to);

/**
 * difference_find() - compare two configurations
 * @differences: what differs is added; freed with difference_free(), also on failure
 * @now: the one in force
 * @next: the one to be
 *
 * An option of the agent that is not given has its default: leaving it out and giving the
 * default are the same. An option of a device that @next leaves out is not touched, and is
 * no difference.
 *
 * Return: 0, or %-ENOMEM.
 */
int difference_find(struct differences *differences, const struct site *now, const struct site *next);

/**
 * difference_touches() - ask whether a section differs
 * @differences: the list
 * @kind: of the section
 * @name: of the section
 *
 * Return: whether one of its options differs, or the section as a whole.
 */
bool difference_touches(const struct differences *differences, enum site_kind kind, const char *name);

/**
 * difference_print() - print one line for each
 * @differences: the list
 * @to: where it goes
 */
void difference_print(const struct differences *differences, FILE *to);

/**
 * difference_json() - list them for scripts
 * @differences: the list
 *
 * Return: an array of objects with path, from and to, which the caller frees; or %NULL without memory.
 */
json_t *difference_json(const struct differences *differences);

/**
 * difference_free() - free the list
 * @differences: empty afterwards
 */
void difference_free(struct differences *differences);

#endif
