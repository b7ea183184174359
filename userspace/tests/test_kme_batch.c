// SPDX-License-Identifier: GPL-2.0-or-later
/* Clients whose requests become one: few requests, and to each what it asked for, whatever happens to the others. */
#include <stdio.h>
#include <string.h>

#include "kme_clients.h"

/* The other end, which names keys of clients 1 and up. */
static struct lab_client peer;

/* Client 0 gets keys, so that those of the others wait and share a request; the peer has so many to name. */
static void begin_to_share(unsigned int n, const char *more_a, const struct lab_options *options, size_t named)
{
	clients_begin(n, more_a, options);
	lab_client_start(&peer, 1, NULL);
	CHECK_NUMBER("got", lab_get(&peer, named), named);
	clients_get(1, 4);
}

static void end_sharing(unsigned int n)
{
	lab_client_stop(&peer);
	clients_end(n);
}

static uint64_t sum_of(unsigned int from, unsigned int n, enum kme_counter counter)
{
	uint64_t sum = 0;

	for (; from < n; from++)
		sum += lab_counter(&clients[from], counter);
	return sum;
}

static void check_distinct(unsigned int n, size_t keys)
{
	unsigned int i, k;
	size_t a, b;

	for (i = 0; i < n; i++) {
		CHECK_NUMBER("keys", clients[i].answer.n_keys, keys);
		for (k = 0; k < i; k++) {
			for (a = 0; a < keys; a++) {
				for (b = 0; b < keys; b++)
					CHECK(strcmp(clients[i].keys[a].id.text, clients[k].keys[b].id.text),
					      "clients %u and %u got the same key", i, k);
			}
		}
	}
}

TEST(many_clients_ask_for_status_and_keys_once)
{
	unsigned int before;

	lab_start("", "");
	clients_start(CLIENTS, &clients_in_turn);
	WAIT_ALL(CLIENTS, clients_up(CLIENTS) == CLIENTS);
	CHECK(clients_kme_says("status") <= 2, "%u requests for one status", clients_kme_says("status"));
	CHECK_NUMBER("each counts its own", sum_of(0, CLIENTS, KME_COUNTER_STATUS), CLIENTS);
	/* One alone, and 39 times 3 keys, but no more than 32 at a time as nobody knows how fast it is. */
	clients_get(CLIENTS, 3);
	WAIT_ALL(CLIENTS, clients_answers(CLIENTS) == CLIENTS);
	check_distinct(CLIENTS, 3);
	CHECK_NUMBER("requests", clients_kme_says("enc_keys"), 1 + 4);
	/* Now it is known. */
	before = clients_kme_says("enc_keys");
	clients_get(CLIENTS, 3);
	WAIT_ALL(CLIENTS, clients_answers(CLIENTS) == 2 * CLIENTS);
	check_distinct(CLIENTS, 3);
	CHECK_NUMBER("requests", clients_kme_says("enc_keys") - before, 2);
	clients_end(CLIENTS);
}

/* The other end names keys of 10 links at once; the KME has lost one of them. */
static void lose_a_key(const char *more_a, size_t left, unsigned int down)
{
	struct kme_key_id ids[2];
	unsigned int i;

	begin_to_share(11, more_a, &clients_in_turn, 20);
	for (i = 1; i < 11; i++) {
		ids[0] = peer.keys[2 * i - 2].id;
		ids[1] = peer.keys[2 * i - 1].id;
		if (i == 5)
			snprintf(ids[1].text, sizeof(ids[1].text), "00000000-0001");
		CHECK_NUMBER("fetch", kme_fetch_keys(clients[i].kme, 0, ids, 2), 0);
	}
	WAIT_ALL(11, clients_answers(11) == 11);
	for (i = 1; i < 11; i++) {
		CHECK(clients[i].answer.n_keys == (i == 5 ? left : 2), "client %u fetched %zu keys: %s", i,
		      clients[i].answer.n_keys, clients[i].answer.why.text);
		CHECK(!clients[i].answer.n_keys || !memcmp(clients[i].keys[0].bytes, peer.keys[2 * i - 2].bytes, 32),
		      "client %u got another's key", i);
		CHECK_NUMBER("place", clients[i].keys[0].place, 0);
		CHECK(i == 5 || clients[i].keys[1].place == 1, "client %u: place %u", i, clients[i].keys[1].place);
	}
	CHECK_NUMBER("down", clients_down(11), down);
}

