/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Says whether the underlay of a device is in this process's network namespace. */
#ifndef QLINK_NETNS_H
#define QLINK_NETNS_H

#include <stdint.h>

/**
 * qlink_underlay_is_here() - ask whether the underlay of a device is here
 * @ifindex: index of the device, in this process's network namespace
 *
 * The underlay of a device stays in the network namespace that the device was
 * made in. If the device was moved, the index of its lower device means nothing
 * here, or another device.
 *
 * Return:
 * * %1		- in this process's network namespace
 * * %0		- in another one
 * * %-ENODEV	- there is no such device
 * * else	- a negative errno
 */
int qlink_underlay_is_here(uint32_t ifindex);

#endif
