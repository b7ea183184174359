// SPDX-License-Identifier: GPL-2.0-or-later
/* What the rules of nftables do with a packet, from "nft -j list ruleset"; pure. */
#include "rules.h"

#include <stdio.h>
#include <string.h>

/* As deep as the kernel lets chains jump. */
#define DEPTH_MAX	16
#define CHAINS_MAX	64

enum step {
	/* no rule has decided */
	STEP_ON,
	STEP_ACCEPT,
	STEP_DROP,
	/* back to the chain that jumped here */
	STEP_RETURN,
	/* as STEP_ACCEPT, for what the rules say that is not known here */
	STEP_UNKNOWN,
};

struct walk {
	const json_t *ruleset;
	const struct packet *packet;
	struct rules_verdict *verdict;
	/* a rule before may have accepted the packet, or returned */
	bool is_unsure;
	unsigned int depth;
};

static const char *text(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value ? value : "";
}

static bool is_in(const json_t *rule, const json_t *chain)
{
	return !strcmp(text(rule, "family"), text(chain, "family")) && !strcmp(text(rule, "table"), text(chain, "table")) &&
	       !strcmp(text(rule, "chain"), text(chain, "name"));
}

static const json_t *find_chain(const struct walk *walk, const json_t *rule, const char *name)
{
	const json_t *item, *chain;
	size_t i;

	json_array_foreach(walk->ruleset, i, item) {
		chain = json_object_get(item, "chain");
		if (chain && !strcmp(text(chain, "name"), name) && !strcmp(text(chain, "family"), text(rule, "family")) &&
		    !strcmp(text(chain, "table"), text(rule, "table")))
			return chain;
	}
	return NULL;
}

static enum step walk_chain(struct walk *walk, const json_t *chain);

static enum step jump(struct walk *walk, const json_t *rule, const char *to, bool comes_back)
{
	const json_t *chain = find_chain(walk, rule, to);
	enum step step;

	if (!chain || walk->depth == DEPTH_MAX)
		return STEP_UNKNOWN;
	walk->depth++;
	step = walk_chain(walk, chain);
	walk->depth--;
	if (step == STEP_RETURN)
		step = STEP_ON;
	/* After "goto" the chain that jumped does not go on: for a base chain its policy is next. */
	return step == STEP_ON && !comes_back ? STEP_RETURN : step;
}

static void note_drop(struct walk *walk, const json_t *chain, const json_t *rule)
{
	struct rules_verdict *verdict = walk->verdict;

	if (verdict->drops == TRUTH_YES || (verdict->drops == TRUTH_MAYBE && walk->is_unsure))
		return;
	*verdict = (struct rules_verdict){ walk->is_unsure ? TRUTH_MAYBE : TRUTH_YES, rule, chain };
}

/* What a statement does that is a verdict; STEP_ON for any other. */
static enum step verdict_of(struct walk *walk, const json_t *chain, const json_t *rule, const json_t *statement)
{
	const json_t *to;

	if (json_object_get(statement, "accept"))
		return STEP_ACCEPT;
	if (json_object_get(statement, "drop") || json_object_get(statement, "reject")) {
		note_drop(walk, chain, rule);
		return STEP_DROP;
	}
	if (json_object_get(statement, "return"))
		return STEP_RETURN;
	if (json_object_get(statement, "queue"))
		return STEP_UNKNOWN;
	if ((to = json_object_get(statement, "jump")))
		return jump(walk, rule, text(to, "target"), true);
	if ((to = json_object_get(statement, "goto")))
		return jump(walk, rule, text(to, "target"), false);
	return STEP_ON;
}

/* Whether a statement is a condition that is not known here. Counters and logs let every packet on. */
static bool is_unknown(const json_t *statement)
{
	static const char *const known[] = {
		"accept", "drop", "reject", "return", "queue", "jump", "goto", "continue", "match", "vmap", "counter", "log",
		"mangle", "notrack", "set", "map", "ct helper", "comment", "masquerade", "snat", "dnat", "redirect",
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (json_object_get(statement, known[i]))
			return false;
	}
	return true;
}

/* The pairs of a map of verdicts, which stands in the rule or has a name. */
static const json_t *pairs_of(const struct walk *walk, const json_t *rule, const json_t *data)
{
	const char *name = json_string_value(data);
	const json_t *item, *map;
	size_t i;

	if (!name)
		return json_object_get(data, "set");
	json_array_foreach(walk->ruleset, i, item) {
		map = json_object_get(item, "map");
		if (map && name[0] == '@' && !strcmp(text(map, "name"), name + 1) && !strcmp(text(map, "family"), text(rule, "family")) &&
		    !strcmp(text(map, "table"), text(rule, "table")))
			return json_object_get(map, "elem");
	}
	return NULL;
}

/* "ct state vmap { established : accept, invalid : drop }"; what only may fit does not end the search. */
static enum step walk_vmap(struct walk *walk, const json_t *chain, const json_t *rule, const json_t *vmap)
{
	const json_t *map = pairs_of(walk, rule, json_object_get(vmap, "data")), *pair;
	enum truth one;
	enum step step;
	size_t i;

	if (!json_is_array(map)) {
		walk->is_unsure = true;
		return STEP_ON;
	}
	json_array_foreach(map, i, pair) {
		one = match_value(walk->packet, json_object_get(vmap, "key"), json_array_get(pair, 0), walk->ruleset, rule);
		if (one == TRUTH_NO)
			continue;
		walk->is_unsure |= one == TRUTH_MAYBE;
		step = verdict_of(walk, chain, rule, json_array_get(pair, 1));
		if (one == TRUTH_YES)
			return step;
	}
	return STEP_ON;
}

