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

void keptchain_save(const struct link *link)
{
	const struct exchange *x = link->exchange;

	if (link->services->state)
		state_save(link->services->state, link->config->peer_name, link->config->device,
			   &x->tx.chain, &x->rx.chain);
}

void keptchain_wipe(const struct link *link)
{
	if (link->services->state)
		state_wipe(link->services->state, link->config->peer_name, link->config->device);
}
