// SPDX-License-Identifier: GPL-2.0-or-later
/* Looks at the machine, its links and the agent, and changes nothing. */
#include "look.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "program.h"
#include "qlinkctl/agent.h"
#include "qlinkctl/show.h"

/* How long counters are watched: two keepalives, within these limits. */
#define WATCH_LEAST_MS	1000
#define WATCH_MOST_MS	3000

/* The first line of a file; empty if there is none. */
static void read_line(const char *path, char *text, size_t room)
{
	FILE *file = fopen(path, "re");

	text[0] = '\0';
	if (!file)
		return;
	if (fgets(text, (int)room, file))
		text[strcspn(text, "\n")] = '\0';
	fclose(file);
}

/* ---- the module ---- */

/* One field of modinfo; false if modinfo is not there or knows no such module. */
static bool ask_modinfo(const char *field, char *text, size_t room)
{
	const char *const argv[] = { "modinfo", "-F", field, "qlink", NULL };
	struct program_result result;

	program_run(argv, &result);
	snprintf(text, room, "%.*s", !result.status && result.out ? (int)strcspn(result.out, "\n") : 0,
		 result.out ?: "");
	free(result.out);
	return !result.status;
}

static bool needs_signature(void)
{
	char text[100];

	read_line("/sys/module/module/parameters/sig_enforce", text, sizeof(text));
	if (text[0] == 'Y')
		return true;
	read_line("/sys/kernel/security/lockdown", text, sizeof(text));
	return text[0] && !strstr(text, "[none]");
}

static void look_at_module(struct machine *machine)
{
	struct module_state *module = &machine->module;
	char text[100];
	struct utsname name;

	if (!uname(&name))
		snprintf(module->release, sizeof(module->release), "%s", name.release);
	module->is_loaded = !access("/sys/module/qlink", F_OK);
	read_line("/sys/module/qlink/srcversion", module->loaded_source, sizeof(module->loaded_source));
	if (module->is_loaded && !module->loaded_source[0])
		return;
	ask_modinfo("filename", module->file, sizeof(module->file));
	module->is_known = true;
	module->is_signed = ask_modinfo("signer", text, sizeof(text)) && text[0];
	module->needs_signature = needs_signature();
	ask_modinfo("srcversion", module->file_source, sizeof(module->file_source));
}

/* ---- the kernel's network ---- */

/* What ip shows of links to anybody, in the form of "qlinkctl -j show". */
static json_t *links_of_ip(struct machine *machine)
{
	static const char *const argv[] = { "ip", "-d", "-s", "-j", "link", "show", "type", "qlink", NULL };
	json_t *links = json_array(), *shown, *device, *data;
	char why[300];
	size_t i;

	shown = program_json(argv, why, sizeof(why));
	json_array_foreach(shown, i, device) {
		data = json_object_get(json_object_get(device, "linkinfo"), "info_data");
		if (data)
			json_array_append_new(links, json_pack("{s:O, s:O, s:O?}", "ifname", json_object_get(device, "ifname"),
							       "link", data, "stats",
							       json_object_get(json_object_get(device, "linkinfo"), "info_xstats")));
		else if (json_object_get(device, "linkinfo"))
			machine_unseen(machine, "the state of %s: ip has no plug-in for qlink", fact_text(device, "ifname"));
	}
	json_decref(shown);
	return links;
}

static json_t *links_of_kernel(struct ctl *ctl)
{
	struct qlink_error error;
	struct qlink_link *links;
	json_t *to;
	size_t i, n;

	if (!ctl->nl && qlink_nl_open(&ctl->nl, &error))
		return NULL;
	if (qlink_link_dump(ctl->nl, &links, &n, &error))
		return NULL;
	to = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(to, show_json(&links[i], NULL));
	free(links);
	return to;
}

/* Opening the netlink family would load the module, so it is not opened without one. */
static json_t *look_at_links(struct machine *machine, struct ctl *ctl, bool is_first)
{
	json_t *links;

	if (!machine->module.is_loaded)
		return NULL;
	links = links_of_kernel(ctl);
	if (links)
		return links;
	if (is_first)
		machine_unseen(machine, "counters of underlay ports: they need root (CAP_NET_ADMIN)");
	return links_of_ip(machine);
}

/* The value of a column of a table such as /proc/net/snmp, whose lines are pairs of names and values. */
static uint64_t column(FILE *file, const char *row, const char *name)
{
	char heads[2048], values[2048], *head, *value, *at, *also;

	while (fgets(heads, sizeof(heads), file) && fgets(values, sizeof(values), file)) {
		if (strncmp(heads, row, strlen(row)))
			continue;
		head = strtok_r(heads, " \n", &at);
		value = strtok_r(values, " \n", &also);
		while (head && value && strcmp(head, name)) {
			head = strtok_r(NULL, " \n", &at);
			value = strtok_r(NULL, " \n", &also);
		}
		return head && value ? strtoull(value, NULL, 10) : 0;
	}
	return 0;
}

