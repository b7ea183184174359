/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keeps the agent from talking to its peer: its clock, its files, itself, the way to the peer. */
#ifndef QLINKCTL_DOCTOR_SERVICE_H
#define QLINKCTL_DOCTOR_SERVICE_H

#include "finding.h"
#include "machine.h"

/**
 * service_judge() - find what is wrong from the clock to the connection of the agents
 * @facts: the link
 * @to: the findings
 */
void service_judge(const struct facts *facts, struct findings *to);

#endif
