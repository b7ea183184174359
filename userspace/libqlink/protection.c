// SPDX-License-Identifier: GPL-2.0-or-later
/* How well a link protects the frames that enter it, and why not better. */
#include "protection.h"

static const char *const protections[] = {
	[QLINK_BLOCKED] = "blocked",
	[QLINK_DEGRADED] = "degraded",
	[QLINK_PROTECTED] = "protected",
};

static const char *const lacks_names[] = {
	[QLINK_LACK_TX_SOURCE] = "tx-source",
	[QLINK_LACK_RX_SOURCE] = "rx-source",
	[QLINK_LACK_TX_OVERDUE] = "tx-overdue",
	[QLINK_LACK_RX_KEY] = "no-rx-key",
};

const struct qlink_names qlink_protections = {
	.n = sizeof(protections) / sizeof(protections[0]), .names = protections,
};

const struct qlink_names qlink_lacks = {
	.n = sizeof(lacks_names) / sizeof(lacks_names[0]), .names = lacks_names,
};

static bool is_best(uint8_t source, uint32_t accept)
{
	static const uint8_t best_first[] = {
		QLINK_SOURCE_HYBRID, QLINK_SOURCE_QKD, QLINK_SOURCE_PQC,
		QLINK_SOURCE_STATIC,
	};
	size_t i;

	for (i = 0; i < sizeof(best_first); i++) {
		if (best_first[i] == source)
			return true;
		if (accept & 1U << best_first[i])
			return false;
	}
	return true;
}

enum qlink_protection qlink_link_protection(const struct qlink_link *link,
					    uint32_t *lacks)
{
	uint32_t accept = link->config.accept;

	*lacks = 0;
	if (link->state != QLINK_LINK_STATE_UP)
		return QLINK_BLOCKED;
	if (link->tx.has_source && !is_best(link->tx.current_source, accept))
		*lacks |= 1U << QLINK_LACK_TX_SOURCE;
	if (link->rx.has_source && !is_best(link->rx.current_source, accept))
		*lacks |= 1U << QLINK_LACK_RX_SOURCE;
	if (link->tx.overdue)
		*lacks |= 1U << QLINK_LACK_TX_OVERDUE;
	/* A staged key opens the first frame that comes. */
	if (!link->rx.current_epoch && !link->rx.staged)
		*lacks |= 1U << QLINK_LACK_RX_KEY;
	return *lacks ? QLINK_DEGRADED : QLINK_PROTECTED;
}
