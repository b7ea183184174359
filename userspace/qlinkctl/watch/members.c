// SPDX-License-Identifier: GPL-2.0-or-later
/* Members of qlinkd's answers. */
#include "members.h"

#include <stdint.h>
#include <stdio.h>

const char *member_text(const json_t *object, const char *name, const char *none)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value ? value : none;
}

long long member_number(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

long long member_both(const json_t *link, const char *name)
{
	return member_number(json_object_get(link, "tx"), name) +
	       member_number(json_object_get(link, "rx"), name);
}

const char *member_source(const json_t *ring, const char *none, char to[QLINK_SOURCE_TEXT])
{
	const char *source = member_text(ring, "source", none);
	long long kmes = member_number(ring, "kmes");

	if (kmes <= 1 || kmes > UINT8_MAX)
		return source;
	snprintf(to, QLINK_SOURCE_TEXT, "%.8s%u", source, (uint8_t)kmes);
	return to;
}
