// SPDX-License-Identifier: GPL-2.0-or-later
/* What rules of nftables, as nft prints them in JSON, do with a packet. */
#include "qlinkctl/doctor/rules.h"

#include <stdio.h>
#include <string.h>

#include "tap.h"

/* A sealed frame of the peer, on its way in. */
static const struct packet frame = {
	.is_incoming = true, .ethertype = 0x0800, .protocol = "udp", .source = "198.51.100.2", .target = "198.51.100.1",
	.source_port = -1, .target_port = 7000, .device = "eth0", .state = "new",
};

static const char *const verdicts[] = { [TRUTH_NO] = "passes", [TRUTH_YES] = "dropped", [TRUTH_MAYBE] = "maybe" };

/* JSON with single quotes, of these items. */
static json_t *ruleset(const char *items)
{
	static char text[8192];
	json_t *json;
	char *quote;

	snprintf(text, sizeof(text), "[%s]", items);
	for (quote = text; *quote; quote++)
		*quote = *quote == '\'' ? '"' : *quote;
	json = json_loads(text, 0, NULL);
	if (!json)
		BAIL_OUT();
	return json;
}

#define CHAIN(name, policy) \
	"{'chain': {'family': 'inet', 'table': 'f', 'name': '" name "', 'hook': '" name "', 'type': 'filter', 'policy': '" policy "'}}"
#define PLAIN_CHAIN(name) "{'chain': {'family': 'inet', 'table': 'f', 'name': '" name "'}}"
#define RULE(chain, handle, expr) \
	"{'rule': {'family': 'inet', 'table': 'f', 'chain': '" chain "', 'handle': " #handle ", 'expr': [" expr "]}}"
#define MATCH(op, left, right)	"{'match': {'op': '" op "', 'left': {" left "}, 'right': " right "}}"
#define PORT(right)		MATCH("==", "'payload': {'protocol': 'udp', 'field': 'dport'}", right)
#define SOURCE(right)		MATCH("==", "'payload': {'protocol': 'ip', 'field': 'saddr'}", right)
#define STATE(right)		MATCH("in", "'ct': {'key': 'state'}", right)
#define DROP			"{'drop': null}"
#define ACCEPT			"{'accept': null}"

/* The verdict, and where it fell. */
static const char *judged(const char *items, const struct packet *packet)
{
	static char text[400];
	json_t *rules = ruleset(items);
	struct rules_verdict verdict = rules_judge(rules, packet);

	snprintf(text, sizeof(text), "%s", verdicts[verdict.drops]);
	if (verdict.drops != TRUTH_NO) {
		strcat(text, " by ");
		rules_name(&verdict, text + strlen(text), sizeof(text) - strlen(text));
	}
	json_decref(rules);
	return text;
}

