// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether a configuration says where each connection is made to. */
#include "qlinkd/peer/reach.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "qlinkd/agreement/dial.h"
#include "tap.h"

#define AGENT	"agent\n\tname %s\n\tcertificate /c\n\tkey /k\n\tca /a\n"

/* Of the two ends, the one that dials and the one that it dials. */
static const char *dials, *listens;

static void choose_ends(void)
{
	bool is_a = dial_is_ours("site-a", "site-b");

	dials = is_a ? "site-a" : "site-b";
	listens = is_a ? "site-b" : "site-a";
}

#define NO_LISTEN	AGENT "peer %s\n\taddress 192.0.2.1\n"
#define NO_ADDRESS	AGENT "\tlisten ::\npeer %s\n"
#define BOTH		AGENT "\tlisten ::\npeer %s\n\taddress 192.0.2.1\n"

/* The configuration of @own with @peer must be refused with @want, or not at all if that is empty. */
#define CHECK_REACH(format, own, peer, want) do {			\
	char text_[300];						\
									\
	snprintf(text_, sizeof(text_), format, own, peer);		\
	check(text_, want);						\
} while (0)

static void check(const char *text, const char *want)
{
	struct config_error error = { "" };
	struct config config;

	CHECK_NUMBER("parse", config_parse(&config, text, strlen(text), "qlinkd.conf", &error), 0);
	CHECK_NUMBER(want, reach_check(&config, &error), *want ? -EINVAL : 0);
	CHECK_TEXT("error", error.text, want);
	config_free(&config);
}

TEST(the_end_that_is_dialled_must_listen)
{
	char want[200];

	choose_ends();
	snprintf(want, sizeof(want), "qlinkd.conf:1: agent: lacks listen, and peer %s is to dial us", dials);
	CHECK_REACH(NO_LISTEN, listens, dials, want);
	CHECK_REACH(NO_LISTEN, dials, listens, "");
}

TEST(the_end_that_dials_needs_an_address)
{
	char want[200];

	choose_ends();
	snprintf(want, sizeof(want), "qlinkd.conf:7: peer %s: lacks address, and we are to dial it", listens);
	CHECK_REACH(NO_ADDRESS, dials, listens, want);
	CHECK_REACH(NO_ADDRESS, listens, dials, "");
}

TEST(an_agent_with_both_is_good_whichever_end_dials)
{
	CHECK_REACH(BOTH, "site-a", "site-b", "");
	CHECK_REACH(BOTH, "site-b", "site-a", "");
}
