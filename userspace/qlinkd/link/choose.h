/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decides which keys a link asks its agreement for, how many and how often they change. */
#ifndef QLINKD_CHOOSE_H
#define QLINKD_CHOOSE_H

#include "link.h"

/**
 * choose_new() - set up what chooses for a link
 * @link: its @choose is filled in; freed with choose_free()
 *
 * Return: 0, or %-ENOMEM.
 */
int choose_new(struct link *link);

/**
 * choose_free() - free what choose_new() made
 * @link: its @choose may be %NULL
 */
void choose_free(struct link *link);

/**
 * choose_reset() - forget what the kernel was told of the pace
 * @link: the link, whose device may be another one now
 */
void choose_reset(struct link *link);

/**
 * choose_keys() - decide anew
 * @link: the link
 * @now: time in ms
 *
 * Chooses the source by policy and stock, tells the kernel the pace, has the agreement make
 * as many keys as the ring should hold, and lets weaker keys give way to better ones.
 */
void choose_keys(struct link *link, uint64_t now);

/**
 * choose_is_urgent() - whether it should be called again soon
 * @link: the link
 *
 * Return: true while weaker keys have to give way.
 */
bool choose_is_urgent(const struct link *link);

#endif
