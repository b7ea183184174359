// SPDX-License-Identifier: GPL-2.0-or-later
/* Values as RFC 7951 has them in JSON. */
#include "rfc7951.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "libqlink/json.h"
#include "libqlink/names.h"
#include "libqlink/option.h"

/* Room for the name of a member. */
#define NAME_BYTES	64

json_t *rfc7951_number64(uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return json_string(text);
}

json_t *rfc7951_decimal(double value, int digits)
{
	char text[340];

	snprintf(text, sizeof(text), "%.*f", digits, value);
	return json_string(text);
}

json_t *rfc7951_time(time_t seconds)
{
	char text[40];
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S+00:00", &tm))
		return json_null();
	return json_string(text);
}

json_t *rfc7951_bits(const struct qlink_names *names, uint32_t bits)
{
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < names->n; i++)
		if (bits & 1U << i)
			json_array_append_new(list, json_string(qlink_name(names, i)));
	return list;
}

json_t *rfc7951_attr(const struct qlink_attr *attr, const void *object)
{
	char text[QLINK_ATTR_TEXT];

	switch (attr->form) {
	case QLINK_FORM_NUMBER:
		return attr->size > sizeof(uint32_t) ? rfc7951_number64(qlink_attr_number(attr, object)) :
		       json_integer((json_int_t)qlink_attr_number(attr, object));
	case QLINK_FORM_BOOLEAN:
		return json_boolean(qlink_attr_number(attr, object));
	case QLINK_FORM_BITS:
		return rfc7951_bits(attr->names, (uint32_t)qlink_attr_number(attr, object));
	case QLINK_FORM_HEX:
	case QLINK_FORM_NAME:
	case QLINK_FORM_MAC:
	case QLINK_FORM_ADDRESS:
	case QLINK_FORM_UUID:
	case QLINK_FORM_TEXT:
	case QLINK_FORM_BYTES:
		break;
	}
	return json_string(qlink_attr_text(attr, object, text));
}

/* The names of qlink.yang have no underscores. */
static const char *dashes(const char *name, char to[NAME_BYTES])
{
	char *at;

	snprintf(to, NAME_BYTES, "%s", name);
	while ((at = strchr(to, '_')))
		*at = '-';
	return to;
}

json_t *rfc7951_counters(const uint64_t *counters, const char *const *names, unsigned int max)
{
	json_t *object = json_object();
	char name[NAME_BYTES];
	unsigned int i;

	for (i = 0; i <= max; i++)
		if (names[i])
			json_object_set_new(object, dashes(names[i], name), rfc7951_number64(counters[i]));
	return object;
}

static json_t *usage_of(const struct qlink_usage *usage)
{
	json_t *list = json_array(), *entry;
	unsigned int i;

	for (i = 0; i <= QLINK_SOURCE_STATIC; i++) {
		if (!usage[i].frames)
			continue;
		entry = json_object();
		json_object_set_new(entry, "source", json_string(qlink_name(&qlink_sources, i)));
		json_object_set_new(entry, "frames", rfc7951_number64(usage[i].frames));
		json_object_set_new(entry, "bytes", rfc7951_number64(usage[i].bytes));
		json_array_append_new(list, entry);
	}
	return list;
}

json_t *rfc7951_ring(const struct qlink_ring *ring, bool is_tx)
{
	const struct qlink_attr *attr = qlink_ring_attrs.attrs;
	json_t *object = json_object();
	size_t i;

	for (i = 0; i < qlink_ring_attrs.n; i++, attr++)
		if (qlink_json_ring_has(ring, attr->type, is_tx))
			json_object_set_new(object, attr->name, rfc7951_attr(attr, ring));
	json_object_set_new(object, "usage", usage_of(ring->usage));
	return object;
}

void rfc7951_numbers(json_t *to, const json_t *from)
{
	const json_t *value;
	char to_name[NAME_BYTES];
	const char *name;

	json_object_foreach((json_t *)from, name, value)
		if (json_is_integer(value))
			json_object_set_new(to, dashes(name, to_name), rfc7951_number64((uint64_t)json_integer_value(value)));
}
