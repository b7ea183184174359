/* SPDX-License-Identifier: GPL-2.0 */
/* A link on its underlay: how it is attached, what follows from the underlay, and its policy. */
#ifndef QLINK_LINK_H
#define QLINK_LINK_H

#include "qlink.h"

/* Said by rtnetlink and by generic netlink. */
#define QLINK_REFUSE_LINK_NET	"no CAP_NET_ADMIN in the netns of the underlay"

/* Marks the device of a link. */
extern const struct device_type qlink_link_type;

struct qlink_dev *qlink_link_of(const struct net_device *dev);
void qlink_link_set_carrier(struct qlink_dev *link);
unsigned int qlink_link_own_mtu(const struct qlink_dev *link);
unsigned int qlink_link_wanted_mtu(const struct qlink_dev *link);
void qlink_link_must_follow(struct qlink_dev *link);
void qlink_link_follow_all(void);
void qlink_link_follow(struct qlink_dev *link);
bool qlink_link_ask_carrier(struct qlink_dev *link,
			    bool (*ask)(struct net_device *carrier, void *into), void *into);
bool qlink_link_detach(struct qlink_dev *link);

int qlink_link_change(struct qlink_dev *link, struct nlattr **attrs,
		      const struct nlattr *lower, struct netlink_ext_ack *extack);

#endif
