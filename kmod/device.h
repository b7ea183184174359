/* SPDX-License-Identifier: GPL-2.0 */
/* The net_device of a link: creation, deletion, and what the ip command sees of it. */
#ifndef QLINK_DEVICE_H
#define QLINK_DEVICE_H

#include "qlink.h"

void qlink_device_resized(struct qlink_attach *attach);
void qlink_device_follow(struct qlink_attach *attach);

int qlink_device_init(void);
void qlink_device_exit(void);

#endif
