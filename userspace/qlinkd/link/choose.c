// SPDX-License-Identifier: GPL-2.0-or-later
/* Chooses the source, the number and the rekey period of the keys that a link agrees on. */
#include "choose.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "act.h"
#include "libqlink/names.h"

/*
 * Time that the staged keys should last, and bounds of their number. Few post-quantum keys are
 * staged: they can be made at any time, and should be used up soon after QKD is back. Staged QKD
 * keys are the only ones that survive an outage of either end's KME. As many are staged as
 * outage-cover says, in offers that are large enough to be worth their KEM.
 */
#define COVER_MS	20000
#define COVER_PQC_MS	1000
#define STAGED_MIN	4
#define STAGED_MAX	4000
#define COVER_OFFER	32
/*
 * The link falls back when fewer QKD keys than this are staged and none is in stock, and the key in use and
 * those staged last no longer than this. Where keys come rarely, one key is used for minutes, and the
 * next one is likely to come meanwhile.
 */
#define STAGED_LAST	2
#define LEFT_MS		5000

/**
 * struct link_choose - what was chosen for one link
 */
struct link_choose {
	/** @keys_low: number of staged keys below which the kernel reports, as set there */
	uint32_t keys_low;

	/** @better_from: first epoch of keys that are better than those staged before, 0 for none */
	uint64_t better_from;

	/** @rotated_at: the epoch that the kernel was last asked to rotate away from */
	uint64_t rotated_at;
};

static uint32_t target(const struct link *link)
{
	uint32_t cover_ms = link->choice.source == QLINK_SOURCE_PQC ? COVER_PQC_MS : COVER_MS;
	uint32_t n = link->period_ms ? cover_ms / link->period_ms : 0;

	if (n < STAGED_MIN)
		return STAGED_MIN;
	return n < STAGED_MAX ? n : STAGED_MAX;
}

/* The ring is filled up again below this number of staged keys. */
static uint32_t low_mark(const struct link *link)
{
	uint32_t n = target(link);

	return n - n / 4;
}

/* QKD keys that are staged. */
static uint64_t staged_qkd(const struct link *link)
{
	return link->choice.source == QLINK_SOURCE_PQC ? 0 : link->view.tx.staged;
}

/* How many more keys to stage for the outage cover, once there are enough for normal use. */
static uint32_t more_cover(const struct link *link, uint32_t staged, uint64_t usable)
{
	uint32_t cover = link->config->store.outage_cover;

	if (cover > STAGED_MAX)
		cover = STAGED_MAX;
	if (link->choice.source == QLINK_SOURCE_PQC || usable < COVER_OFFER ||
	    staged + COVER_OFFER > cover)
		return 0;
	return cover - staged;
}

static bool is_better(int source, int than)
{
	return source != QLINK_SOURCE_PQC && than == QLINK_SOURCE_PQC;
}

static void report_change(struct link *link, int before)
{
	int after = link->choice.source;
	const char *from = before < 0 ? "none" : qlink_name(&qlink_sources, (unsigned int)before);
	const char *to = after < 0 ? "none" : qlink_name(&qlink_sources, (unsigned int)after);

	if (before >= 0)
		link->counters.source_changes++;
	TELL(link->services, is_better(after, before) || before < 0 ? LOG_NOTICE : LOG_WARNING,
	     "source-changed", TEXT("link", link->config->device), TEXT("from", from),
	     TEXT("to", to), NUMBER_OF("stock", stocks_held(link->stocks)));
	AUDIT(link->services, "source", TEXT("link", link->config->device), TEXT("from", from),
	      TEXT("to", to));
	/* After a restart the ring shows which source was in use. */
	if (before < 0 && link->view.tx.has_source)
		before = link->view.tx.current_source;
	/* All staged keys below this epoch are of the weaker source. */
	link->choose->better_from = is_better(after, before) ? link->session.tx.newest + 1 : 0;
}

/* How long a key lasts at most: hard-seconds of the device may be less than the period. */
static uint64_t lasts_ms(const struct link *link)
{
	uint64_t hard_ms = (uint64_t)link->view.config.hard_seconds * 1000;

	return hard_ms && hard_ms < link->period_ms ? hard_ms : link->period_ms;
}

/* How long the QKD keys in the kernel last: the one in use, if it is one, and those staged. */
static uint64_t left_ms(const struct link *link, uint64_t now)
{
	const struct qlink_ring *tx = &link->view.tx;
	uint64_t lasts = lasts_ms(link), left = tx->staged * lasts;
	uint64_t age = now > link->key_since ? now - link->key_since : 0;

	/* It may be overdue before its time, by its frames or bytes. */
	if (tx->has_source && tx->current_source != QLINK_SOURCE_PQC && !tx->overdue &&
	    age < lasts)
		left += lasts - age;
	return left;
}

static void choose_source(struct link *link, uint64_t now)
{
	int before = link->choice.source;

	/* QKD keys in the kernel are used first; more may arrive meanwhile. */
	if (before >= 0 && before != QLINK_SOURCE_PQC && !stocks_usable(link->stocks) &&
	    link->session.sources & 1 << before &&
	    (link->view.tx.staged >= STAGED_LAST || left_ms(link, now) > LEFT_MS))
		return;
	if (policy_choose(&link->choice, link->session.sources, stocks_usable(link->stocks),
			  stocks_enough(link->stocks, link->period_ms)))
		report_change(link, before);
}

