// SPDX-License-Identifier: GPL-2.0-or-later
/* The client against the ways of key servers in the field, and identities at both ends. */
#include <stdio.h>
#include <string.h>

#include "kme_lab.h"
#include "tap.h"

static struct lab_client a, b;

static uint64_t counter(enum kme_counter which)
{
	return kme_server(a.kme, 0)->counters[which];
}

static bool are_equal(size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const struct kme_key *want = &a.keys[b.keys[i].place];

		if (strcmp(b.keys[i].id.text, want->id.text) ||
		    b.keys[i].len != want->len ||
		    memcmp(b.keys[i].bytes, want->bytes, want->len))
			return false;
	}
	return true;
}

/* With these settings at both KMEs, how many of 20 keys come at once. */
TEST(keys_come_whatever_the_settings_of_the_kme)
{
	static const struct {
		const char *settings;
		size_t n, bytes;
	} rows[] = {
		{ "methods get\n", 20, 32 },
		{ "methods post\n", 20, 32 },
		{ "methods get\nignore-query yes\n", 1, 32 },
		{ "ignore-size yes\nkey-size 352\n", 20, 44 },
		{ "key-size 32\n", 20, 32 },
		{ "key-size 128\n", 20, 32 },
		{ "min-key-size 520\n", 20, 65 },
		{ "max-key-per-request 1\n", 1, 32 },
		{ "max-key-per-request 10\n", 10, 32 },
		{ "over-limit short\nmax-key-per-request 10\n", 10, 32 },
		{ "key-ids opaque\n", 20, 32 },
		{ "json pretty\n", 20, 32 },
		{ "order reverse\n", 20, 32 },
		{ "connection close\n", 20, 32 },
		{ "status-numbers strings\n", 20, 32 },
		{ "stored-key-count 0\n", 20, 32 },
		{ "serve-twice yes\n", 20, 32 },
		{ "keep-batches 1\n", 20, 32 },
		{ "keep-ms 60000\n", 20, 32 },
		{ "error-body html\n", 20, 32 },
	};
	unsigned int round;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		lab_start(rows[i].settings, rows[i].settings);
		lab_client_start(&a, 0, NULL);
		lab_client_start(&b, 1, NULL);
		/* Twice: the second time the client knows which method works. */
		for (round = 0; round < 2; round++) {
			CHECK_NUMBER(rows[i].settings, lab_get(&a, 20), rows[i].n);
			CHECK_NUMBER(rows[i].settings, a.keys[0].len, rows[i].bytes);
			CHECK_NUMBER(rows[i].settings,
				     lab_fetch(&b, a.keys, rows[i].n), rows[i].n);
			CHECK(are_equal(rows[i].n), "%s: keys differ", rows[i].settings);
		}
		CHECK_NUMBER(rows[i].settings, counter(KME_COUNTER_METHOD),
			     !strncmp(rows[i].settings, "methods get", 11));
		CHECK_NUMBER(rows[i].settings, counter(KME_COUNTER_KEYS_BURNED), 0);
		lab_client_stop(&a);
		lab_client_stop(&b);
		lab_stop();
	}
}

TEST(keys_that_are_too_small_are_refused)
{
	lab_start("ignore-size yes\nkey-size 128\n", "");
	lab_client_start(&a, 0, NULL);
	CHECK_NUMBER("none", lab_get(&a, 3), 0);
	CHECK_TEXT("why", a.answer.why.text, "key 1: has 128 bits, want 256 to 1024");
	CHECK_NUMBER("counted", counter(KME_COUNTER_FAULTS + KME_FAULT_SIZE), 3);
	CHECK_NUMBER("burned", counter(KME_COUNTER_KEYS_BURNED), 3);
	lab_client_stop(&a);
	lab_stop();
}

/* Request keys until as many come as wanted: each request is as large as the client has learnt. */
static bool get_eventually(size_t ask, size_t want)
{
	unsigned int tries;

	for (tries = 0; tries < 1000; tries++)
		if (lab_get(&a, ask) == want)
			return true;
	return false;
}

