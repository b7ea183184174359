/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The chain of one direction: every confirmed offer, in 48 bytes. */
#ifndef QLINKD_CHAIN_H
#define QLINKD_CHAIN_H

#include <stdint.h>

#include "mix.h"

/**
 * struct chain - the chain of one direction, and the one before it
 *
 * Secret: lies in a struct qlink_secret, which wipes it. All zero is a
 * valid chain: that of a link's first offer. See PROTOCOL.md, section 1.
 */
struct chain {
	/** @now: what the next offer starts from */
	uint8_t now[MIX_CHAIN_BYTES];

	/**
	 * @before: what the last offer started from; a receiver needs it if
	 * its confirmation was lost
	 */
	uint8_t before[MIX_CHAIN_BYTES];
};

/**
 * chain_restart() - forget all that a chain rests on
 * @chain: all zero afterwards
 */
void chain_restart(struct chain *chain);

/**
 * chain_advance() - go on to what a confirmed offer led to
 * @chain: the chain
 * @from: MIX_CHAIN_BYTES that the offer started from; may lie in @chain
 * @to: MIX_CHAIN_BYTES that it led to; may not
 */
void chain_advance(struct chain *chain, const uint8_t *from, const uint8_t *to);

/**
 * chain_find() - find the chain that has an id
 * @chain: the chain
 * @id: MIX_CHAIN_ID_BYTES, as the peer names it
 *
 * The chain of zeros is always found: a sender that restarted names it.
 *
 * Return: MIX_CHAIN_BYTES that live as long as @chain does not change, or %NULL
 * if neither has the id.
 */
const uint8_t *chain_find(const struct chain *chain, const uint8_t *id);

#endif
