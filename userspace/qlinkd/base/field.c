// SPDX-License-Identifier: GPL-2.0-or-later
/* Named values of an event, and the one way in which words of others are escaped. */
#include "field.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int escape_byte(char to[FIELD_ESCAPE_MAX + 1], unsigned char c, enum field_style style)
{
	if (c == '"' || c == '\\')
		return snprintf(to, FIELD_ESCAPE_MAX + 1, "\\%c", c);
	if (c >= ' ' && c <= '~') {
		to[0] = (char)c;
		return 1;
	}
	return snprintf(to, FIELD_ESCAPE_MAX + 1,
			style == FIELD_STYLE_JSON ? "\\u%04x" : "\\x%02x", c);
}

size_t field_escape(char *to, size_t room, const char *text, size_t len, enum field_style style)
{
	char escaped[FIELD_ESCAPE_MAX + 1];
	size_t written = 0, i, n;

	for (i = 0; i < len; i++) {
		n = (size_t)escape_byte(escaped, (unsigned char)text[i], style);
		if (written + n >= room)
			break;
		memcpy(to + written, escaped, n);
		written += n;
	}
	to[written] = '\0';
	return written;
}

void field_make_printable(char *text, const char *except)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~' || strchr(except, *text))
			*text = '?';
	}
}

static int put_value(char *to, size_t room, const struct log_field *field)
{
	size_t len;

	if (field->list)
		return snprintf(to, room, "[%s]", field->list);
	if (!field->text)
		return snprintf(to, room, "%" PRIu64, field->number);
	if (room < 3)
		return (int)room;
	to[0] = '"';
	len = 1 + field_escape(to + 1, room - 2, field->text, strlen(field->text),
			       FIELD_STYLE_JSON);
	return (int)len + snprintf(to + len, room - len, "\"");
}

size_t field_json(char *to, size_t room, const struct log_field *fields)
{
	size_t len = 0;

	to[0] = '\0';
	for (; fields->name; fields++) {
		len += (size_t)snprintf(to + len, room - len, "%s\"%s\":", len ? "," : "",
					fields->name);
		if (len >= room)
			return 0;
		len += (size_t)put_value(to + len, room - len, fields);
		if (len >= room)
			return 0;
	}
	return len;
}
