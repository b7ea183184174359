/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the agent says of itself, its KMEs, peers and links, in the document of a site. */
#ifndef QLINKCTL_AGENTSTATE_H
#define QLINKCTL_AGENTSTATE_H

#include <jansson.h>

/**
 * agentstate_add() - add the state that the agent tells to a document
 * @document: the document; entries are added for what it does not have
 * @status: the status that qlinkd answers
 */
void agentstate_add(json_t *document, const json_t *status);

#endif
