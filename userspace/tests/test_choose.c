// SPDX-License-Identifier: GPL-2.0-or-later
/* Which keys a link asks for, how many, and how often they change. */
#include "qlinkd/link/choose.c"

#include <stdio.h>
#include <string.h>

#include "simkme.h"
#include "tap.h"
#include "world.h"

/* One key a second, at least while the stock is above the reserve. */
#define CONF \
	"agent\n name a\n certificate /a.pem\n key /a.key\n ca /ca.pem\n listen 127.0.0.1:7\n" \
	"peer b\n address 127.0.0.1:8\n" \
	"kme one\n url https://127.0.0.1:1\n id KME-1\n ca /c\n certificate /s\n key /k\n" \
	"link qlink0\n peer b\n kmes one\n sae S\n policy prefer-hybrid\n store 1000\n" \
	" floor-ms 1000\n ceiling-ms 1000\n reserve 0\n outage-cover "
#define PERIOD_MS	1000
#define TARGET		20
#define LOW		15

/* Both ends, not connected yet. */
static struct world *lay(uint64_t supply, unsigned int cover)
{
	static char conf[sizeof(CONF) + 16];
	const char *const confs[2] = { conf, conf };

	snprintf(conf, sizeof(conf), "%s%u\n", CONF, cover);
	simkme_start(supply);
	return world_new(confs, true);
}

static struct world *start_covered(uint64_t supply, unsigned int cover)
{
	struct world *world = lay(supply, cover);

	world_connect(world);
	return world;
}

static struct world *start(uint64_t supply)
{
	return start_covered(supply, TARGET);
}

static const struct link *link_of(const struct world *world)
{
	return world->ends[0].link;
}

/* Rotate as a frame would, and send the event. */
static void rotate(struct world *world)
{
	device_rotate(&devices[0], QLINK_DIRECTION_TX, 0);
	world_notice(world, 0, QLINK_EVENT_KIND_ROTATED);
	world_run(world, 100);
}

TEST(the_ring_holds_keys_for_twenty_seconds_and_the_device_gets_the_period)
{
	struct world *world = start(10000);

	world_run(world, 5000);
	CHECK_NUMBER("period", devices[0].rekey_ms, PERIOD_MS);
	CHECK_NUMBER("staged", device_staged(&devices[0].tx), TARGET);
	CHECK_NUMBER("low", devices[0].keys_low, LOW);
	CHECK_NUMBER("source", devices[0].tx.keys[0].source, QLINK_SOURCE_HYBRID);
	world_free(world);
}

TEST(the_first_offer_is_small_because_traffic_waits_for_it)
{
	struct world *world = start(10000);

	while (!link_of(world)->counters.offers)
		world_run(world, 1);
	CHECK_NUMBER("keys", devices[0].tx.newest, 4);
	world_free(world);
}

TEST(the_device_gets_the_pace_once_until_it_changes)
{
	struct world *world = start(10000);
	unsigned int told;

	world_run(world, 5000);
	told = devices[0].asked[REQUEST_PACE];
	CHECK(told >= 1, "never set");
	world_run(world, 60000);
	CHECK_NUMBER("set again", devices[0].asked[REQUEST_PACE], told);
	world_free(world);
}

TEST(no_key_is_requested_until_the_device_accepts_the_pace)
{
	struct world *world = start(10000);
	struct device *device = &devices[0];

	while (link_of(world)->session.phase != SESSION_PHASE_READY)
		world_run(world, 1);
	device->any_err = -19;
	world_run(world, 4000);
	CHECK_NUMBER("keys", device->tx.newest, 0);
	CHECK_NUMBER("period", device->rekey_ms, 0);
	device->any_err = 0;
	world_run(world, 4000);
	CHECK_NUMBER("period", device->rekey_ms, PERIOD_MS);
	CHECK_NUMBER("keys", device->tx.newest, TARGET);
	world_free(world);
}

TEST(a_ring_is_filled_only_below_its_low_mark)
{
	struct world *world = start(10000);
	uint64_t offers;

	world_run(world, 5000);
	offers = link_of(world)->counters.offers;
	while (device_staged(&devices[0].tx) > LOW)
		rotate(world);
	world_run(world, 5000);
	CHECK_NUMBER("offers at the mark", link_of(world)->counters.offers, offers);
	rotate(world);
	world_run(world, 5000);
	CHECK_NUMBER("offers below it", link_of(world)->counters.offers, offers + 1);
	CHECK_NUMBER("full again", device_staged(&devices[0].tx), TARGET);
	world_free(world);
}

TEST(the_outage_cover_is_staged_in_large_offers_only)
{
	struct world *world = start_covered(10000, 100);
	unsigned int staged;
	uint64_t offers;

	world_run(world, 5000);
	staged = device_staged(&devices[0].tx);
	CHECK(staged > 100 - 32 && staged <= 100, "%u staged", staged);
	offers = link_of(world)->counters.offers;
	while (device_staged(&devices[0].tx) > 100 - 31)
		rotate(world);
	CHECK_NUMBER("not for fewer", link_of(world)->counters.offers, offers);
	while (device_staged(&devices[0].tx) > 100 - 32 &&
	       link_of(world)->counters.offers == offers)
		rotate(world);
	world_run(world, 1000);
	CHECK_NUMBER("one more", link_of(world)->counters.offers, offers + 1);
	world_free(world);
}

