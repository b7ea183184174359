// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether a link carries out each action of a session, and logs why an action failed. */
#include "qlinkd/link/act.c"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "auditlog.h"
#include "qlinkd/agreement/policy.h"
#include "simkme.h"
#include "tap.h"
#include "world.h"

#define CONF(policy, kmes) \
	"agent\n name a\n certificate /a.pem\n key /a.key\n ca /ca.pem\n listen 127.0.0.1:7\n" \
	"peer b\n address 127.0.0.1:8\n" \
	"kme one\n url https://127.0.0.1:1\n id KME-1\n ca /c\n certificate /s\n key /k\n" \
	"link qlink0\n peer b\n" kmes " policy " policy "\n store 400\n outage-cover 200\n" \
	" floor-ms 200\n ceiling-ms 1000\n reserve 0\n"
#define HYBRID	CONF("hybrid-required", " kmes one\n sae S\n")
#define PREFER	CONF("prefer-hybrid", " kmes one\n sae S\n")
#define PQC	CONF("pqc-only", "")

static const char *const hybrid[2] = { HYBRID, HYBRID };
static const char *const prefer[2] = { PREFER, PREFER };

/* How requests to the KME of end 1 for keys by their IDs end. */
static struct simkme_plan fetching;
/* Whether it has keys for end 1 to offer. */
static bool is_dry;
/* How often end 0 asked for keys to offer. */
static unsigned int n_asked;

static struct simkme_plan plan(int side, unsigned int node, enum kme_op op)
{
	(void)node;
	n_asked += side == 0 && op == KME_OP_ENC;
	if (is_dry && side == 1 && op == KME_OP_ENC)
		return (struct simkme_plan){ .delay = 20, .outcome = SIMKME_DRY };
	return side == 1 && op == KME_OP_DEC ? fetching : (struct simkme_plan){ .delay = 20 };
}

static struct world *start(const char *const confs[2])
{
	struct world *world;

	simkme_start(100000);
	simkme_plan = plan;
	fetching = (struct simkme_plan){ .delay = 20 };
	is_dry = false;
	world = world_new(confs, true);
	return world;
}

static const struct link_counters *counters(const struct world *world, unsigned int end)
{
	return &world->ends[end].link->counters;
}

TEST(both_ends_log_and_count_the_result_of_a_fetch)
{
	static const struct {
		enum simkme_outcome outcome;
		const char *reason;
	} rows[] = {
		{ SIMKME_DRY, "key-id" },
		{ SIMKME_DENIED, "key-id" },
		{ SIMKME_SHORT, "key-id" },
		{ SIMKME_BROKEN, "kme" },
	};
	struct world *world;
	unsigned int k;
	char text[64];
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		world = start(hybrid);
		fetching.outcome = rows[i].outcome;
		world_connect(world);
		for (k = 0; k < 3000 && !counters(world, 0)->offers_refused; k++)
			world_run(world, 1);
		CHECK_NUMBER("refused", counters(world, 0)->offers_refused, 1);
		CHECK_NUMBER("both count", counters(world, 1)->offers_rejected,
			     counters(world, 0)->offers_refused);
		snprintf(text, sizeof(text), "offer-refused link=qlink0 reason=%s", rows[i].reason);
		CHECK_NUMBER(text, world_logs(world, 0, text), counters(world, 0)->offers_refused);
		snprintf(text, sizeof(text), "offer-rejected link=qlink0 reason=%s", rows[i].reason);
		CHECK_NUMBER(text, world_logs(world, 1, text), counters(world, 1)->offers_rejected);
		CHECK_NUMBER("its KME is paused",
			     stocks_usable(world->ends[0].link->stocks), 0);
		CHECK(stocks_held(world->ends[0].link->stocks) > 0, "its keys are gone");
		CHECK(strstr(world->ends[0].link->why, rows[i].reason), "why: %s",
		      world->ends[0].link->why);
		CHECK_NUMBER("keys of it", devices[0].tx.newest, 0);
		world_run(world, 1000);
		CHECK(counters(world, 1)->offers > 0, "no offer in the other direction");
		fetching.outcome = SIMKME_UP;
		world_run(world, 70000);
		CHECK(devices[0].tx.newest > 0, "%s: no later offer succeeds", rows[i].reason);
		CHECK_TEXT("why", world->ends[0].link->why, "");
		world_free(world);
	}
}

