// SPDX-License-Identifier: GPL-2.0-or-later
/* Two whole agents with key servers that behave as some in the field do. */
#include <stdio.h>
#include <string.h>

#include "simkme.h"
#include "tap.h"
#include "world.h"

#define CONF(options) \
	"agent\n name a\n certificate /a.pem\n key /a.key\n ca /ca.pem\n listen 127.0.0.1:7\n" \
	" kme-retry-ms 2000\npeer b\n address 127.0.0.1:8\n" \
	"kme one\n url https://127.0.0.1:1\n id KME-1\n ca /c\n certificate /s\n key /k\n" \
	"link qlink0\n peer b\n kmes one\n sae S\n policy prefer-hybrid\n" options

/* The same with a spare KME. */
#define SPARE \
	"agent\n name a\n certificate /a.pem\n key /a.key\n ca /ca.pem\n listen 127.0.0.1:7\n" \
	" kme-retry-ms 2000\npeer b\n address 127.0.0.1:8\n" \
	"kme one\n url https://127.0.0.1:1\n id KME-1\n ca /c\n certificate /s\n key /k\n" \
	"kme two\n url https://127.0.0.1:2\n id KME-2\n ca /c\n certificate /s\n key /k\n" \
	"link qlink0\n peer b\n kmes one two\n sae S\n policy prefer-hybrid\n"

static const char *const spare[2] = { SPARE, SPARE };
static const char *const confs[2] = {
	CONF(" store 20000\n"), CONF(" store 20000\n"),
};

static struct world *start_as(const char *const texts[2], uint64_t supply,
			      struct simkme_plan (*plan)(int, unsigned int, enum kme_op))
{
	struct world *world;

	simkme_start(supply);
	simkme_plan = plan;
	world = world_new(texts, true);
	world->has_traffic = true;
	world_connect(world);
	return world;
}

static struct world *start(uint64_t supply, struct simkme_plan (*plan)(int, unsigned int,
								      enum kme_op))
{
	return start_as(confs, supply, plan);
}

static bool sends_hybrid(unsigned int end)
{
	return devices[end].tx.current && devices[end].tx.keys[0].source == QLINK_SOURCE_HYBRID;
}

/* Run until both ends seal under hybrid keys; returns how long it took, or @ms. */
static uint64_t until_hybrid(struct world *world, uint64_t ms)
{
	uint64_t begun = device_now;

	while (device_now - begun < ms && !(sends_hybrid(0) && sends_hybrid(1)))
		world_run(world, 10);
	return device_now - begun;
}

/* --- one end's KME starts later --- */

static uint64_t up_at;

static struct simkme_plan late_at_one_end(int side, unsigned int node, enum kme_op op)
{
	struct simkme_plan plan = { .delay = 20 };

	(void)node;
	(void)op;
	if (side && device_now < up_at)
		plan.outcome = SIMKME_BROKEN;
	return plan;
}

static const struct kme_server *server(const struct world *world, unsigned int end)
{
	return stocks_server(world->ends[end].link->stocks, 0);
}

TEST(a_kme_that_starts_later_is_used_by_both_ends_within_twelve_seconds)
{
	static const unsigned int late[] = { 3000, 20000, 240000 };
	struct world *world;
	uint64_t took;
	size_t i;

	for (i = 0; i < COUNT(late); i++) {
		up_at = UINT64_MAX;
		world = start(40000, late_at_one_end);
		up_at = device_now + late[i];
		world_run(world, late[i]);
		CHECK(world_flows(world), "no frames while one KME is missing");
		CHECK(!sends_hybrid(0), "hybrid keys that the other end cannot fetch");
		while (server(world, 1)->health != KME_HEALTH_UP)
			world_run(world, 10);
		took = until_hybrid(world, 300000);
		CHECK(took <= 12000, "%u s late: hybrid keys at both ends %llu ms after its first answer",
		      late[i] / 1000, (unsigned long long)took);
		printf("# %u s late: hybrid at both ends after %llu ms\n", late[i] / 1000,
		       (unsigned long long)took);
		world_free(world);
	}
}

/* An agent that says nothing new is asked now and then anyway, by one key. */
TEST(a_peer_that_does_not_say_that_its_kme_is_back_is_probed_every_ten_seconds)
{
	struct world *world;
	uint64_t before;

	up_at = UINT64_MAX;
	world = start(40000, late_at_one_end);
	world_run(world, 60000);
	before = world->ends[0].link->counters.offers_refused;
	world_run(world, 60000);
	CHECK(world->ends[0].link->counters.offers_refused >= before + 4 &&
	      world->ends[0].link->counters.offers_refused <= before + 6, "%llu probes in a minute",
	      (unsigned long long)(world->ends[0].link->counters.offers_refused - before));
	CHECK_NUMBER("the source does not change", world->ends[0].link->counters.source_changes, 0);
	CHECK(world_flows(world), "frames are lost");
	world_free(world);
}

