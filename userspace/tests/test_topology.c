// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether a device sends through a qlink, whatever lies between them. */
#include "qlinkd/peer/topology.h"

#include <errno.h>
#include <string.h>

#include "tap.h"

#define DEVICES	8
#define START	1

/* The devices of one host, and how often it was asked for the ports of one. */
struct host {
	struct topology_device devices[DEVICES];
	unsigned int n_asked;
};

static int add_where(struct host *host, struct topology *topology, uint32_t index, uint32_t master)
{
	int err = 0;
	size_t i;

	for (i = 0; i < DEVICES && !err; i++) {
		if (host->devices[i].index && (host->devices[i].index == index ||
		    (master && host->devices[i].master == master)))
			err = topology_add(topology, &host->devices[i]);
	}
	return err;
}

static int host_device(void *arg, struct topology *topology, uint32_t index)
{
	size_t before = topology->n;

	return add_where(arg, topology, index, 0) ?: topology->n > before ? 0 : -ENODEV;
}

static int host_ports(void *arg, struct topology *topology, uint32_t master)
{
	struct host *host = arg;

	host->n_asked++;
	return add_where(host, topology, 0, master);
}

static const struct topology_ops ops = { .device = host_device, .ports = host_ports };

static int64_t find(struct host *host)
{
	struct topology topology = { NULL };
	int64_t found = topology_find_qlink(&topology, &ops, host, START);

	topology_free(&topology);
	return found;
}

TEST(a_qlink_is_found_at_any_place_below_a_device)
{
	static struct {
		struct host host;
		int64_t qlink;
		const char *why;
	} rows[] = {
		{ { { { 1, 0, 0, "" } }, 0 }, 0, "hardware" },
		{ { { { 1, 0, 0, "qlink" } }, 0 }, 1, "itself" },
		{ { { { 1, 2, 0, "vlan" }, { 2, 0, 0, "qlink" } }, 0 }, 2, "a VLAN of it" },
		{ { { { 1, 2, 0, "vlan" }, { 2, 3, 0, "macvlan" }, { 3, 0, 0, "qlink" } }, 0 }, 3,
		  "two devices on top" },
		{ { { { 1, 0, 0, "bridge" }, { 2, 0, 1, "" }, { 3, 0, 1, "qlink" } }, 0 }, 3,
		  "a port of a bridge, beside hardware" },
		{ { { { 1, 0, 0, "bond" }, { 2, 0, 1, "qlink" } }, 0 }, 2, "a port of a bond" },
		{ { { { 1, 0, 0, "team" }, { 2, 0, 1, "qlink" } }, 0 }, 2, "a port of a team" },
		{ { { { 1, 0, 0, "vrf" }, { 2, 0, 1, "qlink" } }, 0 }, 2, "a port of a VRF" },
		{ { { { 1, 2, 0, "vlan" }, { 2, 0, 0, "bridge" }, { 3, 0, 2, "bond" },
		      { 4, 5, 3, "vlan" }, { 5, 0, 0, "qlink" } }, 0 }, 5,
		  "a VLAN on a bridge with a bond with a VLAN on it" },
		{ { { { 1, 2, 0, "veth" }, { 2, 1, 3, "veth" }, { 3, 0, 0, "bridge" },
		      { 4, 0, 3, "qlink" } }, 0 }, 4, "a bridge at the other end of a veth" },
		{ { { { 1, 2, 0, "veth" }, { 2, 1, 0, "veth" } }, 0 }, 0, "a veth" },
		{ { { { 1, 0, 0, "veth" } }, 0 }, 0, "a veth to another netns" },
		{ { { { 1, 0, 0, "bridge" }, { 2, 0, 1, "" }, { 3, 0, 0, "qlink" } }, 0 }, 0,
		  "a qlink that is no port" },
		{ { { { 1, 0, 2, "" }, { 2, 0, 0, "bridge" }, { 3, 0, 2, "qlink" } }, 0 }, 0,
		  "another port of the same bridge: the route does not use it" },
		{ { { { 1, 2, 0, "vlan" }, { 2, 1, 0, "vlan" } }, 0 }, 0, "a circle" },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		CHECK_NUMBER(rows[i].why, find(&rows[i].host), rows[i].qlink);
}

TEST(a_device_that_vanishes_meanwhile_is_an_error_and_not_a_route_outside)
{
	struct host host = { .devices = { { 1, 2, 0, "vlan" } } };

	CHECK_NUMBER("found", find(&host), -ENODEV);
}

/* A host may have thousands of taps, and dials many peers. */
TEST(hardware_and_taps_are_not_asked_for_ports)
{
	struct host host = { .devices = { { 1, 0, 0, "bridge" }, { 2, 0, 1, "tun" },
					  { 3, 0, 1, "" }, { 4, 0, 1, "veth" } } };

	CHECK_NUMBER("found", find(&host), 0);
	CHECK_NUMBER("asked", host.n_asked, 1);
}
