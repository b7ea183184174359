// SPDX-License-Identifier: GPL-2.0-or-later
/* Which sources of keys a link may use, and which one its next offer uses. */
#include "policy.h"

#include <stddef.h>

#define QKD	(1 << QLINK_SOURCE_QKD)
#define HYBRID	(1 << QLINK_SOURCE_HYBRID)
#define PQC	(1 << QLINK_SOURCE_PQC)

static const struct {
	const char *name;
	uint8_t sources;
} policies[] = {
	[POLICY_HYBRID_REQUIRED] = { "hybrid-required", HYBRID },
	[POLICY_QKD_REQUIRED] = { "qkd-required", QKD | HYBRID },
	[POLICY_PREFER_HYBRID] = { "prefer-hybrid", HYBRID | PQC },
	[POLICY_PQC_ONLY] = { "pqc-only", PQC },
};

#define N_POLICIES	(sizeof(policies) / sizeof(policies[0]))

const char *policy_name(unsigned int policy)
{
	return policy < N_POLICIES ? policies[policy].name : NULL;
}

uint8_t policy_sources(unsigned int policy)
{
	return policy < N_POLICIES ? policies[policy].sources : 0;
}

uint8_t policy_common(unsigned int own, unsigned int peer)
{
	return policy_sources(own) & policy_sources(peer);
}

uint8_t policy_kme_sources(void)
{
	return QKD | HYBRID;
}

static bool may_use_qkd(const struct policy_choice *choice, uint8_t sources,
			uint64_t stock, uint64_t enough)
{
	if (!stock)
		return false;
	return !choice->has_fallen_back || !(sources & PQC) || stock >= enough;
}

bool policy_choose(struct policy_choice *choice, uint8_t sources,
		   uint64_t stock, uint64_t enough)
{
	int previous = choice->source;

	if (sources & (HYBRID | QKD) &&
	    may_use_qkd(choice, sources, stock, enough)) {
		choice->source = sources & HYBRID ? QLINK_SOURCE_HYBRID :
						    QLINK_SOURCE_QKD;
		choice->has_fallen_back = false;
	} else if (sources & PQC) {
		choice->source = QLINK_SOURCE_PQC;
		choice->has_fallen_back = true;
	} else {
		choice->source = POLICY_NO_SOURCE;
	}
	return choice->source != previous;
}
