// SPDX-License-Identifier: GPL-2.0-or-later
/* The client against the simulator over TLS: keys, faults, health. */
#include <stdio.h>
#include <string.h>

#include "kme_lab.h"
#include "tap.h"

static struct lab_client a, b;

static void both_start(const char *more_a, const char *more_b)
{
	lab_start(more_a, more_b);
	lab_client_start(&a, 0, NULL);
	lab_client_start(&b, 1, NULL);
	LAB_WAIT(&a, a.n_up[0]);
	LAB_WAIT(&b, b.n_up[0]);
}

static void both_stop(void)
{
	lab_client_stop(&a);
	lab_client_stop(&b);
	lab_stop();
}

/* Every key of b's answer equals the key of a's answer with the same ID. */
static bool are_equal(size_t n)
{
	const struct kme_key *got, *want;
	size_t i;

	for (i = 0; i < n; i++) {
		got = &b.keys[i];
		want = &a.keys[got->place];
		if (strcmp(got->id.text, want->id.text) || got->len != want->len ||
		    memcmp(got->bytes, want->bytes, got->len))
			return false;
	}
	return true;
}

TEST(both_ends_get_the_same_keys)
{
	both_start("", "");
	CHECK_NUMBER("got", lab_get(&a, 100), 100);
	CHECK_NUMBER("outcome", a.answer.outcome, KME_OUTCOME_KEYS);
	CHECK_NUMBER("bytes", a.keys[99].len, 32);
	CHECK_NUMBER("fetched", lab_fetch(&b, a.keys, 100), 100);
	CHECK(are_equal(100), "the keys differ");
	CHECK_NUMBER("fetched twice", lab_fetch(&b, a.keys, 2), 0);
	CHECK_NUMBER("outcome", b.answer.outcome, KME_OUTCOME_EMPTY);
	CHECK_TEXT("why", b.answer.why.text, "answers dec_keys with 400: "
		   "\"one or more keys specified are not found on KME\"");
	CHECK(strstr(lab_command("status"), "\"stored\":900"), "%s", lab_command("status"));
	both_stop();
}

TEST(a_client_requests_and_fetches_keys_at_once)
{
	struct kme_key_id ids[3];
	size_t i;

	both_start("", "");
	CHECK_NUMBER("b gets", lab_get(&b, 3), 3);
	for (i = 0; i < 3; i++)
		ids[i] = b.keys[i].id;
	CHECK_NUMBER("a gets", kme_get_keys(a.kme, 0, 5), 0);
	CHECK_NUMBER("and fetches", kme_fetch_keys(a.kme, 0, ids, 3), 0);
	CHECK_NUMBER("one enc_keys at a time", kme_get_keys(a.kme, 0, 1), -16);
	CHECK_NUMBER("one dec_keys at a time", kme_fetch_keys(a.kme, 0, ids, 3), -16);
	LAB_WAIT(&a, a.n_answers == 2);
	CHECK_NUMBER("keys of both", lab_counter(&a, KME_COUNTER_KEYS), 8);
	both_stop();
}

/* A fault of one answer: the outcome, the counters that move, and the reason. */
struct fault_row {
	const char *fault;
	enum kme_outcome outcome;
	size_t n_keys, n_burned;
	const char *moved, *says, *why;
};

static void check_row(const struct fault_row *row, struct lab_client *client,
		      const struct kme_server *before)
{
	CHECK_NUMBER(row->why, client->answer.n_keys, row->n_keys);
	CHECK_TEXT(row->why, kme_outcome_name(client->answer.outcome),
		   kme_outcome_name(row->outcome));
	CHECK_NUMBER(row->why, client->answer.n_burned, row->n_burned);
	CHECK_TEXT(row->why, lab_moved(client, before), row->moved);
	CHECK(strstr(client->answer.why.text, row->says) &&
	      !*row->says == !client->answer.why.text[0], "%s: says '%s', want '%s'",
	      row->why, client->answer.why.text, row->says);
}

