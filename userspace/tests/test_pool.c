// SPDX-License-Identifier: GPL-2.0-or-later
/* How much two stocks take from a pool of real keys that serves both. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "site.h"

/* The KME's pool serves both directions, and the other end may be away while this one fills its store. */
TEST(neither_end_takes_more_than_its_share_of_a_common_pool)
{
	struct site *one, *other;
	struct stock_taken taken;
	unsigned int i;

	lab_start("", "");
	lab_command("stock SAE-A SAE-B 3000");
	one = site_start(0, " kmes one\n store 20000\n");
	SITE_WAIT(one, stock_deadline(one->stock) == now + 10000);
	CHECK_NUMBER("the first holds as much as it leaves", stock_held(one->stock), 1500);
	other = site_start(1, " kmes one\n store 20000\n");
	SITE_WAIT(other, stock_deadline(other->stock) == now + 10000);
	CHECK_NUMBER("and so does the second", stock_held(other->stock), 750);
	for (i = 0; i < 16; i++) {
		stock_take(one->stock, 64, now, &taken);
		stock_spend(one->stock);
	}
	CHECK_NUMBER("the first has used", stock_held(one->stock), 1500 - 1024);
	/* The client has the real clock. */
	while (!share_is_old(&stock_server(one->stock, 0)->share, lab_now_ms()))
		poll(NULL, 0, 10);
	now += 10000;
	SITE_WAIT(one, stock_deadline(one->stock) == now + 10000);
	CHECK_NUMBER("and shares what is left", stock_held(one->stock), 476 + (750 - 476) / 2);
	site_stop(one);
	site_stop(other);
	lab_stop();
}

/* Some KMEs always report the same number, whatever they have. */
TEST(a_count_that_never_changes_limits_nothing)
{
	struct site *site;
	int64_t end;

	lab_start("stored-key-count 8\n", "");
	site = site_start(0, SCARCE);
	end = lab_now_ms() + 10 * LAB_DEADLINE_MS;
	while (stock_held(site->stock) < 100 && lab_now_ms() < end && !tap_has_failed()) {
		unsigned int changes = site->n_changed;

		/* The status is asked for again once it is old, by the client's clock. */
		SITE_WAIT(site, site->n_changed != changes ||
			  share_is_old(&stock_server(site->stock, 0)->share, lab_now_ms()));
		if (stock_held(site->stock) < 100)
			now += 10000;
	}
	CHECK_NUMBER("held", stock_held(site->stock), 100);
	site_stop(site);
	lab_stop();
}

/* A key that is wiped for its age before it could be used is lost to both ends. */
TEST(no_more_keys_are_taken_than_can_be_used_before_they_are_too_old)
{
	struct site *site;

	lab_start("", "");
	site = site_start(0, " kmes one\n store 500\n outage-cover 8\n floor-ms 1000\n max-age-s 40\n");
	/* One a second for 40 s. */
	SITE_WAIT(site, stock_held(site->stock) == 41 && stock_deadline(site->stock) == UINT64_MAX);
	CHECK_NUMBER("the cover first, then the rest", stock_server(site->stock, 0)->counters[KME_COUNTER_ENC], 2);
	site_stop(site);
	lab_stop();
}
