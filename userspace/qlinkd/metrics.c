// SPDX-License-Identifier: GPL-2.0-or-later
/* Metrics for Prometheus, by HTTP on a Unix socket. */
#include "metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "expiry.h"
#include "libqlink/names.h"
#include "qlinkd/base/clients.h"
#include "qlinkd/link/act.h"

/* Source: Prometheus text format, version 0.0.4. */
#define CONTENT_TYPE	"text/plain; version=0.0.4; charset=utf-8"
#define PATH		"/metrics"
/* Bytes of a request, at most. */
#define REQUEST_MAX	8192

struct metrics {
	struct agent *agent;
	struct clients *clients;
};

/* A number of a link that can go up and down. */
struct gauge {
	const char *name, *help;
	uint64_t (*read)(const struct link *link);
};

static uint64_t read_stock(const struct link *link)
{
	return stocks_held(link->stocks);
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

static uint64_t read_suite(const struct link *link)
{
	return link->session.suite;
}

static uint64_t read_mix_least(const struct link *link)
{
	return link->session.kmes_least;
}

static uint64_t read_tx_kmes(const struct link *link)
{
	return act_n_kmes(link, QLINK_DIRECTION_TX);
}

static uint64_t read_rx_kmes(const struct link *link)
{
	return act_n_kmes(link, QLINK_DIRECTION_RX);
}

static const struct gauge gauges[] = {
	{ "stock_keys", "QKD keys in stock, not offered yet", read_stock },
	{ "period_milliseconds", "planned lifetime of a transmit key", read_period },
	{ "ready", "1 while the agents of both ends agree on keys", read_ready },
	{ "protection", "0 blocked, 1 degraded, 2 protected", read_protection },
	{ "tx_epoch", "epoch of the transmit key in use", read_tx_epoch },
	{ "rx_epoch", "epoch of the receive key in use", read_rx_epoch },
	{ "tx_staged_keys", "transmit keys that are staged", read_tx_staged },
	{ "suite", "suite of algorithms of the last connection, 0 before the first", read_suite },
	{ "mix_least", "KMEs that a QKD key must have, 0 without a session", read_mix_least },
	{ "tx_kmes", "KMEs behind the transmit keys agreed on last", read_tx_kmes },
	{ "rx_kmes", "KMEs behind the receive keys agreed on last", read_rx_kmes },
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

/* What the kernel counts; not while there is no device. */
static void put_device(struct evbuffer *out, const struct agent *agent)
{
	unsigned int id;
	size_t i;

	head(out, "device", "_total", "counters of the device, see qlink(7)", "counter");
	for (i = 0; i < agent->now.n_links; i++) {
		const struct link *link = agent->now.links[i]->link;

		for (id = 0; link->has_view && id <= QLINK_A_STATS_MAX; id++) {
			if (qlink_stats_names[id])
				evbuffer_add_printf(out, "qlinkd_device_total{link=\"%s\",counter=\"%s\"} %"
						    PRIu64 "\n", link->config->device,
						    qlink_stats_names[id], link->view.stats[id]);
		}
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
					stocks_server(link->stocks, node)->counters[counter]);
		}
	}
}

