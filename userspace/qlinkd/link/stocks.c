// SPDX-License-Identifier: GPL-2.0-or-later
/* The QKD keys of a link: of one stock, or of several whose keys are mixed. */
#include "stocks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/secret.h"

/* Offers to be agreed on without a KME that was refused, before it is tried with keys of others again, at most. */
#define WITHOUT_MAX	16

/* One stock and its place among those of the link. */
struct part {
	struct stocks *stocks;
	struct stock *stock;
	/* the node of its first KME, and how many it has */
	unsigned int first, n;
	bool is_mixed;
	/* keys of it are in the offer that is under way, or was last */
	bool is_offered;
	/* offers to be agreed on without it before it is tried again, and those that were; 0 if it was not refused */
	unsigned int without, n_without;
};

/* The keys that the peer named, while more than one KME is asked for them. */
struct fetch {
	/* copies of what came, locked; key i of KME k is at slot i * n_kmes + k */
	struct qlink_secret memory;
	size_t lens[SESSION_KEY_IDS_MAX];
	const struct part *parts[SESSION_KMES_MAX];
	unsigned int n, n_kmes;
	/* KMEs whose answer has yet to come, one bit each; 0 if nothing is fetched */
	unsigned int open;
	uint8_t kmes[SESSION_KMES_MAX];
};

struct stocks {
	struct stocks_ops ops;
	void *arg;
	struct part parts[SESSION_KMES_MAX];
	unsigned int n_parts;
	unsigned int n_kmes;
	struct fetch fetch;
	uint64_t now;
	/* KMEs that each key must have, those that the peer has, and those of them that are up */
	uint8_t least, n_peer, peer_kmes;
};

#define for_each_part(part, stocks)	\
	for (part = (stocks)->parts; part < (stocks)->parts + (stocks)->n_parts; part++)

_Static_assert(SESSION_NODES_MAX == KME_NODES_MAX, "STATE names all KMEs of a link");

static const struct part *find_part(const struct stocks *stocks, unsigned int node)
{
	const struct part *part;

	for_each_part(part, stocks) {
		if (node >= part->first && node < part->first + part->n)
			return part;
	}
	return NULL;
}

/* --- what is fetched for the peer --- */

static void end_fetch(struct fetch *fetch)
{
	qlink_secret_free(&fetch->memory);
	memset(fetch, 0, sizeof(*fetch));
}

static uint8_t *slot_of(const struct fetch *fetch, unsigned int slot)
{
	return fetch->memory.data + slot * KME_SECRET_MAX_BYTES;
}

static void keep(struct fetch *fetch, unsigned int k, const struct bytes *secrets)
{
	unsigned int i, slot;

	for (i = 0; i < fetch->n; i++) {
		slot = i * fetch->n_kmes + k;
		fetch->lens[slot] = secrets[i].len;
		memcpy(slot_of(fetch, slot), secrets[i].data, secrets[i].len);
	}
}

static void pass_on(struct stocks *stocks)
{
	struct bytes secrets[SESSION_KEY_IDS_MAX];
	struct fetch fetch = stocks->fetch;
	unsigned int i;

	for (i = 0; i < fetch.n * fetch.n_kmes; i++)
		secrets[i] = (struct bytes){ slot_of(&fetch, i), fetch.lens[i] };
	/* Another fetch may begin before the call returns. */
	memset(&stocks->fetch, 0, sizeof(stocks->fetch));
	stocks->ops.fetched(stocks->arg, SESSION_REASON_NONE, 0, secrets);
	end_fetch(&fetch);
}

static void on_fetched(void *arg, enum session_reason reason, const struct bytes *secrets)
{
	struct part *part = arg;
	struct stocks *stocks = part->stocks;
	struct fetch *fetch = &stocks->fetch;
	unsigned int k = 0;
	uint8_t place;

	while (k < fetch->n_kmes && fetch->parts[k] != part)
		k++;
	/* It was given up. */
	if (k == fetch->n_kmes || !(fetch->open & 1U << k))
		return;
	fetch->open &= ~(1U << k);
	if (reason) {
		place = fetch->kmes[k];
		stocks_cancel_fetch(stocks);
		stocks->ops.fetched(stocks->arg, reason, place, NULL);
	} else if (fetch->n_kmes == 1) {
		stocks->ops.fetched(stocks->arg, reason, 0, secrets);
	} else {
		keep(fetch, k, secrets);
		if (!fetch->open)
			pass_on(stocks);
	}
}

