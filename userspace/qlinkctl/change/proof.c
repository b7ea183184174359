// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether links are as well protected as before a change. */
#include "proof.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qlinkctl/agent.h"

/* The kernel gives a peer up after three; one more is for the first, which may be on its way. */
#define KEEPALIVES	4

/* ---- which links ---- */

/* Whether one of the words of an option names a section that changes. */
static bool names_changed(const struct plan *plan, const struct site_section *link, const char *option,
			  enum site_kind kind)
{
	const char *words = site_get(link, option);
	char *copy = words ? strdup(words) : NULL, *save = NULL, *word;
	bool changes = false;

	for (word = copy ? strtok_r(copy, " ", &save) : NULL; word && !changes; word = strtok_r(NULL, " ", &save))
		changes = difference_touches(&plan->differences, kind, word);
	free(copy);
	return changes;
}

static bool is_touched(const struct plan *plan, const char *name)
{
	const struct site_section *link = site_find(&plan->next, SITE_LINK, name);

	if (difference_touches(&plan->differences, SITE_DEVICE, name) ||
	    difference_touches(&plan->differences, SITE_LINK, name))
		return true;
	if (!link)
		return false;
	return difference_touches(&plan->differences, SITE_AGENT, "") ||
	       names_changed(plan, link, "peer", SITE_PEER) || names_changed(plan, link, "kmes", SITE_KME) ||
	       names_changed(plan, link, "mix", SITE_KME);
}

static int add_link(struct proof *proof, const struct plan *plan, const struct qlink_link *link)
{
	struct proof_link *links, *item;
	uint32_t lacks;

	if (!is_touched(plan, link->ifname) || !site_find(&plan->next, SITE_DEVICE, link->ifname) ||
	    qlink_link_protection(link, &lacks) == QLINK_BLOCKED)
		return 0;
	links = reallocarray(proof->links, proof->n + 1, sizeof(*links));
	if (!links)
		return -ENOMEM;
	proof->links = links;
	item = &links[proof->n++];
	*item = (struct proof_link){
		.least = qlink_link_protection(link, &lacks),
		.has_agent = site_find(&plan->next, SITE_LINK, link->ifname),
	};
	snprintf(item->name, sizeof(item->name), "%s", link->ifname);
	return 0;
}

int proof_record(struct proof *proof, const struct plan *plan, struct qlink_why *why)
{
	struct qlink_link *links = NULL;
	struct qlink_error error;
	size_t n = 0, i;
	int err = 0;

	*proof = (struct proof){ 0 };
	if (qlink_link_dump(plan->ctl->nl, &links, &n, &error))
		return qlink_refuse(why, -error.err, "%s", qlink_error_text(&error));
	for (i = 0; i < n && !err; i++)
		if (links[i].ifindex)
			err = add_link(proof, plan, &links[i]);
	free(links);
	return err ? qlink_refuse(why, err, "%s", strerror(-err)) : 0;
}

void proof_free(struct proof *proof)
{
	free(proof->links);
	*proof = (struct proof){ 0 };
}

/* ---- how they are ---- */

static bool refuse(struct qlink_why *lacks, const char *name, const char *what)
{
	qlink_refuse(lacks, 0, "%s: %s", name, what);
	return false;
}

static bool kernel_holds(const struct proof *proof, const struct proof_link *item, struct ctl *ctl, uint64_t now_ms,
			 struct qlink_why *lacks)
{
	uint32_t ifindex = if_nametoindex(item->name), reasons;
	struct qlink_error error;
	struct qlink_link link;

	if (!ifindex || qlink_link_get(ctl->nl, ifindex, &link, &error))
		return refuse(lacks, item->name, "it is not there");
	if (qlink_link_protection(&link, &reasons) < item->least)
		return refuse(lacks, item->name, "it is less protected than before");
	if (!link.has_peer)
		return true;
	if (!link.peer_heard)
		return refuse(lacks, item->name, "the peer is not heard");
	if (now_ms - proof->since_ms < (uint64_t)KEEPALIVES * link.config.keepalive_ms)
		return refuse(lacks, item->name, "the peer was heard, and may be given up yet");
	return true;
}

static const json_t *find_named(const json_t *list, const char *member, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		if (!strcmp(json_string_value(json_object_get(item, member)) ?: "", name))
			return item;
	return NULL;
}

static bool agent_holds(const struct proof_link *item, const json_t *status, struct qlink_why *lacks)
{
	const json_t *link = find_named(json_object_get(status, "links"), "device", item->name), *peer;
	const char *phase = json_string_value(json_object_get(link, "phase"));

	if (!link)
		return refuse(lacks, item->name, "the agent does not have it, or does not answer");
	peer = find_named(json_object_get(status, "peers"), "name", json_string_value(json_object_get(link, "peer")) ?: "");
	if (!json_is_true(json_object_get(peer, "connected")))
		return refuse(lacks, item->name, "the agents are not connected");
	if (strcmp(phase ?: "", "ready"))
		return refuse(lacks, item->name, "the agents have not agreed");
	if (!json_is_string(json_object_get(link, "source")))
		return refuse(lacks, item->name, "no new keys are made");
	return true;
}

static bool needs_agent(const struct proof *proof)
{
	size_t i;

	for (i = 0; i < proof->n; i++)
		if (proof->links[i].has_agent)
			return true;
	return false;
}

bool proof_holds(const struct proof *proof, struct ctl *ctl, uint64_t now_ms, struct qlink_why *lacks)
{
	json_t *status = NULL;
	bool holds = true;
	size_t i;
	int err;

	for (i = 0; i < proof->n && holds; i++)
		holds = kernel_holds(proof, &proof->links[i], ctl, now_ms, lacks);
	if (!holds || !needs_agent(proof))
		return holds;
	status = agent_try(ctl, "status", &err);
	for (i = 0; i < proof->n && holds; i++)
		if (proof->links[i].has_agent)
			holds = agent_holds(&proof->links[i], status, lacks);
	json_decref(status);
	return holds;
}
