// SPDX-License-Identifier: GPL-2.0-or-later
/* Policies: which sources both ends allow, and when the source changes. */
#include "qlinkd/agreement/policy.h"

#include <string.h>

#include "tap.h"

#define QKD	(1 << QLINK_SOURCE_QKD)
#define HYBRID	(1 << QLINK_SOURCE_HYBRID)
#define PQC	(1 << QLINK_SOURCE_PQC)

TEST(both_ends_allow_the_intersection)
{
	static const struct {
		unsigned int own, peer;
		uint8_t sources;
	} rows[] = {
		{ POLICY_HYBRID_REQUIRED, POLICY_HYBRID_REQUIRED, HYBRID },
		{ POLICY_HYBRID_REQUIRED, POLICY_QKD_REQUIRED, HYBRID },
		{ POLICY_HYBRID_REQUIRED, POLICY_PREFER_HYBRID, HYBRID },
		{ POLICY_HYBRID_REQUIRED, POLICY_PQC_ONLY, 0 },
		{ POLICY_QKD_REQUIRED, POLICY_QKD_REQUIRED, QKD | HYBRID },
		{ POLICY_QKD_REQUIRED, POLICY_PREFER_HYBRID, HYBRID },
		{ POLICY_QKD_REQUIRED, POLICY_PQC_ONLY, 0 },
		{ POLICY_PREFER_HYBRID, POLICY_PREFER_HYBRID, HYBRID | PQC },
		{ POLICY_PREFER_HYBRID, POLICY_PQC_ONLY, PQC },
		{ POLICY_PQC_ONLY, POLICY_PQC_ONLY, PQC },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		CHECK_NUMBER(policy_name(rows[i].own),
			     policy_common(rows[i].own, rows[i].peer),
			     rows[i].sources);
		CHECK_NUMBER(policy_name(rows[i].peer),
			     policy_common(rows[i].peer, rows[i].own),
			     rows[i].sources);
	}
}

TEST(no_peer_widens_the_set)
{
	unsigned int own, peer;

	for (own = 0; own < 6; own++)
		for (peer = 0; peer < 256; peer++)
			CHECK(!(policy_common(own, peer) & ~policy_sources(own)),
			      "policy %u with %u: wider", own, peer);
	CHECK_NUMBER("0 is no policy", policy_sources(0), 0);
	CHECK_NUMBER("5 is no policy", policy_sources(5), 0);
	CHECK(!policy_name(0) && !policy_name(5), "a name for no policy");
	CHECK_TEXT("3", policy_name(3), "prefer-hybrid");
}

TEST(the_source_falls_back_at_once_and_returns_late)
{
	static const struct {
		uint64_t stock;
		int source;
		bool is_change;
		const char *why;
	} rows[] = {
		{ 1, QLINK_SOURCE_HYBRID, true, "one key is enough at first" },
		{ 5, QLINK_SOURCE_HYBRID, false, "continues" },
		{ 0, QLINK_SOURCE_PQC, true, "dry" },
		{ 1, QLINK_SOURCE_PQC, false, "1 key is not enough" },
		{ 66, QLINK_SOURCE_PQC, false, "66 are not" },
		{ 67, QLINK_SOURCE_HYBRID, true, "67 are" },
		{ 1, QLINK_SOURCE_HYBRID, false, "down to the last key" },
		{ 0, QLINK_SOURCE_PQC, true, "dry again" },
		{ UINT64_MAX, QLINK_SOURCE_HYBRID, true, "no overflow" },
	};
	struct policy_choice choice = { .source = POLICY_NO_SOURCE };
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		CHECK_NUMBER(rows[i].why,
			     policy_choose(&choice, HYBRID | PQC, rows[i].stock,
					   67), rows[i].is_change);
		CHECK_NUMBER(rows[i].why, choice.source, rows[i].source);
	}
}

TEST(a_policy_that_requires_qkd_blocks_until_there_is_a_key)
{
	struct policy_choice choice = { .source = POLICY_NO_SOURCE };

	CHECK(!policy_choose(&choice, HYBRID, 0, 1000), "no change from none");
	CHECK_NUMBER("dry", choice.source, POLICY_NO_SOURCE);
	CHECK(policy_choose(&choice, HYBRID, 1, 1000), "a change");
	CHECK_NUMBER("one key", choice.source, QLINK_SOURCE_HYBRID);
	CHECK(policy_choose(&choice, HYBRID, 0, 1000), "a change");
	CHECK_NUMBER("dry again", choice.source, POLICY_NO_SOURCE);
	CHECK(policy_choose(&choice, QKD | HYBRID, 1, 1000), "a change");
	CHECK_NUMBER("hybrid before qkd", choice.source, QLINK_SOURCE_HYBRID);
	CHECK(policy_choose(&choice, QKD, 1, 1000), "a change");
	CHECK_NUMBER("qkd if it is the only one", choice.source, QLINK_SOURCE_QKD);
}

TEST(pqc_only_ignores_the_stock)
{
	struct policy_choice choice = { .source = POLICY_NO_SOURCE };

	CHECK(policy_choose(&choice, PQC, 1000000, 1), "a change");
	CHECK_NUMBER("rich", choice.source, QLINK_SOURCE_PQC);
	CHECK(policy_choose(&choice, 0, 1000000, 1), "a change");
	CHECK_NUMBER("empty set", choice.source, POLICY_NO_SOURCE);
}
