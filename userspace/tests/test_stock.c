// SPDX-License-Identifier: GPL-2.0-or-later
/* The stock of a link: real keys from the simulator, and a clock that the test sets. */
#include <stdio.h>
#include <string.h>

#include "qlinkd/agreement/policy.h"
#include "site.h"

/* A site whose KME has more keys than fit its store of 100. */
static struct site *start_full(void)
{
	struct site *site;

	lab_start("", "");
	site = site_start(0, SCARCE);
	SITE_WAIT(site, stock_held(site->stock) == 100 && stock_deadline(site->stock) == UINT64_MAX);
	return site;
}

/* Offer one key that the peer cannot fetch. */
static void offer_unknown(struct site *site, enum session_reason reason)
{
	struct stock_taken taken;

	stock_take(site->stock, 1, now, &taken);
	CHECK_NUMBER("offered", taken.n, 1);
	stock_spend(site->stock);
	stock_refused(site->stock, reason, now);
}

static uint64_t requests(const struct site *site)
{
	return stock_server(site->stock, 0)->counters[KME_COUNTER_ENC];
}

TEST(a_kme_with_many_keys_fills_the_store_and_is_not_asked_again)
{
	struct site *site;

	site = start_full();
	CHECK_NUMBER("the cover first, then the rest", requests(site), 2);
	CHECK(strstr(lab_command("status"), "\"stored\":900"), "%s", lab_command("status"));
	now += 3600000;
	stock_run(site->stock, now);
	CHECK_NUMBER("an hour later", requests(site), 2);
	CHECK_NUMBER("usable", stock_usable(site->stock), 100);
	site_stop(site);
	lab_stop();
}

TEST(a_paused_store_stays_at_the_outage_cover)
{
	struct site *site;

	lab_start("", "");
	site = site_start(0, SCARCE);
	stock_hold(site->stock, now + 2000);
	SITE_WAIT(site, stock_held(site->stock) == 8 && stock_deadline(site->stock) == now + 2000);
	now += 1999;
	stock_run(site->stock, now);
	CHECK_NUMBER("the cover", requests(site), 1);
	now++;
	SITE_WAIT(site, stock_held(site->stock) == 100);
	CHECK_NUMBER("the rest", requests(site), 2);
	site_stop(site);
	lab_stop();
}

TEST(a_store_is_filled_as_soon_as_the_pause_ends)
{
	struct site *site;

	lab_start("", "");
	site = site_start(0, SCARCE);
	stock_hold(site->stock, now + 2000);
	SITE_WAIT(site, stock_held(site->stock) == 8 && stock_deadline(site->stock) == now + 2000);
	stock_hold(site->stock, 0);
	SITE_WAIT(site, stock_held(site->stock) == 100);
	CHECK_NUMBER("the cover, then the rest", requests(site), 2);
	site_stop(site);
	lab_stop();
}

TEST(a_kme_with_few_keys_is_asked_for_the_cover_with_a_doubling_back_off)
{
	static const unsigned int pauses[] = { 200, 200, 400, 800, 1600, 2000, 2000 };
	struct site *site;
	size_t i;

	lab_start("dry short\nstored-key-count 0\n", "");
	lab_command("stock SAE-A SAE-B 5");
	site = site_start(0, SCARCE);
	SITE_WAIT(site, site->n_changed >= 2);
	CHECK_NUMBER("all it had", stock_held(site->stock), 5);
	CHECK_NUMBER("of 8", stock_server(site->stock, 0)->counters[KME_COUNTER_KEYS_MISSING], 3);
	for (i = 0; i < COUNT(pauses); i++) {
		unsigned int changes = site->n_changed;

		CHECK_NUMBER("pause", stock_deadline(site->stock), now + pauses[i]);
		now += pauses[i] - 1;
		stock_run(site->stock, now);
		CHECK_NUMBER("not before", requests(site), i + 1);
		now++;
		SITE_WAIT(site, site->n_changed > changes);
		CHECK_NUMBER("then", requests(site), i + 2);
	}
	/* The client asks for one key now, then for two, and so on. */
	lab_command("stock SAE-A SAE-B 1000");
	for (i = 0; i < 10 && stock_held(site->stock) < 100; i++) {
		unsigned int changes = site->n_changed;

		now = stock_deadline(site->stock) == UINT64_MAX ? now : stock_deadline(site->stock);
		SITE_WAIT(site, site->n_changed > changes);
	}
	CHECK_NUMBER("filled up", stock_held(site->stock), 100);
	site_stop(site);
	lab_stop();
}

