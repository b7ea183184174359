// SPDX-License-Identifier: GPL-2.0-or-later
/* What an agent has of one link: its agreement, its QKD keys, its device. */
#include "link.h"

#include <stdio.h>

#define COUNTER(member)	{ #member, offsetof(struct link_counters, member) }

const struct link_counter link_counters[] = {
	COUNTER(sessions),
	COUNTER(offers),
	COUNTER(offers_refused),
	COUNTER(offers_refusing),
	COUNTER(violations),
	COUNTER(timeouts),
	COUNTER(failures),
	COUNTER(chain_restarts),
	COUNTER(source_changes),
	COUNTER(keys_burned),
	COUNTER(records_lost),
	{ NULL, 0 },
};

uint64_t link_counter(const struct link *link, const struct link_counter *counter)
{
	return *(const uint64_t *)((const char *)&link->counters + counter->offset);
}

const char *link_phase_name(const struct link *link)
{
	static const char *const names[] = {
		[REKEY_PHASE_DOWN] = "no-peer",
		[REKEY_PHASE_PAUSE] = "pause",
		[REKEY_PHASE_HELLO] = "hello",
		[REKEY_PHASE_RINGS] = "rings",
		[REKEY_PHASE_STATE] = "state",
		[REKEY_PHASE_RECONCILE] = "reconcile",
		[REKEY_PHASE_READY] = "ready",
		[REKEY_PHASE_BLOCKED] = "blocked",
	};

	return link->id ? names[link->rekey.phase] : "no-device";
}

int link_look(struct link *link)
{
	struct kernel *kernel = &link->services->kernel;
	struct qlink_why why;
	int err = kernel_ask(kernel, REQUEST_LINK, link->config->device, NULL, &why);

	if (err) {
		link->has_view = false;
		snprintf(link->why, sizeof(link->why), "device: %s", why.text);
		return err;
	}
	link->view = kernel->reply.link;
	link->has_view = true;
	return 0;
}
