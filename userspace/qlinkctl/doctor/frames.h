/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What arrives of the peer, and what comes back of ours. */
#ifndef QLINKCTL_DOCTOR_FRAMES_H
#define QLINKCTL_DOCTOR_FRAMES_H

#include "finding.h"
#include "machine.h"

/**
 * frames_judge() - find what is wrong with frames of the peer
 * @facts: the link
 * @to: the findings
 */
void frames_judge(const struct facts *facts, struct findings *to);

/**
 * echo_judge() - say that keepalives do not come back
 * @facts: the link
 * @to: the findings
 *
 * After all others: it says what may be the cause only where none was found.
 */
void echo_judge(const struct facts *facts, struct findings *to);

#endif
