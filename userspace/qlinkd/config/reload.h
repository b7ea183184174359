/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What another configuration changes, and what it leaves as it is. */
#ifndef QLINKD_RELOAD_H
#define QLINKD_RELOAD_H

#include "config.h"

/**
 * reload_same_agent() - compare the sections "agent" of two configurations
 * @a: one
 * @b: the other
 *
 * Return: true if all options are the same, so that no restart is needed.
 */
bool reload_same_agent(const struct config *a, const struct config *b);

/**
 * reload_same_link() - compare a link in two configurations
 * @a: one
 * @b: the other
 * @device: of the link
 *
 * Return: true if both have it, with the same options, peer and KMEs.
 */
bool reload_same_link(const struct config *a, const struct config *b,
		      const char *device);

#endif
