// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkctl show: show links, for people and for scripts. */
#include "show.h"

#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "libqlink/names.h"
#include "libqlink/netns.h"
#include "libqlink/option.h"

/* ---- JSON ---- */

static json_t *counters_json(const uint64_t *counters,
			     const char *const *names, unsigned int max)
{
	json_t *object = json_object();
	unsigned int i;

	for (i = 0; i <= max; i++)
		if (names[i])
			json_object_set_new(object, names[i],
					    json_integer((json_int_t)counters[i]));
	return object;
}

json_t *show_json(const struct qlink_link *link, const char *lower)
{
	struct build build;
	const struct qlink_json *json = build_begin(&build);

	json->number(json->arg, "ifindex", link->ifindex);
	json->text(json->arg, "ifname", link->ifname);
	json->open(json->arg, "link");
	qlink_json_link(json, link, lower);
	json->close(json->arg);
	build_add(&build, "stats",
		  counters_json(link->stats, qlink_stats_names, QLINK_A_STATS_MAX));
	if (link->has_port)
		build_add(&build, "port",
			  counters_json(link->port, qlink_port_names, QLINK_A_PORT_MAX));
	return build_end(&build);
}

/* ---- text ---- */

#define LABEL	"  %-12s "

static void lower_text(const struct qlink_config *config, const char *lower,
		       FILE *to)
{
	if (lower)
		fprintf(to, LABEL "%s\n", "link", lower);
	else if (qlink_config_has(config, IFLA_QLINK_LOWER))
		fprintf(to, LABEL "index %u in another network namespace\n",
			"link", config->lower);
}

/* Whether an option has a line of its own. Limits of keys and keepalives are in sentences, and the
 * line of accept has the number of KMEs.
 */
static bool has_line(unsigned int type)
{
	switch (type) {
	case IFLA_QLINK_ID:
	case IFLA_QLINK_LOWER:
	case IFLA_QLINK_ACCEPT_KMES:
	case IFLA_QLINK_REKEY_MS:
	case IFLA_QLINK_REKEY_FRAMES:
	case IFLA_QLINK_REKEY_BYTES:
	case IFLA_QLINK_HARD_SECONDS:
	case IFLA_QLINK_GRACE_MS:
	case IFLA_QLINK_KEYS_LOW:
	case IFLA_QLINK_KEEPALIVE_MS:
	case IFLA_QLINK_BLOCKS2_LOG2:
		return false;
	}
	return true;
}

static void options_text(const struct qlink_config *config, FILE *to)
{
	const struct qlink_attr *attr = qlink_config_attrs.attrs;
	char text[QLINK_ATTR_TEXT];
	size_t i;

	for (i = 0; i < qlink_config_attrs.n; i++, attr++)
		if (has_line(attr->type) && qlink_config_has(config, attr->type))
			fprintf(to, LABEL "%s\n", attr->name,
				qlink_attr_text(attr, config, text));
}

static void ring_text(const char *label, const struct qlink_ring *ring, FILE *to)
{
	char source[QLINK_SOURCE_TEXT];

	fprintf(to, LABEL, label);
	if (ring->current_epoch)
		fprintf(to, "epoch %llu (%s)",
			(unsigned long long)ring->current_epoch,
			ring->has_source ?
			qlink_format_source(ring->current_source, ring->current_kmes, source) :
			"unknown");
	else
		fputs("no active key", to);
	fprintf(to, ", newest %llu, %u staged, %u retired, %llu rekey%s",
		(unsigned long long)ring->newest_epoch, ring->staged,
		ring->retired, (unsigned long long)ring->rekeys, ring->rekeys == 1 ? "" : "s");
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

/* How well the link protects frames, and why not better. */
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

/* When keys are replaced. A limit of 0 is not set, and not shown. */
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

static void endpoint_text(const struct qlink_link *link, FILE *to)
{
	char text[QLINK_ADDR_TEXT];

	if (!link->config.roam)
		return;
	if (link->endpoint.len)
		fprintf(to, LABEL "%s port %u\n", "endpoint",
			qlink_format_addr(&link->endpoint, text), link->endpoint_port);
	else
		fprintf(to, LABEL "not known yet\n", "endpoint");
}

/* How much of what was sent in parcels was not padding, and what leaves by the clock. */
static void parcels_text(const struct qlink_link *link, FILE *to)
{
	const struct qlink_config *config = &link->config;
	uint64_t n = link->stats[QLINK_A_STATS_TX_PARCELS];
	uint64_t bytes = link->stats[QLINK_A_STATS_TX_PARCEL_BYTES];
	uint64_t pad = link->stats[QLINK_A_STATS_TX_PAD_BYTES];

	if (!n || !bytes || pad > bytes)
		return;
	fprintf(to, LABEL "%llu sent, filled to %.1f %%", "parcels",
		(unsigned long long)n, 100.0 * (double)(bytes - pad) / (double)bytes);
	if (link->parcel_size)
		fprintf(to, ", each of %u bytes", link->parcel_size);
	if (link->parcel_size && config->parcel_interval_us)
		fprintf(to, ", %.3f Mbit/s", link->parcel_size * 8.0 / config->parcel_interval_us);
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

	protection_text(link, to);
	if (qlink_config_has(config, IFLA_QLINK_ID))
		fprintf(to, LABEL "%u\n", "id", config->id);
	fprintf(to, LABEL "%s\n", "underlay",
		qlink_name(&qlink_underlays, link->underlay));
	lower_text(config, lower, to);
	options_text(config, to);
	endpoint_text(link, to);
	limits_text(config, to);
	peer_text(link, to);
	parcels_text(link, to);
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

const char *show_lower(const struct qlink_link *link, char name[IF_NAMESIZE])
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
		show_text(&links[i], show_lower(&links[i], name),
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
			show_json(&links[i], show_lower(&links[i], name)));
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
		return ctl_usage("\"%s\": show takes at most one device", argv[1]);
	return argc ? show_one(ctl, argv[0]) : show_all(ctl);
}
