/* SPDX-License-Identifier: GPL-2.0 */
/* The generic netlink family, and the link that a request is about. */
#ifndef QLINK_NETLINK_H
#define QLINK_NETLINK_H

#include <linux/netdevice.h>
#include <linux/netlink.h>

#include "qlink.h"

struct genl_info;

/**
 * struct qlink_netlink_target - the link that a request is about
 */
struct qlink_netlink_target {
	/** @dev: held */
	struct net_device *dev;
	/** @tracker: of the hold */
	netdevice_tracker tracker;
	/** @link: of @dev */
	struct qlink_dev *link;
};

int qlink_netlink_init(void);
void qlink_netlink_exit(void);

int qlink_netlink_get(struct qlink_netlink_target *target, const struct genl_info *info);
int qlink_netlink_get_owned(struct qlink_netlink_target *target, const struct sk_buff *skb,
			    const struct genl_info *info);
void qlink_netlink_put(struct qlink_netlink_target *target);
void qlink_netlink_wipe(const struct genl_info *info);

#endif
