/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys that a KME delivered and no offer has used yet. */
#ifndef QLINKD_STORE_H
#define QLINKD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/secret.h"
#include "common/why.h"
#include "qlinkd/base/bytes.h"

#define STORE_ID_BYTES_MAX	64
#define STORE_KEY_BYTES_MIN	32
#define STORE_KEY_BYTES_MAX	1024
#define STORE_CAPACITY_MAX	1000000

/**
 * struct store_config - what bounds a store
 */
struct store_config {
	/** @capacity: keys that it has room for, 1 to STORE_CAPACITY_MAX */
	uint32_t capacity;

	/** @outage_cover: keys to hold where the KME has few, to outlive it */
	uint32_t outage_cover;

	/** @key_bytes: of the longest key that it takes */
	uint32_t key_bytes;

	/** @max_age_ms: a key is wiped when it is as old; 0 for never */
	uint64_t max_age_ms;
};

/* What lies beside the bytes of a key. */
struct store_slot;

/**
 * struct store - keys of one KME for one link and direction, oldest first
 *
 * Key bytes lie in locked memory that no dump has, and are wiped as soon as
 * they leave; the rest lies in ordinary memory. Invariants: every ID is there
 * once; bytes of empty slots are zero; @n_taken keys are in use by the caller,
 * the oldest ones, or the newest.
 */
struct store {
	/** @config: as given */
	struct store_config config;

	/** @memory: @config.capacity times @config.key_bytes */
	struct qlink_secret memory;

	/** @slots: @config.capacity of them */
	struct store_slot *slots;

	/** @heads: for each hash, one more than the first slot; 0 for none */
	uint32_t *heads;

	/** @n_heads: how many, a power of two */
	uint32_t n_heads;

	/** @seed: of the hash, random */
	uint64_t seed;

	/** @first: slot of the oldest key */
	uint32_t first;

	/** @n: keys held, taken ones included */
	uint32_t n;

	/** @n_taken: which the caller uses */
	uint32_t n_taken;

	/** @taken_from: the first of them, counted from the oldest key */
	uint32_t taken_from;

	/** @is_rich: the KME has more keys than we could hold */
	bool is_rich;

	/** @is_filling: below the lower mark and not yet at the upper one */
	bool is_filling;

	/** @n_expired: keys wiped for their age, ever */
	uint64_t n_expired;
};

/**
 * store_new() - make an empty store
 * @store: filled in; the caller frees it with store_free()
 * @config: copied
 *
 * Return:
 * * %0		- made
 * * %-EINVAL	- a capacity or a length of keys out of range
 * * %-ENOMEM	- no memory, or more than RLIMIT_MEMLOCK allows to lock
 * * %-EPERM	- locking memory is not allowed at all
 */
int store_new(struct store *store, const struct store_config *config);

/**
 * store_free() - wipe all keys and give the memory back
 * @store: from store_new(), or all zero
 */
void store_free(struct store *store);

/**
 * store_put() - keep a key that the KME delivered
 * @store: the store
 * @id: its KME key ID, 1 to STORE_ID_BYTES_MAX bytes
 * @key: its bytes, copied; the caller wipes its own
 * @now: time in ms
 * @why: filled in on failure; has no key bytes
 *
 * Return:
 * * %0		- kept
 * * %-ENOSPC	- full
 * * %-EBUSY	- the newest key is taken
 * * %-EEXIST	- the ID is there already
 * * %-EINVAL	- a length out of range
 */
int store_put(struct store *store, const struct bytes *id,
	      const struct bytes *key, uint64_t now, struct qlink_why *why);

/**
 * store_stock() - say how many keys can be taken
 * @store: the store
 *
 * Return: keys held that are not taken.
 */
uint32_t store_stock(const struct store *store);

/**
 * store_expire() - wipe keys that are too old
 * @store: the store; nothing happens while keys are taken
 * @now: time in ms
 *
 * Return: how many.
 */
uint32_t store_expire(struct store *store, uint64_t now);

/**
 * store_low_mark() - say down to what a store sinks before it is filled up
 * @high: to what it is filled up, in keys
 *
 * Return: keys; with so many it is filled up.
 */
uint32_t store_low_mark(uint32_t high);

/**
 * store_wanted() - say how many keys to ask the KME for
 * @store: the store
 *
 * To capacity where the KME is rich, to the outage cover where it is not,
 * because the KME is the better store. Once there it waits until a quarter is
 * gone, so that a KME is not asked for one key at a time.
 *
 * Return: how many; 0 for none now.
 */
uint32_t store_wanted(struct store *store);

/**
 * store_take() - take the oldest keys for an offer
 * @store: the store; nothing is taken yet
 * @n: how many are wanted
 * @now: time in ms; keys too old by then are wiped first
 *
 * Return: how many were taken, at most @n. They are to be wiped by
 * store_spend(), whatever came of the offer: an ID is used once.
 */
uint32_t store_take(struct store *store, uint32_t n, uint64_t now);

/**
 * store_take_newest() - take the newest key for an offer
 * @store: the store; nothing is taken yet
 * @now: time in ms; keys too old by then are wiped first
 *
 * Return: 1, or 0 where there is none; as store_take().
 */
uint32_t store_take_newest(struct store *store, uint64_t now);

/**
 * store_drop() - wipe the oldest keys, unused
 * @store: the store; nothing happens while keys are taken
 * @n: how many
 *
 * Return: how many there were, at most @n.
 */
uint32_t store_drop(struct store *store, uint32_t n);

/**
 * store_taken_id() - say the ID of a key that was taken
 * @store: the store
 * @i: below what store_take() returned
 *
 * Return: the ID, which lives until store_spend().
 */
struct bytes store_taken_id(const struct store *store, uint32_t i);

/**
 * store_taken_key() - say where the bytes of a key that was taken are
 * @store: the store
 * @i: below what store_take() returned
 *
 * Return: the key, which lives until store_spend().
 */
struct bytes store_taken_key(const struct store *store, uint32_t i);

/**
 * store_spend() - wipe the keys that were taken
 * @store: the store
 */
void store_spend(struct store *store);

#endif
