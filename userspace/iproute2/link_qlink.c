// SPDX-License-Identifier: GPL-2.0-or-later
/* The plug-in for ip: ip link add … type qlink, and ip -d link show. */
#include "iproute2.h"

#include <errno.h>
#include <string.h>

#include "libqlink/link.h"
#include "libqlink/names.h"
#include "libqlink/protection.h"

static const char help[] =
"Usage: ... qlink [ id ID ]\n"
"                 [ peer MAC ] [ ethertype 0xNNNN ]\n"
"                 [ local ADDR ] [ remote ADDR ] [ port PORT ]\n"
"                 [ source-ports 1..64 ]\n"
"                 [ accept LIST ]\n"
"                 [ rekey-ms NUMBER ] [ rekey-frames NUMBER ]\n"
"                 [ rekey-bytes NUMBER ] [ hard-seconds NUMBER ]\n"
"                 [ grace-ms NUMBER ] [ keys-low NUMBER ]\n"
"                 [ keepalive-ms NUMBER ] [ blocks2-log2 NUMBER ]\n"
"\n"
"The eth underlay:  ip link add link LOWER name DEV type qlink id ID peer MAC\n"
"The udp underlay:  ip link add DEV type qlink id ID local ADDR remote ADDR port PORT\n"
"\n"
"Where:  ID     := 1..65535\n"
"        LIST   := SOURCE[,LIST]\n"
"        SOURCE := { qkd | hybrid | pqc | static }\n";

/* ---- ip link add, ip link set ---- */

static int complain(int err, const char *word, const char *value,
		    const struct qlink_why *why)
{
	char text[256];

	qlink_config_error(err, word, value, why, text, sizeof(text));
	fprintf(stderr, "qlink: %s\n", text);
	return -1;
}

static int append(void *n, unsigned int type, const void *data, size_t len)
{
	return addattr_l(n, IPLINK_REQUEST_BYTES, (int)type, data, (int)len);
}

static int parse_opt(struct link_util *lu, int argc, char **argv,
		     struct nlmsghdr *n)
{
	struct qlink_config config = { 0 };
	struct qlink_why why;
	const char *value;
	int err;

	(void)lu;
	for (; argc > 0; argc -= 2, argv += 2) {
		if (!strcmp(*argv, "help")) {
			fputs(help, stderr);
			return -1;
		}
		if (!strcmp(*argv, "link")) {
			fprintf(stderr, "qlink: link: stands before \"type\"\n");
			return -1;
		}
		value = argc > 1 ? argv[1] : NULL;
		err = qlink_config_word(&config, *argv, value, &why);
		if (err)
			return complain(err, *argv, value, &why);
	}
	return qlink_config_put(&config, append, n);
}

/* ---- ip -d link show ---- */

static void print_text(const char *key, const char *format, const char *value)
{
	print_color_string(PRINT_ANY, COLOR_NONE, key, format, value);
}

static void print_number(const char *key, const char *format, unsigned int value)
{
	print_color_uint(PRINT_ANY, COLOR_NONE, key, format, value);
}

static void print_eth(const struct qlink_config *config)
{
	char text[QLINK_MAC_TEXT];

	/* The text form has it as DEV@LOWER already. */
	if (qlink_config_has(config, IFLA_QLINK_LOWER))
		print_color_uint(PRINT_JSON, COLOR_NONE, "lower_ifindex", NULL,
				 config->lower);
	if (qlink_config_has(config, IFLA_QLINK_PEER))
		print_text("peer", "peer %s ",
			   qlink_format_mac(config->peer, text));
	if (qlink_config_has(config, IFLA_QLINK_ETHERTYPE))
		print_number("ethertype", "ethertype 0x%04x ", config->ethertype);
}

static void print_udp(const struct qlink_config *config)
{
	char text[QLINK_ADDR_TEXT];

	if (qlink_config_has(config, IFLA_QLINK_LOCAL))
		print_text("local", "local %s ",
			   qlink_format_addr(&config->local, text));
	if (qlink_config_has(config, IFLA_QLINK_REMOTE))
		print_text("remote", "remote %s ",
			   qlink_format_addr(&config->remote, text));
	if (qlink_config_has(config, IFLA_QLINK_PORT))
		print_number("port", "port %u ", config->port);
	if (qlink_config_has(config, IFLA_QLINK_SOURCE_PORTS))
		print_number("source_ports", "source-ports %u ",
			     config->source_ports);
}

static void print_accept(uint32_t accept)
{
	char text[QLINK_ACCEPT_TEXT];
	unsigned int i;

	print_color_string(PRINT_FP, COLOR_NONE, NULL, "accept %s ",
			   qlink_format_accept(accept, text));
	open_json_array(PRINT_JSON, "accept");
	for (i = 0; i < 32; i++)
		if (accept & 1U << i)
			print_color_string(PRINT_JSON, COLOR_NONE, NULL, NULL,
					   qlink_name(&qlink_sources, i));
	close_json_array(PRINT_JSON, NULL);
}

