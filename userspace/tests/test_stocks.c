// SPDX-License-Identifier: GPL-2.0-or-later
/* What both ends demand of a key: several KMEs, a pre-shared secret, a suite, a chain. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qlinkd/link/act.h"
#include "qlinkd/link/preshared.h"
#include "simkme.h"
#include "tap.h"
#include "world.h"

#define ENDS	"agent\n name a\n certificate /c\n key /k\n ca /r\n listen 127.0.0.1:7\n" \
	"peer b\n address 127.0.0.1:8\n" \
	"kme one\n url https://127.0.0.1:1\n id KME-1\n ca /c\n certificate /s\n key /k\n" \
	"kme two\n url https://127.0.0.1:2\n id KME-2\n ca /c\n certificate /s\n key /k\n" \
	"link qlink0\n peer b\n store 400\n outage-cover 20\n reserve 0\n floor-ms 200\n"
#define HEAD	ENDS " ceiling-ms 1000\n"
#define MIX	HEAD " sae S\n mix one two\n"
/* A key may be used for a minute. */
#define RARE	ENDS " ceiling-ms 60000\n sae S\n mix one two\n"
/* Longer than it takes to agree on keys, and to decide that a KME has none. */
#define LONG_MS	60000

/* How requests to the second KME of each end end. */
static struct simkme_plan second[2][KME_OP_N];

static struct simkme_plan plan(int side, unsigned int node, enum kme_op op)
{
	return node == 1 ? second[side][op] : (struct simkme_plan){ .delay = 20 };
}

static void set_second(int side, enum kme_op op, enum simkme_outcome outcome)
{
	second[side][op] = (struct simkme_plan){ .delay = 20, .outcome = outcome };
}

static void set_all_second(enum simkme_outcome outcome)
{
	int side, op;

	for (side = 0; side < 2; side++)
		for (op = 0; op < KME_OP_N; op++)
			set_second(side, (enum kme_op)op, outcome);
}

/* Two agents with these options, connected. */
static struct world *start(const char *a, const char *b)
{
	const char *const confs[2] = { a, b };
	struct world *world;

	simkme_start(100000);
	set_all_second(SIMKME_UP);
	simkme_plan = plan;
	world = world_new(confs, true);
	world->has_traffic = true;
	world_connect(world);
	return world;
}

static const struct link *link_of(const struct world *world, unsigned int end)
{
	return world->ends[end].link;
}

static uint8_t n_kmes(const struct world *world, unsigned int end)
{
	return act_n_kmes(link_of(world, end), QLINK_DIRECTION_TX);
}

/* Run until both ends seal with keys of so many KMEs, and say so. */
static bool until_kmes(struct world *world, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < LONG_MS / 10 && (n_kmes(world, 0) != n || n_kmes(world, 1) != n); i++)
		world_run(world, 10);
	return n_kmes(world, 0) == n && n_kmes(world, 1) == n;
}

static unsigned int logs(const struct world *world, unsigned int end, const char *text)
{
	return world_logs(world, end, text);
}

TEST(each_key_has_a_secret_of_every_kme)
{
	struct world *world = start(MIX, MIX);
	uint64_t given;

	CHECK(until_kmes(world, 2), "%u and %u KMEs", n_kmes(world, 0), n_kmes(world, 1));
	world_run(world, LONG_MS);
	CHECK(world_works(world) && world_is_hybrid(), "does not work");
	CHECK_NUMBER("in the kernel", devices[0].tx.keys[0].kmes, 2);
	CHECK_NUMBER("keys that both KMEs gave and were fetched", simkme_pairs[0].fetched,
		     simkme_pairs[1].fetched);
	given = link_of(world, 0)->counters.tx_keys[QLINK_SOURCE_HYBRID] +
		link_of(world, 1)->counters.tx_keys[QLINK_SOURCE_HYBRID];
	CHECK(given > 50 && simkme_pairs[0].fetched >= given, "%llu keys agreed on, %llu fetched",
	      (unsigned long long)given, (unsigned long long)simkme_pairs[0].fetched);
	CHECK_NUMBER("refused", link_of(world, 0)->counters.offers_refused, 0);
	CHECK_NUMBER("changes", logs(world, 0, "kmes-changed "), 0);
	world_free(world);
}

