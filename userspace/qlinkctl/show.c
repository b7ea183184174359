// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkctl show: links, for people and for scripts. */
#include "show.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "libqlink/names.h"
#include "libqlink/netns.h"

/* ---- JSON ---- */

static void set_number(json_t *object, const char *name, uint64_t value)
{
	json_object_set_new(object, name, json_integer((json_int_t)value));
}

static void set_text(json_t *object, const char *name, const char *value)
{
	json_object_set_new(object, name, json_string(value));
}

static json_t *counters_json(const uint64_t *counters,
			     const char *const *names, unsigned int max)
{
	json_t *object = json_object();
	unsigned int i;

	for (i = 0; i <= max; i++)
		if (names[i])
			set_number(object, names[i], counters[i]);
	return object;
}

static json_t *usage_json(const struct qlink_usage *usage)
{
	json_t *object = json_object();
	unsigned int i;

	for (i = 0; i <= QLINK_SOURCE_STATIC; i++)
		if (usage[i].frames)
			json_object_set_new(object, qlink_name(&qlink_sources, i),
				json_pack("{s:I, s:I}",
					  "frames", (json_int_t)usage[i].frames,
					  "bytes", (json_int_t)usage[i].bytes));
	return object;
}

json_t *show_ring_json(const struct qlink_ring *ring, bool is_tx)
{
	char id[QLINK_RING_ID_BYTES * 2 + 1];
	json_t *object = json_object();
	unsigned int i;

	for (i = 0; i < QLINK_RING_ID_BYTES; i++)
		snprintf(id + i * 2, 3, "%02x", ring->id[i]);
	set_text(object, "id", id);
	set_number(object, "newest_epoch", ring->newest_epoch);
	set_number(object, "current_epoch", ring->current_epoch);
	if (ring->has_source)
		set_text(object, "current_source",
			 qlink_name(&qlink_sources, ring->current_source));
	set_number(object, "staged", ring->staged);
	set_number(object, "retired", ring->retired);
	set_number(object, "rekeys", ring->rekeys);
	if (ring->current_epoch)
		set_number(object, "age_ms", ring->age_ms);
	if (is_tx)
		json_object_set_new(object, "overdue", json_boolean(ring->overdue));
	json_object_set_new(object, "usage", usage_json(ring->usage));
	return object;
}

json_t *show_bits_json(const struct qlink_names *names, uint32_t bits)
{
	json_t *array = json_array();
	unsigned int i;

	for (i = 0; i < 32; i++)
		if (bits & 1U << i)
			json_array_append_new(array,
				json_string(qlink_name(names, i)));
	return array;
}

static void eth_json(json_t *object, const struct qlink_config *config,
		     const char *lower)
{
	char mac[QLINK_MAC_TEXT];

	if (lower)
		set_text(object, "lower", lower);
	if (qlink_config_has(config, IFLA_QLINK_LOWER))
		set_number(object, "lower_ifindex", config->lower);
	if (qlink_config_has(config, IFLA_QLINK_ETHERTYPE))
		set_number(object, "ethertype", config->ethertype);
	if (qlink_config_has(config, IFLA_QLINK_PEER))
		set_text(object, "peer", qlink_format_mac(config->peer, mac));
}

static void udp_json(json_t *object, const struct qlink_config *config)
{
	char addr[QLINK_ADDR_TEXT];

	if (qlink_config_has(config, IFLA_QLINK_LOCAL))
		set_text(object, "local", qlink_format_addr(&config->local, addr));
	if (qlink_config_has(config, IFLA_QLINK_REMOTE))
		set_text(object, "remote",
			 qlink_format_addr(&config->remote, addr));
	if (qlink_config_has(config, IFLA_QLINK_PORT))
		set_number(object, "port", config->port);
	if (qlink_config_has(config, IFLA_QLINK_SOURCE_PORTS))
		set_number(object, "source_ports", config->source_ports);
}

