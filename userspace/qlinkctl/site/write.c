// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes the document of a site. */
#include "write.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "leaf.h"
#include "qlinkd/config/config.h"

static json_t *list_of(const char *value, char separator)
{
	json_t *list = json_array();
	size_t len;

	for (; *value; value += len + (value[len] == separator)) {
		len = strcspn(value, (const char[]){ separator, '\0' });
		json_array_append_new(list, json_stringn(value, len));
	}
	return list;
}

static json_t *value_of(const struct leaf *leaf, const char *value)
{
	bool is_digits = *value && !value[strspn(value, "0123456789")];

	switch (leaf->form) {
	case LEAF_NUMBER:
	case LEAF_INHERIT:
		return is_digits ? json_integer(strtoll(value, NULL, 10)) : json_string(value);
	case LEAF_BOOLEAN:
		return json_boolean(!strcmp(value, leaf->yes));
	case LEAF_LIST:
		return list_of(value, leaf->separator);
	case LEAF_TEXT:
	case LEAF_NUMBER64:
		break;
	}
	return json_string(value);
}

static void set_options(json_t *object, const struct site_section *section)
{
	const struct site_option *option = section->options;
	struct leaf leaf;
	size_t i;

	for (i = 0; i < section->n_options; i++, option++)
		if (leaf_find(section->kind, option->name, &leaf))
			json_object_set_new(object, option->name, value_of(&leaf, option->value));
}

static json_t *entry_of(const struct site_section *section)
{
	json_t *entry = json_object();

	json_object_set_new(entry, "name", json_string(section->name));
	set_options(entry, section);
	return entry;
}

static json_t *find_interface(const json_t *document, const char *name)
{
	const json_t *list = json_object_get(json_object_get(document, WRITE_INTERFACES), "interface");
	json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
		if (!strcmp(json_string_value(json_object_get(entry, "name")), name))
			return entry;
	return NULL;
}

json_t *write_interface(json_t *document, const char *name)
{
	json_t *interfaces = json_object_get(document, WRITE_INTERFACES);
	json_t *entry = find_interface(document, name);

	if (entry)
		return entry;
	if (!interfaces) {
		interfaces = json_object();
		json_object_set_new(interfaces, "interface", json_array());
		json_object_set_new(document, WRITE_INTERFACES, interfaces);
	}
	entry = json_object();
	json_object_set_new(entry, "name", json_string(name));
	json_object_set_new(entry, "type", json_string(WRITE_TYPE));
	json_array_append_new(json_object_get(interfaces, "interface"), entry);
	return entry;
}

static void put_link(json_t *document, const struct site_section *section)
{
	json_t *entry = write_interface(document, section->name), *part = json_object();

	if (section->kind == SITE_DEVICE)
		json_object_set_new(entry, "enabled", json_boolean(site_get(section, "up")));
	set_options(part, section);
	json_object_set_new(entry, section->kind == SITE_DEVICE ? WRITE_LINK : WRITE_KEYS, part);
}

static json_t *list_of_kind(const struct site *site, enum site_kind kind)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < site->n_sections; i++)
		if (site->sections[i].kind == kind)
			json_array_append_new(list, entry_of(&site->sections[i]));
	return list;
}

static void put_list(json_t *agent, const struct site *site, enum site_kind kind)
{
	json_t *list = list_of_kind(site, kind);

	if (json_array_size(list))
		json_object_set(agent, config_sections[kind].name, list);
	json_decref(list);
}

static void put_agent(json_t *document, const struct site *site)
{
	const struct site_section *section = site_find(site, SITE_AGENT, "");
	json_t *agent = json_object();

	if (section)
		set_options(agent, section);
	put_list(agent, site, SITE_KME);
	put_list(agent, site, SITE_PEER);
	if (json_object_size(agent))
		json_object_set(document, WRITE_AGENT, agent);
	json_decref(agent);
}

json_t *write_document(const struct site *site)
{
	static const enum site_kind kinds[] = { SITE_DEVICE, SITE_LINK };
	json_t *document = json_object();
	size_t i, k;

	for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		for (i = 0; i < site->n_sections; i++)
			if (site->sections[i].kind == kinds[k])
				put_link(document, &site->sections[i]);
	put_agent(document, site);
	return document;
}
