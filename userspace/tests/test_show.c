// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkctl show: the names in its JSON must not change; the text is for people. */
#include "qlinkctl/show.h"

#include <stdlib.h>
#include <string.h>

#include "libqlink/names.h"
#include "members.h"
#include "tap.h"

static struct qlink_link sample(void)
{
	struct qlink_link link = {
		.ifindex = 5,
		.ifname = "qlink0",
		.state = QLINK_LINK_STATE_UP,
		.underlay = QLINK_UNDERLAY_ETH,
		.config = {
			.present = 1ULL << IFLA_QLINK_ID | 1ULL << IFLA_QLINK_LOWER |
				   1ULL << IFLA_QLINK_ETHERTYPE |
				   1ULL << IFLA_QLINK_PEER | 1ULL << IFLA_QLINK_ACCEPT |
				   1ULL << IFLA_QLINK_ACCEPT_KMES |
				   1ULL << IFLA_QLINK_REKEY_MS |
				   1ULL << IFLA_QLINK_REKEY_FRAMES |
				   1ULL << IFLA_QLINK_REKEY_BYTES |
				   1ULL << IFLA_QLINK_HARD_SECONDS |
				   1ULL << IFLA_QLINK_GRACE_MS |
				   1ULL << IFLA_QLINK_KEEPALIVE_MS |
				   1ULL << IFLA_QLINK_BLOCKS2_LOG2,
			.id = 7, .lower = 2, .ethertype = 0x88b5,
			.peer = { 2, 0, 0, 0, 0, 1 }, .accept = 6, .accept_kmes = 2,
			.rekey_ms = 100, .rekey_bytes = 1ULL << 40,
			.hard_seconds = 300, .grace_ms = 1000, .keepalive_ms = 50,
			.blocks2_log2 = 77,
		},
		.has_peer = true, .peer_heard = 1, .peer_epoch = 2, .echo_us = 250,
		.tx = {
			.id = { 0xab, 0xcd }, .newest_epoch = 9,
			.current_epoch = 3, .current_source = QLINK_SOURCE_PQC,
			.has_source = true, .staged = 6, .rekeys = 11,
			.age_ms = 1234, .overdue = 1,
			.usage = {
				[QLINK_SOURCE_HYBRID] = { 5, 600 },
				[QLINK_SOURCE_PQC] = { 7, 800 },
			},
		},
		.blocks2 = 99, .generation = 4,
		.rx = { .newest_epoch = 4, .staged = 1, .retired = 2 },
		.has_port = true,
	};

	link.stats[QLINK_A_STATS_RX_REPLAY] = 12;
	link.port[QLINK_A_PORT_RX_NO_LINK] = 34;
	return link;
}

TEST(json_of_an_eth_link_has_the_documented_names)
{
	struct qlink_link link = sample();
	json_t *object = show_json(&link, "eth0");

	check_members("link", json_object_get(object, "link"),
		"{\"state\":\"up\",\"protection\":\"degraded\","
		"\"lacks\":[\"tx-source\",\"tx-overdue\"],\"id\":7,\"underlay\":\"eth\",\"lower\":\"eth0\","
		"\"lower_ifindex\":2,\"ethertype\":34997,"
		"\"peer\":\"02:00:00:00:00:01\",\"accept\":[\"hybrid\",\"pqc\"],\"accept_kmes\":2,"
		"\"rekey_ms\":100,\"rekey_frames\":0,"
		"\"rekey_bytes\":1099511627776,\"hard_seconds\":300,"
		"\"grace_ms\":1000,\"keepalive_ms\":50,\"blocks2_log2\":77,"
		"\"peer_heard\":true,\"peer_epoch\":2,\"echo_us\":250,"
		"\"tx\":{\"id\":\"abcd0000000000000000000000000000\","
		"\"newest_epoch\":9,\"current_epoch\":3,\"current_source\":\"pqc\",\"current_kmes\":0,"
		"\"staged\":6,\"retired\":0,\"rekeys\":11,\"age_ms\":1234,"
		"\"overdue\":true,"
		"\"usage\":{\"hybrid\":{\"frames\":5,\"bytes\":600},"
		"\"pqc\":{\"frames\":7,\"bytes\":800}}},"
		"\"rx\":{\"id\":\"00000000000000000000000000000000\","
		"\"newest_epoch\":4,\"current_epoch\":0,\"staged\":1,\"retired\":2,"
		"\"rekeys\":0,\"usage\":{}},"
		"\"blocks2\":99,\"generation\":4,\"wipes\":0}");
	check_members("port", json_object_get(object, "port"),
		"{\"rx_short\":0,\"rx_bad_version\":0,\"rx_no_link\":34,\"rx_other_peer\":0}");
	CHECK_NUMBER("ifindex", json_integer_value(json_object_get(object, "ifindex")), 5);
	CHECK_TEXT("ifname", json_string_value(json_object_get(object, "ifname")),
		   "qlink0");
	CHECK_NUMBER("members", json_object_size(object), 5);
	json_decref(object);
}

