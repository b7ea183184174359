// SPDX-License-Identifier: GPL-2.0-or-later
/* The chains of a link in the state file, if the agent has one. */
#include "keptchain.h"

void keptchain_restore(struct link *link)
{
	struct exchange *x = link->exchange;
	struct state *state = link->services->state;

	if (state && state_find(state, link->config->peer_name, link->config->device, &x->tx.chain,
				&x->rx.chain))
		TELL(link->services, LOG_INFO, "chain-restored", TEXT("link", link->config->device));
}

static bool is_on_disk(const struct link *link)
{
	return !state_waits(link->services->state, link->config->peer_name, link->config->device);
}

void keptchain_save(struct link *link)
{
	const struct exchange *x = link->exchange;

	if (!link->services->state)
		return;
	/* It has the chains before these: it has caught up. */
	if (link->kept.is_slow && is_on_disk(link))
		link->kept.is_slow = false;
	state_save(link->services->state, link->config->peer_name, link->config->device,
		   &x->tx.chain, &x->rx.chain);
}

bool keptchain_defer(struct link *link, bool is_tx, uint64_t ticket, uint64_t now)
{
	struct link_kept *kept = &link->kept;

	if (!link->services->state || kept->is_slow || is_on_disk(link))
		return false;
	kept->tickets[is_tx] = ticket;
	if (!kept->until)
		kept->until = now + KEPTCHAIN_WAIT_MS;
	return true;
}

uint64_t keptchain_next(struct link *link, uint64_t now)
{
	struct link_kept *kept = &link->kept;
	unsigned int i = kept->tickets[0] ? 0 : 1;
	uint64_t ticket = kept->tickets[i];

	if (!ticket)
		return 0;
	if (!is_on_disk(link)) {
		if (now < kept->until)
			return 0;
		kept->is_slow = true;
	}
	kept->tickets[i] = 0;
	if (!kept->tickets[1])
		kept->until = 0;
	return ticket;
}

uint64_t keptchain_waits(const struct link *link)
{
	return link->kept.until;
}

void keptchain_wipe(const struct link *link)
{
	if (link->services->state)
		state_wipe(link->services->state, link->config->peer_name, link->config->device);
}