TEST(a_kme_that_is_down_is_left_out_and_taken_up_again)
{
	struct world *world = start(MIX, MIX);
	uint64_t burned;

	CHECK(until_kmes(world, 2), "not mixed");
	set_all_second(SIMKME_BROKEN);
	CHECK(until_kmes(world, 1), "%u KMEs", n_kmes(world, 0));
	CHECK(world_is_hybrid(), "not hybrid");
	CHECK_NUMBER("told", logs(world, 0, "kmes-changed link=qlink0 direction=tx from=2 to=1"), 1);
	set_all_second(SIMKME_UP);
	CHECK(until_kmes(world, 2), "%u KMEs", n_kmes(world, 0));
	CHECK_NUMBER("told", logs(world, 0, "kmes-changed link=qlink0 direction=tx from=1 to=2"), 1);
	burned = link_of(world, 0)->counters.keys_burned;
	world_run(world, LONG_MS);
	CHECK_NUMBER("burned later", link_of(world, 0)->counters.keys_burned, burned);
	CHECK(world_works(world) && world_is_hybrid(), "does not work");
	CHECK_NUMBER("source changes", link_of(world, 0)->counters.source_changes, 0);
	world_free(world);
}

/* Runs until the keys in stock and those staged are used up, and the source is the one that is wanted. */
static bool until_source(struct world *world, int source)
{
	unsigned int i;

	for (i = 0; i < 10 * LONG_MS / 10 && (link_of(world, 0)->choice.source != source ||
					      link_of(world, 1)->choice.source != source); i++)
		world_run(world, 10);
	return link_of(world, 0)->choice.source == source && link_of(world, 1)->choice.source == source;
}

TEST(fewer_kmes_than_demanded_give_no_hybrid_key)
{
	static const struct {
		const char *a, *b;
		int source;
		const char *why;
	} rows[] = {
		{ MIX " mix-least 2\n policy hybrid-required\n", MIX " policy hybrid-required\n",
		  POLICY_NO_SOURCE, "hybrid-required" },
		{ MIX, MIX " mix-least 2\n", QLINK_SOURCE_PQC, "prefer-hybrid" },
	};
	struct world *world;
	uint64_t hybrid;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		world = start(rows[i].a, rows[i].b);
		CHECK(until_kmes(world, 2), "%s: not mixed", rows[i].why);
		CHECK_NUMBER("the greater holds", link_of(world, 0)->session.kmes_least, 2);
		CHECK_NUMBER("in the kernel", devices[0].accept_kmes, 2);
		CHECK_NUMBER("at both ends", link_of(world, 1)->session.kmes_least, 2);
		set_all_second(SIMKME_DRY);
		CHECK(until_source(world, rows[i].source), "%s: source %d", rows[i].why,
		      link_of(world, 0)->choice.source);
		hybrid = link_of(world, 0)->counters.tx_keys[QLINK_SOURCE_HYBRID];
		world_run(world, LONG_MS);
		CHECK_NUMBER(rows[i].why, link_of(world, 0)->counters.tx_keys[QLINK_SOURCE_HYBRID], hybrid);
		CHECK_NUMBER("one change", link_of(world, 0)->counters.source_changes, 1);
		set_all_second(SIMKME_UP);
		CHECK(until_source(world, QLINK_SOURCE_HYBRID) && until_kmes(world, 2), "%s: not back",
		      rows[i].why);
		world_free(world);
	}
}

