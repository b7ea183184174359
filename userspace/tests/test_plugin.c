// SPDX-License-Identifier: GPL-2.0-or-later
/* The plug-in for ip, with stand-ins for the functions that ip exports. */
#include "iproute2/link_qlink.c"

#include <stdarg.h>
#include <stdlib.h>

#include "tap.h"

static char printed[4096];
static size_t n_printed;
static bool is_json;

__attribute__((format(printf, 1, 2)))
static void record(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	n_printed += (size_t)vsnprintf(printed + n_printed,
				       sizeof(printed) - n_printed, format, ap);
	va_end(ap);
}

static bool counts(enum output_type type)
{
	return type == PRINT_ANY || type == (is_json ? PRINT_JSON : PRINT_FP);
}

int addattr_l(struct nlmsghdr *n, int maxlen, int type, const void *data, int alen)
{
	struct nlattr head = {
		.nla_len = (uint16_t)(sizeof(head) + (size_t)alen),
		.nla_type = (uint16_t)type,
	};
	uint8_t *at = (uint8_t *)n + NLMSG_ALIGN(n->nlmsg_len);

	if (NLMSG_ALIGN(n->nlmsg_len) + NLA_ALIGN(head.nla_len) > (size_t)maxlen)
		return -1;
	memcpy(at, &head, sizeof(head));
	memcpy(at + sizeof(head), data, (size_t)alen);
	n->nlmsg_len = NLMSG_ALIGN(n->nlmsg_len) + NLA_ALIGN(head.nla_len);
	return 0;
}

bool is_json_context(void)
{
	return is_json;
}

void open_json_object(const char *name)
{
	record("%s{", name);
}

void close_json_object(void)
{
	record("}");
}

void open_json_array(enum output_type type, const char *name)
{
	if (counts(type))
		record("%s[", name);
}

void close_json_array(enum output_type type, const char *end)
{
	(void)end;
	if (counts(type))
		record("]");
}

void print_nl(void)
{
	if (!is_json)
		record("\n");
}

#pragma GCC diagnostic ignored "-Wformat-nonliteral"

int print_color_string(enum output_type type, enum color_attr color,
		       const char *key, const char *format, const char *value)
{
	(void)color;
	if (!counts(type))
		return 0;
	if (is_json)
		record("%s=%s,", key ? key : "", value);
	else
		record(format, value);
	return 0;
}

int print_color_uint(enum output_type type, enum color_attr color,
		     const char *key, const char *format, unsigned int value)
{
	(void)color;
	if (!counts(type))
		return 0;
	if (is_json)
		record("%s=%u,", key, value);
	else
		record(format, value);
	return 0;
}

int print_color_bool(enum output_type type, enum color_attr color,
		     const char *key, const char *format, bool value)
{
	(void)color;
	if (!counts(type))
		return 0;
	if (is_json)
		record("%s=%s,", key, value ? "true" : "false");
	else
		record(format, value ? "true" : "false");
	return 0;
}

int print_color_u64(enum output_type type, enum color_attr color,
		    const char *key, const char *format, uint64_t value)
{
	(void)color;
	if (!counts(type))
		return 0;
	if (is_json)
		record("%s=%llu,", key, (unsigned long long)value);
	else
		record(format, value);
	return 0;
}

/* What ip passes to print_opt(): the attributes of a nest, by number. */
union request {
	struct nlmsghdr n;
	uint8_t bytes[IPLINK_REQUEST_BYTES];
};

static void add_ring(struct nlmsghdr *n, int type)
{
	uint64_t epochs[] = { 9, 3 };
	uint8_t source = QLINK_SOURCE_QKD, kmes = 3;
	uint32_t staged = 6;
	uint64_t rekeys = 5;
	uint8_t overdue = 1;
	union request nest = { .n.nlmsg_len = 0 };

	addattr_l(&nest.n, sizeof(nest), 0, "", 0);
	nest.n.nlmsg_len = NLMSG_HDRLEN;
	addattr_l(&nest.n, sizeof(nest), QLINK_A_RING_NEWEST_EPOCH, &epochs[0], 8);
	addattr_l(&nest.n, sizeof(nest), QLINK_A_RING_CURRENT_EPOCH, &epochs[1], 8);
	addattr_l(&nest.n, sizeof(nest), QLINK_A_RING_CURRENT_SOURCE, &source, 1);
	addattr_l(&nest.n, sizeof(nest), QLINK_A_RING_CURRENT_KMES, &kmes, 1);
	addattr_l(&nest.n, sizeof(nest), QLINK_A_RING_STAGED, &staged, 4);
	addattr_l(&nest.n, sizeof(nest), QLINK_A_RING_REKEYS, &rekeys, 8);
	addattr_l(&nest.n, sizeof(nest), QLINK_A_RING_OVERDUE, &overdue, 1);
	addattr_l(n, sizeof(nest), type, nest.bytes + NLMSG_HDRLEN,
		  (int)(nest.n.nlmsg_len - NLMSG_HDRLEN));
}

