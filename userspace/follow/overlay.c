// SPDX-License-Identifier: GPL-2.0-or-later
/* What all sites have in common, and what one site has, in one document. */
#include "overlay.h"

#include <stdbool.h>
#include <string.h>

static const char *name_of(const json_t *entry)
{
	return json_string_value(json_object_get(entry, "name"));
}

static bool is_list(const json_t *array)
{
	size_t i;

	for (i = 0; i < json_array_size(array); i++) {
		if (!name_of(json_array_get(array, i)))
			return false;
	}
	return json_is_array(array);
}

static json_t *find_entry(const json_t *list, const char *name)
{
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		if (!strcmp(name_of(json_array_get(list, i)), name))
			return json_array_get(list, i);
	}
	return NULL;
}

static int merge_value(json_t *site, const json_t *common);

static int merge_object(json_t *site, const json_t *common)
{
	const char *name;
	json_t *value, *own;
	int err = 0;

	json_object_foreach((json_t *)common, name, value) {
		own = json_object_get(site, name);
		err |= own ? merge_value(own, value) : json_object_set_new(site, name, json_deep_copy(value));
	}
	return err;
}

static int merge_list(json_t *site, const json_t *common)
{
	json_t *entry, *own;
	size_t i;
	int err = 0;

	json_array_foreach((json_t *)common, i, entry) {
		own = find_entry(site, name_of(entry));
		err |= own ? merge_object(own, entry) : json_array_append_new(site, json_deep_copy(entry));
	}
	return err;
}

/* An array without entries is a list if the other one is. */
static int merge_value(json_t *site, const json_t *common)
{
	if (json_is_object(site) && json_is_object(common))
		return merge_object(site, common);
	if (json_array_size(common) && is_list(site) && is_list(common))
		return merge_list(site, common);
	return 0;
}

json_t *overlay_documents(const json_t *common, const json_t *site)
{
	json_t *document = json_deep_copy(site);

	if (document && common && merge_value(document, common)) {
		json_decref(document);
		return NULL;
	}
	return document;
}
