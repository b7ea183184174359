/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keeps the agents from agreeing on keys, and which keys the link has. */
#ifndef QLINKCTL_DOCTOR_KEYS_H
#define QLINKCTL_DOCTOR_KEYS_H

#include "finding.h"
#include "machine.h"

/**
 * keys_judge() - find what is wrong from the policy to the keys
 * @facts: the link
 * @to: the findings
 */
void keys_judge(const struct facts *facts, struct findings *to);

#endif
