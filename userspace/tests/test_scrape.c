// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether the sockets for Prometheus are bounded, and answer each request as HTTP wants it. */
#include "qlinkd/metrics.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <event2/buffer.h>

#include "tap.h"
#include "unixdial.h"

/* The answer is larger than a socket's buffer. */
#define metrics_write(out, agent)	put_padding((out), (agent))
#define PADDING				1000000

static void put_padding(struct evbuffer *out, const struct agent *agent);

#include "qlinkd/scrape.c"

#define REQUEST	"GET /metrics HTTP/1.1\r\nHost: agent\r\n\r\n"

/* How often the metrics were made. */
static unsigned int n_made;

static void put_padding(struct evbuffer *out, const struct agent *whose)
{
	char text[1000];
	unsigned int i;

	(void)whose;
	n_made++;
	memset(text, '#', sizeof(text));
	text[sizeof(text) - 1] = '\n';
	for (i = 0; i < PADDING / sizeof(text); i++)
		evbuffer_add(out, text, sizeof(text));
	evbuffer_add_printf(out, "end 1\n");
}

static struct agent agent;
static struct scrape *scrape;
static char folder[] = "/tmp/qlink-scrape-XXXXXX", path[64];
/* A socket of the service manager; the tests of Unix sockets have none. */
static struct activation sockets;
static struct config_endpoint listen_at;

static void start(void)
{
	struct qlink_why why = { "" };

	signal(SIGPIPE, SIG_IGN);
	memset(&agent, 0, sizeof(agent));
	agent.base = event_base_new();
	if (!mkdtemp(folder))
		BAIL_OUT();
	snprintf(path, sizeof(path), "%s/socket", folder);
	agent.now.config.agent.metrics = path;
	agent.now.config.agent.name = "site-a";
	agent.now.config.agent.metrics_listen = listen_at;
	CHECK_NUMBER("open", scrape_open(&scrape, &agent, &sockets, &why), 0);
	CHECK_TEXT("why", why.text, "");
}

static void stop(void)
{
	scrape_close(scrape);
	event_base_free(agent.base);
	CHECK_NUMBER("the file is gone", rmdir(folder), 0);
	strcpy(strrchr(folder, '-') + 1, "XXXXXX");
}

static void turn(void)
{
	event_base_loop(agent.base, EVLOOP_NONBLOCK);
}

