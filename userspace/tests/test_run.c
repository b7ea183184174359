// SPDX-License-Identifier: GPL-2.0-or-later
/* How a link gets its keys when its peer, its device or the time changes. */
#include "qlinkd/link/run.c"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auditlog.h"
#include "simkme.h"
#include "tap.h"
#include "world.h"

#define CONF \
	"agent\n name a\n certificate /a.pem\n key /a.key\n ca /ca.pem\n listen 127.0.0.1:7\n" \
	"peer b\n address 127.0.0.1:8\n" \
	"link qlink0\n peer b\n policy pqc-only\n floor-ms 1000\n ceiling-ms 10000\n"

static const char *const confs[2] = { CONF, CONF };

static struct world *start(void)
{
	struct world *world;

	simkme_start(0);
	world = world_new(confs, true);
	world->has_traffic = true;
	world_connect(world);
	CHECK(world_until_works(world, 1000) <= 1000, "no keys within a second");
	return world;
}

static const struct link *link_of(const struct world *world)
{
	return world->ends[0].link;
}

TEST(frames_arrive_across_key_changes)
{
	struct world *world = start();
	unsigned int i;

	for (i = 0; i < 600; i++) {
		world_run(world, 100);
		CHECK(world_flows(world), "frames lost after %u ms", i * 100);
	}
	CHECK(devices[0].tx.current >= 6, "epoch %llu after a minute",
	      (unsigned long long)devices[0].tx.current);
	CHECK_NUMBER("sessions", link_of(world)->counters.sessions, 1);
	world_free(world);
}

TEST(a_device_that_comes_back_gets_keys_again)
{
	struct world *world = start();

	devices[0].is_there = false;
	world_run(world, 3000);
	CHECK_TEXT("phase", link_phase_name(link_of(world)), "no-device");
	CHECK_NUMBER("logged", world_logs(world, 0, "no-device link=qlink0"), 1);
	CHECK(strstr(link_of(world)->why, "no such device"), "why: %s", link_of(world)->why);
	device_recreate(&devices[0]);
	devices[0].is_there = true;
	CHECK(world_until_works(world, 8000) <= 8000, "no keys after it came back");
	world_free(world);
}

TEST(a_recreated_device_is_noticed_within_a_second_without_an_event)
{
	struct world *world = start();
	uint64_t sessions = link_of(world)->counters.sessions;

	world->loses_events = true;
	device_recreate(&devices[0]);
	CHECK(world_until_works(world, 3000) <= 3000, "no keys");
	CHECK_NUMBER("logged", world_logs(world, 0, "rings-replaced link=qlink0"), 1);
	CHECK_NUMBER("sessions", link_of(world)->counters.sessions, sessions + 1);
	world_free(world);
}

TEST(after_a_wipe_a_new_session_starts_at_once)
{
	struct world *world = start();
	uint64_t took;

	device_wipe(&devices[1]);
	world_notice(world, 1, QLINK_EVENT_KIND_WIPED);
	took = world_until_works(world, 3000);
	CHECK(took <= 500, "took %llu ms", (unsigned long long)took);
	CHECK_NUMBER("logged", world_logs(world, 1, "device-event link=qlink0 kind=wiped"), 1);
	world_free(world);
}

/* Memory of the host may have been copied. Nothing that comes after depends on what was in it. */
TEST(after_a_wipe_chains_and_the_connection_start_over)
{
	struct world *world = start();
	uint32_t connections = world->n_connections;
	unsigned int lost;

	for (lost = 0; lost < 2; lost++) {
		world_run(world, 15000);
		world->loses_events = lost;
		device_wipe(&devices[0]);
		world_notice(world, 0, QLINK_EVENT_KIND_WIPED);
		CHECK(world_until_works(world, 3000) <= 3000, "no keys");
		CHECK_NUMBER("noticed", world_logs(world, 0, "secrets-wiped link=qlink0 burned=0"),
			     lost + 1);
		CHECK_NUMBER("connections", world->n_connections - connections, lost + 1);
		world_run(world, 10000);
		CHECK_NUMBER("chains that the peer sends from",
			     link_of(world)->counters.peer_chain_restarts +
			     world->ends[1].link->counters.chain_restarts, lost + 1);
		CHECK_NUMBER("and our own", world->ends[1].link->counters.peer_chain_restarts,
			     lost + 1);
	}
	world_free(world);
}

