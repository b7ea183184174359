/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all sites have in common, and what one site has, in one document. */
#ifndef FOLLOW_OVERLAY_H
#define FOLLOW_OVERLAY_H

#include <jansson.h>

/**
 * overlay_documents() - put what is common under the document of a site
 * @common: for all sites; or %NULL
 * @site: of one site, which wins where both say something
 *
 * Objects are merged member by member. Entries of lists, which are arrays of objects with a "name", are
 * merged by that name; those that only @common has follow those of @site. Anything else is taken as a whole.
 *
 * Return: a new document, or %NULL without memory.
 */
json_t *overlay_documents(const json_t *common, const json_t *site);

#endif