static void print_usage_json(const struct qlink_usage *usage)
{
	unsigned int i;

	open_json_object("usage");
	for (i = 0; i <= QLINK_SOURCE_STATIC; i++) {
		if (!usage[i].frames)
			continue;
		open_json_object(qlink_name(&qlink_sources, i));
		print_color_u64(PRINT_JSON, COLOR_NONE, "frames", NULL,
				usage[i].frames);
		print_color_u64(PRINT_JSON, COLOR_NONE, "bytes", NULL,
				usage[i].bytes);
		close_json_object();
	}
	close_json_object();
}

static void print_ring_json(const char *name, const struct qlink_ring *ring)
{
	char id[QLINK_RING_ID_BYTES * 2 + 1];
	unsigned int i;

	for (i = 0; i < QLINK_RING_ID_BYTES; i++)
		snprintf(id + i * 2, 3, "%02x", ring->id[i]);
	open_json_object(name);
	print_color_string(PRINT_JSON, COLOR_NONE, "id", NULL, id);
	print_color_u64(PRINT_JSON, COLOR_NONE, "newest_epoch", NULL,
			ring->newest_epoch);
	print_color_u64(PRINT_JSON, COLOR_NONE, "current_epoch", NULL,
			ring->current_epoch);
	if (ring->has_source)
		print_color_string(PRINT_JSON, COLOR_NONE, "current_source", NULL,
				   qlink_name(&qlink_sources, ring->current_source));
	print_color_uint(PRINT_JSON, COLOR_NONE, "staged", NULL, ring->staged);
	print_color_uint(PRINT_JSON, COLOR_NONE, "retired", NULL, ring->retired);
	print_color_u64(PRINT_JSON, COLOR_NONE, "rekeys", NULL, ring->rekeys);
	if (ring->current_epoch)
		print_color_u64(PRINT_JSON, COLOR_NONE, "age_ms", NULL,
				ring->age_ms);
	if (!strcmp(name, "tx"))
		print_color_bool(PRINT_JSON, COLOR_NONE, "overdue", NULL,
				 ring->overdue);
	print_usage_json(ring->usage);
	close_json_object();
}

/* As "tx epoch 3 hybrid newest 9 staged 6 retired 0", or "tx no-key newest …". */
static void print_ring_text(const char *name, const struct qlink_ring *ring)
{
	print_color_string(PRINT_FP, COLOR_NONE, NULL, "%s ", name);
	if (ring->current_epoch)
		print_color_u64(PRINT_FP, COLOR_NONE, NULL, "epoch %llu ",
				ring->current_epoch);
	else
		print_color_string(PRINT_FP, COLOR_NONE, NULL, "%s ", "no-key");
	if (ring->has_source)
		print_color_string(PRINT_FP, COLOR_NONE, NULL, "%s ",
				   qlink_name(&qlink_sources, ring->current_source));
	print_color_u64(PRINT_FP, COLOR_NONE, NULL, "newest %llu ",
			ring->newest_epoch);
	print_color_uint(PRINT_FP, COLOR_NONE, NULL, "staged %u ", ring->staged);
	print_color_uint(PRINT_FP, COLOR_NONE, NULL, "retired %u ", ring->retired);
	print_color_u64(PRINT_FP, COLOR_NONE, NULL, "rekeys %llu ", ring->rekeys);
	if (ring->overdue)
		print_color_string(PRINT_FP, COLOR_NONE, NULL, "%s ", "overdue");
}

static void print_ring(const char *name, const struct qlink_ring *ring)
{
	if (is_json_context())
		print_ring_json(name, ring);
	else
		print_ring_text(name, ring);
}

static void print_big(const char *key, const char *format, uint64_t value)
{
	print_color_u64(PRINT_ANY, COLOR_NONE, key, format, value);
}

static void print_limits(const struct qlink_config *config)
{
	if (qlink_config_has(config, IFLA_QLINK_REKEY_MS))
		print_number("rekey_ms", "rekey-ms %u ", config->rekey_ms);
	if (qlink_config_has(config, IFLA_QLINK_REKEY_FRAMES))
		print_big("rekey_frames", "rekey-frames %llu ", config->rekey_frames);
	if (qlink_config_has(config, IFLA_QLINK_REKEY_BYTES))
		print_big("rekey_bytes", "rekey-bytes %llu ", config->rekey_bytes);
	if (qlink_config_has(config, IFLA_QLINK_HARD_SECONDS))
		print_number("hard_seconds", "hard-seconds %u ", config->hard_seconds);
	if (qlink_config_has(config, IFLA_QLINK_GRACE_MS))
		print_number("grace_ms", "grace-ms %u ", config->grace_ms);
	if (qlink_config_has(config, IFLA_QLINK_KEYS_LOW))
		print_number("keys_low", "keys-low %u ", config->keys_low);
	if (qlink_config_has(config, IFLA_QLINK_KEEPALIVE_MS))
		print_number("keepalive_ms", "keepalive-ms %u ", config->keepalive_ms);
	if (qlink_config_has(config, IFLA_QLINK_BLOCKS2_LOG2))
		print_number("blocks2_log2", "blocks2-log2 %u ", config->blocks2_log2);
}

