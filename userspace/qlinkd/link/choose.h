/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decides which keys a link asks its agreement for, how many and how often they change. */
#ifndef QLINKD_STEER_H
#define QLINKD_STEER_H

#include "link.h"

/**
 * steer() - decide anew
 * @link: the link
 * @now: time in ms
 *
 * Chooses the source by policy and stock, tells the kernel the pace, has the agreement make
 * as many keys as the ring should hold, and lets weaker keys give way to better ones.
 */
void steer(struct link *link, uint64_t now);

/**
 * steer_is_hurried() - whether it should be called again soon
 * @link: the link
 *
 * Return: true while weaker keys have to give way.
 */
bool steer_is_hurried(const struct link *link);

#endif
