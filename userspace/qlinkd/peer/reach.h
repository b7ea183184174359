/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether the configuration says where each connection is made to. */
#ifndef QLINKD_REACH_H
#define QLINKD_REACH_H

#include "qlinkd/config/config.h"

/**
 * reach_check() - refuse a configuration that leaves a peer without a connection
 * @config: the configuration, good in itself
 * @error: filled in on failure
 *
 * One end of a pair dials, see dial_is_ours(). It needs the address of the
 * peer, and the other end must listen.
 *
 * Context: Pure.
 * Return: 0, or %-EINVAL with @error.
 */
int reach_check(const struct config *config, struct config_error *error);

#endif
