// SPDX-License-Identifier: GPL-2.0
/* Do not edit directly, auto-generated from: */
/*	include/netlink/qlink.yaml */
/* YNL-GEN kernel source */
/* To regenerate run: scripts/gen-netlink */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink-gen.h"

#include <uapi/linux/qlink.h>

/* Integer value ranges */
static const struct netlink_range_validation ifla_qlink_rekey_ms_range = {
	.max	= QLINK_REKEY_MS_MAX,
};

static const struct netlink_range_validation ifla_qlink_rekey_frames_range = {
	.max	= QLINK_REKEY_COUNT_MAX,
};

static const struct netlink_range_validation ifla_qlink_rekey_bytes_range = {
	.max	= QLINK_REKEY_COUNT_MAX,
};

static const struct netlink_range_validation ifla_qlink_hard_seconds_range = {
	.min	= 1ULL,
	.max	= QLINK_HARD_SECONDS_MAX,
};

static const struct netlink_range_validation ifla_qlink_grace_ms_range = {
	.min	= 1ULL,
	.max	= QLINK_GRACE_MS_MAX,
};

static const struct netlink_range_validation ifla_qlink_parcel_interval_us_range = {
	.min	= QLINK_PARCEL_INTERVAL_US_MIN,
	.max	= QLINK_PARCEL_INTERVAL_US_MAX,
};

static const struct netlink_range_validation qlink_a_key_epoch_range = {
	.min	= 1ULL,
	.max	= QLINK_EPOCH_MAX,
};

static const struct netlink_range_validation qlink_a_key_hard_blocks_range = {
	.min	= 1ULL,
	.max	= QLINK_HARD_BLOCKS_MAX,
};

/* Common nested types */
const struct nla_policy qlink_key_input_nl_policy[QLINK_A_KEY_KMES + 1] = {
	[QLINK_A_KEY_DIRECTION] = NLA_POLICY_MAX(NLA_U8, 1),
	[QLINK_A_KEY_EPOCH] = NLA_POLICY_FULL_RANGE(NLA_U64, &qlink_a_key_epoch_range),
	[QLINK_A_KEY_SOURCE] = NLA_POLICY_MAX(NLA_U8, 3),
	[QLINK_A_KEY_KME_KEY_ID] = NLA_POLICY_EXACT_LEN(QLINK_KME_KEY_ID_BYTES),
	[QLINK_A_KEY_KEY] = NLA_POLICY_EXACT_LEN(QLINK_KEY_BYTES),
	[QLINK_A_KEY_SALT] = NLA_POLICY_EXACT_LEN(QLINK_SALT_BYTES),
	[QLINK_A_KEY_HARD_BLOCKS] = NLA_POLICY_FULL_RANGE(NLA_U64, &qlink_a_key_hard_blocks_range),
	[QLINK_A_KEY_KMES] = { .type = NLA_U8, },
};

const struct nla_policy qlink_key_name_nl_policy[QLINK_A_KEY_EPOCH + 1] = {
	[QLINK_A_KEY_DIRECTION] = NLA_POLICY_MAX(NLA_U8, 1),
	[QLINK_A_KEY_EPOCH] = NLA_POLICY_FULL_RANGE(NLA_U64, &qlink_a_key_epoch_range),
};

const struct nla_policy qlink_link_config_nl_policy[IFLA_QLINK_ACCEPT_KMES + 1] = {
	[IFLA_QLINK_ID] = NLA_POLICY_MIN(NLA_U16, 1),
	[IFLA_QLINK_LOWER] = NLA_POLICY_MIN(NLA_U32, 1),
	[IFLA_QLINK_PEER] = NLA_POLICY_EXACT_LEN(6),
	[IFLA_QLINK_ETHERTYPE] = { .type = NLA_BE16, },
	[IFLA_QLINK_LOCAL] = NLA_POLICY_MIN_LEN(4),
	[IFLA_QLINK_REMOTE] = NLA_POLICY_MIN_LEN(4),
	[IFLA_QLINK_PORT] = NLA_POLICY_MIN(NLA_BE16, 1),
	[IFLA_QLINK_SOURCE_PORTS] = NLA_POLICY_RANGE(NLA_U16, 1, 64),
	[IFLA_QLINK_DEV] = { .type = NLA_NUL_STRING, .len = 15, },
	[IFLA_QLINK_DSCP] = NLA_POLICY_MAX(NLA_U8, QLINK_DSCP_INHERIT),
	[IFLA_QLINK_ECN] = NLA_POLICY_MAX(NLA_U8, 1),
	[IFLA_QLINK_TTL] = NLA_POLICY_MAX(NLA_U16, QLINK_TTL_INHERIT),
	[IFLA_QLINK_FWMARK] = { .type = NLA_U32, },
	[IFLA_QLINK_ROAM] = NLA_POLICY_MAX(NLA_U8, 1),
	[IFLA_QLINK_PARCEL] = NLA_POLICY_MAX(NLA_U8, 3),
	[IFLA_QLINK_PARCEL_BYTES] = NLA_POLICY_MAX(NLA_U16, QLINK_PARCEL_BYTES_MAX),
	[IFLA_QLINK_PARCEL_INTERVAL_US] = NLA_POLICY_FULL_RANGE(NLA_U32, &ifla_qlink_parcel_interval_us_range),
	[IFLA_QLINK_PARCEL_QUEUE] = NLA_POLICY_RANGE(NLA_U16, QLINK_PARCEL_QUEUE_MIN, QLINK_PARCEL_QUEUE_MAX),
	[IFLA_QLINK_PARCEL_HOLD_US] = NLA_POLICY_MAX(NLA_U16, QLINK_PARCEL_HOLD_US_MAX),
	[IFLA_QLINK_ACCEPT] = NLA_POLICY_MASK(NLA_U32, 0xf),
	[IFLA_QLINK_ACCEPT_KMES] = NLA_POLICY_RANGE(NLA_U8, 1, QLINK_KMES_MAX),
	[IFLA_QLINK_REKEY_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &ifla_qlink_rekey_ms_range),
	[IFLA_QLINK_REKEY_FRAMES] = NLA_POLICY_FULL_RANGE(NLA_U64, &ifla_qlink_rekey_frames_range),
	[IFLA_QLINK_REKEY_BYTES] = NLA_POLICY_FULL_RANGE(NLA_U64, &ifla_qlink_rekey_bytes_range),
	[IFLA_QLINK_HARD_SECONDS] = NLA_POLICY_FULL_RANGE(NLA_U32, &ifla_qlink_hard_seconds_range),
	[IFLA_QLINK_GRACE_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &ifla_qlink_grace_ms_range),
	[IFLA_QLINK_KEYS_LOW] = { .type = NLA_U32, },
	[IFLA_QLINK_KEEPALIVE_MS] = { .type = NLA_U32, },
	[IFLA_QLINK_BLOCKS2_LOG2] = NLA_POLICY_RANGE(NLA_U8, QLINK_BLOCKS2_LOG2_MIN, QLINK_BLOCKS2_LOG2_MAX),
};

