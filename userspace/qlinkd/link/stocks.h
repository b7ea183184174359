/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The QKD keys of a link: of one stock, or of several whose keys are mixed. */
#ifndef QLINKD_STOCKS_H
#define QLINKD_STOCKS_H

#include "stock.h"

/**
 * DOC: Words
 *
 * A link without `mix` has one stock, whose KMEs stand in for each other. A link that mixes has a
 * stock for each KME, and a key of each goes into one key of the link.
 *
 * * place: of a KME in the list of the link, counted from 1; the same at both ends
 * * node: the same, counted from 0
 * * mixed: the next offers take keys of this stock
 */
struct stocks;

/**
 * struct stocks_ops - what the stocks of a link report to its link
 *
 * All but @fetched are those of struct stock_ops, with the node counted over all stocks.
 */
struct stocks_ops {
	/** @ready: stocks_run() has work to do, which this must not do itself */
	void (*ready)(void *arg);

	/** @changed: keys arrived, or a KME came up or went down */
	void (*changed)(void *arg);

	/**
	 * @fetched: the KMEs answered about the keys that the peer named. @secrets has one for
	 * each ID, in their order, unless @reason says why not, and @place of which KME it speaks.
	 * They are wiped when it returns.
	 */
	void (*fetched)(void *arg, enum session_reason reason, uint8_t place,
			const struct bytes *secrets);

	/** @health: a KME came up or went down; for up, @why is what is doubtful, mostly empty */
	void (*health)(void *arg, unsigned int node, bool is_up, const struct qlink_why *why);

	/** @trouble: an answer was wrong, or burned keys */
	void (*trouble)(void *arg, unsigned int node, const struct kme_answer *answer);

	/**
	 * @seen: whether a key of a KME, or its ID, came to this agent before, on any link and
	 * in either direction; remembers both
	 */
	bool (*seen)(void *arg, unsigned int node, const struct kme_answer *answer,
		     const struct kme_key *key);

	/** @refused: @n keys of an answer were not taken, the last of them as @why says */
	void (*refused)(void *arg, unsigned int node, const struct kme_answer *answer, uint64_t n,
			const struct qlink_why *why);
};

/**
 * struct stocks_taken - keys taken for an offer
 */
struct stocks_taken {
	/** @n: epochs that they are for, 0 if there are none */
	uint32_t n;

	/** @n_kmes: KMEs that each epoch has a key of */
	uint8_t n_kmes;

	/** @kmes: their places, ascending */
	uint8_t kmes[SESSION_KMES_MAX];

	/** @ids: KME key IDs: of each KME for the first epoch, and so on */
	struct bytes ids[SESSION_KEY_IDS_MAX];

	/** @secrets: their bytes, likewise */
	struct bytes secrets[SESSION_KEY_IDS_MAX];
};

/**
 * stocks_new() - begin to ask the KMEs of a link
 * @stocks: filled in; the caller frees it with stocks_free()
 * @config: the whole configuration; must outlive the stocks
 * @link: the link; one without KMEs has an empty stock
 * @loop: where requests to KMEs run; must outlive the stocks
 * @ops: called on changes
 * @arg: for @ops
 * @now: time in ms
 * @why: filled in on failure
 *
 * Return: 0, or a negative errno.
 */
int stocks_new(struct stocks **stocks, const struct config *config,
	       const struct config_link *link, struct kme_loop *loop,
	       const struct stocks_ops *ops, void *arg, uint64_t now, struct qlink_why *why);

/**
 * stocks_renew() - use other credentials for the KMEs
 * @stocks: the stocks of the link
 * @config: has the same KMEs in the same order, with their credentials
 * @link: the link, in @config
 */
void stocks_renew(struct stocks *stocks, const struct config *config,
		  const struct config_link *link);

/**
 * stocks_free() - wipe all keys
 * @stocks: from stocks_new(), or %NULL
 */
void stocks_free(struct stocks *stocks);

/**
 * stocks_run() - do what is due, without waiting
 * @stocks: the stocks of the link
 * @now: time in ms
 */
