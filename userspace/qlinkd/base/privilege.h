/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a process of the agent may do, and what nobody may do to it. */
#ifndef QLINKD_PRIVILEGE_H
#define QLINKD_PRIVILEGE_H

#include <stdbool.h>

#include "common/why.h"


/**
 * privilege_harden() - keep the process's memory to itself
 * @why: filled in on failure
 *
 * No core dump, no tracer, no page of it in swap, nothing new by exec. First thing
 * in main().
 *
 * Return: 0, or a negative errno with @why: %-ENOMEM and %-EPERM for too small a
 * RLIMIT_MEMLOCK without CAP_IPC_LOCK.
 */
int privilege_harden(struct qlink_why *why);

/**
 * privilege_drop() - keep only the capabilities that are needed
 * @is_broker: CAP_NET_ADMIN is kept
 * @why: filled in on failure
 *
 * CAP_IPC_LOCK is kept where it was there. All others go, for good.
 *
 * Return: 0, or a negative errno with @why.
 */
int privilege_drop(bool is_broker, struct qlink_why *why);

#endif
