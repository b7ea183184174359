// SPDX-License-Identifier: GPL-2.0-or-later
/* What keeps a link from sending at all: the module, the device, the underlay, the route. */
#include "path.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The smallest MTU that IPv6 works with. */
#define IPV6_MTU	1280

/* ---- the module ---- */

static void judge_file(const struct module_state *module, struct findings *to)
{
	struct finding *found;

	if (module->is_known && !module->file[0]) {
		found = findings_add(to, CAUSE_MODULE_MISSING, "kernel %s has no module qlink", module->release);
		finding_saw(found, "modinfo finds none for this kernel, and none is loaded");
		finding_mend(found, "apt install linux-headers-%s && dkms autoinstall && modprobe qlink", module->release);
	} else if (module->is_known && module->needs_signature && !module->is_signed) {
		found = findings_add(to, CAUSE_MODULE_UNSIGNED, "the module qlink is not signed, and this kernel wants that");
		finding_saw(found, "%s has no signer; the kernel is locked down (Secure Boot)", module->file);
		finding_mend(found, "mokutil --import /var/lib/dkms/mok.pub   # then reboot and enrol it, and: dkms autoinstall");
	} else {
		found = findings_add(to, CAUSE_MODULE_UNLOADED, "the module qlink is not loaded");
		finding_saw(found, "there is no /sys/module/qlink; its file is %s", module->file[0] ? module->file : "not known");
		finding_mend(found, "modprobe qlink");
	}
}

static void judge_module(const struct module_state *module, struct findings *to)
{
	struct finding *found;

	if (!module->is_loaded) {
		judge_file(module, to);
	} else if (module->loaded_source[0] && module->file_source[0] &&
		   strcmp(module->loaded_source, module->file_source)) {
		found = findings_add(to, CAUSE_MODULE_DIFFERS, "the loaded module is not the one that is installed");
		finding_saw(found, "srcversion %s is loaded, %s is %s", module->loaded_source, module->file,
			    module->file_source);
		finding_mend(found, "modprobe -r qlink && modprobe qlink   # ends all links for a moment; or reboot");
	}
}

/* ---- the device ---- */

static void judge_absence(const struct facts *facts, struct findings *to)
{
	struct finding *found;
	char path[100];

	if (facts->self && !fact_is(facts->self, "linkinfo.info_kind", "qlink")) {
		found = findings_add(to, CAUSE_NOT_QLINK, "%s is no qlink device", facts->device);
		finding_saw(found, "ip -d link show %s: its type is %s", facts->device,
			    *fact_text(facts->self, "linkinfo.info_kind") ? fact_text(facts->self, "linkinfo.info_kind") :
			    fact_text(facts->self, "link_type"));
		finding_mend(found, "ip link show type qlink   # and name one of these");
		return;
	}
	if (facts->self || !facts->machine->devices)
		return;
	found = findings_add(to, CAUSE_NO_DEVICE, "there is no device %s", *facts->device ? facts->device : "of the type qlink");
	finding_saw(found, "ip link show %s: there is none in this network namespace",
		    *facts->device ? facts->device : "type qlink");
	snprintf(path, sizeof(path), "/etc/qlink/links.d/%.60s.conf", facts->device);
	if (!access(path, F_OK))
		finding_mend(found, "systemctl restart qlink-links   # it is declared in %s", path);
	else
		finding_mend(found, "ip link add %s type qlink id ID local ADDRESS remote ADDRESS port PORT",
			     *facts->device ? facts->device : "qlink0");
}

static void judge_device(const struct facts *facts, struct findings *to)
{
	struct finding *found;

	if (!facts->self || !fact_is(facts->self, "linkinfo.info_kind", "qlink")) {
		judge_absence(facts, to);
		return;
	}
	if (fact_is(facts->link, "link.state", "unconfigured")) {
		found = findings_add(to, CAUSE_NO_UNDERLAY, "%s has no underlay, or no id", facts->device);
		finding_saw(found, "its state is unconfigured, its underlay %s", fact_text(facts->link, "link.underlay"));
		finding_mend(found, "qlinkctl set %s id ID local ADDRESS remote ADDRESS port PORT", facts->device);
	}
	if (!fact_lists(fact(facts->self, "flags"), "UP")) {
		found = findings_add(to, CAUSE_DEVICE_DOWN, "%s is down", facts->device);
		finding_saw(found, "ip link show %s: it does not have the flag UP", facts->device);
		finding_mend(found, "ip link set %s up", facts->device);
	}
}

