// SPDX-License-Identifier: GPL-2.0-or-later
/* Clients of one agent while a KME, a connection or memory fails: who is told, and who is not. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>

#include "kme_clients.h"
#include "qlinkd/kme/loop.h"

/* Instead of libcurl's: memory that is short. */
static bool has_no_multi, has_no_easy;

CURL *curl_easy_init(void);
CURL *curl_easy_init(void)
{
	CURL *(*real)(void) = NULL;

	*(void **)&real = dlsym(RTLD_NEXT, "curl_easy_init");
	return has_no_easy ? NULL : real();
}

CURLM *curl_multi_init(void);
CURLM *curl_multi_init(void)
{
	CURLM *(*real)(void) = NULL;

	*(void **)&real = dlsym(RTLD_NEXT, "curl_multi_init");
	return has_no_multi ? NULL : real();
}

/* --- a KME that takes connections and requests, and does not answer --- */

TEST(a_kme_that_hangs_is_down_for_all_soon)
{
	static const struct lab_options options = { .timeout_ms = 1000 };
	unsigned int asked;

	lab_start("", "");
	CHECK_TEXT("fault", lab_command("fault a hang"), "ok");
	clients_start(CLIENTS, &options);
	WAIT_ALL(CLIENTS, clients_down(CLIENTS) == CLIENTS);
	asked = clients_kme_says("status");
	CHECK(asked <= 6, "the last of %u clients knew after %u requests, each in vain for a second", CLIENTS, asked);
	clients_end(CLIENTS);
}

/* A job that waits for it does not go on to the next KME either. */
TEST(keys_that_wait_for_a_kme_that_hangs_come_from_the_next_kme_soon)
{
	static const struct lab_options options = { .timeout_ms = 1000 };
	unsigned int asked;

	clients_begin(20, "", &options);
	CHECK_TEXT("fault", lab_command("fault a hang op enc_keys"), "ok");
	clients_get(20, 1);
	WAIT_ALL(20, clients_answers(20) == 20);
	asked = clients_kme_says("enc_keys");
	CHECK(asked <= 6, "the last of 20 jobs ended after %u requests, each in vain for a second", asked);
	clients_end(20);
}

/* --- a relay that closes one connection at once, or lets it hang --- */

struct relay {
	int fd, from[32], to[32], hanging;
	uint16_t port;
	unsigned int n_accepted, closes;
	bool drops_answer, hangs;
};

static struct relay relay;

static bool copy(int from, int to)
{
	char data[4096];
	ssize_t n = read(from, data, sizeof(data));

	return n > 0 && send(to, data, (size_t)n, MSG_NOSIGNAL) == n;
}

static void *pass(void *arg)
{
	unsigned int i = (unsigned int)(uintptr_t)arg;
	struct pollfd fds[2] = {
		{ .fd = relay.from[i], .events = POLLIN }, { .fd = relay.to[i], .events = POLLIN },
	};

	while (poll(fds, 2, 60000) > 0) {
		if (fds[1].revents && relay.drops_answer) {
			relay.drops_answer = false;
			break;
		}
		if ((fds[0].revents && !copy(fds[0].fd, fds[1].fd)) ||
		    (fds[1].revents && !copy(fds[1].fd, fds[0].fd)))
			break;
	}
	close(fds[0].fd);
	close(fds[1].fd);
	return NULL;
}

static void *accept_all(void *arg)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(relay.port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	pthread_t thread;
	unsigned int i;
	int fd;

	while ((fd = accept(relay.fd, NULL, NULL)) >= 0) {
		i = relay.n_accepted++;
		if (i == relay.closes && relay.hangs) {
			relay.hanging = fd;
			continue;
		}
		if (i == relay.closes || i >= 32) {
			close(fd);
			continue;
		}
		relay.from[i] = fd;
		relay.to[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(relay.to[i], (struct sockaddr *)&address, sizeof(address)) ||
		    pthread_create(&thread, NULL, pass, (void *)(uintptr_t)i))
			abort();
		pthread_detach(thread);
	}
	return arg;
}

