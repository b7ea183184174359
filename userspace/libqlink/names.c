// SPDX-License-Identifier: GPL-2.0-or-later
/* The names of values of enums, for people and scripts. */
#include "names.h"

#include <stdio.h>
#include <string.h>

const char *qlink_name(const struct qlink_names *names, unsigned int value)
{
	return value < names->n ? names->names[value] : "unknown";
}

int qlink_name_find(const struct qlink_names *names, const char *text,
		    size_t len)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		if (strlen(names->names[i]) == len &&
		    !memcmp(names->names[i], text, len))
			return (int)i;
	return -1;
}

void qlink_name_list(const struct qlink_names *names, char *buf, size_t size)
{
	size_t i, at = 0;

	if (size)
		buf[0] = '\0';
	for (i = 0; i < names->n && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, "%s%s",
				       i ? ", " : "", names->names[i]);
}