TEST(different_keys_under_the_same_ids_fail_the_session_and_are_never_used)
{
	struct world *world = start(hybrid);

	fetching.outcome = SIMKME_WRONG;
	world_connect(world);
	world_run(world, 3000);
	CHECK(counters(world, 0)->failures >= 1, "no failure");
	CHECK(world_logs(world, 0, "session-failed link=qlink0 reason=confirm") >= 1, "not logged");
	CHECK_NUMBER("keys to send", devices[0].tx.newest, 0);
	fetching.outcome = SIMKME_UP;
	world->has_traffic = true;
	CHECK(world_until_works(world, 20000) <= 20000, "the link does not recover");
	world_free(world);
}

/* The offer fails because our stock is empty; neither our KME nor the peer is at fault. */
TEST(an_offer_that_fails_locally_does_not_pause_the_kme)
{
	struct world *world = start(hybrid);
	struct session_event want = {
		.type = SESSION_EVENT_WANT, .source = QLINK_SOURCE_HYBRID, .n = 1,
	};

	simkme_pairs[0].supply = 0;
	world_connect(world);
	while (world->ends[0].link->session.phase != SESSION_PHASE_READY)
		world_run(world, 1);
	world_run(world, 100);
	act_step(world->ends[0].link, &want);
	CHECK_NUMBER("refused", counters(world, 0)->offers_refused, 1);
	CHECK_NUMBER("the peer", counters(world, 1)->offers_rejected, 0);
	simkme_pairs[0].supply = 1000;
	world_run(world, 2500);
	CHECK(stocks_usable(world->ends[0].link->stocks) > 0 ||
	      devices[0].tx.newest > 0, "the KME is paused");
	world_free(world);
}

static unsigned int n_offers_said;

/* Until its keys are derived, only the offer is sent. */
static unsigned int watch_offers(struct world *world, unsigned int to, uint64_t *delay)
{
	const struct link *from = world->ends[!to].link;

	(void)delay;
	if (from->act->is_deriving) {
		n_offers_said++;
		CHECK_NUMBER("keys of it", from->exchange->tx.offer->n_keys, 0);
	}
	return 1;
}

TEST(an_offer_is_sent_before_its_keys_are_derived)
{
	struct world *world = start(hybrid);

	n_offers_said = 0;
	world->on_send = watch_offers;
	world_connect(world);
	world_run(world, 3000);
	CHECK(n_offers_said > 1, "%u offers", n_offers_said);
	CHECK_NUMBER("agreed on", counters(world, 0)->offers + counters(world, 1)->offers,
		     n_offers_said);
	world_free(world);
}

/* --- memory for offers --- */

/*
 * The system locks no more memory for offers, and some for other things. This stands in for the
 * system's call, which sanitizers leave out too.
 */
static bool is_full;

int mlock(const void *data, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	(void)data;
	errno = ENOMEM;
	return is_full && len == (sizeof(struct exchange_offer) + page - 1) / page * page ? -1 : 0;
}