TEST(every_way_to_have_no_keys_is_empty_and_ends_when_keys_come)
{
	static const char *const ways[] = { "400", "404", "503", "short" };
	size_t i;

	for (i = 0; i < COUNT(ways); i++) {
		lab_start("", "");
		CHECK_TEXT(ways[i], lab_command("set a dry %s", ways[i]), "ok");
		CHECK_TEXT(ways[i], lab_command("stock SAE-A SAE-B 0"), "ok");
		lab_client_start(&a, 0, NULL);
		CHECK_NUMBER(ways[i], lab_get(&a, 4), 0);
		CHECK_TEXT(ways[i], kme_outcome_name(a.answer.outcome), "empty");
		CHECK_NUMBER(ways[i], counter(KME_COUNTER_EMPTY) > 0, 1);
		CHECK_NUMBER(ways[i], counter(KME_COUNTER_KEYS_BURNED), 0);
		CHECK_NUMBER(ways[i], a.n_down[0], 0);
		CHECK_TEXT(ways[i], lab_command("supply SAE-A SAE-B fibre 100000"), "ok");
		CHECK(get_eventually(4, 4), "%s: still no keys", ways[i]);
		lab_client_stop(&a);
		lab_stop();
	}
}

/* The client tries GET after the first error, and learns from 405 that the error meant no keys. */
TEST(an_error_is_not_about_the_method_where_the_kme_has_no_other)
{
	lab_start("methods post\nerror-body empty\n", "");
	CHECK_TEXT("dry", lab_command("set a dry 400"), "ok");
	CHECK_TEXT("stock", lab_command("stock SAE-A SAE-B 0"), "ok");
	lab_client_start(&a, 0, NULL);
	CHECK_NUMBER("none", lab_get(&a, 4), 0);
	CHECK_TEXT("outcome", kme_outcome_name(a.answer.outcome), "empty");
	CHECK_TEXT("why", a.answer.why.text, "answers enc_keys with 400");
	CHECK_NUMBER("GET was tried", counter(KME_COUNTER_METHOD), 1);
	CHECK_NUMBER("one request was empty", counter(KME_COUNTER_EMPTY), 1);
	CHECK_NUMBER("no failure", counter(KME_COUNTER_HTTP), 0);
	CHECK_NUMBER("method", kme_server(a.kme, 0)->method[KME_OP_ENC], KME_METHOD_POST);
	CHECK_NUMBER("none again", lab_get(&a, 4), 0);
	CHECK_NUMBER("GET was not tried again", counter(KME_COUNTER_METHOD), 1);
	lab_client_stop(&a);
	lab_stop();
}

TEST(a_limit_that_a_kme_does_not_report_is_found)
{
	lab_start("", "");
	lab_client_start(&a, 0, NULL);
	CHECK_NUMBER("as reported", lab_get(&a, 200), 128);
	lab_command("set a max-key-per-request 10");
	CHECK(get_eventually(128, 8), "not found by halving");
	CHECK_NUMBER("no failure", a.n_down[0], 0);
	lab_client_stop(&a);
	lab_stop();
}

TEST(many_ids_are_fetched_in_as_many_requests_as_needed)
{
	lab_start("", "max-key-per-request 10\n");
	lab_client_start(&a, 0, NULL);
	lab_client_start(&b, 1, NULL);
	CHECK_NUMBER("got", lab_get(&a, 64), 64);
	CHECK_NUMBER("fetched", lab_fetch(&b, a.keys, 64), 64);
	CHECK(are_equal(64), "keys differ");
	CHECK_NUMBER("requests", kme_server(b.kme, 0)->counters[KME_COUNTER_DEC], 7);
	lab_client_stop(&a);
	lab_client_stop(&b);
	lab_stop();
}

TEST(an_unknown_id_is_empty_or_denied_and_never_a_failure)
{
	static const char *const ways[] = { "400", "404", "401", "503" };
	struct kme_key key = { .id = { "00000000-0000-4000-8000-000000000000" } };
	size_t i;

	for (i = 0; i < COUNT(ways); i++) {
		lab_start("", "");
		lab_command("set b not-found %s", ways[i]);
		lab_client_start(&b, 1, NULL);
		CHECK_NUMBER(ways[i], lab_fetch(&b, &key, 1), 0);
		CHECK_TEXT(ways[i], kme_outcome_name(b.answer.outcome),
			   strcmp(ways[i], "401") ? "empty" : "denied");
		CHECK_NUMBER(ways[i], b.n_down[0], 0);
		lab_client_stop(&b);
		lab_stop();
	}
}