TEST(an_end_with_too_few_kmes_blocks_the_link)
{
	struct world *world = start(MIX " mix-least 2\n policy hybrid-required\n",
				    HEAD " sae S\n kmes one\n policy hybrid-required\n");

	world_run(world, LONG_MS);
	CHECK_NUMBER("phase", link_of(world, 0)->session.phase, SESSION_PHASE_BLOCKED);
	CHECK(logs(world, 0, "no-source-in-common "), "not told");
	CHECK(logs(world, 1, "no-source-in-common "), "not told there");
	CHECK(logs(world, 0, "This end puts up to 2 into one key, the peer up to 1"), "not told why");
	CHECK(logs(world, 1, "This end puts up to 1 into one key, the peer up to 2"), "not told why there");
	CHECK_NUMBER("keys", devices[0].tx.n, 0);
	world_free(world);
}

/* Two KMEs that stand in for each other give one secret a key, which the other end does not accept. */
TEST(an_end_that_does_not_mix_draws_no_key_in_vain)
{
	struct world *world = start(MIX " mix-least 2\n", HEAD " sae S\n kmes one two\n");
	unsigned int i;

	world_run(world, LONG_MS);
	CHECK(world_works(world), "does not work");
	for (i = 0; i < 2; i++) {
		CHECK_NUMBER("told", logs(world, i, "too-few-kmes "), 1);
		CHECK_NUMBER("source", devices[i].tx.keys[0].source, QLINK_SOURCE_PQC);
		CHECK_NUMBER("refused", link_of(world, i)->counters.offers_refused, 0);
		CHECK_NUMBER("fetched", simkme_pairs[i].fetched, 0);
	}
	world_free(world);
}

TEST(a_kme_without_a_counterpart_gives_no_key)
{
	struct world *world = start(MIX, HEAD " sae S\n kmes one\n");

	world_run(world, LONG_MS);
	CHECK(world_works(world) && world_is_hybrid(), "does not work");
	CHECK_NUMBER("KMEs of end 0", n_kmes(world, 0), 1);
	CHECK_NUMBER("KMEs of end 1", n_kmes(world, 1), 1);
	CHECK_NUMBER("refused", link_of(world, 0)->counters.offers_refused, 0);
	CHECK_NUMBER("fetched", simkme_pairs[1].fetched, 0);
	world_free(world);
}

TEST(a_refusal_names_the_kme_and_only_that_one_rests)
{
	struct world *world = start(MIX, MIX);
	unsigned int i;

	CHECK(until_kmes(world, 2), "not mixed");
	/* The second KME of end 1 does not know what the one of end 0 gives. */
	set_second(1, KME_OP_DEC, SIMKME_DRY);
	for (i = 0; i < LONG_MS / 10 && n_kmes(world, 0) != 1; i++)
		world_run(world, 10);
	CHECK_NUMBER("KMEs of end 0", n_kmes(world, 0), 1);
	CHECK_NUMBER("KMEs of end 1", n_kmes(world, 1), 2);
	CHECK(logs(world, 0, "offer-refused link=qlink0 reason=key-id"), "not refused");
	CHECK(world_is_hybrid(), "not hybrid");
	set_second(1, KME_OP_DEC, SIMKME_UP);
	CHECK(until_kmes(world, 2), "not back");
	CHECK(world_works(world), "does not work");
	world_free(world);
}

TEST(a_refusal_that_names_no_kme_of_the_offer_has_all_rest)
{
	static const struct {
		uint8_t place;
		bool all;
	} rows[] = { { 0, true }, { 1, false }, { 2, false }, { 3, true }, { 8, true } };
	struct world *world;
	struct stocks *stocks;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		world = start(MIX, MIX);
		stocks = world->ends[0].link->stocks;
		CHECK(until_kmes(world, 2), "not mixed");
		world_run(world, LONG_MS);
		stocks_refused(stocks, SESSION_REASON_KME, rows[i].place, device_now);
		CHECK((stocks_usable(stocks) == 0) == rows[i].all, "place %u: %llu usable", rows[i].place,
		      (unsigned long long)stocks_usable(stocks));
		world_free(world);
	}
}

