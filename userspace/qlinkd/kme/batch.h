/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests that several clients send as one: for keys, and for a status. */
#ifndef QLINKD_KME_BATCH_H
#define QLINKD_KME_BATCH_H

#include "connections.h"

/**
 * struct kme_part - what one client wants of a request; all zero when there is none
 *
 * Many links between the same two sites want keys of the same pair of SAEs at the same time. As long as a
 * request waits for its turn, others of the same kind join it, so that a KME gets few requests
 * for many keys and not many for few. A status is the same for all who ask, so that they also
 * join one that is under way, unless the KME has answered anybody since that began.
 */
struct kme_part {
	/** @batch: the request; %NULL when there is none */
	struct kme_batch *batch;

	/** @ask: its keys, whose IDs are the owner's; none for a status */
	struct kme_ask ask;

	/** @over: called once the request is over, as @over of struct kme_request */
	void (*over)(void *arg);

	/** @arg: for @over */
	void *arg;

	/** @next: another part, whose keys come behind; this and the rest are for batch.c */
	struct kme_part *next;

	/** @first: index of its first key among those of all parts */
	size_t first;

	/** @tally: its share of a judged answer */
	struct kme_tally tally;
};

/**
 * struct kme_batch_kind - what requests have in common that may be one
 */
struct kme_batch_kind {
	/** @sae: the other SAE */
	const char *sae;

	/** @op: what is requested */
	enum kme_op op;

	/** @method: POST or GET; GET for a status */
	enum kme_method method;

	/**
	 * @most: most keys of the whole request that the owner bears; if others want more, they get
	 * a request of their own. As many as its own for a request with nobody else's.
	 */
	size_t most;
};

/**
 * kme_part_send() - request something, with others if possible
 * @part: without a request, its @ask, @over and @arg are set; must not move until kme_part_free()
 * @connections: to the KME
 * @kind: what is requested; @sae is copied
 *
 * Return: 0, or a negative errno; then there is no request.
 */
int kme_part_send(struct kme_part *part, struct kme_connections *connections,
		  const struct kme_batch_kind *kind);

/**
 * kme_part_move() - have a request that still waits use other connections
 * @part: stays where it is unless it waits, or without memory; others stay in any case
 * @connections: the other ones
 */
void kme_part_move(struct kme_part *part, struct kme_connections *connections);

/**
 * kme_part_state() - say how far a request is
 * @part: the part
 *
 * Return: as @state of struct kme_request; %KME_REQUEST_NONE without a request.
 */
enum kme_request_state kme_part_state(const struct kme_part *part);

/**
 * kme_part_end() - take the answer
 * @part: its request is over
 * @counter: as kme_request_end()
 * @why: likewise
 *
 * Return: as kme_request_end().
 */
int kme_part_end(struct kme_part *part, enum kme_counter *counter, struct qlink_why *why);

/**
 * kme_part_transfer() - look at the transfer
 * @part: has a request
 *
 * Return: what went over the connection, for all parts; valid until kme_part_free().
 */
const struct kme_transfer *kme_part_transfer(const struct kme_part *part);

/**
 * kme_part_asked() - say how many keys the whole request is for
 * @part: has a request; once that is sent, the number never changes
 *
 * Return: those of @part and of all who share it.
 */
size_t kme_part_asked(const struct kme_part *part);

/**
 * kme_part_take() - take the keys of a complete answer
 * @part: after kme_part_end()
 * @keys: locked memory for @ask.n of them; gets those of this part, with @place in its own @ask
 * @tally: gets its share of what the answer has, so that all shares add up to the whole: a key that is
 *	bad counts for a part that lacks one
 * @why: as @judge_keys of struct kme_dialect, about the whole answer
 *
 * If fewer keys came than requested, those that joined first have theirs.
 *
 * Return: as @judge_keys, for this part.
 */
int kme_part_take(struct kme_part *part, struct kme_key *keys, struct kme_tally *tally,
		  struct qlink_why *why);

/**
 * kme_part_free() - give up a part, whose request may still wait or run
 * @part: without a request afterwards; the last part ends that
 *
 * Keys of this part that come later are wiped.
 *
 * Context: As kme_connections_put().
 */
void kme_part_free(struct kme_part *part);

#endif