static uint64_t unreachable_messages(void)
{
	FILE *file = fopen("/proc/self/net/snmp", "re");
	char line[200];
	uint64_t n = 0;

	if (file) {
		n = column(file, "Icmp:", "InDestUnreachs");
		fclose(file);
	}
	file = fopen("/proc/self/net/snmp6", "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (!strncmp(line, "Icmp6InDestUnreachs", 19))
			n += strtoull(line + 19, NULL, 10);
	}
	if (file)
		fclose(file);
	return n;
}

static void look_at_network(struct machine *machine)
{
	static const char *const addresses[] = { "ip", "-d", "-j", "address", "show", NULL };
	static const char *const neighbours[] = { "ip", "-j", "neighbour", "show", NULL };
	char why[300];

	machine->devices = program_json(addresses, why, sizeof(why));
	if (!machine->devices)
		machine_unseen(machine, "devices and routes: %.150s", why);
	machine->neighbours = program_json(neighbours, why, sizeof(why));
}

static void look_at_rules(struct machine *machine)
{
	static const char *const argv[] = { "nft", "-j", "list", "ruleset", NULL };
	char text[100];
	json_t *shown;
	char why[300];

	shown = program_json(argv, why, sizeof(why));
	machine->rules = json_incref(json_object_get(shown, "nftables"));
	json_decref(shown);
	if (!machine->rules)
		machine_unseen(machine, "rules of a firewall on this machine: %.140s", why);
	read_line("/proc/self/net/ip_tables_names", text, sizeof(text));
	if (text[0])
		machine_unseen(machine, "rules of iptables-legacy: see iptables-legacy -S");
}

/* ---- the agent ---- */

static void look_at_unit(struct machine *machine)
{
	static const char *const argv[] = {
		"systemctl", "show", "qlinkd.service", "-p", "ActiveState,SubState,Result,NRestarts,UnitFileState", NULL,
	};
	struct program_result result;
	char *line, *at = NULL;
	size_t used = 0;

	if (access("/run/systemd/system", F_OK))
		return;
	program_run(argv, &result);
	for (line = result.status || !result.out ? NULL : strtok_r(result.out, "\n", &at); line;
	     line = strtok_r(NULL, "\n", &at))
		used += (size_t)snprintf(machine->unit + used, sizeof(machine->unit) - used, "%s%.50s", used ? ", " : "",
					 line);
	free(result.out);
}

/* The service reads files as its own user, who can read fewer of them than root. */
static bool runs_as_service(const struct machine *machine)
{
	return !geteuid() && getpwnam("qlinkd") && machine->unit[0] &&
	       (strstr(machine->unit, "UnitFileState=enabled") || !strstr(machine->unit, "ActiveState=inactive"));
}

/* Nothing listens at the socket. A configuration that qlinkd refuses would explain it. */
static void look_at_config(struct machine *machine)
{
	const char *const argv[] = { "runuser", "-u", "qlinkd", "--", "qlinkd", "-n", "-c", machine->config, NULL };
	struct program_result result;
	const char *words;

	if (!machine->config)
		return;
	if (access(machine->config, R_OK)) {
		if (errno == EACCES)
			machine_unseen(machine, "%.100s: %s", machine->config, strerror(errno));
		else
			snprintf(machine->config_error, sizeof(machine->config_error), "%.200s: %s", machine->config,
				 strerror(errno));
		machine->has_config = errno != EACCES;
		return;
	}
	program_run(runs_as_service(machine) ? argv : argv + 4, &result);
	machine->has_config = result.status == 0 || result.status == 1;
	machine->is_own_try = geteuid();
	words = !strncmp(result.err, "qlinkd: ", 8) ? result.err + 8 : result.err;
	if (result.status == 1)
		snprintf(machine->config_error, sizeof(machine->config_error), "%s", words);
	if (machine->is_own_try && strstr(words, "may not read it"))
		machine_unseen(machine, "the files of %.100s: they need root", machine->config);
	free(result.out);
}

static void look_at_agent(struct machine *machine, const struct ctl *ctl)
{
	machine->control = agent_path(ctl);
	machine->status = agent_try(ctl, "status", &machine->agent_error);
	if (machine->agent_error == EACCES || machine->agent_error == EPERM)
		machine_unseen(machine, "the agent: %.100s: %s", machine->control, strerror(machine->agent_error));
	if (machine->status)
		return;
	look_at_unit(machine);
	if (machine->agent_error == ENOENT || machine->agent_error == ECONNREFUSED)
		look_at_config(machine);
}

static void look_at_clock(struct machine *machine)
{
	struct timex timex = { .modes = 0 };

	machine->now = time(NULL);
	machine->is_synchronised = adjtimex(&timex) >= 0 && !(timex.status & STA_UNSYNC);
}

/* ---- time ---- */

