/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which sources of keys a link may use, and which it uses now. */
#ifndef QLINKD_POLICY_H
#define QLINKD_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/qlink.h>

/* No source may be used, or none has a key: the link is silent. */
#define POLICY_NO_SOURCE	(-1)

/**
 * enum policy - what an end demands of keys; numbers are the protocol's
 * @POLICY_HYBRID_REQUIRED: QKD and post-quantum, or nothing
 * @POLICY_QKD_REQUIRED: QKD, with or without post-quantum
 * @POLICY_PREFER_HYBRID: hybrid, and post-quantum alone without QKD keys
 * @POLICY_PQC_ONLY: post-quantum alone, no KME is asked
 */
enum policy {
	POLICY_HYBRID_REQUIRED = 1,
	POLICY_QKD_REQUIRED = 2,
	POLICY_PREFER_HYBRID = 3,
	POLICY_PQC_ONLY = 4,
};

/**
 * policy_name() - name a policy as configuration has it
 * @policy: an enum policy
 *
 * Return: the name, or %NULL for a number that is none.
 */
const char *policy_name(unsigned int policy);

/**
 * policy_sources() - list what a policy allows
 * @policy: an enum policy
 *
 * Return: a set, bit 1 << enum qlink_source for each; 0 for no policy.
 */
uint8_t policy_sources(unsigned int policy);

/**
 * policy_both() - list what two ends both allow
 * @own: an enum policy
 * @peer: likewise, of the other end
 *
 * Never wider than what @own allows, whatever @peer is.
 *
 * Return: a set as of policy_sources(); 0 if the link must block.
 */
uint8_t policy_both(unsigned int own, unsigned int peer);

/**
 * struct policy_choice - the source that a direction uses
 */
struct policy_choice {
	/** @source: an enum qlink_source, or POLICY_NO_SOURCE */
	int source;

	/** @has_fallen: it went to post-quantum alone for want of QKD keys */
	bool has_fallen;
};

/**
 * policy_choose() - choose the source of the next offer
 * @choice: the choice so far; { POLICY_NO_SOURCE, false } at first; updated
 * @sources: what both ends allow
 * @stock: QKD keys at hand
 * @enough: so many that it is worth to return to them
 *
 * Hybrid where it may be, as long as there is one QKD key; back from
 * post-quantum alone only when there are @enough, so that a thin trickle does
 * not make the source flap.
 *
 * Return: whether the source changed, which is worth an event.
 */
bool policy_choose(struct policy_choice *choice, uint8_t sources,
		   uint64_t stock, uint64_t enough);

#endif
