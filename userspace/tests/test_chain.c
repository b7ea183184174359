// SPDX-License-Identifier: GPL-2.0-or-later
/* A chain is found by its tag; so is the previous one, but no older one. */
#include "qlinkd/secrets/chain.h"

#include <string.h>

#include "tap.h"

static const uint8_t first[MIX_CHAIN_BYTES] = { 1 };
static const uint8_t second[MIX_CHAIN_BYTES] = { 2 };

static const uint8_t *find(const struct chain *chain, const uint8_t *bytes)
{
	static const uint8_t exporter[MIX_EXPORTER_BYTES] = { 4 };
	const struct mix_speaker speaker = { .exporter = exporter, .link_id = 5, .has_dialled = true };
	uint8_t tag[MIX_CHAIN_TAG_BYTES];

	CHECK_NUMBER("tag", mix_chain_tag(bytes, &speaker, tag), 0);
	return chain_find(chain, &speaker, tag);
}

TEST(a_receiver_finds_the_last_two_chains_and_zero)
{
	static const uint8_t zero[MIX_CHAIN_BYTES];
	struct chain chain;

	memset(&chain, 0xa5, sizeof(chain));
	chain_restart(&chain);
	CHECK(find(&chain, zero) == chain.current, "zero at the start");
	CHECK(!find(&chain, first), "a chain that does not exist");
	chain_advance(&chain, chain.current, first);
	CHECK(find(&chain, first) == chain.current, "the first");
	CHECK(find(&chain, zero) == chain.previous, "zero before it");
	chain_advance(&chain, chain.current, second);
	CHECK(find(&chain, second) == chain.current, "the second");
	CHECK(find(&chain, first) == chain.previous, "the first before it");
	CHECK(find(&chain, zero), "zero for a sender that restarted");
	CHECK(!memcmp(find(&chain, zero), zero, sizeof(zero)), "zeros");
}

TEST(an_offer_from_the_previous_chain_keeps_that_chain)
{
	static const uint8_t third[MIX_CHAIN_BYTES] = { 3 };
	struct chain chain = { 0 };

	chain_advance(&chain, chain.current, first);
	chain_advance(&chain, chain.current, second);
	/* The confirmation was lost: the sender starts from the first again. */
	chain_advance(&chain, find(&chain, first), third);
	CHECK(find(&chain, third) == chain.current, "the third");
	CHECK(find(&chain, first) == chain.previous, "the first");
	CHECK(!find(&chain, second), "the second was dropped");
	chain_restart(&chain);
	CHECK(!find(&chain, third) && !find(&chain, first), "a chain was not wiped");
}

TEST(an_offer_that_starts_from_zero_loses_a_chain_that_had_started)
{
	static const uint8_t zero[MIX_CHAIN_BYTES];
	struct chain chain = { 0 };

	CHECK(!chain_is_lost(&chain, zero), "the first offer of a link");
	chain_advance(&chain, chain.current, first);
	CHECK(!chain_is_lost(&chain, first), "the chain goes on");
	CHECK(chain_is_lost(&chain, zero), "the sender restarted");
}
