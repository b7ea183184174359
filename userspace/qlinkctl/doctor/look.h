/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at the machine, its links and the agent, and changes nothing. */
#ifndef QLINKCTL_DOCTOR_LOOK_H
#define QLINKCTL_DOCTOR_LOOK_H

#include "machine.h"
#include "qlinkctl/ctl.h"

/**
 * look_at_machine() - look at all that links share
 * @machine: filled in; the caller frees it with look_end()
 * @ctl: this run; says where the agent is
 * @config: configuration of the agent, to be checked if no agent runs; %NULL for one that is not known
 *
 * Counters are read twice, one to three seconds apart.
 */
void look_at_machine(struct machine *machine, struct ctl *ctl, const char *config);

/**
 * look_at_link() - find what is known of a link
 * @machine: outlives @facts
 * @device: name of the link; outlives @facts
 * @facts: filled in; the caller frees it with look_away()
 */
void look_at_link(const struct machine *machine, const char *device, struct facts *facts);

/**
 * look_away() - free what look_at_link() has found
 * @facts: the link
 */
void look_away(struct facts *facts);

/**
 * look_end() - free what look_at_machine() has found
 * @machine: the machine
 */
void look_end(struct machine *machine);

#endif