/* Changes of up to 10 % are not worth a request to the kernel. */
static bool is_near(uint32_t a, uint32_t b)
{
	uint32_t gap = a > b ? a - b : b - a;

	return gap <= b / 10;
}

static void set_pace(struct link *link, uint64_t now)
{
	struct request request = {
		.period_ms = stocks_period(link->stocks, staged_qkd(link), now),
	};
	uint32_t period_ms = link->period_ms;
	struct qlink_why why;

	/* The number of keys to hold follows from the period; both are set together. */
	if (!is_near(request.period_ms, period_ms))
		link->period_ms = request.period_ms;
	request.period_ms = link->period_ms;
	request.keys_low = low_mark(link);
	if (link->period_ms == period_ms && request.keys_low == link->choose->keys_low)
		return;
	if (broker_ask(&link->services->broker, REQUEST_PACE, link->config->device, &request,
		       &why)) {
		link->period_ms = period_ms;
		return;
	}
	link->choose->keys_low = request.keys_low;
}

/* New rings hold no weaker keys, and their epochs start again. */
static void forget_old_rings(struct link *link)
{
	if (link->choose->better_from <= link->session.tx.newest + 1)
		return;
	link->choose->better_from = 0;
	link->choose->rotated_at = 0;
}

/* There is no key to send with. A small first offer is agreed on sooner, and traffic waits for it. */
static bool is_mute(const struct link *link)
{
	return !link->view.tx.current_epoch && !link->view.tx.staged;
}

/* How many keys of the chosen source to ask for. */
static uint32_t count_wanted(const struct link *link)
{
	uint64_t usable = stocks_usable(link->stocks);
	uint32_t staged = link->view.tx.staged, n;

	if (link->choice.source < 0)
		return 0;
	/* Staged keys of a weaker source do not count. */
	if (link->choose->better_from && link->session.tx.newest < link->choose->better_from)
		staged = 0;
	n = staged < low_mark(link) ? target(link) - staged : more_cover(link, staged, usable);
	if (link->choice.source != QLINK_SOURCE_PQC && n > usable)
		n = (uint32_t)usable;
	return is_mute(link) && n > STAGED_MIN ? STAGED_MIN : n;
}

/*
 * Whether to offer one QKD key only to learn if the peer can fetch it. A link without any key takes a
 * post-quantum one first.
 */
static bool is_probing(const struct link *link, uint64_t now)
{
	return link->session.sources & (1 << QLINK_SOURCE_QKD | 1 << QLINK_SOURCE_HYBRID) &&
	       !stocks_usable(link->stocks) && stocks_probe(link->stocks, now) &&
	       !(is_mute(link) && link->choice.source == QLINK_SOURCE_PQC);
}

static void want(struct link *link, uint64_t now)
{
	struct session_event event = {
		.type = SESSION_EVENT_WANT,
		.source = link->choice.source < 0 ? link->session.tx.want_source :
						    (uint8_t)link->choice.source,
		.n = count_wanted(link),
	};

	if (is_probing(link, now)) {
		event.source = link->session.sources & 1 << QLINK_SOURCE_HYBRID ?
				       QLINK_SOURCE_HYBRID : QLINK_SOURCE_QKD;
		event.n = 1;
	}
	if (event.n != link->session.tx.want || event.source != link->session.tx.want_source)
		act_step(link, &event);
}

bool choose_is_urgent(const struct link *link)
{
	return link->choose->better_from && link->session.tx.newest >= link->choose->better_from &&
	       link->view.tx.current_epoch < link->choose->better_from;
}

/* Replaces one weaker key at a time: the next frame rotates. */
static void replace_weaker(struct link *link)
{
	uint64_t current = link->view.tx.current_epoch;
	struct qlink_why why;

	if (link->choose->better_from && current >= link->choose->better_from)
		link->choose->better_from = 0;
	if (!choose_is_urgent(link) || !current || link->choose->rotated_at == current)
		return;
	if (!broker_ask(&link->services->broker, REQUEST_ROTATE, link->config->device, NULL, &why))
		link->choose->rotated_at = current;
}

void choose_keys(struct link *link, uint64_t now)
{
	if (link->session.phase != SESSION_PHASE_READY)
		return;
	if (!link->has_view && link_look(link))
		return;
	stocks_demand(link->stocks, link->session.kmes_least, link->session.peer.n_kmes);
	if (!stocks_is_decided(link->stocks, now) &&
	    !stocks_usable(link->stocks))
		return;
	set_pace(link, now);
	if (!link->period_ms)
		return;
	/* Keys of an offer under way are neither in stock nor staged. */
	forget_old_rings(link);
	if (link->session.tx.step == SESSION_STEP_IDLE) {
		choose_source(link, now);
		want(link, now);
	}
	replace_weaker(link);
}

int choose_new(struct link *link)
{
	link->choose = calloc(1, sizeof(*link->choose));
	return link->choose ? 0 : -ENOMEM;
}

void choose_free(struct link *link)
{
	free(link->choose);
	link->choose = NULL;
}

void choose_reset(struct link *link)
{
	link->period_ms = 0;
	link->choose->keys_low = 0;
}
