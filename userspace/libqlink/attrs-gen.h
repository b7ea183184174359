/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the attributes of each set go, and what they look like. */
/* Do not edit: scripts/gen-netlink makes it from include/netlink/qlink.yaml. */
#ifndef QLINK_ATTRS_GEN_H
#define QLINK_ATTRS_GEN_H

struct qlink_attr_set;

/* Of the set link-config, to struct qlink_config. */
extern const struct qlink_attr_set qlink_config_attrs;
/* Of the set link, to struct qlink_link. */
extern const struct qlink_attr_set qlink_link_attrs;
/* Of the set ring, to struct qlink_ring. */
extern const struct qlink_attr_set qlink_ring_attrs;
/* Of the set usage, to struct qlink_usage. */
extern const struct qlink_attr_set qlink_usage_attrs;
/* Of the set key-shown, to struct qlink_key. */
extern const struct qlink_attr_set qlink_key_attrs;
/* Of the set record, to struct qlink_record. */
extern const struct qlink_attr_set qlink_record_attrs;
/* Of the set event, to struct qlink_event. */
extern const struct qlink_attr_set qlink_event_attrs;

#endif
