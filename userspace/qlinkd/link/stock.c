// SPDX-License-Identifier: GPL-2.0-or-later
/* The QKD keys of one list of KMEs, of which one at a time serves a link. */
#include "stock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "qlinkd/kme/dialects.h"
#include "source.h"

/* A link returns from post-quantum keys alone once the stock lasts this long. */
#define RETURN_MS	10000
/* How long a link waits for a KME at the start, and for keys once a KME is up, before it falls back. */
#define DECIDE_MS	1000
#define DECIDE_UP_MS	3000
/* And for its turn, where many links ask the same KME. */
#define DECIDE_TURN_MS	15000
/* Pause before a KME that gave fewer keys than asked for is asked again; it doubles. */
#define DRY_MIN_MS	200
#define DRY_MAX_MS	2000
/* Pause before a KME is asked again none of whose keys could be used; it doubles. */
#define USELESS_MIN_MS	1000
#define USELESS_MAX_MS	60000
/* Pause after a wipe: a host that is about to be suspended should not get new keys before. */
#define WIPED_MS	1000
/* Pause before a KME is asked again whose pool has no more keys for this end. */
#define SHARE_MS	10000

struct stock {
	struct stock_ops ops;
	void *arg;
	struct kme *kme;
	struct store_config store_config;
	struct pacing pacing;
	struct source sources[KME_NODES_MAX];
	unsigned int n_sources;
	/* the place of its first KME in the list of the link, counted from 0 */
	unsigned int first;
	/* the source of the last offer */
	unsigned int offered;
	uint64_t begun, now;
	uint64_t ask_at;
	/* until when a few keys are enough */
	uint64_t held_until;
	uint32_t dry_ms, useless_ms;
	/* keys that a link needs to return from post-quantum keys alone */
	uint32_t least;
	uint64_t n_expired;
	/* the peer's KMEs that are up, as it said last, and since when none of them is */
	uint8_t peer_kmes;
	uint64_t peer_gone_at;
	bool has_answered;
	/* a KME was asked for keys, and whether they are dropped when they arrive */
	bool is_asking, discards;
};

/* A fetch waits for a slot and a half at most, and its answer takes less than another half. */
_Static_assert(2 * TURN_MAX_MS < SESSION_FETCH_MS, "keys that the peer named come in time");
_Static_assert(2 * TURN_MAX_MS < DECIDE_TURN_MS, "a link waits for its turn at the start");
_Static_assert(KME_NODES_MAX <= 8, "each KME has a bit in INVITE");

bool stock_probe(const struct stock *stock, uint64_t now)
{
	unsigned int i;

	for (i = 0; i < stock->n_sources; i++) {
		if (source_is_to_be_probed(&stock->sources[i], now))
			return true;
	}
	return false;
}

uint64_t stock_usable(const struct stock *stock)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < stock->n_sources; i++) {
		if (source_is_usable(&stock->sources[i]))
			sum += store_stock(&stock->sources[i].store);
	}
	return sum;
}

uint64_t stock_enough(const struct stock *stock, uint32_t period_ms)
{
	uint64_t n = (RETURN_MS + period_ms - 1) / period_ms;
	uint64_t kept = store_low_mark(stock->store_config.outage_cover) + 1;

	return n < kept ? n : kept;
}

uint64_t stock_held(const struct stock *stock)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < stock->n_sources; i++)
		sum += source_stock(&stock->sources[i]);
	return sum;
}

uint64_t stock_kme_held(const struct stock *stock, unsigned int node)
{
	return source_stock(&stock->sources[node]);
}

/* --- from the KMEs --- */

/* The first KME that is up at both ends, as far as is known, or else the first that is up here, or -1. */
static int find_up(const struct stock *stock)
{
	int here = -1;
	unsigned int i;

	for (i = 0; i < stock->n_sources; i++) {
		if (kme_server(stock->kme, i)->health != KME_HEALTH_UP)
			continue;
		if (!stock->sources[i].is_gone)
			return (int)i;
		if (here < 0)
			here = (int)i;
	}
	return here;
}

