// SPDX-License-Identifier: GPL-2.0-or-later
/* What doctor looks at: the machine, its links, and what the agent says. */
#include "machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const json_t *fact(const json_t *object, const char *path)
{
	char name[64];
	size_t len;

	while (object && *path) {
		len = strcspn(path, ".");
		snprintf(name, sizeof(name), "%.*s", (int)len, path);
		object = json_object_get(object, name);
		path += len + (path[len] == '.');
	}
	return object;
}

const char *fact_text(const json_t *object, const char *path)
{
	return json_string_value(fact(object, path)) ?: "";
}

bool fact_is(const json_t *object, const char *path, const char *text)
{
	const char *value = json_string_value(fact(object, path));

	return value && !strcmp(value, text);
}

long long fact_number(const json_t *object, const char *path)
{
	return json_integer_value(fact(object, path));
}

const json_t *fact_find(const json_t *array, const char *path, const char *text)
{
	const json_t *object;
	size_t i;

	json_array_foreach(array, i, object) {
		if (fact_is(object, path, text))
			return object;
	}
	return NULL;
}

bool fact_lists(const json_t *array, const char *text)
{
	const json_t *element;
	size_t i;

	json_array_foreach(array, i, element) {
		if (json_is_string(element) && !strcmp(json_string_value(element), text))
			return true;
	}
	return false;
}

long long fact_growth(const struct facts *facts, const char *path)
{
	const json_t *now = fact(facts->link, path), *before = fact(facts->before, path);

	if (!json_is_integer(now) || !json_is_integer(before))
		return 0;
	return json_integer_value(now) - json_integer_value(before);
}

/* Names of devices, files and certificates may have any byte, and come to a terminal. */
void text_clean(char *text)
{
	json_t *valid = json_string(text);
	unsigned char *at;

	for (at = (unsigned char *)text; *at; at++) {
		if (*at < ' ' || *at == 0x7f || (*at > 0x7f && !valid))
			*at = '?';
		else if (*at == 0xc2 && at[1] < 0xa0)
			at[0] = at[1] = '?';
	}
	json_decref(valid);
}

void machine_unseen(struct machine *machine, const char *format, ...)
{
	va_list ap;

	if (machine->n_unseen == UNSEEN_MAX)
		return;
	va_start(ap, format);
	vsnprintf(machine->unseen[machine->n_unseen], sizeof(machine->unseen[0]), format, ap);
	va_end(ap);
	text_clean(machine->unseen[machine->n_unseen++]);
}