TEST(an_offer_without_memory_is_refused_by_name_and_made_again)
{
	struct world *world = start(hybrid);

	is_full = true;
	world_connect(world);
	world_run(world, 5000);
	CHECK(world_logs(world, 0, "offer-refused link=qlink0 reason=memory") >= 1, "not logged");
	CHECK(counters(world, 0)->offers_refused > 1, "refused %llu times",
	      (unsigned long long)counters(world, 0)->offers_refused);
	CHECK_TEXT("why", world->ends[0].link->why, "offer-refused: memory");
	CHECK_NUMBER("sessions that failed", counters(world, 0)->failures, 0);
	CHECK_NUMBER("keys that were lost", counters(world, 0)->keys_burned, 0);
	CHECK_NUMBER("keys to send", devices[0].tx.newest, 0);
	is_full = false;
	world->has_traffic = true;
	CHECK(world_until_works(world, 5000) <= 5000, "the link does not recover");
	world_free(world);
}

/* There is no memory from the moment in which an offer is sent. */
static unsigned int fill_memory(struct world *world, unsigned int to, uint64_t *delay)
{
	(void)delay;
	is_full |= world->ends[!to].link->act->is_deriving;
	return 1;
}

TEST(an_offer_for_which_the_peer_has_no_memory_is_refused_by_name)
{
	struct world *world = start(hybrid);

	world->on_send = fill_memory;
	world_connect(world);
	world_run(world, 3000);
	CHECK(counters(world, 0)->offers_rejected + counters(world, 1)->offers_rejected >= 1,
	      "not rejected");
	CHECK(world_logs(world, 0, "offer-rejected link=qlink0 reason=memory") +
	      world_logs(world, 1, "offer-rejected link=qlink0 reason=memory") >= 1, "not logged");
	CHECK_NUMBER("sessions that failed", counters(world, 0)->failures, 0);
	is_full = false;
	world->on_send = NULL;
	world->has_traffic = true;
	CHECK(world_until_works(world, 5000) <= 5000, "the link does not recover");
	world_free(world);
}

/* At any moment, memory is held for offers that are under way, and for no other. */
static unsigned int n_unheld;

static unsigned int watch_memory(struct world *world, unsigned int to, uint64_t *delay)
{
	const struct link *link = world->ends[!to].link;

	(void)delay;
	CHECK(!link->exchange->tx.offer || link->session.tx.step != SESSION_STEP_IDLE,
	      "memory for no offer to send");
	CHECK(!link->exchange->rx.offer || link->session.rx.step != SESSION_STEP_INVITED,
	      "memory for no offer to receive");
	n_unheld += !link->exchange->tx.offer && !link->exchange->rx.offer;
	return 1;
}

TEST(a_link_without_an_offer_has_no_memory_for_one)
{
	struct world *world = start(hybrid);

	world->on_send = watch_memory;
	n_unheld = 0;
	world_connect(world);
	world_run(world, 10000);
	CHECK(counters(world, 0)->offers > 1, "no offers");
	CHECK(n_unheld > 0, "memory is held all the time");
	world_free(world);
}

TEST(both_ends_log_a_kernel_that_refuses_receive_keys)
{
	struct world *world = start(prefer);

	devices[1].install_err = -ENOMEM;
	world_connect(world);
	world_run(world, 3000);
	CHECK(counters(world, 1)->offers_rejected >= 1, "not refused");
	CHECK(counters(world, 0)->offers_refused >= 1, "not heard");
	CHECK(world_logs(world, 1, "kernel-refused link=qlink0 request=install") >= 1, "not logged");
	CHECK_NUMBER("keys to send", devices[0].tx.newest, 0);
	CHECK_NUMBER("counted as received", counters(world, 1)->rx_keys[QLINK_SOURCE_HYBRID], 0);
	devices[1].install_err = 0;
	world->has_traffic = true;
	CHECK(world_until_works(world, 10000) <= 10000, "the link does not recover");
	world_free(world);
}

TEST(sessions_fail_while_the_device_fails_every_request)
{
	struct world *world = start(prefer);

	world_connect(world);
	devices[0].any_err = -ENODEV;
	link_restart(world->ends[0].link);
	world_run(world, 10000);
	CHECK(counters(world, 0)->failures + counters(world, 1)->timeouts >= 1, "no failure and no timeout");
	devices[0].any_err = 0;
	world->has_traffic = true;
	CHECK(world_until_works(world, 15000) <= 15000, "the link does not recover");
	world_free(world);
}

