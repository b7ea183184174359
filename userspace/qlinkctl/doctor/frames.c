// SPDX-License-Identifier: GPL-2.0-or-later
/* What arrives of the peer, and what comes back of ours. */
#include "frames.h"

#include <string.h>

static bool is_heard(const struct facts *facts)
{
	return json_is_true(fact(facts->link, "link.peer_heard"));
}

/* Keepalives are on, and do not come back. */
static bool is_lost(const struct facts *facts)
{
	return fact(facts->link, "link.peer_heard") && !is_heard(facts);
}

static void judge_address(const struct facts *facts, struct findings *to)
{
	bool is_eth = fact_is(facts->link, "link.underlay", "eth");
	const char *option = is_eth ? "peer" : "remote";
	long long n = fact_growth(facts, "port.rx_other_peer");
	struct finding *found;

	if (n <= 0 || is_heard(facts))
		return;
	found = findings_add(to, CAUSE_ADDRESS_DIFFERS, "frames come from another address than %s, the peer's",
			     fact_text(facts->link, is_eth ? "link.peer" : "link.remote"));
	finding_saw(found, "rx_other_peer of the underlay port grew by %lld in %u ms", n, facts->machine->waited_ms);
	finding_mend(found, "qlinkctl set %s %s ADDRESS   # that of the peer's %s", facts->device, option,
		     is_eth ? "lower device" : "option local");
}

static void judge_id(const struct facts *facts, struct findings *to)
{
	long long n = fact_growth(facts, "port.rx_no_link");
	struct finding *found;

	if (n <= 0 || is_heard(facts))
		return;
	found = findings_add(to, CAUSE_ID_DIFFERS, "frames come with an id that no link here has; that of %s is %lld",
			     facts->device, fact_number(facts->link, "link.id"));
	finding_saw(found, "rx_no_link of the underlay port grew by %lld in %u ms", n, facts->machine->waited_ms);
	finding_mend(found, "qlinkctl set %s id ID   # the same at both ends", facts->device);
}

static void judge_port(const struct facts *facts, struct findings *to)
{
	struct finding *found;

	if (!facts->machine->unreachable || !is_lost(facts) || !fact_is(facts->link, "link.underlay", "udp"))
		return;
	found = findings_add(to, CAUSE_PORT_UNREACHABLE, "%s answers that its port %lld, or the host, is not reachable",
			     facts->remote, fact_number(facts->link, "link.port"));
	finding_saw(found, "%llu ICMP messages of that kind came in %u ms while keepalives were sent",
		    (unsigned long long)facts->machine->unreachable, facts->machine->waited_ms);
	finding_mend(found, "qlinkctl show   # at the peer: its link must be up, with port %lld",
		     fact_number(facts->link, "link.port"));
}

/* Then that is the cause, which keys_judge() names. */
static bool has_no_rx_key(const json_t *link)
{
	return !fact_number(link, "link.rx.current_epoch") && !fact_number(link, "link.rx.staged");
}

static void judge_tags(const struct facts *facts, struct findings *to)
{
	long long bad = fact_growth(facts, "stats.rx_auth_error"), none = fact_growth(facts, "stats.rx_no_key");
	struct finding *found;

	if ((bad <= 0 && none <= 0) || is_heard(facts) || has_no_rx_key(facts->link))
		return;
	found = findings_add(to, CAUSE_KEYS_DIFFER, "the peer seals frames under keys that %s does not have", facts->device);
	finding_saw(found, "in %u ms, rx_auth_error grew by %lld and rx_no_key by %lld", facts->machine->waited_ms, bad, none);
	if (facts->agent_link)
		finding_mend(found, "qlinkctl restart %s   # the agents agree on new keys", facts->device);
	else
		finding_mend(found, "qlinkctl key add %s rx epoch NUMBER file PATH   # the key that the peer has for tx",
			     facts->device);
}

void frames_judge(const struct facts *facts, struct findings *to)
{
	if (!facts->link)
		return;
	judge_address(facts, to);
	judge_id(facts, to);
	judge_port(facts, to);
	judge_tags(facts, to);
}

/* How the words of the peer's host, a firewall or the path can be told apart. */
static void say_silent(const struct facts *facts, struct findings *to)
{
	struct finding *found;

	if (fact_growth(facts, "stats.rx_keepalive") > 0) {
		found = findings_add(to, CAUSE_ONE_WAY, "frames of the peer arrive, and ours do not arrive there");
		finding_saw(found, "in %u ms, rx_keepalive grew by %lld and none of ours came back", facts->machine->waited_ms,
			    fact_growth(facts, "stats.rx_keepalive"));
		finding_mend(found, "qlinkctl doctor %s   # at the peer; then a firewall or NAT on the way: see qlink(7), "
			     "\"One end does not hear the other\"", facts->device);
		return;
	}
	found = findings_add(to, CAUSE_SILENT, "no frame of the peer arrives");
	finding_saw(found, "in %u ms, %lld keepalives were sent and none came; rx_no_link, rx_other_peer, rx_auth_error did "
		    "not grow", facts->machine->waited_ms, fact_growth(facts, "stats.tx_keepalive"));
	if (facts->remote[0])
		finding_mend(found, "qlinkctl doctor %s   # at the peer; then a firewall on the way to %s, UDP port %lld",
			     facts->device, facts->remote, fact_number(facts->link, "link.port"));
	else
		finding_mend(found, "qlinkctl doctor %s   # at the peer; then what lies between, for %s", facts->device,
			     fact_text(facts->link, "link.peer"));
}

void echo_judge(const struct facts *facts, struct findings *to)
{
	struct finding *found;

	if (is_lost(facts))
		say_silent(facts, to);
	if (!facts->link || fact(facts->link, "link.peer_heard") || !fact(facts->link, "link.underlay") ||
	    fact_is(facts->link, "link.underlay", "none"))
		return;
	found = findings_add(to, CAUSE_NO_KEEPALIVES, "%s sends no keepalives", facts->device);
	finding_saw(found, "its option keepalive-ms is 0");
	finding_mend(found, "qlinkctl set %s keepalive-ms 1000   # at both ends", facts->device);
}
