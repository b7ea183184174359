/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The QKD keys that one KME delivered to a link, and what the peer can fetch of them; no I/O. */
#ifndef QLINKD_SOURCE_H
#define QLINKD_SOURCE_H

#include "qlinkd/agreement/agreement.h"
#include "qlinkd/agreement/message.h"
#include "qlinkd/kme/store.h"

/* Bytes of the ID of a KME between agents: its own ID, or the name that it has here. */
#define SOURCE_ID_BYTES	MSG_NAME_BYTES_MAX

/**
 * struct source - the keys of one KME
 */
struct source {
	/** @store: its keys, if @has_store */
	struct store store;

	/** @id: as STATE names the KME */
	char id[SOURCE_ID_BYTES + 1];

	/** @refused_until: until when its keys are not offered, in ms */
	uint64_t refused_until;

	/** @refused_ms: for how long after the next refusal */
	uint64_t refused_ms;

	/** @offered_at: when keys were taken last, in ms */
	uint64_t offered_at;

	/** @n_offered: how many */
	uint32_t n_offered;

	/** @offer_max: most keys of an offer */
	uint32_t offer_max;

	/** @is_gone: the peer says that its counterpart is not up */
	bool is_gone;

	/** @is_doubtful: the peer's KME did not know a key of ours: it may have lost all old ones */
	bool is_doubtful;

	/** @wants_fresh: a key is needed that arrives after that */
	bool wants_fresh;

	/** @is_open: what was taken last is neither agreed on nor refused */
	bool is_open;

	/** @held_max: most keys to hold, because the peer's KME forgets more; UINT32_MAX for any */
	uint32_t held_max;

	/** @most: most keys to hold, because those in memory are lost with the agent; UINT32_MAX for any */
	uint32_t most;

	/** @n_forgot: how often the peer's KME had forgotten keys, after it knew all of an offer */
	unsigned int n_forgot;

	/** @was_kept: an offer was agreed on since it was found that keys were forgotten */
	bool was_kept;

	/** @one_batch_until: until when no second batch is tried, in ms */
	uint64_t one_batch_until;

	/** @has_store: @store was made; a spare KME that is never asked has none */
	bool has_store;
};

/**
 * source_init() - start without keys
 * @source: filled in; freed with source_wipe()
 * @name: its ID, or its name in the configuration
 */
void source_init(struct source *source, const char *name);

/**
 * source_open() - make the store when it is first needed
 * @source: the source
 * @config: limits of the store
 *
 * Return: whether there is a store.
 */
bool source_open(struct source *source, const struct store_config *config);

/**
 * source_wipe() - wipe all keys and free their store
 * @source: the source, which may get keys again
 */
void source_wipe(struct source *source);

/**
 * source_stock() - count the keys that can be taken
 * @source: the source
 *
 * Return: keys.
 */
uint32_t source_stock(const struct source *source);

/**
 * source_is_usable() - whether keys may be offered: as far as is known, the peer can fetch them
 * @source: the source
 *
 * Return: true, even if there is no key.
 */
bool source_is_usable(const struct source *source);

/**
 * source_is_to_be_probed() - whether to offer one key although it is not usable
 * @source: the source
 * @now: time in ms
 *
 * Return: true if there is a key and no pause; it is the only way to find out.
 */
bool source_is_to_be_probed(const struct source *source, uint64_t now);

/**
 * source_wanted() - say how many keys to request from the KME
 * @source: has a store
 * @now: time in ms
 *
 * Where the peer's KME forgets keys, the store holds no more than are known to survive. If these are
 * no more than an offer has, the next batch is requested only when the last one is used up and
 * agreed on: some KMEs forget a batch when the next is requested.
 *
 * Return: how many; 0 for none now.
 */
uint32_t source_wanted(struct source *source, uint64_t now);

/**
 * source_wanted_at() - when source_wanted() says something else although nothing happens
 * @source: the source
 * @now: time in ms
 *
 * Return: time in ms, after @now; UINT64_MAX for never.
 */
uint64_t source_wanted_at(const struct source *source, uint64_t now);

/**
 * source_is_one_batch() - whether only one batch at a time is requested
 * @source: the source
 *
 * Return: true once the peer's KME has forgotten keys again and again.
 */
bool source_is_one_batch(const struct source *source);

/**
 * source_can_take() - say how many keys source_take() would take
 * @source: the source
 * @n: how many are wanted
 * @now: time in ms; keys that are too old by then are gone already
 *
 * Return: keys.
 */
uint32_t source_can_take(const struct source *source, uint32_t n, uint64_t now);

/**
 * source_take() - take keys for an offer
 * @source: the source; nothing is taken yet
 * @n: how many are wanted
 * @now: time in ms
 *
 * Return: how many were taken; the caller spends them in any case.
 */
uint32_t source_take(struct source *source, uint32_t n, uint64_t now);

/**
 * source_refused() - note that the peer could not fetch what was taken last
 * @source: the source
 * @reason: SESSION_REASON_KME, _TIMEOUT or _KEY_ID
 * @now: time in ms
 *
 * Return: keys of the same batch that were wiped.
 */
uint32_t source_refused(struct source *source, enum session_reason reason, uint64_t now);

/**
 * source_agreed() - note that the peer fetched what was taken last
 * @source: the source; if the peer's KME knew the newest key but not an older one, the older half
 *	is wiped
 * @now: time in ms
 *
 * Return: keys wiped.
 */
uint32_t source_agreed(struct source *source, uint64_t now);

/**
 * source_lost() - note that what was taken last is gone, and nothing was learned of the peer's KME
 * @source: the source
 */
void source_lost(struct source *source);

/**
 * source_try_again() - note that the peer may be able to fetch again
 * @source: the source; one key is to be offered at once to find out
 * @now: time in ms
 */
void source_try_again(struct source *source, uint64_t now);

/**
 * source_peer_serves() - note what the peer says about the counterpart of the KME
 * @source: the source
 * @is_up: whether it is up
 * @now: time in ms
 */
void source_peer_serves(struct source *source, bool is_up, uint64_t now);

#endif