TEST(policies_without_a_common_source_are_named)
{
	static const char *const confs[2] = { HYBRID, PQC };
	struct world *world = start(confs);

	world_connect(world);
	world_run(world, 5000);
	CHECK_TEXT("phase", link_phase_name(world->ends[0].link), "blocked");
	CHECK_TEXT("why", world->ends[0].link->why,
		   "no-source-in-common: our policy is hybrid-required, the peer's pqc-only");
	CHECK_NUMBER("keys", devices[0].tx.n + devices[1].tx.n, 0);
	world_free(world);
}

/* The KME answers after the offer has ended. */
TEST(keys_that_arrive_too_late_are_not_used)
{
	struct world *world = start(hybrid);
	uint64_t asked;

	fetching.delay = 4000;
	world_connect(world);
	while (world->ends[1].link->session.rx.step != SESSION_STEP_FETCHING)
		world_run(world, 1);
	world_cut(world);
	asked = devices[1].asked[REQUEST_INSTALL];
	world_run(world, 3000);
	world_run(world, 3000);
	CHECK_NUMBER("installed without a session", devices[1].asked[REQUEST_INSTALL], asked);
	CHECK_NUMBER("received", devices[1].rx.newest, 0);
	CHECK_NUMBER("pending answers", act_n_answers(world->ends[1].link), 0);
	fetching.delay = 20;
	world->has_traffic = true;
	world_connect(world);
	CHECK(world_until_works(world, 10000) <= 10000, "the link does not recover");
	world_free(world);
}

/* A new session has a new offer while the KME still answers for the first one. */
TEST(keys_of_one_offer_are_never_used_for_another)
{
	struct world *world = start(hybrid);

	fetching.delay = 4000;
	world_connect(world);
	while (world->ends[1].link->session.rx.step != SESSION_STEP_FETCHING)
		world_run(world, 1);
	world_cut(world);
	fetching.delay = 20;
	world_connect(world);
	world_run(world, 3500);
	CHECK_NUMBER("the first fetch is in the way", counters(world, 1)->offers_rejected, 0);
	CHECK_NUMBER("it was given up", world_logs(world, 1, "why=cancelled"), 1);
	CHECK_NUMBER("confirmations that were wrong",
		     world_logs(world, 0, "reason=confirm") +
		     world_logs(world, 1, "reason=confirm"), 0);
	world->has_traffic = true;
	CHECK(world_until_works(world, 20000) <= 20000, "the link does not recover");
	CHECK_NUMBER("failures", counters(world, 0)->failures + counters(world, 1)->failures, 0);
	world_free(world);
}

TEST(keys_are_installed_with_their_number_of_kmes)
{
	static const char *const pqc[2] = { PQC, PQC };
	struct world *world = start(hybrid);

	world_connect(world);
	world_run(world, 3000);
	CHECK(devices[0].tx.n && devices[1].rx.n, "no keys");
	CHECK_NUMBER("sent", devices[0].tx.keys[0].kmes, 1);
	CHECK_NUMBER("received", devices[1].rx.keys[0].kmes, 1);
	world_free(world);
	world = start(pqc);
	world_connect(world);
	world_run(world, 3000);
	CHECK(devices[0].tx.n && devices[1].rx.n, "no keys");
	CHECK_NUMBER("without a KME", devices[0].tx.keys[0].kmes + devices[1].rx.keys[0].kmes, 0);
	world_free(world);
}