TEST(a_kme_that_is_too_slow_is_left_out_and_the_other_one_serves)
{
	struct world *world = start(MIX, MIX);
	const struct link_counters *counters = &link_of(world, 0)->counters;
	uint64_t burned, hybrid;
	unsigned int i;

	CHECK(until_kmes(world, 2), "not mixed");
	/* One key of the second KME of end 1 takes longer than an offer has. */
	second[1][KME_OP_DEC] = (struct simkme_plan){ .delay = 20, .per_key = 2 * SESSION_FETCH_MS };
	for (i = 0; i < LONG_MS / 10 && n_kmes(world, 0) != 1; i++)
		world_run(world, 10);
	CHECK_NUMBER("KMEs of end 0", n_kmes(world, 0), 1);
	CHECK(logs(world, 0, "offer-refused link=qlink0 reason=timeout"), "not refused");
	hybrid = counters->tx_keys[QLINK_SOURCE_HYBRID];
	burned = counters->keys_burned;
	world_run(world, 10 * LONG_MS);
	hybrid = counters->tx_keys[QLINK_SOURCE_HYBRID] - hybrid;
	CHECK(10 * (counters->keys_burned - burned) < hybrid, "%llu keys burned, %llu used",
	      (unsigned long long)(counters->keys_burned - burned), (unsigned long long)hybrid);
	CHECK(world_is_hybrid(), "not hybrid");
	CHECK_NUMBER("source changes", counters->source_changes, 0);
	CHECK_NUMBER("KMEs of end 0", n_kmes(world, 0), 1);
	set_second(1, KME_OP_DEC, SIMKME_UP);
	CHECK(until_kmes(world, 2), "not back");
	world_free(world);
}

/* Keys of the first KME that both ends hold, or have used. */
static uint64_t count_first(const struct world *world)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < 2; i++)
		sum += link_of(world, i)->counters.tx_keys[QLINK_SOURCE_HYBRID] +
		       stocks_kme_held(link_of(world, i)->stocks, 0);
	return sum;
}

/* Each offer is so long after the one before that the KME which is down at the peer may be tried with it. */
TEST(a_kme_that_is_down_at_the_peer_does_not_cost_the_rare_keys_of_another)
{
	struct world *world = start(RARE, RARE);
	uint64_t given, kept;
	unsigned int i;

	CHECK(until_kmes(world, 2), "not mixed");
	simkme_pairs[0].supply = simkme_pairs[0].given;
	set_second(1, KME_OP_STATUS, SIMKME_BROKEN);
	set_second(1, KME_OP_ENC, SIMKME_BROKEN);
	set_second(1, KME_OP_DEC, SIMKME_BROKEN);
	/* What both had before is used up. */
	world_run(world, 60 * LONG_MS);
	kept = count_first(world);
	given = simkme_pairs[0].given;
	for (i = 0; i < 60 * 3; i++) {
		simkme_pairs[0].supply++;
		world_run(world, LONG_MS / 3);
	}
	kept = count_first(world) - kept;
	given = simkme_pairs[0].given - given;
	CHECK(given == 180 && kept <= given && 10 * kept > 9 * given, "%llu keys given, %llu lost",
	      (unsigned long long)given, (unsigned long long)(given - kept));
	CHECK_NUMBER("source", link_of(world, 0)->choice.source, QLINK_SOURCE_HYBRID);
	set_all_second(SIMKME_UP);
	simkme_pairs[0].supply += 1000;
	CHECK(until_kmes(world, 2), "not back");
	world_free(world);
}