TEST(json_has_every_counter_under_the_name_of_ethtool)
{
	struct qlink_link link = sample();
	json_t *object = show_json(&link, NULL);
	const json_t *stats = json_object_get(object, "stats"), *counter;
	unsigned int i;

	for (i = QLINK_A_STATS_PAD + 1; i <= QLINK_A_STATS_MAX; i++) {
		counter = json_object_get(stats, qlink_stats_names[i]);
		CHECK(json_is_integer(counter), "%s: missing", qlink_stats_names[i]);
		CHECK_NUMBER(qlink_stats_names[i], json_integer_value(counter),
			     i == QLINK_A_STATS_RX_REPLAY ? 12 : 0);
	}
	CHECK_NUMBER("no others", json_object_size(stats), QLINK_A_STATS_MAX - 1);
	CHECK(json_object_get(stats, "tx_no_underlay") && json_object_get(stats, "key_refused"),
	      "names with another separator");
	json_decref(object);
}

TEST(json_of_a_udp_link_has_the_documented_names)
{
	struct qlink_link link = sample();
	json_t *object;

	link.underlay = QLINK_UNDERLAY_UDP;
	link.state = QLINK_LINK_STATE_NO_KEY;
	link.wipes = 2;
	link.wiped_by = QLINK_WIPE_CAUSE_CLONE;
	link.has_port = false;
	link.has_peer = false;
	link.config = (struct qlink_config){
		.present = 1ULL << IFLA_QLINK_LOCAL | 1ULL << IFLA_QLINK_REMOTE |
			   1ULL << IFLA_QLINK_PORT | 1ULL << IFLA_QLINK_SOURCE_PORTS,
		.local = { 4, { 192, 0, 2, 1 } }, .remote = { 4, { 192, 0, 2, 2 } },
		.port = 7000, .source_ports = 64,
	};
	link.endpoint = (struct qlink_addr){ 4, { 203, 0, 113, 9 } };
	link.endpoint_port = 40000;
	object = show_json(&link, NULL);
	json_object_del(json_object_get(object, "link"), "tx");
	json_object_del(json_object_get(object, "link"), "rx");
	check_members("link", json_object_get(object, "link"),
		"{\"state\":\"no-key\",\"protection\":\"blocked\",\"lacks\":[],"
		"\"underlay\":\"udp\",\"local\":\"192.0.2.1\","
		"\"remote\":\"192.0.2.2\",\"port\":7000,\"source_ports\":64,"
		"\"endpoint\":\"203.0.113.9\",\"endpoint_port\":40000,"
		"\"blocks2\":99,\"generation\":4,"
		"\"wipes\":2,\"wiped_by\":\"clone\"}");
	CHECK(!json_object_get(object, "port"), "port counters that were not in the reply");
	json_decref(object);
}

TEST(a_peer_that_was_never_heard_is_shown)
{
	struct qlink_link link = sample();
	json_t *object, *inner;

	link.state = QLINK_LINK_STATE_PEER_LOST;
	link.peer_heard = 0;
	link.peer_epoch = 0;
	link.echo_us = 0;
	object = show_json(&link, NULL);
	inner = json_object_get(object, "link");
	CHECK_TEXT("state", json_string_value(json_object_get(inner, "state")), "peer-lost");
	CHECK(json_is_false(json_object_get(inner, "peer_heard")), "heard");
	CHECK_NUMBER("epoch", json_integer_value(json_object_get(inner, "peer_epoch")), 0);
	CHECK(!json_object_get(inner, "echo_us"), "an echo that was not in the reply");
	json_decref(object);
}

static void check_text(const char *why, const struct qlink_link *link,
		       bool all, const char *want)
{
	char *got = NULL;
	size_t len;
	FILE *to = open_memstream(&got, &len);

	show_text(link, "eth0", all, to);
	fclose(to);
	CHECK_TEXT(why, got, want);
	free(got);
}

