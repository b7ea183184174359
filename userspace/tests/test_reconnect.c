// SPDX-License-Identifier: GPL-2.0-or-later
/* Two whole agents replace their connection, and lose no key. */
#include "agents.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "qlinkd/agreement/dial.h"

/* Rekeys both ends as fast as their agents can follow; returns with another connection. */
static void rotate_until_moved(unsigned int n_connections)
{
	unsigned int i;

	while (agents_peer(0)->n_connections < n_connections || agents_peer(1)->n_connections < n_connections ||
	       agents_peer(0)->is_moving || agents_peer(1)->is_moving || !agents_ready()) {
		for (i = 0; i < 2; i++) {
			if (device_staged(&devices[i].tx) > 1)
				device_rotate(&devices[i], QLINK_DIRECTION_TX, 1);
		}
		agents_turn();
	}
}

/* A peer may begin only so many sessions at once, whatever the reason. */
static bool has_budget(unsigned int i)
{
	return agents_link(i)->session.costly_until < device_now + (SESSION_COSTLY_MAX - 2) * SESSION_COSTLY_MS;
}

TEST(twenty_reconnects_lose_no_offer)
{
	uint64_t offers[2];
	unsigned int i, n;

	agents_start(LINK);
	WAIT_FOR(agents_ready());
	for (n = 0; n < 20; n++) {
		for (i = 0; i < 2; i++)
			offers[i] = agents_link(i)->counters.offers;
		WAIT_FOR(has_budget(0) && has_budget(1));
		/* By the end that dials, and by the other, which asks it to. */
		CHECK_NUMBER("reconnect", peer_reconnect(agents_peer(n % 2)), 0);
		CHECK_NUMBER("again", peer_reconnect(agents_peer(n % 2)), -EALREADY);
		rotate_until_moved(n + 2);
		WAIT_FOR(agents_link(0)->counters.offers > offers[0] && agents_link(1)->counters.offers > offers[1]);
	}
	WAIT_FOR(!agents_peer(0)->old && !agents_peer(1)->old);
	/* Whoever asks ten times in a few seconds waits longer and longer. */
	CHECK_NUMBER("pause", agents_peer(agents_dialler())->dialler.pause_ms, DIALLER_MAX_MS);
	for (i = 0; i < 2; i++) {
		const struct link *link = agents_link(i);

		CHECK_NUMBER("connections", agents_peer(i)->n_connections, 21);
		CHECK_NUMBER("sessions", link->counters.sessions, 21);
		CHECK_NUMBER("timeouts", link->counters.timeouts, 0);
		CHECK_NUMBER("violations", link->counters.violations, 0);
		CHECK_NUMBER("failures", link->counters.failures, 0);
		CHECK_NUMBER("chain restarts", link->counters.chain_restarts, 0);
		/* It is a quarter after an offer that ended without an answer. */
		CHECK_NUMBER("epochs of an offer, at most", link->session.tx.most, SESSION_OFFER_MAX);
		CHECK_NUMBER("lines", agents_logged(i, "session-timed-out"), 0);
	}
	agents_end();
}

static bool both_have(unsigned int n_connections)
{
	unsigned int i, n = 0;

	for (i = 0; i < 2; i++)
		n += agents_peer(i)->n_connections >= n_connections && !agents_peer(i)->is_moving &&
		     !agents_peer(i)->is_stale && agents_peer(i)->is_open;
	return n == 2 && agents_ready();
}

/* Both ends come to new offers. */
static void check_goes_on(void)
{
	uint64_t offers[2] = { agents_link(0)->counters.offers, agents_link(1)->counters.offers };
	unsigned int i;

	for (i = 0; i < 2; i++)
		device_rotate(&devices[i], QLINK_DIRECTION_TX, device_staged(&devices[i].tx) - 1);
	WAIT_FOR(agents_link(0)->counters.offers > offers[0] && agents_link(1)->counters.offers > offers[1]);
}

static void check_no_trouble(void)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		CHECK_NUMBER("timeouts", agents_link(i)->counters.timeouts, 0);
		CHECK_NUMBER("violations", agents_link(i)->counters.violations, 0);
		CHECK_NUMBER("failures", agents_link(i)->counters.failures, 0);
	}
}

/*
 * Turns both agents, one at a time, until links of the end that is called move; the other end needs only
 * a moment for it. Where there is an offer, they wait for the answer first.
 */
static void until_moving(void)
{
	uint64_t until = device_now + AGENTS_DEADLINE_MS;
	unsigned int i;

	/* A link for which the other end asks has left before there is a connection to move to. */
	CHECK_NUMBER("reconnect", peer_reconnect(agents_peer(agents_dialler())), 0);
	for (i = 0; !agents_peer(!agents_dialler())->is_moving && device_now < until; i = !i)
		agents_turn_one(i);
	CHECK(agents_peer(!agents_dialler())->is_moving, "links do not move");
}

/* With a limit of few records, in the place of an hour. */
TEST(agents_change_the_keys_of_tls_and_go_on)
{
	static const struct tls_limits limits = { .records = 2, .age_ms = 3600000, .heard_most = 10000, .heard_ms = 1 };
	struct tls_updates updates[2];
	struct agents_state before[2];
	unsigned int i;

	agents_start(LINK);
	for (i = 0; i < 2; i++)
		tls_context_limit(agents[i].now.context, &limits);
	WAIT_FOR(agents_ready());
	for (i = 0; i < 2; i++)
		before[i] = agents_state(i);
	for (i = 0; i < 3; i++)
		check_goes_on();
	for (i = 0; i < 2; i++) {
		updates[i] = tls_context_updates(agents[i].now.context);
		CHECK(updates[i].sent > 2 && updates[i].heard > 2, "%llu and %llu", (unsigned long long)updates[i].sent,
		      (unsigned long long)updates[i].heard);
		CHECK_NUMBER("connections", agents_peer(i)->n_connections, 1);
		CHECK(agents_peer(i)->connection == before[i].connection, "another connection");
		CHECK_NUMBER("sessions", agents_link(i)->counters.sessions, 1);
	}
	agents_end();
}

