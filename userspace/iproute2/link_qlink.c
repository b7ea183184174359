// SPDX-License-Identifier: GPL-2.0-or-later
/* The plug-in for ip: ip link add … type qlink, and ip -d link show. */
#include "iproute2.h"

#include <errno.h>
#include <string.h>

#include "libqlink/json.h"
#include "libqlink/option.h"
#include "libqlink/protection.h"

static const char help_head[] = "Usage: ... qlink ";

static const char help_tail[] =
"\n"
"The eth underlay:  ip link add link LOWER name DEV type qlink id N peer MAC\n"
"The udp underlay:  ip link add DEV type qlink id N local ADDR remote ADDR port N\n"
"                   A remote that is any is learned: its peer sends first.\n"
"\n"
"Where:  LIST   := SOURCE[,LIST]\n"
"        SOURCE := { qkd[KMES] | hybrid[KMES] | pqc | static }\n"
"        KMES   := 1 to 8, the least number of KMEs of a key\n";

static void write_help(FILE *to)
{
	fputs(help_head, to);
	qlink_options_print(to, (int)sizeof(help_head) - 1, " ");
	fputs(help_tail, to);
}

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
			write_help(stderr);
			return -1;
		}
		if (!strcmp(*argv, "link")) {
			fprintf(stderr, "qlink: link: must come before \"type\"\n");
			return -1;
		}
		value = argc > 1 ? argv[1] : NULL;
		err = qlink_config_word(&config, *argv, value, &why);
		if (err)
			return complain(err, *argv, value, &why);
	}
	return qlink_config_put(&config, append, n);
}

/* ---- JSON ---- */

static void json_open(void *arg, const char *name)
{
	(void)arg;
	open_json_object(name);
}

static void json_close(void *arg)
{
	(void)arg;
	close_json_object();
}

static void json_number(void *arg, const char *name, uint64_t value)
{
	(void)arg;
	print_color_u64(PRINT_JSON, COLOR_NONE, name, NULL, value);
}

static void json_text(void *arg, const char *name, const char *value)
{
	(void)arg;
	print_color_string(PRINT_JSON, COLOR_NONE, name, NULL, value);
}

static void json_boolean(void *arg, const char *name, bool value)
{
	(void)arg;
	print_color_bool(PRINT_JSON, COLOR_NONE, name, NULL, value);
}

static void json_bits(void *arg, const char *name, const struct qlink_names *names,
		      uint32_t bits)
{
	unsigned int i;

	(void)arg;
	open_json_array(PRINT_JSON, name);
	for (i = 0; i < 32; i++)
		if (bits & 1U << i)
			print_color_string(PRINT_JSON, COLOR_NONE, NULL, NULL,
					   qlink_name(names, i));
	close_json_array(PRINT_JSON, NULL);
}

static const struct qlink_json ip_json = {
	.open = json_open, .close = json_close, .number = json_number,
	.text = json_text, .boolean = json_boolean, .bits = json_bits,
};

/* ---- text ---- */

static void print_text(const char *format, const char *value)
{
	print_color_string(PRINT_FP, COLOR_NONE, NULL, format, value);
}

static void print_number(const char *format, unsigned int value)
{
	print_color_uint(PRINT_FP, COLOR_NONE, NULL, format, value);
}

static void print_big(const char *format, uint64_t value)
{
	print_color_u64(PRINT_FP, COLOR_NONE, NULL, format, value);
}

/* All but the id, which comes earlier; the lower device, which ip has named in DEV@LOWER; and the
 * number of KMEs, which accept has.
 */
static void print_options(const struct qlink_config *config)
{
	const struct qlink_attr *attr = qlink_config_attrs.attrs;
	char text[QLINK_ATTR_TEXT];
	size_t i;

	for (i = 0; i < qlink_config_attrs.n; i++, attr++) {
		if (attr->type == IFLA_QLINK_ID || attr->type == IFLA_QLINK_LOWER ||
		    attr->type == IFLA_QLINK_ACCEPT_KMES ||
		    !qlink_config_has(config, attr->type))
			continue;
		print_text("%s ", attr->name);
		print_text("%s ", qlink_attr_text(attr, config, text));
	}
}

/* As "tx epoch 3 hybrid2 newest 9 staged 6 retired 0", or "tx no-key newest …". */
static void print_ring(const char *name, const struct qlink_ring *ring)
{
	char source[QLINK_SOURCE_TEXT];

	print_text("%s ", name);
	if (ring->current_epoch)
		print_big("epoch %llu ", ring->current_epoch);
	else
		print_text("%s ", "no-key");
	if (ring->has_source)
		print_text("%s ", qlink_format_source(ring->current_source, ring->current_kmes,
						      source));
	print_big("newest %llu ", ring->newest_epoch);
	print_number("staged %u ", ring->staged);
	print_number("retired %u ", ring->retired);
	print_big("rekeys %llu ", ring->rekeys);
	if (ring->overdue)
		print_text("%s ", "overdue");
}

/* As "protection degraded tx-overdue". */
static void print_protection(const struct qlink_link *link)
{
	uint32_t lacks;
	unsigned int i;

	print_text("protection %s ",
		   qlink_name(&qlink_protections, qlink_link_protection(link, &lacks)));
	for (i = 0; i < qlink_lacks.n; i++)
		if (lacks & 1U << i)
			print_text("%s ", qlink_name(&qlink_lacks, i));
}

/* As "peer-heard peer-epoch 3 echo-us 250", or "peer-not-heard". */
static void print_peer(const struct qlink_link *link)
{
	if (!link->has_peer)
		return;
	print_text("%s ", link->peer_heard ? "peer-heard" : "peer-not-heard");
	print_big("peer-epoch %llu ", link->peer_epoch);
	if (link->echo_us)
		print_number("echo-us %u ", link->echo_us);
}

/* As "endpoint 203.0.113.9 endpoint-port 47000", or "endpoint none" while nobody knows. */
static void print_endpoint(const struct qlink_link *link)
{
	char text[QLINK_ADDR_TEXT];

	if (!link->config.roam)
		return;
	print_text("endpoint %s ", qlink_format_addr(&link->endpoint, text));
	if (link->endpoint.len)
		print_number("endpoint-port %u ", link->endpoint_port);
}

static void print_link(const struct qlink_link *link)
{
	print_text("state %s ", qlink_name(&qlink_link_states, link->state));
	print_protection(link);
	if (qlink_config_has(&link->config, IFLA_QLINK_ID))
		print_number("id %u ", link->config.id);
	print_text("underlay %s ", qlink_name(&qlink_underlays, link->underlay));
	print_options(&link->config);
	print_endpoint(link);
	print_peer(link);
	print_ring("tx", &link->tx);
	print_ring("rx", &link->rx);
	print_big("blocks2 %llu ", link->blocks2);
	print_number("generation %u ", link->generation);
	if (!link->wipes)
		return;
	print_number("wipes %u ", link->wipes);
	print_text("wiped-by %s ", qlink_name(&qlink_wipe_causes, link->wiped_by));
}

/* ---- ip -d link show ---- */

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
	if (is_json_context())
		qlink_json_link(&ip_json, &link, NULL);
	else
		print_link(&link);
}

/* ---- ip -d -s link show ---- */

static void print_counter_text(const char *name, uint64_t value, bool is_first)
{
	if (is_first) {
		print_nl();
		print_text("%s", "      ");
	}
	print_text("%s ", name);
	/* ip continues on the same line. */
	print_big("%llu ", value);
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
	write_help(f);
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
