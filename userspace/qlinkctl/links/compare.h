/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a link is, beside what a file declares. */
#ifndef QLINKCTL_COMPARE_H
#define QLINKCTL_COMPARE_H

#include "declared.h"

/**
 * struct comparison - where a link differs from its declaration
 */
struct comparison {
	/** @change: the options to set; none are present if there is no difference */
	struct qlink_config change;

	/** @device: what to set of the device; only valid if @has_device */
	struct qlink_device device;

	/** @has_device: the device differs */
	bool has_device;

	/** @text: as in "id 7, declared 8; mtu 1400, declared 1500"; may be cut */
	char text[240];
};

/**
 * compare_options() - compare the options that are declared; others do not count
 * @comparison: zeroed; what differs is added
 * @link: the declaration
 * @lower: index of its lower device; 0 leaves the lower device out
 * @is: the link as it is
 *
 * The kernel does not show some options in modes that do not use them. Such an option is set
 * where the mode is set, and counts as equal otherwise.
 */
void compare_options(struct comparison *comparison, const struct declared_link *link, uint32_t lower,
		     const struct qlink_link *is);

/**
 * compare_device() - compare what is declared of the device
 * @comparison: what differs is added
 * @link: the declaration
 * @is: the device as it is
 */
void compare_device(struct comparison *comparison, const struct declared_link *link,
		    const struct qlink_device *is);

/**
 * compare_is_hidden() - ask whether the kernel shows an option in the present mode
 * @is: the configuration of the link as it is
 * @type: of the option, IFLA_QLINK_…
 *
 * Return: whether it is not shown, because the mode does not use it.
 */
bool compare_is_hidden(const struct qlink_config *is, unsigned int type);

/**
 * compare_cut_underlay() - leave out of a change what only a link with an underlay can be given
 * @change: the change
 */
void compare_cut_underlay(struct qlink_config *change);

#endif