void stocks_cancel_fetch(struct stocks *stocks)
{
	struct fetch fetch = stocks->fetch;
	unsigned int k;

	/* What a stock reports now is not passed on. */
	memset(&stocks->fetch, 0, sizeof(stocks->fetch));
	for (k = 0; k < fetch.n_kmes; k++) {
		if (fetch.open & 1U << k)
			stock_cancel_fetch(fetch.parts[k]->stock);
	}
	end_fetch(&fetch);
}

uint8_t stocks_late(const struct stocks *stocks)
{
	const struct fetch *fetch = &stocks->fetch;
	unsigned int k;

	for (k = 0; k < fetch->n_kmes; k++) {
		if (fetch->open & 1U << k)
			return fetch->kmes[k];
	}
	return 0;
}

static enum session_reason begin_fetch(struct stocks *stocks, const struct session_offer *offer,
				       uint8_t *place)
{
	struct fetch *fetch = &stocks->fetch;
	unsigned int k;

	*place = 0;
	fetch->n = offer->n;
	for (k = 0; k < offer->n_kmes; k++) {
		fetch->parts[k] = find_part(stocks, offer->kmes[k] - 1U);
		fetch->kmes[k] = offer->kmes[k];
		if (!fetch->parts[k]) {
			*place = offer->kmes[k];
			return SESSION_REASON_KME;
		}
		/* A stock fetches for one offer at a time, of one of its KMEs. */
		if (k && fetch->parts[k] == fetch->parts[k - 1]) {
			*place = offer->kmes[k];
			return SESSION_REASON_KME;
		}
	}
	fetch->n_kmes = offer->n_kmes;
	if (offer->n_kmes > 1 && qlink_secret_new(&fetch->memory, (size_t)offer->n * offer->n_kmes *
						  KME_SECRET_MAX_BYTES))
		return SESSION_REASON_MEMORY;
	return SESSION_REASON_NONE;
}

enum session_reason stocks_fetch(struct stocks *stocks, const struct session_offer *offer,
				 const struct bytes *ids, uint8_t *place)
{
	struct fetch *fetch = &stocks->fetch;
	struct bytes own[SESSION_OFFER_MAX];
	enum session_reason reason;
	unsigned int k, i;

	stocks_cancel_fetch(stocks);
	reason = begin_fetch(stocks, offer, place);
	for (k = 0; k < offer->n_kmes && !reason; k++) {
		for (i = 0; i < offer->n; i++)
			own[i] = ids[i * offer->n_kmes + k];
		*place = offer->kmes[k];
		reason = stock_fetch(fetch->parts[k]->stock, offer->kmes[k] - 1U - fetch->parts[k]->first,
				     own, offer->n);
		fetch->open |= reason ? 0 : 1U << k;
	}
	if (reason)
		stocks_cancel_fetch(stocks);
	return reason;
}

/* --- what the stocks report --- */

static void on_ready(void *arg)
{
	const struct part *part = arg;

	part->stocks->ops.ready(part->stocks->arg);
}

static void on_changed(void *arg)
{
	const struct part *part = arg;

	part->stocks->ops.changed(part->stocks->arg);
}

static void on_health(void *arg, unsigned int node, bool is_up, const struct qlink_why *why)
{
	struct part *part = arg;

	/* The peer's may have been down for the same cause. */
	if (is_up)
		part->without = 0;
	part->stocks->ops.health(part->stocks->arg, part->first + node, is_up, why);
}

static void on_trouble(void *arg, const struct kme_answer *answer)
{
	const struct part *part = arg;

	part->stocks->ops.trouble(part->stocks->arg, part->first + answer->node, answer);
}

