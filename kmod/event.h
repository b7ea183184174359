/* SPDX-License-Identifier: GPL-2.0 */
/* Events: what happens to a link, sent to all listeners. */
#ifndef QLINK_EVENT_H
#define QLINK_EVENT_H

#include "qlink.h"

void qlink_event_init(struct qlink_dev *link);
void qlink_event_exit(struct qlink_dev *link);
void qlink_event_rename(struct qlink_dev *link);
void qlink_event_raise(struct qlink_dev *link, u32 kinds);

#endif
