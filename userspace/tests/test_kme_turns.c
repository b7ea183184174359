// SPDX-License-Identifier: GPL-2.0-or-later
/* Both ends at KMEs that bear the requests of one end at a time; the test sets the wall clock. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "qlinkd/base/clock.h"
#include "site.h"

#define TURN	TURN_MAX_MS
#define ONE_END	"one-end yes\nms-per-key 2\n"
/* Begin of a turn of agent a. */
#define T	(300000000ULL * TURN)

/* The wall clock; 0 for the real one. */
static uint64_t wall;

/* Stands in for that of qlinkd. */
uint64_t clock_ms(clockid_t clock)
{
	struct timespec time;

	if (clock == CLOCK_REALTIME && wall)
		return wall;
	clock_gettime(clock, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* A number of KME 0 or 1 in the status of the simulator, as "enc_keys" of its requests or "met". */
static unsigned int says(int side, const char *member)
{
	const char *at = lab_command("status");
	unsigned int n = 0;
	char name[20];

	at = strstr(at, side ? "\"id\":\"KME-B\"" : "\"id\":\"KME-A\"");
	snprintf(name, sizeof(name), "\"%s\":", member);
	at = at ? strstr(at, name) : NULL;
	CHECK(at && sscanf(at + strlen(name), "%u", &n) == 1, "no %s in: %s", member, lab_command("status"));
	return n;
}

static bool has_met(void)
{
	return says(0, "met") || says(1, "met");
}

TEST(a_request_waits_for_its_turn_and_one_under_way_goes_on)
{
	static const struct lab_options options = { .turn_ms = TURN };
	static struct lab_client a, b;

	lab_start(ONE_END, ONE_END);
	wall = T - 5;
	lab_client_start(&a, 0, &options);
	lab_client_start(&b, 1, &options);
	kme_run(a.kme);
	kme_run(b.kme);
	CHECK(kme_waits(a.kme) && kme_waits(b.kme), "not even the status waits");
	wall = T;
	/* 5 ms later, as the clock said. */
	LAB_WAIT(&a, a.n_up[0]);
	CHECK_NUMBER("get", kme_get_keys(a.kme, 0, 100), 0);
	CHECK(kme_waits(a.kme), "a link is not patient with a KME that has turns");
	LAB_WAIT(&a, says(0, "enc_keys") == 1);
	wall = T + TURN / 2;
	LAB_WAIT(&a, a.n_answers == 1);
	CHECK_NUMBER("keys", a.answer.n_keys, 100);
	CHECK_NUMBER("get", kme_get_keys(a.kme, 0, 1), 0);
	kme_run(a.kme);
	CHECK(kme_waits(a.kme), "it asks in the second half of its turn");
	CHECK(kme_withdraw_get(a.kme), "cannot be withdrawn");
	CHECK_NUMBER("requests of the other", says(1, "status"), 0);
	lab_client_stop(&a);
	lab_client_stop(&b);
	lab_stop();
}

/* As after a reload that changed turn-ms, while requests of before wait. */
TEST(clients_with_other_turns_share_no_connection)
{
	struct lab_options options = { .turn_ms = TURN, .timeout_ms = TURN / 4 };
	static struct lab_client a, c;

	lab_start("", "");
	wall = T + TURN;
	lab_client_start(&a, 0, &options);
	kme_run(a.kme);
	options.turn_ms = 0;
	options.beside = &a;
	lab_client_start(&c, 0, &options);
	LAB_WAIT(&c, c.n_up[0]);
	CHECK(kme_waits(a.kme), "the turns of one client are no turns of another");
	CHECK_NUMBER("requests", says(0, "status"), 1);
	lab_client_stop(&c);
	lab_client_stop(&a);
	lab_stop();
}

TEST(a_late_answer_is_given_up_before_the_turn_of_the_other_end)
{
	static const struct lab_options options = { .turn_ms = 2000 };
	static struct lab_client a;
	uint64_t late;

	lab_start("ms-per-key 60000\n", "");
	wall = T;
	lab_client_start(&a, 0, &options);
	LAB_WAIT(&a, a.n_up[0]);
	late = lab_counter(&a, KME_COUNTER_TIMEOUT);
	CHECK_NUMBER("keys", lab_get(&a, 1), 0);
	CHECK_NUMBER("timeout", lab_counter(&a, KME_COUNTER_TIMEOUT), late + 1);
	CHECK(strstr(a.answer.why.text, "no whole answer within three eighths of turn-ms"), "%s", a.answer.why.text);
	lab_client_stop(&a);
	lab_stop();
}

/* Runs both ends once. */
static void run_both(struct site *const sites[2])
{
	struct pollfd fds[2];
	int i;

	for (i = 0; i < 2; i++)
		fds[i] = (struct pollfd){ .fd = kme_loop_fd(sites[i]->loop), .events = POLLIN };
	poll(fds, 2, 10);
	for (i = 0; i < 2; i++) {
		kme_loop_run(sites[i]->loop);
		stock_run(sites[i]->stock, now);
	}
}

#define WAIT_BOTH(sites, so) do {					\
	int64_t until_ = lab_now_ms() + LAB_DEADLINE_MS;		\
	while (!(so) && lab_now_ms() < until_)				\
		run_both(sites);					\
	CHECK((so), "never came true: %s", #so);			\
} while (0)

static struct site *start_site(int side, unsigned int turn_ms)
{
	char text[1024];
	size_t len;

	len = (size_t)snprintf(text, sizeof(text), " kmes mine\n store 100\n outage-cover 8\n");
	lab_kme(text + len, sizeof(text) - len, side, "mine");
	len += strlen(text + len);
	snprintf(text + len, sizeof(text) - len, " turn-ms %u\n", turn_ms);
	return site_start(side, text);
}

static bool is_full(const struct site *site)
{
	return stock_held(site->stock) == 100;
}

/* Has one end name a key, which the other end shall fetch. */
static void offer(struct site *from, struct site *to)
{
	struct stock_taken taken;

	stock_take(from->stock, 1, now, &taken);
	CHECK_NUMBER("taken", taken.n, 1);
	if (!taken.n)
		return;
	to->want_secrets = 1;
	CHECK_NUMBER("fetch", stock_fetch(to->stock, taken.node, taken.ids, 1), SESSION_REASON_NONE);
	stock_spend(from->stock);
}

static void spend(struct site *site, uint32_t n)
{
	struct stock_taken taken;

	stock_take(site->stock, n, now, &taken);
	CHECK_NUMBER("taken", taken.n, n);
	stock_spend(site->stock);
}

TEST(two_links_that_take_turns_fill_their_stores_and_fetch_and_never_meet)
{
	struct site *sites[2];
	unsigned int asked;

	lab_start(ONE_END, ONE_END);
	wall = T;
	sites[0] = start_site(0, TURN);
	SITE_WAIT(sites[0], is_full(sites[0]));
	wall = T + TURN - 5;
	sites[1] = start_site(1, TURN);
	stock_run(sites[1]->stock, now);
	CHECK(!stock_is_decided(sites[1]->stock, now + 14999), "a link does not wait for its turn at the start");
	CHECK_NUMBER("asked before its turn", says(1, "status"), 0);
	wall = T + TURN;
	WAIT_BOTH(sites, is_full(sites[1]));
	offer(sites[0], sites[1]);
	WAIT_BOTH(sites, sites[1]->n_fetched == 1);
	CHECK_NUMBER("reason", sites[1]->reason, SESSION_REASON_NONE);
	/* One end needs more keys just when the other end is to fetch. */
	asked = says(1, "enc_keys");
	wall = T + 2 * TURN - 5;
	offer(sites[1], sites[0]);
	spend(sites[1], 50);
	run_both(sites);
	CHECK_NUMBER("fetched before its turn", sites[0]->n_fetched, 0);
	wall = T + 2 * TURN;
	WAIT_BOTH(sites, sites[0]->n_fetched == 1);
	CHECK_NUMBER("reason", sites[0]->reason, SESSION_REASON_NONE);
	CHECK_NUMBER("asked meanwhile", says(1, "enc_keys"), asked);
	CHECK_NUMBER("waits for more keys", stock_held(sites[1]->stock), 49);
	CHECK(!has_met(), "requests of both ends met");
	site_stop(sites[0]);
	site_stop(sites[1]);
	lab_stop();
}

/* Some answers may be late on a slow machine, so nothing is counted. */
TEST(by_the_real_clock_both_ends_get_keys_and_fetch_those_of_the_peer)
{
	struct site *sites[2];
	int i;

	lab_start(ONE_END, ONE_END);
	wall = 0;
	for (i = 0; i < 2; i++)
		sites[i] = start_site(i, TURN_MIN_MS);
	WAIT_BOTH(sites, is_full(sites[0]) && is_full(sites[1]));
	offer(sites[0], sites[1]);
	offer(sites[1], sites[0]);
	WAIT_BOTH(sites, sites[0]->n_fetched && sites[1]->n_fetched);
	site_stop(sites[0]);
	site_stop(sites[1]);
	lab_stop();
}