TEST(a_link_requests_no_more_keys_than_are_in_stock)
{
	struct world *world = start(14);

	world_run(world, 10000);
	/* Both ends draw on one supply. */
	CHECK_NUMBER("all keys are staged", devices[0].tx.newest + devices[1].tx.newest >= 14, 1);
	CHECK_NUMBER("keys that the KMEs gave", simkme_pairs[0].given, 14);
	CHECK_NUMBER("refusals", link_of(world)->counters.offers_refused, 0);
	world_free(world);
}

TEST(staged_hybrid_keys_are_used_before_the_link_falls_back)
{
	struct world *world = start(2 * TARGET);

	world_run(world, 5000);
	CHECK_NUMBER("staged", device_staged(&devices[0].tx), TARGET);
	/* The end that asked first has the rest of the supply in stock. */
	while (device_staged(&devices[0].tx) > 2)
		rotate(world);
	CHECK_NUMBER("stock", stocks_held(link_of(world)->stocks), 0);
	world_run(world, 5000);
	CHECK_NUMBER("two are left", link_of(world)->choice.source, QLINK_SOURCE_HYBRID);
	CHECK_NUMBER("changes", link_of(world)->counters.source_changes, 0);
	rotate(world);
	world_run(world, 5000);
	CHECK_NUMBER("one is left", link_of(world)->choice.source, QLINK_SOURCE_PQC);
	CHECK_NUMBER("changes", link_of(world)->counters.source_changes, 1);
	CHECK_NUMBER("logged", world_logs(world, 0, "source-changed link=qlink0 from=hybrid to=pqc"), 1);
	/* PQC keys can be made at any time. */
	CHECK_NUMBER("few are staged", device_staged(&devices[0].tx), 4);
	world_free(world);
}

/* Keys last a minute, and the last one is in use. */
static struct world *start_last_key(void)
{
	static const char conf[] =
		"agent\n name a\n certificate /a.pem\n key /a.key\n ca /ca.pem\n listen 127.0.0.1:7\n"
		"peer b\n address 127.0.0.1:8\n"
		"kme one\n url https://127.0.0.1:1\n id KME-1\n ca /c\n certificate /s\n key /k\n"
		"link qlink0\n peer b\n kmes one\n sae S\n policy prefer-hybrid\n store 1000\n"
		" floor-ms 60000\n ceiling-ms 60000\n reserve 0\n";
	static const char *const confs[2] = { conf, conf };
	struct world *world;

	simkme_start(8);
	world = world_new(confs, true);
	world_connect(world);
	world_run(world, 10000);
	while (device_staged(&devices[0].tx))
		rotate(world);
	return world;
}

TEST(a_key_that_is_overdue_before_its_time_is_not_waited_for)
{
	struct world *world = start_last_key();
	struct link *link = world->ends[0].link;
	struct qlink_event event;

	world_run(world, 5000);
	CHECK_NUMBER("its time is not over", link->choice.source, QLINK_SOURCE_HYBRID);
	CHECK_NUMBER("stock", stocks_usable(link->stocks), 0);
	CHECK_NUMBER("staged", device_staged(&devices[0].tx), 0);
	/* So many frames came that the device should change to another key. */
	device_event(&devices[0], QLINK_EVENT_KIND_OVERDUE, &event);
	event.tx.overdue = 1;
	link_notice(link, &event);
	world_step(world, 0);
	CHECK_NUMBER("another key is needed", link->choice.source, QLINK_SOURCE_PQC);
	world_run(world, 100);
	CHECK(device_staged(&devices[0].tx) > 0, "no key follows");
	world_free(world);
}

TEST(a_key_that_the_device_ends_before_the_period_is_not_waited_for)
{
	struct world *world = start_last_key();
	struct link *link = world->ends[0].link;

	CHECK_NUMBER("its time is not over", link->choice.source, QLINK_SOURCE_HYBRID);
	devices[0].hard_seconds = 5;
	world_run(world, 2000);
	CHECK_NUMBER("another key is needed", link->choice.source, QLINK_SOURCE_PQC);
	CHECK(device_staged(&devices[0].tx) > 0, "no key follows");
	world_free(world);
}

