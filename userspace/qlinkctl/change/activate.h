/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes a change: devices, files, agent, in this order. */
#ifndef QLINKCTL_ACTIVATE_H
#define QLINKCTL_ACTIVATE_H

#include "plan.h"

/**
 * activate_plan() - make a change
 * @plan: the change; what was before is kept already
 * @notes: gets what the user should know, one line for each; may stay empty
 * @room: at @notes
 * @why: filled in on failure
 *
 * Return: 0, or a negative errno; then some of it may be made.
 */
int activate_plan(struct plan *plan, char *notes, size_t room, struct qlink_why *why);

#endif
