// SPDX-License-Identifier: GPL-2.0-or-later
/* A session with etcd: a gateway in this process ends streams and keeps silent when it is told to. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "follow/etcd.h"
#include "tap.h"

#define N_CONNECTIONS	16
#define REQUEST_BYTES	8192
#define HEADER		"\"header\":{\"cluster_id\":\"7\",\"revision\":\"5\"}"
#define CREATED		"{\"result\":{" HEADER ",\"created\":true}}\n"
#define CANCELED	"{\"result\":{\"created\":true,\"canceled\":true,\"cancel_reason\":\"etcdserver: permission denied\"}}\n"

/**
 * struct gate - the gateway
 */
static struct gate {
	/** @listener: its socket */
	int listener;

	/** @fds: connections, 0 for none */
	int fds[N_CONNECTIONS];

	/** @watch: the connection with a stream, 0 for none */
	int watch;

	/** @refuses_watch: a watch is refused */
	bool refuses_watch;

	/** @is_silent: a put is not answered */
	bool is_silent;

	/** @token: what a login is answered with */
	char token[2000];

	/** @n_loads: documents were read so often */
	unsigned int n_loads;

	/** @n_puts: so often a status came */
	unsigned int n_puts;

	/** @has_token: the last request had the whole token */
	bool has_token;
} gate;

static struct options options;
static struct etcd etcd;

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- the gateway ---- */

static void say(int fd, const char *body, bool is_stream)
{
	char answer[3000];
	int len;

	if (is_stream)
		len = snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n%s\r\n",
			       strlen(body), body);
	else
		len = snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
	if (write(fd, answer, (size_t)len) != len)
		BAIL_OUT();
}

static void answer(int fd, const char *request)
{
	char token[2100];

	gate.has_token = *gate.token && strstr(request, gate.token);
	if (strstr(request, "POST /v3/kv/txn ")) {
		gate.n_loads++;
		say(fd, "{" HEADER ",\"responses\":[{\"response_range\":{}},{\"response_range\":{}}]}", false);
	} else if (strstr(request, "POST /v3/watch ")) {
		gate.watch = fd;
		say(fd, gate.refuses_watch ? CANCELED : CREATED, true);
	} else if (strstr(request, "POST /v3/lease/grant ")) {
		say(fd, "{\"ID\":\"77\",\"TTL\":\"60\"}", false);
	} else if (strstr(request, "POST /v3/lease/keepalive ")) {
		say(fd, "{\"result\":{\"ID\":\"77\",\"TTL\":\"60\"}}", false);
	} else if (strstr(request, "POST /v3/auth/authenticate ")) {
		snprintf(token, sizeof(token), "{\"token\":\"%s\"}", gate.token);
		say(fd, token, false);
	} else {
		gate.n_puts++;
		if (!gate.is_silent)
			say(fd, "{" HEADER "}", false);
	}
}

static void drop(int *fd)
{
	if (gate.watch == *fd)
		gate.watch = 0;
	close(*fd);
	*fd = 0;
}

/* Requests are small, and curl sends each as a whole. */
static void serve(void)
{
	char request[REQUEST_BYTES];
	ssize_t len;
	int i;

	for (i = 0; i < N_CONNECTIONS; i++) {
		if (!gate.fds[i]) {
			gate.fds[i] = accept4(gate.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
			gate.fds[i] = gate.fds[i] < 0 ? 0 : gate.fds[i];
		}
		len = gate.fds[i] ? read(gate.fds[i], request, sizeof(request) - 1) : -1;
		if (!len)
			drop(&gate.fds[i]);
		if (len <= 0)
			continue;
		request[len] = '\0';
		answer(gate.fds[i], request);
	}
}

static void begin(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	static char url[40];
	struct qlink_why why;

	memset(&gate, 0, sizeof(gate));
	gate.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (gate.listener < 0 || bind(gate.listener, (void *)&address, len) || listen(gate.listener, 8) ||
	    getsockname(gate.listener, (void *)&address, &len))
		BAIL_OUT();
	snprintf(url, sizeof(url), "http://127.0.0.1:%d", ntohs(address.sin_port));
	options = (struct options){ .site = "a", .prefix = "/qlink", .endpoints = { url }, .n_endpoints = 1, .ttl_ms = 60000 };
	if (etcd_open(&etcd, &options, &why))
		BAIL_OUT();
	tap_stderr_begin();
}

static void end(void)
{
	int i;

	tap_stderr_end();
	etcd_close(&etcd);
	for (i = 0; i < N_CONNECTIONS; i++)
		if (gate.fds[i])
			drop(&gate.fds[i]);
	close(gate.listener);
}

static void step(void)
{
	serve();
	etcd_run(&etcd, now_ms());
	curl_multi_poll(etcd.multi, NULL, 0, 2, NULL);
}

/* Both go on until it is so, or for 20 s. */
#define WAIT_FOR(is_so) do {							\
	uint64_t limit_ = now_ms() + 20000;					\
	while (!(is_so) && now_ms() < limit_)					\
		step();								\
	CHECK((is_so), "never: %s", #is_so);					\
} while (0)

/* ---- tests ---- */

TEST(a_status_whose_put_a_lost_watch_cut_off_is_put_again)
{
	begin();
	gate.is_silent = true;
	etcd_put(&etcd, strdup("{}"));
	WAIT_FOR(gate.n_puts == 1 && gate.watch);
	gate.is_silent = false;
	shutdown(gate.watch, SHUT_RDWR);
	WAIT_FOR(gate.n_loads == 2);
	WAIT_FOR(gate.n_puts == 2);
	end();
}

TEST(a_watch_that_is_refused_each_time_is_tried_less_and_less_often)
{
	begin();
	gate.refuses_watch = true;
	WAIT_FOR(gate.n_loads == 3 && etcd.state == ETCD_DOWN);
	CHECK_NUMBER("failures in a row", etcd.backoff.n, 3);
	gate.refuses_watch = false;
	WAIT_FOR(etcd.state == ETCD_UP && !etcd.backoff.n);
	CHECK_TEXT("why", etcd.why.text, "");
	end();
}

TEST(a_token_may_be_as_long_as_a_signed_one_is)
{
	char path[] = "/tmp/qlink-etcd-XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0 || write(fd, "secret\n", 7) != 7)
		BAIL_OUT();
	begin();
	memset(gate.token, 'x', 1500);
	options.user = "a";
	options.password_file = path;
	WAIT_FOR(gate.n_loads == 1);
	CHECK(gate.has_token, "the token is not whole");
	end();
	close(fd);
	unlink(path);
}
