// SPDX-License-Identifier: GPL-2.0-or-later
/* Links: options become a request, a reply becomes a struct, wrong replies are refused. */
#include "libqlink/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "libqlink/option.h"
#include "tap.h"

struct stream {
	uint8_t bytes[512];
	size_t len;
};

static int put(void *arg, unsigned int type, const void *data, size_t len)
{
	struct nlattr head = {
		.nla_len = (uint16_t)(sizeof(head) + len),
		.nla_type = (uint16_t)type,
	};
	struct stream *stream = arg;

	memcpy(stream->bytes + stream->len, &head, sizeof(head));
	if (len)
		memcpy(stream->bytes + stream->len + sizeof(head), data, len);
	stream->len += NLA_ALIGN(head.nla_len);
	return 0;
}

static void take_words(struct qlink_config *config, const char *const *words)
{
	struct qlink_why why;

	memset(config, 0, sizeof(*config));
	for (; *words; words += 2)
		CHECK_NUMBER(words[0], qlink_config_word(config, words[0], words[1], &why), 0);
}

TEST(every_option_is_the_same_after_encoding_and_decoding)
{
	static const char *const words[] = {
		"id", "7", "ethertype", "0x88b5", "peer", "02:00:00:00:00:01",
		"local", "192.0.2.1", "remote", "2001:db8::1", "port", "7000",
		"source-ports", "64", "dev", "red", "dscp", "inherit", "ecn", "on",
		"ttl", "255", "fwmark", "0xfffffffe", "roam", "on", "parcel", "constant", "parcel-bytes", "600",
		"parcel-interval-us", "20", "parcel-queue", "4096", "parcel-hold-us", "1000",
		"accept", "hybrid3,static",
		NULL,
	};
	struct stream stream = { 0 };
	struct qlink_link link = { 0 };
	struct qlink_config config;

	take_words(&config, words);
	config.lower = 3;
	config.present |= 1ULL << IFLA_QLINK_LOWER;
	CHECK_NUMBER("put", qlink_config_put(&config, put, &stream), 0);
	CHECK_NUMBER("take", qlink_attr_walk(stream.bytes, stream.len,
					     qlink_link_take, &link), 0);
	CHECK(!memcmp(&config, &link.config, sizeof(config)), "differs after decoding");
}

TEST(a_list_of_sources_says_how_many_kmes_are_enough)
{
	static const char *const two[] = { "accept", "hybrid2,pqc", NULL };
	static const char *const one[] = { "accept", "hybrid,pqc", NULL };
	struct qlink_config config;

	take_words(&config, two);
	CHECK_NUMBER("two", config.accept_kmes, 2);
	CHECK(qlink_config_has(&config, IFLA_QLINK_ACCEPT_KMES), "not sent");
	take_words(&config, one);
	CHECK_NUMBER("one", config.accept_kmes, 1);
	CHECK(qlink_config_has(&config, IFLA_QLINK_ACCEPT_KMES), "not sent");
}

TEST(only_given_options_are_sent)
{
	static const char *const words[] = { "id", "7", NULL };
	struct stream stream = { 0 };
	struct qlink_config config;

	take_words(&config, words);
	CHECK_NUMBER("put", qlink_config_put(&config, put, &stream), 0);
	CHECK_NUMBER("one attribute of 2 bytes", stream.len, 8);
}

TEST(ports_and_ethertype_are_sent_in_network_order)
{
	static const char *const words[] = {
		"ethertype", "0x88b5", "port", "258", NULL,
	};
	static const uint8_t want[] = {
		6, 0, IFLA_QLINK_ETHERTYPE, 0, 0x88, 0xb5, 0, 0,
		6, 0, IFLA_QLINK_PORT, 0, 0x01, 0x02, 0, 0,
	};
	struct stream stream = { 0 };
	struct qlink_config config;

	if (htons(1) == 1) {
		CHECK(true, "the lengths above are little endian");
		return;
	}
	take_words(&config, words);
	qlink_config_put(&config, put, &stream);
	CHECK_NUMBER("bytes", stream.len, sizeof(want));
	CHECK(!memcmp(stream.bytes, want, sizeof(want)), "wrong bytes");
}