TEST(a_lost_key_of_one_client_costs_the_others_nothing)
{
	lose_a_key("ms-per-key 20\n", 1, 0);
	CHECK_TEXT("the others' trouble", clients[1].answer.why.text, "");
	CHECK_NUMBER("burned", sum_of(1, 11, KME_COUNTER_KEYS_BURNED), 0);
	end_sharing(11);
}

/* A KME that takes an unknown key ID for a failure of its own is down for the client that named it. */
TEST(a_key_that_the_kme_fails_at_costs_the_others_nothing)
{
	lose_a_key("ms-per-key 20\nnot-found 500\n", 0, 1);
	end_sharing(11);
}

TEST(what_ten_clients_named_comes_by_one_request)
{
	unsigned int i;

	begin_to_share(11, "ms-per-key 20\n", &clients_in_turn, 10);
	for (i = 1; i < 11; i++)
		CHECK_NUMBER("fetch", kme_fetch_keys(clients[i].kme, 0, &peer.keys[i - 1].id, 1), 0);
	WAIT_ALL(11, clients_answers(11) == 11);
	for (i = 1; i < 11; i++)
		CHECK(clients[i].answer.n_keys == 1 && !memcmp(clients[i].keys[0].bytes, peer.keys[i - 1].bytes, 32),
		      "client %u did not get its key", i);
	CHECK_NUMBER("requests", clients_kme_says("dec_keys"), 1);
	end_sharing(11);
}

/* A KME gives the keys of an ID once, and must not be asked for it twice in a request. */
TEST(two_who_name_the_same_key_ask_separately)
{
	static const struct lab_options options = { .parallel = 1, .method = KME_METHOD_POST };
	unsigned int i;

	begin_to_share(3, "ms-per-key 20\n", &options, 1);
	for (i = 1; i < 3; i++)
		CHECK_NUMBER("fetch", kme_fetch_keys(clients[i].kme, 0, &peer.keys[0].id, 1), 0);
	WAIT_ALL(3, clients_answers(3) == 3);
	CHECK_NUMBER("the first", clients[1].answer.n_keys, 1);
	CHECK_NUMBER("the second", clients[2].answer.n_keys, 0);
	CHECK_NUMBER("requests", clients_kme_says("dec_keys"), 2);
	end_sharing(3);
}

/* It refuses what all want together, and has enough for some. */
static void get_from_few(const char *more_a)
{
	unsigned int i, n = 0;

	clients_begin(9, more_a, &clients_in_turn);
	CHECK_TEXT("stock", lab_command("stock SAE-A SAE-B 20"), "ok");
	clients_get(9, 4);
	WAIT_ALL(9, clients_answers(9) == 9);
	for (i = 0; i < 9; i++)
		n += clients[i].answer.n_keys == 4;
	CHECK(n == 5, "%u clients have keys: %s", n, clients[4].answer.why.text);
}

TEST(a_kme_with_few_keys_still_gives_them)
{
	get_from_few("");
	CHECK_NUMBER("burned", sum_of(0, 9, KME_COUNTER_KEYS_BURNED), 0);
	clients_end(9);
}

/* It is down only for those that it fails alone. */
TEST(a_kme_that_fails_when_it_has_few_keys_still_gives_them)
{
	get_from_few("dry 500\nerror-body empty\n");
	CHECK_NUMBER("down", clients_down(9), 4);
	clients_end(9);
}

TEST(who_gives_up_takes_nothing_from_the_others)
{
	static const unsigned int others[] = { 4, 3, 1, 0 };
	unsigned int i;

	clients_begin(6, "ms-per-key 40\n", &clients_in_turn);
	clients_get(6, 2);
	/* One while it waits, one while it runs. */
	lab_client_stop(&clients[5]);
	WAIT_ALL(5, clients[0].n_answers);
	CHECK(!kme_waits(clients[2].kme) && !clients[2].n_answers, "it is the turn of the others");
	lab_client_stop(&clients[2]);
	WAIT_ALL(2, clients[1].n_answers);
	for (i = 0; i < COUNT(others); i++) {
		kme_run(clients[others[i]].kme);
		CHECK_NUMBER("keys", clients[others[i]].answer.n_keys, 2);
		lab_client_stop(&clients[others[i]]);
	}
	CHECK_NUMBER("requests", clients_kme_says("enc_keys"), 2);
	lab_stop();
}