TEST(a_new_link_id_starts_a_new_session)
{
	struct world *world = start();
	uint64_t sessions = link_of(world)->counters.sessions;
	unsigned int i;

	for (i = 0; i < 2; i++)
		devices[i].id = 8;
	world_run(world, 10000);
	CHECK_NUMBER("id", link_of(world)->id, 8);
	CHECK(link_of(world)->counters.sessions > sessions, "the old session goes on");
	CHECK(world_works(world), "the link does not work");
	world_free(world);
}

/* Each would end the other's session, for ever. */
TEST(of_two_links_to_one_peer_with_the_same_id_the_second_waits)
{
	struct world *world;

	simkme_start(0);
	world = world_new(confs, true);
	world->has_traffic = true;
	world->taken_by = "qlink9";
	world_connect(world);
	world_run(world, 5000);
	CHECK_NUMBER("id in use", link_of(world)->id, 0);
	CHECK_TEXT("why", link_of(world)->why, "id 7 is that of qlink9, a link to the same peer");
	CHECK_NUMBER("logged once", world_logs(world, 0, "<3>id-taken link=qlink0 id=7 by=qlink9"), 1);
	CHECK_NUMBER("messages", world->ends[0].n_sent, 0);
	world->taken_by = NULL;
	CHECK(world_until_works(world, 8000) <= 8000, "no keys after the other one has gone");
	CHECK_TEXT("why", link_of(world)->why, "");
	world_free(world);
}

TEST(after_lost_events_the_agent_reads_the_device_at_once)
{
	struct world *world = start();
	unsigned int looks;

	world_run(world, 2500);
	looks = devices[0].asked[REQUEST_LINK];
	link_notice(world->ends[0].link, NULL);
	CHECK(!link_of(world)->has_view, "the old view is still used");
	world_step(world, 0);
	CHECK(devices[0].asked[REQUEST_LINK] > looks, "the device was not read");
	CHECK(link_of(world)->has_view, "no view");
	world_free(world);
}

TEST(keys_survive_a_restart_of_the_agent)
{
	struct world *world = start();
	unsigned int i;

	world_run(world, 5000);
	world_restart(world, 0);
	for (i = 0; i < 30; i++) {
		world_run(world, 100);
		CHECK(world_flows(world), "frames lost without an agent");
	}
	world_connect(world);
	for (i = 0; i < 300; i++) {
		world_run(world, 100);
		CHECK(world_flows(world), "frames lost after the restart");
	}
	CHECK(world_works(world), "the link does not work");
	world_free(world);
}

TEST(the_exporter_of_a_connection_is_wiped_with_it)
{
	struct world *world = start();
	const uint8_t *channel = (const uint8_t *)link_of(world)->run->binding;
	size_t i, left = 0;

	for (i = 0; i < sizeof(*link_of(world)->run->binding); i++)
		left += channel[i] != 0;
	CHECK(left > 32, "no exporter");
	world_cut(world);
	for (i = 0, left = 0; i < sizeof(*link_of(world)->run->binding); i++)
		left += channel[i] != 0;
	CHECK_NUMBER("bytes left", left, 0);
	CHECK_TEXT("phase", link_phase_name(link_of(world)), "no-peer");
	world_free(world);
}

TEST(a_command_withdraws_all_keys_of_both_directions_at_both_ends)
{
	struct world *world = start();
	uint64_t newest[2], old = 0;
	unsigned int i, k;

	world_run(world, 15000);
	for (i = 0; i < 2; i++)
		newest[i] = devices[i].tx.newest;
	link_withdraw(world->ends[0].link);
	CHECK(world_until_works(world, 2000) <= 2000, "no frames after the command");
	world_run(world, 2000);
	for (i = 0; i < 2; i++) {
		for (k = 0; k < devices[i].tx.n; k++)
			old += devices[i].tx.keys[k].epoch <= newest[i];
		for (k = 0; k < devices[i].rx.n; k++)
			old += devices[i].rx.keys[k].epoch <= newest[!i];
		CHECK(devices[i].tx.current > newest[i], "end %u sends under an old key", i);
	}
	CHECK_NUMBER("old keys left", old, 0);
	CHECK_NUMBER("logged", world_logs(world, 0, "withdrawn link=qlink0"), 2);
	CHECK_NUMBER("why", world_logs(world, 0, "reason=command"), 2);
	CHECK_NUMBER("the same session", link_of(world)->counters.sessions, 1);
	CHECK(world_flows(world), "frames are lost");
	world_free(world);
}

