/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A document, put over the configuration that a site has. */
#ifndef QLINKCTL_MERGE_H
#define QLINKCTL_MERGE_H

#include <stdbool.h>

#include "site.h"

/**
 * merge_site() - say what a site is to be
 * @next: filled in; freed with site_free(), also on failure
 * @now: what it is
 * @document: what is wanted
 * @prunes: a section that the document does not name goes; otherwise it stays
 *
 * A section of the document takes the place of the one that is there, as a whole.
 * Sections that stay keep their place, and new ones follow.
 *
 * Return: 0, or %-ENOMEM.
 */
int merge_site(struct site *next, const struct site *now, const struct site *document, bool prunes);

#endif