static bool on_seen(void *arg, const struct kme_answer *answer, const struct kme_key *key)
{
	const struct part *part = arg;

	return part->stocks->ops.seen(part->stocks->arg, part->first + answer->node, answer, key);
}

static void on_refused(void *arg, const struct kme_answer *answer, uint64_t n,
		       const struct qlink_why *why)
{
	const struct part *part = arg;

	part->stocks->ops.refused(part->stocks->arg, part->first + answer->node, answer, n, why);
}

/* --- life --- */

/* Adds a stock for @n KMEs of the link, behind those that it has. */
static int add_part(struct stocks *stocks, const struct config *config,
		    const struct config_link *link, unsigned int n, struct kme_loop *loop,
		    uint64_t now, struct qlink_why *why)
{
	static const struct stock_ops ops = {
		.ready = on_ready, .changed = on_changed, .fetched = on_fetched,
		.health = on_health, .trouble = on_trouble, .seen = on_seen,
		.refused = on_refused,
	};
	struct part *part = &stocks->parts[stocks->n_parts];
	int err;

	part->stocks = stocks;
	part->first = stocks->n_kmes;
	part->n = n;
	err = stock_new(&part->stock, config, link, part->first, n, loop, &ops, part, now, why);
	if (err)
		return err;
	stocks->n_kmes += n;
	stocks->n_parts++;
	return 0;
}

int stocks_new(struct stocks **out, const struct config *config, const struct config_link *link,
	       struct kme_loop *loop, const struct stocks_ops *ops, void *arg, uint64_t now,
	       struct qlink_why *why)
{
	unsigned int each = link->mixes ? 1 : link->n_kmes;
	struct stocks *stocks = calloc(1, sizeof(*stocks));
	int err;

	if (!stocks)
		return qlink_refuse(why, -ENOMEM, "no memory");
	stocks->ops = *ops;
	stocks->arg = arg;
	stocks->least = 1;
	stocks->n_peer = KME_NODES_MAX;
	stocks->peer_kmes = UINT8_MAX;
	stocks->now = now;
	do
		err = add_part(stocks, config, link, each, loop, now, why);
	while (!err && stocks->n_kmes < link->n_kmes);
	if (err) {
		stocks_free(stocks);
		return err;
	}
	*out = stocks;
	return 0;
}

void stocks_renew(struct stocks *stocks, const struct config *config,
		  const struct config_link *link)
{
	struct part *part;

	for_each_part(part, stocks)
		stock_renew(part->stock, config, link);
}

void stocks_free(struct stocks *stocks)
{
	struct part *part;

	if (!stocks)
		return;
	/* A client reports that nothing comes when it is freed. */
	end_fetch(&stocks->fetch);
	for_each_part(part, stocks)
		stock_free(part->stock);
	free(stocks);
}

void stocks_run(struct stocks *stocks, uint64_t now)
{
	struct part *part;

	stocks->now = now;
	for_each_part(part, stocks)
		stock_run(part->stock, now);
}

uint64_t stocks_deadline(const struct stocks *stocks)
{
	uint64_t deadline = UINT64_MAX, due;
	const struct part *part;

	for_each_part(part, stocks) {
		due = stock_deadline(part->stock);
		deadline = due < deadline ? due : deadline;
	}
	return deadline;
}

uint32_t stocks_wipe(struct stocks *stocks, uint64_t now)
{
	struct part *part;
	uint32_t n = 0;

	for_each_part(part, stocks)
		n += stock_wipe(part->stock, now);
	return n;
}

void stocks_hold(struct stocks *stocks, uint64_t until)
{
	struct part *part;

	for_each_part(part, stocks)
		stock_hold(part->stock, until);
}

/* --- what there is --- */

void stocks_demand(struct stocks *stocks, uint8_t least, uint8_t n_peer)
{
	stocks->least = least ? least : 1;
	stocks->n_peer = n_peer;
}

static bool has_counterpart(const struct stocks *stocks, const struct part *part)
{
	return part->first < stocks->n_peer;
}

static uint64_t usable(const struct stocks *stocks, const struct part *part)
{
	return has_counterpart(stocks, part) ? stock_usable(part->stock) : 0;
}

