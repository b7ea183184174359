// SPDX-License-Identifier: GPL-2.0-or-later
/* An event: from the bytes of the message to its text and JSON. */
#include "qlinkctl/monitor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netlink.h>

#include "libqlink/names.h"
#include "members.h"
#include "tap.h"

static struct qlink_event sample(void)
{
	return (struct qlink_event){
		.ifindex = 5, .ifname = "qlink0", .sequence = 12,
		.kinds = QLINK_EVENT_KIND_ROTATED | QLINK_EVENT_KIND_REPLAYS,
		.tx = { .current_epoch = 3, .has_source = true, .rekeys = 2,
			.current_source = QLINK_SOURCE_HYBRID, .current_kmes = 2, .staged = 6 },
		.replays = 7,
	};
}

TEST(each_attribute_of_an_event_sets_its_member)
{
	static const uint8_t epoch[] = { 12, 0, QLINK_A_RING_CURRENT_EPOCH, 0,
					 9, 0, 0, 0, 0, 0, 0, 0 };
	uint8_t nest[64] = { 0 };
	struct qlink_event event = { 0 };
	uint32_t kinds = QLINK_EVENT_KIND_WIPED, index = 5;
	uint16_t head[2];

	head[0] = 8;
	head[1] = QLINK_A_EVENT_KINDS;
	memcpy(nest, head, 4);
	memcpy(nest + 4, &kinds, 4);
	head[0] = 4 + sizeof(epoch);
	head[1] = QLINK_A_EVENT_RX | NLA_F_NESTED;
	memcpy(nest + 8, head, 4);
	memcpy(nest + 12, epoch, sizeof(epoch));
	CHECK_NUMBER("index", qlink_event_take_message(&event, QLINK_A_IFINDEX,
						       &index, 4), 0);
	CHECK_NUMBER("name", qlink_event_take_message(&event, QLINK_A_IFNAME,
						      "qlink0", 7), 0);
	CHECK_NUMBER("event", qlink_event_take_message(&event, QLINK_A_EVENT,
						       nest, 12 + sizeof(epoch)), 0);
	CHECK_NUMBER("ifindex", event.ifindex, 5);
	CHECK_TEXT("ifname", event.ifname, "qlink0");
	CHECK_NUMBER("kinds", event.kinds, QLINK_EVENT_KIND_WIPED);
	CHECK(!event.has_peer, "a peer that was not in the message");
	CHECK_NUMBER("epoch of the receive ring", event.rx.current_epoch, 9);
	CHECK_NUMBER("epoch of the transmit ring", event.tx.current_epoch, 0);
	CHECK_NUMBER("a number that is too short", qlink_event_take_message(&event,
		     QLINK_A_IFINDEX, &index, 3), -EBADMSG);
	CHECK_NUMBER("a truncated nest", qlink_event_take_message(&event,
		     QLINK_A_EVENT, nest, 10), -EBADMSG);
	CHECK_NUMBER("an unknown attribute is ignored",
		     qlink_event_take_message(&event, 99, nest, 3), 0);
}

TEST(an_event_shows_whether_the_peer_is_heard)
{
	static const uint8_t nest[] = { 5, 0, QLINK_A_EVENT_PEER_HEARD, 0, 1, 0, 0, 0 };
	struct qlink_event event = { 0 };
	json_t *object;
	char *got = NULL;
	size_t len;
	FILE *to;

	CHECK_NUMBER("event", qlink_event_take_message(&event, QLINK_A_EVENT, nest,
						       sizeof(nest)), 0);
	CHECK(event.has_peer && event.peer_heard, "not heard");
	event.kinds = QLINK_EVENT_KIND_PEER_LOST;
	event.peer_heard = 0;
	object = monitor_json(&event);
	CHECK(json_is_false(json_object_get(object, "peer_heard")), "heard");
	json_decref(object);
	to = open_memstream(&got, &len);
	monitor_text(&event, to);
	fclose(to);
	CHECK(strstr(got, ": peer-lost; peer not heard; tx no active key"), "got '%s'", got);
	free(got);
}

TEST(an_event_says_where_the_peer_has_moved)
{
	struct qlink_event event = {
		.ifname = "qlink0", .kinds = QLINK_EVENT_KIND_PEER_MOVED,
		.endpoint = { 4, { 203, 0, 113, 9 } }, .endpoint_port = 40000,
	};
	json_t *object = monitor_json(&event);
	char *got = NULL;
	size_t len;
	FILE *to;

	CHECK_TEXT("endpoint", json_string_value(json_object_get(object, "endpoint")), "203.0.113.9");
	CHECK_NUMBER("port", json_integer_value(json_object_get(object, "endpoint_port")), 40000);
	CHECK(!json_object_get(object, "former") && !json_object_get(object, "former_port"),
	      "a former endpoint that was not in the message");
	json_decref(object);
	event.former = (struct qlink_addr){ 4, { 192, 0, 2, 1 } };
	event.former_port = 47000;
	to = open_memstream(&got, &len);
	monitor_text(&event, to);
	fclose(to);
	CHECK(strstr(got, ": peer-moved; endpoint 203.0.113.9 port 40000, "
		     "formerly 192.0.2.1 port 47000; tx no active key"), "got '%s'", got);
	free(got);
}

TEST(json_has_the_documented_names)
{
	struct qlink_event event = sample();
	json_t *object = monitor_json(&event);

	json_object_del(object, "tx");
	json_object_del(object, "rx");
	check_members("event", object,
		"{\"ifindex\":5,\"ifname\":\"qlink0\",\"sequence\":12,"
		"\"kinds\":[\"rotated\",\"replays\"],\"auth_failures\":0,"
		"\"replays\":7}");
	json_decref(object);
	event.ifindex = 0;
	object = monitor_json(&event);
	CHECK(!json_object_get(object, "ifindex"), "an index without a device");
	CHECK(json_object_get(object, "tx") && json_object_get(object, "rx"),
	      "the rings are missing");
	CHECK_NUMBER("KMEs", json_integer_value(json_object_get(json_object_get(object, "tx"), "current_kmes")), 2);
	CHECK(!json_object_get(json_object_get(object, "rx"), "current_kmes"), "KMEs without a key");
	json_decref(object);
}

TEST(text_is_one_line)
{
	struct qlink_event event = sample();
	char *got = NULL;
	size_t len;
	FILE *to = open_memstream(&got, &len);

	monitor_text(&event, to);
	fclose(to);
	CHECK_TEXT("text", got,
		"qlink0: 12: rotated, replays; tx epoch 3 (hybrid2), 6 staged, 2 rekeys; "
		"rx no active key, 0 staged, 0 rekeys; 0 auth failures, 7 replays\n");
	free(got);
}

TEST(every_kind_has_a_name)
{
	CHECK_NUMBER("the last one", 1U << (qlink_event_kinds.n - 1),
		     QLINK_EVENT_KIND_PEER_ADDRESS);
}