TEST(a_kme_that_lies_at_one_end_gives_no_key)
{
	struct world *world = start(MIX, MIX);

	set_second(1, KME_OP_DEC, SIMKME_WRONG);
	world_run(world, LONG_MS);
	CHECK(link_of(world, 0)->counters.failures, "no failure");
	CHECK(logs(world, 0, "session-failed link=qlink0 reason=confirm"), "another reason");
	CHECK_NUMBER("hybrid keys to send", link_of(world, 0)->counters.tx_keys[QLINK_SOURCE_HYBRID], 0);
	world_free(world);
}

/* --- what else an end demands --- */

static char psk_paths[2][32];

/* Writes a file with 32 bytes, all of them @byte. */
static const char *make_psk(unsigned int i, char byte)
{
	char data[32];
	int fd;

	strcpy(psk_paths[i], "/tmp/test-psk-XXXXXX");
	fd = mkstemp(psk_paths[i]);
	memset(data, byte, sizeof(data));
	if (fd < 0 || write(fd, data, sizeof(data)) != (ssize_t)sizeof(data))
		BAIL_OUT();
	close(fd);
	return psk_paths[i];
}

static void with_psk(char *text, size_t room, const char *path)
{
	snprintf(text, room, MIX "%s%s\n", path ? " psk " : "", path ? path : "");
}

TEST(pre_shared_secrets_that_differ_block_the_link_and_both_ends_say_so)
{
	static const struct {
		char bytes[2];
		const char *why[2];
	} rows[] = {
		{ { 'a', 'a' }, { NULL, NULL } },
		{ { 'a', 'b' }, { "the pre-shared secrets (psk) of the two ends differ",
				  "the pre-shared secrets (psk) of the two ends differ" } },
		{ { 'a', 0 }, { "this end has a pre-shared secret (psk) for this link, the peer has none",
				"the peer has a pre-shared secret (psk) for this link, this end has none" } },
	};
	static char texts[2][2048];
	struct world *world;
	unsigned int i, end;

	for (i = 0; i < COUNT(rows); i++) {
		for (end = 0; end < 2; end++)
			with_psk(texts[end], sizeof(texts[end]),
				 rows[i].bytes[end] ? make_psk(end, rows[i].bytes[end]) : NULL);
		world = start(texts[0], texts[1]);
		world_run(world, 1000);
		for (end = 0; end < 2; end++) {
			CHECK_NUMBER("phase", link_of(world, end)->session.phase,
				     rows[i].why[end] ? SESSION_PHASE_BLOCKED : SESSION_PHASE_READY);
			CHECK(!rows[i].why[end] || logs(world, end, rows[i].why[end]), "row %u, end %u", i, end);
			CHECK_NUMBER("lines", logs(world, end, "psk-differs "), rows[i].why[end] ? 1 : 0);
			CHECK_NUMBER("keys", devices[end].tx.n > 0, !rows[i].why[end]);
			if (rows[i].bytes[end])
				unlink(psk_paths[end]);
		}
		world_free(world);
	}
}

TEST(a_file_that_is_no_pre_shared_secret_is_refused)
{
	static char text[2048];
	struct config config;
	struct config_error error;
	struct exchange x = { 0 };
	struct qlink_why why;
	const char *path = make_psk(0, 'a');

	with_psk(text, sizeof(text), path);
	CHECK(!config_parse(&config, text, strlen(text), "conf", &error), "%s", error.text);
	CHECK(truncate(path, 31) == 0, "truncate");
	CHECK(preshared_load(&x, path, &why), "31 bytes are taken");
	CHECK(strstr(why.text, "has 31 bytes; a pre-shared secret has 32 to 1024"), "%s", why.text);
	CHECK(truncate(path, 1025) == 0, "truncate");
	CHECK(preshared_load(&x, path, &why), "1025 bytes are taken");
	CHECK(truncate(path, 32) == 0 && chmod(path, 0644) == 0, "mode");
	CHECK(preshared_load(&x, path, &why), "a file that others can read is taken");
	CHECK(strstr(why.text, path), "%s", why.text);
	CHECK(!x.has_psk, "it has a secret");
	CHECK(chmod(path, 0600) == 0 && !preshared_load(&x, path, &why), "%s", why.text);
	CHECK(preshared_is_same(&x, path), "not the same");
	CHECK(!preshared_is_same(&x, NULL), "the same as none");
	unlink(path);
	CHECK(!preshared_is_same(&x, path), "the same as a missing one");
	exchange_end(&x);
	config_free(&config);
}

