/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keeps a link from sending at all: the module, the device, the underlay, the route. */
#ifndef QLINKCTL_DOCTOR_PATH_H
#define QLINKCTL_DOCTOR_PATH_H

#include "finding.h"
#include "machine.h"

/**
 * path_judge() - find what is wrong from the module to the route
 * @facts: the link
 * @to: the findings
 */
void path_judge(const struct facts *facts, struct findings *to);

#endif
