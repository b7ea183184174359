// SPDX-License-Identifier: GPL-2.0-or-later
/* Metrics for Prometheus, by HTTP on a Unix socket. */
#include "metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>

#include "expiry.h"
#include "libqlink/names.h"
#include "qlinkd/base/unixsock.h"

/* Source: Prometheus text format, version 0.0.4. */
#define CONTENT_TYPE	"text/plain; version=0.0.4; charset=utf-8"
#define TIMEOUT_S	10
#define HEADERS_MAX	8192
/* Pause before clients are accepted again when there was no descriptor for one. */
#define PAUSE_MS	100

struct metrics {
	struct agent *agent;
	struct evhttp *http;
	char *path;
};

/* A number of a link that can go up and down. */
struct gauge {
	const char *name, *help;
	uint64_t (*read)(const struct link *link);
};

static uint64_t read_stock(const struct link *link)
{
	return stock_held(link->stock);
}

static uint64_t read_period(const struct link *link)
{
	return link->period_ms;
}

static uint64_t read_ready(const struct link *link)
{
	return link->session.phase == SESSION_PHASE_READY;
}

static uint64_t read_protection(const struct link *link)
{
	uint32_t lacks;

	return link_protection(link, &lacks);
}

static uint64_t read_tx_epoch(const struct link *link)
{
	return link->view.tx.current_epoch;
}

static uint64_t read_rx_epoch(const struct link *link)
{
	return link->view.rx.current_epoch;
}

static uint64_t read_tx_staged(const struct link *link)
{
	return link->view.tx.staged;
}

static const struct gauge gauges[] = {
	{ "stock_keys", "QKD keys in stock, not offered yet", read_stock },
	{ "period_milliseconds", "planned lifetime of a transmit key", read_period },
	{ "ready", "1 while the agents of both ends agree on keys", read_ready },
	{ "protection", "0 blocked, 1 degraded, 2 protected", read_protection },
	{ "tx_epoch", "epoch of the transmit key in use", read_tx_epoch },
	{ "rx_epoch", "epoch of the receive key in use", read_rx_epoch },
	{ "tx_staged_keys", "transmit keys that are staged", read_tx_staged },
};

static void head(struct evbuffer *out, const char *name, const char *suffix, const char *help,
		 const char *type)
{
	evbuffer_add_printf(out, "# HELP qlinkd_%s%s %s\n# TYPE qlinkd_%s%s %s\n", name, suffix,
			    help, name, suffix, type);
}

static void put_gauges(struct evbuffer *out, const struct agent *agent)
{
	const struct gauge *gauge;
	size_t i;

	for (gauge = gauges; gauge < gauges + sizeof(gauges) / sizeof(gauges[0]); gauge++) {
		head(out, gauge->name, "", gauge->help, "gauge");
		for (i = 0; i < agent->now.n_links; i++)
			evbuffer_add_printf(out, "qlinkd_%s{link=\"%s\"} %" PRIu64 "\n",
					    gauge->name,
					    agent->now.links[i]->link->config->device,
					    gauge->read(agent->now.links[i]->link));
	}
}

static void put_counters(struct evbuffer *out, const struct agent *agent)
{
	const struct link_counter *counter;
	size_t i;

	for (counter = link_counters; counter->name; counter++) {
		head(out, counter->name, "_total", "see qlinkd(8)", "counter");
		for (i = 0; i < agent->now.n_links; i++)
			evbuffer_add_printf(out, "qlinkd_%s_total{link=\"%s\"} %" PRIu64 "\n",
					    counter->name,
					    agent->now.links[i]->link->config->device,
					    link_counter(agent->now.links[i]->link, counter));
	}
}

static void put_keys(struct evbuffer *out, const struct agent *agent, const char *direction)
{
	unsigned int source;
	size_t i;

	for (i = 0; i < agent->now.n_links; i++) {
		const struct link *link = agent->now.links[i]->link;
		const uint64_t *keys = *direction == 't' ? link->counters.tx_keys :
							   link->counters.rx_keys;

		for (source = 0; source < QLINK_SOURCE_STATIC; source++)
			evbuffer_add_printf(out, "qlinkd_keys_total{link=\"%s\",direction=\"%s\","
					    "source=\"%s\"} %" PRIu64 "\n", link->config->device,
					    direction, qlink_name(&qlink_sources, source),
					    keys[source]);
	}
}

static void put_kmes(struct evbuffer *out, const struct agent *agent)
{
	unsigned int node, counter;
	size_t i;

	head(out, "kme", "_total", "requests to a KME and their results, see qlinkd(8)", "counter");
	for (i = 0; i < agent->now.n_links; i++) {
		const struct link *link = agent->now.links[i]->link;

		for (node = 0; node < link->config->n_kmes; node++) {
			for (counter = 0; counter < KME_COUNTER_N; counter++)
				evbuffer_add_printf(out, "qlinkd_kme_total{link=\"%s\",kme=\"%s\","
					"count=\"%s\"} %" PRIu64 "\n", link->config->device,
					link->config->kme_names[node], kme_counter_name(counter),
					stock_server(link->stock, node)->counters[counter]);
		}
	}
}

static void put_terms(struct evbuffer *out, const struct link *link)
{
	unsigned int node;

	for (node = 0; node < link->config->n_kmes; node++) {
		const struct kme_terms *terms = &stock_server(link->stock, node)->terms;

		if (terms->version[0])
			evbuffer_add_printf(out, "qlinkd_kme_tls{link=\"%s\",kme=\"%s\",version=\"%s\","
					    "group=\"%s\",suite=\"%s\",subject=\"%s\"} 1\n",
					    link->config->device, link->config->kme_names[node],
					    terms->version, terms->group, terms->suite, terms->subject);
	}
}

