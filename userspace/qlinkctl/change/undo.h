/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts back what was before a change: files, devices, agent. */
#ifndef QLINKCTL_UNDO_H
#define QLINKCTL_UNDO_H

#include "pending.h"
#include "qlinkctl/ctl.h"

/**
 * undo_change() - put back what was before a change
 * @ctl: this run; its socket is opened if there are devices
 * @pending: whose lock is held
 * @tells_agent: it may have read its new file
 * @reason: why, which is kept for pending_last()
 * @why: filled in on failure, and for an agent that does not take its former file again
 *
 * It may be done after a change that did not get far, and again. The folder of the change goes only when
 * all is back. After a boot only files are put back: devices are made after them.
 *
 * Return: 0, with @why->text empty or what the agent has said; a negative errno if something is not back.
 */
int undo_change(struct ctl *ctl, const struct pending *pending, bool tells_agent, const char *reason,
		struct qlink_why *why);

/**
 * undo_tell_service() - have qlink-links.service read its files again, where it runs
 * @ctl: says which folder was changed
 */
void undo_tell_service(const struct ctl *ctl);

#endif