/* Reads until the agent ends the connection; the answer ends with a NUL. */
static size_t read_all(int fd, char *text, size_t room)
{
	size_t len = 0;
	ssize_t n;

	do {
		event_base_loop(agent.base, EVLOOP_NONBLOCK);
		n = read(fd, text + len, room - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0 || (n < 0 && errno == EAGAIN));
	text[len] = '\0';
	return len;
}

/* Asks at a connection, which it closes. */
static size_t ask_at(int fd, const char *request, char *text, size_t room)
{
	size_t len;

	CHECK_NUMBER("sent", write(fd, request, strlen(request)), (ssize_t)strlen(request));
	len = read_all(fd, text, room);
	close(fd);
	return len;
}

static size_t ask(const char *request, char *text, size_t room)
{
	return ask_at(unixdial(path), request, text, room);
}

TEST(a_scrape_is_whole_however_slowly_it_is_read)
{
	static char text[2 * PADDING];
	unsigned long length = 0;
	const char *body;
	size_t len;

	start();
	len = ask(REQUEST, text, sizeof(text));
	CHECK(!strncmp(text, "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n", 73),
	      "%.80s", text);
	body = strstr(text, "\r\n\r\n");
	CHECK(body && sscanf(strstr(text, "Content-Length: "), "Content-Length: %lu", &length) == 1,
	      "no length: %.200s", text);
	CHECK_NUMBER("body", len - (size_t)(body + 4 - text), length);
	CHECK(length > PADDING && !strcmp(body + length - 2, "end 1\n"), "%lu bytes", length);
	stop();
}

TEST(other_requests_are_refused_by_their_status)
{
	static const struct { const char *request, *status; } rows[] = {
		{ "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found\r\n" },
		{ "GET /metricsx HTTP/1.0\r\n\r\n", "HTTP/1.1 404 Not Found\r\n" },
		{ "POST /metrics HTTP/1.1\r\n\r\nx", "HTTP/1.1 405 Method Not Allowed\r\n" },
		{ "GET /metrics\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n" },
		{ "\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n" },
		{ "GET /metrics?x=y HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK\r\n" },
	};
	static char text[2 * PADDING];
	size_t i;

	start();
	for (i = 0; i < COUNT(rows); i++) {
		ask(rows[i].request, text, sizeof(text));
		CHECK(!strncmp(text, rows[i].status, strlen(rows[i].status)), "%s: %.60s",
		      rows[i].request, text);
	}
	stop();
}

TEST(a_request_without_an_end_disconnects)
{
	static char many[REQUEST_MAX], byte;
	int fd;

	start();
	memset(many, 'x', sizeof(many));
	fd = unixdial(path);
	CHECK_NUMBER("sent", write(fd, many, sizeof(many)), (ssize_t)sizeof(many));
	turn();
	turn();
	CHECK_NUMBER("waits", read(fd, &byte, 1), -1);
	CHECK_NUMBER("one more", write(fd, "x", 1), 1);
	turn();
	turn();
	CHECK_NUMBER("disconnected", read(fd, &byte, 1), 0);
	close(fd);
	stop();
}

TEST(more_clients_than_allowed_wait_for_one_to_go)
{
	static char text[2 * PADDING];
	int idle[SCRAPE_CLIENTS_MAX], last;
	size_t i;

	start();
	for (i = 0; i < SCRAPE_CLIENTS_MAX; i++) {
		idle[i] = unixdial(path);
		turn();
	}
	last = unixdial(path);
	CHECK_NUMBER("sent", write(last, REQUEST, strlen(REQUEST)), (ssize_t)strlen(REQUEST));
	for (i = 0; i < 10; i++)
		turn();
	CHECK_NUMBER("not served", read(last, text, 1), -1);
	CHECK(!event_pending(scrape->places[0].clients->acceptor.readable, EV_READ, NULL), "the loop goes on");
	close(idle[0]);
	CHECK(read_all(last, text, sizeof(text)) > PADDING, "not served after one has gone");
	for (i = 1; i < SCRAPE_CLIENTS_MAX; i++)
		close(idle[i]);
	close(last);
	stop();
}

/* A client that waits must not have the loop turn for ever. */
TEST(without_descriptors_clients_wait_and_the_loop_rests)
{
	static char text[2 * PADDING];
	struct rlimit limit, none;
	int fd;

	start();
	fd = unixdial(path);
	getrlimit(RLIMIT_NOFILE, &limit);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = limit.rlim_max };
	setrlimit(RLIMIT_NOFILE, &none);
	turn();
	setrlimit(RLIMIT_NOFILE, &limit);
	CHECK(!event_pending(scrape->places[0].clients->acceptor.readable, EV_READ, NULL), "the loop goes on");
	CHECK_NUMBER("sent", write(fd, REQUEST, strlen(REQUEST)), (ssize_t)strlen(REQUEST));
	event_base_loop(agent.base, EVLOOP_ONCE);
	CHECK(read_all(fd, text, sizeof(text)) > PADDING, "not served later");
	close(fd);
	stop();
}

/* Who asks all the time does not keep the agent from its work, nor fill its memory. */
TEST(metrics_are_made_anew_when_they_are_old)
{
	static char text[2 * PADDING];
	unsigned int i;

	start();
	n_made = 0;
	for (i = 0; i < 3; i++) {
		/* The clock of a busy machine runs on. */
		scrape->made_ms = services_now();
		CHECK(ask(REQUEST, text, sizeof(text)) > PADDING && strstr(text, "\nend 1\n"), "ask %u", i);
	}
	CHECK_NUMBER("made", n_made, 1);
	scrape->made_ms = services_now() - SCRAPE_FRESH_MS;
	CHECK(ask(REQUEST, text, sizeof(text)) > PADDING && strstr(text, "\nend 1\n"), "the last");
	CHECK_NUMBER("made anew", n_made, 2);
	stop();
}

/* --- TCP --- */

/* A listening socket of some port of the loopback device. */
static int listening(void)
{
	struct config_endpoint at = { .addr = { .bytes = { 127, 0, 0, 1 }, .len = 4 } };
	int fd = tcpsock_listen(&at, 4);

	CHECK(fd >= 0, "listen");
	return fd;
}

