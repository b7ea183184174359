// SPDX-License-Identifier: GPL-2.0-or-later
/* What doctor concludes from what it sees: which cause comes first, and what follows from it. */
#include "qlinkctl/doctor/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "qlinkctl/agent.h"
#include "qlinkctl/doctor/report.h"
#include "tap.h"

/* A link over UDP that is well, and a machine around it. */
static const char links_well[] =
	"[{'ifname': 'qlink0', 'link': {'protection': 'protected', 'lacks': [], 'state': 'up', 'underlay': 'udp', 'id': 7,"
	" 'local': '198.51.100.1', 'remote': '198.51.100.2', 'port': 7000, 'source_ports': 16384, 'accept': ['hybrid', 'pqc'],"
	" 'keepalive_ms': 500, 'peer_heard': true, 'tx': {'current_epoch': 4, 'current_source': 'hybrid', 'staged': 3},"
	" 'rx': {'current_epoch': 5, 'current_source': 'hybrid', 'staged': 2}},"
	" 'stats': {'rx_keepalive': 10, 'tx_keepalive': 10, 'rx_auth_error': 0, 'rx_no_key': 0, 'tx_too_big': 0},"
	" 'port': {'rx_no_link': 0, 'rx_other_peer': 0}}]";
static const char devices_well[] =
	"[{'ifname': 'qlink0', 'ifindex': 3, 'flags': ['UP'], 'mtu': 1422, 'linkinfo': {'info_kind': 'qlink'}},"
	" {'ifname': 'eth0', 'ifindex': 2, 'flags': ['UP', 'LOWER_UP'], 'operstate': 'UP', 'mtu': 1500,"
	" 'addr_info': [{'local': '198.51.100.1'}]}]";
static const char route_well[] = "{'dst': '198.51.100.2', 'dev': 'eth0', 'prefsrc': '198.51.100.1'}";
static const char status_well[] =
	"{'name': 'site-a', 'listen': '203.0.113.1', 'listen_port': 7511, 'certificates': ["
	" {'kme': null, 'use': 'certificate', 'file': '/none/a.pem', 'subject': 'site-a', 'not_before': 500, 'not_after': 90000000},"
	" {'kme': null, 'use': 'ca', 'file': '/none/ca.pem', 'subject': 'CA', 'not_before': 500, 'not_after': 90000000}],"
	" 'refused_caller': null, 'reload_refused': null,"
	" 'peers': [{'name': 'site-b', 'address': '203.0.113.2', 'port': 7511, 'connected': true, 'dials': true, 'why': null,"
	"  'unknown_link_messages': 0}],"
	" 'links': [{'device': 'qlink0', 'id': 7, 'peer': 'site-b', 'policy': 'prefer-hybrid', 'phase': 'ready', 'why': null,"
	"  'protection': 'protected', 'source': 'hybrid', 'stock': 90, 'usable': 90, 'mix_least': 1,"
	"  'kmes': [{'name': 'rack', 'health': 'up', 'why': '', 'stock': 90}]}]}";

static struct machine machine;
static struct facts facts;
static struct findings found;

/* JSON with single quotes, after the first @what in @text was replaced by @with. */
static json_t *parse(const char *text, const char *what, const char *with)
{
	static char room[8192];
	const char *at = what ? strstr(text, what) : NULL;
	json_t *json;
	char *quote;

	if (at)
		snprintf(room, sizeof(room), "%.*s%s%s", (int)(at - text), text, with, at + strlen(what));
	else
		snprintf(room, sizeof(room), "%s", text);
	for (quote = room; *quote; quote++)
		*quote = *quote == '\'' ? '"' : *quote;
	json = json_loads(room, 0, NULL);
	if (!json)
		BAIL_OUT();
	return json;
}

static const json_t *element(const json_t *array, const char *name, const char *text)
{
	return fact_find(array, name, text);
}

