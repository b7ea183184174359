// SPDX-License-Identifier: GPL-2.0-or-later
/* What the agent says of itself, its KMEs, peers and links, in the document of a site. */
#include "agentstate.h"

#include <string.h>

#include "linkstate.h"
#include "qlinkctl/watch/members.h"
#include "rfc7951.h"
#include "write.h"

/* ---- members ---- */

static void set(json_t *to, const char *name, json_t *value)
{
	json_object_set_new(to, name, value);
}

/* What is null, or a text that says nothing, is not there. */
static void copy_text(json_t *to, const char *name, const json_t *from, const char *member)
{
	const char *text = member_text(from, member, "");

	if (*text)
		set(to, name, json_string(text));
}

static void copy_number(json_t *to, const char *name, const json_t *from, const char *member)
{
	const json_t *value = json_object_get(from, member);

	if (json_is_integer(value))
		set(to, name, json_integer(json_integer_value(value)));
}

static void copy_number64(json_t *to, const char *name, const json_t *from, const char *member)
{
	const json_t *value = json_object_get(from, member);

	if (json_is_integer(value))
		set(to, name, rfc7951_number64((uint64_t)json_integer_value(value)));
}

static void copy_boolean(json_t *to, const char *name, const json_t *from, const char *member)
{
	const json_t *value = json_object_get(from, member);

	if (json_is_boolean(value))
		set(to, name, json_boolean(json_is_true(value)));
}

static void copy_decimal(json_t *to, const char *name, const json_t *from, const char *member)
{
	const json_t *value = json_object_get(from, member);

	if (json_is_number(value))
		set(to, name, rfc7951_decimal(json_number_value(value), 3));
}

static void copy_time(json_t *to, const char *name, const json_t *from, const char *member)
{
	const json_t *value = json_object_get(from, member);

	if (json_is_integer(value))
		set(to, name, rfc7951_time((time_t)json_integer_value(value)));
}

static json_t *counters_of(const json_t *from)
{
	json_t *to = json_object();

	rfc7951_numbers(to, from);
	return to;
}

/* The entry of a list in an object; both are made if they are not there. */
static json_t *entry_of(json_t *object, const char *list_name, const char *key, const char *name)
{
	json_t *list = json_object_get(object, list_name), *entry;
	size_t i;

	if (!list) {
		list = json_array();
		set(object, list_name, list);
	}
	json_array_foreach(list, i, entry)
		if (!strcmp(member_text(entry, key, ""), name))
			return entry;
	entry = json_object();
	set(entry, key, json_string(name));
	json_array_append_new(list, entry);
	return entry;
}

static json_t *member_of(json_t *object, const char *name)
{
	json_t *member = json_object_get(object, name);

	if (!member) {
		member = json_object();
		set(object, name, member);
	}
	return member;
}

/* ---- links ---- */

static json_t *keys_of(const json_t *counters)
{
	const json_t *tx = json_object_get(counters, "tx_keys"), *rx = json_object_get(counters, "rx_keys"), *value;
	json_t *list = json_array(), *entry;
	const char *source;

	json_object_foreach((json_t *)tx, source, value) {
		entry = json_object();
		set(entry, "source", json_string(source));
		copy_number64(entry, "tx", tx, source);
		copy_number64(entry, "rx", rx, source);
		json_array_append_new(list, entry);
	}
	return list;
}

static json_t *agreement_of(const json_t *link)
{
	const json_t *counters = json_object_get(link, "counters");
	json_t *to = json_object(), *counts = counters_of(counters);

	copy_text(to, "phase", link, "phase");
	copy_text(to, "why", link, "why");
	copy_text(to, "peer-policy", link, "peer_policy");
	copy_number(to, "suite", link, "suite");
	copy_text(to, "source", link, "source");
	copy_number(to, "period-ms", link, "period_ms");
	copy_number(to, "kmes-least", link, "mix_least");
	copy_number(to, "tx-kmes", link, "tx_kmes");
	copy_number(to, "rx-kmes", link, "rx_kmes");
	set(counts, "keys", keys_of(counters));
	set(to, "counters", counts);
	return to;
}

static json_t *supply_of(const json_t *kme)
{
	const json_t *age = json_object_get(kme, "supply_age_ms");
	json_t *to = json_object();

	copy_text(to, "name", kme, "name");
	copy_text(to, "health", kme, "health");
	copy_number64(to, "stock", kme, "stock");
	copy_number64(to, "stored", kme, "stored");
	if (json_is_integer(age))
		set(to, "supply-age", rfc7951_decimal((double)json_integer_value(age) / 1000, 3));
	return to;
}

