/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The quantum channel between the two KMEs: links, stocks, and keys that wait to be fetched. */
#ifndef KMESIM_CHANNEL_H
#define KMESIM_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "supply.h"

#define CHANNEL_SIDES		2
#define CHANNEL_SAE_MAX		128
#define CHANNEL_ID_MAX		64
/* Bytes of a pre-shared key of TLS, at most. */
#define CHANNEL_PSK_MAX		64
/* The most slaves of a key: one and eight additional ones. */
#define CHANNEL_SLAVES_MAX	9
/* The most keys that wait to be fetched; when there are more, the oldest are dropped. */
#define CHANNEL_KEYS_MAX	20000

/**
 * struct sae - an application that may fetch keys
 */
struct sae {
	/** @next: the next SAE of the channel */
	LIST_ENTRY(sae) next;

	/** @id: its SAE ID */
	char id[CHANNEL_SAE_MAX + 1];

	/** @serial: serial number of its certificate, in hexadecimal; if empty, the CN is @id */
	char serial[65];

	/** @side: the KME that it uses, 0 or 1 */
	int side;

	/** @psk_id: name of its pre-shared key, see psk.h */
	char psk_id[CHANNEL_SAE_MAX + 1];

	/** @psk: that key */
	uint8_t psk[CHANNEL_PSK_MAX];

	/** @psk_len: its bytes, 0 if there is none */
	size_t psk_len;
};

/**
 * struct sae_link - two SAEs and the stock of keys that they share, for both directions
 */
struct sae_link {
	/** @next: the next link of the channel */
	STAILQ_ENTRY(sae_link) next;

	/** @sae: the SAE of each side */
	struct sae *sae[CHANNEL_SIDES];

	/** @supply: how keys arrive */
	struct supply supply;

	/** @started_ms: when the supply started */
	uint64_t started_ms;

	/** @counted: keys of the supply that @stored accounts for */
	uint64_t counted;

	/** @stored: keys in stock, the same at both KMEs */
	uint64_t stored;
};

/**
 * struct sim_key - a key that the master has and that a slave has not fetched yet
 */
struct sim_key {
	/** @by_age: all keys, oldest first */
	TAILQ_ENTRY(sim_key) by_age;

	/** @by_id: keys whose IDs are in the same bucket */
	LIST_ENTRY(sim_key) by_id;

	/** @id: its key ID */
	char id[CHANNEL_ID_MAX + 1];

	/** @bytes: from slab_get() */
	uint8_t *bytes;

	/** @batch: number of the answer that it was in, of all enc_keys */
	uint64_t batch;

	/** @made_ms: when that was */
	uint64_t made_ms;

	/** @bits: size of the key */
	unsigned int bits;

	/** @master: the SAE that requested the key */
	const struct sae *master;

	/** @slaves: the SAEs that may fetch it, once each */
	const struct sae *slaves[CHANNEL_SLAVES_MAX];

	/** @n_slaves: number of @slaves */
	unsigned int n_slaves;

	/** @fetched: bit n is set if slave n has fetched it */
	unsigned int fetched;
};

#define CHANNEL_BUCKETS	4096

/**
 * struct channel - the state that both KMEs share
 */
struct channel {
	/** @saes: the SAEs of both sides */
	LIST_HEAD(, sae) saes;

	/** @links: in the order of the configuration */
	STAILQ_HEAD(, sae_link) links;

	/** @keys: keys that wait to be fetched, oldest first */
	TAILQ_HEAD(sim_keys, sim_key) keys;

	/** @buckets: the same keys by ID */
	LIST_HEAD(, sim_key) buckets[CHANNEL_BUCKETS];

	/** @n_keys: number of keys that wait to be fetched */
	size_t n_keys;

	/** @n_batches: answers to enc_keys so far */
	uint64_t n_batches;

	/** @n_expired: number of keys that were dropped because there were too many */
	uint64_t n_expired;

	/** @n_held: answers of each KME that are under way */
	unsigned int n_held[CHANNEL_SIDES];

	/** @is_up: whether each KME runs; keys are made only while both run */
	bool is_up[CHANNEL_SIDES];
};

/**
 * channel_init() - make a channel without SAEs
 * @channel: filled in
 */
void channel_init(struct channel *channel);

/**
 * channel_exit() - wipe and free everything
 * @channel: from channel_init()
 */
void channel_exit(struct channel *channel);

/**
 * channel_sae() - find an SAE, or make it
 * @channel: the channel
 * @id: its SAE ID
 * @side: the side that it must have; with -1, no SAE is made
 * @why: filled in on failure; may be %NULL if @side is -1
 *
 * Return: the SAE, or %NULL if it is unknown, belongs to the other side, or has a bad ID.
 */
struct sae *channel_sae(struct channel *channel, const char *id, int side,
			struct qlink_why *why);

/**
 * channel_add_link() - connect two SAEs
 * @channel: the channel
 * @a: an SAE of side 0
 * @b: an SAE of side 1
 * @why: filled in on failure
 *
 * Return: the link, without a supply, or %NULL.
 */
struct sae_link *channel_add_link(struct channel *channel, const char *a,
				  const char *b, struct qlink_why *why);

/**
 * channel_link() - find the link of two SAEs
 * @channel: the channel
 * @one: an SAE of either side, or %NULL
 * @other: an SAE of the other side, or %NULL
 *
 * Return: the link, or %NULL.
 */
struct sae_link *channel_link(struct channel *channel, const struct sae *one,
			      const struct sae *other);

/**
 * channel_supply() - give a link another supply, from now on
 * @link: the link
 * @supply: the profile, which the link owns afterwards
 * @now_ms: the time that its times are counted from
 */
void channel_supply(struct sae_link *link, struct supply *supply,
		    uint64_t now_ms);

/**
 * channel_count() - add the keys that the supply made since the last call
 * @channel: the channel
 * @link: the link
 * @now_ms: the time
 * @max: the largest stock; keys above it are lost
 */
void channel_count(struct channel *channel, struct sae_link *link,
		   uint64_t now_ms, uint64_t max);

/**
 * channel_new_key() - make a key of random bits
 * @bits: its size, a multiple of 8
 * @is_opaque: give it an ID that is not a UUID
 *
 * The key is in no list until channel_keep_key(). No stock changes.
 *
 * Return: the key, or %NULL when there is no locked memory.
 */
struct sim_key *channel_new_key(unsigned int bits, bool is_opaque);

/**
 * channel_keep_key() - let slaves fetch a key
 * @channel: the channel, which owns @key afterwards
 * @key: from channel_new_key(), with master and slaves
 */
void channel_keep_key(struct channel *channel, struct sim_key *key);

/**
 * channel_find_key() - find a key that waits to be fetched
 * @channel: the channel
 * @id: its key ID
 *
 * Return: the key, or %NULL.
 */
struct sim_key *channel_find_key(struct channel *channel, const char *id);

/**
 * channel_drop_key() - wipe and free a key
 * @channel: the channel, or %NULL for a key that was not kept
 * @key: the key
 */
void channel_drop_key(struct channel *channel, struct sim_key *key);

/**
 * channel_drop_batches() - drop keys that a master got and nobody has fetched
 * @channel: the channel
 * @master: the SAE that got them
 * @keep: how many of its newest batches stay
 */
void channel_drop_batches(struct channel *channel, const struct sae *master, unsigned int keep);

/**
 * channel_drop_old() - drop keys that nobody has fetched in time
 * @channel: the channel
 * @now_ms: the time
 * @keep_ms: how long a key is kept
 */
void channel_drop_old(struct channel *channel, uint64_t now_ms, uint64_t keep_ms);

#endif