/* There is room in a store now. A pause after a KME that had few keys goes on. */
static void ask_again(struct stock *stock)
{
	if (stock->kme && stock->ask_at == UINT64_MAX)
		stock->ask_at = stock->now;
}

/* The other end has a right to as many keys of a pool that serves both. */
static uint32_t ask_at_most(const struct stock *stock, unsigned int node)
{
	const struct kme_server *server = kme_server(stock->kme, node);
	uint64_t share = share_most(&server->share, source_stock(&stock->sources[node]), stock->least);
	size_t most = kme_server_bears(server);

	return (uint32_t)(share < most ? share : most);
}

/* A link that lacks keys looks again sooner. */
static uint64_t share_pause(const struct stock *stock)
{
	return stock_held(stock) < stock->least ? SHARE_FRESH_MS : SHARE_MS;
}

static void ask(struct stock *stock)
{
	int node = find_up(stock);
	struct source *source;
	uint32_t n, most;

	stock->ask_at = UINT64_MAX;
	if (node < 0 || !source_open(&stock->sources[node], &stock->store_config))
		return;
	source = &stock->sources[node];
	n = source_wanted(source, stock->now);
	if (!n) {
		stock->ask_at = source_wanted_at(source, stock->now);
		return;
	}
	most = ask_at_most(stock, (unsigned int)node);
	if (stock->now < stock->held_until && stock_held(stock)) {
		stock->ask_at = stock->held_until;
		return;
	}
	/* The answer comes by on_counted(). */
	if (kme_count(stock->kme, (unsigned int)node))
		return;
	if (!most) {
		stock->ask_at = stock->now + share_pause(stock);
		return;
	}
	/* A request that is under way goes on. */
	if (kme_get_keys(stock->kme, (unsigned int)node, n < most ? n : most))
		stock->ask_at = stock->now + DRY_MIN_MS;
	else
		stock->is_asking = true;
}

/* Whether a KME gave all keys that one request asked for. */
static bool is_full(const struct kme_answer *answer)
{
	return answer->n_keys && answer->n_keys >= answer->n_sent;
}

static bool is_seen(struct stock *stock, const struct kme_answer *answer, size_t i,
		    struct qlink_why *why)
{
	if (!stock->ops.seen(stock->arg, answer, &answer->keys[i]))
		return false;
	qlink_refuse(why, -EEXIST, "key %s: the KME gave it or its ID before, here or to the peer",
		     answer->keys[i].id.text);
	return true;
}

static int put(struct stock *stock, const struct kme_answer *answer, size_t i,
	       struct qlink_why *why)
{
	const struct kme_key *from = &answer->keys[i];
	struct bytes id = { (const uint8_t *)from->id.text, strlen(from->id.text) };
	struct bytes key = { from->bytes, from->len };

	if (is_seen(stock, answer, i, why))
		return -EEXIST;
	return store_put(&stock->sources[answer->node].store, &id, &key, stock->now, why);
}

/* Returns how many keys were kept. */
static uint64_t keep(struct stock *stock, const struct kme_answer *answer)
{
	struct source *source = &stock->sources[answer->node];
	uint64_t kept = 0, refused = 0;
	struct qlink_why why, last;
	size_t i;

	if (!source_open(source, &stock->store_config))
		return 0;
	for (i = 0; i < answer->n_keys; i++) {
		if (put(stock, answer, i, &why)) {
			last = why;
			refused++;
		}
	}
	kept = answer->n_keys - refused;
	if (kept) {
		pacing_arrived(&stock->pacing, kept, stock->now);
		source->wants_fresh = false;
	}
	if (refused)
		stock->ops.refused(stock->arg, answer, refused, &last);
	source->store.is_rich = kept && is_full(answer);
	return kept;
}