/* Which identities are accepted, by the first status. */
TEST(client_and_kme_check_each_others_identity)
{
	static const struct {
		struct lab_options options;
		const char *certificate;
		/* 0: the KME comes up */
		enum kme_counter counter;
		const char *says, *why;
	} rows[] = {
		{ { .id = "KME-A" }, "kme-a", 0, "", "the ID is the CN, the only name" },
		{ { .id = "KME-N" }, "named", 0, "", "the ID is a DNS name" },
		{ { .id = "kme:n" }, "named", 0, "", "the ID is a URI" },
		{ { .id = "-" }, "named", 0, "", "no ID, and the host's address is right" },
		{ { .id = "KME-B" }, "kme-a", KME_COUNTER_IDENTITY,
		  "its certificate does not have the KME ID 'KME-B'; it is of 'KME-A'", "another KME" },
		{ { .id = "KME-" }, "kme-a", KME_COUNTER_IDENTITY,
		  "its certificate does not have the KME ID 'KME-'", "a part of the CN" },
		{ { .id = "127.0.0.1" }, "named", KME_COUNTER_IDENTITY,
		  "its certificate does not have the KME ID '127.0.0.1'",
		  "an address is not an ID" },
		{ { .id = "-" }, "kme-a", KME_COUNTER_TLS, "127.0.0.1",
		  "no ID, and another host name" },
		{ { .id = "KME-A" }, "impostor", KME_COUNTER_TLS,
		  "our ca file does not have the CA of the KME's certificate: /tmp/",
		  "the right ID from another CA" },
		{ { .cert = "sae-b" }, "kme-a", KME_COUNTER_DENIED,
		  "does not know our certificate: /tmp/", "an SAE of the other KME" },
		{ { .cert = "kme-b" }, "kme-a", KME_COUNTER_DENIED,
		  "answers status with 401", "a KME, not an SAE" },
		{ { .sae = "SAE-X" }, "kme-a", KME_COUNTER_HTTP,
		  "knows no SAE 'SAE-X' that we have a link with, or https://127.0.0.1:", "no link with that peer" },
	};
	size_t i, k;

	for (i = 0; i < COUNT(rows); i++) {
		lab_start_as(rows[i].certificate);
		lab_client_start(&a, 0, &rows[i].options);
		LAB_WAIT(&a, a.n_up[0] || a.n_down[0]);
		CHECK_NUMBER(rows[i].why, a.n_down[0], rows[i].counter != 0);
		CHECK(strstr(a.why.text, rows[i].says), "%s: says '%s', want '%s'",
		      rows[i].why, a.why.text, rows[i].says);
		CHECK_TEXT("in the status", kme_server(a.kme, 0)->why.text, a.why.text);
		for (k = KME_COUNTER_ANSWERED; k < KME_COUNTER_N; k++)
			CHECK(counter((enum kme_counter)k) ==
			      (k == (rows[i].counter ?: KME_COUNTER_ANSWERED)),
			      "%s: %s is %llu", rows[i].why,
			      kme_counter_name((enum kme_counter)k),
			      (unsigned long long)counter((enum kme_counter)k));
		lab_client_stop(&a);
		lab_stop();
	}
}

/*
 * A TLS 1.3 server reports this while the request is being sent. If it closes the connection before
 * it has read the request, its alert is lost, and the client sees only the close.
 */
