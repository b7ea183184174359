// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The state of a site and its notifications, from two real agents and a link that has all there is. With QLINK_DOCUMENTS=FOLDER
 * they go into files there, for check-yang.
 */
#include "agents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kme_lab.h"
#include "qlinkctl/site/agentfile.h"
#include "qlinkctl/site/agentstate.h"
#include "qlinkctl/site/linkstate.h"
#include "qlinkctl/site/notice.h"
#include "qlinkctl/site/write.h"
#include "qlinkctl/watch/members.h"
#include "qlinkd/status.h"

#define USES_REAL	"\tkmes real\n\tsae SAE-B\n\tfloor-ms 50\n"

static void start(void)
{
	char section[600], kme[800];

	lab_start("", "");
	agents_start(LINK);
	lab_kme(section, sizeof(section), 0, "real");
	snprintf(kme, sizeof(kme), KME "%s", section);
	agents_write(agents_paths[0], agents_conf(0, kme, USES_REAL));
	agents_reload(0);
	lab_command("stock SAE-A SAE-B 1000");
}

static void stop(void)
{
	agents_end();
	lab_stop();
}

static const struct kme_server *server(void)
{
	return stocks_server(agents_link(0)->stocks, 0);
}

/* Takes over a value; for check-yang, into a file. */
static void keep(const char *name, json_t *value)
{
	const char *folder = getenv("QLINK_DOCUMENTS");
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : "", name);
	if (folder)
		CHECK(!json_dump_file(value, path, JSON_INDENT(1)), "%s: not written", path);
	json_decref(value);
}

/* Every attribute has something to say. */
static struct qlink_link whole_link(void)
{
	struct qlink_link link;
	unsigned int i;

	/* Names of values end, numbers are large ones. */
	memset(&link, 1, sizeof(link));
	strcpy(link.ifname, "qlink0");
	link.state = QLINK_LINK_STATE_UP;
	link.config.present = ~0ULL;
	link.config.accept = 0xf;
	link.config.parcel_interval_us = 2000;
	link.parcel_size = 1000;
	link.endpoint.len = 4;
	link.wipes = 1;
	for (i = 0; i <= QLINK_A_STATS_MAX; i++)
		link.stats[i] = UINT64_MAX - i;
	link.stats[QLINK_A_STATS_TX_PARCEL_BYTES] = 1000;
	link.stats[QLINK_A_STATS_TX_PAD_BYTES] = 250;
	return link;
}

static json_t *follow(json_t *at, const char *path)
{
	char text[200], *save = NULL, *step;

	snprintf(text, sizeof(text), "%s", path);
	for (step = strtok_r(text, "/", &save); step; step = strtok_r(NULL, "/", &save))
		at = step[0] >= '0' && step[0] <= '9' ? json_array_get(at, (size_t)atoi(step)) : json_object_get(at, step);
	CHECK(at, "%s: not there", path);
	return at;
}

static void check_text(json_t *document, const char *path, const char *want)
{
	const char *got = json_string_value(follow(document, path));

	CHECK(got && !strcmp(got, want), "%s: got '%s', want '%s'", path, got ? got : "(none)", want);
}

static json_t *export(void)
{
	struct qlink_link link = whole_link();
	struct config_error error = { "" };
	struct site site = { 0 };
	json_t *document, *status = status_of(&agents[0]);

	CHECK(!agentfile_read(&site, agents_paths[0], &error), "%s", error.text);
	document = write_document(&site);
	linkstate_add(document, &link, 1);
	agentstate_add(document, status);
	json_decref(status);
	site_free(&site);
	return document;
}

#define ENTRY	"ietf-interfaces:interfaces/interface/0/"
#define STATE	ENTRY "qlink:state/"

TEST(state_has_what_kernel_and_agent_say)
{
	json_t *document;

	start();
	WAIT_FOR(server()->terms.version[0] && server()->keys_ms && agents_link(0)->period_ms);
	document = export();
	check_text(document, ENTRY "name", "qlink0");
	check_text(document, ENTRY "oper-status", "up");
	check_text(document, STATE "protection", "degraded");
	check_text(document, STATE "reasons/0", "tx-overdue");
	check_text(document, STATE "counters/tx-no-underlay", "18446744073709551613");
	check_text(document, STATE "tx/id", "01010101010101010101010101010101");
	check_text(document, STATE "endpoint", "1.1.1.1");
	check_text(document, STATE "parcels/filled", "75.0");
	check_text(document, STATE "parcels/rate", "4000000");
	check_text(document, STATE "demand/keys-wanted", "20.000");
	check_text(document, STATE "demand/kme/0/name", "real");
	check_text(document, STATE "demand/kme/0/health", "up");
	follow(document, STATE "demand/kme/0/supply-age");
	follow(document, STATE "agreement/counters/keys-burned");
	check_text(document, "qlink:agent/peer/0/name", agents_peer(0)->config->name);
	follow(document, "qlink:agent/peer/0/state/connected");
	follow(document, "qlink:agent/status/certificate/0/not-after");
	follow(document, "qlink:agent/status/refused/too-many-callers");
	keep("state.json", document);
	stop();
}