/* A KME whose keys cannot be used would be drained: it is left alone ever longer. */
static void rest(struct stock *stock)
{
	stock->useless_ms = stock->useless_ms ? 2 * stock->useless_ms : USELESS_MIN_MS;
	if (stock->useless_ms > USELESS_MAX_MS)
		stock->useless_ms = USELESS_MAX_MS;
	stock->ask_at = stock->now + stock->useless_ms;
}

static void got_keys(struct stock *stock, const struct kme_answer *answer)
{
	bool is_wiped = stock->discards, has_keys = answer->n_keys && !is_wiped;
	uint64_t kept = has_keys ? keep(stock, answer) : 0;

	stock->has_answered = true;
	stock->is_asking = false;
	stock->discards = false;
	if (kept)
		stock->useless_ms = 0;
	if (is_wiped) {
		stock->ask_at = stock->now + WIPED_MS;
	} else if (has_keys && !kept) {
		rest(stock);
	} else if (is_full(answer)) {
		stock->dry_ms = DRY_MIN_MS;
		stock->ask_at = stock->now;
	} else {
		stock->ask_at = stock->now + stock->dry_ms;
		if (!answer->n_keys)
			stock->dry_ms *= 2;
		else
			stock->dry_ms = DRY_MIN_MS;
		if (stock->dry_ms > DRY_MAX_MS)
			stock->dry_ms = DRY_MAX_MS;
	}
	stock->ops.changed(stock->arg);
}

static enum session_reason reason_of(const struct kme_answer *answer)
{
	if (answer->n_keys == answer->asked)
		return SESSION_REASON_NONE;
	/* The KME lacks a key ID, or its answer made no sense. */
	return answer->outcome == KME_OUTCOME_BROKEN ? SESSION_REASON_KME :
						       SESSION_REASON_KEY_ID;
}

static void fetched_keys(struct stock *stock, const struct kme_answer *answer)
{
	struct bytes secrets[SESSION_OFFER_MAX] = { { NULL, 0 } };
	enum session_reason reason = reason_of(answer);
	struct qlink_why why;
	uint64_t refused = 0;
	size_t i;

	for (i = 0; i < answer->n_keys; i++) {
		const struct kme_key *key = &answer->keys[i];

		refused += is_seen(stock, answer, i, &why);
		if (key->place < SESSION_OFFER_MAX)
			secrets[key->place] = (struct bytes){ key->bytes, key->len };
	}
	if (refused) {
		stock->ops.refused(stock->arg, answer, refused, &why);
		reason = SESSION_REASON_KEY_ID;
	}
	stock->ops.fetched(stock->arg, reason, secrets);
}

static void on_answer(void *arg, const struct kme_answer *answer)
{
	struct stock *stock = arg;

	if (answer->why.text[0] || answer->n_burned)
		stock->ops.trouble(stock->arg, answer);
	if (answer->op == KME_OP_ENC)
		got_keys(stock, answer);
	else
		fetched_keys(stock, answer);
}

static void on_health(void *arg, unsigned int node, enum kme_health health,
		      const struct qlink_why *why)
{
	struct stock *stock = arg;
	struct source *source = &stock->sources[node];

	if (health == KME_HEALTH_UP) {
		stock->ask_at = stock->now;
		/* The peer's KME may have been down for the same cause, such as the line between them. */
		source_try_again(source, stock->now);
	}
	/* Another KME may serve instead. */
	ask_again(stock);
	stock->ops.health(stock->arg, node, health == KME_HEALTH_UP, why);
	stock->ops.changed(stock->arg);
}

static void on_counted(void *arg, unsigned int node)
{
	(void)node;
	ask_again(arg);
}

static void on_ready(void *arg)
{
	struct stock *stock = arg;

	stock->ops.ready(stock->arg);
}

/* --- life --- */