void stocks_run(struct stocks *stocks, uint64_t now);

/**
 * stocks_deadline() - when stocks_run() is due even if it is not @ready
 * @stocks: the stocks of the link
 *
 * Return: time in ms, UINT64_MAX for never.
 */
uint64_t stocks_deadline(const struct stocks *stocks);

/**
 * stocks_wipe() - wipe all keys, as stock_wipe()
 * @stocks: the stocks of the link
 * @now: time in ms
 *
 * Return: number of keys that were wiped.
 */
uint32_t stocks_wipe(struct stocks *stocks, uint64_t now);

/**
 * stocks_hold() - do not fill the stores yet, as stock_hold()
 * @stocks: the stocks of the link
 * @until: time in ms until which a few keys are enough; 0 ends it
 */
void stocks_hold(struct stocks *stocks, uint64_t until);

/**
 * stocks_demand() - say what both ends together demand of the KMEs of each key
 * @stocks: the stocks of the link
 * @least: how many KMEs it must have, 1 or more
 * @n_peer: how many the peer has: a KME at a place behind them has no counterpart
 */
void stocks_demand(struct stocks *stocks, uint8_t least, uint8_t n_peer);

/**
 * stocks_is_decided() - whether it is known if the KMEs have keys, as stock_is_decided()
 * @stocks: the stocks of the link
 * @now: time in ms
 *
 * Return: true once that is known of all.
 */
bool stocks_is_decided(const struct stocks *stocks, uint64_t now);

/**
 * stocks_usable() - count the epochs for which there are keys that can be offered now
 * @stocks: the stocks of the link; it is decided anew which of them are mixed
 *
 * A stock that has run dry is mixed again once it has keys for some time, so that the number of
 * KMEs does not change with each key; but at once if there are too few without it.
 *
 * Return: epochs; 0 while fewer KMEs than demanded have keys.
 */
uint64_t stocks_usable(struct stocks *stocks);

/**
 * stocks_n_mixed() - count the KMEs whose keys the next offer takes
 * @stocks: the stocks of the link, as stocks_usable() decided last
 *
 * Return: KMEs.
 */
uint8_t stocks_n_mixed(const struct stocks *stocks);

/**
 * stocks_probe() - whether one key is to be offered to find out if the peer can fetch it
 * @stocks: the stocks of the link
 * @now: time in ms
 *
 * Return: true if a KME has keys that do not count as usable, and its pause is over.
 */
bool stocks_probe(const struct stocks *stocks, uint64_t now);

/**
 * stocks_enough() - how many keys justify the return from post-quantum keys alone
 * @stocks: the stocks of the link
 * @period_ms: time from one rekey to the next, above 0
 *
 * Return: keys, as stock_enough().
 */
uint64_t stocks_enough(const struct stocks *stocks, uint32_t period_ms);

/**
 * stocks_held() - count the keys held by all stocks, usable or not
 * @stocks: the stocks of the link
 *
 * Return: keys.
 */
uint64_t stocks_held(const struct stocks *stocks);

/**
 * stocks_kme_held() - count the keys held of one KME
 * @stocks: the stocks of the link
 * @node: which, below stocks_n_kmes()
 *
 * Return: keys.
 */
uint64_t stocks_kme_held(const struct stocks *stocks, unsigned int node);

/**
 * stocks_expired() - count the keys that were wiped for their age
 * @stocks: the stocks of the link
 *
 * Return: keys, since stocks_new().
 */
uint64_t stocks_expired(const struct stocks *stocks);

/**
 * stocks_period() - the planned lifetime of each key of the link
 * @stocks: the stocks of the link
 * @staged: QKD keys that are staged
 * @now: time in ms
 *
 * Return: ms: the stock that is mixed and has the fewest keys decides.
 */
uint32_t stocks_period(const struct stocks *stocks, uint64_t staged, uint64_t now);