/* Replaces @what, wherever it stands, and has doctor judge the machine. */
static void set_up(const char *what, const char *with)
{
	machine = (struct machine){
		.module = { .is_loaded = true, .release = "7.3" }, .waited_ms = 1000, .control = "/none", .config = "/none",
		.now = 1000, .is_synchronised = true,
	};
	machine.before = parse(links_well, NULL, NULL);
	machine.links = parse(links_well, what, with);
	machine.devices = parse(devices_well, what, with);
	machine.status = parse(status_well, what, with);
	facts = (struct facts){ .machine = &machine, .device = "qlink0", .remote = "198.51.100.2" };
	facts.link = element(machine.links, "ifname", "qlink0");
	facts.before = element(machine.before, "ifname", "qlink0");
	facts.self = element(machine.devices, "ifname", "qlink0");
	facts.route = parse(route_well, what, with);
	facts.lower = element(machine.devices, "ifname", fact_text(facts.route, "dev"));
	facts.agent_link = element(fact(machine.status, "links"), "device", "qlink0");
	facts.agent_peer = element(fact(machine.status, "peers"), "name", "site-b");
}

static void tear_down(void)
{
	json_decref(machine.before);
	json_decref(machine.links);
	json_decref(machine.devices);
	json_decref(machine.neighbours);
	json_decref(machine.rules);
	json_decref(machine.status);
	json_decref(facts.route);
}

/* "cause cause>consequence", without advice. */
static const char *judged(void)
{
	static char text[1000];
	size_t i, k, used = 0;

	doctor_judge(&facts, &found);
	text[0] = '\0';
	for (i = 0; i < found.n; i++) {
		if (doctor_causes[found.list[i].cause].is_advice || found.list[i].follows)
			continue;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used ? " " : "",
					 doctor_causes[found.list[i].cause].name);
		for (k = 0; k < found.n; k++) {
			if (found.list[k].follows == &found.list[i])
				used += (size_t)snprintf(text + used, sizeof(text) - used, ">%s",
							 doctor_causes[found.list[k].cause].name);
		}
	}
	return text;
}

TEST(a_good_link_is_protected)
{
	set_up(NULL, NULL);
	CHECK_TEXT("causes", judged(), "");
	CHECK_NUMBER("verdict", report_verdict(&facts, &found), VERDICT_PROTECTED);
	tear_down();
}

TEST(each_row_has_a_name_and_layers_only_grow)
{
	unsigned int cause, layer = 0;

	for (cause = 0; cause < CAUSE_N; cause++) {
		CHECK(doctor_causes[cause].name && doctor_causes[cause].why, "cause %u has a row", cause);
		CHECK(doctor_causes[cause].layer >= layer, "%s: layer %u after %u", doctor_causes[cause].name,
		      doctor_causes[cause].layer, layer);
		layer = doctor_causes[cause].layer;
	}
}

TEST(a_layer_follows_from_lower_layers_only)
{
	unsigned int layer;

	for (layer = 0; layer <= LAYER_REST; layer++)
		CHECK(!(layer_follows(layer) >> layer), "layer %u follows from %x", layer, layer_follows(layer));
}

struct change {
	const char *what, *with, *causes;
};

static const struct change machine_changes[] = {
	{ "'flags': ['UP'], 'mtu'", "'flags': [], 'mtu'", "device-down" },
	{ "['UP', 'LOWER_UP']", "[]", "lower-down" },
	{ "['UP', 'LOWER_UP']", "['UP', 'NO-CARRIER']", "no-carrier" },
	{ "'info_kind': 'qlink'", "'info_kind': 'vxlan'", "not-qlink" },
	{ "[{'local': '198.51.100.1'}]", "[]", "no-local-address" },
	{ "'tx_too_big': 0", "'tx_too_big': 4", "frames-too-big" },
	{ "'state': 'up'", "'state': 'underlay-taken'", "lower-taken" },
	{ "'state': 'up'", "'state': 'unconfigured'", "no-underlay" },
	{ "'state': 'up'", "'state': 'no-route'", "no-route" },
	{ "'dev': 'eth0'", "'dev': 'qlink0'", "route-loop" },
	{ "'peer_heard': true", "'peer_heard': false", "silent" },
};

