// SPDX-License-Identifier: GPL-2.0-or-later
/* How the agent's links stand, in one line for "systemctl status". */
#include "overview.h"

#include <stdio.h>

void overview_add(struct overview *overview, const struct link *link)
{
	enum qlink_protection level;
	uint32_t lacks;

	level = link_protection(link, &lacks);
	overview->n[level]++;
	if (!overview->worst || level < overview->level) {
		overview->worst = link;
		overview->level = level;
	}
}

/* What keeps a link from better protection: as the agent knows it, or else as the kernel shows it. */
static const char *why(const struct link *link)
{
	uint32_t lacks;

	if (link->why[0] || !link->has_view)
		return link->why[0] ? link->why : link_phase_name(link);
	if (link_protection(link, &lacks) == QLINK_BLOCKED)
		return qlink_name(&qlink_link_states, link->view.state);
	return qlink_name(&qlink_lacks, (unsigned int)__builtin_ctz(lacks));
}

const char *overview_text(const struct overview *overview, char text[OVERVIEW_TEXT])
{
	size_t n_all = 0, used;
	const char *next = ":";
	int level;

	for (level = QLINK_BLOCKED; level <= QLINK_PROTECTED; level++)
		n_all += overview->n[level];
	used = (size_t)snprintf(text, OVERVIEW_TEXT, "%zu link%s", n_all, n_all == 1 ? "" : "s");
	for (level = QLINK_PROTECTED; level >= QLINK_BLOCKED; level--) {
		if (!overview->n[level])
			continue;
		used += (size_t)snprintf(text + used, OVERVIEW_TEXT - used, "%s %zu %s", next,
					 overview->n[level],
					 qlink_name(&qlink_protections, (unsigned int)level));
		next = ",";
	}
	if (overview->worst && overview->level != QLINK_PROTECTED)
		snprintf(text + used, OVERVIEW_TEXT - used, " (%s: %s)",
			 overview->worst->config->device, why(overview->worst));
	return text;
}
