// SPDX-License-Identifier: GPL-2.0-or-later
/* The status of the agent as JSON, as qlinkd(8) describes it. */
#include "status.h"

#include <string.h>

#include "expiry.h"
#include "libqlink/names.h"
#include "libqlink/protection.h"
#include "qlinkd/link/act.h"
#include "qlinkd/link/demand.h"
#include "qlinkd/peer/listen.h"

/* json_object_set_new() frees what it cannot set; a status with a member missing is still of use. */
static void set(json_t *object, const char *name, json_t *value)
{
	json_object_set_new(object, name, value);
}

static void set_number(json_t *object, const char *name, uint64_t value)
{
	set(object, name, json_integer((json_int_t)value));
}

static void set_text(json_t *object, const char *name, const char *value)
{
	set(object, name, value ? json_string(value) : json_null());
}

static const char *source_name(int source)
{
	return source < 0 ? NULL : qlink_name(&qlink_sources, (unsigned int)source);
}

static json_t *ring(const struct qlink_ring *from)
{
	uint64_t frames = 0, bytes = 0;
	json_t *to = json_object();
	unsigned int source;

	for (source = 0; source <= QLINK_SOURCE_STATIC; source++) {
		frames += from->usage[source].frames;
		bytes += from->usage[source].bytes;
	}
	set_number(to, "epoch", from->current_epoch);
	set_text(to, "source", from->has_source ? source_name(from->current_source) : NULL);
	set(to, "kmes", from->has_source ? json_integer(from->current_kmes) : json_null());
	set_number(to, "age_ms", from->age_ms);
	set_number(to, "staged", from->staged);
	set_number(to, "rekeys", from->rekeys);
	set_number(to, "frames", frames);
	set_number(to, "bytes", bytes);
	set_number(to, "sealed_bytes", bytes + frames * QLINK_SEALING_BYTES);
	return to;
}

static json_t *parcels(const struct link *link)
{
	const uint64_t *stats = link->view.stats;
	json_t *to;

	if (!link->has_view)
		return json_null();
	to = json_object();
	set_number(to, "sent", stats[QLINK_A_STATS_TX_PARCELS]);
	set_number(to, "bytes", stats[QLINK_A_STATS_TX_PARCEL_BYTES]);
	set_number(to, "pad_bytes", stats[QLINK_A_STATS_TX_PAD_BYTES]);
	return to;
}

static json_t *keys_by_source(const uint64_t *keys)
{
	json_t *to = json_object();
	unsigned int source;

	for (source = 0; source < QLINK_SOURCE_STATIC; source++)
		set_number(to, source_name((int)source), keys[source]);
	return to;
}

static json_t *counters(const struct link *link)
{
	const struct link_counter *counter;
	json_t *to = json_object();

	for (counter = link_counters; counter->name; counter++)
		set_number(to, counter->name, link_counter(link, counter));
	set(to, "tx_keys", keys_by_source(link->counters.tx_keys));
	set(to, "rx_keys", keys_by_source(link->counters.rx_keys));
	return to;
}

json_t *status_terms(const struct kme_terms *terms)
{
	json_t *to;

	if (!terms->version[0])
		return json_null();
	to = json_object();
	set_text(to, "version", terms->version);
	set_text(to, "group", terms->group);
	set_text(to, "suite", terms->suite);
	set_text(to, "subject", terms->subject);
	return to;
}

/* Not every KME says how many it holds. */
static json_t *stored(const struct kme_server *server)
{
	return server->share.count < 0 ? json_null() : json_integer(server->share.count);
}

/* When keys came last, whichever of the two asked for them. */
static json_t *supply_age(const struct kme_server *server)
{
	if (!server->keys_ms)
		return json_null();
	return json_integer((json_int_t)services_now() - server->keys_ms);
}

