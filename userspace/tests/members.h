/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compares JSON by its members, whose order means nothing. */
#ifndef QLINK_MEMBERS_H
#define QLINK_MEMBERS_H

#include <stdlib.h>

#include <jansson.h>

#include "tap.h"

/**
 * check_members() - check that a value is the one that a text describes
 * @why: what is checked
 * @got: the value
 * @want: JSON
 */
static inline void check_members(const char *why, const json_t *got, const char *want)
{
	json_t *wanted = json_loads(want, 0, NULL);
	char *text = json_dumps(got, JSON_COMPACT);

	CHECK(wanted && json_equal(got, wanted), "%s: got '%s', want '%s'", why, text, want);
	json_decref(wanted);
	free(text);
}

#endif