/* As "protection degraded tx-overdue". */
static void print_protection(const struct qlink_link *link)
{
	uint32_t lacks;
	unsigned int i;

	print_text("protection", "protection %s ",
		   qlink_name(&qlink_protections, qlink_link_protection(link, &lacks)));
	open_json_array(PRINT_JSON, "lacks");
	for (i = 0; i < qlink_lacks.n; i++)
		if (lacks & 1U << i)
			print_color_string(PRINT_ANY, COLOR_NONE, NULL, "%s ",
					   qlink_name(&qlink_lacks, i));
	close_json_array(PRINT_JSON, NULL);
}

/* As "peer-heard peer-epoch 3 echo-us 250", or "peer-not-heard". */
static void print_peer(const struct qlink_link *link)
{
	if (!link->has_peer)
		return;
	print_color_bool(PRINT_JSON, COLOR_NONE, "peer_heard", NULL, link->peer_heard);
	print_color_string(PRINT_FP, COLOR_NONE, NULL, "%s ",
			   link->peer_heard ? "peer-heard" : "peer-not-heard");
	print_big("peer_epoch", "peer-epoch %llu ", link->peer_epoch);
	if (link->echo_us)
		print_number("echo_us", "echo-us %u ", link->echo_us);
}

static void print_link(const struct qlink_link *link)
{
	const struct qlink_config *config = &link->config;

	print_text("state", "state %s ",
		   qlink_name(&qlink_link_states, link->state));
	print_protection(link);
	if (qlink_config_has(config, IFLA_QLINK_ID))
		print_number("id", "id %u ", config->id);
	print_text("underlay", "underlay %s ",
		   qlink_name(&qlink_underlays, link->underlay));
	print_eth(config);
	print_udp(config);
	if (qlink_config_has(config, IFLA_QLINK_ACCEPT))
		print_accept(config->accept);
	print_limits(config);
	print_peer(link);
	print_ring("tx", &link->tx);
	print_ring("rx", &link->rx);
	print_big("blocks2", "blocks2 %llu ", link->blocks2);
	print_number("generation", "generation %u ", link->generation);
	if (!link->wipes)
		return;
	print_number("wipes", "wipes %u ", link->wipes);
	print_text("wiped_by", "wiped-by %s ",
		   qlink_name(&qlink_wipe_causes, link->wiped_by));
}

static void print_opt(struct link_util *lu, FILE *f, struct rtattr *tb[])
{
	struct qlink_link link = { 0 };
	int i;

	(void)f;
	if (!tb)
		return;
	for (i = 1; i <= lu->maxattr; i++)
		if (tb[i] && qlink_link_take(&link, (unsigned int)i, RTA_DATA(tb[i]),
					     (size_t)RTA_PAYLOAD(tb[i])))
			fprintf(stderr, "qlink: attribute %d does not parse\n", i);
	print_link(&link);
}

/* ---- ip -d -s link show ---- */

static void print_counter_text(const char *name, uint64_t value, bool is_first)
{
	if (is_first) {
		print_nl();
		print_color_string(PRINT_FP, COLOR_NONE, NULL, "%s", "      ");
	}
	print_color_string(PRINT_FP, COLOR_NONE, NULL, "%s ", name);
	/* ip goes on behind this, on the same line. */
	print_color_u64(PRINT_FP, COLOR_NONE, NULL, "%llu ", value);
}

static void print_xstats(struct link_util *lu, FILE *f, struct rtattr *xstats)
{
	uint64_t stats[QLINK_A_STATS_MAX + 1] = { 0 };
	bool is_first = true;
	unsigned int i;

	(void)lu;
	(void)f;
	if (qlink_attr_walk(RTA_DATA(xstats), (size_t)RTA_PAYLOAD(xstats),
			    qlink_stats_take, stats))
		fprintf(stderr, "qlink: counters do not parse\n");
	for (i = 0; i <= QLINK_A_STATS_MAX; i++) {
		if (!qlink_stats_names[i])
			continue;
		print_color_u64(PRINT_JSON, COLOR_NONE, qlink_stats_names[i],
				NULL, stats[i]);
		if (!stats[i] || is_json_context())
			continue;
		print_counter_text(qlink_stats_names[i], stats[i], is_first);
		is_first = false;
	}
}

static void print_help(struct link_util *lu, int argc, char **argv, FILE *f)
{
	(void)lu;
	(void)argc;
	(void)argv;
	fputs(help, f);
}

__attribute__((visibility("default")))
struct link_util qlink_link_util = {
	.id = "qlink",
	.maxattr = IFLA_QLINK_MAX,
	.parse_opt = parse_opt,
	.print_opt = print_opt,
	.print_xstats = print_xstats,
	.print_help = print_help,
};
