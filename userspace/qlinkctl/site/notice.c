// SPDX-License-Identifier: GPL-2.0-or-later
/* Notifications of qlink.yang, from events of the kernel and from changes of the agent's status. */
#include "notice.h"

#include <string.h>

#include "qlinkctl/monitor.h"
#include "qlinkctl/watch/members.h"
#include "rfc7951.h"

/* ---- of the kernel ---- */

json_t *notice_event(const struct qlink_event *event)
{
	const struct qlink_attr *attr = qlink_event_attrs.attrs;
	json_t *body = json_object();
	size_t i;

	json_object_set_new(body, "name", json_string(event->ifname));
	for (i = 0; i < qlink_event_attrs.n; i++, attr++)
		if (monitor_has(event, attr->type))
			json_object_set_new(body, attr->name, rfc7951_attr(attr, event));
	json_object_set_new(body, "tx", rfc7951_ring(&event->tx, true));
	json_object_set_new(body, "rx", rfc7951_ring(&event->rx, false));
	return json_pack("{s:o}", "qlink:link-event", body);
}

/* ---- of the agent ---- */

/* The entry of a list whose member has this text; NULL without one. */
static const json_t *find(const json_t *list, const char *member, const char *text)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
		if (!strcmp(member_text(entry, member, ""), text))
			return entry;
	return NULL;
}

static json_t *add(json_t *list, const char *kind)
{
	json_t *notice = json_object(), *body = json_object();

	json_object_set_new(notice, kind, body);
	json_array_append_new(list, notice);
	return body;
}

/* What is null or empty is not there. */
static void set_text(json_t *body, const char *name, const char *text)
{
	if (text && *text)
		json_object_set_new(body, name, json_string(text));
}

static void note_source(json_t *list, const char *device, const json_t *before, const json_t *now)
{
	const char *former = member_text(before, "source", ""), *source = member_text(now, "source", "");
	json_t *body;

	if (!strcmp(former, source))
		return;
	body = add(list, "qlink:source-changed");
	set_text(body, "name", device);
	set_text(body, "source", source);
	set_text(body, "former", former);
}

static void note_phase(json_t *list, const char *device, const json_t *before, const json_t *now)
{
	bool was_ready = !strcmp(member_text(before, "phase", ""), "ready");
	bool is_ready = !strcmp(member_text(now, "phase", ""), "ready");
	json_t *body;

	if (was_ready == is_ready)
		return;
	body = add(list, is_ready ? "qlink:link-ready" : "qlink:link-blocked");
	set_text(body, "name", device);
	if (is_ready)
		return;
	set_text(body, "phase", member_text(now, "phase", NULL));
	set_text(body, "why", member_text(now, "why", NULL));
}

static void note_kme(json_t *list, const char *device, const json_t *before, const json_t *now)
{
	const char *health = member_text(now, "health", "unknown");
	bool is_up = !strcmp(health, "up");
	json_t *body;

	if (!strcmp(member_text(before, "health", "unknown"), health) || !strcmp(health, "unknown"))
		return;
	body = add(list, is_up ? "qlink:kme-up" : "qlink:kme-down");
	set_text(body, "name", device);
	set_text(body, "kme", member_text(now, "name", NULL));
	if (!is_up)
		set_text(body, "why", member_text(now, "why", NULL));
}

static void note_link(json_t *list, const json_t *before, const json_t *now)
{
	const json_t *kmes = json_object_get(now, "kmes"), *kme;
	const char *device = member_text(now, "device", "");
	size_t i;

	note_source(list, device, before, now);
	note_phase(list, device, before, now);
	json_array_foreach(kmes, i, kme)
		note_kme(list, device, find(json_object_get(before, "kmes"), "name", member_text(kme, "name", "")), kme);
}

static void note_peer(json_t *list, const json_t *before, const json_t *now)
{
	bool is_open = json_is_true(json_object_get(now, "connected"));
	json_t *body;

	if (json_is_true(json_object_get(before, "connected")) == is_open)
		return;
	body = add(list, is_open ? "qlink:peer-connected" : "qlink:peer-unreachable");
	set_text(body, "peer", member_text(now, "name", NULL));
	if (!is_open)
		set_text(body, "why", member_text(now, "why", NULL));
}

json_t *notice_changes(const json_t *before, const json_t *now, const char *device)
{
	const json_t *links = json_object_get(now, "links"), *peers = json_object_get(now, "peers"), *item;
	json_t *list = json_array();
	const char *name;
	size_t i;

	json_array_foreach(peers, i, item)
		if (!device)
			note_peer(list, find(json_object_get(before, "peers"), "name", member_text(item, "name", "")), item);
	json_array_foreach(links, i, item) {
		name = member_text(item, "device", "");
		if (!device || !strcmp(device, name))
			note_link(list, find(json_object_get(before, "links"), "device", name), item);
	}
	return list;
}
