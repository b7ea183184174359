// SPDX-License-Identifier: GPL-2.0-or-later
/* The stock of a link whose KME is a vault: few keys in memory, and both ends in step. */
#include <stdio.h>
#include <string.h>

#include "qlinkd/kme/errand.h"
#include "qlinkd/kme/memory.h"
#include "qlinkd/kme/vault.h"
#include "site.h"
#include "vault_lab.h"

#define N_KEYS	1000

/* Lines for a link that would hold thousands of keys of a server. */
static struct site *start(int side, const char *link)
{
	char text[2048];

	CHECK_NUMBER("memory", kme_memory_init(), 0);
	snprintf(text, sizeof(text), "agent\n name site-%c\n certificate /c\n key /k\n ca /c\n"
		 "kme v\n dialect vault\n file %s\n key-file %s\n side %c\n"
		 "peer site-%c\nlink qlink0\n peer site-%c\n kmes v\n%s", 'a' + side, vaults_path(side ? "b" : "a"),
		 vaults_path("key"), 'a' + side, 'b' - side, 'b' - side, link);
	return site_start_as(side, text);
}

static void stop(struct site *site)
{
	site_stop(site);
	kme_errands_settle(LAB_DEADLINE_MS);
}

static void begin(void)
{
	vaults_begin();
	vaults_make("a", N_KEYS);
	vaults_copy("a", "b");
}

/* How many keys the vault of side a has left for this side. */
static uint64_t left(enum vault_side side)
{
	struct vault *vault = vaults_must_open("a", VAULT_SIDE_A);
	struct vault_half half;

	vault_look(vault, side, &half);
	vault_close(vault);
	return half.left;
}

static uint32_t spend(struct site *site, uint32_t n)
{
	struct stock_taken taken;

	stock_take(site->stock, n, now, &taken);
	stock_spend(site->stock);
	return taken.n;
}

TEST(no_more_than_a_batch_is_held_in_memory)
{
	struct site *a;
	unsigned int i;

	begin();
	a = start(0, " store 20000\n outage-cover 10000\n");
	SITE_WAIT(a, stock_held(a->stock) == KME_VAULT_BATCH);
	for (i = 0; i < 50; i++) {
		now += 60000;
		site_poll(a, lab_now_ms());
		CHECK(stock_held(a->stock) <= KME_VAULT_BATCH, "holds %llu", (unsigned long long)stock_held(a->stock));
	}
	CHECK_NUMBER("left", left(VAULT_SIDE_A), N_KEYS / 2 - KME_VAULT_BATCH);
	/* The first is for few, as long as it is not known how fast the answer comes. */
	CHECK_NUMBER("two requests", stock_server(a->stock, 0)->counters[KME_COUNTER_ENC], 2);
	stop(a);
}

TEST(a_batch_is_fetched_again_once_a_quarter_is_used)
{
	struct site *a;

	begin();
	a = start(0, "");
	SITE_WAIT(a, stock_held(a->stock) == KME_VAULT_BATCH);
	CHECK_NUMBER("spend", spend(a, 10), 10);
	stock_run(a->stock, now);
	CHECK_NUMBER("not yet", stock_server(a->stock, 0)->counters[KME_COUNTER_ENC], 2);
	CHECK_NUMBER("spend", spend(a, 10), 10);
	SITE_WAIT(a, stock_held(a->stock) == KME_VAULT_BATCH);
	CHECK_NUMBER("left", left(VAULT_SIDE_A), N_KEYS / 2 - KME_VAULT_BATCH - 20);
	stop(a);
}

/* All of a vault can be used: it is no pool that the other end also draws from. */
TEST(the_last_key_of_a_vault_is_used)
{
	uint32_t n = 0, got;
	struct site *a;
	int64_t start_ms = lab_now_ms();

	begin();
	a = start(0, "");
	while (n < N_KEYS / 2 && site_poll(a, start_ms)) {
		got = spend(a, 64);
		n += got;
		now += got ? 1 : 1000;
	}
	CHECK_NUMBER("spent", n, N_KEYS / 2);
	CHECK_NUMBER("left", left(VAULT_SIDE_A), 0);
	stop(a);
}

TEST(an_agent_that_ends_loses_a_batch)
{
	struct site *a;
	unsigned int i;

	begin();
	for (i = 0; i < 3; i++) {
		a = start(0, "");
		SITE_WAIT(a, stock_held(a->stock) == KME_VAULT_BATCH);
		stop(a);
	}
	CHECK_NUMBER("left", left(VAULT_SIDE_A), N_KEYS / 2 - 3 * KME_VAULT_BATCH);
	CHECK_NUMBER("the peer's", left(VAULT_SIDE_B), N_KEYS / 2);
}

TEST(the_other_end_fetches_what_is_offered)
{
	struct stock_taken taken;
	struct site *a, *b;
	unsigned int i;

	begin();
	a = start(0, "");
	b = start(1, "");
	SITE_WAIT(a, stock_held(a->stock));
	SITE_WAIT(b, stock_held(b->stock));
	stock_take(a->stock, 5, now, &taken);
	CHECK_NUMBER("offered", taken.n, 5);
	b->want_secrets = 5;
	CHECK_NUMBER("fetch", stock_fetch(b->stock, taken.node, taken.ids, 5), SESSION_REASON_NONE);
	SITE_WAIT(b, b->n_fetched);
	CHECK_NUMBER("reason", b->reason, SESSION_REASON_NONE);
	for (i = 0; i < 5; i++)
		CHECK(b->lens[i] == taken.secrets[i].len && !memcmp(b->secrets[i], taken.secrets[i].data, b->lens[i]),
		      "key %u differs", i);
	stock_spend(a->stock);
	stop(a);
	stop(b);
}
