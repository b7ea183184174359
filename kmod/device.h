/* SPDX-License-Identifier: GPL-2.0 */
/* The net_device of a link: its life, its carrier, its MTU, and what ip and ethtool see. */
#ifndef QLINK_DEVICE_H
#define QLINK_DEVICE_H

#include "qlink.h"

int qlink_device_init(void);
void qlink_device_exit(void);

struct qlink_dev *qlink_device_link(struct net_device *dev);

int qlink_device_change(struct qlink_dev *link, struct nlattr **attrs,
			const struct nlattr *lower, struct netlink_ext_ack *extack);

#endif
