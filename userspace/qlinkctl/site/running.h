/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The devices of a site as they are in the kernel. */
#ifndef QLINKCTL_RUNNING_H
#define QLINKCTL_RUNNING_H

#include <stdbool.h>

#include "libqlink/qlink.h"
#include "site.h"

/**
 * running_add() - add the devices that there are to a site
 * @site: the site
 * @links: from qlink_link_dump()
 * @n: how many
 * @is_whole: set to false if a device was left out
 *
 * A device without an underlay, or with one in another network namespace, cannot be described
 * and is left out, after a warning.
 *
 * Return: 0, or a negative errno after an error message.
 */
int running_add(struct site *site, const struct qlink_link *links, size_t n, bool *is_whole);

#endif