static const struct fault_row enc_rows[] = {
	{ "http 400", KME_OUTCOME_EMPTY, 0, 0, "enc_keys_requests 1, empty 1",
	  "answers enc_keys with 400", "400" },
	{ "http 404", KME_OUTCOME_EMPTY, 0, 0, "enc_keys_requests 1, empty 1",
	  "answers enc_keys with 404", "404" },
	{ "http 503", KME_OUTCOME_EMPTY, 0, 0, "enc_keys_requests 1, empty 1",
	  "answers enc_keys with 503", "503" },
	{ "http 401", KME_OUTCOME_DENIED, 0, 0, "enc_keys_requests 1, denied 1",
	  "answers enc_keys with 401", "401" },
	{ "http 403", KME_OUTCOME_DENIED, 0, 0, "enc_keys_requests 1, denied 1",
	  "answers enc_keys with 403", "403" },
	{ "http 500", KME_OUTCOME_BROKEN, 0, 8,
	  "enc_keys_requests 1, http 1, keys_burned 8",
	  "answers enc_keys with 500", "500" },
	{ "http 504", KME_OUTCOME_BROKEN, 0, 8,
	  "enc_keys_requests 1, http 1, keys_burned 8",
	  "answers enc_keys with 504", "504" },
	{ "http 302", KME_OUTCOME_BROKEN, 0, 0, "enc_keys_requests 1, http 1",
	  "answers enc_keys with 302", "a redirect is not followed" },
	{ "http 204", KME_OUTCOME_BROKEN, 0, 0, "enc_keys_requests 1, http 1",
	  "answers enc_keys with 204", "no content" },
	{ "html 502", KME_OUTCOME_BROKEN, 0, 8,
	  "enc_keys_requests 1, http 1, keys_burned 8",
	  "answers enc_keys with 502", "HTML of a gateway" },
	{ "html 200", KME_OUTCOME_BROKEN, 0, 8,
	  "enc_keys_requests 1, malformed 1, keys_burned 8",
	  "not JSON: line 1, column 1", "HTML instead of keys" },
	{ "truncate", KME_OUTCOME_BROKEN, 0, 8,
	  "enc_keys_requests 1, malformed 1, keys_burned 8",
	  "not JSON: line 1, column", "half of the JSON" },
	{ "cut", KME_OUTCOME_BROKEN, 0, 8,
	  "enc_keys_requests 1, cut 1, keys_burned 8", "",
	  "the connection ends within the answer" },
	{ "huge 512", KME_OUTCOME_BROKEN, 0, 8,
	  "enc_keys_requests 1, too_big 1, keys_burned 8",
	  "answers with more than 24576 bytes", "512 KiB" },
	{ "garbage", KME_OUTCOME_BROKEN, 0, 8,
	  "enc_keys_requests 1, malformed 1, keys_burned 8",
	  "not JSON: line", "bytes that are not text" },
	{ "size 128", KME_OUTCOME_BROKEN, 0, 8,
	  "enc_keys_requests 1, answered 1, keys_burned 8, bad_size 8",
	  "key 1: has 128 bits, want 256 to 1024", "keys too small" },
	{ "duplicate-id", KME_OUTCOME_BROKEN, 0, 8,
	  "enc_keys_requests 1, answered 1, keys_burned 8, repeated 8",
	  "has the same key_ID or key more than once", "one ID for all" },
	{ "duplicate-key", KME_OUTCOME_BROKEN, 0, 8,
	  "enc_keys_requests 1, answered 1, keys_burned 8, repeated 8",
	  "has the same key_ID or key more than once", "one key for all" },
	{ "bad-id", KME_OUTCOME_BROKEN, 0, 8,
	  "enc_keys_requests 1, answered 1, keys_burned 8, bad_id 8",
	  "key 1: its key_ID must have 8 to 64 of 0-9A-Za-z-", "a slash in the ID" },
	{ "bad-base64", KME_OUTCOME_BROKEN, 0, 8,
	  "enc_keys_requests 1, answered 1, keys_burned 8, bad_base64 8",
	  "key 1: must be canonical base64", "stray bits" },
	{ "wrong-key", KME_OUTCOME_KEYS, 8, 0,
	  "enc_keys_requests 1, answered 1, keys 8", "", "only the peers can notice it" },
	{ "short", KME_OUTCOME_KEYS, 7, 0,
	  "enc_keys_requests 1, answered 1, keys 7, keys_missing 1", "",
	  "one key too few" },
	{ "extra", KME_OUTCOME_KEYS, 8, 1,
	  "enc_keys_requests 1, answered 1, keys 8, keys_burned 1, extra 1",
	  "more keys than the 8 asked for", "one key too many" },
	{ "size 512", KME_OUTCOME_KEYS, 8, 0,
	  "enc_keys_requests 1, answered 1, keys 8", "", "bigger keys are good" },
};

