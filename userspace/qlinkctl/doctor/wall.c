// SPDX-License-Identifier: GPL-2.0-or-later
/* What the rules of a firewall on this machine do with a link. */
#include "wall.h"

#include <stdio.h>
#include <string.h>

#include "rules.h"

#define IPV4	0x0800
#define IPV6	0x86dd

static uint16_t type_of(const char *address)
{
	return strchr(address, ':') ? IPV6 : IPV4;
}

/*
 * Sealed frames come from many ports to one, so that those of a direction are a flow of their own, which is
 * new. With one source port, both directions are one flow.
 */
static void frame_packet(const struct facts *facts, bool is_incoming, struct packet *packet)
{
	const char *local = fact_text(facts->link, "link.local"), *mode = fact_text(facts->link, "link.parcel");
	bool is_one_flow = fact_number(facts->link, "link.source_ports") == 1 || !strcmp(mode, "pad") ||
			   !strcmp(mode, "constant");
	int port = (int)fact_number(facts->link, "link.port");

	*packet = (struct packet){ .is_incoming = is_incoming, .device = fact_text(facts->lower, "ifname") };
	if (!*packet->device)
		packet->device = NULL;
	if (fact_is(facts->link, "link.underlay", "eth")) {
		packet->ethertype = (uint16_t)fact_number(facts->link, "link.ethertype");
		return;
	}
	packet->ethertype = type_of(local);
	packet->protocol = "udp";
	packet->source = is_incoming ? facts->remote : local;
	packet->target = is_incoming ? local : facts->remote;
	packet->source_port = is_one_flow ? port : -1;
	packet->target_port = port;
	packet->state = is_one_flow ? NULL : "new";
	if (!*packet->source)
		packet->source = NULL;
	if (!*packet->target)
		packet->target = NULL;
}

/* What lets a packet pass, as a rule that is put before the one that drops it. */
static void mend(struct finding *found, const struct rules_verdict *verdict, const char *condition)
{
	char chain[200], command[400];

	/* nft itself allows no name that a shell would take for more than a word. */
	rules_chain(verdict->chain, chain, sizeof(chain));
	snprintf(command, sizeof(command), "nft insert rule %s %s accept   # and in the file that makes these rules", chain,
		 condition);
	finding_mend_with(found, command, "", "");
}

static bool is_dropped(const struct facts *facts, const struct packet *packet, bool is_well,
		       struct rules_verdict *verdict)
{
	*verdict = rules_judge(facts->machine->rules, packet);
	/* A rule that may drop it does not, where frames come back. */
	return verdict->drops == TRUTH_YES || (verdict->drops == TRUTH_MAYBE && !is_well);
}

static void judge_frames(const struct facts *facts, bool is_incoming, struct findings *to)
{
	struct rules_verdict verdict;
	struct packet packet;
	struct finding *found;
	char name[300], condition[100];

	frame_packet(facts, is_incoming, &packet);
	if (!is_dropped(facts, &packet, json_is_true(fact(facts->link, "link.peer_heard")), &verdict))
		return;
	rules_name(&verdict, name, sizeof(name));
	if (packet.protocol)
		snprintf(condition, sizeof(condition), "udp dport %d", packet.target_port);
	else
		snprintf(condition, sizeof(condition), "ether type 0x%04x", packet.ethertype);
	found = findings_add(to, CAUSE_WALL_FRAMES, "the firewall of this machine %s sealed frames that %s",
			     verdict.drops == TRUTH_YES ? "drops" : "may drop", is_incoming ? "arrive" : "leave");
	finding_saw(found, "nft -a list ruleset: %s drops %s", name, condition);
	mend(found, &verdict, condition);
}

/* Of the two agents one calls; the other end answers from the port that was called. */
static void agent_packet(const struct facts *facts, bool is_incoming, struct packet *packet)
{
	bool dials = json_is_true(fact(facts->agent_peer, "dials"));
	const char *local = fact_text(facts->machine->status, "listen"), *peer = fact_text(facts->agent_peer, "address");
	int port = (int)(dials ? fact_number(facts->agent_peer, "port") : fact_number(facts->machine->status, "listen_port"));
	bool is_call = dials != is_incoming;

	local = *local && strcmp(local, "0.0.0.0") && strcmp(local, "::") ? local : NULL;
	peer = *peer ? peer : NULL;
	*packet = (struct packet){
		.is_incoming = is_incoming, .ethertype = type_of(peer ?: local ?: ""), .protocol = "tcp",
		.source = is_incoming ? peer : local, .target = is_incoming ? local : peer,
		.source_port = is_call ? -1 : port, .target_port = is_call ? port : -1,
		.device = fact_text(facts->agent_route, "dev"), .state = is_call ? "new" : "established",
	};
	if (!*packet->device)
		packet->device = NULL;
}

static void judge_agents(const struct facts *facts, bool is_incoming, struct findings *to)
{
	struct rules_verdict verdict;
	struct packet packet;
	struct finding *found;
	char name[300], condition[100];

	agent_packet(facts, is_incoming, &packet);
	if (!is_dropped(facts, &packet, json_is_true(fact(facts->agent_peer, "connected")), &verdict))
		return;
	rules_name(&verdict, name, sizeof(name));
	snprintf(condition, sizeof(condition), "tcp %s %d", packet.target_port > 0 ? "dport" : "sport",
		 packet.target_port > 0 ? packet.target_port : packet.source_port);
	found = findings_add(to, CAUSE_WALL_AGENTS, "the firewall of this machine %s what the agent %s %s",
			     verdict.drops == TRUTH_YES ? "drops" : "may drop", is_incoming ? "hears from" : "says to",
			     fact_text(facts->agent_peer, "name"));
	finding_saw(found, "nft -a list ruleset: %s drops %s", name, condition);
	mend(found, &verdict, condition);
}

void wall_judge(const struct facts *facts, struct findings *to)
{
	if (!facts->machine->rules)
		return;
	if (fact_is(facts->link, "link.underlay", "eth") || fact_is(facts->link, "link.underlay", "udp")) {
		judge_frames(facts, false, to);
		judge_frames(facts, true, to);
	}
	if (facts->agent_peer) {
		judge_agents(facts, false, to);
		judge_agents(facts, true, to);
	}
}