static const struct change agent_changes[] = {
	{ "'device': 'qlink0', 'id'", "'device': 'qlink1', 'id'", "link-unknown" },
	{ "'phase': 'ready', 'why': null", "'phase': 'no-device', 'why': 'device: no such device'",
	  "agent-elsewhere>no-agreement" },
	{ "'connected': true, 'dials': true, 'why': null", "'connected': false, 'dials': true, 'why': 'Connection refused'",
	  "peer-agent-down" },
	{ "'connected': true, 'dials': true, 'why': null",
	  "'connected': false, 'dials': true, 'why': 'Connection timed out'", "peer-unreachable" },
	{ "'connected': true, 'dials': true, 'why': null", "'connected': false, 'dials': true, 'why': 'no route'",
	  "agent-no-route" },
	{ "'connected': true, 'dials': true, 'why': null",
	  "'connected': false, 'dials': true, 'why': 'routed through qlink1, a qlink device; it must go outside'",
	  "through-qlink" },
	{ "'connected': true, 'dials': true, 'why': null",
	  "'connected': false, 'dials': true, 'why': 'wrong-ca: self-signed certificate'", "peer-ca" },
	{ "'connected': true, 'dials': true, 'why': null",
	  "'connected': false, 'dials': true, 'why': 'wrong-identity: the certificate names x, want site-b'", "peer-name" },
	{ "'connected': true, 'dials': true, 'why': null",
	  "'connected': false, 'dials': true, 'why': 'certificate-not-valid-now: certificate has expired'",
	  "peer-certificate" },
	{ "'connected': true, 'dials': true, 'why': null",
	  "'connected': false, 'dials': true, 'why': 'refused-by-peer: tlsv1 alert unknown ca'", "peer-refuses" },
	{ "'connected': true, 'dials': true, 'why': null",
	  "'connected': false, 'dials': true, 'why': 'wrong-suite: suite 1, below suite-least 2'", "peer-suite" },
	{ "'connected': true, 'dials': true", "'connected': false, 'dials': false", "no-connection" },
};

static const struct change demand_changes[] = {
	{ "'phase': 'ready', 'why': null",
	  "'phase': 'blocked', 'why': 'no-source-in-common: our policy is pqc-only, the peer\\u0027s qkd-required'",
	  "policies-differ>no-agreement" },
	{ "'phase': 'ready', 'why': null", "'phase': 'blocked', 'why': 'psk-differs: the pre-shared secrets differ'",
	  "psk-differs>no-agreement" },
	{ "'phase': 'ready', 'why': null", "'phase': 'blocked', 'why': 'suite-too-low: the connection has suite 1'",
	  "suite-low>no-agreement" },
	{ "'phase': 'ready', 'why': null", "'phase': 'blocked', 'why': 'no-chain: a chain of keys starts anew'",
	  "chain-restarts>no-agreement" },
	{ "'phase': 'ready', 'why': null", "'phase': 'no-device', 'why': 'id 7 is that of qlink1, a link to the same peer'",
	  "id-taken>no-agreement" },
};

static const struct change kme_changes[] = {
	{ "'health': 'up', 'why': ''", "'health': 'down', 'why': 'nobody listens at its url: https://x'", "kme-down" },
	{ "'health': 'up', 'why': ''", "'health': 'down', 'why': 'does not know our certificate: /x: answers status with 401'",
	  "kme-refuses" },
	{ "'health': 'up', 'why': ''", "'health': 'down', 'why': 'knows no SAE x that we have a link with'", "kme-sae" },
	{ "'health': 'up', 'why': ''",
	  "'health': 'down', 'why': 'takes us for SAE x, which sae says is the peer: the SAE IDs of both ends are swapped'",
	  "kme-swapped" },
	{ "'health': 'up', 'why': ''",
	  "'health': 'down', 'why': 'our ca file does not have the CA of the KME\\u0027s certificate: /x'", "kme-tls" },
	{ "'health': 'up', 'why': ''", "'health': 'down', 'why': 'key /x: does not exist'", "kme-files" },
	{ "'health': 'up', 'why': ''", "'health': 'down', 'why': 'answers status with 503'", "kme-fails" },
	{ "'mix_least': 1", "'mix_least': 2", "kmes-few" },
	{ "'source': 'hybrid', 'stock': 90", "'source': 'pqc', 'stock': 0", "stock-dry" },
};