/* What the agent asks its broker for cannot be less than what the configuration says. */
TEST(the_broker_knows_how_many_kmes_a_key_needs)
{
	static const struct {
		enum request_type type;
		uint32_t mix_least;
		uint8_t least, want;
		const char *why;
	} rows[] = {
		{ REQUEST_RECONCILE, 1, 0, 1, "nothing asked for" },
		{ REQUEST_RECONCILE, 1, 3, 3, "the peer needs more" },
		{ REQUEST_RECONCILE, 2, 1, 2, "less than the configuration says" },
		{ REQUEST_RESTRICT, 2, 4, 4, "more" },
		{ REQUEST_RESTRICT, 2, 0, 4, "a restriction does not loosen" },
		{ REQUEST_RECONCILE, 2, 0, 2, "another session" },
		{ REQUEST_RESTRICT, 8, 0, 8, "the configuration says more" },
	};
	struct world *world = start(hybrid);
	struct request request = { .sources = 1 << QLINK_SOURCE_HYBRID };
	struct qlink_why why;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		/* The broker of this world reads the same structure. */
		world->ends[0].config.links[0].mix_least = rows[i].mix_least;
		request.least = rows[i].least;
		CHECK_NUMBER(rows[i].why, broker_ask(&world->ends[0].services.broker, rows[i].type, "qlink0",
						     &request, &why), 0);
		CHECK_NUMBER(rows[i].why, devices[0].accept_kmes, rows[i].want);
		CHECK_NUMBER(rows[i].why, devices[0].accept, request.sources);
	}
	world_free(world);
}

/* Keys that the kernel refuses because of their number of KMEs are not used. */
TEST(keys_of_too_few_kmes_are_not_used)
{
	struct world *world = start(prefer);

	world->ends[0].config.links[0].mix_least = 2;
	world_connect(world);
	world_run(world, 3000);
	CHECK_NUMBER("accepted", devices[0].accept_kmes, 2);
	CHECK_NUMBER("hybrid keys", world->n_hybrid, 0);
	CHECK(world_logs(world, 0, "kernel-refused link=qlink0 request=install") >= 1, "not logged");
	world_free(world);
}

TEST(a_step_handles_every_answer)
{
	struct world *world = start(prefer);
	unsigned int i;

	world_connect(world);
	for (i = 0; i < 4000; i++) {
		world_run(world, 1);
		CHECK_NUMBER("end 0", act_n_answers(world->ends[0].link), 0);
		CHECK_NUMBER("end 1", act_n_answers(world->ends[1].link), 0);
	}
	CHECK(counters(world, 0)->offers > 0, "nothing happened");
	CHECK(world->most_done >= 1 && world->most_done <= ACT_DONE_MAX / 2, "%u answers at a time", world->most_done);
	world_free(world);
}

/* Keys that the KME gave, and that were offered and will not be used, are never lost in silence. */
TEST(keys_of_an_offer_that_ends_with_its_session_are_counted)
{
	struct world *world = start(hybrid);
	uint64_t offered;

	world_connect(world);
	world_run(world, 3000);
	CHECK_NUMBER("burned by offers that were agreed on", counters(world, 0)->keys_burned, 0);
	fetching.delay = 4000;
	link_withdraw(world->ends[0].link);
	while (world->ends[0].link->session.tx.step != SESSION_STEP_OFFERED)
		world_run(world, 1);
	offered = world->ends[0].link->session.tx.offer.n;
	world_cut(world);
	CHECK_NUMBER("burned", counters(world, 0)->keys_burned, offered);
	CHECK_NUMBER("logged", world_logs(world, 0, "keys-burned link=qlink0 burned="), 1);
	CHECK_NUMBER("why", world_logs(world, 0, "their offer ended with its session"), 1);
	world_free(world);
}

TEST(keys_of_an_offer_that_the_peer_refused_are_counted)
{
	struct world *world = start(hybrid);
	uint64_t offered;

	fetching.outcome = SIMKME_DRY;
	world_connect(world);
	while (world->ends[0].link->session.tx.step != SESSION_STEP_OFFERED)
		world_run(world, 1);
	offered = world->ends[0].link->session.tx.offer.n;
	while (!counters(world, 0)->offers_refused)
		world_run(world, 1);
	CHECK_NUMBER("burned", counters(world, 0)->keys_burned, offered);
	CHECK_NUMBER("a line of its own", world_logs(world, 0, "keys-burned"), 0);
	world_free(world);
}