TEST(options_are_refused_with_value_and_rule)
{
	static const struct {
		const char *word, *value;
		int err;
		const char *text;
		const char *why;
	} rows[] = {
		{ "id", "0", -EINVAL, "id \"0\": not a number from 1 to 65535", "id 0 is none" },
		{ "port", "65536", -EINVAL, "port \"65536\": not a number from 1 to 65535", "17 bits" },
		{ "source-ports", "65", -EINVAL, "source-ports \"65\": not a number from 1 to 64", "above 64" },
		{ "dev", "0123456789abcdef", -EINVAL,
		  "dev \"0123456789abcdef\": longer than 15 characters", "no name of a device" },
		{ "dscp", "64", -EINVAL,
		  "dscp \"64\": neither \"inherit\" nor a number from 0 to 63", "stands for inherit" },
		{ "ttl", "256", -EINVAL,
		  "ttl \"256\": neither \"inherit\" nor a number from 0 to 255", "stands for inherit" },
		{ "ecn", "1", -EINVAL, "ecn \"1\": neither \"on\" nor \"off\"", "not a word" },
		{ "parcel", "on", -EINVAL, "parcel \"on\": not one of off, pack, pad, constant", "not a mode" },
		{ "fwmark", "0x100000000", -EINVAL,
		  "fwmark \"0x100000000\": not a number from 0 to 0xffffffff", "33 bits" },
		{ "fwmark", "-1", -EINVAL, "fwmark \"-1\": not a number from 0 to 0xffffffff", "negative" },
		{ "peer", "x", -EINVAL, "peer \"x\": not a MAC address like 02:00:00:00:00:01", "no MAC" },
		{ "remote", NULL, -ENODATA, "remote: has no value", "the line ends" },
		{ "local", "192.0.2.2", -EEXIST, "local: given twice", "set before" },
		{ "accept", "hybrid,qkd2", -EINVAL,
		  "accept \"hybrid,qkd2\": qkd2 and hybrid have different numbers of KMEs", "the kernel has one" },
		{ "accept-kmes", "2", -ENOENT, "\"accept-kmes\": no such option", "accept sets it" },
		{ "mtu", "1500", -ENOENT, "\"mtu\": no such option", "belongs to ip" },
	};
	struct qlink_config config = { .present = 1ULL << IFLA_QLINK_LOCAL };
	struct qlink_why why;
	char text[256];
	size_t i;
	int err;

	for (i = 0; i < COUNT(rows); i++) {
		err = qlink_config_word(&config, rows[i].word, rows[i].value, &why);
		CHECK_NUMBER(rows[i].why, err, rows[i].err);
		qlink_config_error(err, rows[i].word, rows[i].value, &why, text,
				   sizeof(text));
		CHECK_TEXT(rows[i].why, text, rows[i].text);
	}
	CHECK_NUMBER("nothing was set", config.present, 1ULL << IFLA_QLINK_LOCAL);
}

TEST(attributes_of_the_wrong_length_are_refused)
{
	static const struct {
		unsigned int type;
		size_t len;
		int err;
		const char *why;
	} rows[] = {
		{ IFLA_QLINK_ID, 2, 0, "right" },
		{ IFLA_QLINK_ID, 4, -EBADMSG, "too long for u16" },
		{ IFLA_QLINK_PORT, 1, -EBADMSG, "too short for be16" },
		{ IFLA_QLINK_PEER, 5, -EBADMSG, "no MAC address" },
		{ IFLA_QLINK_LOCAL, 4, 0, "IPv4" },
		{ IFLA_QLINK_LOCAL, 16, 0, "IPv6" },
		{ IFLA_QLINK_LOCAL, 5, -EBADMSG, "of no family" },
		{ IFLA_QLINK_REMOTE, 17, -EBADMSG, "longer than the member" },
		{ IFLA_QLINK_STATE, 4, -EBADMSG, "too long for u8" },
		{ IFLA_QLINK_TX, 3, -EBADMSG, "a nest shorter than a header" },
		{ IFLA_QLINK_MAX + 1, 3, 0, "of a newer kernel" },
		{ 0, 0, 0, "padding" },
	};
	static const uint8_t zero[32];
	struct qlink_link link = { 0 };
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		CHECK_NUMBER(rows[i].why, qlink_link_take(&link, rows[i].type,
							  zero, rows[i].len),
			     rows[i].err);
}