TEST(a_rule_drops_what_its_conditions_hold_for)
{
	static const struct {
		const char *conditions, *verdict, *why;
	} rows[] = {
		{ PORT("7000") ",", "dropped", "its port" },
		{ PORT("7001") ",", "passes", "another port" },
		{ PORT("{'set': [22, 7000]}") ",", "dropped", "a set" },
		{ PORT("{'set': [22, 23]}") ",", "passes", "a set without it" },
		{ PORT("{'set': [{'range': [6000, 8000]}]}") ",", "dropped", "a range in a set" },
		{ PORT("{'range': [7001, 8000]}") ",", "passes", "a range above it" },
		{ MATCH("!=", "'payload': {'protocol': 'udp', 'field': 'dport'}", "53") ",", "dropped", "not another port" },
		{ MATCH("!=", "'payload': {'protocol': 'tcp', 'field': 'dport'}", "22") ",", "passes", "of another protocol" },
		{ MATCH("<", "'payload': {'protocol': 'udp', 'field': 'dport'}", "8000") ",", "dropped", "below" },
		{ MATCH(">=", "'payload': {'protocol': 'udp', 'field': 'dport'}", "7000") ",", "dropped", "at least" },
		{ MATCH(">", "'payload': {'protocol': 'udp', 'field': 'dport'}", "7000") ",", "passes", "not above" },
		{ MATCH("==", "'payload': {'protocol': 'th', 'field': 'dport'}", "7000") ",", "dropped", "of any transport" },
		{ MATCH("==", "'payload': {'protocol': 'udp', 'field': 'sport'}", "7000") ",", "maybe", "a port that is not known" },
		{ SOURCE("'198.51.100.2'") ",", "dropped", "its address" },
		{ SOURCE("'198.51.100.3'") ",", "passes", "another address" },
		{ SOURCE("{'prefix': {'addr': '198.51.100.0', 'len': 24}}") ",", "dropped", "its network" },
		{ SOURCE("{'prefix': {'addr': '198.51.100.4', 'len': 30}}") ",", "passes", "a network beside it" },
		{ SOURCE("{'prefix': {'addr': '198.51.96.0', 'len': 20}}") ",", "dropped", "a network of odd length" },
		{ SOURCE("{'range': ['198.51.100.0', '198.51.100.9']}") ",", "dropped", "a range of addresses" },
		{ MATCH("==", "'payload': {'protocol': 'ip6', 'field': 'saddr'}", "'::1'") ",", "passes", "of IPv6" },
		{ MATCH("==", "'meta': {'key': 'iifname'}", "'eth0'") ",", "dropped", "its device" },
		{ MATCH("==", "'meta': {'key': 'iifname'}", "'eth*'") ",", "dropped", "devices like it" },
		{ MATCH("==", "'meta': {'key': 'iifname'}", "'lo'") ",", "passes", "another device" },
		{ MATCH("==", "'meta': {'key': 'oifname'}", "'eth0'") ",", "passes", "a device to leave by" },
		{ MATCH("==", "'meta': {'key': 'l4proto'}", "'udp'") ",", "dropped", "its protocol" },
		{ MATCH("==", "'meta': {'key': 'l4proto'}", "17") ",", "dropped", "its protocol as a number" },
		{ MATCH("==", "'meta': {'key': 'nfproto'}", "'ipv6'") ",", "passes", "IPv6" },
		{ STATE("'new'") ",", "dropped", "its state" },
		{ STATE("['established', 'related']") ",", "passes", "other states" },
		{ MATCH("==", "'meta': {'key': 'mark'}", "4") ",", "maybe", "a mark that is not known" },
		{ "{'limit': {'rate': 4, 'per': 'second'}},", "maybe", "a limit" },
		{ "{'counter': {'packets': 4, 'bytes': 400}}, {'log': null},", "dropped", "counters and logs" },
		{ "{'xt': null},", "maybe", "a condition of iptables" },
	};
	char items[2048], want[200];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		snprintf(items, sizeof(items), CHAIN("input", "accept") ", {'rule': {'family': 'inet', 'table': 'f', "
			 "'chain': 'input', 'handle': 5, 'expr': [%s {'drop': null}]}}", rows[i].conditions);
		snprintf(want, sizeof(want), "%s%s", rows[i].verdict, strcmp(rows[i].verdict, "passes") ?
			 " by rule 5 of chain input in table inet f" : "");
		CHECK_TEXT(rows[i].why, judged(items, &frame), want);
	}
}

TEST(the_first_verdict_of_a_chain_counts_and_each_chain_can_drop)
{
	CHECK_TEXT("a policy", judged(CHAIN("input", "drop"), &frame), "dropped by the policy of chain input in table inet f");
	CHECK_TEXT("accepted before", judged(CHAIN("input", "drop") "," RULE("input", 5, PORT("7000") "," ACCEPT), &frame),
		   "passes");
	CHECK_TEXT("perhaps accepted before",
		   judged(CHAIN("input", "drop") "," RULE("input", 5, "{'limit': {}}," ACCEPT), &frame),
		   "maybe by the policy of chain input in table inet f");
	CHECK_TEXT("another chain drops", judged(CHAIN("input", "accept") "," RULE("input", 5, ACCEPT) ","
						 CHAIN("prerouting", "drop"), &frame),
		   "dropped by the policy of chain prerouting in table inet f");
	CHECK_TEXT("one for what leaves", judged(CHAIN("output", "drop"), &frame), "passes");
	CHECK_TEXT("rejected", judged(CHAIN("input", "accept") "," RULE("input", 8, "{'reject': {'type': 'tcp reset'}}"), &frame),
		   "dropped by rule 8 of chain input in table inet f");
	CHECK_TEXT("perhaps dropped, then accepted",
		   judged(CHAIN("input", "drop") "," RULE("input", 4, "{'limit': {}}," DROP) "," RULE("input", 5, ACCEPT), &frame),
		   "maybe by rule 4 of chain input in table inet f");
}

#define JUMP(to)	"{'jump': {'target': '" to "'}}"
#define GOTO(to)	"{'goto': {'target': '" to "'}}"

TEST(chains_call_each_other)
{
	CHECK_TEXT("a jump", judged(CHAIN("input", "accept") "," PLAIN_CHAIN("x") "," RULE("input", 1, JUMP("x")) ","
				    RULE("x", 2, DROP), &frame), "dropped by rule 2 of chain x in table inet f");
	CHECK_TEXT("it returns", judged(CHAIN("input", "drop") "," PLAIN_CHAIN("x") "," RULE("input", 1, JUMP("x")) ","
					RULE("x", 2, "{'return': null}") "," RULE("input", 3, ACCEPT), &frame), "passes");
	CHECK_TEXT("goto does not", judged(CHAIN("input", "drop") "," PLAIN_CHAIN("x") "," RULE("input", 1, GOTO("x")) ","
					   RULE("input", 3, ACCEPT), &frame),
		   "dropped by the policy of chain input in table inet f");
	CHECK_TEXT("a jump that may not be taken",
		   judged(CHAIN("input", "accept") "," PLAIN_CHAIN("x") "," RULE("input", 1, "{'limit': {}}," JUMP("x")) ","
			  RULE("x", 2, DROP), &frame), "maybe by rule 2 of chain x in table inet f");
	CHECK_TEXT("in a circle", judged(CHAIN("input", "drop") "," PLAIN_CHAIN("x") "," RULE("input", 1, JUMP("x")) ","
					 RULE("x", 2, JUMP("x")), &frame), "passes");
}

