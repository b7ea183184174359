// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether the socket for Prometheus is bounded, and answers each request as HTTP wants it. */
#include "qlinkd/agent.h"
#include "qlinkd/expiry.h"

#include <signal.h>
#include <sys/resource.h>

#include <event2/buffer.h>

#include "tap.h"
#include "unixdial.h"

/* The agent here has no links and no certificates. Its answer is larger than a socket's buffer. */
#define tls_refused(context, i)		((uint64_t)(i))
#define tls_context_updates(context)	(struct tls_updates){ .sent = !(context) }
#define expiry_list(setup, use, arg)	put_padding((setup), (arg))
#define PADDING				1000000

static void put_padding(const struct setup *setup, struct evbuffer *out);

#include "qlinkd/metrics.c"

#define REQUEST	"GET /metrics HTTP/1.1\r\nHost: agent\r\n\r\n"

static void put_padding(const struct setup *setup, struct evbuffer *out)
{
	char text[1000];
	unsigned int i;

	(void)setup;
	memset(text, '#', sizeof(text));
	text[sizeof(text) - 1] = '\n';
	for (i = 0; i < PADDING / sizeof(text); i++)
		evbuffer_add(out, text, sizeof(text));
	/* Not used without certificates. */
	(void)put_certificate;
}

static struct agent agent;
static struct metrics *metrics;
static char folder[] = "/tmp/qlink-metrics-XXXXXX", path[64];

static void start(void)
{
	struct qlink_why why = { "" };

	signal(SIGPIPE, SIG_IGN);
	memset(&agent, 0, sizeof(agent));
	agent.base = event_base_new();
	if (!mkdtemp(folder))
		BAIL_OUT();
	snprintf(path, sizeof(path), "%s/socket", folder);
	CHECK_NUMBER("open", metrics_open(&metrics, path, &agent, &why), 0);
	CHECK_TEXT("why", why.text, "");
}

static void stop(void)
{
	metrics_close(metrics);
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

static size_t ask(const char *request, char *text, size_t room)
{
	int fd = unixdial(path);
	size_t len;

	CHECK_NUMBER("sent", write(fd, request, strlen(request)), (ssize_t)strlen(request));
	len = read_all(fd, text, room);
	close(fd);
	return len;
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
	CHECK(length > PADDING && strstr(body, "\nqlinkd_connections_refused_total{reason=\"wrong-ca\"} "),
	      "%lu bytes", length);
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
	int idle[METRICS_CLIENTS_MAX], last;
	size_t i;

	start();
	for (i = 0; i < METRICS_CLIENTS_MAX; i++) {
		idle[i] = unixdial(path);
		turn();
	}
	last = unixdial(path);
	CHECK_NUMBER("sent", write(last, REQUEST, strlen(REQUEST)), (ssize_t)strlen(REQUEST));
	for (i = 0; i < 10; i++)
		turn();
	CHECK_NUMBER("not served", read(last, text, 1), -1);
	CHECK(!event_pending(metrics->clients->acceptor.readable, EV_READ, NULL), "the loop goes on");
	close(idle[0]);
	CHECK(read_all(last, text, sizeof(text)) > PADDING, "not served after one has gone");
	for (i = 1; i < METRICS_CLIENTS_MAX; i++)
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
	CHECK(!event_pending(metrics->clients->acceptor.readable, EV_READ, NULL), "the loop goes on");
	CHECK_NUMBER("sent", write(fd, REQUEST, strlen(REQUEST)), (ssize_t)strlen(REQUEST));
	event_base_loop(agent.base, EVLOOP_ONCE);
	CHECK(read_all(fd, text, sizeof(text)) > PADDING, "not served later");
	close(fd);
	stop();
}