/* The conditions of a rule come before its verdict. */
static enum truth conditions(const struct walk *walk, const json_t *rule)
{
	enum truth all = TRUTH_YES, one;
	const json_t *statement, *match;
	size_t i;

	json_array_foreach(json_object_get(rule, "expr"), i, statement) {
		match = json_object_get(statement, "match");
		one = match ? match_holds(walk->packet, match, walk->ruleset, rule) :
			      is_unknown(statement) ? TRUTH_MAYBE : TRUTH_YES;
		if (one == TRUTH_NO)
			return TRUTH_NO;
		if (one == TRUTH_MAYBE)
			all = TRUTH_MAYBE;
	}
	return all;
}

static enum step walk_rule(struct walk *walk, const json_t *chain, const json_t *rule)
{
	enum truth holds = conditions(walk, rule);
	bool was_unsure = walk->is_unsure;
	enum step step = STEP_ON;
	const json_t *statement, *vmap;
	size_t i;

	if (holds == TRUTH_NO)
		return STEP_ON;
	walk->is_unsure |= holds == TRUTH_MAYBE;
	json_array_foreach(json_object_get(rule, "expr"), i, statement) {
		vmap = json_object_get(statement, "vmap");
		step = vmap ? walk_vmap(walk, chain, rule, vmap) : verdict_of(walk, chain, rule, statement);
		if (step != STEP_ON)
			break;
	}
	if (holds == TRUTH_YES)
		return step;
	/* It may not hold, so the next rule is looked at; a drop that did not take place takes nothing from that one. */
	if (step == STEP_DROP)
		walk->is_unsure = was_unsure;
	return STEP_ON;
}

static enum step walk_chain(struct walk *walk, const json_t *chain)
{
	const json_t *item, *rule;
	enum step step;
	size_t i;

	json_array_foreach(walk->ruleset, i, item) {
		rule = json_object_get(item, "rule");
		if (!rule || !is_in(rule, chain))
			continue;
		step = walk_rule(walk, chain, rule);
		if (step != STEP_ON)
			return step;
	}
	return STEP_ON;
}

/* A chain at a device names one, or several. */
static bool has_device(const json_t *chain, const char *device)
{
	const json_t *list = json_object_get(chain, "dev"), *element;
	size_t i;

	if (!device)
		return false;
	json_array_foreach(list, i, element) {
		if (json_is_string(element) && !strcmp(json_string_value(element), device))
			return true;
	}
	return !strcmp(text(chain, "dev"), device);
}

/* Whether the packet comes through a base chain. */
static bool is_on_way(const json_t *chain, const struct packet *packet)
{
	const char *family = text(chain, "family"), *hook = text(chain, "hook");

	if (!hook[0])
		return false;
	if (!strcmp(family, "netdev") || !strcmp(hook, "ingress") || !strcmp(hook, "egress"))
		return !strcmp(hook, packet->is_incoming ? "ingress" : "egress") && has_device(chain, packet->device);
	if (!packet->protocol || (strcmp(family, "inet") && strcmp(family, packet->ethertype == 0x86dd ? "ip6" : "ip")))
		return false;
	if (packet->is_incoming)
		return !strcmp(hook, "prerouting") || !strcmp(hook, "input");
	return !strcmp(hook, "output") || !strcmp(hook, "postrouting");
}

/* Each base chain can drop the packet; that one accepts it does not stop another. */
static void judge_chain(struct walk *walk, const json_t *chain)
{
	struct rules_verdict verdict = { .drops = TRUTH_NO };
	struct rules_verdict *all = walk->verdict;
	enum step step;

	walk->verdict = &verdict;
	walk->is_unsure = false;
	walk->depth = 0;
	step = walk_chain(walk, chain);
	if ((step == STEP_ON || step == STEP_RETURN) && !strcmp(text(chain, "policy"), "drop"))
		note_drop(walk, chain, NULL);
	walk->verdict = all;
	if (verdict.drops == TRUTH_YES || (verdict.drops == TRUTH_MAYBE && all->drops == TRUTH_NO))
		*all = verdict;
}

struct rules_verdict rules_judge(const json_t *ruleset, const struct packet *packet)
{
	struct rules_verdict verdict = { .drops = TRUTH_NO };
	struct walk walk = { .ruleset = ruleset, .packet = packet, .verdict = &verdict };
	const json_t *item, *chain;
	size_t i;

	json_array_foreach(ruleset, i, item) {
		chain = json_object_get(item, "chain");
		if (chain && verdict.drops != TRUTH_YES && is_on_way(chain, packet))
			judge_chain(&walk, chain);
	}
	return verdict;
}

void rules_chain(const json_t *chain, char *to, size_t room)
{
	snprintf(to, room, "%s %s %s", text(chain, "family"), text(chain, "table"), text(chain, "name"));
}

void rules_name(const struct rules_verdict *verdict, char *to, size_t room)
{
	char which[40] = "the policy";

	if (verdict->rule)
		snprintf(which, sizeof(which), "rule %lld",
			 (long long)json_integer_value(json_object_get(verdict->rule, "handle")));
	snprintf(to, room, "%s of chain %s in table %s %s", which, text(verdict->chain, "name"),
		 text(verdict->chain, "family"), text(verdict->chain, "table"));
}
