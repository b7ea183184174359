// SPDX-License-Identifier: GPL-2.0-or-later
/* The configuration of a site: its agent, KMEs, peers and links, as sections of options in words. */
#include "site.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void free_section(struct site_section *section)
{
	size_t i;

	for (i = 0; i < section->n_options; i++) {
		free(section->options[i].name);
		free(section->options[i].value);
	}
	free(section->options);
	free(section->name);
}

/* ---- sections ---- */

struct site_section *site_find(const struct site *site, enum site_kind kind, const char *name)
{
	size_t i;

	for (i = 0; i < site->n_sections; i++)
		if (site->sections[i].kind == kind && !strcmp(site->sections[i].name, name))
			return &site->sections[i];
	return NULL;
}

struct site_section *site_add(struct site *site, enum site_kind kind, const char *name)
{
	struct site_section *sections, *section;

	if (site_find(site, kind, name))
		return NULL;
	sections = reallocarray(site->sections, site->n_sections + 1, sizeof(*sections));
	if (!sections)
		return NULL;
	site->sections = sections;
	section = &sections[site->n_sections];
	*section = (struct site_section){ .kind = kind, .name = strdup(name) };
	if (!section->name)
		return NULL;
	site->n_sections++;
	return section;
}

void site_remove(struct site *site, struct site_section *section)
{
	size_t behind = (size_t)(site->sections + site->n_sections - section) - 1;

	free_section(section);
	memmove(section, section + 1, behind * sizeof(*section));
	site->n_sections--;
}

/* ---- options ---- */

static struct site_option *find_option(const struct site_section *section, const char *name)
{
	size_t i;

	for (i = 0; i < section->n_options; i++)
		if (!strcmp(section->options[i].name, name))
			return &section->options[i];
	return NULL;
}

const char *site_get(const struct site_section *section, const char *name)
{
	const struct site_option *option = find_option(section, name);

	return option ? option->value : NULL;
}

static void remove_option(struct site_section *section, struct site_option *option)
{
	size_t behind = (size_t)(section->options + section->n_options - option) - 1;

	free(option->name);
	free(option->value);
	memmove(option, option + 1, behind * sizeof(*option));
	section->n_options--;
}

static int add_option(struct site_section *section, const char *name, const char *value)
{
	struct site_option *options, *option;

	options = reallocarray(section->options, section->n_options + 1, sizeof(*options));
	if (!options)
		return -ENOMEM;
	section->options = options;
	option = &options[section->n_options];
	*option = (struct site_option){ .name = strdup(name), .value = strdup(value) };
	if (!option->name || !option->value) {
		free(option->name);
		free(option->value);
		return -ENOMEM;
	}
	section->n_options++;
	return 0;
}

static int change_option(struct site_option *option, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(option->value);
	option->value = copy;
	return 0;
}

int site_set(struct site_section *section, const char *name, const char *value)
{
	struct site_option *option = find_option(section, name);

	if (!option)
		return value ? add_option(section, name, value) : 0;
	if (value)
		return change_option(option, value);
	remove_option(section, option);
	return 0;
}

/* ---- whole sites ---- */

static int copy_section(struct site *to, const struct site_section *from)
{
	struct site_section *section = site_add(to, from->kind, from->name);
	int err = section ? 0 : -ENOMEM;
	size_t i;

	for (i = 0; !err && i < from->n_options; i++)
		err = add_option(section, from->options[i].name, from->options[i].value);
	return err;
}

int site_copy(struct site *to, const struct site *from)
{
	int err = 0;
	size_t i;

	*to = (struct site){ 0 };
	for (i = 0; !err && i < from->n_sections; i++)
		err = copy_section(to, &from->sections[i]);
	return err;
}

void site_free(struct site *site)
{
	size_t i;

	for (i = 0; i < site->n_sections; i++)
		free_section(&site->sections[i]);
	free(site->sections);
	*site = (struct site){ 0 };
}