TEST(each_enc_keys_fault_has_its_reason_and_counter)
{
	struct kme_server before;
	unsigned int down;
	size_t i;

	both_start("", "");
	/* From here on the client knows that POST works. */
	CHECK_NUMBER("warm up", lab_get(&a, 1), 1);
	for (i = 0; i < COUNT(enc_rows); i++) {
		LAB_WAIT(&a, kme_server(a.kme, 0)->health == KME_HEALTH_UP);
		/* After a refusal, requests grow again with each full answer. */
		while (kme_server(a.kme, 0)->batch < 8)
			lab_get(&a, kme_server(a.kme, 0)->batch);
		LAB_WAIT(&a, kme_server(a.kme, 0)->health == KME_HEALTH_UP);
		CHECK_TEXT(enc_rows[i].why, lab_command("fault a %s op enc_keys count 1",
						    enc_rows[i].fault), "ok");
		before = *kme_server(a.kme, 0);
		down = a.n_down[0];
		lab_get(&a, 8);
		if (!strcmp(enc_rows[i].fault, "cut")) {
			CHECK(a.answer.why.text[0], "no reason for the end of the connection");
			a.answer.why.text[0] = '\0';
		}
		check_row(&enc_rows[i], &a, &before);
		CHECK_NUMBER(enc_rows[i].why, a.n_down[0] - down,
			     enc_rows[i].outcome == KME_OUTCOME_BROKEN ||
			     enc_rows[i].outcome == KME_OUTCOME_DENIED);
	}
	both_stop();
}

TEST(each_dec_keys_fault_has_its_reason_and_counter)
{
	static const struct fault_row rows[] = {
		{ "http 503", KME_OUTCOME_KEYS, 4, 0,
		  "dec_keys_requests 3, answered 2, empty 1, keys 4",
		  "answers dec_keys with 503", "the next request is for fewer" },
		{ "http 401", KME_OUTCOME_KEYS, 4, 0,
		  "dec_keys_requests 3, answered 2, denied 1, keys 4",
		  "answers dec_keys with 401", "401 instead of 400" },
		{ "http 504", KME_OUTCOME_BROKEN, 0, 4,
		  "dec_keys_requests 1, http 1, keys_burned 4",
		  "answers dec_keys with 504", "504" },
		{ "truncate", KME_OUTCOME_BROKEN, 0, 4,
		  "dec_keys_requests 1, malformed 1, keys_burned 4",
		  "not JSON: line 1, column", "half of the JSON" },
		{ "wrong-id", KME_OUTCOME_BROKEN, 0, 4,
		  "dec_keys_requests 1, answered 1, keys_burned 4, unknown_id 4",
		  "key 1: its key_ID was not asked for", "keys that were not requested" },
		{ "short", KME_OUTCOME_KEYS, 3, 0,
		  "dec_keys_requests 1, answered 1, keys 3, keys_missing 1", "",
		  "one key too few" },
		{ "extra", KME_OUTCOME_KEYS, 4, 1,
		  "dec_keys_requests 1, answered 1, keys 4, keys_burned 1, extra 1",
		  "more keys than the 4 asked for", "one key too many" },
		{ "size 192", KME_OUTCOME_BROKEN, 0, 4,
		  "dec_keys_requests 1, answered 1, keys_burned 4, bad_size 4",
		  "key 1: has 192 bits, want 256 to 1024", "keys too small" },
	};
	struct kme_server before;
	size_t i;

	both_start("", "");
	for (i = 0; i < COUNT(rows); i++) {
		CHECK_NUMBER("get", lab_get(&a, 5), 5);
		/* The client knows that POST works here too, and the KME is up. */
		CHECK_NUMBER("warm up", lab_fetch(&b, &a.keys[4], 1), 1);
		CHECK_TEXT(rows[i].why, lab_command("fault b %s op dec_keys count 1",
						    rows[i].fault), "ok");
		before = *kme_server(b.kme, 0);
		lab_fetch(&b, a.keys, 4);
		check_row(&rows[i], &b, &before);
		CHECK(are_equal(b.answer.n_keys), "%s: the keys differ", rows[i].why);
	}
	both_stop();
}