static const struct change key_changes[] = {
	{ "'lacks': []", "'lacks': ['tx-source']", "lower-source" },
	{ "'lacks': []", "'lacks': ['tx-overdue']", "overdue" },
	{ "'current_epoch': 5, 'current_source': 'hybrid', 'staged': 2", "'current_epoch': 0, 'staged': 0", "no-rx-key" },
	{ "'current_epoch': 4, 'current_source': 'hybrid', 'staged': 3", "'current_epoch': 0, 'staged': 0", "no-key" },
	{ "'protection': 'protected', 'lacks'", "'protection': 'blocked', 'lacks'", "unexplained" },
};

static void judge_changes(const struct change *changes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		set_up(changes[i].what, changes[i].with);
		CHECK_TEXT(changes[i].with, judged(), changes[i].causes);
		CHECK_NUMBER(changes[i].with, report_verdict(&facts, &found), VERDICT_NOT_PROTECTED);
		tear_down();
	}
}

TEST(one_change_has_one_cause)
{
	judge_changes(machine_changes, COUNT(machine_changes));
	judge_changes(agent_changes, COUNT(agent_changes));
	judge_changes(demand_changes, COUNT(demand_changes));
	judge_changes(kme_changes, COUNT(kme_changes));
	judge_changes(key_changes, COUNT(key_changes));
}

/* Frames of the peer that arrive, and do not bring ours back, and why. */
TEST(counters_that_grow_tell_what_is_wrong_with_frames)
{
	static const struct {
		const char *name, *causes;
	} rows[] = {
		{ "'rx_keepalive': 10", "one-way" },
		{ "'rx_auth_error': 0", "keys-differ>silent" },
		{ "'rx_no_key': 0", "keys-differ>silent" },
		{ "'rx_no_link': 0", "id-differs>silent" },
		{ "'rx_other_peer': 0", "address-differs>silent" },
	};
	char grown[64];
	json_t *link;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		snprintf(grown, sizeof(grown), "%.*s 20", (int)(strchr(rows[i].name, ':') - rows[i].name + 1), rows[i].name);
		set_up(rows[i].name, grown);
		CHECK_TEXT("while the peer is heard", judged(), "");
		link = json_object_get(json_array_get(machine.links, 0), "link");
		json_object_set_new(link, "peer_heard", json_false());
		CHECK_TEXT(rows[i].name, judged(), rows[i].causes);
		tear_down();
	}
}

TEST(icmp_tells_that_the_port_is_closed)
{
	set_up("'peer_heard': true", "'peer_heard': false");
	machine.unreachable = 2;
	CHECK_TEXT("causes", judged(), "port-unreachable>silent");
	tear_down();
}

TEST(a_neighbour_that_does_not_answer_is_named)
{
	set_up("'peer_heard': true", "'peer_heard': false");
	machine.neighbours = parse("[{'dst': '198.51.100.2', 'dev': 'eth0', 'state': ['FAILED']}]", NULL, NULL);
	CHECK_TEXT("causes", judged(), "neighbour-silent>silent");
	tear_down();
}

/* Asking the agent failed with this errno. */
static void lose_agent(int err)
{
	json_decref(machine.status);
	machine.status = NULL;
	facts.agent_link = facts.agent_peer = NULL;
	machine.agent_error = err;
}

