/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which device leads to an address, and whether that is a tunnel of ours. */
#ifndef QLINKD_ROUTE_H
#define QLINKD_ROUTE_H

#include "libqlink/parse.h"

/**
 * route_check() - refuse an address that is reached through a qlink
 * @addr: the address of a peer
 * @why: filled in on failure, with the device
 *
 * What keys a tunnel must not need it: a connection through it could never mend it.
 * Devices on top of a qlink, such as VLANs, are followed down to it.
 *
 * Return: 0, %-EXDEV for a qlink, or a negative errno where there is no route.
 */
int route_check(const struct qlink_addr *addr, struct qlink_why *why);

#endif
