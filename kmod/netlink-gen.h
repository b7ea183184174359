/* SPDX-License-Identifier: GPL-2.0 */
/* Do not edit directly, auto-generated from: */
/*	include/netlink/qlink.yaml */
/* YNL-GEN kernel header */
/* To regenerate run: scripts/gen-netlink */

#ifndef _LINUX_QLINK_GEN_H
#define _LINUX_QLINK_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/qlink.h>

/* Common nested types */
extern const struct nla_policy qlink_key_input_nl_policy[QLINK_A_KEY_KMES + 1];
extern const struct nla_policy qlink_key_name_nl_policy[QLINK_A_KEY_EPOCH + 1];
extern const struct nla_policy qlink_link_config_nl_policy[IFLA_QLINK_ACCEPT_KMES + 1];

int qlink_nl_link_get_doit(struct sk_buff *skb, struct genl_info *info);
int qlink_nl_link_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int qlink_nl_link_set_doit(struct sk_buff *skb, struct genl_info *info);
int qlink_nl_key_install_doit(struct sk_buff *skb, struct genl_info *info);
int qlink_nl_key_del_doit(struct sk_buff *skb, struct genl_info *info);
int qlink_nl_key_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int qlink_nl_rotate_doit(struct sk_buff *skb, struct genl_info *info);
int qlink_nl_record_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);

enum {
	QLINK_NLGRP_EVENTS,
};

extern struct genl_family qlink_nl_family;

#endif /* _LINUX_QLINK_GEN_H */