TEST(without_an_agent_the_configuration_is_asked)
{
	static const struct {
		const char *error, *causes;
	} rows[] = {
		{ "", "agent-down" },
		{ "key /x: user 990 may not read it", "file-unreadable>agent-down" },
		{ "certificate /x: does not exist", "file-unreadable>agent-down" },
		{ "certificate /x: is of y, and has no DNS name site-a, the agent's name", "certificate-name>agent-down" },
		{ "/x:4: link: policy: must be", "config-refused>agent-down" },
		/* The agent would start all the same. */
		{ "certificate /x: site-a expired on 2024-01-01", "certificate-expired agent-down" },
		{ "certificate /x: site-a is not valid before 2030-01-01", "certificate-early agent-down" },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		set_up(NULL, NULL);
		lose_agent(ECONNREFUSED);
		snprintf(machine.config_error, sizeof(machine.config_error), "%s", rows[i].error);
		CHECK_TEXT(rows[i].error, judged(), rows[i].causes);
		tear_down();
	}
}

/* Who is not the service tries the configuration, and may read fewer files than the service. */
TEST(a_file_that_only_the_service_reads_is_no_cause)
{
	set_up(NULL, NULL);
	lose_agent(ECONNREFUSED);
	machine.is_own_try = true;
	strcpy(machine.config_error, "key /x: user 1000 may not read it");
	CHECK_TEXT("causes", judged(), "agent-down");
	strcpy(machine.config_error, "/x:4: link: policy: must be");
	CHECK_TEXT("another reason", judged(), "config-refused>agent-down");
	tear_down();
}

TEST(a_date_that_no_calendar_has_is_said_to_be_one)
{
	set_up("'not_before': 500", "'not_before': 9000000000000000000");
	CHECK(strstr(judged(), "certificate-early"), "%s", judged());
	CHECK(strstr(found.list[0].evidence, "9000000000000000000"), "%s", found.list[0].evidence);
	tear_down();
}

TEST(static_keys_need_no_agent)
{
	set_up("'accept': ['hybrid', 'pqc']", "'accept': ['static']");
	lose_agent(ENOENT);
	CHECK_TEXT("causes", judged(), "");
	tear_down();
}

TEST(an_agent_that_may_not_be_asked_is_no_cause)
{
	set_up(NULL, NULL);
	lose_agent(EACCES);
	CHECK_TEXT("causes", judged(), "");
	machine.agent_error = ETIMEDOUT;
	CHECK_TEXT("one that hangs", judged(), "agent-silent");
	tear_down();
}

TEST(the_clock_is_the_cause_where_certificate_and_ca_are_not_valid)
{
	set_up(NULL, NULL);
	machine.now = 400;
	CHECK_TEXT("a clock that is synchronised", judged(), "certificate-early certificate-early");
	machine.is_synchronised = false;
	CHECK_TEXT("one that is not", judged(), "clock-wrong>certificate-early>certificate-early");
	machine.now = 90000001;
	CHECK_TEXT("after all", judged(), "clock-wrong>certificate-expired>certificate-expired");
	tear_down();
	set_up("'not_before': 500", "'not_before': 2000");
	machine.is_synchronised = false;
	CHECK_TEXT("the certificate only", judged(), "certificate-early");
	tear_down();
}

TEST(an_expired_certificate_explains_that_the_peer_refuses)
{
	set_up("'connected': true, 'dials': true, 'why': null",
	       "'connected': false, 'dials': true, 'why': 'refused-by-peer: alert certificate expired'");
	json_object_set_new(json_array_get(json_object_get(machine.status, "certificates"), 0), "not_after", json_integer(900));
	CHECK_TEXT("causes", judged(), "certificate-expired>peer-refuses");
	tear_down();
}

TEST(an_expired_certificate_explains_that_a_kme_refuses_it)
{
	set_up("'health': 'up', 'why': ''", "'health': 'down', 'why': 'the KME does not accept our certificate, because it has expired'");
	json_object_set_new(json_array_get(json_object_get(machine.status, "certificates"), 0), "not_after", json_integer(900));
	CHECK_TEXT("that of the agents", judged(), "certificate-expired kme-tls");
	json_object_set_new(json_array_get(json_object_get(machine.status, "certificates"), 0), "kme", json_string("rack"));
	CHECK_TEXT("that for the KME", judged(), "certificate-expired>kme-tls");
	tear_down();
}

