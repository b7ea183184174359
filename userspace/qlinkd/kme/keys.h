/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Judges the keys of one answer by the rules that hold in any dialect; no I/O. */
#ifndef QLINKD_KME_KEYS_H
#define QLINKD_KME_KEYS_H

#include "dialect.h"

/**
 * struct kme_keys - the keys of one answer while they are judged
 *
 * A dialect calls kme_keys_begin() first and kme_keys_end() last. In between, for each key of the
 * answer in order, it calls kme_keys_next(), then either kme_keys_fault() or kme_keys_set_id() and
 * kme_keys_take(), as far as these succeed.
 */
struct kme_keys {
	/** @ask: what was requested */
	const struct kme_ask *ask;

	/** @room: for @ask->n keys, in locked memory */
	struct kme_key *room;

	/** @n: keys in @room that were good so far */
	size_t n;

	/** @tally: of the answer so far */
	struct kme_tally *tally;

	/** @why: the first thing that was wrong */
	struct qlink_why *why;
};

/**
 * kme_keys_begin() - start to judge an answer
 * @keys: filled in
 * @ask: what was requested
 * @room: for @ask->n keys, in locked memory
 * @tally: cleared here; complete after kme_keys_end()
 * @why: emptied here; gets the first thing that was wrong
 */
void kme_keys_begin(struct kme_keys *keys, const struct kme_ask *ask, struct kme_key *room,
		    struct kme_tally *tally, struct qlink_why *why);

/**
 * kme_keys_next() - count the next key of the answer
 * @keys: the answer
 *
 * A key beyond the number requested is not examined: it may repeat an earlier one, but it is not
 * used either way.
 *
 * Return: where the dialect puts the key's bytes, or %NULL for a key to skip.
 */
struct kme_key *kme_keys_next(struct kme_keys *keys);

/**
 * kme_keys_fault() - count the current key as bad
 * @keys: the answer
 * @fault: what is wrong
 * @format: the rule that the key broke, without any part of the answer
 */
__attribute__((format(printf, 3, 4)))
void kme_keys_fault(struct kme_keys *keys, enum kme_fault fault, const char *format, ...);

/**
 * kme_keys_set_id() - give the current key its ID
 * @keys: the answer
 * @id: as the KME sent it
 * @len: its length
 *
 * Return: true, or false with the fault counted.
 */
bool kme_keys_set_id(struct kme_keys *keys, const char *id, size_t len);

/**
 * kme_keys_take() - accept the current key, which has its ID and its bytes
 * @keys: the answer
 * @len: bytes of the key, also those beyond its room
 *
 * Counts a fault instead if the length or the ID is not what was requested.
 */
void kme_keys_take(struct kme_keys *keys, size_t len);

/**
 * kme_keys_end() - drop keys that repeat, and wipe unused room
 * @keys: the answer
 * @err: 0, or a negative errno for an answer that could not be read
 *
 * Return: keys taken, or @err.
 */
int kme_keys_end(struct kme_keys *keys, int err);

#endif