/* A link that fell back must get enough keys to return, even if a quarter of them is used. */
TEST(the_outage_cover_is_at_least_what_a_return_needs)
{
	const uint64_t want = (10000 / 500 + 1) * 4 / 3 + 1;
	struct site *site;

	lab_start("dry short\nstored-key-count 0\n", "");
	lab_command("stock SAE-A SAE-B 1");
	site = site_start(0, " kmes one\n store 100\n outage-cover 0\n floor-ms 100\n ceiling-ms 500\n");
	SITE_WAIT(site, stock_held(site->stock) == 1);
	CHECK_NUMBER("asked for", 1 + stock_server(site->stock, 0)->counters
				      [KME_COUNTER_KEYS_MISSING], want);
	CHECK_NUMBER("ten seconds", stock_enough(site->stock, 500), 20);
	CHECK_NUMBER("a whole number of periods", stock_enough(site->stock, 3333), 4);
	site_stop(site);
	site = site_start(0, " kmes one\n store 3\n outage-cover 0\n floor-ms 100\n ceiling-ms 500\n");
	lab_command("stock SAE-A SAE-B 1");
	SITE_WAIT(site, stock_held(site->stock) == 1);
	CHECK_NUMBER("not above the size of the store", 1 + stock_server(site->stock, 0)->counters
						    [KME_COUNTER_KEYS_MISSING], 3);
	CHECK_NUMBER("a return needs no more than fit the store", stock_enough(site->stock, 500), 3);
	site_stop(site);
	lab_stop();
}

TEST(offered_keys_are_burned_whether_used_or_not)
{
	struct stock_taken first, second;
	char id[STORE_ID_BYTES_MAX];
	struct site *site;
	size_t len;

	lab_start("dry short\nstored-key-count 0\n", "");
	lab_command("stock SAE-A SAE-B 6");
	site = site_start(0, SCARCE);
	SITE_WAIT(site, stock_held(site->stock) == 6);
	stock_take(site->stock, 2, now, &first);
	CHECK_NUMBER("taken", first.n, 2);
	CHECK_NUMBER("of the first KME", first.node, 0);
	CHECK(stock_kme_id(site->stock, 0).len == 5 && !memcmp(stock_kme_id(site->stock, 0).data, "KME-A", 5),
	      "another KME ID");
	CHECK(first.ids[0].len != first.ids[1].len ||
	      memcmp(first.ids[0].data, first.ids[1].data, first.ids[0].len), "one ID for two keys");
	CHECK(first.secrets[0].len >= 32 && memcmp(first.secrets[0].data, first.secrets[1].data, 32),
	      "one key for two IDs");
	CHECK_NUMBER("in stock beside them", stock_held(site->stock), 4);
	len = first.ids[0].len;
	memcpy(id, first.ids[0].data, len);
	stock_spend(site->stock);
	stock_take(site->stock, 64, now, &second);
	CHECK_NUMBER("the rest", second.n, 4);
	CHECK(second.ids[0].len != len || memcmp(second.ids[0].data, id, len), "offered again");
	stock_spend(site->stock);
	stock_take(site->stock, 1, now, &second);
	CHECK_NUMBER("nothing left", second.n, 0);
	CHECK_NUMBER("held", stock_held(site->stock), 0);
	site_stop(site);
	lab_stop();
}