TEST(an_agent_that_asks_about_itself_has_the_names_swapped)
{
	json_t *certificate;

	set_up("'health': 'up', 'why': ''", "'health': 'down', 'why': 'knows no SAE \\u0027SAE-A\\u0027 that we have a link with'");
	CHECK_TEXT("not our name", judged(), "kme-sae");
	certificate = json_array_get(json_object_get(machine.status, "certificates"), 0);
	json_object_set_new(certificate, "kme", json_string("rack"));
	json_object_set_new(certificate, "subject", json_string("SAE"));
	CHECK_TEXT("a part of it", judged(), "kme-sae");
	json_object_set_new(certificate, "subject", json_string("SAE-A"));
	CHECK_TEXT("our name", judged(), "kme-swapped");
	tear_down();
}

/* The end that is called knows only what it told the last caller. */
TEST(a_refused_caller_explains_that_there_is_no_connection)
{
	set_up("'connected': true, 'dials': true", "'connected': false, 'dials': false");
	json_object_set_new(machine.status, "refused_caller",
			    parse("{'from': '203.0.113.2:4000', 'reason': 'wrong-ca: unable to get local issuer', 'ago_ms': 900}",
				  NULL, NULL));
	CHECK_TEXT("causes", judged(), "peer-ca");
	json_object_set_new(json_object_get(machine.status, "refused_caller"), "ago_ms", json_integer(100000));
	CHECK_TEXT("long ago", judged(), "no-connection");
	tear_down();
}

TEST(consequences_are_folded_under_the_first_cause)
{
	json_t *link;

	set_up("'flags': ['UP'], 'mtu'", "'flags': [], 'mtu'");
	link = json_object_get(json_array_get(machine.links, 0), "link");
	json_object_set_new(link, "peer_heard", json_false());
	json_object_set_new(link, "protection", json_string("blocked"));
	CHECK_TEXT("causes", judged(), "device-down>silent");
	tear_down();

	/* A cut underlay under the way of the agents, too. */
	set_up("['UP', 'LOWER_UP']", "['UP', 'NO-CARRIER']");
	link = json_object_get(json_array_get(machine.links, 0), "link");
	json_object_set_new(link, "peer_heard", json_false());
	json_object_set_new(json_array_get(json_object_get(machine.status, "peers"), 0), "connected", json_false());
	json_object_set_new(json_array_get(json_object_get(machine.status, "peers"), 0), "why", json_string("timed out"));
	CHECK_TEXT("another way", judged(), "no-carrier>silent peer-unreachable");
	facts.agent_route = parse("{'dev': 'eth0'}", NULL, NULL);
	CHECK_TEXT("the same way", judged(), "no-carrier>peer-unreachable>silent");
	json_decref(facts.agent_route);
	tear_down();
}

/* Keepalives that go in circles take the carrier off the link that they are of. */
TEST(a_route_into_the_link_is_the_cause_of_its_carrier)
{
	set_up("'dev': 'eth0'", "'dev': 'qlink0'");
	json_object_set_new(json_array_get(machine.devices, 0), "operstate", json_string("DOWN"));
	json_object_set_new(json_object_get(json_array_get(machine.links, 0), "link"), "peer_heard", json_false());
	CHECK_TEXT("causes", judged(), "route-loop>silent");
	tear_down();
}

TEST(a_worse_key_does_not_explain_silence)
{
	json_t *link;

	set_up("'health': 'up', 'why': ''", "'health': 'down', 'why': 'nobody listens at its url'");
	link = json_object_get(json_array_get(machine.links, 0), "link");
	json_object_set_new(link, "peer_heard", json_false());
	json_object_set_new(link, "lacks", parse("['tx-source']", NULL, NULL));
	CHECK_TEXT("causes", judged(), "kme-down>lower-source silent");
	tear_down();
}

