// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether a condition of an nftables rule, as nft prints it in JSON, holds for a packet; pure. */
#include "match.h"

#include <arpa/inet.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A value of the packet: a text, which is an address, a name or a number. */
struct value {
	/* NULL if it is not known; the condition then may hold or not */
	const char *text;
	/* the packet does not have it, so that nothing is equal to it */
	bool is_absent;
	char room[16];
};

static bool is_ipv6(const struct packet *packet)
{
	return packet->ethertype == 0x86dd;
}

static void set_number(struct value *value, int number)
{
	value->text = value->room;
	snprintf(value->room, sizeof(value->room), "%d", number);
	if (number < 0)
		value->text = NULL;
}

/* ---- the packet's side ---- */

static void payload_of(const struct packet *packet, const char *protocol, const char *field, struct value *value)
{
	bool is_ip = !strcmp(protocol, "ip") || !strcmp(protocol, "ip6");

	if (!strcmp(protocol, "ether")) {
		if (!strcmp(field, "type"))
			set_number(value, packet->ethertype);
		return;
	}
	value->is_absent = !packet->protocol || (is_ip && is_ipv6(packet) != !strcmp(protocol, "ip6")) ||
			   (!is_ip && strcmp(protocol, "th") && strcmp(protocol, packet->protocol));
	if (value->is_absent)
		return;
	if (!strcmp(field, "saddr"))
		value->text = packet->source;
	else if (!strcmp(field, "daddr"))
		value->text = packet->target;
	else if (!strcmp(field, "protocol") || !strcmp(field, "nexthdr"))
		value->text = packet->protocol;
	else if (!strcmp(field, "sport"))
		set_number(value, packet->source_port);
	else if (!strcmp(field, "dport"))
		set_number(value, packet->target_port);
}

static void meta_of(const struct packet *packet, const char *key, struct value *value)
{
	bool is_device = !strncmp(key + !!key[0], "if", 2), is_in = is_device && key[0] == 'i';

	if (is_device && (is_in || key[0] == 'o')) {
		value->is_absent = is_in != packet->is_incoming;
		if (!strcmp(key + 3, "name") || !key[3])
			value->text = packet->device;
	} else if (!strcmp(key, "l4proto")) {
		value->is_absent = !packet->protocol;
		value->text = packet->protocol;
	} else if (!strcmp(key, "nfproto")) {
		value->is_absent = !packet->protocol;
		value->text = is_ipv6(packet) ? "ipv6" : "ipv4";
	} else if (!strcmp(key, "protocol")) {
		set_number(value, packet->ethertype);
	}
}

static void value_of(const struct packet *packet, const json_t *left, struct value *value)
{
	const json_t *payload = json_object_get(left, "payload"), *meta = json_object_get(left, "meta");
	const json_t *ct = json_object_get(left, "ct");
	const char *protocol = json_string_value(json_object_get(payload, "protocol"));
	const char *field = json_string_value(json_object_get(payload, "field"));
	const char *key = json_string_value(json_object_get(meta ? meta : ct, "key"));

	*value = (struct value){ .text = NULL };
	if (protocol && field)
		payload_of(packet, protocol, field, value);
	else if (meta && key)
		meta_of(packet, key, value);
	else if (key && !strcmp(key, "state"))
		value->text = packet->state;
}

/* ---- the rule's side ---- */

/* Names that nft prints for numbers. */
static const char *number_of_name(const char *name)
{
	static const struct {
		const char *name, *number;
	} rows[] = {
		{ "tcp", "6" }, { "udp", "17" }, { "ip", "2048" }, { "ip6", "34525" }, { "arp", "2054" },
		{ "vlan", "33024" }, { "8021q", "33024" }, { "ipv4", "2" }, { "ipv6", "10" },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!strcmp(rows[i].name, name))
			return rows[i].number;
	}
	return name;
}

static long number_in(const char *text)
{
	char *end;
	long number = strtol(text, &end, 0);

	return *text && !*end ? number : -1;
}

static int address_in(const char *text, uint8_t bytes[16])
{
	if (inet_pton(AF_INET, text, bytes) == 1)
		return 4;
	return inet_pton(AF_INET6, text, bytes) == 1 ? 16 : 0;
}

static int compare(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int rest = bits % 8;
	int first = memcmp(a, b, bits / 8);

	return first || !rest ? first : (a[bits / 8] >> (8 - rest)) - (b[bits / 8] >> (8 - rest));
}

static enum truth equals(const char *have, const json_t *right)
{
	uint8_t a[16], b[16];
	char text[32];
	const char *want = json_string_value(right);
	int len;

	if (json_is_integer(right)) {
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(right));
		want = text;
	}
	if (!want)
		return TRUTH_MAYBE;
	len = address_in(have, a);
	if (len)
		return len == address_in(want, b) && !memcmp(a, b, (size_t)len);
	if (number_in(number_of_name(have)) >= 0 && number_in(number_of_name(want)) >= 0)
		return number_in(number_of_name(have)) == number_in(number_of_name(want));
	/* A device, with a star at its end for all that begin like that. */
	return !fnmatch(want, have, 0);
}

