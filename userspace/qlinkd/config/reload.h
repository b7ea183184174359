/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What another configuration changes, and what it leaves as it is. */
#ifndef QLINKD_RELOAD_H
#define QLINKD_RELOAD_H

#include "config.h"

/**
 * reload_same_endpoint() - whether two endpoints are the same
 * @a: one
 * @b: the other
 *
 * Return: whether address and port are.
 */
bool reload_same_endpoint(const struct config_endpoint *a,
			  const struct config_endpoint *b);

/**
 * reload_same_agent() - whether two configurations are of the same agent
 * @a: one
 * @b: the other
 *
 * Return: whether no link notices, and no socket or file is another.
 */
bool reload_same_agent(const struct config *a, const struct config *b);

/**
 * reload_same_link() - whether a link is the same in two configurations
 * @a: one
 * @b: the other
 * @device: of the link
 *
 * Return: whether it is in both, with the same options, peer and KMEs.
 */
bool reload_same_link(const struct config *a, const struct config *b,
		      const char *device);

#endif