/* An offer is usually in progress when a link falls back or returns. */
TEST(a_withdrawal_at_any_moment_leaves_no_key_that_only_one_end_has)
{
	struct world *world;
	unsigned int moment, i, k;

	for (moment = 0; moment < 60; moment += 3) {
		simkme_start(0);
		world = world_new(confs, true);
		world->has_traffic = true;
		world_connect(world);
		world_run(world, moment);
		link_withdraw(world->ends[moment % 2].link);
		CHECK(world_until_works(world, 8000) <= 8000, "%u ms: the link does not recover", moment);
		world_run(world, 3000);
		CHECK(world_flows(world), "%u ms: frames are lost", moment);
		for (i = 0; i < 2; i++) {
			for (k = 0; k < devices[i].tx.n; k++)
				CHECK(device_find(&devices[!i].rx, devices[i].tx.keys[k].epoch),
				      "%u ms: only end %u has epoch %llu", moment, i,
				      (unsigned long long)devices[i].tx.keys[k].epoch);
		}
		world_free(world);
	}
}

TEST(without_a_peer_a_withdrawal_deletes_our_keys_now_and_the_peers_keys_later)
{
	struct world *world = start();
	uint64_t newest;

	world_run(world, 5000);
	newest = devices[0].tx.newest;
	world_cut(world);
	world->has_traffic = false;
	link_withdraw(world->ends[0].link);
	world_run(world, 1000);
	CHECK_NUMBER("our keys", devices[0].tx.n + devices[0].rx.n, 0);
	CHECK(devices[1].tx.n > 0, "the peer deleted its keys too early");
	world->has_traffic = true;
	world_connect(world);
	CHECK(world_until_works(world, 5000) <= 5000, "the link does not recover");
	CHECK(devices[1].rx.keys[0].epoch > newest, "an old key at the peer");
	world_free(world);
}

/* The peer deleted its keys, so frames sealed with ours are lost until a new session. */
TEST(a_new_session_finds_keys_that_the_kernel_did_not_delete)
{
	struct world *world = start();
	uint64_t sessions = link_of(world)->counters.sessions;

	world_run(world, 15000);
	devices[0].delete_err = -ENOMEM;
	link_withdraw(world->ends[0].link);
	world_run(world, 200);
	devices[0].delete_err = 0;
	CHECK(world_until_works(world, 5000) <= 5000, "frames are still lost");
	CHECK(link_of(world)->counters.sessions > sessions, "no new session");
	CHECK(world_logs(world, 0, "kernel-refused link=qlink0 request=delete") > 0, "not logged");
	world_free(world);
}

/* --- a peer that breaks the rules --- */

/* Let end 0 hear a message of its peer. */
static void hear(struct world *world, struct session_msg core)
{
	const struct session *session = &link_of(world)->session;
	struct msg msg = { .core = core, .link_id = 7 }, decoded;
	uint8_t data[MSG_BYTES_MAX];
	struct qlink_why why;
	int len;

	msg.core.to = session->generation;
	msg.core.from = core.from ?: session->peer_generation;
	len = msg_encode(&msg, data, sizeof(data));
	CHECK(len > 0 && !msg_decode(&decoded, data, (size_t)len, &why), "message: %d", len);
	link_hear(world->ends[0].link, &decoded, data, (size_t)len);
}

/* Each one ends the session, and would cost a dump of all keys. */
/* A thousand links read 250 devices a second, not a thousand. What happens is still seen at once. */
TEST(one_of_many_links_reads_its_device_less_often)
{
	static const uint64_t look_ms[] = { 0, 1000, 4000 };
	static const unsigned int most[] = { 100, 100, 25 };
	unsigned int before, n;
	struct world *world;
	size_t i;

	for (i = 0; i < COUNT(look_ms); i++) {
		world = start();
		world->has_traffic = false;
		world->ends[0].services.look_ms = look_ms[i];
		world_run(world, 10000);
		before = devices[0].asked[REQUEST_LINK];
		world_run(world, 100000);
		n = devices[0].asked[REQUEST_LINK] - before;
		CHECK(n <= most[i] + 2 && n >= most[i] - 2, "%u looks in 100 s, each %u ms", n,
		      (unsigned int)look_ms[i]);
		device_wipe(&devices[0]);
		world->has_traffic = true;
		CHECK(world_until_works(world, 8000) <= 8000, "the link does not recover");
		world_free(world);
	}
}