/* ---- the underlay ---- */

static void judge_lower(const struct facts *facts, struct findings *to)
{
	const char *lower = fact_text(facts->lower, "ifname");
	struct finding *found;

	/* A route that leads into the link is no matter of this device: see judge_route(). */
	if (facts->lower && facts->lower == facts->self)
		return;
	if (facts->lower && !fact_lists(fact(facts->lower, "flags"), "UP")) {
		found = findings_add(to, CAUSE_LOWER_DOWN, "%s, which sealed frames leave by, is down", lower);
		finding_saw(found, "ip link show %s: it does not have the flag UP", lower);
		finding_mend(found, "ip link set %s up", lower);
	} else if (fact_lists(fact(facts->lower, "flags"), "NO-CARRIER") || fact_is(facts->lower, "operstate", "DOWN") ||
		   fact_is(facts->lower, "operstate", "LOWERLAYERDOWN")) {
		found = findings_add(to, CAUSE_NO_CARRIER, "%s, which sealed frames leave by, has no carrier", lower);
		finding_saw(found, "ip link show %s: operstate %s", lower, fact_text(facts->lower, "operstate"));
		finding_mend(found, "ethtool %s   # then the cable, the port of the switch, or the device below", lower);
	} else if (fact_is(facts->link, "link.state", "underlay-down")) {
		found = findings_add(to, CAUSE_LOWER_DOWN, "the lower device of %s cannot carry frames", facts->device);
		finding_saw(found, "its state is underlay-down; the device itself is not seen from here");
		finding_mend(found, "ip -all netns exec ip link show   # find it in its network namespace, and set it up");
	}
}

static void judge_taken(const struct facts *facts, struct findings *to)
{
	const char *lower = fact_text(facts->lower, "ifname"), *master = fact_text(facts->lower, "master");
	struct finding *found;

	if (!fact_is(facts->link, "link.state", "underlay-taken"))
		return;
	found = findings_add(to, CAUSE_LOWER_TAKEN, "%s, the lower device, is a port of %s", *lower ? lower : "the lower device",
			     *master ? master : "a bridge, or has a macvlan in passthru mode on top");
	finding_saw(found, "the state of %s is underlay-taken", facts->device);
	if (*master)
		finding_mend(found, "ip link set %s nomaster   # make %s a port of %s instead", lower, facts->device, master);
	else
		finding_mend(found, "ip -d link show   # find what took it, and have it released");
}

static bool is_ours(const json_t *devices, const char *address)
{
	const json_t *device;
	size_t i;

	json_array_foreach(devices, i, device) {
		if (fact_find(fact(device, "addr_info"), "local", address))
			return true;
	}
	return false;
}

static void judge_local(const struct facts *facts, struct findings *to)
{
	const char *local = fact_text(facts->link, "link.local");
	struct finding *found;

	if (!fact_is(facts->link, "link.underlay", "udp") || !*local || !facts->machine->devices ||
	    fact(facts->self, "link_netnsid") || is_ours(facts->machine->devices, local))
		return;
	found = findings_add(to, CAUSE_NO_LOCAL_ADDRESS, "%s, the local address of %s, is not on this machine", local,
			     facts->device);
	finding_saw(found, "ip address show: no device has it");
	finding_mend(found, "ip address add %s/LENGTH dev DEVICE", local);
}

