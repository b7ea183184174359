// SPDX-License-Identifier: GPL-2.0-or-later
/* The QKD keys that one KME delivered to a link, and what the peer can fetch of them; no I/O. */
#include "source.h"

#include <stdio.h>
#include <string.h>

/* Pause before keys of a KME are offered again after the peer could not fetch; it doubles. */
#define REFUSED_MIN_MS	2000
#define REFUSED_MAX_MS	10000
/* How long it may take at most until an offer is agreed on, well below SESSION_FETCH_MS. */
#define OFFER_MS	5000
/* As many keys as an offer can have: one batch of the KME. */
#define BATCH_MAX	SESSION_OFFER_MAX
/* Fewer keys at a time are not worth an offer. */
#define BATCH_MIN	4
/* A KME that forgot keys so often, and knew an offer in between, does so as a habit. */
#define FORGETS_MIN	2
/* After this time a KME with that habit is tried with a second batch. */
#define ONE_BATCH_MS	3600000

void source_init(struct source *source, const char *name)
{
	memset(source, 0, sizeof(*source));
	snprintf(source->id, sizeof(source->id), "%s", name);
	source->refused_ms = REFUSED_MIN_MS;
	source->offer_max = SESSION_OFFER_MAX;
	source->held_max = UINT32_MAX;
	source->most = UINT32_MAX;
}

bool source_open(struct source *source, const struct store_config *config)
{
	if (!source->has_store)
		source->has_store = !store_new(&source->store, config);
	return source->has_store;
}

void source_wipe(struct source *source)
{
	if (source->has_store)
		store_free(&source->store);
	source->has_store = false;
	source->is_doubtful = false;
	source->wants_fresh = false;
}

uint32_t source_stock(const struct source *source)
{
	return source->has_store ? store_stock(&source->store) : 0;
}

static bool was_refused(const struct source *source)
{
	return source->refused_ms > REFUSED_MIN_MS;
}

bool source_is_usable(const struct source *source)
{
	return source->has_store && !was_refused(source) && !source->is_gone;
}

bool source_is_to_be_probed(const struct source *source, uint64_t now)
{
	return !source_is_usable(source) && source->refused_until <= now && source_stock(source);
}

/* Whether an offer is under way whose keys the KME must not forget. */
static bool is_waiting(const struct source *source, uint64_t now)
{
	return source->is_open && now - source->offered_at < SESSION_OFFER_MS;
}

/* What may still be held. A store is refilled once a quarter of it is gone, so that requests are not for one key. */
static uint32_t room(const struct source *source, uint32_t stock)
{
	return source->most == UINT32_MAX || stock <= store_low_mark(source->most) ? source->most - stock : 0;
}

uint32_t source_wanted(struct source *source, uint64_t now)
{
	uint32_t n = store_wanted(&source->store), stock = source_stock(source), most;

	most = source->held_max > stock ? source->held_max - stock : 0;
	if (source->held_max <= BATCH_MAX ? stock || is_waiting(source, now) :
	    source->held_max != UINT32_MAX && stock > store_low_mark(source->held_max))
		most = 0;
	n = n < most ? n : most;
	n = n < room(source, stock) ? n : room(source, stock);
	return n || !source->wants_fresh ? n : 1;
}

uint64_t source_wanted_at(const struct source *source, uint64_t now)
{
	return source->held_max <= BATCH_MAX && is_waiting(source, now) ?
		       source->offered_at + SESSION_OFFER_MS : UINT64_MAX;
}

bool source_is_one_batch(const struct source *source)
{
	return source->n_forgot >= FORGETS_MIN && source->held_max <= BATCH_MAX;
}

/* After a refusal one key is enough to find out. */
uint32_t source_can_take(const struct source *source, uint32_t n, uint64_t now)
{
	uint32_t most = source->offer_max, stock = source_stock(source);

	if (!source_is_usable(source))
		most = source_is_to_be_probed(source, now);
	else if (source->is_doubtful)
		most = 1;
	n = n < most ? n : most;
	return n < stock ? n : stock;
}

/*
 * If the peer's KME lacked a key ID, the newest key is offered: a KME that keeps keys only for a time, or
 * only so many, drops the oldest first.
 */
uint32_t source_take(struct source *source, uint32_t n, uint64_t now)
{
	n = source_can_take(source, n, now);
	if (n)
		n = source->is_doubtful ? store_take_newest(&source->store, now) :
					  store_take(&source->store, n, now);
	if (n) {
		source->n_offered = n;
		source->offered_at = now;
		source->is_open = true;
	}
	return n;
}