/* A KME that does not answer in time costs at most the timeout; then the client backs off. */
static void check_late(const char *fault)
{
	static const struct lab_options hasty = { .timeout_ms = 1500 };
	struct kme_server before;

	lab_start("", "");
	lab_client_start(&a, 0, &hasty);
	CHECK_NUMBER("warm up", lab_get(&a, 1), 1);
	CHECK_TEXT("fault", lab_command("fault a %s op enc_keys", fault), "ok");
	before = *kme_server(a.kme, 0);
	CHECK_NUMBER("none", lab_get(&a, 6), 0);
	CHECK_TEXT("outcome", kme_outcome_name(a.answer.outcome), "broken");
	CHECK_TEXT("counters", lab_moved(&a, &before),
		   "enc_keys_requests 1, timeout 1, keys_burned 6");
	CHECK_NUMBER("down", kme_server(a.kme, 0)->health, KME_HEALTH_DOWN);
	CHECK_NUMBER("no request while down", kme_get_keys(a.kme, 0, 6), -11);
	CHECK_NUMBER("the simulator delivered them",
		     strstr(lab_command("status"), "\"stored\":993") != NULL, 1);
	CHECK_TEXT("clear", lab_command("clear a"), "ok");
	CHECK_NUMBER("used again when up, with one key", lab_get(&a, 6), 1);
	CHECK_NUMBER("then with two", lab_get(&a, 6), 2);
	CHECK_NUMBER("failures are reset", kme_server(a.kme, 0)->failures, 0);
	lab_client_stop(&a);
	lab_stop();
}

TEST(a_request_to_a_kme_that_hangs_times_out_and_a_later_one_works) { check_late("hang"); }
TEST(a_request_to_a_kme_that_drips_times_out_and_a_later_one_works) { check_late("drip 400"); }

TEST(pauses_grow_while_a_kme_stays_down)
{
	struct kme_server server;
	int64_t want[] = { 100, 200, 400, 800, 1000, 1000 };
	size_t i;

	kme_server_init(&server, 0, 15000);
	for (i = 0; i < COUNT(want); i++) {
		kme_server_failed(&server, 5000, 100, 1000, 0);
		CHECK_NUMBER("longest", server.retry_ms - 5000, want[i]);
		server.failures--;
		kme_server_failed(&server, 5000, 100, 1000, 1023);
		CHECK(server.retry_ms - 5000 >= want[i] / 2 &&
		      server.retry_ms - 5000 < want[i] * 6 / 10,
		      "shortest: %lld of %lld", (long long)server.retry_ms - 5000,
		      (long long)want[i]);
	}
	kme_server_worked(&server);
	kme_server_failed(&server, 0, 100, 1000, 0);
	CHECK_NUMBER("starts again with the first pause", server.retry_ms, 100);
}

TEST(a_good_status_alone_does_not_end_a_back_off)
{
	both_start("", "");
	lab_command("fault a http 500 op enc_keys count 3");
	lab_get(&a, 1);
	lab_get(&a, 1);
	lab_get(&a, 1);
	CHECK_NUMBER("failures in a row", kme_server(a.kme, 0)->failures, 3);
	CHECK_NUMBER("up in between", a.n_up[0], 3);
	lab_get(&a, 1);
	CHECK_NUMBER("none", kme_server(a.kme, 0)->failures, 0);
	both_stop();
}

TEST(a_kme_that_stopped_is_used_again_when_it_is_back)
{
	struct kme_server before;

	both_start("", "");
	CHECK_NUMBER("warm up", lab_get(&a, 1), 1);
	CHECK_TEXT("stop", lab_command("stop a"), "ok");
	before = *kme_server(a.kme, 0);
	lab_get(&a, 5);
	CHECK_TEXT("outcome", kme_outcome_name(a.answer.outcome), "broken");
	LAB_WAIT(&a, lab_counter(&a, KME_COUNTER_UNREACHABLE) >
		 before.counters[KME_COUNTER_UNREACHABLE] + 2);
	CHECK_NUMBER("none burned if the connection ended before the request, or at most all",
		     a.answer.n_burned % 5, 0);
	CHECK_TEXT("start", lab_command("start a"), "ok");
	CHECK_NUMBER("used again", lab_get(&a, 5), 5);
	CHECK_TEXT("restart", lab_command("restart a 100"), "ok");
	LAB_WAIT(&a, (lab_get(&a, 1), a.answer.outcome == KME_OUTCOME_KEYS));
	CHECK_NUMBER("fetched", lab_fetch(&b, a.keys, 1), 1);
	both_stop();
}