static void put_all_terms(struct evbuffer *out, const struct agent *agent)
{
	size_t i;

	head(out, "kme_tls", "", "what was negotiated for the last connection to a KME, as labels", "gauge");
	for (i = 0; i < agent->now.n_links; i++)
		put_terms(out, agent->now.links[i]->link);
}

static void put_audit(struct evbuffer *out, struct audit *audit)
{
	struct audit_state state;

	audit_read_state(audit, &state);
	head(out, "audit_lines", "_total", "lines of the audit log", "counter");
	evbuffer_add_printf(out, "qlinkd_audit_lines_total %" PRIu64 "\n", state.written.number);
	head(out, "audit_hash", "", "hash of the last line of the audit log, as a label", "gauge");
	evbuffer_add_printf(out, "qlinkd_audit_hash{hash=\"%s\"} 1\n", state.written.hash);
	head(out, "audit_dropped", "_total", "events that the audit log had no room for", "counter");
	evbuffer_add_printf(out, "qlinkd_audit_dropped_total %" PRIu64 "\n", state.dropped);
	head(out, "audit_failing", "", "1 while the audit log cannot be written", "gauge");
	evbuffer_add_printf(out, "qlinkd_audit_failing %u\n", state.err != 0);
}

static void put_agent(struct evbuffer *out, const struct agent *agent)
{
	unsigned int i;

	if (agent->services.audit)
		put_audit(out, agent->services.audit);
	head(out, "connections_refused", "_total", "connections of peers that were refused, by reason", "counter");
	for (i = 0; i < TLS_N_REFUSALS; i++)
		evbuffer_add_printf(out, "qlinkd_connections_refused_total{reason=\"%s\"} %" PRIu64 "\n",
				    tls_refusal_name(i), tls_refused(agent->now.context, i));
}

static void put_certificate(void *arg, const char *kme, struct credentials_item *item)
{
	evbuffer_add_printf(arg, "qlinkd_certificate_expires_days{kme=\"%s\",use=\"%s\",subject=\"%s\",serial=\"%s\"} %.3f\n",
			    kme, item->use, item->subject, item->serial,
			    (double)expiry_seconds(item, time(NULL)) / 86400);
}

static void put_certificates(struct evbuffer *out, const struct agent *agent)
{
	head(out, "certificate_expires_days", "", "days until a certificate or CRL expires", "gauge");
	expiry_list(&agent->now, put_certificate, out);
}

static void on_request(struct evhttp_request *request, void *arg)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	const struct agent *agent = ((struct metrics *)arg)->agent;
	struct evbuffer *out = evbuffer_new();

	if (!out) {
		evhttp_send_error(request, HTTP_INTERNAL, NULL);
		return;
	}
	put_gauges(out, agent);
	put_counters(out, agent);
	head(out, "keys", "_total", "keys installed, by direction and source", "counter");
	put_keys(out, agent, "tx");
	put_keys(out, agent, "rx");
	put_kmes(out, agent);
	put_all_terms(out, agent);
	put_agent(out, agent);
	put_certificates(out, agent);
	evhttp_add_header(headers, "Content-Type", CONTENT_TYPE);
	evhttp_send_reply(request, HTTP_OK, "OK", out);
	evbuffer_free(out);
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	evconnlistener_enable(arg);
}

/* No descriptor. The client stays in the backlog: the socket would be readable again at once. */
static void on_short(struct evconnlistener *listener, void *arg)
{
	static const struct timeval pause = { .tv_usec = PAUSE_MS * 1000 };

	(void)arg;
	evconnlistener_disable(listener);
	if (event_base_once(evconnlistener_get_base(listener), -1, EV_TIMEOUT, on_pause_over,
			    listener, &pause))
		evconnlistener_enable(listener);
}

int metrics_open(struct metrics **out, const char *path, struct agent *agent,
		 struct qlink_why *why)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));
	struct evhttp_bound_socket *bound;
	int fd;

	if (!metrics)
		return qlink_refuse(why, -ENOMEM, "no memory");
	*out = metrics;
	metrics->agent = agent;
	metrics->http = evhttp_new(agent->base);
	fd = unixsock_listen(path, 0660, why);
	if (fd < 0)
		return fd;
	metrics->path = strdup(path);
	bound = metrics->http && metrics->path ?
		evhttp_accept_socket_with_handle(metrics->http, fd) : NULL;
	if (!bound) {
		close(fd);
		return qlink_refuse(why, -ENOMEM, "no memory");
	}
	evconnlistener_set_error_cb(evhttp_bound_socket_get_listener(bound), on_short);
	evhttp_set_allowed_methods(metrics->http, EVHTTP_REQ_GET);
	evhttp_set_max_headers_size(metrics->http, HEADERS_MAX);
	evhttp_set_max_body_size(metrics->http, 0);
	evhttp_set_timeout(metrics->http, TIMEOUT_S);
	evhttp_set_cb(metrics->http, "/metrics", on_request, metrics);
	return 0;
}

void metrics_close(struct metrics *metrics)
{
	if (!metrics)
		return;
	if (metrics->http)
		evhttp_free(metrics->http);
	if (metrics->path)
		unlink(metrics->path);
	free(metrics->path);
	free(metrics);
}
