/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The quantum channel between the two KMEs: links, stocks, and keys on their way. */
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
/* A key is for one slave and at most so many more. */
#define CHANNEL_SLAVES_MAX	9
/* Keys that nobody fetched; the oldest go first. */
#define CHANNEL_KEYS_MAX	20000

/**
 * struct sae - an application that may fetch keys
 */
struct sae {
	/** @next: the next of the channel */
	LIST_ENTRY(sae) next;

	/** @id: its SAE ID */
	char id[CHANNEL_SAE_MAX + 1];

	/** @serial: of its certificate, in hexadecimal; empty: its CN is @id */
	char serial[65];

	/** @side: the KME that it talks to, 0 or 1 */
	int side;
};

/**
 * struct sae_link - what two SAEs share: one stock, for both directions
 */
struct sae_link {
	/** @next: the next of the channel */
	STAILQ_ENTRY(sae_link) next;

	/** @sae: one of each side */
	struct sae *sae[CHANNEL_SIDES];

	/** @supply: how keys arrive */
	struct supply supply;

	/** @started_ms: when the supply started */
	uint64_t started_ms;

	/** @counted: keys of the supply that were looked at */
	uint64_t counted;

	/** @stored: keys in stock, the same at both KMEs */
	uint64_t stored;
};

/**
 * struct sim_key - a key that a master was given, and a slave was not yet
 */
struct sim_key {
	/** @by_age: all keys, oldest first */
	TAILQ_ENTRY(sim_key) by_age;

	/** @by_id: those whose IDs share a bucket */
	LIST_ENTRY(sim_key) by_id;

	/** @id: its key ID */
	char id[CHANNEL_ID_MAX + 1];

	/** @bytes: from slab_get() */
	uint8_t *bytes;

	/** @bits: how many count */
	unsigned int bits;

	/** @master: who was given it */
	const struct sae *master;

	/** @slaves: who may fetch it, once each */
	const struct sae *slaves[CHANNEL_SLAVES_MAX];

	/** @n_slaves: how many */
	unsigned int n_slaves;

	/** @fetched: bit n: slave n has */
	unsigned int fetched;
};

#define CHANNEL_BUCKETS	4096

/**
 * struct channel - everything that both KMEs know
 */
struct channel {
	/** @saes: all of both sides */
	LIST_HEAD(, sae) saes;

	/** @links: in the order of the configuration */
	STAILQ_HEAD(, sae_link) links;

	/** @keys: on their way, oldest first */
	TAILQ_HEAD(, sim_key) keys;

	/** @buckets: the same by ID */
	LIST_HEAD(, sim_key) buckets[CHANNEL_BUCKETS];

	/** @n_keys: how many are on their way */
	size_t n_keys;

	/** @n_expired: how many had to make room */
	uint64_t n_expired;

	/** @is_up: whether each KME runs; no key is made unless both do */
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
 * @side: where it must be; -1 only finds
 * @why: filled in on failure; may be %NULL if @side is -1
 *
 * Return: the SAE, or %NULL: unknown, of the other side, or ID too long.
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
 * Return: the link, with no supply, or %NULL.
 */
struct sae_link *channel_add_link(struct channel *channel, const char *a,
				  const char *b, struct qlink_why *why);

/**
 * channel_link() - find the link of two SAEs
 * @channel: the channel
 * @one: an SAE of either side, or %NULL
 * @other: an SAE of the other, or %NULL
 *
 * Return: the link, or %NULL.
 */
struct sae_link *channel_link(struct channel *channel, const struct sae *one,
			      const struct sae *other);

/**
 * channel_supply() - give a link another supply, from now on
 * @link: the link; takes @supply over
 * @supply: the profile
 * @now_ms: what its times count from
 */
void channel_supply(struct sae_link *link, struct supply *supply,
		    uint64_t now_ms);

/**
 * channel_count() - take in what the supply made since the last call
 * @channel: the channel
 * @link: the link
 * @now_ms: the time
 * @max: room for keys; what is beyond is lost
 */
void channel_count(struct channel *channel, struct sae_link *link,
		   uint64_t now_ms, uint64_t max);

/**
 * channel_new_key() - make a key of random bits
 * @bits: its size, a multiple of 8
 * @is_opaque: give it an ID that is no UUID
 *
 * It is in no list until channel_keep_key(). Takes nothing from a stock.
 *
 * Return: the key, or %NULL when there is no locked memory.
 */
struct sim_key *channel_new_key(unsigned int bits, bool is_opaque);

/**
 * channel_keep_key() - let slaves fetch a key
 * @channel: takes @key over
 * @key: from channel_new_key(), with master and slaves
 */
void channel_keep_key(struct channel *channel, struct sim_key *key);

/**
 * channel_find_key() - find a key that is on its way
 * @channel: the channel
 * @id: its key ID
 *
 * Return: the key, or %NULL.
 */
struct sim_key *channel_find_key(struct channel *channel, const char *id);

/**
 * channel_drop_key() - wipe a key and forget it
 * @channel: the channel, or %NULL for a key that was not kept
 * @key: the key
 */
void channel_drop_key(struct channel *channel, struct sim_key *key);

/**
 * channel_drop_batch() - drop what a master got and nobody has fetched
 * @channel: the channel
 * @master: who got it
 */
void channel_drop_batch(struct channel *channel, const struct sae *master);

#endif