static enum truth in_prefix(const char *have, const json_t *prefix)
{
	const char *base = json_string_value(json_object_get(prefix, "addr"));
	long long bits = json_integer_value(json_object_get(prefix, "len"));
	uint8_t a[16], b[16];
	int len = address_in(have, a);

	if (!base || !len || bits < 0 || bits > len * 8)
		return TRUTH_MAYBE;
	return address_in(base, b) == len && !compare(a, b, (unsigned int)bits);
}

static enum truth in_range(const char *have, const json_t *range)
{
	const json_t *low = json_array_get(range, 0), *high = json_array_get(range, 1);
	uint8_t a[16], from[16], to[16];
	int len = address_in(have, a);
	long number = number_in(have);

	if (len && json_is_string(low) && json_is_string(high))
		return address_in(json_string_value(low), from) == len && address_in(json_string_value(high), to) == len &&
		       memcmp(a, from, (size_t)len) >= 0 && memcmp(a, to, (size_t)len) <= 0;
	if (number < 0 || !json_is_integer(low) || !json_is_integer(high))
		return TRUTH_MAYBE;
	return number >= json_integer_value(low) && number <= json_integer_value(high);
}

static enum truth in_any(const char *have, const json_t *right, const json_t *ruleset, const json_t *rule);

static enum truth in_list(const char *have, const json_t *list, const json_t *ruleset, const json_t *rule)
{
	enum truth one, all = TRUTH_NO;
	const json_t *element;
	size_t i;

	json_array_foreach(list, i, element) {
		one = in_any(have, element, ruleset, rule);
		if (one == TRUTH_YES)
			return TRUTH_YES;
		if (one == TRUTH_MAYBE)
			all = TRUTH_MAYBE;
	}
	return all;
}

static bool is_same(const json_t *a, const json_t *b, const char *member)
{
	return json_equal(json_object_get(a, member), json_object_get(b, member));
}

static enum truth in_named(const char *have, const char *name, const json_t *ruleset, const json_t *rule)
{
	const json_t *item, *set;
	const char *its;
	size_t i;

	json_array_foreach(ruleset, i, item) {
		set = json_object_get(item, "set");
		its = json_string_value(json_object_get(set, "name"));
		if (its && !strcmp(its, name) && is_same(set, rule, "family") && is_same(set, rule, "table"))
			return in_list(have, json_object_get(set, "elem"), ruleset, rule);
	}
	return TRUTH_MAYBE;
}

static enum truth in_any(const char *have, const json_t *right, const json_t *ruleset, const json_t *rule)
{
	const char *text = json_string_value(right);
	const json_t *inside;

	if (text && text[0] == '@')
		return in_named(have, text + 1, ruleset, rule);
	if (json_is_array(right))
		return in_list(have, right, ruleset, rule);
	if ((inside = json_object_get(right, "set")))
		return json_is_array(inside) ? in_list(have, inside, ruleset, rule) : in_any(have, inside, ruleset, rule);
	if ((inside = json_object_get(right, "prefix")))
		return in_prefix(have, inside);
	if ((inside = json_object_get(right, "range")))
		return in_range(have, inside);
	/* An element of a set with a comment or a timeout. */
	if ((inside = json_object_get(right, "elem")))
		return in_any(have, json_object_get(inside, "val"), ruleset, rule);
	return equals(have, right);
}

enum truth match_value(const struct packet *packet, const json_t *left, const json_t *right,
		       const json_t *ruleset, const json_t *rule)
{
	struct value value;

	value_of(packet, left, &value);
	if (value.is_absent)
		return TRUTH_NO;
	return value.text ? in_any(value.text, right, ruleset, rule) : TRUTH_MAYBE;
}

static enum truth opposite(enum truth truth)
{
	return truth == TRUTH_MAYBE ? truth : truth == TRUTH_NO ? TRUTH_YES : TRUTH_NO;
}

/* "<" and its like, for ports. */
static enum truth is_ordered(const struct packet *packet, const json_t *match, const char *op)
{
	const json_t *right = json_object_get(match, "right");
	struct value value;
	long long have, want = json_integer_value(right);

	value_of(packet, json_object_get(match, "left"), &value);
	if (value.is_absent)
		return TRUTH_NO;
	if (!value.text || number_in(value.text) < 0 || !json_is_integer(right))
		return TRUTH_MAYBE;
	have = number_in(value.text);
	if (op[1] == '=' && have == want)
		return TRUTH_YES;
	return op[0] == '<' ? have < want : have > want;
}

enum truth match_holds(const struct packet *packet, const json_t *match, const json_t *ruleset,
		       const json_t *rule)
{
	const json_t *left = json_object_get(match, "left"), *right = json_object_get(match, "right");
	const char *op = json_string_value(json_object_get(match, "op"));
	struct value value;

	if (!op || !strcmp(op, "==") || !strcmp(op, "in"))
		return match_value(packet, left, right, ruleset, rule);
	if (op[0] == '<' || op[0] == '>')
		return is_ordered(packet, match, op);
	if (strcmp(op, "!="))
		return TRUTH_MAYBE;
	/* "not port 22" of TCP is no statement about UDP. */
	value_of(packet, left, &value);
	return value.is_absent ? TRUTH_NO : opposite(match_value(packet, left, right, ruleset, rule));
}
