// SPDX-License-Identifier: GPL-2.0-or-later
/* What another configuration changes, and what it leaves as it is. */
#include "reload.h"

#include <string.h>

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

bool reload_same_endpoint(const struct config_endpoint *a, const struct config_endpoint *b)
{
	return a->port == b->port && a->addr.len == b->addr.len &&
	       !memcmp(a->addr.bytes, b->addr.bytes, a->addr.len);
}

bool reload_same_agent(const struct config *a, const struct config *b)
{
	const struct config_agent *x = &a->agent, *y = &b->agent;

	return same_text(x->name, y->name) && same_text(x->certificate, y->certificate) &&
	       same_text(x->key, y->key) && same_text(x->ca, y->ca) &&
	       same_text(x->control, y->control) && same_text(x->metrics, y->metrics) &&
	       same_text(x->audit_log, y->audit_log) && reload_same_endpoint(&x->listen, &y->listen) &&
	       x->kme_connect_ms == y->kme_connect_ms &&
	       x->kme_timeout_ms == y->kme_timeout_ms && x->kme_retry_ms == y->kme_retry_ms;
}

static bool same_kme(const struct config_kme *a, const struct config_kme *b)
{
	return same_text(a->node.url, b->node.url) && same_text(a->node.id, b->node.id) &&
	       same_text(a->node.ca, b->node.ca) &&
	       same_text(a->node.certificate, b->node.certificate) &&
	       same_text(a->node.key, b->node.key) && a->node.method == b->node.method;
}

static bool same_options(const struct config_link *a, const struct config_link *b)
{
	return same_text(a->sae, b->sae) && a->policy == b->policy &&
	       a->store.capacity == b->store.capacity &&
	       a->store.outage_cover == b->store.outage_cover &&
	       a->store.key_bytes == b->store.key_bytes &&
	       a->store.max_age_ms == b->store.max_age_ms &&
	       a->pacing.floor_ms == b->pacing.floor_ms &&
	       a->pacing.ceiling_ms == b->pacing.ceiling_ms &&
	       a->pacing.reserve == b->pacing.reserve;
}

bool reload_same_link(const struct config *a, const struct config *b, const char *device)
{
	const struct config_link *x = config_find_link(a, device);
	const struct config_link *y = config_find_link(b, device);
	uint32_t i;

	if (!x || !y || !same_options(x, y) || x->n_kmes != y->n_kmes ||
	    !same_text(x->peer_name, y->peer_name) ||
	    !reload_same_endpoint(&a->peers[x->peer].address, &b->peers[y->peer].address))
		return false;
	for (i = 0; i < x->n_kmes; i++) {
		if (!same_kme(&a->kmes[x->kmes[i]], &b->kmes[y->kmes[i]]))
			return false;
	}
	return true;
}
