// SPDX-License-Identifier: GPL-2.0-or-later
/* What the agent counts, as metrics for Prometheus. */
#include "metrics.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/buffer.h>

#include "expiry.h"
#include "libqlink/names.h"
#include "libqlink/protection.h"
#include "qlinkd/agreement/policy.h"
#include "qlinkd/link/act.h"

/* The counters of a device up to this one count one dropped frame each. */
#define LAST_DROP	QLINK_A_STATS_RX_BAD_INNER
/* Hexadecimal digits of a hash that a number of 64-bit floating point has exactly. */
#define HASH_DIGITS	12

/* A whole number of a link that can go up and down. */
struct gauge {
	const char *name, *help;
	uint64_t (*read)(const struct link *link);
};

static uint64_t read_stock(const struct link *link)
{
	return stocks_held(link->stocks);
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

/* The planned lifetime is in ms, and its metric in seconds, as all times are. */
static void put_periods(struct evbuffer *out, const struct agent *agent)
{
	size_t i;

	head(out, "key_period_seconds", "", "planned lifetime of a transmit key", "gauge");
	for (i = 0; i < agent->now.n_links; i++) {
		const struct link *link = agent->now.links[i]->link;

		evbuffer_add_printf(out, "qlinkd_key_period_seconds{link=\"%s\"} %.3f\n",
				    link->config->device, (double)link->period_ms / 1000);
	}
}

static void put_infos(struct evbuffer *out, const struct agent *agent)
{
	size_t i;

	head(out, "link_info", "", "1, with the peer and the policy of a link as labels", "gauge");
	for (i = 0; i < agent->now.n_links; i++) {
		const struct config_link *config = agent->now.links[i]->link->config;

		evbuffer_add_printf(out, "qlinkd_link_info{link=\"%s\",peer=\"%s\",policy=\"%s\"} 1\n",
				    config->device, config->peer_name, policy_name(config->policy));
	}
}

static void put_lacks(struct evbuffer *out, const struct agent *agent)
{
	uint32_t lacks, lack;
	size_t i;

	head(out, "lack", "", "1 while a link is degraded for a reason, see qlinkctl(8)", "gauge");
	for (i = 0; i < agent->now.n_links; i++) {
		const struct link *link = agent->now.links[i]->link;

		link_protection(link, &lacks);
		for (lack = 0; lack < qlink_lacks.n; lack++)
			evbuffer_add_printf(out, "qlinkd_lack{link=\"%s\",reason=\"%s\"} %u\n",
					    link->config->device, qlink_name(&qlink_lacks, lack),
					    lacks >> lack & 1);
	}
}

static void put_counters(struct evbuffer *out, const struct agent *agent)
{
	const struct link_counter *counter;
	size_t i;

	for (counter = link_counters; counter->name; counter++) {
		head(out, counter->name, "_total", counter->help, "counter");
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

/* Frames or bytes that keys of each source sealed or opened; as the kernel counts, not without a device. */
static void put_usage(struct evbuffer *out, const struct agent *agent, const char *metric, size_t offset)
{
	static const char *const directions[] = { "tx", "rx" };
	unsigned int n, source;
	size_t i;

	for (i = 0; i < agent->now.n_links * 2; i++) {
		const struct link *link = agent->now.links[i / 2]->link;
		const struct qlink_ring *ring = i % 2 ? &link->view.rx : &link->view.tx;

		n = link->has_view ? QLINK_SOURCE_STATIC + 1 : 0;
		for (source = 0; source < n; source++)
			evbuffer_add_printf(out, "qlinkd_%s_total{link=\"%s\",direction=\"%s\",source=\"%s\"} %"
					    PRIu64 "\n", metric, link->config->device, directions[i % 2],
					    qlink_name(&qlink_sources, source), *(const uint64_t *)
					    ((const char *)&ring->usage[source] + offset));
	}
}

static void put_frames(struct evbuffer *out, const struct agent *agent)
{
	head(out, "frames", "_total", "frames sealed or opened, by direction and source of the key", "counter");
	put_usage(out, agent, "frames", offsetof(struct qlink_usage, frames));
	head(out, "frame_bytes", "_total", "bytes of these frames, without what sealing adds", "counter");
	put_usage(out, agent, "frame_bytes", offsetof(struct qlink_usage, bytes));
}

static void put_drops(struct evbuffer *out, const struct agent *agent)
{
	unsigned int id;
	size_t i;

	head(out, "dropped_frames", "_total", "frames that the device dropped, by reason, see qlink(7)", "counter");
	for (i = 0; i < agent->now.n_links; i++) {
		const struct link *link = agent->now.links[i]->link;

		for (id = 0; link->has_view && id <= LAST_DROP; id++) {
			if (qlink_stats_names[id])
				evbuffer_add_printf(out, "qlinkd_dropped_frames_total{link=\"%s\",reason=\"%s\"} %"
						    PRIu64 "\n", link->config->device,
						    qlink_stats_names[id], link->view.stats[id]);
		}
	}
}

/* The other counters of a device have nothing in common, so that each is a metric. */
static void put_device(struct evbuffer *out, const struct agent *agent)
{
	char name[64];
	unsigned int id;
	size_t i;

	for (id = LAST_DROP + 1; id <= QLINK_A_STATS_MAX; id++) {
		if (!qlink_stats_names[id])
			continue;
		snprintf(name, sizeof(name), "device_%s", qlink_stats_names[id]);
		head(out, name, "_total", "counter of the device, see qlink(7)", "counter");
		for (i = 0; i < agent->now.n_links; i++) {
			const struct link *link = agent->now.links[i]->link;

			if (link->has_view)
				evbuffer_add_printf(out, "qlinkd_%s_total{link=\"%s\"} %" PRIu64 "\n", name,
						    link->config->device, link->view.stats[id]);
		}
	}
}

/* --- KMEs --- */

/* The counters of each KME of each link, from @first to before @end. */
static void put_kme_counters(struct evbuffer *out, const struct agent *agent, const char *metric,
			     unsigned int first, unsigned int end)
{
	unsigned int node, id;
	size_t i;

	for (i = 0; i < agent->now.n_links; i++) {
		const struct link *link = agent->now.links[i]->link;

		for (node = 0; node < link->config->n_kmes; node++) {
			for (id = first; id < end; id++)
				evbuffer_add_printf(out, "qlinkd_%s_total{link=\"%s\",kme=\"%s\",count=\"%s\"} %"
					PRIu64 "\n", metric, link->config->device,
					link->config->kme_names[node], kme_counter_name(id),
					stocks_server(link->stocks, node)->counters[id]);
		}
	}
}

static void put_kme_infos(struct evbuffer *out, const struct agent *agent)
{
	unsigned int node;
	size_t i;

	head(out, "kme_info", "", "1, with the dialect of a KME as a label", "gauge");
	for (i = 0; i < agent->now.n_links; i++) {
		const struct config_link *config = agent->now.links[i]->link->config;

		for (node = 0; node < config->n_kmes; node++)
			evbuffer_add_printf(out, "qlinkd_kme_info{link=\"%s\",kme=\"%s\",dialect=\"%s\"} 1\n",
				config->device, config->kme_names[node],
				kme_dialect_name(agent->now.config.kmes[config->kmes[node]].node.dialect));
	}
}

/* Not every KME says how many it holds. The status itself counts only until the next keys come. */
static void put_kme_stored(struct evbuffer *out, const struct agent *agent)
{
	unsigned int node;
	int64_t stored;
	size_t i;

	head(out, "kme_stored_keys", "", "keys that a KME says it holds for a link", "gauge");
	for (i = 0; i < agent->now.n_links; i++) {
		const struct link *link = agent->now.links[i]->link;

		for (node = 0; node < link->config->n_kmes; node++) {
			stored = stocks_server(link->stocks, node)->share.count;
			if (stored >= 0)
				evbuffer_add_printf(out, "qlinkd_kme_stored_keys{link=\"%s\",kme=\"%s\"} %" PRId64 "\n",
						    link->config->device, link->config->kme_names[node], stored);
		}
	}
}

static uint64_t read_kme_up(const struct link *link, unsigned int node)
{
	return stocks_server(link->stocks, node)->health == KME_HEALTH_UP;
}

static uint64_t read_kme_stock(const struct link *link, unsigned int node)
{
	return stocks_kme_held(link->stocks, node);
}

static void put_kme_gauge(struct evbuffer *out, const struct agent *agent, const char *metric,
			  uint64_t (*read)(const struct link *link, unsigned int node))
{
	unsigned int node;
	size_t i;

	for (i = 0; i < agent->now.n_links; i++) {
		const struct link *link = agent->now.links[i]->link;

		for (node = 0; node < link->config->n_kmes; node++)
			evbuffer_add_printf(out, "qlinkd_%s{link=\"%s\",kme=\"%s\"} %" PRIu64 "\n", metric,
					    link->config->device, link->config->kme_names[node],
					    read(link, node));
	}
}

static void put_kmes(struct evbuffer *out, const struct agent *agent)
{
	put_kme_infos(out, agent);
	put_kme_stored(out, agent);
	head(out, "kme_up", "", "1 while a KME answers", "gauge");
	put_kme_gauge(out, agent, "kme_up", read_kme_up);
	head(out, "kme_stock_keys", "", "keys of a KME in stock", "gauge");
	put_kme_gauge(out, agent, "kme_stock_keys", read_kme_stock);
	head(out, "kme_requests", "_total", "requests to a KME, by their kind", "counter");
	put_kme_counters(out, agent, "kme_requests", KME_COUNTER_STATUS, KME_COUNTER_ANSWERED);
	head(out, "kme_results", "_total", "how requests to a KME ended", "counter");
	put_kme_counters(out, agent, "kme_results", KME_COUNTER_ANSWERED, KME_COUNTER_KEYS);
	head(out, "kme_keys", "_total", "what became of the keys of a KME", "counter");
	put_kme_counters(out, agent, "kme_keys", KME_COUNTER_KEYS, KME_COUNTER_N);
}

static void put_terms(struct evbuffer *out, const struct link *link)
{
	unsigned int node;

	for (node = 0; node < link->config->n_kmes; node++) {
		const struct kme_terms *terms = &stocks_server(link->stocks, node)->terms;

		if (terms->version[0])
			evbuffer_add_printf(out, "qlinkd_kme_tls_info{link=\"%s\",kme=\"%s\",version=\"%s\","
					    "group=\"%s\",suite=\"%s\",subject=\"%s\"} 1\n",
					    link->config->device, link->config->kme_names[node],
					    terms->version, terms->group, terms->suite, terms->subject);
	}
}

static void put_all_terms(struct evbuffer *out, const struct agent *agent)
{
	size_t i;

	head(out, "kme_tls_info", "", "what was negotiated for the last connection to a KME, as labels", "gauge");
	for (i = 0; i < agent->now.n_links; i++)
		put_terms(out, agent->now.links[i]->link);
}

/*
 * A hash as a label would be another time series with each line. As numbers it is always the same
 * eight, and all of it is there.
 */
static void put_hash(struct evbuffer *out, const char *hash)
{
	char digits[HASH_DIGITS + 1];
	unsigned int part;

	head(out, "audit_hash", "", "48 bits of the hash of the last line of the audit log, as a number", "gauge");
	for (part = 0; strlen(hash) >= HASH_DIGITS; part++, hash += HASH_DIGITS) {
		snprintf(digits, sizeof(digits), "%.*s", HASH_DIGITS, hash);
		evbuffer_add_printf(out, "qlinkd_audit_hash{part=\"%u\"} %llu\n", part,
				    strtoull(digits, NULL, 16));
	}
}

static void put_audit(struct evbuffer *out, struct audit *audit)
{
	struct audit_state state;

	audit_read_state(audit, &state);
	head(out, "audit_lines", "_total", "lines of the audit log", "counter");
	evbuffer_add_printf(out, "qlinkd_audit_lines_total %" PRIu64 "\n", state.written.number);
	put_hash(out, state.written.hash);
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

static void put_peers(struct evbuffer *out, const struct agent *agent)
{
	size_t i;

	head(out, "peer_connected", "", "1 while there is a connection to a peer", "gauge");
	for (i = 0; i < agent->now.n_peers; i++)
		evbuffer_add_printf(out, "qlinkd_peer_connected{peer=\"%s\"} %u\n",
				    agent->now.peers[i]->config->name, agent->now.peers[i]->is_open);
}

static void put_process(struct evbuffer *out, const struct agent *agent)
{
	const double began = (double)time(NULL) - (double)(services_now() - agent->began) / 1000;
	const char *name = agent->now.config.agent.name;

	head(out, "agent_info", "", "1, with the name and the version of the agent as labels", "gauge");
	evbuffer_add_printf(out, "qlinkd_agent_info{agent=\"%s\",version=\"%s\"} 1\n",
			    name ? name : "", QLINK_VERSION);
	head(out, "start_time_seconds", "", "when the agent started, in seconds since 1970", "gauge");
	evbuffer_add_printf(out, "qlinkd_start_time_seconds %.0f\n", began);
	head(out, "reloads", "_total", "how often the configuration was read again", "counter");
	evbuffer_add_printf(out, "qlinkd_reloads_total %" PRIu64 "\n", agent->reloads);
}

static void put_certificate(void *arg, const char *kme, struct credentials_item *item)
{
	evbuffer_add_printf(arg, "qlinkd_certificate_expiry_timestamp_seconds{kme=\"%s\",use=\"%s\",subject=\"%s\",serial=\"%s\"} %lld\n",
			    kme, item->use, item->subject, item->serial, (long long)item->not_after);
}

static void put_certificates(struct evbuffer *out, const struct agent *agent)
{
	head(out, "certificate_expiry_timestamp_seconds", "", "when a certificate or CRL expires, in seconds since 1970", "gauge");
	expiry_list(&agent->now, put_certificate, out);
}

void metrics_write(struct evbuffer *out, const struct agent *agent)
{
	put_process(out, agent);
	put_peers(out, agent);
	put_infos(out, agent);
	put_gauges(out, agent);
	put_periods(out, agent);
	put_lacks(out, agent);
	put_counters(out, agent);
	head(out, "keys", "_total", "keys installed, by direction and source", "counter");
	put_keys(out, agent, "tx");
	put_keys(out, agent, "rx");
	put_frames(out, agent);
	put_drops(out, agent);
	put_device(out, agent);
	put_kmes(out, agent);
	put_all_terms(out, agent);
	put_agent(out, agent);
	put_certificates(out, agent);
}