/*
 * The peer's KME has forgotten keys, and may keep as many as @survive. If it lost all by a restart, it
 * knows all keys from the first that it knows on.
 */
static void note_forgotten(struct source *source, uint32_t survive, uint64_t now)
{
	if (survive < BATCH_MIN)
		survive = BATCH_MIN;
	if (survive < source->held_max)
		source->held_max = survive;
	if (!source->n_forgot || source->was_kept)
		source->n_forgot++;
	source->was_kept = false;
	source->one_batch_until = now + ONE_BATCH_MS;
}

/* An offer was agreed on: the peer's KME may keep more. If it forgets as a habit, that costs keys. */
static void note_kept(struct source *source, uint64_t now)
{
	uint32_t before = source->held_max;

	source->was_kept = true;
	if (before == UINT32_MAX || (source->n_forgot >= FORGETS_MIN && before >= BATCH_MAX &&
				     now < source->one_batch_until))
		return;
	if (source->n_forgot < FORGETS_MIN)
		source->held_max *= 2;
	else
		source->held_max += before < BATCH_MAX ? (before + 3) / 4 : 1;
	if (source->n_forgot >= FORGETS_MIN && before < BATCH_MAX && source->held_max > BATCH_MAX)
		source->held_max = BATCH_MAX;
	if (source->held_max >= source->store.config.capacity)
		source->held_max = UINT32_MAX;
}

/* What is left of a batch whose first keys are forgotten is forgotten too. */
static uint32_t forget_batch(struct source *source, uint64_t now)
{
	note_forgotten(source, source->held_max / 2, now);
	source->is_doubtful = false;
	source->wants_fresh = false;
	return store_drop(&source->store, source_stock(source));
}

static void pause_offers(struct source *source, uint64_t now)
{
	source->refused_until = now + source->refused_ms;
	source->refused_ms *= 2;
	if (source->refused_ms > REFUSED_MAX_MS)
		source->refused_ms = REFUSED_MAX_MS;
}

uint32_t source_refused(struct source *source, enum session_reason reason, uint64_t now)
{
	source->is_open = false;
	if (reason == SESSION_REASON_KEY_ID && source->held_max <= BATCH_MAX && source->has_store) {
		pause_offers(source, now);
		return forget_batch(source, now);
	}
	/* Even the newest key was unknown: the KME may have lost all. Try one that arrives from now on. */
	source->wants_fresh = source->is_doubtful && reason == SESSION_REASON_KEY_ID;
	source->is_doubtful = reason == SESSION_REASON_KEY_ID;
	/* It may have been too many for the time that the peer allows. */
	if (reason == SESSION_REASON_KME && source->n_offered > 1)
		source->offer_max = source->n_offered / 2;
	pause_offers(source, now);
	return 0;
}

/*
 * The peer's KME may give one key at a time, slowly, and what it gave is lost if the offer is not
 * agreed on in time. Time for one key counts as it came, with what an offer takes whatever its size.
 */
static void learn_pace(struct source *source, uint64_t now)
{
	uint64_t took = now - source->offered_at, most = SESSION_OFFER_MAX;

	if (source->n_offered == source->offer_max)
		source->offer_max *= 2;
	if (took && source->n_offered * OFFER_MS / took < most)
		most = source->n_offered * OFFER_MS / took;
	if (source->offer_max > most)
		source->offer_max = most ? (uint32_t)most : 1;
}

uint32_t source_agreed(struct source *source, uint64_t now)
{
	bool was_probe = was_refused(source);
	uint32_t n = 0;

	source->refused_ms = REFUSED_MIN_MS;
	source->is_open = false;
	learn_pace(source, now);
	/* The newest key was known and an old one was not: drop the older half and try again. */
	if (source->is_doubtful && source->has_store) {
		n = store_drop(&source->store, (store_stock(&source->store) + 1) / 2);
		note_forgotten(source, source_stock(source), now);
	} else if (!was_probe) {
		note_kept(source, now);
	}
	source->is_doubtful = false;
	return n;
}

void source_lost(struct source *source)
{
	source->is_open = false;
}

void source_try_again(struct source *source, uint64_t now)
{
	if (was_refused(source)) {
		source->refused_ms = 2 * REFUSED_MIN_MS;
		source->refused_until = now;
	}
}

void source_peer_serves(struct source *source, bool is_up, uint64_t now)
{
	if (is_up && source->is_gone)
		source_try_again(source, now);
	if (!is_up && !source->is_gone && source->refused_until < now + REFUSED_MAX_MS)
		source->refused_until = now + REFUSED_MAX_MS;
	source->is_gone = !is_up;
}
