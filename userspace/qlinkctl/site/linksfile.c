// SPDX-License-Identifier: GPL-2.0-or-later
/* The devices of a site, and the files that declare them, qlink-links(5). */
#include "linksfile.h"

#include <errno.h>

#include "sitedevice.h"

int linksfile_add(struct site *site, const struct declared *declared)
{
	int err = 0;
	size_t i;

	for (i = 0; i < declared->n && !err; i++)
		err = sitedevice_add(site, &declared->links[i].is);
	return err;
}

static int write_device(const struct site_section *section, FILE *to)
{
	struct statement statement = { .n = 0 };
	int err = sitedevice_words(section, &statement);
	size_t i;

	for (i = 0; i < statement.n && !err; i++)
		fprintf(to, "%s%s", i ? " " : "", statement.words[i]);
	fputc('\n', to);
	statement_clear(&statement);
	return err;
}

int linksfile_write(const struct site *site, FILE *to)
{
	int err = 0;
	size_t i;

	for (i = 0; i < site->n_sections && !err; i++)
		if (site->sections[i].kind == SITE_DEVICE)
			err = write_device(&site->sections[i], to);
	return err ?: ferror(to) ? -EIO : 0;
}
