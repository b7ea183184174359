// SPDX-License-Identifier: GPL-2.0-or-later
/* A document, put over the configuration that a site has. */
#include "merge.h"

#include <errno.h>

static int add_copy(struct site *next, const struct site_section *from)
{
	struct site_section *section = site_add(next, from->kind, from->name);
	int err = section ? 0 : -ENOMEM;
	size_t i;

	for (i = 0; i < from->n_options && !err; i++)
		err = site_set(section, from->options[i].name, from->options[i].value);
	return err;
}

/* A device is named also by a link that only says what its keys are. */
static bool is_named(const struct site *document, const struct site_section *section)
{
	return section->kind == SITE_DEVICE && site_find(document, SITE_LINK, section->name);
}

int merge_site(struct site *next, const struct site *now, const struct site *document, bool prunes)
{
	const struct site_section *section, *wanted;
	int err = 0;
	size_t i;

	*next = (struct site){ 0 };
	for (i = 0; i < now->n_sections && !err; i++) {
		section = &now->sections[i];
		wanted = site_find(document, section->kind, section->name);
		if (wanted || !prunes || is_named(document, section))
			err = add_copy(next, wanted ?: section);
	}
	for (i = 0; i < document->n_sections && !err; i++) {
		section = &document->sections[i];
		if (!site_find(now, section->kind, section->name))
			err = add_copy(next, section);
	}
	return err;
}
