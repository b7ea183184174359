// SPDX-License-Identifier: GPL-2.0-or-later
/* Which network devices a device sends through. */
#include "topology.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_known(const struct topology *topology, uint32_t index)
{
	size_t i;

	for (i = 0; i < topology->n && topology->devices[i].index != index; i++)
		;
	return i < topology->n;
}

int topology_add(struct topology *topology, const struct topology_device *device)
{
	size_t room = topology->room ? 2 * topology->room : 16;
	struct topology_device *devices;

	if (is_known(topology, device->index))
		return 0;
	if (topology->n == TOPOLOGY_DEVICES_MAX)
		return -E2BIG;
	if (topology->n == topology->room) {
		devices = realloc(topology->devices, room * sizeof(*devices));
		if (!devices)
			return -ENOMEM;
		topology->devices = devices;
		topology->room = room;
	}
	topology->devices[topology->n++] = *device;
	return 0;
}

static bool is_of(const struct topology_device *device, const char *kind)
{
	return !strcmp(device->kind, kind);
}

/* Hardware, taps and veths have no ports; other kinds may, and are asked for them. */
static bool may_have_ports(const struct topology_device *device)
{
	return device->kind[0] && !is_of(device, "tun") && !is_of(device, "veth");
}

struct walk {
	struct topology *topology;
	const struct topology_ops *ops;
	void *arg;
};

static int go_to(const struct walk *walk, uint32_t index)
{
	if (!index || is_known(walk->topology, index))
		return 0;
	return walk->ops->device(walk->arg, walk->topology, index);
}

/* What one end of a veth sends arrives at the other one, whose master sends it on. */
static int cross_veth(const struct walk *walk, uint32_t end)
{
	size_t i;
	int err = go_to(walk, end);

	for (i = 0; !err && end && i < walk->topology->n; i++) {
		if (walk->topology->devices[i].index == end)
			return go_to(walk, walk->topology->devices[i].master);
	}
	return err;
}

static int go_on(const struct walk *walk, const struct topology_device *device)
{
	int err = is_of(device, "veth") ? cross_veth(walk, device->link) :
					  go_to(walk, device->link);

	if (!err && may_have_ports(device))
		err = walk->ops->ports(walk->arg, walk->topology, device->index);
	return err;
}

int64_t topology_find_qlink(struct topology *topology, const struct topology_ops *ops,
			    void *arg, uint32_t index)
{
	const struct walk walk = { .topology = topology, .ops = ops, .arg = arg };
	struct topology_device device;
	int err = go_to(&walk, index);
	size_t i;

	for (i = 0; i < topology->n && !err; i++) {
		/* A copy: the list moves when it grows. */
		device = topology->devices[i];
		if (is_of(&device, "qlink"))
			return device.index;
		err = go_on(&walk, &device);
	}
	return err;
}

void topology_free(struct topology *topology)
{
	free(topology->devices);
	memset(topology, 0, sizeof(*topology));
}
