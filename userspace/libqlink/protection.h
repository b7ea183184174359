/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How well a link protects the frames that enter it, and why not better. */
#ifndef QLINK_PROTECTION_H
#define QLINK_PROTECTION_H

#include "link.h"
#include "names.h"

/**
 * enum qlink_protection - how well a link protects the frames that enter it
 */
enum qlink_protection {
	/** @QLINK_BLOCKED: no frame leaves */
	QLINK_BLOCKED,

	/** @QLINK_DEGRADED: frames are sealed, but not as well as the link could */
	QLINK_DEGRADED,

	/** @QLINK_PROTECTED: frames are sealed under the best source that the link accepts */
	QLINK_PROTECTED,
};

/**
 * enum qlink_lack - why a link is degraded; a bit for each reason
 */
enum qlink_lack {
	/** @QLINK_LACK_TX_SOURCE: the link accepts a better source than its transmit key has */
	QLINK_LACK_TX_SOURCE,

	/** @QLINK_LACK_RX_SOURCE: the link accepts a better source than its receive key has */
	QLINK_LACK_RX_SOURCE,

	/** @QLINK_LACK_TX_OVERDUE: the transmit key should be replaced, but there is no other */
	QLINK_LACK_TX_OVERDUE,

	/** @QLINK_LACK_RX_KEY: the link has no key to open the peer's frames with */
	QLINK_LACK_RX_KEY,
};

extern const struct qlink_names qlink_protections;
/* Names of the bits, by their number. */
extern const struct qlink_names qlink_lacks;

/**
 * qlink_link_protection() - say how well a link protects the frames that enter it
 * @link: as the kernel shows it
 * @lacks: out, bits of enum qlink_lack; 0 unless degraded
 *
 * The order of sources, the best first, is hybrid, qkd, pqc, static. The state
 * of a link says why it is blocked.
 *
 * Return: an enum qlink_protection.
 */
enum qlink_protection qlink_link_protection(const struct qlink_link *link,
					    uint32_t *lacks);

#endif
