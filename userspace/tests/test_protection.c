// SPDX-License-Identifier: GPL-2.0-or-later
/* How well a link protects if one property is missing. */
#include "libqlink/protection.h"

#include "tap.h"

#define LACK(name)	(1U << QLINK_LACK_##name)

static struct qlink_link best(void)
{
	return (struct qlink_link){
		.state = QLINK_LINK_STATE_UP,
		.config.accept = 1U << QLINK_SOURCE_HYBRID | 1U << QLINK_SOURCE_PQC,
		.tx = { .current_epoch = 3, .current_source = QLINK_SOURCE_HYBRID,
			.has_source = true },
		.rx = { .current_epoch = 5, .current_source = QLINK_SOURCE_HYBRID,
			.has_source = true },
	};
}

static void check(const char *why, const struct qlink_link *link,
		  enum qlink_protection want, uint32_t want_lacks)
{
	uint32_t lacks = 99;

	CHECK_NUMBER(why, qlink_link_protection(link, &lacks), want);
	CHECK_NUMBER(why, lacks, want_lacks);
}

TEST(each_missing_property_alone_prevents_protection)
{
	struct qlink_link link = best();

	check("the best", &link, QLINK_PROTECTED, 0);
	link.tx.current_source = QLINK_SOURCE_PQC;
	check("sealed under a lesser source", &link, QLINK_DEGRADED, LACK(TX_SOURCE));
	link = best();
	link.rx.current_source = QLINK_SOURCE_PQC;
	check("opened under a lesser source", &link, QLINK_DEGRADED, LACK(RX_SOURCE));
	link = best();
	link.tx.overdue = 1;
	check("overdue", &link, QLINK_DEGRADED, LACK(TX_OVERDUE));
	link = best();
	link.rx.has_source = false;
	link.rx.current_epoch = 0;
	check("no key to open with", &link, QLINK_DEGRADED, LACK(RX_KEY));
	link.rx.staged = 1;
	check("a staged key, peer not heard yet", &link, QLINK_PROTECTED, 0);
}

TEST(sources_have_an_order)
{
	static const uint8_t best_first[] = {
		QLINK_SOURCE_HYBRID, QLINK_SOURCE_QKD, QLINK_SOURCE_PQC,
		QLINK_SOURCE_STATIC,
	};
	size_t used, accepted;

	for (used = 0; used < COUNT(best_first); used++) {
		for (accepted = 0; accepted < COUNT(best_first); accepted++) {
			struct qlink_link link = best();
			bool is_less = accepted < used;

			link.config.accept = 1U << best_first[used] |
					     1U << best_first[accepted];
			link.tx.current_source = best_first[used];
			link.rx.current_source = best_first[used];
			check("of two", &link,
			      is_less ? QLINK_DEGRADED : QLINK_PROTECTED,
			      is_less ? LACK(TX_SOURCE) | LACK(RX_SOURCE) : 0);
		}
	}
}

TEST(a_link_that_is_not_up_sends_nothing)
{
	struct qlink_link link = best();
	uint8_t state;

	link.tx.overdue = 1;
	for (state = 0; state < QLINK_LINK_STATE_UP; state++) {
		link.state = state;
		check("state", &link, QLINK_BLOCKED, 0);
	}
}