TEST(a_kme_that_refuses_our_certificate_is_down)
{
	static const struct lab_options unknown = { .cert = "stranger" };
	static const struct lab_options old = { .cert = "stranger", .tls = KME_TLS_1_2 };

	lab_start("", "");
	lab_client_start(&a, 0, &unknown);
	LAB_WAIT(&a, a.n_down[0]);
	CHECK_NUMBER("one of these", counter(KME_COUNTER_TLS) +
		     counter(KME_COUNTER_CUT), 1);
	CHECK(strstr(a.why.text, counter(KME_COUNTER_TLS) ?
		     "the KME does not accept our certificate, because it does not know the CA of it: /tmp/" :
		     "the KME closed the connection before any answer; does it refuse our certificate: /tmp/"),
	      "says '%s'", a.why.text);
	lab_client_stop(&a);
	lab_stop();
	lab_start("tls 1.2\n", "");
	lab_client_start(&a, 0, &old);
	LAB_WAIT(&a, a.n_down[0]);
	CHECK_NUMBER("TLS 1.2 reports it in the handshake", counter(KME_COUNTER_TLS), 1);
	lab_client_stop(&a);
	lab_stop();
}

TEST(an_sae_id_can_be_the_serial_number_of_its_certificate)
{
	static const struct lab_options c = { .cert = "sae-c", .sae = "SAE-A" };
	static const struct lab_options to_c = { .sae = "SAE-C" };

	lab_start("", "");
	lab_client_start(&a, 0, &to_c);
	lab_client_start(&b, 1, &c);
	CHECK_NUMBER("got", lab_get(&a, 2), 2);
	CHECK_NUMBER("fetched", lab_fetch(&b, a.keys, 2), 2);
	CHECK(are_equal(2), "keys differ");
	lab_client_stop(&a);
	lab_client_stop(&b);
	lab_stop();
}

/* Each fault of a status: which counter moves, and the reason. The KME goes down, then up. */
TEST(each_broken_status_has_its_reason_and_counter)
{
	static const struct {
		const char *fault;
		enum kme_counter counter;
		const char *says;
	} rows[] = {
		{ "http 500", KME_COUNTER_HTTP, "answers status with 500" },
		{ "http 401", KME_COUNTER_DENIED, "answers status with 401" },
		{ "http 404", KME_COUNTER_HTTP, "answers status with 404" },
		{ "html 200", KME_COUNTER_MALFORMED, "not JSON: line 1, column 1" },
		{ "truncate", KME_COUNTER_MALFORMED, "not JSON: line 1" },
		{ "garbage", KME_COUNTER_MALFORMED, "not JSON" },
		{ "huge 64", KME_COUNTER_TOO_BIG, "answers with more than 16384 bytes" },
		{ "cut", KME_COUNTER_CUT, "" },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		lab_start("", "");
		lab_command("fault a %s op status count 1", rows[i].fault);
		lab_client_start(&a, 0, NULL);
		LAB_WAIT(&a, a.n_down[0]);
		CHECK_NUMBER(rows[i].fault, counter(rows[i].counter), 1);
		CHECK(strstr(a.why.text, rows[i].says), "%s: says '%s'",
		      rows[i].fault, a.why.text);
		LAB_WAIT(&a, a.n_up[0]);
		CHECK_NUMBER(rows[i].fault, counter(KME_COUNTER_ANSWERED), 1);
		CHECK_NUMBER(rows[i].fault, counter(KME_COUNTER_STATUS), 2);
		lab_client_stop(&a);
		lab_stop();
	}
}

/* The batch follows what comes within half of the time limit, and one late answer is enough to learn it. */
TEST(a_slow_line_is_asked_for_what_comes_in_time)
{
	static const struct lab_options hasty = { .timeout_ms = 1500 };
	size_t n;

	lab_start("ms-per-key 50\n", "");
	lab_client_start(&a, 0, &hasty);
	CHECK_NUMBER("too many", lab_get(&a, 64), 0);
	CHECK_NUMBER("late", counter(KME_COUNTER_TIMEOUT), 1);
	CHECK_NUMBER("burned", counter(KME_COUNTER_KEYS_BURNED), 64);
	CHECK_NUMBER("an eighth", lab_get(&a, 64), 8);
	n = lab_get(&a, 64);
	CHECK(n > 8 && n <= 15, "%zu keys, not as many as come in 750 ms", n);
	n = lab_get(&a, 64);
	CHECK(n > 8 && n <= 15, "%zu keys, not as many as come in 750 ms", n);
	CHECK_NUMBER("none is late any more", counter(KME_COUNTER_TIMEOUT), 1);
	lab_client_stop(&a);
	lab_stop();
}

