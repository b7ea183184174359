/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The QKD keys of one list of KMEs, of which one at a time serves a link. */
#ifndef QLINKD_STOCK_H
#define QLINKD_STOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "qlinkd/agreement/agreement.h"
#include "qlinkd/config/config.h"
#include "qlinkd/kme/client.h"
#include "qlinkd/kme/pacing.h"

struct stock;

/**
 * struct stock_ops - what a stock reports to its link
 */
struct stock_ops {
	/** @ready: stock_run() has work to do, which this must not do itself */
	void (*ready)(void *arg);

	/** @changed: keys arrived, or a KME came up or went down */
	void (*changed)(void *arg);

	/**
	 * @fetched: the KME answered about the keys that the peer named. @secrets has one
	 * for each ID, in their order, unless @reason says why not. They are wiped when
	 * it returns.
	 */
	void (*fetched)(void *arg, enum session_reason reason, const struct bytes *secrets);

	/** @health: a KME came up or went down; for up, @why is what is doubtful, mostly empty */
	void (*health)(void *arg, unsigned int node, bool is_up, const struct qlink_why *why);

	/** @trouble: an answer was wrong, or burned keys */
	void (*trouble)(void *arg, const struct kme_answer *answer);

	/**
	 * @seen: whether a key of a KME, or its ID, came to this agent before, on any link and
	 * in either direction; remembers both
	 */
	bool (*seen)(void *arg, const struct kme_answer *answer, const struct kme_key *key);

	/** @refused: @n keys of an answer were not taken, the last of them as @why says */
	void (*refused)(void *arg, const struct kme_answer *answer, uint64_t n,
			const struct qlink_why *why);
};

/**
 * struct stock_taken - keys taken for an offer
 */
struct stock_taken {
	/** @node: whose they are, as stock_server() counts */
	unsigned int node;

	/** @ids: their KME key IDs */
	struct bytes ids[SESSION_OFFER_MAX];

	/** @secrets: their bytes */
	struct bytes secrets[SESSION_OFFER_MAX];

	/** @n: how many, 0 if there are none */
	uint32_t n;
};

/**
 * stock_new() - begin to ask the KMEs of a link
 * @stock: filled in; the caller frees it with stock_free()
 * @config: the whole configuration; must outlive the stock
 * @link: the link
 * @first: its first KME that this stock asks; node 0 of the stock
 * @n: for how many; 0 for an empty stock
 * @loop: where requests to KMEs run; must outlive the stock
 * @ops: called on changes
 * @arg: for @ops
 * @now: time in ms
 * @why: filled in on failure
 *
 * Return: 0, or a negative errno.
 */
int stock_new(struct stock **stock, const struct config *config,
	       const struct config_link *link, unsigned int first, unsigned int n,
	       struct kme_loop *loop, const struct stock_ops *ops, void *arg,
	       uint64_t now, struct qlink_why *why);

/**
 * stock_renew() - use other credentials for the KMEs
 * @stock: the stock
 * @config: has the same KMEs in the same order, with their credentials
 * @link: the link, in @config
 */
void stock_renew(struct stock *stock, const struct config *config, const struct config_link *link);

/**
 * stock_free() - wipe all keys
 * @stock: from stock_new(), or %NULL
 */
void stock_free(struct stock *stock);

/**
 * stock_run() - do what is due, without waiting
 * @stock: the stock
 * @now: time in ms
 */
void stock_run(struct stock *stock, uint64_t now);

/**
 * stock_wipe() - wipe all keys, and those that a KME is about to give
 * @stock: the stock; it asks for new keys after a pause, in which the host may be suspended
 * @now: time in ms
 *
 * Return: number of keys that were wiped.
 */
uint32_t stock_wipe(struct stock *stock, uint64_t now);

/**
 * stock_hold() - do not fill the store yet
 * @stock: the stock
 * @until: time in ms until which a few keys are enough; 0 ends it
 *
 * Filling a store keeps both ends' KMEs, the connections to them and the agent busy. A link that
 * cannot send yet needs these for its first keys.
 */
void stock_hold(struct stock *stock, uint64_t until);

/**
 * stock_deadline() - when stock_run() is due even if it is not @ready
 * @stock: the stock
 *
 * Return: time in ms, UINT64_MAX for never.
 */
uint64_t stock_deadline(const struct stock *stock);

/**
 * stock_is_decided() - whether it is known if the KMEs have keys
 * @stock: the stock
 * @now: time in ms
 *
 * At the start a link waits a moment for its KMEs and for the peer's, instead of falling back
 * before they could answer.
 *
 * Return: true once a KME of each end answered or the wait is over; always without KMEs.
 */
bool stock_is_decided(const struct stock *stock, uint64_t now);

/**
 * stock_usable() - count the keys that can be offered now
 * @stock: the stock
 *
 * Keys of a KME do not count while the peer says that its counterpart is not up, nor after a
 * refusal until the peer has fetched one.
 *
 * Return: keys.
 */
uint64_t stock_usable(const struct stock *stock);

/**
 * stock_probe() - whether one key is to be offered to find out if the peer can fetch it
 * @stock: the stock
 * @now: time in ms
 *
 * Return: true if a KME has keys that do not count as usable, and its pause is over.
 */