TEST(maps_of_verdicts_are_read)
{
	static const char *const vmap = "{'vmap': {'key': {'ct': {'key': 'state'}}, 'data': {'set': "
					"[['established', {'accept': null}], ['new', {'drop': null}]]}}}";
	char items[1024];
	struct packet answer = frame;

	snprintf(items, sizeof(items), CHAIN("input", "accept") ", {'rule': {'family': 'inet', 'table': 'f', 'chain': 'input', "
		 "'handle': 5, 'expr': [%s]}}", vmap);
	CHECK_TEXT("new", judged(items, &frame), "dropped by rule 5 of chain input in table inet f");
	answer.state = "established";
	CHECK_TEXT("established", judged(items, &answer), "passes");
	answer.state = NULL;
	CHECK_TEXT("not known", judged(items, &answer), "maybe by rule 5 of chain input in table inet f");
}

TEST(maps_with_names_are_looked_up)
{
	static const char rest[] =
		CHAIN("input", "accept") "," RULE("input", 3, "{'vmap': {'key': {'payload': {'protocol': 'udp', 'field': 'dport'}}, "
						  "'data': '@m'}}");
	char items[1024];

	snprintf(items, sizeof(items), "{'map': {'family': 'inet', 'name': 'm', 'table': 'f', 'type': 'inet_service', 'map': "
		 "'verdict', 'elem': [[7000, {'drop': null}]]}}, %s", rest);
	CHECK_TEXT("in it", judged(items, &frame), "dropped by rule 3 of chain input in table inet f");
	snprintf(items, sizeof(items), "{'map': {'family': 'inet', 'name': 'm', 'table': 'f', 'elem': [[53, {'drop': null}]]}}, %s",
		 rest);
	CHECK_TEXT("not in it", judged(items, &frame), "passes");
	CHECK_TEXT("no such map", judged(rest, &frame), "passes");
}

#define SET(elements) "{'set': {'family': 'inet', 'table': 'f', 'name': 'bad', 'type': 'ipv4_addr', 'elem': " elements "}}"

TEST(sets_with_names_are_looked_up)
{
	CHECK_TEXT("in it", judged(SET("['198.51.100.2']") "," CHAIN("input", "accept") ","
				   RULE("input", 5, SOURCE("'@bad'") "," DROP), &frame),
		   "dropped by rule 5 of chain input in table inet f");
	CHECK_TEXT("with a timeout", judged(SET("[{'elem': {'val': '198.51.100.2', 'timeout': 9}}]") "," CHAIN("input", "accept") ","
					    RULE("input", 5, SOURCE("'@bad'") "," DROP), &frame),
		   "dropped by rule 5 of chain input in table inet f");
	CHECK_TEXT("not in it", judged(SET("['198.51.100.3']") "," CHAIN("input", "accept") ","
				       RULE("input", 5, SOURCE("'@bad'") "," DROP), &frame), "passes");
	CHECK_TEXT("no such set", judged(CHAIN("input", "accept") "," RULE("input", 5, SOURCE("'@bad'") "," DROP), &frame),
		   "maybe by rule 5 of chain input in table inet f");
}

TEST(frames_without_ip_meet_the_hooks_of_their_device)
{
	struct packet bare = { .is_incoming = true, .ethertype = 0x88b5, .source_port = -1, .target_port = -1, .device = "eth0" };
	static const char *const chain = "{'chain': {'family': 'netdev', 'table': 'f', 'name': 'in', 'hook': 'ingress', "
					 "'dev': 'eth0', 'policy': 'drop'}}";

	CHECK_TEXT("ingress", judged(chain, &bare), "dropped by the policy of chain in in table netdev f");
	CHECK_TEXT("of several devices", judged("{'chain': {'family': 'netdev', 'table': 'f', 'name': 'in', 'hook': 'ingress', "
						"'dev': ['eth1', 'eth0'], 'policy': 'drop'}}", &bare),
		   "dropped by the policy of chain in in table netdev f");
	CHECK_TEXT("input is for IP", judged(CHAIN("input", "drop"), &bare), "passes");
	bare.device = "eth1";
	CHECK_TEXT("another device", judged(chain, &bare), "passes");
	bare.device = "eth0";
	bare.is_incoming = false;
	CHECK_TEXT("it leaves", judged(chain, &bare), "passes");
}
