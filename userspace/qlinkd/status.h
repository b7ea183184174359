/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status of the agent as JSON, as qlinkd(8) describes it. */
#ifndef QLINKD_STATUS_H
#define QLINKD_STATUS_H

#include <jansson.h>

#include "agent.h"

/**
 * status_of() - describe the agent, its peers and its links
 * @agent: the agent
 *
 * The object holds no secret.
 *
 * Return: an object that the caller frees with json_decref(), or %NULL without memory.
 */
json_t *status_of(const struct agent *agent);

/**
 * status_terms() - say what was negotiated for the last connection to a KME
 * @terms: the terms
 *
 * Return: an object, or null if there was no connection.
 */
json_t *status_terms(const struct kme_terms *terms);

#endif