TEST(a_kme_that_fails_and_comes_back_costs_no_offer)
{
	struct world *world;
	uint64_t took;

	up_at = 0;
	world = start(40000, late_at_one_end);
	until_hybrid(world, 10000);
	world_run(world, 30000);
	up_at = device_now + 5000;
	/* Its failure is noticed by its own end's next request. */
	world_run(world, 8000);
	took = until_hybrid(world, 60000);
	CHECK(took <= 12000, "hybrid after %llu ms", (unsigned long long)took);
	CHECK(world->ends[0].link->counters.offers_refused <= 1, "%llu offers refused",
	      (unsigned long long)world->ends[0].link->counters.offers_refused);
	CHECK_NUMBER("no fallback", world->ends[0].link->counters.source_changes, 0);
	world_free(world);
}

/* --- a spare KME --- */

static struct simkme_plan first_is_down_at_one_end(int side, unsigned int node, enum kme_op op)
{
	struct simkme_plan plan = { .delay = 20 };

	(void)op;
	if (side && !node && device_now < up_at)
		plan.outcome = SIMKME_BROKEN;
	return plan;
}

/* The end whose first KME is up knows from INVITE that keys of it are of no use. */
TEST(the_spare_kme_is_used_when_only_the_peers_first_is_down)
{
	struct world *world;
	uint64_t took, fetched, changes;

	up_at = UINT64_MAX;
	world = start_as(spare, 40000, first_is_down_at_one_end);
	took = until_hybrid(world, 60000);
	CHECK(took <= 5000, "hybrid at both ends after %llu ms", (unsigned long long)took);
	changes = world->ends[0].link->counters.source_changes;
	world_run(world, 60000);
	CHECK_NUMBER("no fallback", world->ends[0].link->counters.source_changes, changes);
	CHECK(world->ends[0].link->counters.offers_refused <= 1, "%llu offers refused",
	      (unsigned long long)world->ends[0].link->counters.offers_refused);
	/* The first is used again when it is back. */
	up_at = device_now;
	world_run(world, 30000);
	fetched = simkme_pairs[0].fetched;
	world_run(world, 120000);
	CHECK(simkme_pairs[0].fetched > fetched, "the first KME is not used again");
	CHECK_NUMBER("still no fallback", world->ends[0].link->counters.source_changes, changes);
	CHECK(world_flows(world), "frames are lost");
	world_free(world);
}

/* --- keys that are forgotten --- */

static struct simkme_plan well(int side, unsigned int node, enum kme_op op)
{
	(void)side;
	(void)node;
	(void)op;
	return (struct simkme_plan){ .delay = 20 };
}

/* At least 80 % of the keys that KMEs give are used, once the habit is known, and the source is steady. */
static void check_forgetful(unsigned int batches, uint64_t ms, bool is_one_batch)
{
	struct world *world;
	uint64_t given, used, changes;
	unsigned int i;

	world = start(UINT64_MAX / 2, well);
	simkme_pairs[0].kept_batches = batches;
	simkme_pairs[0].kept_ms = ms;
	world_run(world, 120000);
	given = simkme_pairs[0].given;
	used = world->n_hybrid;
	changes = world->ends[0].link->counters.source_changes +
		  world->ends[1].link->counters.source_changes;
	world_run(world, 300000);
	given = simkme_pairs[0].given - given;
	used = world->n_hybrid - used;
	printf("# %u batches, %llu ms: %llu keys given at first; then %llu, %llu used\n", batches,
	       (unsigned long long)ms, (unsigned long long)(simkme_pairs[0].given - given),
	       (unsigned long long)given, (unsigned long long)used);
	CHECK(used >= 300 && used * 10 >= given * 8, "%llu of %llu keys used",
	      (unsigned long long)used, (unsigned long long)given);
	CHECK_NUMBER("changes of the source", world->ends[0].link->counters.source_changes +
		     world->ends[1].link->counters.source_changes, changes);
	CHECK(sends_hybrid(0) && sends_hybrid(1), "not hybrid at the end");
	for (i = 0; i < 2; i++)
		CHECK_NUMBER("one batch at a time", stocks_is_one_batch(world->ends[i].link->stocks, 0),
			     is_one_batch);
	CHECK(world_flows(world), "frames are lost");
	world_free(world);
}

TEST(keys_of_a_kme_that_keeps_only_the_newest_batch_are_used)
{
	check_forgetful(1, 0, true);
}

TEST(keys_of_a_kme_that_keeps_few_batches_or_for_a_short_time_are_used)
{
	check_forgetful(4, 0, false);
	check_forgetful(0, 5000, true);
}

/* --- one pool for both ends --- */

/* One end fills its store while the other is cut off from its KME. */
TEST(an_end_that_was_cut_off_finds_its_share_of_a_common_pool)
{
	struct world *world;
	uint64_t took;

	up_at = UINT64_MAX;
	world = start(3000, late_at_one_end);
	simkme_counts = true;
	up_at = device_now + 60000;
	world_run(world, 60000);
	CHECK(simkme_pairs[0].given <= 1600, "%llu of 3000 keys taken by one end",
	      (unsigned long long)simkme_pairs[0].given);
	took = until_hybrid(world, 600000);
	CHECK(took <= 30000, "hybrid at both ends %llu ms after the return", (unsigned long long)took);
	printf("# hybrid at both ends after %llu ms\n", (unsigned long long)took);
	CHECK(world_flows(world), "frames are lost");
	world_free(world);
}