/* As one that holds a lock while it waits for the lock of the other KME. */
TEST(requests_of_both_ends_at_once_hang_at_a_kme_that_bears_one_end)
{
	static const struct lab_options hasty = { .timeout_ms = 2000 };
	uint64_t late;

	lab_start("one-end yes\n", "one-end yes\nms-per-key 30000\n");
	lab_client_start(&a, 0, &hasty);
	lab_client_start(&b, 1, NULL);
	CHECK_NUMBER("alone", lab_get(&a, 1), 1);
	LAB_WAIT(&b, b.n_up[0]);
	CHECK_NUMBER("get", kme_get_keys(b.kme, 0, 1), 0);
	/* Of the two, KME a comes first in the status. */
	LAB_WAIT(&b, strstr(strstr(lab_command("status"), "KME-B"), "\"enc_keys\":1"));
	late = counter(KME_COUNTER_TIMEOUT);
	CHECK_NUMBER("both at once", lab_get(&a, 1), 0);
	CHECK_NUMBER("late", counter(KME_COUNTER_TIMEOUT), late + 1);
	CHECK(strstr(a.answer.why.text, "no whole answer within kme-timeout-ms"), "%s", a.answer.why.text);
	CHECK(strstr(lab_command("status"), "\"met\":1"), "%s", lab_command("status"));
	lab_client_stop(&b);
	LAB_WAIT(&a, kme_server(a.kme, 0)->health == KME_HEALTH_UP);
	CHECK_NUMBER("alone again", lab_get(&a, 1), 1);
	lab_client_stop(&a);
	lab_stop();
}

/* Keys that are fetched one by one are given up with their offer, and the next fetch is not in their way. */
TEST(a_fetch_that_is_given_up_ends_at_once)
{
	static struct kme_key keys[6];
	struct kme_key_id ids[6];
	size_t i;

	lab_start("", "ms-per-key 200\nmethods get\n");
	lab_client_start(&a, 0, NULL);
	lab_client_start(&b, 1, NULL);
	CHECK_NUMBER("got", lab_get(&a, 6), 6);
	memcpy(keys, a.keys, sizeof(keys));
	for (i = 0; i < 6; i++)
		ids[i] = keys[i].id;
	CHECK_NUMBER("one", lab_fetch(&b, keys, 1), 1);
	CHECK_NUMBER("five", kme_fetch_keys(b.kme, 0, ids + 1, 5), 0);
	LAB_WAIT(&b, b.n_answers == 1 && kme_server(b.kme, 0)->counters[KME_COUNTER_KEYS] == 3);
	/* The third goes out. */
	CHECK(lab_poll(&b, lab_now_ms()), "nothing to do");
	kme_cancel_fetch(b.kme);
	CHECK_NUMBER("answered", b.n_answers, 2);
	CHECK_NUMBER("keys", b.answer.n_keys, 0);
	CHECK_TEXT("why", b.answer.why.text,
		   "is too slow: 2 of 5 keys came before the offer was over");
	CHECK_NUMBER("burned", b.answer.n_burned, 3);
	CHECK_NUMBER("up", kme_server(b.kme, 0)->health, KME_HEALTH_UP);
	kme_cancel_fetch(b.kme);
	CHECK_NUMBER("nothing to give up", b.n_answers, 2);
	CHECK_NUMBER("the next", lab_fetch(&b, keys + 5, 1), 1);
	lab_client_stop(&a);
	lab_client_stop(&b);
	lab_stop();
}

static void run_dry(const char *code, const char *body)
{
	lab_start("", "");
	CHECK_TEXT("code", lab_command("set a dry %s", code), "ok");
	CHECK_TEXT("body", lab_command("set a error-body %s", body), "ok");
	CHECK_TEXT("stock", lab_command("stock SAE-A SAE-B 0"), "ok");
	lab_client_start(&a, 0, NULL);
}

