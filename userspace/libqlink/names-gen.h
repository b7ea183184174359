/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of counters and of the values of enums. */
/* Do not edit: scripts/gen-netlink makes it from include/netlink/qlink.yaml. */
#ifndef QLINK_NAMES_GEN_H
#define QLINK_NAMES_GEN_H

#include <stddef.h>

#include <linux/qlink.h>

/**
 * struct qlink_names - names of the values of one enum
 */
struct qlink_names {
	/** @n: how many names there are */
	size_t n;

	/** @names: the name of each value from 0 to @n - 1 */
	const char *const *names;
};

extern const struct qlink_names qlink_directions;
extern const struct qlink_names qlink_sources;
extern const struct qlink_names qlink_underlays;
extern const struct qlink_names qlink_parcel_modes;
extern const struct qlink_names qlink_key_states;
extern const struct qlink_names qlink_link_states;
/* Of the bits, by their number. */
extern const struct qlink_names qlink_event_kinds;
extern const struct qlink_names qlink_wipe_causes;

/* A counter is named by its attribute; NULL for one that is no counter. */
extern const char *const qlink_stats_names[QLINK_A_STATS_MAX + 1];
extern const char *const qlink_port_names[QLINK_A_PORT_MAX + 1];

#endif