static json_t *demand_of(const json_t *link)
{
	const json_t *demand = json_object_get(link, "demand"), *kmes = json_object_get(link, "kmes"), *kme;
	json_t *to = json_object(), *list = json_array();
	size_t i;

	copy_decimal(to, "keys-wanted", demand, "keys_wanted");
	copy_decimal(to, "keys-used", demand, "keys_used");
	copy_decimal(to, "cover", demand, "cover_s");
	copy_number64(to, "stock", link, "stock");
	copy_number64(to, "usable", link, "usable");
	json_array_foreach(kmes, i, kme)
		json_array_append_new(list, supply_of(kme));
	set(to, "kme", list);
	return to;
}

static void add_link(json_t *document, const json_t *link)
{
	json_t *state = member_of(write_interface(document, member_text(link, "device", "?")), LINKSTATE_MEMBER);

	set(state, "agreement", agreement_of(link));
	set(state, "demand", demand_of(link));
}

/* ---- KMEs ---- */

static json_t *terms_of(const json_t *tls)
{
	json_t *to = json_object();

	copy_text(to, "version", tls, "version");
	copy_text(to, "group", tls, "group");
	copy_text(to, "suite", tls, "suite");
	copy_text(to, "subject", tls, "subject");
	return to;
}

/* Down is worse than unknown, and that is worse than up. */
static void note_health(json_t *state, const char *health)
{
	const char *before = member_text(state, "health", "up");

	if (!strcmp(health, "down") || strcmp(before, "down"))
		set(state, "health", json_string(!strcmp(health, "up") ? before : health));
}

static void add_kme(json_t *agent, const char *device, const json_t *kme)
{
	json_t *state = member_of(entry_of(agent, "kme", "name", member_text(kme, "name", "?")), "state");
	json_t *to = entry_of(state, "link", "device", device);

	note_health(state, member_text(kme, "health", "unknown"));
	copy_text(to, "health", kme, "health");
	copy_text(to, "why", kme, "why");
	copy_text(to, "method", kme, "method");
	copy_number64(to, "stock", kme, "stock");
	if (json_is_object(json_object_get(kme, "tls")))
		set(to, "tls", terms_of(json_object_get(kme, "tls")));
	set(to, "counters", counters_of(json_object_get(kme, "counters")));
}

static void add_kmes(json_t *agent, const json_t *link)
{
	const json_t *kmes = json_object_get(link, "kmes"), *kme;
	size_t i;

	json_array_foreach(kmes, i, kme)
		add_kme(agent, member_text(link, "device", "?"), kme);
}

/* ---- peers, and the agent itself ---- */

static void add_peer(json_t *agent, const json_t *peer)
{
	json_t *to = member_of(entry_of(agent, "peer", "name", member_text(peer, "name", "?")), "state");

	copy_boolean(to, "connected", peer, "connected");
	copy_boolean(to, "dials", peer, "dials");
	copy_text(to, "why", peer, "why");
	copy_number64(to, "connections", peer, "connections");
	copy_number(to, "suite", peer, "suite");
	copy_number64(to, "unknown-link-messages", peer, "unknown_link_messages");
}

static json_t *audit_of(const json_t *audit)
{
	json_t *to = counters_of(audit);

	copy_text(to, "hash", audit, "hash");
	copy_text(to, "why", audit, "why");
	return to;
}

static json_t *certificate_of(const json_t *certificate)
{
	json_t *to = json_object();

	copy_text(to, "kme", certificate, "kme");
	copy_text(to, "use", certificate, "use");
	copy_text(to, "file", certificate, "file");
	copy_text(to, "subject", certificate, "subject");
	copy_text(to, "serial", certificate, "serial");
	copy_time(to, "not-before", certificate, "not_before");
	copy_time(to, "not-after", certificate, "not_after");
	return to;
}

static json_t *certificates_of(const json_t *certificates)
{
	json_t *list = json_array();
	const json_t *certificate;
	size_t i;

	json_array_foreach(certificates, i, certificate)
		json_array_append_new(list, certificate_of(certificate));
	return list;
}

static json_t *status_of(const json_t *status)
{
	json_t *to = json_object();

	copy_text(to, "version", status, "version");
	copy_number64(to, "uptime-ms", status, "uptime_ms");
	copy_number64(to, "reloads", status, "reloads");
	copy_text(to, "reload-refused", status, "reload_refused");
	set(to, "audit", audit_of(json_object_get(status, "audit")));
	set(to, "refused", counters_of(json_object_get(status, "refused")));
	set(to, "key-updates", counters_of(json_object_get(status, "key_updates")));
	set(to, "certificate", certificates_of(json_object_get(status, "certificates")));
	return to;
}

void agentstate_add(json_t *document, const json_t *status)
{
	const json_t *links = json_object_get(status, "links"), *peers = json_object_get(status, "peers"), *item;
	json_t *agent = member_of(document, WRITE_AGENT);
	size_t i;

	if (!json_object_get(agent, "name"))
		copy_text(agent, "name", status, "name");
	json_array_foreach(links, i, item) {
		add_link(document, item);
		add_kmes(agent, item);
	}
	json_array_foreach(peers, i, item)
		add_peer(agent, item);
	set(agent, "status", status_of(status));
}