TEST(a_refusal_pauses_a_kme_and_an_offer_of_one_key_tests_whether_it_works_again)
{
	static const unsigned int pauses[] = { 2000, 4000, 8000, 10000, 10000 };
	struct stock_taken taken;
	struct site *site;
	size_t i;

	site = start_full();
	for (i = 0; i < COUNT(pauses); i++) {
		stock_take(site->stock, 4, now, &taken);
		CHECK_NUMBER("offered", taken.n, i ? 1 : 4);
		stock_spend(site->stock);
		stock_refused(site->stock, SESSION_REASON_KME, now);
		now += pauses[i] - 1;
		CHECK(!stock_probe(site->stock, now), "a probe is due too early");
		CHECK(stock_held(site->stock) > 0, "no keys in store");
		CHECK_NUMBER("the period does not count them", stock_period(site->stock, 0, now), 10000);
		stock_take(site->stock, 4, now, &taken);
		CHECK_NUMBER("not before", taken.n, 0);
		now++;
		CHECK_NUMBER("not usable", stock_usable(site->stock), 0);
		CHECK(stock_probe(site->stock, now), "no probe is due");
	}
	stock_take(site->stock, 4, now, &taken);
	CHECK_NUMBER("one key as a test", taken.n, 1);
	stock_spend(site->stock);
	stock_agreed(site->stock, now);
	stock_take(site->stock, 4, now, &taken);
	CHECK_NUMBER("half of what was refused", taken.n, 2);
	stock_spend(site->stock);
	stock_agreed(site->stock, now);
	stock_take(site->stock, 4, now, &taken);
	CHECK_NUMBER("as before", taken.n, 4);
	stock_spend(site->stock);
	CHECK_NUMBER("usable", stock_usable(site->stock), stock_held(site->stock));
	stock_refused(site->stock, SESSION_REASON_KME, now);
	CHECK(stock_probe(site->stock, now + 2000), "the pause is as long as the first one");
	site_stop(site);
	lab_stop();
}

/* A KME may drop its oldest keys. The stock finds how many by giving up half of them at a time. */
TEST(after_a_refused_key_id_the_newest_key_is_offered_and_old_keys_are_given_up)
{
	struct stock_taken taken;
	struct site *site;
	uint64_t held;

	site = start_full();
	stock_take(site->stock, 4, now, &taken);
	stock_spend(site->stock);
	stock_refused(site->stock, SESSION_REASON_KEY_ID, now);
	now += 2000;
	stock_take(site->stock, 4, now, &taken);
	CHECK_NUMBER("one key as a test", taken.n, 1);
	stock_spend(site->stock);
	CHECK_NUMBER("the newest was known: older keys given up", stock_agreed(site->stock, now), 48);
	CHECK_NUMBER("held", stock_held(site->stock), 47);
	stock_take(site->stock, 4, now, &taken);
	CHECK_NUMBER("as before", taken.n, 4);
	stock_spend(site->stock);
	CHECK_NUMBER("known too: none given up", stock_agreed(site->stock, now), 0);
	held = stock_held(site->stock);
	stock_refused(site->stock, SESSION_REASON_KME, now);
	now += 2000;
	stock_take(site->stock, 4, now, &taken);
	stock_spend(site->stock);
	CHECK_NUMBER("a KME that was down still has its keys: none given up", stock_agreed(site->stock, now), 0);
	CHECK_NUMBER("held", stock_held(site->stock), held - 1);
	site_stop(site);
	lab_stop();
}

