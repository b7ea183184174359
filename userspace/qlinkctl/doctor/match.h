/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a condition of an nftables rule, as nft prints it in JSON, holds for a packet; pure. */
#ifndef QLINKCTL_DOCTOR_MATCH_H
#define QLINKCTL_DOCTOR_MATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

/**
 * struct packet - a packet as a firewall sees it; what is not known is %NULL, or -1 for a port
 */
struct packet {
	/** @is_incoming: it comes from the peer */
	bool is_incoming;

	/** @ethertype: of the frame */
	uint16_t ethertype;

	/** @protocol: udp or tcp; %NULL for a frame without IP */
	const char *protocol;

	/** @source: its source address, as text */
	const char *source;

	/** @target: the address that it goes to */
	const char *target;

	/** @source_port: where it comes from */
	int source_port;

	/** @target_port: where it goes to */
	int target_port;

	/** @device: the device that it comes or leaves by */
	const char *device;

	/** @state: of its connection: new or established */
	const char *state;
};

/* Whether a condition holds. */
enum truth {
	TRUTH_NO,
	TRUTH_YES,
	/* it depends on what is not known here, or it is of a kind that is not known */
	TRUTH_MAYBE,
};

/**
 * match_value() - compare a value of a packet
 * @packet: the packet
 * @left: what of the packet, as nft prints an expression
 * @right: value, list, set, range or prefix
 * @ruleset: all that nft lists, for sets with names
 * @rule: the rule, for its family and table
 *
 * Return: whether the value is equal to @right, or in it.
 */
enum truth match_value(const struct packet *packet, const json_t *left, const json_t *right,
		       const json_t *ruleset, const json_t *rule);

/**
 * match_holds() - say whether a condition holds
 * @packet: the packet
 * @match: the object "match" of a rule
 * @ruleset: all that nft lists
 * @rule: the rule
 *
 * Return: whether it holds.
 */
enum truth match_holds(const struct packet *packet, const json_t *match, const json_t *ruleset,
		       const json_t *rule);

#endif