TEST(a_suite_below_the_floor_of_an_end_blocks_the_link)
{
	struct world *world = start(MIX, MIX " suite-least 2\n");
	unsigned int end;

	world_run(world, 1000);
	for (end = 0; end < 2; end++) {
		CHECK_NUMBER("phase", link_of(world, end)->session.phase, SESSION_PHASE_BLOCKED);
		CHECK_NUMBER("told", logs(world, end, "suite-too-low "), 1);
		CHECK_NUMBER("keys", devices[end].tx.n, 0);
	}
	CHECK(logs(world, 0, "suite-least here is 1, of the peer 2"), "not both numbers");
	world_free(world);
}

TEST(a_chain_from_zero_is_refused_until_an_operator_accepts_it)
{
	struct world *world = start(MIX " chain-required yes\n", MIX);
	unsigned int end, n;

	world_run(world, 1000);
	for (end = 0; end < 2; end++) {
		CHECK_NUMBER("phase", link_of(world, end)->session.phase, SESSION_PHASE_BLOCKED);
		CHECK_NUMBER("told", logs(world, end, "no-chain "), 1);
		CHECK_NUMBER("keys", devices[end].tx.n, 0);
	}
	CHECK(logs(world, 0, "chain-required is set here"), "not where");
	CHECK(logs(world, 1, "chain-required is set at the peer"), "not where");
	link_accept_chain(world->ends[0].link);
	CHECK(until_kmes(world, 2), "no keys");
	/* The connection may be made again: the chains are there. */
	world_run(world, 5000);
	world_cut(world);
	world_connect(world);
	CHECK(world_until_works(world, LONG_MS) < LONG_MS, "not after a cut");
	CHECK_NUMBER("told again", logs(world, 0, "no-chain "), 1);
	/* The other agent forgets its chains. What is staged stays. */
	n = devices[0].tx.n;
	world_restart(world, 1);
	world_connect(world);
	world_run(world, 100);
	CHECK_NUMBER("phase", link_of(world, 0)->session.phase, SESSION_PHASE_BLOCKED);
	CHECK_NUMBER("told again", logs(world, 0, "no-chain "), 2);
	CHECK(devices[0].tx.n >= n - 1 && n > 1, "%u keys of %u", devices[0].tx.n, n);
	CHECK(world_flows(world), "no frames under what is staged");
	link_accept_chain(world->ends[0].link);
	CHECK(world_until_works(world, LONG_MS) < LONG_MS, "not accepted");
	world_free(world);
}

/* An operator may say so too early, on a link that needs no keys for hours. */
TEST(an_accepted_chain_that_did_not_start_from_zero_is_not_accepted_later)
{
	struct world *world = start(MIX " chain-required yes\n", MIX);

	link_accept_chain(world->ends[0].link);
	CHECK(until_kmes(world, 2), "no keys");
	world->has_traffic = false;
	world_run(world, LONG_MS);
	link_accept_chain(world->ends[0].link);
	world_run(world, LONG_MS);
	CHECK_NUMBER("phase", link_of(world, 0)->session.phase, SESSION_PHASE_READY);
	world_restart(world, 1);
	world_connect(world);
	world_run(world, 1000);
	CHECK_NUMBER("phase", link_of(world, 0)->session.phase, SESSION_PHASE_BLOCKED);
	CHECK_NUMBER("told", logs(world, 0, "no-chain "), 1);
	world_free(world);
}
