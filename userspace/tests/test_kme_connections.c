// SPDX-License-Identifier: GPL-2.0-or-later
/* Clients of one agent that talk to the same KMEs: what they share, and what they do not. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kme_clients.h"

TEST(clients_of_one_kme_share_two_connections)
{
	unsigned int i, k;

	clients_begin(CLIENTS, "ms-per-key 20\n", NULL);
	clients_get(CLIENTS, 3);
	WAIT_ALL(CLIENTS, clients_answers(CLIENTS) == CLIENTS);
	for (i = 0; i < CLIENTS; i++) {
		CHECK_NUMBER("keys", clients[i].answer.n_keys, 3);
		for (k = 0; k < i; k++)
			CHECK(strcmp(clients[i].keys[0].id.text, clients[k].keys[0].id.text),
			      "clients %u and %u got the same key", i, k);
		CHECK_TEXT("TLS, of a connection that others made",
			   kme_server(clients[i].kme, 0)->terms.version, "1.3");
	}
	CHECK_NUMBER("connections", clients_kme_says("connections"), 2);
	clients_end(CLIENTS);
}

/* The lab's limit of answers at a time shows how many there are. */
TEST(a_kme_gets_no_more_requests_at_a_time_than_it_bears)
{
	static const struct {
		unsigned int parallel, refused;
		const char *conf;
	} rows[] = {
		{ 1, 0, "parallel 1\nms-per-key 5\n" },
		{ 2, 0, "parallel 2\nms-per-key 5\n" },
		{ 3, 1, "parallel 2\nms-per-key 40\n" },
	};
	struct lab_options options = { .cert = NULL };
	unsigned int i, k;
	uint64_t refused;

	for (i = 0; i < COUNT(rows); i++) {
		lab_start(rows[i].conf, "");
		options.parallel = rows[i].parallel;
		clients_start(8, &options);
		WAIT_ALL(8, clients_up(8) == 8);
		clients_get(8, 4);
		WAIT_ALL(8, clients_answers(8) == 8);
		for (k = 0, refused = 0; k < 8; k++)
			refused += lab_counter(&clients[k], KME_COUNTER_EMPTY) + lab_counter(&clients[k], KME_COUNTER_HTTP);
		CHECK(rows[i].refused ? refused : !refused, "parallel %u: %llu of 8 requests were refused",
		      rows[i].parallel, (unsigned long long)refused);
		clients_stop(8);
		lab_stop();
	}
}

/* A reload must not give a client a connection on which another KME ID was checked. */
TEST(a_connection_is_not_shared_with_who_expects_another_kme)
{
	static const struct lab_options other = { .id = "KME-X", .beside = &clients[0] };

	lab_start("", "");
	clients_start(1, NULL);
	CHECK_NUMBER("got", lab_get(&clients[0], 3), 3);
	lab_client_start(&clients[1], 0, &other);
	WAIT_ALL(2, clients[1].n_down[0]);
	CHECK_NUMBER("identity", lab_counter(&clients[1], KME_COUNTER_IDENTITY), 1);
	CHECK_NUMBER("up", clients[1].n_up[0], 0);
	clients_end(2);
}

/* Listens and never answers, as a KME that hangs; returns the socket and fills in the URL. */
static int listen_mute(char url[64])
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	CHECK(!bind(fd, (struct sockaddr *)&address, len) && !listen(fd, 64) &&
	      !getsockname(fd, (struct sockaddr *)&address, &len), "no socket to listen on");
	snprintf(url, 64, "https://127.0.0.1:%u", ntohs(address.sin_port));
	return fd;
}

/* Without that, 40 clients wait 20 times the limit of a connection, and each again before it is up. */
TEST(requests_that_wait_for_a_dead_kme_end_with_the_first)
{
	unsigned int i, n_accepted = 0;
	char url[64];
	struct lab_options options = { .url = url, .timeout_ms = 300 };
	int fd = listen_mute(url), one;

	lab_start("", "");
	clients_start(CLIENTS, &options);
	/* All requests are under way or wait before the first is over. */
	for (i = 0; i < CLIENTS; i++)
		kme_run(clients[i].kme);
	WAIT_ALL(CLIENTS, clients_down(CLIENTS) == CLIENTS);
	while ((one = accept(fd, NULL, NULL)) >= 0) {
		n_accepted++;
		close(one);
	}
	CHECK(n_accepted <= 6, "%u connections for %u clients", n_accepted, CLIENTS);
	for (i = 0; i < CLIENTS; i++) {
		CHECK(strstr(clients[i].why.text, "no connection within kme-connect-ms"), "client %u: %s", i,
		      clients[i].why.text);
		CHECK_NUMBER("timeout", lab_counter(&clients[i], KME_COUNTER_TIMEOUT), 1);
	}
	clients_stop(CLIENTS);
	close(fd);
	lab_stop();
}