/* As after a restart of the peer's KME: the store is full of keys that it does not know. */
TEST(if_the_newest_key_id_is_refused_too_a_fresh_key_is_fetched)
{
	struct stock_taken taken;
	struct site *site;
	unsigned int i;

	site = start_full();
	for (i = 0; i < 2; i++) {
		offer_unknown(site, SESSION_REASON_KEY_ID);
		now += 2000U << i;
	}
	CHECK_NUMBER("held", stock_held(site->stock), 98);
	SITE_WAIT(site, stock_held(site->stock) == 99 && stock_deadline(site->stock) == UINT64_MAX);
	stock_take(site->stock, 64, now, &taken);
	CHECK_NUMBER("a fresh one", taken.n, 1);
	stock_spend(site->stock);
	CHECK_NUMBER("half of the others given up", stock_agreed(site->stock, now), 49);
	site_stop(site);
	lab_stop();
}

/*
 * Has the first KME fail one request, so that the store gets keys of the second, too. Which of the
 * two is up first, and gives the first keys, is up to the network.
 */
static void fill_from_both(struct site *site)
{
	struct stock_taken taken = { .n = 0 };

	do {
		SITE_WAIT(site, site->n_up - site->n_down == 2 && stock_held(site->stock) >= 10);
		if (tap_has_failed() || stock_held(site->stock) == 20)
			return;
		stock_take(site->stock, 64, now, &taken);
		if (!taken.node)
			CHECK_TEXT("fault", lab_command("fault a http 500 op enc_keys count 1"), "ok");
		stock_spend(site->stock);
	} while (taken.node);
	SITE_WAIT(site, stock_held(site->stock) == 20);
}

TEST(keys_of_several_kmes_are_offered_in_the_configured_order)
{
	struct stock_taken taken;
	struct site *site;

	lab_start("", "");
	site = site_start(0, " kmes one two\n store 10\n outage-cover 4\n");
	fill_from_both(site);
	stock_take(site->stock, 64, now, &taken);
	CHECK_NUMBER("of one KME only", taken.n, 10);
	CHECK_NUMBER("the first", taken.node, 0);
	stock_spend(site->stock);
	stock_refused(site->stock, SESSION_REASON_KME, now);
	stock_take(site->stock, 64, now, &taken);
	CHECK(taken.n, "no key of the second");
	CHECK_NUMBER("the second", taken.node, 1);
	stock_spend(site->stock);
	site_stop(site);
	lab_stop();
}

TEST(a_dead_kme_is_skipped)
{
	struct stock_taken taken;
	struct site *site;

	lab_start("", "");
	site = site_start(0, " kmes dead one\n store 10\n outage-cover 4\n");
	SITE_WAIT(site, stock_held(site->stock) == 10);
	CHECK(site->n_down, "its failure was not reported");
	stock_take(site->stock, 1, now, &taken);
	CHECK_NUMBER("place", taken.n ? taken.node : 0, 1);
	stock_spend(site->stock);
	site_stop(site);
	lab_stop();
}

TEST(a_kme_that_is_up_again_is_tested_with_one_key_at_once)
{
	struct stock_taken taken;
	struct site *site;
	unsigned int i;

	site = start_full();
	for (i = 0; i < 4; i++) {
		offer_unknown(site, SESSION_REASON_KME);
		now += i < 3 ? 60000 : 0;
	}
	CHECK_NUMBER("usable", stock_usable(site->stock), 0);
	/* The next request for keys fails, but the status request after it succeeds. */
	lab_command("fault a http 500 op enc_keys count 1");
	stock_take(site->stock, 1, now + 60000, &taken);
	stock_spend(site->stock);
	while (stock_held(site->stock) > 70) {
		now += 60000;
		stock_take(site->stock, 64, now, &taken);
		stock_spend(site->stock);
	}
	stock_refused(site->stock, SESSION_REASON_KME, now);
	CHECK(!stock_probe(site->stock, now), "a probe is due before");
	SITE_WAIT(site, site->n_down == 1 && site->n_up == 2);
	CHECK(stock_probe(site->stock, now), "no probe is due after");
	stock_take(site->stock, 64, now, &taken);
	CHECK_NUMBER("one key as a test", taken.n, 1);
	stock_spend(site->stock);
	stock_refused(site->stock, SESSION_REASON_KME, now);
	CHECK(stock_probe(site->stock, now + 4000), "the pause is long");
	site_stop(site);
	lab_stop();
}

