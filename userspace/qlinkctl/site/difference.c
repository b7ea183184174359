// SPDX-License-Identifier: GPL-2.0-or-later
/* What another configuration of a site would change. */
#include "difference.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "default.h"

static const char *const kinds[] = {
	[SITE_AGENT] = "agent",
	[SITE_KME] = "kme",
	[SITE_PEER] = "peer",
	[SITE_LINK] = "link",
	[SITE_DEVICE] = "device",
};

/* ---- the list ---- */

/* As in "kme/rack/url". There is one agent only, without a name. */
static char *path_of(enum site_kind kind, const char *name, const char *option)
{
	char *path;

	if (asprintf(&path, "%s%s%s%s%s", kinds[kind], *name ? "/" : "", name, option ? "/" : "", option ?: "") < 0)
		return NULL;
	return path;
}

int difference_add(struct differences *differences, const struct site_section *section, const char *option,
		   const char *from, const char *to)
{
	struct difference *items, *item;

	items = reallocarray(differences->items, differences->n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	differences->items = items;
	item = &items[differences->n++];
	*item = (struct difference){
		.path = path_of(section->kind, section->name, option),
		.from = from ? strdup(from) : NULL,
		.to = to ? strdup(to) : NULL,
	};
	return !item->path || (from && !item->from) || (to && !item->to) ? -ENOMEM : 0;
}

void difference_free(struct differences *differences)
{
	size_t i;

	for (i = 0; i < differences->n; i++) {
		free(differences->items[i].path);
		free(differences->items[i].from);
		free(differences->items[i].to);
	}
	free(differences->items);
	*differences = (struct differences){ 0 };
}

bool difference_touches(const struct differences *differences, enum site_kind kind, const char *name)
{
	char *path = path_of(kind, name, NULL);
	bool touches = false;
	size_t i, n = path ? strlen(path) : 0;

	for (i = 0; path && i < differences->n && !touches; i++)
		touches = !strncmp(differences->items[i].path, path, n) &&
			  (!differences->items[i].path[n] || differences->items[i].path[n] == '/');
	free(path);
	return touches;
}

/* ---- the comparison ---- */

/* A value, or the default that takes its place. */
static const char *effective(const struct site_section *section, const char *option)
{
	return site_get(section, option) ?: site_default(section->kind, option);
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* An option that @next has. */
static int compare_given(struct differences *differences, const struct site_section *now,
			 const struct site_section *next, const struct site_option *option)
{
	if (is_same(effective(now, option->name), option->value))
		return 0;
	return difference_add(differences, next, option->name, site_get(now, option->name), option->value);
}

/* An option that @now has, and @next leaves out. */
static int compare_dropped(struct differences *differences, const struct site_section *next,
			   const struct site_option *option)
{
	if (is_same(option->value, effective(next, option->name)))
		return 0;
	return difference_add(differences, next, option->name, option->value, NULL);
}

static int compare_sections(struct differences *differences, const struct site_section *now,
			    const struct site_section *next)
{
	int err = 0;
	size_t i;

	for (i = 0; i < next->n_options && !err; i++)
		err = compare_given(differences, now, next, &next->options[i]);
	for (i = 0; i < now->n_options && !err && next->kind != SITE_DEVICE; i++)
		if (!site_get(next, now->options[i].name))
			err = compare_dropped(differences, next, &now->options[i]);
	return err;
}

/* A new section: itself, and all that it says. */
static int list_section(struct differences *differences, const struct site_section *section)
{
	int err = difference_add(differences, section, NULL, NULL, "");
	size_t i;

	for (i = 0; i < section->n_options && !err; i++)
		err = difference_add(differences, section, section->options[i].name, NULL, section->options[i].value);
	return err;
}

int difference_find(struct differences *differences, const struct site *now, const struct site *next)
{
	const struct site_section *section, *other;
	int err = 0;
	size_t i;

	for (i = 0; i < next->n_sections && !err; i++) {
		section = &next->sections[i];
		other = site_find(now, section->kind, section->name);
		err = other ? compare_sections(differences, other, section) :
			      list_section(differences, section);
	}
	for (i = 0; i < now->n_sections && !err; i++) {
		section = &now->sections[i];
		if (!site_find(next, section->kind, section->name))
			err = difference_add(differences, section, NULL, "", NULL);
	}
	return err;
}

/* ---- output ---- */

/* A section has no value, nor have options such as up. */
static const char *shown(const char *value, const char *none)
{
	if (!value)
		return none;
	return *value ? value : "there";
}

void difference_print(const struct differences *differences, FILE *to)
{
	const struct difference *item = differences->items, *end = item + differences->n;

	for (; item < end; item++)
		fprintf(to, "%s: %s -> %s\n", item->path, shown(item->from, "none"), shown(item->to, "none"));
}

json_t *difference_json(const struct differences *differences)
{
	const struct difference *item = differences->items, *end = item + differences->n;
	json_t *list = json_array();

	for (; item < end; item++)
		json_array_append_new(list, json_pack("{s:s, s:s?, s:s?}", "path", item->path, "from", item->from,
						      "to", item->to));
	return list;
}