static void limits_json(json_t *object, const struct qlink_config *config)
{
	if (qlink_config_has(config, IFLA_QLINK_REKEY_MS))
		set_number(object, "rekey_ms", config->rekey_ms);
	if (qlink_config_has(config, IFLA_QLINK_REKEY_FRAMES))
		set_number(object, "rekey_frames", config->rekey_frames);
	if (qlink_config_has(config, IFLA_QLINK_REKEY_BYTES))
		set_number(object, "rekey_bytes", config->rekey_bytes);
	if (qlink_config_has(config, IFLA_QLINK_HARD_SECONDS))
		set_number(object, "hard_seconds", config->hard_seconds);
	if (qlink_config_has(config, IFLA_QLINK_GRACE_MS))
		set_number(object, "grace_ms", config->grace_ms);
	if (qlink_config_has(config, IFLA_QLINK_KEYS_LOW))
		set_number(object, "keys_low", config->keys_low);
	if (qlink_config_has(config, IFLA_QLINK_KEEPALIVE_MS))
		set_number(object, "keepalive_ms", config->keepalive_ms);
	if (qlink_config_has(config, IFLA_QLINK_BLOCKS2_LOG2))
		set_number(object, "blocks2_log2", config->blocks2_log2);
}

static void peer_json(json_t *object, const struct qlink_link *link)
{
	if (!link->has_peer)
		return;
	json_object_set_new(object, "peer_heard", json_boolean(link->peer_heard));
	set_number(object, "peer_epoch", link->peer_epoch);
	if (link->echo_us)
		set_number(object, "echo_us", link->echo_us);
}

static void protection_json(json_t *object, const struct qlink_link *link)
{
	uint32_t lacks;

	set_text(object, "protection",
		 qlink_name(&qlink_protections, qlink_link_protection(link, &lacks)));
	json_object_set_new(object, "lacks", show_bits_json(&qlink_lacks, lacks));
}

static json_t *link_json(const struct qlink_link *link, const char *lower)
{
	const struct qlink_config *config = &link->config;
	json_t *object = json_object();

	set_text(object, "state", qlink_name(&qlink_link_states, link->state));
	protection_json(object, link);
	if (qlink_config_has(config, IFLA_QLINK_ID))
		set_number(object, "id", config->id);
	set_text(object, "underlay", qlink_name(&qlink_underlays, link->underlay));
	eth_json(object, config, lower);
	udp_json(object, config);
	if (qlink_config_has(config, IFLA_QLINK_ACCEPT))
		json_object_set_new(object, "accept",
				    show_bits_json(&qlink_sources, config->accept));
	limits_json(object, config);
	peer_json(object, link);
	json_object_set_new(object, "tx", show_ring_json(&link->tx, true));
	json_object_set_new(object, "rx", show_ring_json(&link->rx, false));
	set_number(object, "blocks2", link->blocks2);
	set_number(object, "generation", link->generation);
	set_number(object, "wipes", link->wipes);
	if (link->wipes)
		set_text(object, "wiped_by",
			 qlink_name(&qlink_wipe_causes, link->wiped_by));
	return object;
}

json_t *show_json(const struct qlink_link *link, const char *lower)
{
	json_t *object = json_object();

	if (!object)
		return NULL;
	set_number(object, "ifindex", link->ifindex);
	set_text(object, "ifname", link->ifname);
	json_object_set_new(object, "link", link_json(link, lower));
	json_object_set_new(object, "stats",
			    counters_json(link->stats, qlink_stats_names,
					  QLINK_A_STATS_MAX));
	if (link->has_port)
		json_object_set_new(object, "port",
				    counters_json(link->port, qlink_port_names,
						  QLINK_A_PORT_MAX));
	return object;
}

/* ---- text ---- */

#define LABEL	"  %-12s "

static void eth_text(const struct qlink_config *config, const char *lower,
		     FILE *to)
{
	char mac[QLINK_MAC_TEXT];

	if (lower)
		fprintf(to, LABEL "%s\n", "link", lower);
	else if (qlink_config_has(config, IFLA_QLINK_LOWER))
		fprintf(to, LABEL "index %u in another network namespace\n",
			"link", config->lower);
	if (qlink_config_has(config, IFLA_QLINK_PEER))
		fprintf(to, LABEL "%s\n", "peer",
			qlink_format_mac(config->peer, mac));
	if (qlink_config_has(config, IFLA_QLINK_ETHERTYPE))
		fprintf(to, LABEL "0x%04x\n", "ethertype", config->ethertype);
}

