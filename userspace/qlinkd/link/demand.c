// SPDX-License-Identifier: GPL-2.0-or-later
/* What a link needs of the QKD network, for those that share out its keys. */
#include "demand.h"

double demand_wanted(const struct link *link)
{
	if (link->config->policy == POLICY_PQC_ONLY)
		return 0;
	return 1000.0 / link->config->pacing.floor_ms;
}

double demand_used(const struct link *link)
{
	return usage_rate(&link->usage, services_now());
}

double demand_cover(const struct link *link)
{
	return (double)stocks_held(link->stocks) * link->period_ms / 1000;
}