static json_t *demand(const struct link *link)
{
	json_t *to = json_object();

	set(to, "keys_wanted", json_real(demand_wanted(link)));
	set(to, "keys_used", json_real(demand_used(link)));
	set(to, "cover_s", json_real(demand_cover(link)));
	return to;
}

static json_t *kme(const struct link *link, unsigned int node)
{
	static const char *const names[] = {
		[KME_HEALTH_UNKNOWN] = "unknown",
		[KME_HEALTH_UP] = "up",
		[KME_HEALTH_DOWN] = "down",
	};
	const struct kme_server *server = stocks_server(link->stocks, node);
	json_t *to = json_object(), *list = json_object();
	unsigned int i;

	set_text(to, "name", link->config->kme_names[node]);
	set_text(to, "health", names[server->health]);
	set_text(to, "why", server->why.text);
	set_text(to, "method", kme_method_name(server->method[KME_OP_ENC]));
	set(to, "tls", status_terms(&server->terms));
	set_number(to, "stock", stocks_kme_held(link->stocks, node));
	set(to, "stored", stored(server));
	set(to, "supply_age_ms", supply_age(server));
	set(to, "one_batch", json_boolean(stocks_is_one_batch(link->stocks, node)));
	for (i = 0; i < KME_COUNTER_N; i++)
		set_number(list, kme_counter_name(i), server->counters[i]);
	set(to, "counters", list);
	return to;
}

static json_t *kmes(const struct link *link)
{
	json_t *list = json_array();
	unsigned int node;

	for (node = 0; node < link->config->n_kmes; node++)
		json_array_append_new(list, kme(link, node));
	return list;
}

static json_t *link_status(const struct link *link, uint64_t began)
{
	json_t *to = json_object();
	uint32_t lacks;

	set_text(to, "device", link->config->device);
	set_number(to, "id", link->id);
	set_text(to, "peer", link->config->peer_name);
	set_text(to, "policy", policy_name(link->config->policy));
	set_text(to, "peer_policy", policy_name(link->session.peer.policy));
	set_number(to, "suite", link->session.suite);
	set(to, "psk", json_boolean(link->config->psk));
	set(to, "chain_required", json_boolean(link->session.config.demands_chain));
	set(to, "mix", json_boolean(link->config->mixes));
	set_number(to, "mix_least", link->session.kmes_least);
	set_number(to, "tx_kmes", act_n_kmes(link, QLINK_DIRECTION_TX));
	set_number(to, "rx_kmes", act_n_kmes(link, QLINK_DIRECTION_RX));
	set_text(to, "phase", link_phase_name(link));
	set_text(to, "why", link->why[0] ? link->why : NULL);
	set_text(to, "protection", link->has_view ?
		 qlink_name(&qlink_protections, qlink_link_protection(&link->view, &lacks)) : NULL);
	set_text(to, "source", source_name(link->choice.source));
	set_number(to, "stock", stocks_held(link->stocks));
	set_number(to, "usable", stocks_usable(link->stocks));
	set_number(to, "period_ms", link->period_ms);
	set(to, "read_ms", link->has_view ? json_integer((json_int_t)(link->view_at - began)) : json_null());
	set(to, "tx", ring(&link->view.tx));
	set(to, "rx", ring(&link->view.rx));
	set(to, "parcels", parcels(link));
	set(to, "demand", demand(link));
	set(to, "kmes", kmes(link));
	set(to, "counters", counters(link));
	return to;
}

static const char *endpoint_text(const struct config_endpoint *endpoint, char text[QLINK_ADDR_TEXT])
{
	return endpoint->addr.len ? qlink_format_addr(&endpoint->addr, text) : NULL;
}

static json_t *peer_status(const struct peer *peer)
{
	json_t *to = json_object();
	char text[QLINK_ADDR_TEXT];

	set_text(to, "name", peer->config->name);
	set_text(to, "address", endpoint_text(&peer->config->address, text));
	set_number(to, "port", peer->config->address.port);
	set(to, "connected", json_boolean(peer->is_open));
	set(to, "dials", json_boolean(peer->dials));
	set_text(to, "why", peer->why[0] ? peer->why : NULL);
	set_number(to, "connections", peer->n_connections);
	set(to, "suite", peer->is_open ? json_integer(tls_suite(connection_tls(peer->connection))) : json_null());
	set_number(to, "unknown_link_messages", peer->n_unknown_link);
	return to;
}

