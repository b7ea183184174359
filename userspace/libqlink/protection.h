/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How well a link protects what enters it, in one word, and why no better. */
#ifndef QLINK_PROTECTION_H
#define QLINK_PROTECTION_H

#include "link.h"
#include "names.h"

/**
 * enum qlink_protection - how well a link protects what enters it
 */
enum qlink_protection {
	/** @QLINK_BLOCKED: nothing leaves */
	QLINK_BLOCKED,

	/** @QLINK_DEGRADED: it is sealed, but not as well as the link could */
	QLINK_DEGRADED,

	/** @QLINK_PROTECTED: it is sealed under the best that the link accepts */
	QLINK_PROTECTED,
};

/**
 * enum qlink_lack - a bit each: why a link is degraded
 */
enum qlink_lack {
	/** @QLINK_LACK_TX_SOURCE: it accepts a better source than that of its transmit key */
	QLINK_LACK_TX_SOURCE,

	/** @QLINK_LACK_RX_SOURCE: likewise of its receive key */
	QLINK_LACK_RX_SOURCE,

	/** @QLINK_LACK_TX_OVERDUE: its transmit key should give way, and cannot */
	QLINK_LACK_TX_OVERDUE,

	/** @QLINK_LACK_RX_KEY: it holds no key that what the peer sends could be opened with */
	QLINK_LACK_RX_KEY,
};

extern const struct qlink_names qlink_protections;
/* Of the bits, by their number. */
extern const struct qlink_names qlink_lacks;

/**
 * qlink_link_protection() - say how well a link protects what enters it
 * @link: as the kernel shows it
 * @lacks: out, bits of enum qlink_lack; 0 unless degraded
 *
 * Sources are as good as this, the best first: hybrid, qkd, pqc, static.
 * Why a link is blocked is its state.
 *
 * Return: how well.
 */
enum qlink_protection qlink_link_protection(const struct qlink_link *link,
					    uint32_t *lacks);

#endif