/* Faults of an answer: each is one client's, and all of them add up to what came. */
TEST(what_is_wrong_with_an_answer_is_counted_once)
{
	static const struct {
		const char *fault;
		enum kme_counter counter;
		unsigned int keys, wrong, missing;
	} rows[] = {
		{ "short", KME_COUNTER_KEYS_MISSING, 15, 1, 1 },
		{ "extra", KME_COUNTER_FAULTS + KME_FAULT_EXTRA, 16, 1, 0 },
		{ "duplicate-id", KME_COUNTER_FAULTS + KME_FAULT_REPEATED, 0, 16, 0 },
		{ "bad-base64", KME_COUNTER_FAULTS + KME_FAULT_BASE64, 0, 16, 0 },
	};
	unsigned int i, k;
	uint64_t n;

	for (i = 0; i < COUNT(rows); i++) {
		clients_begin(9, "ms-per-key 20\n", &clients_in_turn);
		clients_get(9, 2);
		CHECK_TEXT("fault", lab_command("fault a %s", rows[i].fault), "ok");
		WAIT_ALL(9, clients_answers(9) == 9);
		for (k = 1, n = 0; k < 9; k++)
			n += clients[k].answer.n_keys;
		CHECK(n == rows[i].keys, "%s: %llu keys", rows[i].fault, (unsigned long long)n);
		n = sum_of(1, 9, rows[i].counter);
		CHECK(n == rows[i].wrong, "%s: counted %llu times", rows[i].fault, (unsigned long long)n);
		n = sum_of(1, 9, KME_COUNTER_KEYS_MISSING);
		CHECK(n == rows[i].missing, "%s: %llu keys missing", rows[i].fault, (unsigned long long)n);
		clients_end(9);
	}
}

TEST(an_answer_that_is_too_late_teaches_all_who_waited_for_it)
{
	static const struct lab_options options = { .parallel = 1, .timeout_ms = 1000 };
	unsigned int i;

	clients_begin(9, "ms-per-key 2\n", &options);
	clients_get(9, 4);
	CHECK(kme_waits(clients[1].kme), "it waits for the first");
	WAIT_ALL(9, clients[0].n_answers);
	CHECK_TEXT("fault", lab_command("fault a hang"), "ok");
	WAIT_ALL(9, clients_answers(9) == 9);
	for (i = 1; i < 9; i++)
		CHECK_NUMBER("the next request", kme_server(clients[i].kme, 0)->batch, 32 / 8);
	CHECK_NUMBER("burned", sum_of(1, 9, KME_COUNTER_KEYS_BURNED), 32);
	clients_end(9);
}

/* A slow line: what many named must not take so long together that all of it is lost. */
TEST(what_many_named_comes_in_time)
{
	static const struct lab_options options = { .parallel = 1, .timeout_ms = 2000 };
	struct kme_key_id ids[12];
	unsigned int i, k;

	begin_to_share(11, "ms-per-key 20\n", &options, 120);
	for (i = 1; i < 11; i++) {
		for (k = 0; k < 12; k++)
			ids[k] = peer.keys[12 * (i - 1) + k].id;
		CHECK_NUMBER("fetch", kme_fetch_keys(clients[i].kme, 0, ids, 12), 0);
	}
	WAIT_ALL(11, clients_answers(11) == 11);
	for (i = 1; i < 11; i++)
		CHECK(clients[i].answer.n_keys == 12, "client %u fetched %zu keys: %s", i, clients[i].answer.n_keys,
		      clients[i].answer.why.text);
	CHECK_NUMBER("burned", sum_of(1, 11, KME_COUNTER_KEYS_BURNED), 0);
	end_sharing(11);
}