/* Only the KME of end 1 has no keys: its own changes are logged there, and here as well. */
TEST(a_peer_that_falls_back_is_noted)
{
	struct world *world = start(prefer);

	world->has_traffic = true;
	world_connect(world);
	world_run(world, 5000);
	CHECK_NUMBER("the first source", world_logs(world, 0,
		     "peer-source-changed link=qlink0 from=none to=hybrid"), 1);
	CHECK_NUMBER("is no change", counters(world, 0)->peer_source_changes, 0);
	is_dry = true;
	while (!counters(world, 1)->source_changes && device_now < 3600000)
		world_run(world, 1000);
	world_run(world, 5000);
	CHECK_NUMBER("changes", counters(world, 0)->peer_source_changes, 1);
	CHECK_NUMBER("logged", world_logs(world, 0,
		     "<4>peer-source-changed link=qlink0 from=hybrid to=pqc"), 1);
	CHECK_NUMBER("our source", counters(world, 0)->source_changes, 0);
	world_free(world);
}

/* Also those that a KME gives while the kernel wipes: they may be in a copy of this host's memory. */
TEST(after_a_wipe_no_key_of_a_kme_from_before_is_used)
{
	struct world *world = start(hybrid);
	uint64_t held;

	world->has_traffic = true;
	world_connect(world);
	/* Until a KME is about to give more. */
	for (n_asked = 0; !n_asked || !stocks_held(world->ends[0].link->stocks); )
		world_run(world, 1);
	held = stocks_held(world->ends[0].link->stocks);
	CHECK(held > 0, "no stock");
	device_wipe(&devices[0]);
	world_notice(world, 0, QLINK_EVENT_KIND_WIPED);
	world_run(world, 0);
	CHECK_NUMBER("in stock", stocks_held(world->ends[0].link->stocks), 0);
	CHECK(counters(world, 0)->keys_burned >= held, "not counted as burned");
	n_asked = 0;
	world_run(world, 900);
	CHECK_NUMBER("asked for before the host could be suspended", n_asked, 0);
	CHECK_NUMBER("kept of those under way", stocks_held(world->ends[0].link->stocks), 0);
	world_run(world, 5000);
	CHECK(stocks_held(world->ends[0].link->stocks) > 0, "no new keys");
	CHECK(world_works(world), "the link does not work");
	world_free(world);
}

/* The audit log has each key ID once, on its epoch's line, whatever the length of the offer. */
TEST(every_key_id_is_audited)
{
	static const char head[] = "\"kme_key_ids\":[";
	struct world *world = start(hybrid);
	unsigned int n_ids = 0, n_lines = 0;
	char line[AUDIT_LINE_MAX + 2], *at;
	FILE *file;

	world->ends[0].services.audit = auditlog_open();
	world_connect(world);
	world_run(world, 5000);
	file = auditlog_read(world->ends[0].services.audit);
	while (file && fgets(line, sizeof(line), file)) {
		at = strstr(line, "\"direction\":\"tx\"") ? strstr(line, head) : NULL;
		n_lines += at != NULL;
		for (at = at ? at + sizeof(head) - 1 : NULL; at && *at == '"'; n_ids++) {
			at = strchr(at + 1, '"') + 1;
			at += *at == ',';
		}
	}
	if (file)
		fclose(file);
	CHECK_NUMBER("key IDs", n_ids, devices[0].tx.newest);
	CHECK(n_ids >= 64 && n_lines > 1, "%u key IDs in %u lines", n_ids, n_lines);
	CHECK_NUMBER("counted", counters(world, 0)->tx_keys[QLINK_SOURCE_HYBRID], n_ids);
	audit_close(world->ends[0].services.audit);
	auditlog_remove();
	world_free(world);
}
