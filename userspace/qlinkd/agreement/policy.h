/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which sources of keys a link may use, and which one its next offer uses. */
#ifndef QLINKD_POLICY_H
#define QLINKD_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/qlink.h>

/* No source is allowed, or no allowed source has a key: the link makes no offer. */
#define POLICY_NO_SOURCE	(-1)

/**
 * enum policy - what an end requires of its keys; PROTOCOL.md, section 2, has the same numbers
 * @POLICY_HYBRID_REQUIRED: QKD and post-quantum together only
 * @POLICY_QKD_REQUIRED: QKD, with or without post-quantum
 * @POLICY_PREFER_HYBRID: hybrid; post-quantum alone while there are no QKD keys
 * @POLICY_PQC_ONLY: post-quantum alone; no KME is used
 */
enum policy {
	POLICY_HYBRID_REQUIRED = 1,
	POLICY_QKD_REQUIRED = 2,
	POLICY_PREFER_HYBRID = 3,
	POLICY_PQC_ONLY = 4,
};

/**
 * policy_name() - get the name of a policy, as in the configuration file
 * @policy: an enum policy
 *
 * Context: Pure.
 * Return: the name, a constant; %NULL if there is no such policy.
 */
const char *policy_name(unsigned int policy);

/**
 * policy_sources() - get the sources that a policy allows
 * @policy: an enum policy
 *
 * Context: Pure.
 * Return: a set with bit 1 << enum qlink_source for each source; 0 if there is no such
 * policy.
 */
uint8_t policy_sources(unsigned int policy);

/**
 * policy_common() - get the sources that both ends allow
 * @own: policy of this end, an enum policy
 * @peer: policy of the other end, an enum policy
 *
 * The set never contains a source that @own does not allow, whatever @peer is.
 *
 * Context: Pure.
 * Return: a set like that of policy_sources(); 0 if the link must block.
 */
uint8_t policy_common(unsigned int own, unsigned int peer);

/**
 * policy_kme_sources() - get the sources whose keys have secrets of KMEs
 *
 * Context: Pure.
 * Return: a set like that of policy_sources().
 */
uint8_t policy_kme_sources(void);

/**
 * struct policy_choice - the source that a direction uses
 */
struct policy_choice {
	/** @source: an enum qlink_source, or POLICY_NO_SOURCE */
	int source;

	/** @has_fallen_back: set with post-quantum alone, cleared when QKD keys are used again */
	bool has_fallen_back;
};

/**
 * policy_choose() - choose the source of the next offer
 * @choice: the last choice, { POLICY_NO_SOURCE, false } at first; updated
 * @sources: set of sources that both ends allow
 * @stock: number of QKD keys in stock
 * @enough: number of QKD keys with which a direction returns from post-quantum alone
 *
 * Chooses hybrid (or qkd, if hybrid is not allowed) while there is at least one QKD key.
 * After post-quantum alone, while that is allowed, it returns only with @enough QKD keys, so
 * that the source does not flap while few keys arrive.
 *
 * Context: Pure.
 * Return: %true if the source changed, which should be logged.
 */
bool policy_choose(struct policy_choice *choice, uint8_t sources,
		   uint64_t stock, uint64_t enough);

#endif
