// SPDX-License-Identifier: GPL-2.0-or-later
/* The sockets at which Prometheus asks for the metrics, by HTTP. */
#include "scrape.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/buffer.h>

#include "metrics.h"
#include "qlinkd/base/clients.h"
#include "qlinkd/peer/address.h"
#include "qlinkd/peer/tcpsock.h"

#define PATH		"/metrics"
/* Bytes of a request, at most. */
#define REQUEST_MAX	8192
#define BACKLOG		16

/* One at which the agent listens. */
struct place {
	struct scrape *scrape;
	struct clients *clients;
	bool is_tcp;
};

struct scrape {
	struct agent *agent;
	/* The last answer, made at this time; NULL before the first. */
	struct evbuffer *page;
	uint64_t made_ms;
	size_t n_places;
	/* A Unix socket, one of TCP, and those of the service manager. */
	struct place places[2 + ACTIVATION_MAX];
};

/* --- HTTP (RFC 9112), as much of it as one resource that can only be read needs --- */

/* What becomes of a request, and why. */
struct verdict {
	const char *status, *words;
};

static const struct verdict good = { "200 OK", "" },
	bad = { "400 Bad Request", "this is no request of HTTP/1.0 or HTTP/1.1\n" },
	not_there = { "404 Not Found", "only " PATH " is here\n" },
	no_method = { "405 Method Not Allowed", "only GET is allowed\n" },
	no_host = { "400 Bad Request", "the request must have one header Host\n" },
	other_host = { "421 Misdirected Request",
		       "the host in the URL must be an address, localhost or the agent's name\n" };

/* Judges a request by its first line, which it cuts into words. */
static const struct verdict *judge_line(char *line, bool *is_old)
{
	char *rest, *method = strtok_r(line, " ", &rest), *path = strtok_r(NULL, " ", &rest);

	if (!method || !path || strncmp(rest, "HTTP/1.", 7))
		return &bad;
	*is_old = rest[7] == '0';
	if (strcmp(method, "GET"))
		return &no_method;
	path[strcspn(path, "?")] = '\0';
	return strcmp(path, PATH) ? &not_there : &good;
}

/* Whether a browser that was led here by a name of another site could not send this. */
static bool is_own_host(char *host, const char *name)
{
	struct in6_addr addr;

	if (*host == '[') {
		host++;
		host[strcspn(host, "]")] = '\0';
		return inet_pton(AF_INET6, host, &addr) == 1;
	}
	host[strcspn(host, ":")] = '\0';
	return inet_pton(AF_INET, host, &addr) == 1 || !strcasecmp(host, "localhost") ||
	       (name && !strcasecmp(host, name));
}

/* Reads headers up to the empty line that ends them. */
static const struct verdict *judge_host(struct evbuffer *in, bool is_old, const char *name)
{
	const struct verdict *verdict = &good;
	unsigned int n = 0;
	char *line;

	while ((line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF)) && *line) {
		if (!strncasecmp(line, "host:", 5)) {
			char *host = line + 5 + strspn(line + 5, " \t");

			host[strcspn(host, " \t")] = '\0';
			if (!is_own_host(host, name))
				verdict = &other_host;
			n++;
		}
		free(line);
	}
	free(line);
	/* Only HTTP/1.0, which no browser sends, may lack it. */
	return n > 1 || (!n && !is_old) ? &no_host : verdict;
}

static const struct verdict *judge(const struct place *place, struct evbuffer *in)
{
	char *line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF);
	const struct verdict *verdict = &bad;
	bool is_old = false;

	if (line)
		verdict = judge_line(line, &is_old);
	free(line);
	if (verdict == &good && place->is_tcp)
		verdict = judge_host(in, is_old, place->scrape->agent->now.config.agent.name);
	return verdict;
}

/*
 * Adds the metrics to @out. Who asks again and again gets the same page, whose making takes the
 * loop of an agent with a thousand links a tenth of a second; clients that read it slowly share it.
 */