static bool is_to_be_probed(const struct stocks *stocks, const struct part *part, uint64_t now)
{
	return has_counterpart(stocks, part) && stock_probe(part->stock, now);
}

bool stocks_is_decided(const struct stocks *stocks, uint64_t now)
{
	const struct part *part;

	for_each_part(part, stocks) {
		if (!stock_is_decided(part->stock, now))
			return false;
	}
	return true;
}

uint8_t stocks_n_mixed(const struct stocks *stocks)
{
	const struct part *part;
	uint8_t n = 0;

	for_each_part(part, stocks)
		n += part->is_mixed;
	return n;
}

static bool has_enough(const struct stocks *stocks, const struct part *part)
{
	uint32_t period_ms = stock_period(part->stock, 0, stocks->now);

	return !period_ms || usable(stocks, part) >= stock_enough(part->stock, period_ms);
}

static void choose_mixed(struct stocks *stocks)
{
	struct part *part;

	for_each_part(part, stocks) {
		if (!usable(stocks, part))
			part->is_mixed = false;
		else if (has_enough(stocks, part))
			part->is_mixed = true;
	}
	for_each_part(part, stocks) {
		if (stocks_n_mixed(stocks) < stocks->least && usable(stocks, part))
			part->is_mixed = true;
	}
}

uint64_t stocks_usable(struct stocks *stocks)
{
	uint64_t least = UINT64_MAX, n;
	const struct part *part;

	choose_mixed(stocks);
	if (stocks_n_mixed(stocks) < stocks->least)
		return 0;
	for_each_part(part, stocks) {
		n = usable(stocks, part);
		if (part->is_mixed && n < least)
			least = n;
	}
	return least;
}

bool stocks_probe(const struct stocks *stocks, uint64_t now)
{
	const struct part *part;

	for_each_part(part, stocks) {
		if (is_to_be_probed(stocks, part, now))
			return true;
	}
	return false;
}

uint64_t stocks_enough(const struct stocks *stocks, uint32_t period_ms)
{
	return stock_enough(stocks->parts[0].stock, period_ms);
}

uint64_t stocks_held(const struct stocks *stocks)
{
	const struct part *part;
	uint64_t sum = 0;

	for_each_part(part, stocks)
		sum += stock_held(part->stock);
	return sum;
}

uint64_t stocks_kme_held(const struct stocks *stocks, unsigned int node)
{
	const struct part *part = find_part(stocks, node);

	return stock_kme_held(part->stock, node - part->first);
}

uint64_t stocks_expired(const struct stocks *stocks)
{
	const struct part *part;
	uint64_t sum = 0;

	for_each_part(part, stocks)
		sum += stock_expired(part->stock);
	return sum;
}

uint32_t stocks_period(const struct stocks *stocks, uint64_t staged, uint64_t now)
{
	bool has_mixed = stocks_n_mixed(stocks);
	uint32_t longest = 0, period_ms;
	const struct part *part;

	for_each_part(part, stocks) {
		if (has_mixed && !part->is_mixed)
			continue;
		period_ms = stock_period(part->stock, staged, now);
		longest = period_ms > longest ? period_ms : longest;
	}
	return longest;
}

/* --- to the peer and from it --- */

/*
 * Whether an offer may have a key of a KME that the peer may not be able to fetch. If it is refused, the keys of
 * the others are lost with it. Where keys are rare, they would be lost with each offer.
 */
static bool may_be_tried(const struct stocks *stocks, const struct part *part, uint64_t now)
{
	return is_to_be_probed(stocks, part, now) &&
	       (part->n_without >= part->without || stocks_n_mixed(stocks) < stocks->least);
}

/* Decides which stocks the offer takes keys of, and for how many epochs: 0 if they are too few. */
static uint32_t choose_offer(struct stocks *stocks, uint32_t n, uint64_t now, uint8_t *n_kmes)
{
	struct part *part;
	uint32_t can;

	*n_kmes = 0;
	choose_mixed(stocks);
	for_each_part(part, stocks) {
		part->is_offered = part->is_mixed || may_be_tried(stocks, part, now);
		can = part->is_offered ? stock_can_take(part->stock, n, now) : 0;
		part->is_offered = can;
		if (!can)
			continue;
		n = can < n ? can : n;
		++*n_kmes;
	}
	if (!*n_kmes || *n_kmes < stocks->least)
		return 0;
	return n < SESSION_KEY_IDS_MAX / *n_kmes ? n : SESSION_KEY_IDS_MAX / *n_kmes;
}