TEST(both_ends_may_ask_at_once)
{
	unsigned int n;

	agents_start(LINK);
	WAIT_FOR(agents_ready());
	for (n = 0; n < 4; n++) {
		CHECK_NUMBER("one", peer_reconnect(agents_peer(0)), 0);
		CHECK_NUMBER("other", peer_reconnect(agents_peer(1)), 0);
		WAIT_FOR(both_have(n + 2));
		CHECK_NUMBER("connections", agents_peer(0)->n_connections, n + 2);
		check_goes_on();
	}
	check_no_trouble();
	agents_end();
}

/* Either end sees the end of either connection, while the link has left, or has moved, or neither. */
TEST(either_connection_may_end_while_links_move)
{
	unsigned int round, end, wait, i;
	struct peer *peer;

	for (round = 0; round < 12; round++) {
		end = round & 1;
		agents_start(LINK);
		WAIT_FOR(agents_ready());
		for (i = 0; i < 2 && round & 2; i++)
			device_rotate(&devices[i], QLINK_DIRECTION_TX, device_staged(&devices[i].tx) - 1);
		until_moving();
		for (wait = 0; wait < round / 4; wait++)
			agents_turn_one(wait & 1);
		peer = agents_peer(end);
		connection_end(round & 4 && peer->next ? peer->next : peer->connection, "the test ends it");
		WAIT_FOR(both_have(2));
		check_goes_on();
		CHECK_NUMBER("violations", agents_link(0)->counters.violations + agents_link(1)->counters.violations, 0);
		CHECK_NUMBER("failures", agents_link(0)->counters.failures + agents_link(1)->counters.failures, 0);
		agents_end();
	}
}

TEST(either_agent_may_die_while_links_move)
{
	struct config_error error;
	unsigned int end;

	for (end = 0; end < 2; end++) {
		agents_start(LINK);
		WAIT_FOR(agents_ready());
		until_moving();
		CHECK_NUMBER("restart", agents_restart(end, &error), 0);
		WAIT_FOR(agents_peer(0)->is_open && agents_peer(1)->is_open && agents_ready() && !agents_peer(!end)->is_moving);
		check_goes_on();
		agents_end();
	}
}

/* The second link has no device at this end, and none in the configuration of the other. */
TEST(links_come_and_go_while_others_move)
{
	unsigned int i, end;
	char more[200];

	for (end = 0; end < 2; end++) {
		agents_start(LINK);
		WAIT_FOR(agents_ready());
		snprintf(more, sizeof(more), LINK SPARE, agents_names[!end]);
		for (i = 0; i < 2; i++) {
			until_moving();
			agents_write(agents_paths[end], agents_conf(end, KME, i ? LINK : more));
			agents_reload(end);
			CHECK_NUMBER("links", agents_peer(end)->n_links, 2 - i);
			WAIT_FOR(both_have(i + 2));
			check_goes_on();
		}
		check_no_trouble();
		agents_end();
	}
}

/* A link whose policies have no source in common has no session to leave. */
TEST(a_blocked_link_does_not_hold_up_the_others)
{
	unsigned int i;

	agents_start(LINK);
	agents_write(agents_paths[0], agents_conf(0, KME, "\tpolicy hybrid-required\n\tkmes rack\n\tsae SAE-B\n"));
	agents_reload(0);
	for (i = 0; i < 2; i++)
		WAIT_FOR(agents_link(i)->session.phase == SESSION_PHASE_BLOCKED);
	for (i = 0; i < 2; i++) {
		/* Without a session, the end that does not dial cannot ask: it ends the connection. */
		CHECK_NUMBER("reconnect", peer_reconnect(agents_peer(i)), 0);
		WAIT_FOR(agents_peer(0)->n_connections == i + 2 && agents_peer(1)->n_connections == i + 2 &&
			 !agents_peer(0)->is_moving && !agents_peer(1)->is_moving);
		WAIT_FOR(agents_link(0)->session.phase == SESSION_PHASE_BLOCKED && agents_link(1)->session.phase == SESSION_PHASE_BLOCKED);
	}
	agents_end();
}

TEST(an_old_connection_is_replaced)
{
	unsigned int i;

	agents_start(LINK);
	WAIT_FOR(agents_ready());
	for (i = 0; i < 2; i++) {
		CHECK_NUMBER("a day", agents_peer(i)->config->reconnect_ms, 24 * 3600000);
		CHECK(agents_peer(i)->life_ms <= 24 * 3600000 && agents_peer(i)->life_ms >= 24 * 3600000 / 10 * 9, "%u ms",
		      agents_peer(i)->life_ms);
		peer_grow_old(agents_peer(i));
		CHECK(!agents_peer(i)->is_stale, "too early");
		agents_peer(i)->life_ms = 1;
		WAIT_FOR(device_now > agents_peer(i)->opened_at + 1);
		peer_grow_old(agents_peer(i));
		WAIT_FOR(both_have(i + 2));
		check_goes_on();
	}
	CHECK(agents_peer(agents_dialler())->life_ms < agents_peer(!agents_dialler())->life_ms, "the end that dials is not earlier");
	check_no_trouble();
	agents_end();
}