TEST(a_flood_of_hellos_costs_few_dumps_of_keys)
{
	struct world *world = start();
	unsigned int before = devices[0].asked[REQUEST_RINGS];
	uint64_t i;

	for (i = 0; i < 100; i++)
		hear(world, (struct session_msg){ .type = SESSION_MESSAGE_HELLO,
						  .from = 1000 + i, .versions = { 1, 1 } });
	CHECK(devices[0].asked[REQUEST_RINGS] - before <= SESSION_COSTLY_MAX, "%u dumps",
	      devices[0].asked[REQUEST_RINGS] - before);
	CHECK_NUMBER("violations", link_of(world)->counters.violations, 1);
	CHECK(world_until_works(world, 5000) <= 5000, "the link does not recover");
	world_free(world);
}

TEST(a_flood_of_withdrawals_costs_few_dumps_of_keys)
{
	struct world *world = start();
	unsigned int before = devices[0].asked[REQUEST_DELETE];
	uint64_t i;

	for (i = 0; i < 100; i++)
		hear(world, (struct session_msg){
			.type = SESSION_MESSAGE_WITHDRAW,
			.withdraw = { .id = 1000 + i, .range = { 1, 1 },
				      .reason = SESSION_REASON_COMMAND } });
	CHECK(devices[0].asked[REQUEST_DELETE] - before <= SESSION_COSTLY_MAX, "%u dumps",
	      devices[0].asked[REQUEST_DELETE] - before);
	CHECK_NUMBER("violations", link_of(world)->counters.violations, 1);
	CHECK(world_until_works(world, 5000) <= 5000, "the link does not recover");
	world_free(world);
}

TEST(a_peer_that_restarts_its_chain_is_noted_at_both_ends)
{
	struct world *world = start();

	world_run(world, 15000);
	CHECK_NUMBER("before", link_of(world)->counters.peer_chain_restarts, 0);
	world_restart(world, 1);
	world_connect(world);
	world_run(world, 30000);
	CHECK_NUMBER("of our chain", link_of(world)->counters.chain_restarts, 1);
	CHECK_NUMBER("of the peer's", link_of(world)->counters.peer_chain_restarts, 1);
	CHECK_NUMBER("logged", world_logs(world, 0, "chain-restarted link=qlink0 direction=tx"), 1);
	CHECK_NUMBER("logged", world_logs(world, 0, "chain-restarted link=qlink0 direction=rx"), 1);
	world_free(world);
}

/* --- records --- */

static unsigned int audited(const struct world *world, const char *text)
{
	return auditlog_count(world->ends[0].services.audit, text);
}

/* Before any key is gone. */
static struct world *start_audited(void)
{
	struct world *world;

	simkme_start(0);
	world = world_new(confs, true);
	world->ends[0].services.audit = auditlog_open();
	return world;
}

static void end_audited(struct world *world)
{
	audit_close(world->ends[0].services.audit);
	auditlog_remove();
	world_free(world);
}

/* When the device was made, so that its records differ from those of another one. */
static uint64_t made_ms;

static void add_records(unsigned int n)
{
	struct device *device = &devices[0];

	while (n--) {
		device->records[device->n_records % DEVICE_RECORDS] = (struct qlink_record){
			.number = device->n_records + 1, .epoch = device->n_records + 1,
			.source = QLINK_SOURCE_PQC, .first_ms = made_ms,
		};
		device->n_records++;
	}
}