/* --- slow answers --- */

static uint64_t enc_per_key, dec_per_key;

static struct simkme_plan slow_line(int side, unsigned int node, enum kme_op op)
{
	(void)side;
	(void)node;
	return (struct simkme_plan){
		.delay = 20,
		.per_key = op == KME_OP_ENC ? enc_per_key : op == KME_OP_DEC ? dec_per_key : 0,
	};
}

/* Both ends are hybrid all the while, and at most one batch a minute is lost. */
static void check_slow(uint64_t enc, uint64_t dec)
{
	struct world *world;
	uint64_t given, minutes = 3, began, changes;

	enc_per_key = enc;
	dec_per_key = dec;
	world = start(400000, slow_line);
	/* What the speed is, is found out in the first minute. */
	world_run(world, 60000);
	CHECK(sends_hybrid(0) && sends_hybrid(1), "%llu and %llu ms a key: not hybrid",
	      (unsigned long long)enc, (unsigned long long)dec);
	CHECK(simkme_pairs[0].late <= 2 * 32, "%llu keys were late in the first minute",
	      (unsigned long long)simkme_pairs[0].late);
	given = simkme_pairs[0].given;
	began = world->n_hybrid;
	simkme_pairs[0].late = 0;
	changes = world->ends[0].link->counters.source_changes;
	world_run(world, minutes * 60000);
	printf("# %llu and %llu ms a key: %llu keys given, %llu late, %llu used\n",
	       (unsigned long long)enc, (unsigned long long)dec,
	       (unsigned long long)(simkme_pairs[0].given - given),
	       (unsigned long long)simkme_pairs[0].late,
	       (unsigned long long)(world->n_hybrid - began));
	CHECK_NUMBER("late keys", simkme_pairs[0].late, 0);
	CHECK(sends_hybrid(0) && sends_hybrid(1), "not hybrid at the end");
	CHECK_NUMBER("changes of the source", world->ends[0].link->counters.source_changes, changes);
	CHECK(world_flows(world), "frames are lost");
	world_free(world);
}

TEST(a_slow_line_gets_requests_that_it_can_answer_in_time)
{
	check_slow(150, 0);
	check_slow(900, 0);
}

TEST(offers_are_as_large_as_a_kme_that_gives_single_keys_can_fetch_in_time)
{
	check_slow(0, 235);
	check_slow(0, 2000);
}

/* --- what the log says --- */

static enum simkme_outcome outcome_now;

static struct simkme_plan as_now(int side, unsigned int node, enum kme_op op)
{
	struct simkme_plan plan = { .delay = 20 };

	(void)side;
	(void)node;
	/* Its status is always good, as that of many broken ones. */
	if (op != KME_OP_STATUS)
		plan.outcome = outcome_now;
	return plan;
}

static struct simkme_plan all_broken(int side, unsigned int node, enum kme_op op)
{
	struct simkme_plan plan = as_now(side, node, op);

	plan.outcome = outcome_now;
	return plan;
}

TEST(a_dead_kme_is_logged_once_a_minute_and_once_when_it_is_back)
{
	struct world *world;

	outcome_now = SIMKME_UP;
	world = start(40000, all_broken);
	until_hybrid(world, 10000);
	CHECK_NUMBER("up", world_logs(world, 0, "kme-up"), 1);
	outcome_now = SIMKME_BROKEN;
	world_run(world, 45000);
	outcome_now = SIMKME_UP;
	world_run(world, 20000);
	CHECK(world_logs(world, 0, "kme-down") == 1, "%u lines in 45 s",
	      world_logs(world, 0, "kme-down"));
	CHECK_NUMBER("back", world_logs(world, 0, "kme-up"), 2);
	outcome_now = SIMKME_BROKEN;
	world_run(world, 600000);
	CHECK(world_logs(world, 0, "kme-down") <= 12, "%u lines in 10 minutes",
	      world_logs(world, 0, "kme-down"));
	CHECK_NUMBER("not back", world_logs(world, 0, "kme-up"), 2);
	outcome_now = SIMKME_UP;
	world_run(world, 20000);
	CHECK_NUMBER("back again", world_logs(world, 0, "kme-up"), 3);
	world_free(world);
}

TEST(a_kme_whose_status_is_good_and_whose_keys_fail_does_not_flood_the_log)
{
	struct world *world;
	unsigned int lines;

	outcome_now = SIMKME_UP;
	world = start(40000, as_now);
	until_hybrid(world, 10000);
	outcome_now = SIMKME_BROKEN;
	world_run(world, 120000);
	lines = world_logs(world, 0, "kme-");
	world_run(world, 300000);
	lines = world_logs(world, 0, "kme-") - lines;
	CHECK(lines <= 10, "%u lines in 5 minutes", lines);
	CHECK(world_flows(world), "frames are lost");
	world_free(world);
}
