/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a link needs of the QKD network, for those that share out its keys. */
#ifndef QLINKD_DEMAND_H
#define QLINKD_DEMAND_H

#include "link.h"

/**
 * demand_wanted() - say how many QKD keys this end would use if there were enough
 * @link: the link
 *
 * Return: keys a second: one in each floor-ms, 0 with a policy that uses none.
 */
double demand_wanted(const struct link *link);

/**
 * demand_used() - say how many QKD keys this end used of late
 * @link: the link
 *
 * Return: keys a second.
 */
double demand_used(const struct link *link);

/**
 * demand_cover() - say how long the stock lasts at the planned pace
 * @link: the link
 *
 * Keys that are staged in the kernel come on top.
 *
 * Return: seconds.
 */
double demand_cover(const struct link *link);

#endif