TEST(keys_that_expire_are_wiped_and_the_period_allows_for_it)
{
	struct site *site;

	lab_start("dry short\nstored-key-count 0\n", "");
	lab_command("stock SAE-A SAE-B 8");
	site = site_start(0, SCARCE " max-age-s 100\n");
	SITE_WAIT(site, stock_held(site->stock) == 8);
	/* A minute shared by 6 keys; two more are kept in case the next delivery is late. */
	CHECK_NUMBER("period", stock_period(site->stock, 0, now), 10000);
	now += 99999;
	stock_run(site->stock, now);
	CHECK_NUMBER("not yet", stock_held(site->stock), 8);
	now++;
	stock_run(site->stock, now);
	CHECK_NUMBER("wiped", stock_held(site->stock), 0);
	site_stop(site);
	lab_stop();
}

/* Nothing is offered on an idle link, or while the peer is away. */
TEST(keys_that_expire_are_asked_for_again_although_none_is_offered)
{
	struct stock_taken taken;
	struct site *site;
	unsigned int i;

	lab_start("", "");
	site = site_start(0, SCARCE " max-age-s 100\n");
	SITE_WAIT(site, stock_held(site->stock) == 100 && stock_deadline(site->stock) == UINT64_MAX);
	for (i = 1; i <= 3; i++) {
		now += 100000;
		stock_run(site->stock, now);
		CHECK_NUMBER("too old", stock_expired(site->stock), 100 * i);
		SITE_WAIT(site, stock_held(site->stock) == 100 &&
			  stock_deadline(site->stock) == UINT64_MAX);
	}
	/* The same if the first to notice is an offer. */
	now += 100000;
	stock_take(site->stock, 1, now, &taken);
	CHECK_NUMBER("all too old", taken.n, 0);
	stock_spend(site->stock);
	SITE_WAIT(site, stock_held(site->stock) == 100);
	/* 98 keys for the 100 s from one delivery to the next. */
	CHECK_NUMBER("period", stock_period(site->stock, 0, now), 1020);
	site_stop(site);
	lab_stop();
}

/* Also if the store asked for more while the request was under way: they are of the time before. */
TEST(keys_that_come_after_a_wipe_are_dropped)
{
	const struct kme_server *server;
	struct stock_taken taken;
	struct site *site;
	uint64_t answered;
	unsigned int i;

	site = start_full();
	server = stock_server(site->stock, 0);
	answered = server->counters[KME_COUNTER_ANSWERED];
	CHECK_TEXT("slow", lab_command("set a ms-per-key 50"), "ok");
	for (i = 0; i < 2; i++) {
		stock_take(site->stock, 40, now, &taken);
		CHECK_NUMBER("taken", taken.n, 40);
		stock_spend(site->stock);
		stock_run(site->stock, now);
	}
	CHECK_NUMBER("wiped", stock_wipe(site->stock, now), 20);
	SITE_WAIT(site, server->counters[KME_COUNTER_ANSWERED] > answered);
	CHECK_NUMBER("in stock", stock_held(site->stock), 0);
	CHECK_NUMBER("asked again", stock_deadline(site->stock), now + 1000);
	lab_command("set a ms-per-key 0");
	now += 1000;
	SITE_WAIT(site, stock_held(site->stock) == 100);
	site_stop(site);
	lab_stop();
}

