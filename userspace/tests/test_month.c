// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A month in which KMEs and peers answer at the worst moments: no deadlock, no leak, no queue
 * without a bound.
 *
 * Trouble and calm alternate. In trouble, answers and messages arrive just before or after a
 * timeout, in bursts, twice, wrong or never; connections end, agents and devices restart, and
 * the kernel refuses keys. In calm, the link must work within a bound, and have hybrid keys
 * within another bound.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "heap.h"
#include "qlinkd/link/act.h"
#include "simkme.h"
#include "tap.h"
#include "world.h"

/* Under sanitizers a day takes two seconds: a month is for builds without them. */
#define DAYS	(HEAP_IS_FAST ? 30 : 2)
#define HOUR_MS	(uint64_t)3600000
#define DAY_MS	(24 * HOUR_MS)

#define KME_TIMEOUT_MS	5000
#define KME_RETRY_MS	30000

/* All timers of PROTOCOL.md, one after the other. */
#define WORKS_MS	(SESSION_FETCH_MS + SESSION_OFFER_MS + 2 * SESSION_OPEN_MS)
/* Also a KME's longest pause, and 200 keys in store that the peer's KME does not have. */
#define HYBRID_MS	(WORKS_MS + KME_RETRY_MS + 3 * KME_TIMEOUT_MS + 8 * 60000)

#define CONF(policy) \
	"agent\n name a\n certificate /a.pem\n key /a.key\n ca /ca.pem\n listen 127.0.0.1:7\n" \
	" kme-timeout-ms 5000\n kme-retry-ms 30000\n" \
	"peer b\n address 127.0.0.1:8\n" \
	"kme one\n url https://127.0.0.1:1\n id KME-1\n ca /c\n certificate /s\n key /k\n" \
	"kme two\n url https://127.0.0.1:2\n id KME-2\n ca /c\n certificate /s\n key /k\n" \
	"link qlink0\n peer b\n kmes one two\n sae S\n policy " policy "\n store 200\n" \
	" outage-cover 50\n floor-ms 150000\n ceiling-ms 240000\n reserve 8\n"

static const char *const confs[2] = { CONF("prefer-hybrid"), CONF("prefer-hybrid") };

/* Its own generator: a seed always gives the same month. */
static uint64_t seed;

static uint64_t draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

/* Just before and just after each timeout. */
static uint64_t worst_moment(void)
{
	static const uint64_t ends[] = {
		SESSION_PAUSE_MS, SESSION_OPEN_MS, SESSION_FETCH_MS, SESSION_OFFER_MS,
		SESSION_WITHDRAW_MS, KME_TIMEOUT_MS, 3 * KME_TIMEOUT_MS, 1000, 200, 0,
	};
	uint64_t end = ends[draw(COUNT(ends))] + draw(5);

	/* Plus the time of the messages there and back. */
	return end > 12 ? end - 2 - draw(2) * 10 : end;
}

static bool is_trouble;
/* What fails in this time of trouble: only some things, so that others still happen. */
static unsigned int kme_odds, wire_odds;

static struct simkme_plan plan(int side, unsigned int node, enum kme_op op)
{
	struct simkme_plan plan = { .delay = 20 };

	(void)side;
	(void)node;
	(void)op;
	if (!is_trouble || draw(100) >= kme_odds)
		return plan;
	plan.outcome = (enum simkme_outcome)draw(SIMKME_OUTCOMES);
	plan.delay = draw(4) ? worst_moment() : SIMKME_NEVER;
	return plan;
}

static unsigned int on_send(struct world *world, unsigned int to, uint64_t *delay)
{
	(void)world;
	(void)to;
	if (!is_trouble || draw(100) >= wire_odds)
		return 1;
	*delay += worst_moment();
	/* A message may arrive twice, or a failing peer does not send it. */
	return (unsigned int)draw(3);
}

/* --- other faults --- */

static void restart_one(struct world *world)
{
	world_restart(world, (unsigned int)draw(2));
	world_connect(world);
}

static void reconnect(struct world *world)
{
	world_cut(world);
	world_run(world, draw(2) ? worst_moment() : draw(90000));
	world_connect(world);
}