TEST(a_kme_has_no_keys_while_its_partner_is_down)
{
	both_start("", "");
	CHECK_NUMBER("warm up", lab_get(&a, 1), 1);
	lab_command("stop b");
	CHECK_NUMBER("none", lab_get(&a, 1), 0);
	CHECK_TEXT("no keys", kme_outcome_name(a.answer.outcome), "empty");
	lab_command("set a peer-down 504");
	CHECK_NUMBER("none", lab_get(&a, 1), 0);
	CHECK_TEXT("by a gateway", kme_outcome_name(a.answer.outcome), "broken");
	lab_command("start b");
	CHECK_NUMBER("again", lab_get(&a, 1), 1);
	both_stop();
}

TEST(the_next_kme_takes_over)
{
	/* Nobody listens there. */
	static const struct lab_options options = { .first = "https://127.0.0.1:1" };

	lab_start("", "");
	lab_client_start(&a, 0, &options);
	CHECK_NUMBER("got", lab_get(&a, 3), 3);
	CHECK_NUMBER("from the second", a.answer.node, 1);
	CHECK(kme_server(a.kme, 0)->counters[KME_COUNTER_UNREACHABLE] > 0,
	      "the first was not tried");
	CHECK_NUMBER("the first was not asked for keys",
		     kme_server(a.kme, 0)->counters[KME_COUNTER_ENC], 0);
	lab_client_stop(&a);
	lab_stop();
}

TEST(keys_that_one_kme_lacks_do_not_burn_the_others)
{
	struct kme_key mixed[20];
	size_t i;

	both_start("", "");
	CHECK_NUMBER("good ones", lab_get(&a, 19), 19);
	memcpy(mixed, a.keys, 19 * sizeof(mixed[0]));
	lab_command("fault a one-side count 1");
	CHECK_NUMBER("one that is lost", lab_get(&a, 1), 1);
	mixed[19] = mixed[7];
	mixed[7] = a.keys[0];
	CHECK_NUMBER("all but one", lab_fetch(&b, mixed, 20), 19);
	for (i = 0; i < 19; i++) {
		const struct kme_key *want = &mixed[b.keys[i].place];

		CHECK(b.keys[i].place != 7 && !strcmp(b.keys[i].id.text, want->id.text) &&
		      !memcmp(b.keys[i].bytes, want->bytes, 32), "key %zu", i);
	}
	CHECK_NUMBER("none burned", b.answer.n_burned, 0);
	CHECK_NUMBER("and the KME is up", kme_server(b.kme, 0)->health, KME_HEALTH_UP);
	both_stop();
}

TEST(requests_to_a_kme_that_knows_no_id_stop)
{
	struct kme_server before;
	uint64_t n;

	both_start("", "");
	lab_command("fault a one-side");
	CHECK_NUMBER("got", lab_get(&a, 64), 64);
	before = *kme_server(b.kme, 0);
	CHECK_NUMBER("none", lab_fetch(&b, a.keys, 64), 0);
	CHECK_TEXT("outcome", kme_outcome_name(b.answer.outcome), "empty");
	n = lab_counter(&b, KME_COUNTER_DEC) - before.counters[KME_COUNTER_DEC];
	CHECK(n > 8 && n < 32, "%llu requests for 64 lost keys", (unsigned long long)n);
	both_stop();
}

TEST(a_running_job_ends_without_an_answer_when_its_client_is_freed)
{
	lab_start("", "");
	lab_client_start(&a, 0, NULL);
	CHECK_NUMBER("warm up", lab_get(&a, 1), 1);
	CHECK_NUMBER("requested", kme_get_keys(a.kme, 0, 5), 0);
	kme_run(a.kme);
	lab_client_stop(&a);
	CHECK_NUMBER("no answer", a.n_answers, 0);
	lab_stop();
}

TEST(requests_that_break_a_rule_are_refused)
{
	struct kme_key_id ids[2] = { { "00000000-0001" }, { "00000000-0001" } };

	both_start("", "");
	CHECK_NUMBER("no key", kme_get_keys(a.kme, 0, 0), -22);
	CHECK_NUMBER("too many", kme_get_keys(a.kme, 0, KME_BATCH_MAX + 1), -22);
	CHECK_NUMBER("no such KME", kme_fetch_keys(a.kme, 1, ids, 1), -22);
	CHECK_NUMBER("an ID twice", kme_fetch_keys(a.kme, 0, ids, 2), -22);
	strcpy(ids[0].text, "a/b/c/d/e");
	CHECK_NUMBER("an ID with a slash", kme_fetch_keys(a.kme, 0, ids, 1), -22);
	memset(ids[0].text, 'a', sizeof(ids[0].text));
	CHECK_NUMBER("an ID without a NUL", kme_fetch_keys(a.kme, 0, ids, 1), -22);
	both_stop();
}