/* Its words say that a KME is dry, so that the method is not in doubt. */
TEST(words_of_dryness_are_no_reason_to_try_get)
{
	static const char *const bodies[] = { "message", "detail", "text" };
	size_t i;

	for (i = 0; i < COUNT(bodies); i++) {
		run_dry("400", bodies[i]);
		CHECK_NUMBER(bodies[i], lab_get(&a, 4), 0);
		CHECK_TEXT(bodies[i], a.answer.why.text,
			   "answers enc_keys with 400: \"not enough keys in stock\"");
		CHECK_NUMBER("GET was not tried", counter(KME_COUNTER_METHOD), 0);
		lab_client_stop(&a);
		lab_stop();
	}
}

/* Without words GET is tried, and may work because keys came meanwhile. POST is tried again. */
TEST(a_get_that_was_only_a_guess_gives_way_to_post)
{
	unsigned int i;

	run_dry("400", "empty");
	lab_command("set a methods get");
	lab_command("stock SAE-A SAE-B 1000");
	lab_command("fault a http 400 op enc_keys count 1");
	CHECK_NUMBER("by GET", lab_get(&a, 1), 1);
	CHECK_TEXT("method", kme_method_name(kme_server(a.kme, 0)->method[KME_OP_ENC]), "get");
	lab_command("set a methods both");
	for (i = 0; i < 8; i++)
		CHECK_NUMBER("keys", lab_get(&a, 1), 1);
	CHECK_TEXT("method", kme_method_name(kme_server(a.kme, 0)->method[KME_OP_ENC]), "post");
	lab_client_stop(&a);
	lab_stop();
}

/* Each end has its own batches; those of the other are not among the newest ones. */
TEST(a_kme_that_keeps_few_batches_forgets_the_oldest)
{
	static struct kme_key batches[3][2];
	int64_t made_ms;
	unsigned int i;

	lab_start("keep-batches 2\n", "keep-batches 2\n");
	lab_client_start(&a, 0, NULL);
	lab_client_start(&b, 1, NULL);
	for (i = 0; i < 3; i++) {
		CHECK_NUMBER("got", lab_get(&a, 2), 2);
		memcpy(batches[i], a.keys, sizeof(batches[i]));
	}
	CHECK_NUMBER("of the other end", lab_get(&b, 2), 2);
	CHECK_NUMBER("the first", lab_fetch(&b, batches[0], 2), 0);
	CHECK_NUMBER("the second", lab_fetch(&b, batches[1], 2), 2);
	CHECK_NUMBER("the third", lab_fetch(&b, batches[2], 2), 2);
	lab_command("set b keep-ms 1");
	CHECK_NUMBER("got", lab_get(&a, 2), 2);
	memcpy(batches[0], a.keys, sizeof(batches[0]));
	made_ms = lab_now_ms();
	while (lab_now_ms() <= made_ms + 1)
		lab_command("status");
	CHECK_NUMBER("too old", lab_fetch(&b, batches[0], 2), 0);
	lab_client_stop(&a);
	lab_client_stop(&b);
	lab_stop();
}

/* A server error is dryness if the words say so, or if there are none and the status has no key. */
TEST(a_server_error_of_a_dry_kme_is_empty_and_burns_nothing)
{
	static const char *const bodies[] = { "message", "empty", "html" };
	size_t i, tries;

	for (i = 0; i < COUNT(bodies); i++) {
		run_dry("500", bodies[i]);
		for (tries = 0; tries < 3; tries++) {
			CHECK_NUMBER(bodies[i], lab_get(&a, 4), 0);
			CHECK_TEXT(bodies[i], kme_outcome_name(a.answer.outcome), "empty");
		}
		CHECK_NUMBER("burned", counter(KME_COUNTER_KEYS_BURNED), 0);
		CHECK_NUMBER("down", a.n_down[0], 0);
		lab_command("stock SAE-A SAE-B 1000");
		CHECK(get_eventually(4, 4), "%s: still no keys", bodies[i]);
		/* Now the error is a failure: keys came since that status. */
		lab_command("fault a http 500 op enc_keys count 1");
		CHECK_NUMBER(bodies[i], lab_get(&a, 4), 0);
		CHECK_TEXT(bodies[i], kme_outcome_name(a.answer.outcome), "broken");
		CHECK_NUMBER("may be burned", counter(KME_COUNTER_KEYS_BURNED), 4);
		lab_client_stop(&a);
		lab_stop();
	}
}