static void judge_sizes(const struct facts *facts, struct findings *to)
{
	long long dropped = fact_growth(facts, "stats.tx_too_big"), mtu = fact_number(facts->self, "mtu");
	struct finding *found;

	if (dropped > 0) {
		found = findings_add(to, CAUSE_FRAMES_TOO_BIG, "frames are larger than what the underlay carries");
		finding_saw(found, "tx_too_big grew by %lld in %u ms; the MTU of %s is %lld", dropped,
			    facts->machine->waited_ms, facts->device, mtu);
		finding_mend(found, "qlinkctl set %s parcel pack   # at both ends: they are cut and made whole again", facts->device);
	}
	if (facts->link && mtu && mtu < IPV6_MTU) {
		found = findings_add(to, CAUSE_MTU_SMALL, "the MTU of %s is %lld", facts->device, mtu);
		finding_saw(found, "ip link show %s; %s has %lld", facts->device, fact_text(facts->lower, "ifname"),
			    fact_number(facts->lower, "mtu"));
		finding_mend(found, "ip link set %s mtu 1500   # or: qlinkctl set %s parcel pack", fact_text(facts->lower, "ifname"),
			     facts->device);
	}
}

/* ---- the route ---- */

static void judge_route(const struct facts *facts, struct findings *to)
{
	const char *device = fact_text(facts->route, "dev");
	struct finding *found;

	if (facts->no_route[0] || fact_is(facts->link, "link.state", "no-route")) {
		found = findings_add(to, CAUSE_NO_ROUTE, "there is no route to %s, the peer of %s",
				     facts->remote[0] ? facts->remote : "any", facts->device);
		finding_saw(found, "ip route get %s: %s; the state of the link is %s", facts->remote,
			    facts->no_route[0] ? facts->no_route : "found", fact_text(facts->link, "link.state"));
		finding_mend(found, "ip route add %s via GATEWAY dev DEVICE", facts->remote);
	} else if (*device && fact_is(facts->lower, "linkinfo.info_kind", "qlink")) {
		/* A link in another link is allowed; one in itself is not. */
		if (strcmp(device, facts->device) && fact_growth(facts, "stats.tx_loop") <= 0)
			return;
		found = findings_add(to, CAUSE_ROUTE_LOOP, "the route to %s, the peer of %s, leads through %s", facts->remote,
				     facts->device, device);
		finding_saw(found, "ip route get %s: dev %s; tx_loop is %lld", facts->remote, device,
			    fact_number(facts->link, "stats.tx_loop"));
		finding_mend(found, "ip route add %s via GATEWAY dev DEVICE   # one that is no qlink device", facts->remote);
	}
}

/* Over eth the address is given; over udp it is asked for. An old failure means nothing where the peer is heard. */
static void judge_neighbour(const struct facts *facts, struct findings *to)
{
	const char *gateway = fact_text(facts->route, "gateway"), *device = fact_text(facts->route, "dev");
	const char *next = *gateway ? gateway : facts->remote;
	const json_t *neighbour;
	struct finding *found;
	size_t i;

	if (!*device || json_is_true(fact(facts->link, "link.peer_heard")))
		return;
	json_array_foreach(facts->machine->neighbours, i, neighbour) {
		if (!fact_is(neighbour, "dst", next) || !fact_is(neighbour, "dev", device) ||
		    (!fact_lists(fact(neighbour, "state"), "FAILED") && !fact_lists(fact(neighbour, "state"), "INCOMPLETE")))
			continue;
		found = findings_add(to, CAUSE_NEIGHBOUR_SILENT, "%s, %s, does not answer on %s", next,
				     *gateway ? "the gateway to the peer" : "the peer's host", device);
		finding_saw(found, "ip neighbour show %s dev %s: %s", next, device,
			    json_string_value(json_array_get(fact(neighbour, "state"), 0)) ?: "FAILED");
		finding_mend(found, "ping %s   # then its address, the cable, the VLAN, and whether that host is on", next);
		return;
	}
}

void path_judge(const struct facts *facts, struct findings *to)
{
	judge_module(&facts->machine->module, to);
	if (!facts->machine->module.is_loaded)
		return;
	judge_device(facts, to);
	if (!facts->link)
		return;
	judge_lower(facts, to);
	judge_taken(facts, to);
	judge_local(facts, to);
	judge_sizes(facts, to);
	judge_route(facts, to);
	judge_neighbour(facts, to);
}