TEST(without_the_module_nothing_else_is_judged)
{
	set_up(NULL, NULL);
	json_decref(machine.links);
	machine.links = NULL;
	facts.link = facts.before = facts.self = NULL;
	machine.module.is_loaded = false;
	CHECK_TEXT("modinfo is not there", judged(), "module-unloaded");
	machine.module.is_known = true;
	CHECK_TEXT("no file", judged(), "module-missing");
	snprintf(machine.module.file, sizeof(machine.module.file), "/lib/modules/x");
	CHECK_TEXT("a file", judged(), "module-unloaded");
	machine.module.needs_signature = true;
	CHECK_TEXT("Secure Boot", judged(), "module-unsigned");
	machine.module.is_signed = true;
	CHECK_TEXT("signed", judged(), "module-unloaded");
	tear_down();
}

TEST(a_module_that_was_updated_is_a_note)
{
	set_up(NULL, NULL);
	snprintf(machine.module.loaded_source, sizeof(machine.module.loaded_source), "AAAA");
	snprintf(machine.module.file_source, sizeof(machine.module.file_source), "BBBB");
	CHECK_TEXT("causes", judged(), "");
	CHECK(findings_has(&found, CAUSE_MODULE_DIFFERS), "it is noted");
	CHECK_NUMBER("verdict", report_verdict(&facts, &found), VERDICT_PROTECTED);
	tear_down();
}

TEST(what_is_not_seen_is_not_protected)
{
	set_up(NULL, NULL);
	facts.link = NULL;
	facts.agent_link = NULL;
	machine.agent_error = EACCES;
	json_decref(machine.status);
	machine.status = NULL;
	facts.agent_peer = NULL;
	CHECK_TEXT("causes", judged(), "");
	CHECK_NUMBER("verdict", report_verdict(&facts, &found), VERDICT_UNKNOWN);
	tear_down();
}

TEST(the_report_names_cause_evidence_and_command)
{
	char text[4096] = "";
	FILE *file = fmemopen(text, sizeof(text), "w");
	json_t *report;

	set_up("['UP', 'LOWER_UP']", "[]");
	json_object_set_new(json_object_get(json_array_get(machine.links, 0), "link"), "peer_heard", json_false());
	machine_unseen(&machine, "rules of a firewall: nft is not installed");
	doctor_judge(&facts, &found);
	report_text(&facts, &found, file);
	fclose(file);
	CHECK_TEXT("text", text,
		   "qlink0: protected now, but it will not stay so, 1 cause\n"
		   "  1. eth0, which sealed frames leave by, is down (lower-down)\n"
		   "     seen: ip link show eth0: it does not have the flag UP\n"
		   "     why:  no frame leaves this machine\n"
		   "     do:   ip link set eth0 up\n"
		   "     so:   no frame of the peer arrives (silent)\n"
		   "  not seen: rules of a firewall: nft is not installed\n");
	report = report_json(&facts, &found);
	CHECK_TEXT("verdict", fact_text(report, "verdict"), "not-protected");
	CHECK_TEXT("cause", fact_text(json_array_get(fact(report, "causes"), 0), "cause"), "lower-down");
	CHECK_TEXT("command", fact_text(json_array_get(fact(report, "causes"), 0), "command"), "ip link set eth0 up");
	json_decref(report);
	tear_down();
}

TEST(a_command_gets_its_value)
{
	struct finding finding = { .cause = CAUSE_CHAIN };

	finding_mend_with(&finding, "qlinkctl chain accept DEVICE   # DEVICE only", "DEVICE", "qlink7");
	CHECK_TEXT("twice", finding.command, "qlinkctl chain accept qlink7   # qlink7 only");
	finding_mend_with(&finding, "ping ADDRESS", "ADDRESS", "");
	CHECK_TEXT("no value", finding.command, "ping ADDRESS");
}

