/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks that the route to a peer does not use a qlink device. */
#ifndef QLINKD_ROUTE_H
#define QLINKD_ROUTE_H

#include "libqlink/parse.h"

/**
 * route_check() - refuse an address whose route uses a qlink device
 * @addr: the address of a peer
 * @why: filled in on failure, with the device
 *
 * The agents' connection must not depend on the link that it keys: when that link has no
 * key, the connection could not bring one. A device that may send through a qlink is refused
 * too, see topology_find_qlink().
 *
 * Context: Process; asks the kernel by rtnetlink(7) and waits for the answers.
 * Return: 0; or with @why %-EXDEV for a qlink device, %-EHOSTUNREACH if there is no route or
 * its devices cannot be read, %-ENOMEM without a netlink socket.
 */
int route_check(const struct qlink_addr *addr, struct qlink_why *why);

#endif