static void make_table(union request *request, struct rtattr *tb[])
{
	struct rtattr *at = (struct rtattr *)(request->bytes + NLMSG_HDRLEN);
	int len = (int)(request->n.nlmsg_len - NLMSG_HDRLEN);

	memset(tb, 0, sizeof(*tb) * (IFLA_QLINK_MAX + 1));
	for (; RTA_OK(at, len); at = RTA_NEXT(at, len))
		tb[at->rta_type] = at;
}

static const char *print_request(union request *request, bool json)
{
	struct rtattr *tb[IFLA_QLINK_MAX + 1];

	make_table(request, tb);
	is_json = json;
	n_printed = 0;
	qlink_link_util.print_opt(&qlink_link_util, stdout, tb);
	return printed;
}

static int parse(union request *request, char **words)
{
	int argc = 0;

	while (words[argc])
		argc++;
	memset(request, 0, sizeof(*request));
	request->n.nlmsg_len = NLMSG_HDRLEN;
	return qlink_link_util.parse_opt(&qlink_link_util, argc, words, &request->n);
}

TEST(options_are_printed_as_they_were_given)
{
	char *words[] = {
		"id", "7", "peer", "02:00:00:00:00:01", "ethertype", "0x88b5",
		"accept", "hybrid2,pqc", "rekey-ms", "100", "rekey-frames", "0",
		"rekey-bytes", "4096", "hard-seconds", "9", "grace-ms", "8",
		"keepalive-ms", "60000", "blocks2-log2", "40", NULL,
	};
	uint8_t eth = QLINK_UNDERLAY_ETH, up = QLINK_LINK_STATE_UP, heard = 1;
	uint64_t epoch = 2;
	uint32_t echo = 250;
	union request request;

	CHECK_NUMBER("parse", parse(&request, words), 0);
	addattr_l(&request.n, sizeof(request), IFLA_QLINK_UNDERLAY, &eth, 1);
	addattr_l(&request.n, sizeof(request), IFLA_QLINK_STATE, &up, 1);
	addattr_l(&request.n, sizeof(request), IFLA_QLINK_PEER_HEARD, &heard, 1);
	addattr_l(&request.n, sizeof(request), IFLA_QLINK_PEER_EPOCH, &epoch, 8);
	addattr_l(&request.n, sizeof(request), IFLA_QLINK_ECHO_US, &echo, 4);
	add_ring(&request.n, IFLA_QLINK_TX);
	CHECK_TEXT("text", print_request(&request, false),
		"state up protection degraded tx-source tx-overdue no-rx-key id 7 underlay eth peer 02:00:00:00:00:01 "
		"ethertype 0x88b5 accept hybrid2,pqc "
		"rekey-ms 100 rekey-frames 0 rekey-bytes 4096 hard-seconds 9 grace-ms 8 "
		"keepalive-ms 60000 blocks2-log2 40 peer-heard peer-epoch 2 echo-us 250 "
		"tx epoch 3 qkd3 newest 9 staged 6 retired 0 rekeys 5 overdue "
		"rx no-key newest 0 staged 0 retired 0 rekeys 0 blocks2 0 generation 0 ");
	CHECK_TEXT("JSON", print_request(&request, true),
		"protection=degraded,lacks[=tx-source,=tx-overdue,=no-rx-key,]"
		"underlay=eth,state=up,wipes=0,peer_heard=true,peer_epoch=2,echo_us=250,"
		"blocks2=0,generation=0,id=7,peer=02:00:00:00:00:01,"
		"ethertype=34997,accept[=hybrid,=pqc,]accept_kmes=2,"
		"rekey_ms=100,rekey_frames=0,rekey_bytes=4096,hard_seconds=9,grace_ms=8,"
		"keepalive_ms=60000,blocks2_log2=40,"
		"tx{id=00000000000000000000000000000000,newest_epoch=9,"
		"current_epoch=3,current_source=qkd,staged=6,retired=0,"
		"rekeys=5,age_ms=0,overdue=true,current_kmes=3,usage{}}"
		"rx{id=00000000000000000000000000000000,newest_epoch=0,"
		"current_epoch=0,staged=0,retired=0,rekeys=0,usage{}}");
}

TEST(keepalive_can_be_switched_off)
{
	char *words[] = { "keepalive-ms", "0", NULL };
	union request request;

	CHECK_NUMBER("parse", parse(&request, words), 0);
	CHECK(strstr(print_request(&request, false), "keepalive-ms 0 tx no-key "),
	      "got '%s'", printed);
}

TEST(udp_options_are_printed_as_they_were_given)
{
	char *words[] = {
		"local", "192.0.2.1", "remote", "192.0.2.2", "port", "7000",
		"source-ports", "1", "dev", "red", "dscp", "46", "ecn", "on", "ttl", "inherit",
		"fwmark", "0x0007", NULL,
	};
	union request request;

	CHECK_NUMBER("parse", parse(&request, words), 0);
	CHECK(strstr(print_request(&request, false),
		     "local 192.0.2.1 remote 192.0.2.2 port 7000 source-ports 1 dev red dscp 46 "
		     "ecn on ttl inherit fwmark 0x0007 "),
	      "got '%s'", printed);
}