static void wipe(struct world *world)
{
	unsigned int end = (unsigned int)draw(2);

	device_wipe(&devices[end]);
	world_notice(world, end, QLINK_EVENT_KIND_WIPED);
}

static void lose_device(struct world *world)
{
	struct device *device = &devices[draw(2)];

	device->is_there = false;
	world_run(world, worst_moment());
	device_recreate(device);
	device->is_there = true;
}

static void kernel_refuses(struct world *world)
{
	struct device *device = &devices[draw(2)];

	*(draw(2) ? &device->install_err : &device->any_err) = -ENOMEM;
	world_run(world, worst_moment());
	device->install_err = 0;
	device->any_err = 0;
}

static void lose_events(struct world *world)
{
	world->loses_events = true;
	world_run(world, worst_moment());
	world->loses_events = false;
	link_notice(world->ends[0].link, NULL);
	link_notice(world->ends[1].link, NULL);
}

static void command(struct world *world)
{
	struct link *link = world->ends[draw(2)].link;

	if (draw(2))
		link_restart(link);
	else
		link_withdraw(link);
}

static void (*const accidents[])(struct world *world) = {
	restart_one, reconnect, wipe, lose_device, kernel_refuses, lose_events, command,
};

/* --- checks --- */

static void show(const struct world *world)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		const struct link *link = world->ends[i].link;

		printf("# end %u at %" PRIu64 ": %s, \"%s\"; frames to it lost since %" PRIu64
		       "; tx %" PRIu64 " (%u), rx %" PRIu64 " (%u), source %d, stock %" PRIu64
		       " of %" PRIu64 ", want %u, step %u and %u, period %u\n", i, device_now,
		       link_phase_name(link), link->why, world->ends[i].lost_since,
		       devices[i].tx.current, devices[i].tx.n, devices[i].rx.current,
		       devices[i].rx.n, link->choice.source, stocks_usable(link->stocks),
		       stocks_held(link->stocks), link->session.tx.want, link->session.tx.step,
		       link->session.rx.step, link->period_ms);
	}
}

struct found {
	uint64_t n_troubles, longest_works, longest_hybrid, most_sent, most_lost;
};

static void most(uint64_t *most, uint64_t value)
{
	if (value > *most)
		*most = value;
}

static uint64_t spent(void)
{
	return simkme_pairs[0].given + simkme_pairs[1].given;
}

static uint64_t said(const struct world *world)
{
	return world->ends[0].n_sent + world->ends[1].n_sent;
}

static void trouble(struct world *world, struct found *found)
{
	unsigned int n = 1 + (unsigned int)draw(6);
	uint64_t said_before = said(world), begun = device_now;

	is_trouble = true;
	kme_odds = (unsigned int)draw(101);
	wire_odds = (unsigned int)draw(61);
	while (n--) {
		if (!draw(2))
			accidents[draw(COUNT(accidents))](world);
		world_run(world, worst_moment());
	}
	is_trouble = false;
	/* Averaged over one second. */
	most(&found->most_sent, (said(world) - said_before) * 1000 / (device_now - begun + 1000));
	found->n_troubles++;
}

/* Keys that the KMEs gave and that are neither in store nor in use. */
static int64_t lost_keys(const struct world *world)
{
	return (int64_t)(spent() - world->n_hybrid - stocks_held(world->ends[0].link->stocks) -
			 stocks_held(world->ends[1].link->stocks));
}

static void calm(struct world *world, struct found *found, uint64_t ms)
{
	int64_t lost = lost_keys(world);
	uint64_t begun = device_now, took = world_until_works(world, WORKS_MS);

	CHECK(took <= WORKS_MS, "day %" PRIu64 ": no keys %d ms after trouble %" PRIu64
	      " (%s, %s; %s, %s)", (begun - 1000000) / DAY_MS, WORKS_MS, found->n_troubles,
	      link_phase_name(world->ends[0].link), world->ends[0].link->why,
	      link_phase_name(world->ends[1].link), world->ends[1].link->why);
	most(&found->longest_works, took);
	while (!world_is_hybrid() && device_now - begun < HYBRID_MS)
		world_run(world, 100);
	CHECK(world_is_hybrid(), "day %" PRIu64 ": no hybrid keys %d ms after trouble %" PRIu64,
	      (begun - 1000000) / DAY_MS, HYBRID_MS, found->n_troubles);
	most(&found->longest_hybrid, device_now - begun);
	/* A withdrawal that was delayed may still delete keys in use, at one end or both. */
	if (device_now - begun < 2 * WORKS_MS)
		world_run(world, begun + 2 * WORKS_MS - device_now);
	/* From now on no frame is lost. */
	while (device_now - begun < ms) {
		world_run(world, 10000);
		CHECK(world_flows(world), "lost in calm, after trouble %" PRIu64,
		      found->n_troubles);
		if (tap_has_failed()) {
			show(world);
			return;
		}
	}
	if (lost_keys(world) > lost)
		most(&found->most_lost, (uint64_t)(lost_keys(world) - lost));
	CHECK(world_works(world), "not ready at the end of calm, after trouble %" PRIu64,
	      found->n_troubles);
}