TEST(the_period_follows_the_stock)
{
	struct stock_taken taken;
	struct site *site;

	lab_start("dry short\nstored-key-count 0\n", "");
	lab_command("stock SAE-A SAE-B 32");
	site = site_start(0, " kmes one\n store 100\n outage-cover 32\n floor-ms 1000\n"
			     " ceiling-ms 10000\n reserve 2\n");
	CHECK_NUMBER("empty", stock_period(site->stock, 0, now), 10000);
	SITE_WAIT(site, stock_held(site->stock) == 32);
	CHECK_NUMBER("30 beside the reserve", stock_period(site->stock, 0, now), 2000);
	CHECK_NUMBER("and 30 staged", stock_period(site->stock, 30, now), 1000);
	stock_take(site->stock, 20, now, &taken);
	stock_spend(site->stock);
	CHECK_NUMBER("of 10", stock_period(site->stock, 0, now), 6000);
	site_stop(site);
	lab_stop();
}

TEST(a_link_waits_for_its_kmes_for_a_limited_time)
{
	struct site *site;

	lab_start("", "");
	site = site_start(0, " kmes dead\n");
	CHECK(!stock_is_decided(site->stock, now + 999), "decided too early");
	CHECK(stock_is_decided(site->stock, now + 1000), "waits for a dead KME");
	site_stop(site);
	site = site_start(0, SCARCE);
	SITE_WAIT(site, site->n_up == 1);
	if (!site->n_changed || !stock_held(site->stock)) {
		CHECK(!stock_is_decided(site->stock, now + 2999), "decided before its answer");
		CHECK(stock_is_decided(site->stock, now + 3000), "waits without end");
	}
	SITE_WAIT(site, stock_held(site->stock) > 0);
	CHECK(stock_is_decided(site->stock, now), "an answer does not decide");
	site_stop(site);
	site = site_start(0, " policy pqc-only\n");
	lab_stop();
	site_stop(site);
}

static enum session_reason fetch(struct site *site, const struct kme_key *keys, unsigned int n)
{
	struct bytes ids[SESSION_OFFER_MAX];
	unsigned int i;

	for (i = 0; i < n; i++)
		ids[i] = (struct bytes){ (const uint8_t *)keys[i].id.text, strlen(keys[i].id.text) };
	site->want_secrets = n;
	return stock_fetch(site->stock, 0, ids, n);
}

TEST(keys_that_the_peer_names_are_fetched_in_its_order_and_only_once)
{
	static struct lab_client peer;
	struct kme_key turned[3];
	struct site *site;
	unsigned int i;

	lab_start("", "");
	site = site_start(0, SCARCE);
	SITE_WAIT(site, site->n_up == 1);
	lab_client_start(&peer, 1, NULL);
	CHECK_NUMBER("keys of the peer", lab_get(&peer, 3), 3);
	for (i = 0; i < 3; i++)
		turned[i] = peer.keys[2 - i];
	CHECK_NUMBER("fetch", fetch(site, turned, 3), SESSION_REASON_NONE);
	CHECK_NUMBER("a second one at once", fetch(site, turned, 3), SESSION_REASON_KME);
	SITE_WAIT(site, site->n_fetched == 1);
	CHECK_NUMBER("reason", site->reason, SESSION_REASON_NONE);
	for (i = 0; i < 3; i++)
		CHECK(site->lens[i] == turned[i].len &&
		      !memcmp(site->secrets[i], turned[i].bytes, turned[i].len),
		      "key %u is another", i);
	CHECK_NUMBER("again", fetch(site, turned, 1), SESSION_REASON_NONE);
	SITE_WAIT(site, site->n_fetched == 2);
	CHECK_NUMBER("fetched before", site->reason, SESSION_REASON_KEY_ID);
	lab_client_stop(&peer);
	site_stop(site);
	lab_stop();
}

