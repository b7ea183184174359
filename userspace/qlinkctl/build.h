/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds a JSON object for the functions of libqlink that write one. */
#ifndef QLINKCTL_BUILD_H
#define QLINKCTL_BUILD_H

#include <jansson.h>

#include "libqlink/json.h"

/* Objects inside each other: a link, a ring, its usage, a source. */
#define BUILD_DEPTH	8

/**
 * struct build - a JSON object that is being built
 */
struct build {
	/** @json: functions that add to it */
	struct qlink_json json;

	/** @open: the object, and those inside it that are open */
	json_t *open[BUILD_DEPTH];

	/** @depth: how many are open */
	size_t depth;
};

/**
 * build_begin() - begin an object
 * @build: filled in
 *
 * Return: the functions that add to it.
 */
const struct qlink_json *build_begin(struct build *build);

/**
 * build_add() - add a value of any type
 * @build: the object
 * @name: of the member
 * @value: taken over
 */
void build_add(struct build *build, const char *name, json_t *value);

/**
 * build_end() - end an object
 * @build: the object, with none open inside it
 *
 * Return: the object, which the caller frees; %NULL if memory was short.
 */
json_t *build_end(struct build *build);

#endif