/* QLINK_CMD_LINK_GET - do */
static const struct nla_policy qlink_link_get_nl_policy[QLINK_A_IFINDEX + 1] = {
	[QLINK_A_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* QLINK_CMD_LINK_SET - do */
static const struct nla_policy qlink_link_set_nl_policy[QLINK_A_LINK + 1] = {
	[QLINK_A_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[QLINK_A_LINK] = NLA_POLICY_NESTED(qlink_link_config_nl_policy),
};

/* QLINK_CMD_KEY_INSTALL - do */
static const struct nla_policy qlink_key_install_nl_policy[QLINK_A_KEY + 1] = {
	[QLINK_A_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[QLINK_A_KEY] = NLA_POLICY_NESTED(qlink_key_input_nl_policy),
};

/* QLINK_CMD_KEY_DEL - do */
static const struct nla_policy qlink_key_del_nl_policy[QLINK_A_KEY + 1] = {
	[QLINK_A_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[QLINK_A_KEY] = NLA_POLICY_NESTED(qlink_key_name_nl_policy),
};

/* QLINK_CMD_KEY_GET - dump */
static const struct nla_policy qlink_key_get_nl_policy[QLINK_A_IFINDEX + 1] = {
	[QLINK_A_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* QLINK_CMD_ROTATE - do */
static const struct nla_policy qlink_rotate_nl_policy[QLINK_A_IFINDEX + 1] = {
	[QLINK_A_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
};

/* QLINK_CMD_RECORD_GET - dump */
static const struct nla_policy qlink_record_get_nl_policy[QLINK_A_AFTER + 1] = {
	[QLINK_A_IFINDEX] = NLA_POLICY_MIN(NLA_U32, 1),
	[QLINK_A_AFTER] = { .type = NLA_U64, },
};

/* Ops table for qlink */
static const struct genl_split_ops qlink_nl_ops[] = {
	{
		.cmd		= QLINK_CMD_LINK_GET,
		.doit		= qlink_nl_link_get_doit,
		.policy		= qlink_link_get_nl_policy,
		.maxattr	= QLINK_A_IFINDEX,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd	= QLINK_CMD_LINK_GET,
		.dumpit	= qlink_nl_link_get_dumpit,
		.flags	= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= QLINK_CMD_LINK_SET,
		.doit		= qlink_nl_link_set_doit,
		.policy		= qlink_link_set_nl_policy,
		.maxattr	= QLINK_A_LINK,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= QLINK_CMD_KEY_INSTALL,
		.doit		= qlink_nl_key_install_doit,
		.policy		= qlink_key_install_nl_policy,
		.maxattr	= QLINK_A_KEY,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= QLINK_CMD_KEY_DEL,
		.doit		= qlink_nl_key_del_doit,
		.policy		= qlink_key_del_nl_policy,
		.maxattr	= QLINK_A_KEY,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= QLINK_CMD_KEY_GET,
		.dumpit		= qlink_nl_key_get_dumpit,
		.policy		= qlink_key_get_nl_policy,
		.maxattr	= QLINK_A_IFINDEX,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= QLINK_CMD_ROTATE,
		.doit		= qlink_nl_rotate_doit,
		.policy		= qlink_rotate_nl_policy,
		.maxattr	= QLINK_A_IFINDEX,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= QLINK_CMD_RECORD_GET,
		.dumpit		= qlink_nl_record_get_dumpit,
		.policy		= qlink_record_get_nl_policy,
		.maxattr	= QLINK_A_AFTER,
		.flags		= GENL_UNS_ADMIN_PERM | GENL_CMD_CAP_DUMP,
	},
};

static const struct genl_multicast_group qlink_nl_mcgrps[] = {
	[QLINK_NLGRP_EVENTS] = { "events", },
};

struct genl_family qlink_nl_family __ro_after_init = {
	.name		= QLINK_FAMILY_NAME,
	.version	= QLINK_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= qlink_nl_ops,
	.n_split_ops	= ARRAY_SIZE(qlink_nl_ops),
	.mcgrps		= qlink_nl_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(qlink_nl_mcgrps),
};