static int take_nothing(void *arg, unsigned int type, const void *data, size_t len)
{
	(void)type;
	(void)data;
	(void)len;
	++*(int *)arg;
	return 0;
}

TEST(an_attribute_walk_stays_inside_its_buffer)
{
	static const struct {
		uint8_t bytes[12];
		size_t len;
		int err;
		int n;
		const char *why;
	} rows[] = {
		{ { 0 }, 0, 0, 0, "nothing" },
		{ { 4, 0, 1, 0 }, 4, 0, 1, "an attribute without a value" },
		{ { 5, 0, 1, 0, 9 }, 5, 0, 1, "the last one may lack its padding" },
		{ { 5, 0, 1, 0, 9, 0, 0, 0, 4, 0, 2, 0 }, 12, 0, 2, "two" },
		{ { 8, 0, 1, 0 }, 4, -EBADMSG, 0, "longer than the stream" },
		{ { 3, 0, 1, 0 }, 4, -EBADMSG, 0, "shorter than its header" },
		{ { 0, 0, 1, 0 }, 4, -EBADMSG, 0, "a length that never ends" },
		{ { 4, 0, 1, 0, 4 }, 5, -EBADMSG, 1, "bytes after the last attribute" },
	};
	uint8_t exact[12];
	size_t i;
	int n;

	for (i = 0; i < COUNT(rows); i++) {
		n = 0;
		memcpy(exact, rows[i].bytes, sizeof(exact));
		CHECK_NUMBER(rows[i].why, qlink_attr_walk(exact, rows[i].len,
							  take_nothing, &n),
			     rows[i].err);
		CHECK_NUMBER(rows[i].why, n, rows[i].n);
	}
}

/* One reply of link-get with every attribute. */
TEST(each_attribute_of_a_reply_sets_its_member)
{
	struct stream ring = { 0 }, link = { 0 }, stats = { 0 }, port = { 0 };
	struct stream reply = { 0 };
	struct qlink_link got = { 0 };
	uint64_t n = 11;
	uint32_t index = 5;
	uint8_t one = 1;

	put(&ring, QLINK_A_RING_CURRENT_EPOCH, &n, sizeof(n));
	put(&ring, QLINK_A_RING_CURRENT_SOURCE, &one, sizeof(one));
	put(&link, IFLA_QLINK_UNDERLAY, &one, sizeof(one));
	put(&link, IFLA_QLINK_TX | NLA_F_NESTED, ring.bytes, ring.len);
	put(&stats, QLINK_A_STATS_PAD, NULL, 0);
	put(&stats, QLINK_A_STATS_RX_REPLAY, &n, sizeof(n));
	put(&stats, QLINK_A_STATS_MAX + 1, &n, sizeof(n));
	put(&port, QLINK_A_PORT_RX_NO_LINK, &n, sizeof(n));
	put(&reply, QLINK_A_IFINDEX, &index, sizeof(index));
	put(&reply, QLINK_A_IFNAME, "qlink0", 7);
	put(&reply, QLINK_A_LINK | NLA_F_NESTED, link.bytes, link.len);
	put(&reply, QLINK_A_STATS | NLA_F_NESTED, stats.bytes, stats.len);
	put(&reply, QLINK_A_PORT | NLA_F_NESTED, port.bytes, port.len);

	CHECK_NUMBER("reply", qlink_attr_walk(reply.bytes, reply.len,
					      qlink_link_take_message, &got), 0);
	CHECK_NUMBER("ifindex", got.ifindex, 5);
	CHECK_TEXT("ifname", got.ifname, "qlink0");
	CHECK_NUMBER("underlay", got.underlay, QLINK_UNDERLAY_ETH);
	CHECK_NUMBER("epoch", got.tx.current_epoch, 11);
	CHECK(got.tx.has_source && !got.rx.has_source, "source of the wrong ring");
	CHECK_NUMBER("replays", got.stats[QLINK_A_STATS_RX_REPLAY], 11);
	CHECK(got.has_port, "the port is missing");
	CHECK_NUMBER("no link", got.port[QLINK_A_PORT_RX_NO_LINK], 11);
}