/* Connects to the address of a listening socket. */
static int dial(int listener)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK_NUMBER("name", getsockname(listener, (struct sockaddr *)&at, &len), 0);
	CHECK_NUMBER("connect", connect(fd, (struct sockaddr *)&at, len), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

TEST(by_tcp_only_hosts_that_no_browser_is_led_to_are_served)
{
	static const struct { const char *headers, *status; } rows[] = {
		{ "HTTP/1.1\r\nHost: 127.0.0.1:9751\r\n", "200 OK" },
		{ "HTTP/1.1\r\nAccept: */*\r\nhost:[::1]:9751\r\n", "200 OK" },
		{ "HTTP/1.1\r\nHOST: \t192.0.2.1 \r\n", "200 OK" },
		{ "HTTP/1.1\r\nHost: LocalHost:9751\r\n", "200 OK" },
		{ "HTTP/1.1\r\nHost: site-a:9751\r\n", "200 OK" },
		{ "HTTP/1.0\r\n", "200 OK" },
		{ "HTTP/1.1\r\n", "400 Bad Request" },
		{ "HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: 127.0.0.1\r\n", "400 Bad Request" },
		{ "HTTP/1.1\r\nHost: evil.example:9751\r\n", "421 Misdirected Request" },
		{ "HTTP/1.1\r\nHost: localhost.evil.example\r\n", "421 Misdirected Request" },
		{ "HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n", "421 Misdirected Request" },
		{ "HTTP/1.1\r\nHost: [::1.evil.example]\r\n", "421 Misdirected Request" },
		{ "HTTP/1.1\r\nHost:\r\n", "421 Misdirected Request" },
		{ "HTTP/1.0\r\nHost: evil.example\r\n", "421 Misdirected Request" },
	};
	static char text[2 * PADDING];
	char request[200], want[60];
	size_t i;

	sockets = (struct activation){ .fds = { listening() }, .n = 1 };
	start();
	for (i = 0; i < COUNT(rows); i++) {
		snprintf(request, sizeof(request), "GET /metrics %s\r\n", rows[i].headers);
		snprintf(want, sizeof(want), "HTTP/1.1 %s\r\n", rows[i].status);
		ask_at(dial(scrape->places[1].clients->acceptor.fd), request, text, sizeof(text));
		CHECK(!strncmp(text, want, strlen(want)), "%s: %.60s", request, text);
		CHECK(!strstr(text, "end 1") == (rows[i].status[0] != '2'), "%s: what is shown", request);
	}
	stop();
}

TEST(the_address_of_the_configuration_and_sockets_of_the_manager_are_served)
{
	static char text[2 * PADDING];
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	int probe = listening();
	size_t i;

	/* A port that was free a moment ago. */
	getsockname(probe, (struct sockaddr *)&at, &len);
	close(probe);
	listen_at = (struct config_endpoint){ .addr = { .bytes = { 127, 0, 0, 1 }, .len = 4 },
					      .port = ntohs(at.sin_port) };
	sockets = (struct activation){ .fds = { listening(), listening() }, .n = 2 };
	start();
	listen_at.addr.len = 0;
	CHECK_NUMBER("places", scrape->n_places, 4);
	CHECK_NUMBER("taken", activation_take(&sockets), -1);
	for (i = 1; i < scrape->n_places; i++) {
		ask_at(dial(scrape->places[i].clients->acceptor.fd),
		       "GET /metrics HTTP/1.1\r\nHost: [::1]\r\n\r\n", text, sizeof(text));
		CHECK(strstr(text, "\nend 1\n"), "place %zu: %.60s", i, text);
	}
	stop();
}

TEST(a_port_that_is_taken_is_refused)
{
	struct qlink_why why = { "" };
	struct sockaddr_in at;
	socklen_t len = sizeof(at);
	int other = listening();
	char want[80];

	getsockname(other, (struct sockaddr *)&at, &len);
	start();
	scrape_close(scrape);
	agent.now.config.agent.metrics_listen = (struct config_endpoint){
		.addr = { .bytes = { 127, 0, 0, 1 }, .len = 4 }, .port = ntohs(at.sin_port),
	};
	scrape = NULL;
	CHECK_NUMBER("open", scrape_open(&scrape, &agent, &sockets, &why), -EADDRINUSE);
	snprintf(want, sizeof(want), "metrics-listen 127.0.0.1:%u: Address already in use", ntohs(at.sin_port));
	CHECK_TEXT("why", why.text, want);
	close(other);
	stop();
}

/* However busy it keeps the agent, a client is gone after a while. */
TEST(a_client_may_not_stay)
{
	struct client *client;
	struct timeval now, end;
	char byte;
	int fd;

	start();
	fd = unixdial(path);
	turn();
	client = &scrape->places[0].clients->list[0];
	CHECK(client->io && client->end && evtimer_pending(client->end, &end), "no limit");
	event_base_gettimeofday_cached(agent.base, &now);
	CHECK(end.tv_sec - now.tv_sec <= SCRAPE_MOST_S, "%ld s", (long)(end.tv_sec - now.tv_sec));
	CHECK_NUMBER("a byte", write(fd, "G", 1), 1);
	turn();
	event_active(client->end, EV_TIMEOUT, 1);
	turn();
	CHECK(!client->io && !client->end, "is still there");
	CHECK_NUMBER("disconnected", read(fd, &byte, 1), 0);
	close(fd);
	stop();
}