static unsigned int watch_ms(const json_t *links)
{
	long long ms = WATCH_LEAST_MS;
	const json_t *link;
	size_t i;

	json_array_foreach(links, i, link) {
		if (2 * fact_number(link, "link.keepalive_ms") > ms)
			ms = 2 * fact_number(link, "link.keepalive_ms");
	}
	return ms < WATCH_MOST_MS ? (unsigned int)ms : WATCH_MOST_MS;
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

void look_at_machine(struct machine *machine, struct ctl *ctl, const char *config)
{
	uint64_t unreachable;
	long long began, left;

	*machine = (struct machine){ .config = config };
	look_at_module(machine);
	unreachable = unreachable_messages();
	machine->before = look_at_links(machine, ctl, true);
	began = now_ms();
	look_at_network(machine);
	look_at_rules(machine);
	look_at_agent(machine, ctl);
	look_at_clock(machine);
	left = began + watch_ms(machine->before) - now_ms();
	if (json_array_size(machine->before) && left > 0)
		usleep((useconds_t)left * 1000);
	machine->links = look_at_links(machine, ctl, false);
	machine->unreachable = unreachable_messages() - unreachable;
	machine->waited_ms = (unsigned int)(now_ms() - began);
}

void look_end(struct machine *machine)
{
	json_decref(machine->links);
	json_decref(machine->before);
	json_decref(machine->devices);
	json_decref(machine->neighbours);
	json_decref(machine->rules);
	json_decref(machine->status);
}

/* ---- one link ---- */

static const json_t *find_index(const json_t *devices, long long ifindex)
{
	const json_t *device;
	size_t i;

	json_array_foreach(devices, i, device) {
		if (ifindex && fact_number(device, "ifindex") == ifindex)
			return device;
	}
	return NULL;
}

static const json_t *device_with(const json_t *devices, const char *address)
{
	const json_t *device;
	size_t i;

	json_array_foreach(devices, i, device) {
		if (*address && fact_find(fact(device, "addr_info"), "local", address))
			return device;
	}
	return NULL;
}

/* The VRF of a device; empty if it is in none. */
static const char *vrf_of(const json_t *devices, const json_t *device)
{
	const json_t *master = fact_find(devices, "ifname", fact_text(device, "master"));

	return fact_is(master, "linkinfo.info_kind", "vrf") ? fact_text(master, "ifname") : "";
}

/* The first route that "ip route get" names; NULL with the reason. */
static json_t *route_to(const char *address, const char *vrf, const char *device, long long mark, char *why, size_t room)
{
	const char *argv[12] = { "ip", "-d", "-j", "route", "get", address };
	json_t *shown, *route;
	char number[24];
	size_t n = 6;

	if (*vrf || *device) {
		argv[n++] = *vrf ? "vrf" : "oif";
		argv[n++] = *vrf ? vrf : device;
	}
	snprintf(number, sizeof(number), "%lld", mark);
	if (mark) {
		argv[n++] = "mark";
		argv[n++] = number;
	}
	shown = program_json(argv, why, room);
	route = json_incref(json_array_get(shown, 0));
	json_decref(shown);
	return route;
}

/*
 * Over UDP sealed frames leave by the device of the route, over eth by the lower device. Without a route it
 * is the device of the local address that matters: once that is down, its routes are gone.
 */
static void look_at_path(struct facts *facts)
{
	const json_t *link = facts->link, *devices = facts->machine->devices;
	const json_t *home = device_with(devices, fact_text(link, "link.local"));
	bool is_away = fact(facts->self, "link_netnsid");

	if (fact_is(link, "link.underlay", "eth") && !is_away)
		facts->lower = find_index(devices, fact_number(link, "link.lower_ifindex"));
	if (!fact_is(link, "link.underlay", "udp"))
		return;
	snprintf(facts->remote, sizeof(facts->remote), "%s",
		 fact_text(link, json_is_true(fact(link, "link.roam")) ? "link.endpoint" : "link.remote"));
	if (!facts->remote[0] || !strcmp(facts->remote, "any"))
		return;
	facts->route = route_to(facts->remote, vrf_of(devices, home), fact_text(link, "link.dev"),
				fact_number(link, "link.fwmark"), facts->no_route, sizeof(facts->no_route));
	facts->lower = facts->route ? fact_find(devices, "ifname", fact_text(facts->route, "dev")) : home;
}

void look_at_link(const struct machine *machine, const char *device, struct facts *facts)
{
	const char *address;
	char why[200];

	*facts = (struct facts){ .machine = machine, .device = device };
	facts->link = fact_find(machine->links, "ifname", device);
	facts->before = fact_find(machine->before, "ifname", device);
	facts->self = fact_find(machine->devices, "ifname", device);
	look_at_path(facts);
	facts->agent_link = fact_find(fact(machine->status, "links"), "device", device);
	facts->agent_peer = fact_find(fact(machine->status, "peers"), "name", fact_text(facts->agent_link, "peer"));
	address = fact_text(facts->agent_peer, "address");
	/* It costs a process for each link, so it is left out where nobody needs it. */
	if (*address && (machine->rules || !json_is_true(fact(facts->agent_peer, "connected"))))
		facts->agent_route = route_to(address, "", "", 0, why, sizeof(why));
}

void look_away(struct facts *facts)
{
	json_decref(facts->route);
	json_decref(facts->agent_route);
}