TEST(an_impossible_fetch_fails_at_once_with_the_reason)
{
	static const struct {
		const char *key_id;
		enum session_reason reason;
		const char *why;
	} rows[] = {
		{ "short", SESSION_REASON_KEY_ID, "a key ID that is too short" },
		{ "with a blank", SESSION_REASON_KEY_ID,
		  "a character that IDs cannot have" },
	};
	struct kme_key key;
	struct site *site;
	size_t i;

	lab_start("", "");
	site = site_start(0, SCARCE);
	SITE_WAIT(site, site->n_up == 1);
	for (i = 0; i < COUNT(rows); i++) {
		snprintf(key.id.text, sizeof(key.id.text), "%s", rows[i].key_id);
		CHECK_NUMBER(rows[i].why, fetch(site, &key, 1), rows[i].reason);
	}
	CHECK_NUMBER("nothing was asked", stock_server(site->stock, 0)->counters[KME_COUNTER_DEC], 0);
	CHECK_NUMBER("no answer comes", site->n_fetched, 0);
	site_stop(site);
	site = site_start(0, " kmes dead\n");
	snprintf(key.id.text, sizeof(key.id.text), "12345678");
	CHECK_NUMBER("a KME that is not up", fetch(site, &key, 1), SESSION_REASON_KME);
	site_stop(site);
	lab_stop();
}

TEST(a_lost_answer_burns_keys_and_is_reported)
{
	struct site *site;

	lab_start("", "");
	lab_command("fault a truncate op enc_keys count 1");
	site = site_start(0, SCARCE);
	SITE_WAIT(site, site->n_burned > 0);
	CHECK_NUMBER("burned", site->n_burned, 8);
	SITE_WAIT(site, stock_held(site->stock) == 100);
	CHECK_NUMBER("down in between", site->n_down, 1);
	site_stop(site);
	lab_stop();
}

/* All keys of a KME are too long for the store. It is asked once a second, then more and more rarely. */
TEST(a_kme_whose_keys_cannot_be_used_is_not_drained)
{
	static const unsigned int pauses[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };
	struct site *site;
	size_t i;

	lab_start("key-size 1024\nignore-size yes\n", "");
	site = site_start(0, SCARCE);
	for (i = 0; i < COUNT(pauses); i++) {
		SITE_WAIT(site, site->n_refused == 8 * (i + 1) &&
				stock_deadline(site->stock) == now + pauses[i]);
		CHECK_TEXT("why", site->why.text, "key of 128 bytes, not 32 to 64; see key-bytes");
		stock_run(site->stock, now + pauses[i] - 1);
		CHECK_NUMBER("requests", requests(site), i + 1);
		now += pauses[i];
	}
	CHECK_NUMBER("kept", stock_held(site->stock), 0);
	site_stop(site);
	lab_stop();
}

/* A KME gives one key to both ends, and keys again that it gave before. */
TEST(a_key_that_came_before_is_refused_in_both_directions)
{
	static struct lab_client peer;
	struct bytes id;
	struct site *site;

	lab_start("repeat-keys yes\nserve-twice yes\n", "repeat-keys yes\nserve-twice yes\n");
	lab_client_start(&peer, 1, NULL);
	CHECK_NUMBER("the peer gets", lab_get(&peer, 1), 1);
	site = site_start(0, SCARCE);
	/* Each answer to us begins with the key that the peer got. */
	SITE_WAIT(site, stock_held(site->stock) >= 90 && stock_deadline(site->stock) == now + 1000);
	CHECK(site->n_refused >= 2, "%llu keys refused", (unsigned long long)site->n_refused);
	CHECK(strstr(site->why.text, "the KME gave it or its ID before, here or to the peer"), "%s",
	      site->why.text);
	CHECK(strstr(site->why.text, peer.keys[0].id.text), "%s", site->why.text);
	id = (struct bytes){ (const uint8_t *)peer.keys[0].id.text, strlen(peer.keys[0].id.text) };
	site->n_refused = 0;
	CHECK_NUMBER("fetch", stock_fetch(site->stock, 0, &id, 1), SESSION_REASON_NONE);
	SITE_WAIT(site, site->n_fetched == 1);
	CHECK_NUMBER("what the peer offers of it", site->reason, SESSION_REASON_KEY_ID);
	CHECK_NUMBER("refused", site->n_refused, 1);
	lab_client_stop(&peer);
	site_stop(site);
	lab_stop();
}