/* What is in memory is lost with the agent. A link that fell back needs so many to return, all the same. */
static uint32_t held_at_most(const struct stock *stock, const struct kme_node_conf *node)
{
	uint32_t most = kme_dialect_of(node->dialect)->held_max;

	if (!most)
		return UINT32_MAX;
	return most > stock->least ? most : stock->least;
}

static int start_client(struct stock *stock, const struct config *config,
			const struct config_link *link, struct kme_loop *loop, struct qlink_why *why)
{
	const uint32_t *kmes = link->kmes + stock->first;
	static const struct kme_ops ops = {
		.answer = on_answer, .health = on_health, .counted = on_counted, .ready = on_ready,
	};
	struct kme_node_conf nodes[KME_NODES_MAX];
	struct kme_conf conf = {
		.sae = link->sae,
		.name = config->agent.name,
		.peer = link->peer_name,
		.nodes = nodes,
		.n_nodes = stock->n_sources,
		.connect_ms = config->agent.kme_connect_ms,
		.timeout_ms = config->agent.kme_timeout_ms,
		.retry_min_ms = 500,
		.retry_max_ms = config->agent.kme_retry_ms,
	};
	unsigned int i;

	for (i = 0; i < stock->n_sources; i++) {
		nodes[i] = config->kmes[kmes[i]].node;
		source_init(&stock->sources[i], nodes[i].id ? nodes[i].id : config->kmes[kmes[i]].name);
		stock->sources[i].most = held_at_most(stock, &nodes[i]);
	}
	return stock->n_sources ? kme_new(&conf, loop, &ops, stock, &stock->kme, why) : 0;
}

/*
 * The cover must not be so small that a link that fell back cannot return: a store is filled up only
 * after a quarter of it is used.
 */
static uint32_t least_cover(const struct pacing_config *pacing)
{
	return (RETURN_MS / pacing->ceiling_ms + 1) * 4 / 3 + 1;
}

/* Keys that the link cannot use before they are too old are not worth taking from the KME. */
static void set_limits(struct stock *stock, const struct config_link *link)
{
	struct store_config *store = &stock->store_config;
	uint64_t useful = store->max_age_ms / link->pacing.floor_ms + 1;

	stock->least = least_cover(&link->pacing);
	if (store->outage_cover < stock->least)
		store->outage_cover = stock->least;
	if (store->outage_cover > store->capacity)
		store->outage_cover = store->capacity;
	if (useful < store->outage_cover)
		useful = store->outage_cover;
	if (store->max_age_ms && useful < store->capacity)
		store->capacity = (uint32_t)useful;
}

int stock_new(struct stock **out, const struct config *config,
	       const struct config_link *link, unsigned int first, unsigned int n,
	       struct kme_loop *loop, const struct stock_ops *ops, void *arg,
	       uint64_t now, struct qlink_why *why)
{
	struct stock *stock = calloc(1, sizeof(*stock));
	int err;

	if (!stock)
		return qlink_refuse(why, -ENOMEM, "no memory");
	stock->ops = *ops;
	stock->arg = arg;
	stock->first = first;
	stock->n_sources = n;
	stock->begun = now;
	stock->now = now;
	stock->ask_at = UINT64_MAX;
	stock->dry_ms = DRY_MIN_MS;
	/* Until the peer says otherwise. */
	stock->peer_kmes = UINT8_MAX;
	stock->store_config = link->store;
	set_limits(stock, link);
	pacing_init(&stock->pacing, &link->pacing, now);
	err = start_client(stock, config, link, loop, why);
	if (err) {
		stock_free(stock);
		return err;
	}
	*out = stock;
	return 0;
}

void stock_renew(struct stock *stock, const struct config *config, const struct config_link *link)
{
	unsigned int i;

	for (i = 0; i < stock->n_sources; i++)
		kme_renew(stock->kme, i, config->kmes[link->kmes[stock->first + i]].node.credentials);
}

