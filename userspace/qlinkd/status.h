/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be seen of the agent, as JSON; see qlinkd(8). */
#ifndef QLINKD_STATUS_H
#define QLINKD_STATUS_H

#include <jansson.h>

#include "agent.h"

/**
 * status_of() - say what everything is like
 * @agent: the agent
 *
 * Return: an object that the caller gives back by json_decref(), or %NULL without memory.
 * It has no secret.
 */
json_t *status_of(const struct agent *agent);

#endif