TEST(the_link_returns_to_hybrid_keys_only_with_ten_seconds_in_stock)
{
	struct world *world = start(0);

	world_run(world, 5000);
	CHECK_NUMBER("without keys", link_of(world)->choice.source, QLINK_SOURCE_PQC);
	/* Each end gets a share of the supply. */
	while (stocks_held(link_of(world)->stocks) < 9) {
		simkme_pairs[0].supply++;
		world_run(world, 3000);
		CHECK(simkme_pairs[0].supply < 100, "no keys arrive");
	}
	CHECK_NUMBER("nine seconds", link_of(world)->choice.source, QLINK_SOURCE_PQC);
	while (stocks_held(link_of(world)->stocks) < 10 &&
	       link_of(world)->choice.source == QLINK_SOURCE_PQC &&
	       simkme_pairs[0].supply < 100) {
		simkme_pairs[0].supply++;
		world_run(world, 3000);
	}
	world_run(world, 2000);
	CHECK_NUMBER("ten seconds", link_of(world)->choice.source, QLINK_SOURCE_HYBRID);
	CHECK_NUMBER("logged", world_logs(world, 0, "source-changed link=qlink0 from=pqc to=hybrid"), 1);
	world_free(world);
}

TEST(weaker_keys_are_replaced_one_per_step_and_no_epoch_is_skipped)
{
	struct world *world = start(0);
	struct device *device = &devices[0];
	uint64_t current;
	unsigned int asked, i;

	world_run(world, 5000);
	device_rotate(device, QLINK_DIRECTION_TX, 0);
	world_notice(world, 0, QLINK_EVENT_KIND_ROTATED);
	simkme_pairs[0].supply = 10000;
	for (i = 0; i < 20000 && !choose_is_urgent(link_of(world)); i++)
		world_run(world, 1);
	CHECK(choose_is_urgent(link_of(world)), "never urgent");
	while (device->tx.keys[0].source == QLINK_SOURCE_PQC && i++ < 40000) {
		current = device->tx.current;
		asked = device->asked[REQUEST_ROTATE];
		world_run(world, 10);
		CHECK(device->tx.current <= current + 1, "from epoch %llu to %llu",
		      (unsigned long long)current, (unsigned long long)device->tx.current);
		CHECK_NUMBER("one request for one key", device->asked[REQUEST_ROTATE] - asked,
			     device->tx.current - current);
		if (device->tx.current != current)
			world_notice(world, 0, QLINK_EVENT_KIND_ROTATED);
	}
	CHECK_NUMBER("source", device->tx.keys[0].source, QLINK_SOURCE_HYBRID);
	asked = device->asked[REQUEST_ROTATE];
	world_run(world, 10000);
	CHECK_NUMBER("then no more requests", device->asked[REQUEST_ROTATE], asked);
	CHECK(!choose_is_urgent(link_of(world)), "still urgent");
	world_free(world);
}

/* While the peer has not confirmed a key, the link is asked to rotate only once. */
TEST(a_weaker_key_is_rotated_once_even_if_events_are_lost)
{
	struct world *world = start(0);
	unsigned int i;

	world_run(world, 5000);
	device_rotate(&devices[0], QLINK_DIRECTION_TX, 0);
	world_notice(world, 0, QLINK_EVENT_KIND_ROTATED);
	/* The rotation's event and all later events are lost. */
	world->loses_events = true;
	simkme_pairs[0].supply = 10000;
	for (i = 0; i < 20000 && !devices[0].asked[REQUEST_ROTATE]; i++)
		world_run(world, 1);
	world_run(world, 500);
	CHECK_NUMBER("asked", devices[0].asked[REQUEST_ROTATE], 1);
	/* The link continues when it reads the device itself. */
	world_run(world, 20000);
	CHECK_NUMBER("source", devices[0].tx.keys[0].source, QLINK_SOURCE_HYBRID);
	world_free(world);
}

TEST(the_record_of_weaker_keys_ends_with_their_rings)
{
	struct world *world = start(0);
	unsigned int i;

	world->has_traffic = true;
	world_run(world, 60000);
	simkme_pairs[0].supply = 10000;
	/* With keys in stock: without, the new rings would get post-quantum keys, and a record of their own. */
	for (i = 0; i < 20000 && !(link_of(world)->choose->better_from &&
				   stocks_usable(link_of(world)->stocks) > 100); i++)
		world_run(world, 1);
	CHECK(link_of(world)->choose->better_from > 2 * TARGET, "better from %llu",
	      (unsigned long long)link_of(world)->choose->better_from);
	/* Both devices get new rings: epochs begin at 1. A wipe would take the stock, too. */
	for (i = 0; i < 2; i++) {
		device_recreate(&devices[i]);
		world_notice(world, i, QLINK_EVENT_KIND_WIPED);
	}
	world->most_staged = 0;
	world_run(world, 30000);
	CHECK_NUMBER("no return from a weaker source", link_of(world)->counters.source_changes, 1);
	CHECK(world->most_staged <= TARGET + 1, "%u keys to send", world->most_staged);
	CHECK(world_works(world), "the link does not work");
	world_free(world);
}

TEST(no_key_is_requested_before_the_session_is_ready)
{
	struct world *world;

	world = lay(10000, TARGET);
	world_run(world, 20000);
	CHECK(stocks_held(link_of(world)->stocks) > 0, "no stock");
	CHECK_NUMBER("pace", devices[0].asked[REQUEST_PACE], 0);
	CHECK_NUMBER("keys", devices[0].tx.newest, 0);
	world_free(world);
}