static void relay_start(pthread_t *thread, char url[64], unsigned int closes)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	char section[1024];

	lab_kme(section, sizeof(section), 0, "x");
	relay = (struct relay){ .closes = closes, .hanging = -1 };
	relay.port = (uint16_t)atoi(strstr(section, "127.0.0.1:") + 10);
	relay.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(!bind(relay.fd, (struct sockaddr *)&address, len) && !listen(relay.fd, 64) &&
	      !getsockname(relay.fd, (struct sockaddr *)&address, &len), "no socket to listen on");
	snprintf(url, 64, "https://127.0.0.1:%u", ntohs(address.sin_port));
	CHECK(!pthread_create(thread, NULL, accept_all, NULL), "no thread");
}

static void relay_stop(pthread_t thread)
{
	shutdown(relay.fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(relay.fd);
	if (relay.hanging >= 0)
		close(relay.hanging);
}

/* One connection works, and one more fails a single time, or hangs. */
static void have_one_bad_connection(bool hangs, unsigned int timeout_ms)
{
	char url[64];
	struct lab_options options = { .url = url, .timeout_ms = timeout_ms };
	pthread_t thread;
	unsigned int i;

	lab_start("ms-per-key 50\n", "");
	relay_start(&thread, url, 1);
	relay.hangs = hangs;
	clients_start(1, &options);
	WAIT_ALL(1, clients_up(1) == 1);
	/* 400 ms on the first connection. */
	CHECK_NUMBER("get", kme_get_keys(clients[0].kme, 0, 8), 0);
	for (i = 0; i < 5; i++)
		clients_run(1);
	clients_start_from(1, 10, &options);
	for (i = 1; i < 10; i++)
		kme_run(clients[i].kme);
	WAIT_ALL(10, clients_up(10) == 10 && clients[0].n_answers);
	CHECK_NUMBER("keys", clients[0].answer.n_keys, 8);
	CHECK(!clients_down(10), "%u of 9 clients went down by one connection: %s", clients_down(10),
	      clients[5].why.text);
	clients_stop(10);
	relay_stop(thread);
	lab_stop();
}

TEST(one_failed_connection_does_not_end_all_while_another_works)
{
	have_one_bad_connection(false, 0);
}

/* The one that works is idle by the time that it is clear that no further one can be made. */
TEST(a_further_connection_that_hangs_takes_nobody_down)
{
	have_one_bad_connection(true, 3000);
	CHECK_NUMBER("connections", relay.n_accepted, 2);
}

/* The first KME has no keys, and the next one has something else to do for 2 seconds. */
TEST(what_one_kme_refuses_is_requested_together_of_the_next)
{
	char url[64];
	struct lab_options options = { .parallel = 1, .first = url };
	unsigned int i, before;
	pthread_t thread;
	uint64_t empty;

	lab_start("ms-per-key 100\n", "");
	CHECK_TEXT("stock", lab_command("stock SAE-A SAE-B 20"), "ok");
	relay_start(&thread, url, 99);
	clients_start(1, &clients_in_turn);
	clients_start_from(1, 10, &options);
	for (i = 0; i < 10; i++)
		WAIT_ALL(10, clients[i].n_up[0] && clients[i].n_up[i > 0]);
	CHECK_NUMBER("get", kme_get_keys(clients[0].kme, 0, 20), 0);
	WAIT_ALL(10, strstr(lab_command("status"), "\"b\":\"SAE-B\",\"stored\":0"));
	for (i = 1; i < 10; i++)
		CHECK_NUMBER("get", kme_get_keys(clients[i].kme, 0, 2), 0);
	do {
		clients_run(10);
		for (empty = 0, i = 1; i < 10; i++)
			empty += lab_counter(&clients[i], KME_COUNTER_EMPTY);
	} while (empty < 1 + 2 * 8 && !clients[0].n_answers);
	CHECK(!clients[0].n_answers, "too late: %llu refusals, %u requests", (unsigned long long)empty, clients_kme_says("enc_keys"));
	before = clients_kme_says("enc_keys");
	CHECK_TEXT("stock", lab_command("stock SAE-A SAE-B 1000"), "ok");
	WAIT_ALL(10, clients_answers(10) == 10);
	for (i = 1; i < 10; i++)
		CHECK_NUMBER("keys", clients[i].answer.n_keys, 2);
	CHECK_NUMBER("requests", clients_kme_says("enc_keys") - before, 1);
	clients_stop(10);
	relay_stop(thread);
	lab_stop();
}

/* --- counters --- */

TEST(a_request_that_ended_with_another_was_not_sent_and_burned_nothing)
{
	struct kme_key_id id = { "00000000-0001" };
	int64_t until = lab_now_ms() + 5000;

	clients_begin(2, "", &clients_in_turn);
	lab_stop();
	CHECK_NUMBER("get", kme_get_keys(clients[0].kme, 0, 4), 0);
	CHECK_NUMBER("fetch", kme_fetch_keys(clients[1].kme, 0, &id, 1), 0);
	while (kme_deadline(clients[1].kme) && lab_now_ms() < until)
		kme_loop_run(clients[0].loop);
	CHECK(!kme_deadline(clients[1].kme), "the request did not end");
	kme_cancel_fetch(clients[1].kme);
	CHECK_NUMBER("burned", clients[1].answer.n_burned, 0);
	clients_stop(2);
}

/* libcurl sends a GET again by itself if a connection that was used before closes without an answer. */
TEST(a_get_is_never_sent_twice)
{
	char url[64];
	struct lab_options get = { .method = KME_METHOD_GET, .url = url };
	pthread_t thread;
	const char *at;

	lab_start("", "");
	relay_start(&thread, url, 99);
	clients_start(1, &get);
	CHECK_NUMBER("got", lab_get(&clients[0], 3), 3);
	/* The answer is lost; the KME has given its keys away. */
	relay.drops_answer = true;
	lab_get(&clients[0], 3);
	at = strstr(lab_command("status"), "enc_keys");
	CHECK(lab_counter(&clients[0], KME_COUNTER_KEYS_BURNED) == 3 && lab_counter(&clients[0], KME_COUNTER_CUT) == 1,
	      "burned %llu, cut %llu, came %zu, asked %llu times; the KME: %.40s",
	      (unsigned long long)lab_counter(&clients[0], KME_COUNTER_KEYS_BURNED),
	      (unsigned long long)lab_counter(&clients[0], KME_COUNTER_CUT), clients[0].answer.n_keys,
	      (unsigned long long)lab_counter(&clients[0], KME_COUNTER_ENC), at ? at : "");
	clients_stop(1);
	relay_stop(thread);
	lab_stop();
}

/* --- the limit --- */

/* The simulator answers 503 to a second request at a time. */
TEST(a_reload_keeps_the_limit_of_requests_at_a_time)
{
	unsigned int i;

	clients_begin(2, "parallel 1\nms-per-key 250\n", &clients_in_turn);
	clients_get(2, 4);
	for (i = 0; i < 5; i++)
		clients_run(2);
	for (i = 0; i < 2; i++)
		lab_client_renew(&clients[i], "sae-a", "ca", "none");
	WAIT_ALL(2, clients_answers(2) == 2);
	CHECK_NUMBER("under way", clients[0].answer.n_keys, 4);
	CHECK(clients[1].answer.n_keys == 4, "the one that waited got %zu: %s", clients[1].answer.n_keys,
	      clients[1].answer.why.text);
	clients_end(2);
}

/* --- everything at random --- */

/* Requests that were counted, less those whose end was. */
static int64_t open_requests(const struct lab_client *client)
{
	const uint64_t *n = kme_server(client->kme, 0)->counters;
	uint64_t ended = 0;
	int i;

	for (i = KME_COUNTER_ANSWERED; i <= KME_COUNTER_MALFORMED; i++)
		ended += n[i];
	return (int64_t)(n[KME_COUNTER_STATUS] + n[KME_COUNTER_ENC] + n[KME_COUNTER_DEC] - ended);
}

static void do_anything(unsigned int i, const struct lab_options *options)
{
	static const char *const crls[] = { NULL, "none" };
	struct lab_client *client = &clients[i];
	struct kme_key_id id = { "00000000-0001" };
	struct lab_options more = *options;

	switch (rand() % 16) {
	case 0:
		if (!i)
			break;
		lab_client_stop(client);
		more.beside = &clients[0];
		lab_client_start(client, 0, &more);
		break;
	case 1:
		if (rand() % 4)
			lab_client_renew(client, "sae-a", "ca", crls[rand() % 2]);
		else
			lab_client_renew(client, "sae-a", "other-ca", NULL);
		break;
	case 2:
		kme_cancel_fetch(client->kme);
		break;
	case 3:
		kme_count(client->kme, 0);
		break;
	case 4:
		lab_command(rand() % 2 ? "clear a" : rand() % 2 ? "fault a hang count 2" : "fault a cut count 2");
		break;
	case 5: case 6: case 7:
		kme_fetch_keys(client->kme, 0, &id, 1);
		break;
	default:
		kme_get_keys(client->kme, 0, 1 + (unsigned int)rand() % 8);
	}
}

TEST(whatever_happens_each_request_ends_once)
{
	static const struct lab_options options = { .timeout_ms = 700 };
	unsigned int i, turn;

	lab_start("ms-per-key 2\n", "");
	srand(7);
	clients_start(16, &options);
	for (turn = 0; turn < 400; turn++) {
		do_anything((unsigned int)rand() % 16, &options);
		if (rand() % 3)
			clients_run(16);
		lab_command("stock SAE-A SAE-B 1000");
	}
	lab_command("clear a");
	for (i = 0; i < 16; i++) {
		lab_client_renew(&clients[i], "sae-a", "ca", NULL);
		kme_cancel_fetch(clients[i].kme);
	}
	for (i = 0; i < 16; i++) {
		WAIT_ALL(16, !open_requests(&clients[i]));
		CHECK_NUMBER("open requests", open_requests(&clients[i]), 0);
	}
	clients_end(16);
}

/* --- memory is short --- */

/* Before, the call said so and the KME stayed up. */
TEST(memory_that_is_short_for_a_moment_is_no_fault_of_the_kme)
{
	clients_begin(8, "ms-per-key 20\n", &clients_in_turn);
	clients_get(8, 4);
	has_no_easy = true;
	WAIT_ALL(8, clients[0].n_answers);
	has_no_easy = false;
	WAIT_ALL(8, clients_answers(8) == 8);
	CHECK(!clients_down(8), "%u of 8 clients say that the KME is down: %s", clients_down(8), clients[5].why.text);
	clients_end(8);
}

/* Memory was short once; by the time that it ends, it is the KME that does not answer. */
TEST(a_request_that_waited_for_memory_ends_for_its_last_cause)
{
	static const struct lab_options options = { .parallel = 2, .timeout_ms = 1000 };

	clients_begin(2, "", &options);
	CHECK_TEXT("fault", lab_command("fault a hang"), "ok");
	CHECK_NUMBER("get", kme_get_keys(clients[0].kme, 0, 4), 0);
	has_no_easy = true;
	CHECK_NUMBER("get", kme_get_keys(clients[1].kme, 0, 4), 0);
	has_no_easy = false;
	WAIT_ALL(2, clients_answers(2) == 2);
	CHECK(strstr(clients[1].answer.why.text, "within kme-timeout-ms"), "it says: %s", clients[1].answer.why.text);
	CHECK_NUMBER("timeouts", lab_counter(&clients[1], KME_COUNTER_TIMEOUT), 1);
	clients_end(2);
}

TEST(a_client_that_cannot_be_made_leaves_others_alone)
{
	static const struct kme_ops ops = { .answer = NULL };
	char ca[64], cert[64], key[64];
	struct kme_node_conf node = { .url = "https://127.0.0.1:1", .ca = ca, .certificate = cert, .key = key };
	const struct kme_conf conf = {
		.sae = "SAE-B", .nodes = &node, .n_nodes = 1, .connect_ms = 100, .timeout_ms = 100,
		.retry_min_ms = 20, .retry_max_ms = 200,
	};
	struct qlink_why why;
	struct kme *kme;

	lab_start("", "");
	clients_start(1, NULL);
	CHECK_NUMBER("got", lab_get(&clients[0], 3), 3);
	snprintf(ca, sizeof(ca), "%s/ca.pem", lab_folder());
	snprintf(cert, sizeof(cert), "%s/sae-a.pem", lab_folder());
	snprintf(key, sizeof(key), "%s/sae-a.key", lab_folder());
	has_no_multi = true;
	CHECK_NUMBER("no memory", kme_new(&conf, clients[0].loop, &ops, NULL, &kme, &why), -ENOMEM);
	has_no_multi = false;
	CHECK_NUMBER("the other's keys", lab_get(&clients[0], 3), 3);
	clients_end(1);
}
