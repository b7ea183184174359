/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules of a firewall on this machine do with a link. */
#ifndef QLINKCTL_DOCTOR_WALL_H
#define QLINKCTL_DOCTOR_WALL_H

#include "finding.h"
#include "machine.h"

/**
 * wall_judge() - find rules that drop sealed frames, or what the agents say to each other
 * @facts: the link
 * @to: the findings
 */
void wall_judge(const struct facts *facts, struct findings *to);

#endif