bool stock_probe(const struct stock *stock, uint64_t now);

/**
 * stock_enough() - how many keys justify the return from post-quantum keys alone
 * @stock: the stock
 * @period_ms: time from one rekey to the next, above 0
 *
 * Return: keys for 10 s, but not more than the store always reaches.
 */
uint64_t stock_enough(const struct stock *stock, uint32_t period_ms);

/**
 * stock_held() - count the keys held, usable or not
 * @stock: the stock
 *
 * Return: keys.
 */
uint64_t stock_held(const struct stock *stock);

/**
 * stock_kme_held() - count the keys held of one KME
 * @stock: the stock
 * @node: which, below the number of its KMEs
 *
 * Return: keys.
 */
uint64_t stock_kme_held(const struct stock *stock, unsigned int node);

/**
 * stock_expired() - count the keys that were wiped for their age
 * @stock: the stock
 *
 * Return: keys, since stock_new().
 */
uint64_t stock_expired(const struct stock *stock);

/**
 * stock_period() - the planned lifetime of each key
 * @stock: the stock
 * @staged: keys of this stock that are staged
 * @now: time in ms
 *
 * Return: ms, as pacing_period() gives for what is staged or can be offered now.
 */
uint32_t stock_period(const struct stock *stock, uint64_t staged, uint64_t now);

/**
 * stock_can_take() - say how many keys stock_take() would take
 * @stock: the stock
 * @n: how many are wanted
 * @now: time in ms; keys too old by then are wiped first
 *
 * Return: keys.
 */
uint32_t stock_can_take(struct stock *stock, uint32_t n, uint64_t now);

/**
 * stock_take() - take keys for an offer
 * @stock: the stock; nothing is taken yet
 * @n: how many are wanted
 * @now: time in ms
 * @taken: filled in; valid until stock_spend()
 *
 * All keys are of one KME, the first in order that has usable ones.
 */
void stock_take(struct stock *stock, uint32_t n, uint64_t now,
		 struct stock_taken *taken);

/**
 * stock_spend() - wipe what was taken
 * @stock: the stock
 */
void stock_spend(struct stock *stock);

/**
 * stock_refused() - note that the peer could not fetch what was offered
 * @stock: the stock; keys of the last offer's KME are not offered for a while
 * @reason: SESSION_REASON_KME, _TIMEOUT or _KEY_ID; where the peer's KME does not have a
 *	key, the newest is tried next; after KME, offers are half as large
 * @now: time in ms
 *
 * Return: keys wiped, because the peer's KME has forgotten their batch.
 */
uint32_t stock_refused(struct stock *stock, enum session_reason reason, uint64_t now);

/**
 * stock_agreed() - note that the peer fetched what was offered
 * @stock: the stock; if the peer's KME knew the newest key but not an older one,
 *	the older half is wiped
 * @now: time in ms; offers get as large as can be agreed on in time at this pace
 *
 * Return: keys wiped, which neither end will use.
 */
uint32_t stock_agreed(struct stock *stock, uint64_t now);

/**
 * stock_lost() - note that what was offered is gone, and nothing was learned of the peer's KME
 * @stock: the stock
 */
void stock_lost(struct stock *stock);

/**
 * stock_kme_id() - name a KME as STATE does
 * @stock: the stock
 * @node: which, below the number of its KMEs
 *
 * Return: its ID, or the name that it has here; valid as long as the stock.
 */
struct bytes stock_kme_id(const struct stock *stock, unsigned int node);

/**
 * stock_serving() - which KMEs are up
 * @stock: the stock
 *
 * Return: one bit for each KME, bit 0 for the first.
 */
uint8_t stock_serving(const struct stock *stock);

/**
 * stock_peer_serves() - note which of the peer's KMEs are up
 * @stock: the stock; a key of a KME whose counterpart is back is offered at once
 * @kmes: the peer's stock_serving()
 * @now: time in ms
 */
void stock_peer_serves(struct stock *stock, uint8_t kmes, uint64_t now);

/**
 * stock_fetch() - fetch the keys that the peer named
 * @stock: the stock
 * @node: of which KME, below the number of its KMEs
 * @ids: the KME key IDs
 * @n: how many, 1 to SESSION_OFFER_MAX
 *
 * Return: %SESSION_REASON_NONE, and the answer comes by @fetched; or why not.
 */
enum session_reason stock_fetch(struct stock *stock, unsigned int node,
				const struct bytes *ids, unsigned int n);

/**
 * stock_cancel_fetch() - give up the keys that the peer named, because its offer is over
 * @stock: the stock; reports that none came if a fetch was under way
 */
void stock_cancel_fetch(struct stock *stock);

/**
 * stock_is_one_batch() - whether a KME is asked for one batch at a time
 * @stock: the stock
 * @node: which, below the number of its KMEs
 *
 * Return: true if the peer's KME forgets keys, as source_is_one_batch().
 */
bool stock_is_one_batch(const struct stock *stock, unsigned int node);

/**
 * stock_server() - state and counters of a KME
 * @stock: the stock
 * @node: which
 *
 * Return: health and counters, or %NULL if there is no such KME.
 */
const struct kme_server *stock_server(const struct stock *stock, unsigned int node);

#endif
