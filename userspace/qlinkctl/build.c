// SPDX-License-Identifier: GPL-2.0-or-later
/* Builds a JSON object for the functions of libqlink that write one. */
#include "build.h"

void build_add(struct build *build, const char *name, json_t *value)
{
	json_object_set_new(build->open[build->depth - 1], name, value);
}

static void open_object(void *arg, const char *name)
{
	struct build *build = arg;
	json_t *object = json_object(), *outer = build->open[build->depth - 1];

	/* Without memory the object is gone, and nothing can be added to it. */
	if (json_object_set_new(outer, name, object))
		object = NULL;
	build->open[build->depth++] = object;
}

static void close_object(void *arg)
{
	struct build *build = arg;

	build->depth--;
}

static void add_number(void *arg, const char *name, uint64_t value)
{
	build_add(arg, name, json_integer((json_int_t)value));
}

static void add_text(void *arg, const char *name, const char *value)
{
	build_add(arg, name, json_string(value));
}

static void add_boolean(void *arg, const char *name, bool value)
{
	build_add(arg, name, json_boolean(value));
}

static void add_bits(void *arg, const char *name, const struct qlink_names *names,
		     uint32_t bits)
{
	json_t *array = json_array();
	unsigned int i;

	for (i = 0; i < 32; i++)
		if (bits & 1U << i)
			json_array_append_new(array, json_string(qlink_name(names, i)));
	build_add(arg, name, array);
}

const struct qlink_json *build_begin(struct build *build)
{
	*build = (struct build){
		.json = {
			.open = open_object, .close = close_object, .number = add_number,
			.text = add_text, .boolean = add_boolean, .bits = add_bits,
			.arg = build,
		},
		.open = { json_object() }, .depth = 1,
	};
	return &build->json;
}

json_t *build_end(struct build *build)
{
	return build->open[0];
}
