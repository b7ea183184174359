/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a device's underlay lies in the network namespace we are in. */
#ifndef QLINK_NETNS_H
#define QLINK_NETNS_H

#include <stdint.h>

/**
 * qlink_underlay_is_here() - ask where the underlay of a device lies
 * @ifindex: index of the device, in our network namespace
 *
 * A device that was moved keeps its underlay where it was made. An index of a
 * lower device then means nothing here, or another device.
 *
 * Return:
 * * %1		- in our network namespace
 * * %0		- in another one
 * * %-ENODEV	- there is no such device
 * * else	- a negative errno
 */
int qlink_underlay_is_here(uint32_t ifindex);

#endif
