// SPDX-License-Identifier: GPL-2.0-or-later
/* One link of the agent: its agreement with the peer, its QKD keys, its device. */
#include "link.h"

#include <stdio.h>

#define COUNTER(member, help)	{ #member, help, offsetof(struct link_counters, member) }

const struct link_counter link_counters[] = {
	COUNTER(sessions, "sessions that became ready"),
	COUNTER(offers, "offers of this end that the peer confirmed"),
	COUNTER(offers_refused, "offers of this end that the peer refused, or that failed here"),
	COUNTER(offers_rejected, "offers of the peer that this end refused"),
	COUNTER(violations, "sessions that ended because the peer broke the protocol"),
	COUNTER(timeouts, "sessions that ended because an answer did not come in time"),
	COUNTER(failures, "sessions that ended because the ends might have held different keys, or because the kernel failed"),
	COUNTER(chain_restarts, "restarts of the chain of secrets of the sending direction"),
	COUNTER(peer_chain_restarts, "restarts of the chain of secrets of the receiving direction, by the peer"),
	COUNTER(source_changes, "changes of the source of new keys"),
	COUNTER(peer_source_changes, "changes of the source of the keys that the peer offers"),
	COUNTER(keys_burned, "keys that a KME may have given away and that neither end will use"),
	COUNTER(keys_expired, "QKD keys that were wiped for their age"),
	COUNTER(keys_refused, "keys of a KME that were not taken, because they came before or have a wrong length"),
	COUNTER(records_lost, "records of keys that were overwritten before they were read"),
	{ NULL, NULL, 0 },
};

uint64_t link_counter(const struct link *link, const struct link_counter *counter)
{
	return *(const uint64_t *)((const char *)&link->counters + counter->offset);
}

const char *link_phase_name(const struct link *link)
{
	static const char *const names[] = {
		[SESSION_PHASE_DOWN] = "no-peer",
		[SESSION_PHASE_PAUSE] = "pause",
		[SESSION_PHASE_HELLO] = "hello",
		[SESSION_PHASE_RINGS] = "rings",
		[SESSION_PHASE_STATE] = "state",
		[SESSION_PHASE_RECONCILE] = "reconcile",
		[SESSION_PHASE_READY] = "ready",
		[SESSION_PHASE_BLOCKED] = "blocked",
	};

	return link->id ? names[link->session.phase] : "no-device";
}

enum qlink_protection link_protection(const struct link *link, uint32_t *lacks)
{
	*lacks = 0;
	return link->has_view ? qlink_link_protection(&link->view, lacks) : QLINK_BLOCKED;
}

int link_look(struct link *link)
{
	struct broker_client *broker = &link->services->broker;
	struct qlink_why why;
	int err = broker_ask(broker, REQUEST_LINK, link->config->device, NULL, &why);

	if (err) {
		link->has_view = false;
		snprintf(link->why, sizeof(link->why), "device: %s", why.text);
		return err;
	}
	link->view = broker->reply.link;
	link->has_view = true;
	link->view_at = services_now();
	link->key_since = services_now() - link->view.tx.age_ms;
	return 0;
}
