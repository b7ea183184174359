/* SPDX-License-Identifier: GPL-2.0 */
/* Translates between a link and netlink attributes, for rtnetlink and generic netlink. */
#ifndef QLINK_CONFIG_H
#define QLINK_CONFIG_H

#include "qlink.h"

void qlink_config_default(struct qlink_config *config);

int qlink_config_parse(struct qlink_config *config, struct nlattr **link,
		       const struct nlattr *lower, struct netlink_ext_ack *extack);
void qlink_limits_default(struct qlink_limits *limits);
bool qlink_limits_parse(struct qlink_limits *limits, struct nlattr **link);
int qlink_keepalive_parse(u32 *keepalive_ms, struct nlattr **link,
			  struct netlink_ext_ack *extack);
int qlink_parcel_check(struct nlattr **link, struct netlink_ext_ack *extack);
bool qlink_config_is_same_peer(const struct qlink_config *a, const struct qlink_config *b);
bool qlink_config_is_same(const struct qlink_config *a, const struct qlink_config *b);
bool qlink_config_keeps_endpoint(const struct qlink_config *a, const struct qlink_config *b);

size_t qlink_config_bytes(void);
int qlink_config_fill(struct sk_buff *msg, struct qlink_dev *link);

size_t qlink_stats_bytes(void);
int qlink_stats_fill(struct sk_buff *msg, const struct qlink_dev *link, int attribute);

enum qlink_link_state qlink_link_state(const struct qlink_dev *link);

#endif