static void put_terms(struct evbuffer *out, const struct link *link)
{
	unsigned int node;

	for (node = 0; node < link->config->n_kmes; node++) {
		const struct kme_terms *terms = &stocks_server(link->stocks, node)->terms;

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
	evbuffer_add_printf(out, "qlinkd_audit_failing %u\n", state.err || state.is_slow);
}

static void put_updates(struct evbuffer *out, const struct agent *agent)
{
	const struct tls_updates updates = tls_context_updates(agent->now.context);

	head(out, "key_updates", "_total", "KeyUpdates of TLS of all connections to peers, by direction", "counter");
	evbuffer_add_printf(out, "qlinkd_key_updates_total{direction=\"tx\"} %" PRIu64 "\n", updates.sent);
	evbuffer_add_printf(out, "qlinkd_key_updates_total{direction=\"rx\"} %" PRIu64 "\n", updates.heard);
}

static void put_state(struct evbuffer *out, struct state *state)
{
	struct state_status status;

	state_read_status(state, &status);
	head(out, "state_links", "", "links whose chain of secrets is kept over a restart", "gauge");
	evbuffer_add_printf(out, "qlinkd_state_links %u\n", status.links);
	head(out, "state_failing", "", "1 while the state file cannot be written", "gauge");
	evbuffer_add_printf(out, "qlinkd_state_failing %u\n",
			    status.err || status.is_slow || status.lost);
}

static void put_agent(struct evbuffer *out, const struct agent *agent)
{
	unsigned int i;

	if (agent->services.audit)
		put_audit(out, agent->services.audit);
	if (agent->services.state)
		put_state(out, agent->services.state);
	head(out, "connections_refused", "_total", "connections of peers that were refused, by reason", "counter");
	for (i = 0; i < TLS_N_REFUSALS; i++)
		evbuffer_add_printf(out, "qlinkd_connections_refused_total{reason=\"%s\"} %" PRIu64 "\n",
				    tls_refusal_name(i), tls_refused(agent->now.context, i));
	put_updates(out, agent);
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

static void put_all(struct evbuffer *out, const struct agent *agent)
{
	put_gauges(out, agent);
	put_counters(out, agent);
	head(out, "keys", "_total", "keys installed, by direction and source", "counter");
	put_keys(out, agent, "tx");
	put_keys(out, agent, "rx");
	put_device(out, agent);
	put_kmes(out, agent);
	put_all_terms(out, agent);
	put_agent(out, agent);
	put_certificates(out, agent);
}

/* --- HTTP (RFC 9112), as much of it as one resource that can only be read needs --- */

/* Says what becomes of a request by its first line, which it cuts into words. */
static const char *status_for(char *line)
{
	char *rest, *method = strtok_r(line, " ", &rest), *path = strtok_r(NULL, " ", &rest);

	if (!method || !path || strncmp(rest, "HTTP/1.", 7))
		return "400 Bad Request";
	if (strcmp(method, "GET"))
		return "405 Method Not Allowed";
	path[strcspn(path, "?")] = '\0';
	return strcmp(path, PATH) ? "404 Not Found" : "200 OK";
}

/* Each connection has one request, so that the end of the answer is the end of the connection. */
static enum clients_step serve(void *arg, struct bufferevent *io)
{
	struct evbuffer *in = bufferevent_get_input(io), *body;
	const struct metrics *metrics = arg;
	const char *status;
	char *line;

	/* A request without a body: it ends with the first empty line. */
	if (evbuffer_search(in, "\r\n\r\n", 4, NULL).pos < 0)
		return CLIENTS_WAIT;
	line = evbuffer_readln(in, NULL, EVBUFFER_EOL_CRLF);
	body = evbuffer_new();
	if (line && body) {
		status = status_for(line);
		if (*status == '2')
			put_all(body, metrics->agent);
		evbuffer_add_printf(bufferevent_get_output(io), "HTTP/1.1 %s\r\nContent-Type: "
				    CONTENT_TYPE "\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
				    status, evbuffer_get_length(body));
		bufferevent_write_buffer(io, body);
	}
	if (body)
		evbuffer_free(body);
	free(line);
	evbuffer_drain(in, evbuffer_get_length(in));
	return CLIENTS_END;
}

static const struct clients_kind kind = {
	.most = METRICS_CLIENTS_MAX, .request_bytes = REQUEST_MAX, .serve = serve,
};

int metrics_open(struct metrics **out, const char *path, struct agent *agent,
		 struct qlink_why *why)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));
	int err;

	if (!metrics)
		return qlink_refuse(why, -ENOMEM, "no memory");
	metrics->agent = agent;
	err = clients_open(&metrics->clients, agent->base, path, &kind, metrics, why);
	if (err) {
		free(metrics);
		return err;
	}
	*out = metrics;
	return 0;
}

void metrics_close(struct metrics *metrics)
{
	if (!metrics)
		return;
	clients_close(metrics->clients);
	free(metrics);
}