/**
 * stocks_take() - take keys for an offer
 * @stocks: the stocks of the link; nothing is taken yet
 * @n: for how many epochs they are wanted
 * @now: time in ms
 * @taken: filled in; valid until stocks_spend()
 *
 * A stock that is to be probed gives one key, and the others one to go with it; but not again before
 * some offers were agreed on without it, because all of these keys are lost if the peer refuses it.
 */
void stocks_take(struct stocks *stocks, uint32_t n, uint64_t now, struct stocks_taken *taken);

/**
 * stocks_spend() - wipe what was taken
 * @stocks: the stocks of the link
 */
void stocks_spend(struct stocks *stocks);

/**
 * stocks_refused() - note that the peer could not fetch what was offered, as stock_refused()
 * @stocks: the stocks of the link
 * @reason: SESSION_REASON_KME, _TIMEOUT or _KEY_ID
 * @place: of the KME that is the reason; if the peer named none of the offer, all may be
 * @now: time in ms
 *
 * Return: keys wiped, because the peer's KME has forgotten their batch.
 */
uint32_t stocks_refused(struct stocks *stocks, enum session_reason reason, uint8_t place,
			uint64_t now);

/**
 * stocks_agreed() - note that the peer fetched what was offered, as stock_agreed()
 * @stocks: the stocks of the link
 * @now: time in ms
 *
 * Return: keys wiped, which neither end will use.
 */
uint32_t stocks_agreed(struct stocks *stocks, uint64_t now);

/**
 * stocks_n_kmes() - count the KMEs of the link
 * @stocks: the stocks of the link
 *
 * Return: KMEs.
 */
unsigned int stocks_n_kmes(const struct stocks *stocks);

/**
 * stocks_kme_id() - name a KME as STATE does
 * @stocks: the stocks of the link
 * @node: which, below stocks_n_kmes()
 *
 * Return: its ID, or the name that it has here; valid as long as the stocks.
 */
struct bytes stocks_kme_id(const struct stocks *stocks, unsigned int node);

/**
 * stocks_serving() - which KMEs are up
 * @stocks: the stocks of the link
 *
 * Return: one bit for each KME, bit 0 for the first.
 */
uint8_t stocks_serving(const struct stocks *stocks);

/**
 * stocks_peer_serves() - note which of the peer's KMEs are up
 * @stocks: the stocks of the link
 * @kmes: the peer's stocks_serving()
 * @now: time in ms
 */
void stocks_peer_serves(struct stocks *stocks, uint8_t kmes, uint64_t now);

/**
 * stocks_fetch() - fetch the keys that the peer named, from all KMEs at the same time
 * @stocks: the stocks of the link
 * @offer: the peer's offer, with its epochs and KMEs
 * @ids: the KME key IDs, as in struct stocks_taken
 * @place: set to the place of the KME that is the reason, if it fails
 *
 * Return: %SESSION_REASON_NONE, and the answer comes by @fetched; or why not.
 */
enum session_reason stocks_fetch(struct stocks *stocks, const struct session_offer *offer,
				 const struct bytes *ids, uint8_t *place);

/**
 * stocks_cancel_fetch() - give up the keys that the peer named, because its offer is over
 * @stocks: the stocks of the link; nothing is reported
 */
void stocks_cancel_fetch(struct stocks *stocks);

/**
 * stocks_late() - which KME has not answered yet about the keys that the peer named
 * @stocks: the stocks of the link
 *
 * Return: place of the first that has not, 0 if nothing is fetched.
 */
uint8_t stocks_late(const struct stocks *stocks);

/**
 * stocks_is_one_batch() - whether a KME is asked for one batch at a time
 * @stocks: the stocks of the link
 * @node: which, below stocks_n_kmes()
 *
 * Return: true if the peer's KME forgets keys, as source_is_one_batch().
 */
bool stocks_is_one_batch(const struct stocks *stocks, unsigned int node);

/**
 * stocks_server() - state and counters of a KME
 * @stocks: the stocks of the link
 * @node: which
 *
 * Return: health and counters, or %NULL if there is no such KME.
 */
const struct kme_server *stocks_server(const struct stocks *stocks, unsigned int node);

#endif
