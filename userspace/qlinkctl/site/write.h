/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes the document of a site: JSON (RFC 7951) after qlink.yang. */
#ifndef QLINKCTL_WRITE_H
#define QLINKCTL_WRITE_H

#include <jansson.h>

#include "site.h"

/* Members of a document. */
#define WRITE_INTERFACES	"ietf-interfaces:interfaces"
#define WRITE_AGENT		"qlink:agent"
#define WRITE_LINK		"qlink:link"
#define WRITE_KEYS		"qlink:keys"
/* The type of an interface that is a link. */
#define WRITE_TYPE		"qlink:qlink"

/**
 * write_document() - make the document of a site
 * @site: the site
 *
 * Return: the document, which the caller frees, or %NULL without memory.
 */
json_t *write_document(const struct site *site);

/**
 * write_interface() - get the entry of a link in a document
 * @document: the document; an entry with the name and the type is added if it has none
 * @name: device of the link
 *
 * Return: the entry, which @document keeps, or %NULL without memory.
 */
json_t *write_interface(json_t *document, const char *name);

#endif