void stock_free(struct stock *stock)
{
	unsigned int i;

	if (!stock)
		return;
	kme_free(stock->kme);
	for (i = 0; i < stock->n_sources; i++)
		source_wipe(&stock->sources[i]);
	free(stock);
}

static void expire(struct stock *stock)
{
	struct source *source = stock->sources;
	uint32_t n;

	for (; source < stock->sources + stock->n_sources; source++) {
		n = source->has_store ? store_expire(&source->store, stock->now) : 0;
		if (!n)
			continue;
		stock->n_expired += n;
		pacing_spent(&stock->pacing, n);
		ask_again(stock);
	}
}

void stock_run(struct stock *stock, uint64_t now)
{
	stock->now = now;
	if (!stock->kme)
		return;
	kme_run(stock->kme);
	expire(stock);
	if (stock->ask_at <= now)
		ask(stock);
}

uint32_t stock_wipe(struct stock *stock, uint64_t now)
{
	uint32_t n = (uint32_t)stock_held(stock);
	struct source *source = stock->sources;

	if (!stock->kme)
		return 0;
	for (; source < stock->sources + stock->n_sources; source++)
		source_wipe(source);
	if (kme_withdraw_get(stock->kme))
		stock->is_asking = false;
	stock->discards = stock->is_asking;
	pacing_spent(&stock->pacing, n);
	stock->ask_at = now + WIPED_MS;
	return n;
}

void stock_hold(struct stock *stock, uint64_t until)
{
	if (stock->held_until > until && stock->ask_at == stock->held_until)
		stock->ask_at = until;
	stock->held_until = until;
}

uint64_t stock_deadline(const struct stock *stock)
{
	int64_t due = stock->kme ? kme_deadline(stock->kme) : INT64_MAX;

	return due != INT64_MAX && (uint64_t)due < stock->ask_at ? (uint64_t)due : stock->ask_at;
}

static bool peer_serves_any(const struct stock *stock)
{
	return stock->peer_kmes & ((1 << stock->n_sources) - 1);
}

static uint64_t patience(const struct stock *stock)
{
	if (kme_waits(stock->kme))
		return DECIDE_TURN_MS;
	return find_up(stock) >= 0 ? DECIDE_UP_MS : DECIDE_MS;
}

bool stock_is_decided(const struct stock *stock, uint64_t now)
{
	if (!stock->kme)
		return true;
	if (!stock->has_answered && now - stock->begun < patience(stock))
		return false;
	return peer_serves_any(stock) || now - stock->peer_gone_at >= DECIDE_MS;
}

uint64_t stock_expired(const struct stock *stock)
{
	return stock->n_expired;
}

uint32_t stock_period(const struct stock *stock, uint64_t staged, uint64_t now)
{
	struct pacing pacing = stock->pacing;

	/* Keys that the peer cannot fetch now do not count. */
	pacing_spent(&pacing, stock_held(stock) - stock_usable(stock));
	return pacing_period(&pacing, staged, now);
}

/* --- to the peer and from it --- */

/* The source of the next offer: the first that has keys for it; -1 if none has. */
static int next_source(const struct stock *stock)
{
	bool has_usable = stock_usable(stock);
	unsigned int i;

	for (i = 0; i < stock->n_sources; i++) {
		/* A KME that the peer has no counterpart of is not tried where another one serves. */
		if (stock->sources[i].is_gone && has_usable)
			continue;
		if (source_can_take(&stock->sources[i], 1, stock->now))
			return (int)i;
	}
	return -1;
}

uint32_t stock_can_take(struct stock *stock, uint32_t n, uint64_t now)
{
	int node;

	stock->now = now;
	expire(stock);
	node = next_source(stock);
	return node < 0 ? 0 : source_can_take(&stock->sources[node], n, now);
}

void stock_take(struct stock *stock, uint32_t n, uint64_t now,
		 struct stock_taken *taken)
{
	struct source *source;
	uint32_t k;
	int node;

