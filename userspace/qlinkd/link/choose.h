/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chooses the source, the number and the rekey period of the keys that a link agrees on. */
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
 * choose_reset() - forget the rekey period that was set in the kernel
 * @link: the link; its device may be another one now
 */
void choose_reset(struct link *link);

/**
 * choose_keys() - choose anew
 * @link: the link
 * @now: time in ms
 *
 * Chooses the source by policy and stock, sets the rekey period in the kernel, asks the session
 * for as many keys as the ring should hold, and replaces weaker keys by better ones.
 */
void choose_keys(struct link *link, uint64_t now);

/**
 * choose_is_urgent() - whether choose_keys() should be called again soon
 * @link: the link
 *
 * Return: true while weaker keys are being replaced.
 */
bool choose_is_urgent(const struct link *link);

#endif