TEST(usage_is_counted_for_its_source)
{
	static const uint8_t nest[] = {
		5, 0, QLINK_A_USAGE_SOURCE, 0, QLINK_SOURCE_PQC, 0, 0, 0,
		12, 0, QLINK_A_USAGE_FRAMES, 0, 7, 0, 0, 0, 0, 0, 0, 0,
		12, 0, QLINK_A_USAGE_BYTES, 0, 9, 0, 0, 0, 0, 0, 0, 0,
	};
	struct qlink_ring ring = { 0 };
	uint8_t newer[sizeof(nest)];

	memcpy(newer, nest, sizeof(newer));
	newer[4] = 200;
	CHECK_NUMBER("of a newer kernel", qlink_ring_take(&ring, QLINK_A_RING_USAGE,
		     newer, sizeof(newer)), 0);
	CHECK_NUMBER("taken", qlink_ring_take(&ring, QLINK_A_RING_USAGE, nest,
					      sizeof(nest)), 0);
	CHECK_NUMBER("frames", ring.usage[QLINK_SOURCE_PQC].frames, 7);
	CHECK_NUMBER("bytes", ring.usage[QLINK_SOURCE_PQC].bytes, 9);
	CHECK_NUMBER("another source", ring.usage[QLINK_SOURCE_HYBRID].frames, 0);
	CHECK_NUMBER("truncated", qlink_ring_take(&ring, QLINK_A_RING_USAGE, nest,
						sizeof(nest) - 1), -EBADMSG);
}

TEST(a_name_too_long_for_a_device_is_refused)
{
	struct qlink_link link = { 0 };

	CHECK_NUMBER("16 bytes without a terminator",
		     qlink_link_take_message(&link, QLINK_A_IFNAME,
					     "0123456789abcdef", 16), -EBADMSG);
	CHECK_NUMBER("15 bytes",
		     qlink_link_take_message(&link, QLINK_A_IFNAME,
					     "0123456789abcde", 16), 0);
	CHECK_TEXT("name", link.ifname, "0123456789abcde");
}

/* Each new attribute of the UAPI header needs a name. */
TEST(every_counter_has_its_own_name)
{
	unsigned int i, j;

	for (i = 1; i <= QLINK_A_STATS_MAX; i++) {
		CHECK((i == QLINK_A_STATS_PAD) == !qlink_stats_names[i],
		      "attribute %u of stats has no name", i);
		for (j = 1; j < i; j++)
			CHECK(!qlink_stats_names[i] || !qlink_stats_names[j] ||
			      strcmp(qlink_stats_names[i], qlink_stats_names[j]),
			      "attributes %u and %u share a name", i, j);
	}
	for (i = 1; i <= QLINK_A_PORT_MAX; i++)
		CHECK((i == QLINK_A_PORT_PAD) == !qlink_port_names[i],
		      "attribute %u of port has no name", i);
}

TEST(values_of_a_newer_kernel_are_unknown)
{
	CHECK_TEXT("state", qlink_name(&qlink_link_states, 200), "unknown");
	CHECK_TEXT("up", qlink_name(&qlink_link_states, QLINK_LINK_STATE_UP), "up");
	CHECK_TEXT("down", qlink_name(&qlink_link_states,
				      QLINK_LINK_STATE_ADMIN_DOWN), "admin-down");
	CHECK_NUMBER("sources", qlink_sources.n, QLINK_SOURCE_STATIC + 1);
}