/* People copy them to a shell, and names of devices and certificates may have any sign. */
TEST(a_command_has_words_that_a_shell_leaves_alone)
{
	struct finding finding = { .cause = CAUSE_DEVICE_DOWN };
	char text[400];

	finding_mend(&finding, "ip link set %s up   # %lld", "qlink0.7", 7LL);
	CHECK_TEXT("plain", finding.command, "ip link set qlink0.7 up   # 7");
	finding_mend(&finding, "ip link set %s up", "$(reboot)");
	CHECK_TEXT("a command", finding.command, "ip link set '$(reboot)' up");
	finding_mend(&finding, "qlink-pki cert FOLDER %s   # to %s", "The CA; it's `ours`", "/a b");
	CHECK_TEXT("a quote", finding.command, "qlink-pki cert FOLDER 'The CA; it'\\''s `ours`'   # to '/a b'");
	finding_mend_with(&finding, "qlinkctl chain accept DEVICE", "DEVICE", "a&b");
	CHECK_TEXT("of a table", finding.command, "qlinkctl chain accept 'a&b'");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	finding_mend(&finding, "ping %s", text);
	CHECK_NUMBER("cut off", strlen(finding.command), sizeof(finding.command) - 1);
}

TEST(no_text_moves_the_cursor)
{
	struct finding *finding;
	json_t *report;

	set_up(NULL, NULL);
	found.n = 0;
	finding = findings_add(&found, CAUSE_UNKNOWN, "a\033[2J\nb\xc2\x9b\x7f\xe2\x80\xa6");
	finding_saw(finding, "c\xff\xe2\x80\xa6");
	finding_mend(finding, "%s", "d\r");
	CHECK_TEXT("what", finding->what, "a?[2J?b???\xe2\x80\xa6");
	CHECK_TEXT("not UTF-8", finding->evidence, "c????");
	CHECK_TEXT("command", finding->command, "'d?'");
	machine_unseen(&machine, "\033c");
	CHECK_TEXT("unseen", machine.unseen[0], "?c");
	report = report_json(&facts, &found);
	CHECK_TEXT("JSON has it", fact_text(json_array_get(fact(report, "causes"), 0), "evidence"), "c????");
	json_decref(report);
	tear_down();
}

/* Far more than a link can have; the last one is overwritten. */
TEST(findings_do_not_run_over)
{
	size_t i;

	found.n = 0;
	for (i = 0; i < FINDINGS_MAX + 5; i++)
		findings_add(&found, CAUSE_KME_DOWN, "KME %zu", i);
	CHECK_NUMBER("findings", found.n, FINDINGS_MAX);
	CHECK_TEXT("the last", found.list[FINDINGS_MAX - 1].what, "KME 36");
}

/* Calls of an agent that hangs stay in its queue, even if who called is gone; behind the last one connect() waits. */
TEST(no_call_waits_for_ever)
{
	char folder[] = "/tmp/qlink-doctor-XXXXXX";
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const struct ctl ctl = { .control = at.sun_path };
	struct timeval patience = { 0 };
	socklen_t len = sizeof(patience);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd, n;

	CHECK(mkdtemp(folder), "mkdtemp");
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/control", folder);
	CHECK_NUMBER("bind", bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	CHECK_NUMBER("listen", listen(listener, 0), 0);
	fd = agent_dial(&ctl, 0);
	CHECK_NUMBER("limit", getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, &len), 0);
	CHECK_NUMBER("seconds", patience.tv_sec, 10);
	for (n = 0; fd >= 0 && n < 100; n++) {
		close(fd);
		fd = agent_dial(&ctl, SOCK_NONBLOCK);
	}
	CHECK_NUMBER("a full queue", fd, -ETIMEDOUT);
	close(listener);
	unlink(at.sun_path);
	rmdir(folder);
}

TEST(findings_are_sorted_by_cause)
{
	found.n = 0;
	findings_add(&found, CAUSE_NO_KEY, "last");
	findings_add(&found, CAUSE_KME_DOWN, "the first KME");
	findings_add(&found, CAUSE_KME_DOWN, "the second KME");
	findings_add(&found, CAUSE_AGENT_DOWN, "first");
	findings_fold(&found);
	CHECK_TEXT("first", found.list[0].what, "first");
	CHECK_TEXT("KMEs stay in their order", found.list[1].what, "the first KME");
	CHECK_TEXT("KMEs stay in their order", found.list[2].what, "the second KME");
	CHECK(found.list[3].follows == &found.list[0], "the key follows from the agent");
}