TEST(keys_that_the_peer_named_do_not_wait_for_those_of_others)
{
	static struct lab_client b;
	struct kme_key_id ids[2];
	unsigned int i;

	lab_start("ms-per-key 40\n", "");
	clients_start(9, &clients_in_turn);
	lab_client_start(&b, 1, NULL);
	CHECK_NUMBER("got", lab_get(&b, 2), 2);
	WAIT_ALL(9, clients_up(9) == 9);
	clients_get(8, 2);
	CHECK(!kme_waits(clients[0].kme) && kme_waits(clients[1].kme), "it is the first one's turn");
	for (i = 0; i < 2; i++)
		ids[i] = b.keys[i].id;
	CHECK_NUMBER("fetch", kme_fetch_keys(clients[8].kme, 0, ids, 2), 0);
	WAIT_ALL(9, clients[8].n_answers);
	CHECK_NUMBER("fetched", clients[8].answer.n_keys, 2);
	CHECK(clients_answers(8) <= 2, "%u others had answers before", clients_answers(8));
	WAIT_ALL(9, clients_answers(8) == 8);
	lab_client_stop(&b);
	clients_end(9);
}

/* New keys are not starved by many offers of peers. */
TEST(a_request_that_is_not_urgent_goes_after_a_few)
{
	/* A GET names one key, so that no two offers share a request. */
	static const struct lab_options options = { .parallel = 1, .method = KME_METHOD_GET };
	static struct lab_client b;
	unsigned int i;

	lab_start("ms-per-key 20\n", "");
	clients_start(14, &options);
	lab_client_start(&b, 1, NULL);
	CHECK_NUMBER("got", lab_get(&b, 14), 14);
	WAIT_ALL(14, clients_up(14) == 14);
	/* The first is under way; then the second waits, and all others before it. */
	clients_get(2, 1);
	for (i = 2; i < 14; i++)
		CHECK_NUMBER("fetch", kme_fetch_keys(clients[i].kme, 0, &b.keys[i].id, 1), 0);
	WAIT_ALL(14, clients[1].n_answers);
	CHECK_NUMBER("keys", clients[1].answer.n_keys, 1);
	CHECK(clients_answers(14) < 14, "it was the last");
	WAIT_ALL(14, clients_answers(14) == 14);
	lab_client_stop(&b);
	clients_end(14);
}

TEST(a_request_that_waits_is_cancelled_without_a_burned_key)
{
	struct kme_key_id id = { "00000000-0001" };

	clients_begin(2, "ms-per-key 50\n", &clients_in_turn);
	clients_get(1, 4);
	CHECK_NUMBER("fetch", kme_fetch_keys(clients[1].kme, 0, &id, 1), 0);
	kme_cancel_fetch(clients[1].kme);
	CHECK_NUMBER("answers", clients[1].n_answers, 1);
	CHECK_NUMBER("burned", clients[1].answer.n_burned, 0);
	WAIT_ALL(2, clients[0].n_answers);
	CHECK_NUMBER("the other's keys", clients[0].answer.n_keys, 4);
	clients_end(2);
}

TEST(a_request_that_waits_is_withdrawn_before_the_kme_gives_keys)
{
	clients_begin(2, "ms-per-key 50\n", &clients_in_turn);
	clients_get(2, 4);
	CHECK(!kme_withdraw_get(clients[0].kme), "the KME may have seen it");
	CHECK(kme_withdraw_get(clients[1].kme), "it waits");
	WAIT_ALL(2, clients[0].n_answers);
	CHECK_NUMBER("keys", clients[0].answer.n_keys, 4);
	CHECK_NUMBER("answers", clients[1].n_answers, 0);
	CHECK_NUMBER("requests", clients_kme_says("enc_keys"), 1);
	/* It can ask again. */
	CHECK_NUMBER("got", lab_get(&clients[1], 2), 2);
	clients_end(2);
}

/* The request that waits goes with the new certificate, the one under way ends with the old one. */
TEST(a_request_that_waits_uses_new_credentials)
{
	clients_begin(2, "ms-per-key 50\n", &clients_in_turn);
	clients_get(2, 4);
	lab_client_renew(&clients[0], "sae-a", "other-ca", NULL);
	lab_client_renew(&clients[1], "sae-a", "other-ca", NULL);
	WAIT_ALL(2, clients_answers(2) == 2);
	CHECK_NUMBER("under way", clients[0].answer.n_keys, 4);
	CHECK_NUMBER("waiting", clients[1].answer.n_keys, 0);
	CHECK(strstr(clients[1].answer.why.text, "our ca file does not have the CA of the KME's certificate"), "%s",
	      clients[1].answer.why.text);
	clients_end(2);
}
