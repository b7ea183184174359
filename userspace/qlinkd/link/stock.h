/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The QKD keys of one link: what its KMEs deliver, until offers use it. */
#ifndef QLINKD_STOCK_H
#define QLINKD_STOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "qlinkd/agreement/agreement.h"
#include "qlinkd/config/config.h"
#include "qlinkd/kme/client.h"
#include "qlinkd/kme/pacing.h"
#include "qlinkd/kme/store.h"

/* The KME ID of an offer: place in the list, a slash, and what it is called here. */
#define STOCK_KME_ID_BYTES	MSG_NAME_BYTES_MAX

struct stock;

/**
 * struct stock_ops - what a stock tells its link
 */
struct stock_ops {
	/** @changed: keys came, or a KME came up or went down */
	void (*changed)(void *arg);

	/**
	 * @fetched: the keys that the peer named are here, one for each ID, in their
	 * order; or they are not, and @reason says why. @secrets are wiped when it
	 * returns.
	 */
	void (*fetched)(void *arg, enum session_reason reason, const struct bytes *secrets);

	/** @health: a KME came up or went down, @why is empty for up */
	void (*health)(void *arg, unsigned int node, bool is_up, const struct qlink_why *why);

	/** @trouble: an answer was not as it should be, or burned keys */
	void (*trouble)(void *arg, const struct kme_answer *answer);
};

/**
 * struct stock_taken - keys taken for an offer
 */
struct stock_taken {
	/** @kme_id: as the offer names the KME */
	struct bytes kme_id;

	/** @ids: their KME key IDs */
	struct bytes ids[SESSION_OFFER_MAX];

	/** @secrets: their bytes */
	struct bytes secrets[SESSION_OFFER_MAX];

	/** @n: how many, 0 if there are none */
	uint32_t n;
};

/**
 * stock_new() - begin to ask the KMEs of a link
 * @stock: where it goes; the caller frees it with stock_free()
 * @config: all of it; outlives the stock
 * @link: the link; one without KMEs has an empty stock
 * @ops: what it tells
 * @arg: for @ops
 * @now: time in ms
 * @why: filled in on failure
 *
 * Return: 0, or a negative errno.
 */
int stock_new(struct stock **stock, const struct config *config,
	       const struct config_link *link, const struct stock_ops *ops, void *arg,
	       uint64_t now, struct qlink_why *why);

/**
 * stock_free() - wipe all keys
 * @stock: from stock_new(), or %NULL
 */
void stock_free(struct stock *stock);

/**
 * stock_fd() - what the loop watches
 * @stock: the stock
 *
 * Return: a descriptor, readable when stock_run() has work; -1 without KMEs.
 */
int stock_fd(const struct stock *stock);

/**
 * stock_run() - do what there is to do, without waiting
 * @stock: the stock
 * @now: time in ms
 */
void stock_run(struct stock *stock, uint64_t now);

/**
 * stock_hold() - leave it at some keys for now
 * @stock: the stock
 * @until: time in ms; 0 for no longer
 *
 * To fill a store keeps both ends' KMEs, the connections to them and the agent busy. A link that cannot
 * send yet needs them for its first keys.
 */
void stock_hold(struct stock *stock, uint64_t until);

/**
 * stock_deadline() - say when stock_run() has work without input
 * @stock: the stock
 *
 * Return: time in ms, UINT64_MAX for never.
 */
uint64_t stock_deadline(const struct stock *stock);

/**
 * stock_is_decided() - whether it is known if there are keys
 * @stock: the stock
 * @now: time in ms
 *
 * At the beginning a link waits a moment for its KMEs, rather than fall back before
 * they could answer.
 *
 * Return: whether.
 */
bool stock_is_decided(const struct stock *stock, uint64_t now);

/**
 * stock_usable() - count the keys that an offer can use now
 * @stock: the stock
 * @now: time in ms
 *
 * Keys of a KME whose counterpart at the peer does not answer do not count until
 * it is tried again.
 *
 * Return: keys.
 */
uint64_t stock_usable(const struct stock *stock, uint64_t now);

/**
 * stock_enough() - count the keys that are worth a return from post-quantum keys alone
 * @stock: the stock
 * @period_ms: time from one rekey to the next, above 0
 *
 * Return: keys for 10 s, but not more than there always are after some time.
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
 * stock_period() - say how long each key is to be used
 * @stock: the stock
 * @staged: keys of it that were agreed on and are not used yet
 * @now: time in ms
 *
 * Return: ms; see pacing_period(), of what is staged or can be offered now.
 */
uint32_t stock_period(const struct stock *stock, uint64_t staged, uint64_t now);

/**
 * stock_take() - take keys for an offer
 * @stock: the stock; nothing is taken yet
 * @n: how many are wanted
 * @now: time in ms
 * @taken: filled in; lives until stock_spend()
 *
 * All are of one KME, the first in order that has any.
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
 * @stock: the stock; the KME of the last offer is left alone for a while
 * @reason: SESSION_REASON_KME or SESSION_REASON_KEY_ID; where the peer's KME does not
 *	have a key, the newest is tried next
 * @now: time in ms
 */
void stock_refused(struct stock *stock, enum session_reason reason, uint64_t now);

/**
 * stock_agreed() - note that the peer could
 * @stock: the stock; if the peer's KME knew the newest key but not an older one,
 *	the older half is wiped
 *
 * Return: keys that were wiped, which nobody will have.
 */
uint32_t stock_agreed(struct stock *stock);

/**
 * stock_serving() - which KMEs answer
 * @stock: the stock
 *
 * Return: a bit each, bit 0 for that at place 1.
 */
uint8_t stock_serving(const struct stock *stock);

/**
 * stock_peer_serves() - note which of the peer's KMEs answer
 * @stock: the stock; keys of a KME whose counterpart is back are usable at once
 * @kmes: as the peer has it of stock_serving()
 * @is_renewed: the peer will say so again although no key of its KMEs is offered:
 *	then what it refused is not offered until it says that the KME is back
 * @now: time in ms
 */
void stock_peer_serves(struct stock *stock, uint8_t kmes, bool is_renewed, uint64_t now);

/**
 * stock_fetch() - fetch the keys that the peer named
 * @stock: the stock
 * @kme_id: as the peer's offer has it
 * @ids: the KME key IDs
 * @n: how many, 1 to SESSION_OFFER_MAX
 *
 * Return: %SESSION_REASON_NONE, and the answer comes by @fetched; or why not.
 */
enum session_reason stock_fetch(struct stock *stock, const struct bytes *kme_id,
			       const struct bytes *ids, unsigned int n);

/**
 * stock_server() - what is known of a KME
 * @stock: the stock
 * @node: which
 *
 * Return: health and counters, or %NULL where there are not so many.
 */
const struct kme_server *stock_server(const struct stock *stock, unsigned int node);

#endif
