/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stock of one end of a link, with real keys from the simulator and a clock that the test sets. */
#ifndef QLINK_TESTS_SITE_H
#define QLINK_TESTS_SITE_H

#include "kme_lab.h"
#include "qlinkd/config/config.h"
#include "qlinkd/kme/loop.h"
#include "qlinkd/link/stock.h"
#include "tap.h"

/* The link's time; the KME client uses the real clock. */
extern uint64_t now;

struct site {
	struct config config;
	struct kme_loop *loop;
	struct stock *stock;
	unsigned int n_changed, n_fetched, n_up, n_down, n_trouble;
	enum session_reason reason;
	uint8_t secrets[SESSION_OFFER_MAX][64];
	size_t lens[SESSION_OFFER_MAX];
	unsigned int want_secrets;
	uint64_t n_burned, n_refused;
	struct qlink_why why;
};

/* A link on one side of the lab, with a section for its link; there is one site on each side at a time. */
struct site *site_start(int side, const char *link);

/* The same with a whole configuration, which the simulator knows nothing of. */
struct site *site_start_as(int side, const char *text);

/* Stop it. */
void site_stop(struct site *site);

/* Wait until its KME client has work to do, and let it run; false once the wait took too long. */
bool site_poll(struct site *site, int64_t start_ms);

/* Let the KME answer while the link's clock is stopped. */
#define SITE_WAIT(site, so) do {					\
	int64_t start_ = lab_now_ms();					\
	bool is_so_;							\
	kme_loop_run((site)->loop);					\
	stock_run((site)->stock, now);					\
	while (!(is_so_ = (so)) && site_poll((site), start_))		\
		;							\
	CHECK(is_so_, "never came true: %s", #so);			\
} while (0)

#define SCARCE	" kmes one\n policy prefer-hybrid\n store 100\n outage-cover 8\n" \
	" floor-ms 1000\n ceiling-ms 10000\n reserve 2\n"

#endif