TEST(configurations_that_break_a_rule_are_refused)
{
	static const struct {
		struct kme_node_conf node;
		const char *sae, *rule, *why;
	} rows[] = {
		{ { .url = "http://k" }, "S",
		  "KME 'http://k': must begin with https://", "no TLS" },
		{ { .url = "https://k/" }, "S",
		  "KME 'https://k/': must not end with a slash", "a slash" },
		{ { .url = "https://u@k" }, "S",
		  "KME 'https://u@k': must not have a '@'", "a user" },
		{ { .url = "https://k", .id = "" }, "S",
		  "KME ID '': must have 1 to 128 bytes", "empty ID" },
		{ { .url = "https://k" }, "S",
		  "KME 'https://k': must have a CA, a certificate and a key", "no CA" },
		{ { .url = "https://k", .turn_ms = 999 }, "S",
		  "KME 'https://k': must have turns of 1000 to 6000 ms", "short turns" },
		{ { .url = "https://k", .turn_ms = 6001 }, "S",
		  "KME 'https://k': must have turns of 1000 to 6000 ms", "long turns" },
		{ { .url = "https://k", .turn_ms = 2000, .ca = "c", .certificate = "c", .key = "k" }, "S",
		  "SAE ID 'S': must have the names of both ends, which take turns", "whose turn is it" },
		{ { .url = "https://k" }, "", "SAE ID '': must have 1 to 128 bytes", "no SAE" },
	};
	static const struct kme_ops no_ops;
	struct qlink_why why;
	struct kme *kme;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		struct kme_conf conf = {
			.sae = rows[i].sae, .nodes = &rows[i].node, .n_nodes = 1,
			.connect_ms = 1, .timeout_ms = 1, .retry_min_ms = 1, .retry_max_ms = 1,
		};

		CHECK_NUMBER(rows[i].why, kme_new(&conf, a.loop, &no_ops, NULL, &kme, &why), -22);
		CHECK_TEXT(rows[i].why, why.text, rows[i].rule);
	}
}

/* A reload after both the KME's CA and its certificate were replaced. */
TEST(a_new_ca_is_used_by_the_next_connection)
{
	static const struct lab_options own = { .ca = "ca" };

	lab_start_as("impostor");
	lab_client_start(&a, 0, &own);
	LAB_WAIT(&a, a.why.text[0]);
	CHECK(strstr(a.why.text, "unable to get local issuer certificate"), "%s", a.why.text);
	lab_client_renew(&a, "sae-a", "other-ca", NULL);
	LAB_WAIT(&a, a.n_up[0]);
	CHECK_NUMBER("got", lab_get(&a, 3), 3);
	lab_client_stop(&a);
	lab_stop();
}

/* What was trusted is trusted no longer, on the connection that is idle neither. */
TEST(an_idle_connection_is_not_used_with_other_credentials)
{
	lab_start("", "");
	lab_client_start(&a, 0, NULL);
	CHECK_NUMBER("got", lab_get(&a, 3), 3);
	lab_client_renew(&a, "sae-a", "other-ca", NULL);
	CHECK_NUMBER("asked", kme_get_keys(a.kme, 0, 3), 0);
	LAB_WAIT(&a, a.n_answers == 2);
	CHECK_NUMBER("got", a.answer.n_keys, 0);
	CHECK(strstr(a.answer.why.text, "self-signed certificate in certificate chain"), "%s", a.answer.why.text);
	lab_client_renew(&a, "stranger", "ca", NULL);
	LAB_WAIT(&a, a.n_down[0]);
	lab_client_renew(&a, "sae-a", "ca", NULL);
	CHECK_NUMBER("got", lab_get(&a, 3), 3);
	lab_client_stop(&a);
	lab_stop();
}

TEST(a_revoked_certificate_is_refused)
{
	static const struct lab_options none = { .crl = "none" }, revoked = { .crl = "revoked" };

	lab_start("", "");
	lab_client_start(&a, 0, &none);
	CHECK_NUMBER("got", lab_get(&a, 3), 3);
	lab_client_stop(&a);
	lab_client_start(&a, 0, &revoked);
	LAB_WAIT(&a, a.why.text[0]);
	CHECK(strstr(a.why.text, "certificate revoked"), "%s", a.why.text);
	CHECK_NUMBER("up", a.n_up[0], 0);
	lab_client_stop(&a);
	lab_stop();
}