TEST(every_record_is_audited_once)
{
	struct world *world = start_audited();
	uint64_t asked;

	add_records(150);
	world_run(world, 10);
	CHECK_NUMBER("without a device to key", audited(world, "\"event\":\"used\""), 0);
	world_connect(world);
	world_run(world, 6000);
	CHECK_NUMBER("used", audited(world, "\"event\":\"used\""), 150);
	CHECK_NUMBER("the last", audited(world, "\"epoch\":150,"), 1);
	CHECK(devices[0].n_record_dumps <= 2, "%u dumps: one for all, and one 5 s later",
	      devices[0].n_record_dumps);
	CHECK_NUMBER("gaps", audited(world, "\"event\":\"gap\""), 0);
	asked = devices[0].asked[REQUEST_RECORDS];
	add_records(1);
	world_run(world, 10000);
	CHECK_NUMBER("used", audited(world, "\"event\":\"used\""), 151);
	CHECK(devices[0].asked[REQUEST_RECORDS] <= asked + 2, "asked more than each 5 s");
	end_audited(world);
}

TEST(records_of_many_keys_are_read_before_the_kernel_overwrites_them)
{
	struct world *world = start_audited();
	struct qlink_event event = { .kinds = QLINK_EVENT_KIND_ROTATED };
	uint64_t asked;

	world_connect(world);
	world_run(world, 6000);
	asked = devices[0].asked[REQUEST_RECORDS];
	event.tx = link_of(world)->view.tx;
	event.rx = link_of(world)->view.rx;
	event.tx.rekeys = 2000;
	event.rx.rekeys = 47;
	link_notice(world->ends[0].link, &event);
	world_run(world, 10);
	CHECK_NUMBER("not for fewer", devices[0].asked[REQUEST_RECORDS], asked);
	event.rx.rekeys++;
	link_notice(world->ends[0].link, &event);
	world_run(world, 10);
	CHECK_NUMBER("at once", devices[0].asked[REQUEST_RECORDS], asked + 1);
	end_audited(world);
}

TEST(overwritten_records_are_counted_as_a_gap)
{
	struct world *world = start_audited();

	add_records(10);
	world_connect(world);
	world_run(world, 6000);
	CHECK_NUMBER("used", audited(world, "\"event\":\"used\""), 10);
	add_records(DEVICE_RECORDS + 5);
	world_run(world, 6000);
	CHECK_NUMBER("used", audited(world, "\"event\":\"used\""), 10 + DEVICE_RECORDS);
	CHECK_NUMBER("lost", link_of(world)->counters.records_lost, 5);
	CHECK_NUMBER("logged", audited(world, "\"event\":\"gap\",\"link\":\"qlink0\",\"records\":5"), 1);
	end_audited(world);
}

/* As SIGKILL ends it: the log goes on where it is. The agent makes its links before it opens the log. */
static void restart_audited(struct world *world)
{
	audit_close(world->ends[0].services.audit);
	world->ends[0].services.audit = NULL;
	world_restart(world, 0);
	world->ends[0].services.audit = auditlog_open();
	world_connect(world);
}

TEST(records_are_audited_once_over_restarts)
{
	struct world *world = start_audited();
	unsigned int turn;

	add_records(150);
	world_connect(world);
	world_run(world, 6000);
	CHECK_NUMBER("used", audited(world, "\"event\":\"used\""), 150);
	for (turn = 1; turn <= 3; turn++) {
		restart_audited(world);
		world_run(world, 6000);
		add_records(7);
		world_run(world, 6000);
		CHECK_NUMBER("used", audited(world, "\"event\":\"used\""), 150 + 7 * turn);
	}
	CHECK_NUMBER("the last", audited(world, "\"record\":171,"), 1);
	CHECK_NUMBER("gaps", audited(world, "\"event\":\"gap\""), 0);
	end_audited(world);
}

TEST(records_of_a_device_that_was_made_anew_are_not_skipped)
{
	struct world *world = start_audited();
	unsigned int n, used = 10;

	add_records(10);
	world_connect(world);
	world_run(world, 6000);
	CHECK_NUMBER("used", audited(world, "\"event\":\"used\""), used);
	/* Fewer records than the one before, as many, and more; with a restart and without. */
	for (n = 4; n <= 40; n += 6) {
		devices[0].n_records = 0;
		made_ms += 1000;
		add_records(n);
		used += n;
		if (n % 4)
			restart_audited(world);
		world_run(world, 12000);
		CHECK_NUMBER("used", audited(world, "\"event\":\"used\""), used);
	}
	CHECK_NUMBER("gaps", audited(world, "\"event\":\"gap\""), 0);
	end_audited(world);
}