	memset(taken, 0, sizeof(*taken));
	stock->now = now;
	expire(stock);
	node = next_source(stock);
	if (node < 0)
		return;
	stock->offered = (unsigned int)node;
	source = &stock->sources[node];
	taken->node = stock->offered;
	taken->n = source_take(source, n, now);
	for (k = 0; k < taken->n; k++) {
		taken->ids[k] = store_taken_id(&source->store, k);
		taken->secrets[k] = store_taken_key(&source->store, k);
	}
	pacing_spent(&stock->pacing, taken->n);
}

void stock_spend(struct stock *stock)
{
	struct source *source = &stock->sources[stock->offered];

	if (!source->has_store)
		return;
	store_spend(&source->store);
	ask_again(stock);
}

uint32_t stock_refused(struct stock *stock, enum session_reason reason, uint64_t now)
{
	struct source *source = &stock->sources[stock->offered];
	uint32_t n = source_refused(source, reason, now);

	pacing_spent(&stock->pacing, n);
	if (source->wants_fresh)
		stock->ask_at = now;
	/* The next batch comes just when it is to be offered. */
	else if (source->held_max != UINT32_MAX)
		stock->ask_at = source->refused_until;
	return n;
}

uint32_t stock_agreed(struct stock *stock, uint64_t now)
{
	struct source *source = &stock->sources[stock->offered];
	uint32_t n = source_agreed(source, now);

	pacing_spent(&stock->pacing, n);
	if (n || source->held_max != UINT32_MAX)
		ask_again(stock);
	return n;
}

void stock_lost(struct stock *stock)
{
	source_lost(&stock->sources[stock->offered]);
}

struct bytes stock_kme_id(const struct stock *stock, unsigned int node)
{
	const char *id = stock->sources[node].id;

	return (struct bytes){ (const uint8_t *)id, strlen(id) };
}

uint8_t stock_serving(const struct stock *stock)
{
	uint8_t kmes = 0;
	unsigned int i;

	for (i = 0; i < stock->n_sources; i++) {
		if (kme_server(stock->kme, i)->health == KME_HEALTH_UP)
			kmes |= 1 << i;
	}
	return kmes;
}

void stock_peer_serves(struct stock *stock, uint8_t kmes, uint64_t now)
{
	uint8_t gone = stock->peer_kmes & ~kmes;
	unsigned int i;

	stock->peer_kmes = kmes;
	if (gone && !peer_serves_any(stock))
		stock->peer_gone_at = now;
	for (i = 0; i < stock->n_sources; i++)
		source_peer_serves(&stock->sources[i], kmes & 1 << i, now);
	/* Another KME may be the first that is up at both ends now. */
	ask_again(stock);
}

enum session_reason stock_fetch(struct stock *stock, unsigned int node,
				const struct bytes *ids, unsigned int n)
{
	struct kme_key_id texts[SESSION_OFFER_MAX];
	unsigned int i;
	int err;

	for (i = 0; i < n; i++) {
		if (ids[i].len > KME_KEY_ID_MAX)
			return SESSION_REASON_KEY_ID;
		memcpy(texts[i].text, ids[i].data, ids[i].len);
		texts[i].text[ids[i].len] = '\0';
	}
	err = kme_fetch_keys(stock->kme, node, texts, n);
	if (!err)
		return SESSION_REASON_NONE;
	return err == -EINVAL ? SESSION_REASON_KEY_ID : SESSION_REASON_KME;
}

void stock_cancel_fetch(struct stock *stock)
{
	if (stock->kme)
		kme_cancel_fetch(stock->kme);
}

bool stock_is_one_batch(const struct stock *stock, unsigned int node)
{
	return source_is_one_batch(&stock->sources[node]);
}

const struct kme_server *stock_server(const struct stock *stock, unsigned int node)
{
	return node < stock->n_sources ? kme_server(stock->kme, node) : NULL;
}