TEST(a_remote_that_is_learned_is_any)
{
	char *words[] = { "local", "2001:db8::1", "remote", "any", "roam", "on", NULL };
	union request request;

	CHECK_NUMBER("parse", parse(&request, words), 0);
	CHECK(strstr(print_request(&request, false),
		     "local 2001:db8::1 remote any roam on endpoint none "), "got '%s'", printed);
	CHECK(strstr(print_request(&request, true), "remote=any,roam=true,"), "got '%s'", printed);
}

TEST(wrong_options_are_refused)
{
	static const struct {
		char *words[5];
		const char *said;
		const char *why;
	} rows[] = {
		{ { "id", "0", NULL },
		  "qlink: id \"0\": not a number from 1 to 65535\n", "out of limits" },
		{ { "id", NULL }, "qlink: id: has no value\n", "a value missing" },
		{ { "id", "1", "id", "2", NULL }, "qlink: id: given twice\n", "twice" },
		{ { "link", "eth0", NULL },
		  "qlink: link: must come before \"type\"\n", "an option of ip" },
		{ { "foo", "1", NULL }, "qlink: \"foo\": no such option\n", "unknown" },
		{ { "local", "any", NULL },
		  "qlink: local \"any\": not an IPv4 or IPv6 address\n", "our own address" },
		{ { "roam", "1", NULL }, "qlink: roam \"1\": neither \"on\" nor \"off\"\n", "a number" },
		{ { "keepalive-ms", "9", NULL },
		  "qlink: keepalive-ms \"9\": neither 0 nor a number from 10 to 60000\n",
		  "too often" },
		{ { "keepalive-ms", "60001", NULL },
		  "qlink: keepalive-ms \"60001\": neither 0 nor a number from 10 to 60000\n",
		  "too rarely" },
	};
	union request request;
	size_t i;
	int err;

	for (i = 0; i < COUNT(rows); i++) {
		tap_stderr_begin();
		err = parse(&request, (char **)rows[i].words);
		CHECK_TEXT(rows[i].why, tap_stderr_end(), rows[i].said);
		CHECK(err, "%s: taken", rows[i].why);
		CHECK_NUMBER(rows[i].why, request.n.nlmsg_len, NLMSG_HDRLEN);
	}
}

TEST(help_lists_every_option_and_makes_no_device)
{
	char *words[] = { "help", NULL };
	const struct qlink_attr *attr = qlink_config_attrs.attrs;
	union request request;
	const char *said;
	size_t i;
	int err;

	tap_stderr_begin();
	err = parse(&request, words);
	said = tap_stderr_end();
	CHECK(err, "taken");
	CHECK_NUMBER("request", request.n.nlmsg_len, NLMSG_HDRLEN);
	CHECK(strstr(said, "hybrid[KMES]"), "no number of KMEs in '%s'", said);
	CHECK(!strncmp(said, "Usage: ... qlink [ id N ] [ peer MAC ] [ ethertype 0xNNNN ]", 59),
	      "got '%s'", said);
	for (i = 0; i < qlink_config_attrs.n; i++, attr++)
		CHECK(attr->type == IFLA_QLINK_LOWER || attr->type == IFLA_QLINK_ACCEPT_KMES ||
		      strstr(said, attr->name),
		      "%s: not in '%s'", attr->name, said);
}

TEST(a_device_without_attributes_is_printed)
{
	struct rtattr *none[IFLA_QLINK_MAX + 1] = { NULL };

	is_json = false;
	n_printed = 0;
	qlink_link_util.print_opt(&qlink_link_util, stdout, NULL);
	CHECK_NUMBER("no data, no text", n_printed, 0);
	qlink_link_util.print_opt(&qlink_link_util, stdout, none);
	CHECK(!strncmp(printed, "state unconfigured protection blocked underlay none ", 52),
	      "got '%s'", printed);
}

TEST(text_has_counters_that_are_not_zero_and_json_has_all)
{
	union request request = { .n.nlmsg_len = NLMSG_HDRLEN };
	uint64_t values[] = { 12, 34 };
	struct rtattr *nest = (struct rtattr *)request.bytes;

	addattr_l(&request.n, sizeof(request), QLINK_A_STATS_TX_NO_KEY, &values[0], 8);
	addattr_l(&request.n, sizeof(request), QLINK_A_STATS_RX_REPLAY, &values[1], 8);
	nest = (struct rtattr *)(request.bytes + NLMSG_HDRLEN - RTA_LENGTH(0));
	nest->rta_len = (uint16_t)(RTA_LENGTH(0) + request.n.nlmsg_len - NLMSG_HDRLEN);
	is_json = false;
	n_printed = 0;
	qlink_link_util.print_xstats(&qlink_link_util, stdout, nest);
	CHECK_TEXT("text", printed, "\n      tx_no_key 12 rx_replay 34 ");
	is_json = true;
	n_printed = 0;
	qlink_link_util.print_xstats(&qlink_link_util, stdout, nest);
	CHECK(strstr(printed, "tx_no_key=12,") && strstr(printed, "key_refused=0,"),
	      "got '%s'", printed);
}
