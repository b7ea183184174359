/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Notifications of qlink.yang, from events of the kernel and from changes of the agent's status. */
#ifndef QLINKCTL_NOTICE_H
#define QLINKCTL_NOTICE_H

#include <jansson.h>

#include "libqlink/event.h"

/**
 * notice_event() - make the notification of an event of the kernel
 * @event: the event
 *
 * Return: the notification, which the caller frees; %NULL without memory.
 */
json_t *notice_event(const struct qlink_event *event);

/**
 * notice_changes() - make the notifications of what the agent did between two looks
 * @before: its status then
 * @now: its status now
 * @device: only of this link; %NULL for all, and for peers
 *
 * Return: a list of notifications, which the caller frees.
 */
json_t *notice_changes(const json_t *before, const json_t *now, const char *device);

#endif
