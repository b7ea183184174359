/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules of nftables do with a packet, from "nft -j list ruleset"; pure. */
#ifndef QLINKCTL_DOCTOR_RULES_H
#define QLINKCTL_DOCTOR_RULES_H

#include "match.h"

/**
 * struct rules_verdict - what becomes of a packet
 */
struct rules_verdict {
	/** @drops: whether a rule drops or rejects it */
	enum truth drops;

	/** @rule: that rule, %NULL for the policy of @chain */
	const json_t *rule;

	/** @chain: the chain that it is in */
	const json_t *chain;
};

/**
 * rules_judge() - say whether rules drop a packet
 * @ruleset: the array "nftables" of what nft prints
 * @packet: the packet; it comes to this machine or leaves it
 *
 * TRUTH_MAYBE is an answer where a rule has a condition that is not known here: another one may take
 * the packet first, or this one may not hold.
 *
 * Return: the verdict; @drops is TRUTH_NO if no rule drops it.
 */
struct rules_verdict rules_judge(const json_t *ruleset, const struct packet *packet);

/**
 * rules_name() - say which rule it was
 * @verdict: of a packet that is dropped
 * @text: gets, for example, "rule 5 of chain input in table inet filter"
 * @room: at @text
 */
void rules_name(const struct rules_verdict *verdict, char *text, size_t room);

/**
 * rules_chain() - name a chain as nft takes it
 * @chain: the chain
 * @text: gets, for example, "inet filter input"
 * @room: at @text
 */
void rules_chain(const json_t *chain, char *text, size_t room);

#endif