static void udp_text(const struct qlink_config *config, FILE *to)
{
	char addr[QLINK_ADDR_TEXT];

	if (qlink_config_has(config, IFLA_QLINK_LOCAL))
		fprintf(to, LABEL "%s\n", "local",
			qlink_format_addr(&config->local, addr));
	if (qlink_config_has(config, IFLA_QLINK_REMOTE))
		fprintf(to, LABEL "%s\n", "remote",
			qlink_format_addr(&config->remote, addr));
	if (qlink_config_has(config, IFLA_QLINK_PORT))
		fprintf(to, LABEL "%u\n", "port", config->port);
	if (qlink_config_has(config, IFLA_QLINK_SOURCE_PORTS))
		fprintf(to, LABEL "%u\n", "source-ports", config->source_ports);
}

static void ring_text(const char *label, const struct qlink_ring *ring, FILE *to)
{
	fprintf(to, LABEL, label);
	if (ring->current_epoch)
		fprintf(to, "epoch %llu (%s)",
			(unsigned long long)ring->current_epoch,
			ring->has_source ?
			qlink_name(&qlink_sources, ring->current_source) :
			"unknown");
	else
		fputs("no active key", to);
	fprintf(to, ", newest %llu, %u staged, %u retired, %llu rekeys",
		(unsigned long long)ring->newest_epoch, ring->staged,
		ring->retired, (unsigned long long)ring->rekeys);
	if (ring->age_ms)
		fprintf(to, ", in use for %llu ms", (unsigned long long)ring->age_ms);
	fputs(ring->overdue ? ", overdue\n" : "\n", to);
}

static void usage_text(const char *label, const struct qlink_usage *usage,
		       FILE *to)
{
	unsigned int i;

	for (i = 0; i <= QLINK_SOURCE_STATIC; i++) {
		if (!usage[i].frames)
			continue;
		fprintf(to, LABEL "%s %llu frames, %llu bytes\n", label,
			qlink_name(&qlink_sources, i),
			(unsigned long long)usage[i].frames,
			(unsigned long long)usage[i].bytes);
		label = "";
	}
}

/* What is lacking, or why nothing leaves. */
static void protection_text(const struct qlink_link *link, FILE *to)
{
	enum qlink_protection protection;
	const char *before = ": ";
	uint32_t lacks;
	unsigned int i;

	protection = qlink_link_protection(link, &lacks);
	fprintf(to, "%s: %s", link->ifname, qlink_name(&qlink_protections, protection));
	if (protection == QLINK_BLOCKED)
		fprintf(to, ": %s", qlink_name(&qlink_link_states, link->state));
	for (i = 0; i < 32; i++) {
		if (!(lacks & 1U << i))
			continue;
		fprintf(to, "%s%s", before, qlink_name(&qlink_lacks, i));
		before = ", ";
	}
	fputc('\n', to);
}

/* Keys give way by what is set, and by nothing of all if it is not. */
static void limits_text(const struct qlink_config *config, FILE *to)
{
	if (!qlink_config_has(config, IFLA_QLINK_HARD_SECONDS))
		return;
	fprintf(to, LABEL, "rekey");
	if (config->rekey_ms)
		fprintf(to, "after %u ms, ", config->rekey_ms);
	if (config->rekey_frames)
		fprintf(to, "after %llu frames, ",
			(unsigned long long)config->rekey_frames);
	if (config->rekey_bytes)
		fprintf(to, "after %llu bytes, ",
			(unsigned long long)config->rekey_bytes);
	fprintf(to, "no key for over %u s, grace %u ms\n", config->hard_seconds,
		config->grace_ms);
}

static void peer_text(const struct qlink_link *link, FILE *to)
{
	if (!link->has_peer)
		return;
	fprintf(to, LABEL "every %u ms, peer %s", "keepalive",
		link->config.keepalive_ms, link->peer_heard ? "heard" : "not heard");
	if (link->peer_epoch)
		fprintf(to, ", has seen epoch %llu",
			(unsigned long long)link->peer_epoch);
	if (link->echo_us)
		fprintf(to, ", echo after %u us", link->echo_us);
	fputc('\n', to);
}

