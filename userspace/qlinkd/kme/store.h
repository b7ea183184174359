/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keys that a KME delivered and no offer has used yet. */
#ifndef QLINKD_KME_STORE_H
#define QLINKD_KME_STORE_H

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
 * struct store_config - limits of a store
 */
struct store_config {
	/** @capacity: most keys, 1 to STORE_CAPACITY_MAX */
	uint32_t capacity;

	/** @outage_cover: keys to hold where the KME has few, for an outage of the KME */
	uint32_t outage_cover;

	/** @key_bytes: length of the longest key */
	uint32_t key_bytes;

	/** @max_age_ms: age at which a key is wiped; 0 for never */
	uint64_t max_age_ms;
};

/* Everything about a key but its bytes. */
struct store_slot;

/**
 * struct store - keys of one KME for one link and direction, oldest first
 *
 * Key bytes are in locked memory that is left out of dumps, and are wiped as soon as the key is
 * spent or dropped; everything else is in ordinary memory. Invariants: no ID is held twice; the
 * bytes of empty slots are zero; @n_taken keys are in use by the caller, the oldest ones or the
 * newest one.
 */
struct store {
	/** @config: as given */
	struct store_config config;

	/** @memory: locked, @config.capacity times @config.key_bytes */
	struct qlink_secret memory;

	/** @slots: @config.capacity of them */
	struct store_slot *slots;

	/** @heads: for each hash, the index of its first slot plus 1; 0 for none */
	uint32_t *heads;

	/** @n_heads: length of @heads, a power of two */
	uint32_t n_heads;

	/** @seed: of the hash, random */
	uint64_t seed;

	/** @first: slot of the oldest key */
	uint32_t first;

	/** @n: keys held, taken ones included */
	uint32_t n;

	/** @n_taken: keys that the caller uses */
	uint32_t n_taken;

	/** @taken_from: index of the first of them; the oldest key has 0 */
	uint32_t taken_from;

	/** @is_rich: the KME has more keys than the store can hold */
	bool is_rich;

	/** @is_filling: the stock fell to the low mark and has not reached the high one since */
	bool is_filling;

	/** @n_expired: keys ever wiped for their age */
	uint64_t n_expired;
};

/**
 * store_new() - make an empty store
 * @store: filled in; the caller frees it with store_free()
 * @config: copied
 *
 * Return:
 * * %0		- made
 * * %-EINVAL	- the capacity or the key length is out of range
 * * %-ENOMEM	- no memory, or more locked memory than RLIMIT_MEMLOCK allows
 * * %-EPERM	- locked memory is not allowed at all
 */
int store_new(struct store *store, const struct store_config *config);

/**
 * store_free() - wipe all keys and free the memory
 * @store: from store_new(), or all zero
 */
void store_free(struct store *store);

/**
 * store_put() - keep a key that the KME delivered
 * @store: the store
 * @id: its KME key ID, 1 to STORE_ID_BYTES_MAX bytes
 * @key: its bytes, which are copied; the caller wipes the original
 * @now: time in ms
 * @why: filled in on failure; has no key bytes
 *
 * Return:
 * * %0		- kept
 * * %-ENOSPC	- full
 * * %-EBUSY	- the newest key is taken
 * * %-EEXIST	- the store holds this ID already
 * * %-EINVAL	- a length is out of range
 */
int store_put(struct store *store, const struct bytes *id,
	      const struct bytes *key, uint64_t now, struct qlink_why *why);

/**
 * store_stock() - say how many keys can be taken
 * @store: the store
 *
 * Return: keys that are held and not taken.
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
 * store_low_mark() - say at which stock a store is to be refilled
 * @high: the stock after a refill, in keys
 *
 * Return: keys; a store with this many or fewer is refilled.
 */
uint32_t store_low_mark(uint32_t high);

/**
 * store_wanted() - say how many keys to request from the KME
 * @store: the store
 *
 * The store is filled to its capacity where the KME is rich. Elsewhere it is filled to the outage
 * cover only, because keys are better kept at the KME. A full store is not refilled until a
 * quarter is gone, so that requests are not for one key each.
 *
 * Return: how many; 0 for none now.
 */
uint32_t store_wanted(struct store *store);

/**
 * store_take() - take the oldest keys for an offer
 * @store: the store; nothing is taken yet
 * @n: how many to take
 * @now: time in ms; keys too old by then are wiped first
 *
 * Return: how many were taken, at most @n. The caller must wipe them with store_spend(), also if
 * the offer fails: an ID is used once.
 */
uint32_t store_take(struct store *store, uint32_t n, uint64_t now);

/**
 * store_take_newest() - take the newest key for an offer
 * @store: the store; nothing is taken yet
 * @now: time in ms; keys too old by then are wiped first
 *
 * Return: 1, or 0 if there is none. The caller must wipe it as after store_take().
 */
uint32_t store_take_newest(struct store *store, uint64_t now);

/**
 * store_drop() - wipe the oldest keys, unused
 * @store: the store; nothing happens while keys are taken
 * @n: how many
 *
 * Return: how many were wiped, at most @n.
 */
uint32_t store_drop(struct store *store, uint32_t n);

/**
 * store_taken_id() - look up the ID of a key that was taken
 * @store: the store
 * @i: below what store_take() returned
 *
 * Return: the ID, valid until store_spend().
 */
struct bytes store_taken_id(const struct store *store, uint32_t i);

/**
 * store_taken_key() - look up the bytes of a key that was taken
 * @store: the store
 * @i: below what store_take() returned
 *
 * Return: the bytes, valid until store_spend().
 */
struct bytes store_taken_key(const struct store *store, uint32_t i);

/**
 * store_spend() - wipe the keys that were taken
 * @store: the store
 */
void store_spend(struct store *store);

#endif
