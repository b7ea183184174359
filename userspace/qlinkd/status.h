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

#endif
