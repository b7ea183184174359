/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The chain of one direction: 48 secret bytes that depend on every confirmed offer. */
#ifndef QLINKD_CHAIN_H
#define QLINKD_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "mix.h"

/**
 * struct chain - the present and the previous chain of one direction
 *
 * It is secret: it lies in a struct qlink_secret, which wipes it. All zero is a valid
 * chain, the one of a link's first offer. See PROTOCOL.md, section 1.
 */
struct chain {
	/** @current: the chain from which the next offer starts */
	uint8_t current[MIX_CHAIN_BYTES];

	/**
	 * @previous: the chain from which the last offer started; a receiver needs it if its
	 * confirmation was lost
	 */
	uint8_t previous[MIX_CHAIN_BYTES];
};

/**
 * chain_restart() - wipe a chain, so that it starts anew from zero bytes
 * @chain: both chains are all zero afterwards
 *
 * Context: Pure.
 */
void chain_restart(struct chain *chain);

/**
 * chain_advance() - replace the chain with the next one of a confirmed offer
 * @chain: updated
 * @from: MIX_CHAIN_BYTES, the chain from which the offer started; may point into @chain
 * @to: MIX_CHAIN_BYTES, the next chain of the offer; must not point into @chain
 *
 * Context: Pure.
 */
void chain_advance(struct chain *chain, const uint8_t *from, const uint8_t *to);

/**
 * chain_is_lost() - tell whether an offer that starts from a chain restarts it
 * @chain: the chain of the direction, before the offer is added to it
 * @from: MIX_CHAIN_BYTES, the chain from which the offer starts
 *
 * Context: Pure.
 * Return: true if @from is all zero and the current chain is not: the later keys of the
 * direction no longer depend on the earlier ones.
 */
bool chain_is_lost(const struct chain *chain, const uint8_t *from);

/**
 * chain_is_zero() - tell whether a chain is the one of a link's first offer
 * @chain: MIX_CHAIN_BYTES
 *
 * Context: Pure.
 * Return: true if all its bytes are zero.
 */
bool chain_is_zero(const uint8_t *chain);

/**
 * chain_find() - find the chain that a tag of the peer shows
 * @chain: the chains to search
 * @speaker: the peer
 * @tag: MIX_CHAIN_TAG_BYTES, from the peer's STATE or OFFER
 *
 * The chain of zero bytes is always found, because a sender that restarted its chain names
 * it.
 *
 * Context: Pure, except for allocations of OpenSSL.
 * Return: MIX_CHAIN_BYTES, valid until @chain changes; %NULL if no chain has the tag.
 */
const uint8_t *chain_find(const struct chain *chain, const struct mix_speaker *speaker,
			  const uint8_t *tag);

#endif