TEST(named_keys_that_are_too_late_teach_all_who_shared_the_request)
{
	static const struct lab_options options = { .parallel = 1, .timeout_ms = 1000 };
	struct kme_key_id ids[2];
	unsigned int i, k;

	clients_begin(9, "ms-per-key 2\n", &options);
	CHECK_TEXT("fault", lab_command("fault a hang op dec_keys"), "ok");
	clients_get(1, 4);
	for (i = 1; i < 9; i++) {
		for (k = 0; k < 2; k++)
			snprintf(ids[k].text, sizeof(ids[k].text), "00000000-%u-%u", i, k);
		CHECK_NUMBER("fetch", kme_fetch_keys(clients[i].kme, 0, ids, 2), 0);
	}
	WAIT_ALL(9, clients_answers(9) == 9);
	for (i = 1; i < 9; i++)
		CHECK_NUMBER("the next request", kme_server(clients[i].kme, 0)->batch, 16 / 8);
	clients_end(9);
}

/* How often the KME is asked if each asks for so many keys. */
static unsigned int get_all(unsigned int n, size_t keys)
{
	unsigned int before = clients_kme_says("enc_keys"), answers = clients_answers(n);

	clients_get(n, keys);
	WAIT_ALL(n, clients_answers(n) == answers + n);
	return clients_kme_says("enc_keys") - before;
}

/* The number of keys that each wants does not divide the number that was learned to be safe. */
TEST(clients_that_lost_one_answer_ask_together_again)
{
	static const struct lab_options options = { .parallel = 1, .timeout_ms = 1000 };
	unsigned int i, n;

	clients_begin(9, "ms-per-key 2\n", &options);
	clients_get(9, 4);
	WAIT_ALL(9, clients[0].n_answers);
	CHECK_TEXT("fault", lab_command("fault a hang"), "ok");
	WAIT_ALL(9, clients_answers(9) == 9);
	CHECK_TEXT("clear", lab_command("clear a"), "ok");
	for (i = 1; i < 9; i++)
		WAIT_ALL(9, clients[i].n_up[0] == 2);
	n = get_all(9, 3);
	CHECK(n == 9, "%u requests at first", n);
	for (i = 0; i < 4; i++)
		n = get_all(9, 3);
	CHECK(n <= 3, "%u requests although all were answered in time", n);
	clients_end(9);
}

/* A status that was requested before keys came would count them as still there. */
TEST(a_status_is_not_older_than_the_keys_that_came)
{
	static const struct lab_options options = { .parallel = 2 };

	clients_begin(2, "", &options);
	while (!kme_count(clients[0].kme, 0))
		clients_run(2);
	CHECK_TEXT("fault", lab_command("fault a drip 10 op status count 1"), "ok");
	kme_run(clients[0].kme);
	CHECK_NUMBER("get", kme_get_keys(clients[1].kme, 0, 8), 0);
	WAIT_ALL(2, clients[1].n_answers);
	CHECK(kme_count(clients[1].kme, 0), "no status is due");
	kme_run(clients[1].kme);
	WAIT_ALL(2, kme_server(clients[1].kme, 0)->status.stored_key_count >= 0);
	CHECK_NUMBER("in stock", kme_server(clients[1].kme, 0)->status.stored_key_count, 1000 - 8);
	clients_end(2);
}

/* What others ask for under another name, of another peer, or of keys of another kind is not theirs. */
TEST(requests_for_another_peer_are_not_joined)
{
	static const struct lab_options other = { .parallel = 1, .sae = "SAE-C", .beside = &clients[0] };

	clients_begin(2, "ms-per-key 20\n", &clients_in_turn);
	lab_client_start(&clients[2], 0, &other);
	WAIT_ALL(3, clients_up(3) == 3);
	clients_get(3, 2);
	WAIT_ALL(3, clients_answers(3) == 3);
	CHECK_NUMBER("requests", clients_kme_says("enc_keys"), 3);
	CHECK_NUMBER("keys", clients[2].answer.n_keys, 2);
	CHECK(strstr(lab_command("status"), "\"b\":\"SAE-C\",\"stored\":8}"), "%s", lab_command("status"));
	clients_end(3);
}
