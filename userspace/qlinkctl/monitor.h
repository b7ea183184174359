/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlinkctl monitor: show events as they come, one on each line. */
#ifndef QLINKCTL_MONITOR_H
#define QLINKCTL_MONITOR_H

#include <stdio.h>

#include "ctl.h"
#include "libqlink/event.h"

/**
 * monitor_run() - qlinkctl monitor [DEV]
 * @ctl: this run
 * @argc: arguments after the command
 * @argv: likewise
 *
 * Ends when it is interrupted, or when its output is no longer read.
 *
 * Return: an enum ctl_exit.
 */
int monitor_run(struct ctl *ctl, int argc, char **argv);

/**
 * monitor_has() - ask whether an attribute of an event says anything
 * @event: the event
 * @type: QLINK_A_EVENT_…
 *
 * Return: whether it is to be shown.
 */
bool monitor_has(const struct qlink_event *event, unsigned int type);

/**
 * monitor_json() - an event as qlinkctl(8) documents it
 * @event: the event
 *
 * Return: the object, which the caller frees; %NULL if memory is short.
 */
json_t *monitor_json(const struct qlink_event *event);

/**
 * monitor_text() - write an event for people, on one line
 * @event: the event
 * @to: where it goes
 */
void monitor_text(const struct qlink_event *event, FILE *to);

#endif