TEST(text_shows_counters_that_are_not_zero)
{
	struct qlink_link link = sample();

	check_text("eth", &link, false,
		"qlink0: degraded: tx-source, tx-overdue\n"
		"  id           7\n"
		"  underlay     eth\n"
		"  link         eth0\n"
		"  peer         02:00:00:00:00:01\n"
		"  ethertype    0x88b5\n"
		"  accept       hybrid2,pqc\n"
		"  rekey        after 100 ms, after 1099511627776 bytes, no key for over 300 s, grace 1000 ms\n"
		"  keepalive    every 50 ms, peer heard, has seen epoch 2, echo after 250 us\n"
		"  tx           epoch 3 (pqc), newest 9, 6 staged, 0 retired, 11 rekeys, in use for 1234 ms, overdue\n"
		"  rx           no active key, newest 4, 1 staged, 2 retired, 0 rekeys\n"
		"  sealed under hybrid 5 frames, 600 bytes\n"
		"               pqc 7 frames, 800 bytes\n"
		"  blocks2      99 * 65536 of 2^77\n"
		"  counters     rx_replay        12\n"
		"  port         rx_no_link       34\n");
}

TEST(text_has_the_number_of_kmes_of_the_active_keys)
{
	struct qlink_link link = sample();
	char *got = NULL;
	size_t len;
	FILE *to = open_memstream(&got, &len);

	link.tx.current_source = QLINK_SOURCE_HYBRID;
	link.tx.current_kmes = 2;
	link.rx.current_epoch = 4;
	link.rx.current_source = QLINK_SOURCE_HYBRID;
	link.rx.current_kmes = 1;
	link.rx.has_source = true;
	show_text(&link, NULL, false, to);
	fclose(to);
	CHECK(strstr(got, "\n  tx           epoch 3 (hybrid2), newest 9,"), "got '%s'", got);
	CHECK(strstr(got, "\n  rx           epoch 4 (hybrid), newest 4,"), "got '%s'", got);
	free(got);
}

/* A part of the text of a link that has sent parcels. */
static void check_parcels(const char *why, uint8_t mode, uint64_t pad, const char *want)
{
	struct qlink_link link = sample();
	char *got = NULL;
	size_t len;
	FILE *to = open_memstream(&got, &len);

	link.config.parcel = mode;
	link.config.parcel_interval_us = mode == QLINK_PARCEL_MODE_CONSTANT ? 1000 : 0;
	link.parcel_size = mode == QLINK_PARCEL_MODE_PACK ? 0 : 1500;
	link.stats[QLINK_A_STATS_TX_PARCELS] = 4;
	link.stats[QLINK_A_STATS_TX_PARCEL_BYTES] = 4 * 1468;
	link.stats[QLINK_A_STATS_TX_PAD_BYTES] = pad;
	show_text(&link, NULL, false, to);
	fclose(to);
	CHECK(!!strstr(got, "\n  parcels ") == !!want && (!want || strstr(got, want)), "%s: got '%s'", why, got);
	free(got);
}

TEST(parcels_show_how_full_they_are)
{
	check_parcels("a pack has little padding", QLINK_PARCEL_MODE_PACK, 0,
		      "\n  parcels      4 sent, filled to 100.0 %\n");
	check_parcels("padded", QLINK_PARCEL_MODE_PAD, 1468,
		      "\n  parcels      4 sent, filled to 75.0 %, each of 1500 bytes\n");
	check_parcels("by the clock", QLINK_PARCEL_MODE_CONSTANT, 4 * 1468,
		      "\n  parcels      4 sent, filled to 0.0 %, each of 1500 bytes, 12.000 Mbit/s\n");
	check_parcels("counters that contradict each other", QLINK_PARCEL_MODE_PAD, 4 * 1468 + 1, NULL);
}

TEST(a_lost_peer_is_shown)
{
	struct qlink_link link = sample();
	char *got = NULL;
	size_t len;
	FILE *to = open_memstream(&got, &len);

	link.state = QLINK_LINK_STATE_PEER_LOST;
	link.peer_heard = 0;
	link.peer_epoch = 0;
	link.echo_us = 0;
	show_text(&link, NULL, false, to);
	fclose(to);
	CHECK(!strncmp(got, "qlink0: blocked: peer-lost\n", 27) &&
	      strstr(got, "\n  keepalive    every 50 ms, peer not heard\n"), "got '%s'", got);
	free(got);
}

TEST(text_shows_all_counters_on_request)
{
	struct qlink_link link = sample();
	unsigned int lines = 0;
	char *got = NULL, *at;
	size_t len;
	FILE *to = open_memstream(&got, &len);

	show_text(&link, NULL, true, to);
	fclose(to);
	for (at = got; (at = strchr(at, '\n')); at++)
		lines++;
	CHECK_NUMBER("14 lines of the link, and all counters but the padding", lines,
		     14 + QLINK_A_STATS_MAX - 1 + QLINK_A_PORT_MAX - 1);
	CHECK(strstr(got, "index 2 in another network namespace"),
	      "a lower device without a name here: %s", got);
	free(got);
}