static void add_page(struct scrape *scrape, struct evbuffer *out)
{
	const uint64_t now = services_now();

	if (scrape->page && now - scrape->made_ms >= SCRAPE_FRESH_MS) {
		evbuffer_free(scrape->page);
		scrape->page = NULL;
	}
	if (!scrape->page) {
		scrape->page = evbuffer_new();
		if (!scrape->page)
			return;
		metrics_write(scrape->page, scrape->agent);
		scrape->made_ms = now;
	}
	evbuffer_add_buffer_reference(out, scrape->page);
}

static void answer(const struct place *place, struct bufferevent *io,
		   const struct verdict *verdict)
{
	struct evbuffer *body = evbuffer_new();

	if (!body)
		return;
	if (verdict == &good)
		add_page(place->scrape, body);
	else
		evbuffer_add(body, verdict->words, strlen(verdict->words));
	evbuffer_add_printf(bufferevent_get_output(io), "HTTP/1.1 %s\r\nContent-Type: "
			    METRICS_CONTENT_TYPE "\r\nContent-Length: %zu\r\n"
			    "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
			    verdict->status, evbuffer_get_length(body));
	bufferevent_write_buffer(io, body);
	evbuffer_free(body);
}

/* Each connection has one request, so that the end of the answer is the end of the connection. */
static enum clients_step serve(void *arg, struct bufferevent *io)
{
	struct evbuffer *in = bufferevent_get_input(io);
	const struct place *place = arg;

	/* A request without a body: it ends with the first empty line. */
	if (evbuffer_search(in, "\r\n\r\n", 4, NULL).pos < 0)
		return CLIENTS_WAIT;
	answer(place, io, judge(place, in));
	evbuffer_drain(in, evbuffer_get_length(in));
	return CLIENTS_END;
}

/* --- where it listens --- */

static const struct clients_kind kind = {
	.most = SCRAPE_CLIENTS_MAX, .request_bytes = REQUEST_MAX, .most_s = SCRAPE_MOST_S,
	.serve = serve,
};

static struct place *add_place(struct scrape *scrape, bool is_tcp)
{
	struct place *place = &scrape->places[scrape->n_places++];

	place->scrape = scrape;
	place->is_tcp = is_tcp;
	return place;
}

static int adopt(struct scrape *scrape, int fd, struct qlink_why *why)
{
	struct sockaddr_storage addr = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(addr);
	struct place *place;

	getsockname(fd, (struct sockaddr *)&addr, &len);
	place = add_place(scrape, addr.ss_family != AF_UNIX);
	return clients_adopt(&place->clients, scrape->agent->base, fd, &kind, place, why);
}

static int open_all(struct scrape *scrape, struct activation *sockets, struct qlink_why *why)
{
	const struct config_agent *config = &scrape->agent->now.config.agent;
	struct place *place = add_place(scrape, false);
	char text[ADDRESS_TEXT];
	int fd, err;

	err = clients_open(&place->clients, scrape->agent->base, config->metrics, &kind, place, why);
	if (!err && config->metrics_listen.addr.len) {
		fd = tcpsock_listen(&config->metrics_listen, BACKLOG);
		if (fd < 0)
			return qlink_refuse(why, fd, "metrics-listen %s: %s",
					    address_text(&config->metrics_listen, text), strerror(-fd));
		err = adopt(scrape, fd, why);
	}
	while (!err && (fd = activation_take(sockets)) >= 0)
		err = adopt(scrape, fd, why);
	return err;
}

int scrape_open(struct scrape **out, struct agent *agent, struct activation *sockets,
		struct qlink_why *why)
{
	struct scrape *scrape = calloc(1, sizeof(*scrape));
	int err;

	if (!scrape)
		return qlink_refuse(why, -ENOMEM, "no memory");
	scrape->agent = agent;
	err = open_all(scrape, sockets, why);
	if (err) {
		scrape_close(scrape);
		return err;
	}
	*out = scrape;
	return 0;
}

void scrape_close(struct scrape *scrape)
{
	size_t i;

	if (!scrape)
		return;
	for (i = 0; i < scrape->n_places; i++)
		clients_close(scrape->places[i].clients);
	if (scrape->page)
		evbuffer_free(scrape->page);
	free(scrape);
}
