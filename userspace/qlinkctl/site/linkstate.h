/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel says of links, in the document of a site. */
#ifndef QLINKCTL_LINKSTATE_H
#define QLINKCTL_LINKSTATE_H

#include <jansson.h>

#include "libqlink/qlink.h"

#define LINKSTATE_MEMBER	"qlink:state"

/**
 * linkstate_add() - add the state of links to a document
 * @document: the document; an entry is added for a link that it does not have
 * @links: from qlink_link_dump()
 * @n: how many
 */
void linkstate_add(json_t *document, const struct qlink_link *links, size_t n);

#endif