static json_t *refusals(const struct agent *agent)
{
	json_t *to = json_object();
	unsigned int i;

	for (i = 0; i < TLS_N_REFUSALS; i++)
		set_number(to, tls_refusal_name(i), tls_refused(agent->now.context, i));
	return to;
}

/* The last caller that was refused: a peer that calls has no other trace of why there is no connection. */
static json_t *refused_caller(const struct agent *agent)
{
	const struct listener_refusal *last = agent->listener ? listener_refusal(agent->listener) : NULL;
	json_t *to;

	if (!last || !last->at)
		return json_null();
	to = json_object();
	set_text(to, "from", last->from);
	set_text(to, "reason", last->why);
	set_number(to, "ago_ms", services_now() - last->at);
	return to;
}

static json_t *key_updates(const struct agent *agent)
{
	const struct tls_updates updates = tls_context_updates(agent->now.context);
	json_t *to = json_object();

	set_number(to, "sent", updates.sent);
	set_number(to, "heard", updates.heard);
	return to;
}

static json_t *audit_status(const struct services *services)
{
	struct audit_state state = { .err = 0 };
	json_t *to = json_object();

	if (services->audit)
		audit_read_state(services->audit, &state);
	set_number(to, "lines", state.written.number);
	set_text(to, "hash", state.written.hash);
	set_number(to, "file", state.file);
	set_number(to, "queued", state.queued);
	set_number(to, "dropped", state.dropped);
	set_text(to, "why", state.err ? strerror(-state.err) : NULL);
	return to;
}

static json_t *certificate_status(const char *kme, const struct credentials_item *item)
{
	json_t *to = json_object();

	set_text(to, "kme", *kme ? kme : NULL);
	set_text(to, "use", item->use);
	set_text(to, "file", item->path);
	set_text(to, "subject", item->subject);
	set_text(to, "serial", item->serial[0] ? item->serial : NULL);
	set(to, "not_before", item->not_before ? json_integer(item->not_before) : json_null());
	set_number(to, "not_after", (uint64_t)item->not_after);
	return to;
}

static void add_certificate(void *arg, const char *kme, struct credentials_item *item)
{
	json_array_append_new(arg, certificate_status(kme, item));
}

json_t *status_of(const struct agent *agent)
{
	json_t *to = json_object(), *peers = json_array(), *links = json_array();
	json_t *certificates = json_array();
	char text[QLINK_ADDR_TEXT];
	size_t i;

	expiry_list(&agent->now, add_certificate, certificates);
	for (i = 0; i < agent->now.n_peers; i++)
		json_array_append_new(peers, peer_status(agent->now.peers[i]));
	for (i = 0; i < agent->now.n_links; i++)
		json_array_append_new(links, link_status(agent->now.links[i]->link, agent->began));
	set_text(to, "name", agent->now.config.agent.name);
	set_text(to, "version", QLINK_VERSION);
	set_number(to, "uptime_ms", services_now() - agent->began);
	set_number(to, "reloads", agent->reloads);
	set_text(to, "reload_refused", agent->refused[0] ? agent->refused : NULL);
	set_text(to, "listen", endpoint_text(&agent->now.config.agent.listen, text));
	set_number(to, "listen_port", agent->now.config.agent.listen.port);
	set(to, "audit", audit_status(&agent->services));
	set(to, "refused", refusals(agent));
	set(to, "refused_caller", refused_caller(agent));
	set(to, "key_updates", key_updates(agent));
	set(to, "certificates", certificates);
	set(to, "peers", peers);
	set(to, "links", links);
	return to;
}
