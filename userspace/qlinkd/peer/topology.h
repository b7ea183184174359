/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which network devices a device sends through. */
#ifndef QLINKD_TOPOLOGY_H
#define QLINKD_TOPOLOGY_H

#include <stddef.h>
#include <stdint.h>

/* Far more devices than a host has. */
#define TOPOLOGY_DEVICES_MAX	65536

/**
 * struct topology_device - a network device, as rtnetlink(7) describes it
 */
struct topology_device {
	/** @index: its interface index */
	uint32_t index;

	/** @link: the device below it, or the other end of a veth; 0 if none is in this netns */
	uint32_t link;

	/** @master: the bridge, bond, team or VRF that it is a port of; 0 for none */
	uint32_t master;

	/** @kind: as ip-link(8) shows it; empty for hardware */
	char kind[16];
};

/**
 * struct topology - devices that were found so far
 *
 * All zero is empty.
 */
struct topology {
	/** @devices: each index once */
	struct topology_device *devices;

	/** @n: how many */
	size_t n;

	/** @room: for how many there is memory */
	size_t room;
};

/**
 * struct topology_ops - how the kernel is asked; both return 0 or a negative errno
 */
struct topology_ops {
	/** @device: find the device with an index and pass it to topology_add() */
	int (*device)(void *arg, struct topology *topology, uint32_t index);

	/** @ports: find all devices whose master has an index, likewise */
	int (*ports)(void *arg, struct topology *topology, uint32_t master);
};

/**
 * topology_add() - add a device
 * @topology: where to; a device that it has is left as it is
 * @device: copied
 *
 * Return: 0, %-ENOMEM, or %-E2BIG above TOPOLOGY_DEVICES_MAX.
 */
int topology_add(struct topology *topology, const struct topology_device *device);

/**
 * topology_find_qlink() - find a qlink device that a device may send through
 * @topology: empty; filled in
 * @ops: how to ask
 * @arg: for @ops
 * @index: of the device
 *
 * Follows VLANs and other devices on top of one device, ports of masters, and veths whose
 * two ends are in this netns, to any depth. A master with one qlink port counts, whatever
 * its other ports are.
 *
 * Return: the index of a qlink device, 0 if there is none, or a negative errno of @ops or
 * topology_add().
 */
int64_t topology_find_qlink(struct topology *topology, const struct topology_ops *ops,
			    void *arg, uint32_t index);

/**
 * topology_free() - free what was found
 * @topology: empty afterwards
 */
void topology_free(struct topology *topology);

#endif