TEST(health_of_a_kme_is_that_for_the_link_for_which_it_is_worst)
{
	json_t *status = json_pack("{s:s, s:[{s:s, s:[{s:s, s:s}]}, {s:s, s:[{s:s, s:s}]}, {s:s, s:[{s:s, s:s}]}, {s:s, s:[{s:s, s:s}]}]}", "name", "a",
				   "links",
				   "device", "q0", "kmes", "name", "rack", "health", "unknown",
				   "device", "q1", "kmes", "name", "rack", "health", "down",
				   "device", "q2", "kmes", "name", "rack", "health", "up",
				   "device", "q3", "kmes", "name", "rack", "health", "unknown");
	json_t *document = json_object();

	agentstate_add(document, status);
	check_text(document, "qlink:agent/name", "a");
	check_text(document, "qlink:agent/kme/0/state/health", "down");
	check_text(document, "qlink:agent/kme/0/state/link/2/health", "up");
	CHECK_NUMBER("kmes", json_array_size(follow(document, "qlink:agent/kme")), 1);
	json_decref(document);
	json_decref(status);
}

/* ---- notifications ---- */

TEST(an_event_is_a_notification)
{
	struct qlink_event event;
	json_t *notice;

	memset(&event, 1, sizeof(event));
	strcpy(event.ifname, "qlink0");
	event.kinds = 0xffff;
	event.endpoint.len = 4;
	event.former.len = 16;
	notice = notice_event(&event);
	check_text(notice, "qlink:link-event/name", "qlink0");
	check_text(notice, "qlink:link-event/sequence", "72340172838076673");
	check_text(notice, "qlink:link-event/kinds/0", "rotated");
	check_text(notice, "qlink:link-event/former", "101:101:101:101:101:101:101:101");
	keep("notice-event.json", notice);
	memset(&event, 0, sizeof(event));
	strcpy(event.ifname, "qlink0");
	notice = notice_event(&event);
	CHECK(!json_object_get(follow(notice, "qlink:link-event"), "peer-heard"), "a peer without keepalives");
	keep("notice-least.json", notice);
}

static json_t *status(bool is_well)
{
	return json_pack("{s:[{s:s, s:s, s:s, s:s?, s:[{s:s, s:s, s:s}]}], s:[{s:s, s:b, s:s?}]}", "links", "device", "qlink0",
			 "phase", is_well ? "ready" : "no-peer", "source", is_well ? "hybrid" : "pqc",
			 "why", is_well ? NULL : "the peer does not answer", "kmes", "name", "rack",
			 "health", is_well ? "up" : "down", "why", is_well ? "" : "no answer within 4 s",
			 "peers", "name", "site-b", "connected", (int)is_well, "why", is_well ? NULL : "refused");
}

/* As "KIND KIND …". */
static const char *kinds(const json_t *list)
{
	static char text[300];
	const json_t *notice;
	size_t i;

	text[0] = '\0';
	json_array_foreach(list, i, notice)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
			 json_object_iter_key(json_object_iter((json_t *)notice)));
	return text;
}

static void keep_all(json_t *list, const char *what)
{
	char name[40];
	json_t *notice;
	size_t i;

	json_array_foreach(list, i, notice) {
		snprintf(name, sizeof(name), "notice-%s-%zu.json", what, i);
		keep(name, json_incref(notice));
	}
	json_decref(list);
}

TEST(changes_of_the_agent_are_notifications)
{
	json_t *well = status(true), *ill = status(false), *list;

	list = notice_changes(well, ill, NULL);
	CHECK_TEXT("worse", kinds(list), "qlink:peer-unreachable qlink:source-changed qlink:link-blocked qlink:kme-down");
	check_text(list, "1/qlink:source-changed/former", "hybrid");
	check_text(list, "2/qlink:link-blocked/why", "the peer does not answer");
	check_text(list, "3/qlink:kme-down/kme", "rack");
	keep_all(list, "worse");
	list = notice_changes(ill, well, NULL);
	CHECK_TEXT("better", kinds(list), "qlink:peer-connected qlink:source-changed qlink:link-ready qlink:kme-up");
	keep_all(list, "better");
	list = notice_changes(well, ill, "qlink1");
	CHECK_TEXT("another link", kinds(list), "");
	json_decref(list);
	list = notice_changes(well, well, NULL);
	CHECK_TEXT("no change", kinds(list), "");
	json_decref(list);
	json_decref(well);
	json_decref(ill);
}
