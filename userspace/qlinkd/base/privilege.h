/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a process of the agent may do, and what no other process may do to it. */
#ifndef QLINKD_PRIVILEGE_H
#define QLINKD_PRIVILEGE_H

#include <stdbool.h>

#include "common/why.h"


/**
 * privilege_harden() - protect the memory of the process
 * @why: filled in on failure
 *
 * Afterwards the process has no core dump and no tracer, none of its pages is swapped, and
 * exec cannot add privileges. main() calls it first.
 *
 * Context: Process, before it has secrets or threads.
 * Return: 0, or a negative errno with @why: %-ENOMEM or %-EPERM if RLIMIT_MEMLOCK is too
 * small and the process lacks CAP_IPC_LOCK.
 */
int privilege_harden(struct qlink_why *why);

/**
 * privilege_drop() - keep only the capabilities that are needed
 * @is_broker: keep CAP_NET_ADMIN as well
 * @why: filled in on failure
 *
 * CAP_IPC_LOCK is kept if the process has it. All other capabilities are dropped and cannot
 * be regained.
 *
 * Context: Process, before it has threads.
 * Return: 0, or a negative errno with @why.
 */
int privilege_drop(bool is_broker, struct qlink_why *why);

#endif