/* Each end holds the keys that the other has staged to send. */
static void check_rings(struct world *world)
{
	unsigned int i, k;

	(void)world;
	for (i = 0; i < 2; i++) {
		struct device_ring *tx = &devices[i].tx, *rx = &devices[!i].rx;

		for (k = 0; k < tx->n; k++) {
			const struct device_key *held = device_find(rx, tx->keys[k].epoch);

			CHECK(held && !memcmp(held->bytes, tx->keys[k].bytes, sizeof(held->bytes)),
			      "end %u sends under epoch %" PRIu64 ", which the other end lacks", i,
			      tx->keys[k].epoch);
		}
	}
}

static void check_bounds(const struct world *world, const struct found *found)
{
	CHECK(world->most_wire <= 128, "%u messages in transit", world->most_wire);
	CHECK(world->most_done <= ACT_DONE_MAX / 2, "%u pending answers", world->most_done);
	CHECK(world->most_staged <= 50 + 32, "%u keys to send", world->most_staged);
	/* Keys that were offered or requested when trouble ended, and keys given up after it. */
	CHECK(found->most_lost <= 1000, "%" PRIu64 " keys lost in calm",
	      found->most_lost);
	CHECK(found->most_sent <= 20, "%" PRIu64 " messages a second", found->most_sent);
}

TEST(both_ends_work_after_a_month_of_faults)
{
	struct world *world;
	struct found found = { 0 };
	uint64_t next_day;
	size_t memory[2] = { 0, 0 };
	clock_t begun = clock();

	/* Another seed tests other faults: QLINK_SEED=NUMBER, above 0. */
	seed = strtoull(getenv("QLINK_SEED") ?: "20261123", NULL, 10);
	simkme_start(UINT64_MAX / 2);
	simkme_plan = plan;
	world = world_new(confs, false);
	world->has_traffic = true;
	world->on_send = on_send;
	world_connect(world);
	next_day = device_now + DAY_MS;
	while (device_now < 1000000 + DAYS * DAY_MS && !tap_has_failed()) {
		calm(world, &found, 300000 + draw(5400000));
		check_rings(world);
		trouble(world, &found);
		if (device_now < next_day)
			continue;
		next_day += DAY_MS;
		calm(world, &found, HOUR_MS);
		memory[1] = heap_bytes();
		memory[0] = memory[0] ? memory[0] : memory[1];
		CHECK(memory[1] <= memory[0] + 65536, "%zu bytes on the heap, %zu on the first day",
		      memory[1], memory[0]);
	}
	check_bounds(world, &found);
	printf("# %d days in %.1f s: %" PRIu64 " troubles; works after %" PRIu64 " ms, hybrid after %"
	       PRIu64 " ms at most; keys %zu, of KMEs %" PRIu64 "; at most %u messages, %u keys, %u"
	       " answers waiting, %" PRIu64 " messages a second; %"
	       PRIu64 " keys lost in calm; memory %zd\n", DAYS,
	       (double)(clock() - begun) / CLOCKS_PER_SEC, found.n_troubles, found.longest_works,
	       found.longest_hybrid, world->n_used, spent(), world->most_wire, world->most_staged,
	       world->most_done, found.most_sent, found.most_lost,
	       (ssize_t)(memory[1] - memory[0]));
	world_free(world);
	CHECK_NUMBER("clients left", simkme_clients(), 0);
}