static void counters_text(const char *label, const uint64_t *counters,
			  const char *const *names, unsigned int max,
			  bool all, FILE *to)
{
	unsigned int i;

	for (i = 0; i <= max; i++) {
		if (!names[i] || !(counters[i] || all))
			continue;
		fprintf(to, LABEL "%-16s %llu\n", label, names[i],
			(unsigned long long)counters[i]);
		label = "";
	}
}

void show_text(const struct qlink_link *link, const char *lower,
	       bool all_counters, FILE *to)
{
	const struct qlink_config *config = &link->config;
	char accept[QLINK_ACCEPT_TEXT];

	protection_text(link, to);
	if (qlink_config_has(config, IFLA_QLINK_ID))
		fprintf(to, LABEL "%u\n", "id", config->id);
	fprintf(to, LABEL "%s\n", "underlay",
		qlink_name(&qlink_underlays, link->underlay));
	eth_text(config, lower, to);
	udp_text(config, to);
	if (qlink_config_has(config, IFLA_QLINK_ACCEPT))
		fprintf(to, LABEL "%s\n", "accept",
			qlink_format_accept(config->accept, accept));
	limits_text(config, to);
	peer_text(link, to);
	ring_text("tx", &link->tx, to);
	ring_text("rx", &link->rx, to);
	usage_text("sealed under", link->tx.usage, to);
	usage_text("opened under", link->rx.usage, to);
	if (link->blocks2)
		fprintf(to, LABEL "%llu * 65536 of 2^%u\n", "blocks2",
			(unsigned long long)link->blocks2, config->blocks2_log2);
	if (link->wipes)
		fprintf(to, LABEL "%u times, the last by %s\n", "wiped",
			link->wipes,
			qlink_name(&qlink_wipe_causes, link->wiped_by));
	counters_text("counters", link->stats, qlink_stats_names,
		      QLINK_A_STATS_MAX, all_counters, to);
	if (link->has_port)
		counters_text("port", link->port, qlink_port_names,
			      QLINK_A_PORT_MAX, all_counters, to);
}

/* ---- the command ---- */

/* The name of the lower device, if the index means it where we are. */
static const char *lower_name(const struct qlink_link *link,
			      char name[IF_NAMESIZE])
{
	if (!qlink_config_has(&link->config, IFLA_QLINK_LOWER) ||
	    qlink_underlay_is_here(link->ifindex) != 1)
		return NULL;
	return if_indextoname(link->config.lower, name);
}

static int print_text(const struct ctl *ctl, const struct qlink_link *links,
		      size_t n)
{
	char name[IF_NAMESIZE];
	size_t i;

	for (i = 0; i < n; i++) {
		if (i)
			putchar('\n');
		show_text(&links[i], lower_name(&links[i], name),
			  ctl->all_counters, stdout);
	}
	return CTL_OK;
}

static int print_json(const struct qlink_link *links, size_t n)
{
	json_t *array = json_array();
	char name[IF_NAMESIZE];
	size_t i;

	for (i = 0; i < n; i++)
		json_array_append_new(array,
			show_json(&links[i], lower_name(&links[i], name)));
	return ctl_print_json(array);
}

static int print(const struct ctl *ctl, const struct qlink_link *links, size_t n)
{
	return ctl->json ? print_json(links, n) : print_text(ctl, links, n);
}

static int show_all(struct ctl *ctl)
{
	struct qlink_link *links;
	struct qlink_error error;
	size_t n;
	int err;

	err = ctl_open(ctl);
	if (err)
		return err;
	if (qlink_link_dump(ctl->nl, &links, &n, &error))
		return ctl_refused(NULL, &error);
	err = print(ctl, links, n);
	free(links);
	return err;
}

static int show_one(struct ctl *ctl, const char *device)
{
	struct qlink_link link;
	struct qlink_error error;
	uint32_t ifindex;
	int err;

	err = ctl_device(ctl, device, &ifindex);
	if (err)
		return err;
	if (qlink_link_get(ctl->nl, ifindex, &link, &error))
		return ctl_refused(device, &error);
	return print(ctl, &link, 1);
}

int show_run(struct ctl *ctl, int argc, char **argv)
{
	if (argc > 1)
		return ctl_usage("\"%s\": show wants one device at most", argv[1]);
	return argc ? show_one(ctl, argv[0]) : show_all(ctl);
}
