// SPDX-License-Identifier: GPL-2.0-or-later
/* What another configuration changes, and what it leaves as it is. */
#include "reload.h"

bool reload_same_agent(const struct config *a, const struct config *b)
{
	return reader_same(&config_sections[CONFIG_SECTION_AGENT], &a->agent, &b->agent);
}

/* The peer's address and the KMEs count by what they are: another name for the same is no change. */
bool reload_same_link(const struct config *a, const struct config *b, const char *device)
{
	const struct config_link *x = config_find_link(a, device);
	const struct config_link *y = config_find_link(b, device);
	uint32_t i;

	if (!x || !y || !reader_same(&config_sections[CONFIG_SECTION_LINK], x, y) ||
	    !reader_same(&config_sections[CONFIG_SECTION_PEER], &a->peers[x->peer],
			 &b->peers[y->peer]) || x->n_kmes != y->n_kmes || x->mixes != y->mixes)
		return false;
	for (i = 0; i < x->n_kmes; i++) {
		if (!reader_same(&config_sections[CONFIG_SECTION_KME], &a->kmes[x->kmes[i]],
				 &b->kmes[y->kmes[i]]))
			return false;
	}
	return true;
}