void stocks_take(struct stocks *stocks, uint32_t n, uint64_t now, struct stocks_taken *taken)
{
	struct stock_taken some;
	struct part *part;
	uint8_t n_kmes, k = 0;
	uint32_t i;

	memset(taken, 0, sizeof(*taken));
	stocks->now = now;
	n = choose_offer(stocks, n, now, &n_kmes);
	if (!n)
		return;
	for_each_part(part, stocks) {
		if (!part->is_offered)
			continue;
		stock_take(part->stock, n, now, &some);
		taken->kmes[k] = (uint8_t)(part->first + some.node + 1);
		for (i = 0; i < n; i++) {
			taken->ids[i * n_kmes + k] = some.ids[i];
			taken->secrets[i * n_kmes + k] = some.secrets[i];
		}
		k++;
	}
	taken->n = n;
	taken->n_kmes = n_kmes;
}

void stocks_spend(struct stocks *stocks)
{
	struct part *part;

	for_each_part(part, stocks)
		stock_spend(part->stock);
}

static void note_refused(struct part *part)
{
	part->n_without = 0;
	part->without = part->without ? 2 * part->without : 1;
	if (part->without > WITHOUT_MAX)
		part->without = WITHOUT_MAX;
}

/* Whether keys of the KME at a place were offered. */
static bool is_offered(struct stocks *stocks, uint8_t place)
{
	const struct part *part = place ? find_part(stocks, place - 1U) : NULL;

	return part && part->is_offered;
}

uint32_t stocks_refused(struct stocks *stocks, enum session_reason reason, uint8_t place,
			uint64_t now)
{
	bool is_known = is_offered(stocks, place);
	struct part *part;
	uint32_t n = 0;

	for_each_part(part, stocks) {
		if (!part->is_offered)
			continue;
		if (is_known && find_part(stocks, place - 1U) != part) {
			stock_lost(part->stock);
			continue;
		}
		note_refused(part);
		n += stock_refused(part->stock, reason, now);
	}
	return n;
}

uint32_t stocks_agreed(struct stocks *stocks, uint64_t now)
{
	struct part *part;
	uint32_t n = 0;

	for_each_part(part, stocks) {
		part->n_without++;
		if (!part->is_offered)
			continue;
		part->without = 0;
		n += stock_agreed(part->stock, now);
	}
	return n;
}

unsigned int stocks_n_kmes(const struct stocks *stocks)
{
	return stocks->n_kmes;
}

uint8_t stocks_serving(const struct stocks *stocks)
{
	const struct part *part;
	uint8_t kmes = 0;

	for_each_part(part, stocks)
		kmes |= (uint8_t)(stock_serving(part->stock) << part->first);
	return kmes;
}

void stocks_peer_serves(struct stocks *stocks, uint8_t kmes, uint64_t now)
{
	uint8_t back = kmes & ~stocks->peer_kmes;
	struct part *part;

	stocks->peer_kmes = kmes;
	for_each_part(part, stocks) {
		if (back >> part->first & ((1 << part->n) - 1))
			part->without = 0;
		stock_peer_serves(part->stock, kmes >> part->first, now);
	}
}

struct bytes stocks_kme_id(const struct stocks *stocks, unsigned int node)
{
	const struct part *part = find_part(stocks, node);

	return stock_kme_id(part->stock, node - part->first);
}

bool stocks_is_one_batch(const struct stocks *stocks, unsigned int node)
{
	const struct part *part = find_part(stocks, node);

	return stock_is_one_batch(part->stock, node - part->first);
}

const struct kme_server *stocks_server(const struct stocks *stocks, unsigned int node)
{
	const struct part *part = find_part(stocks, node);

	return part ? stock_server(part->stock, node - part->first) : NULL;
}
