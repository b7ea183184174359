// SPDX-License-Identifier: GPL-2.0-or-later
/* The quantum channel between the two KMEs: links, stocks, and keys that wait to be fetched. */
#include "channel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "libqlink/parse.h"
#include "slab.h"

void channel_init(struct channel *channel)
{
	size_t i;

	memset(channel, 0, sizeof(*channel));
	LIST_INIT(&channel->saes);
	STAILQ_INIT(&channel->links);
	TAILQ_INIT(&channel->keys);
	for (i = 0; i < CHANNEL_BUCKETS; i++)
		LIST_INIT(&channel->buckets[i]);
}

void channel_exit(struct channel *channel)
{
	struct sae_link *link;
	struct sae *sae;

	while (!TAILQ_EMPTY(&channel->keys))
		channel_drop_key(channel, TAILQ_FIRST(&channel->keys));
	while ((link = STAILQ_FIRST(&channel->links))) {
		STAILQ_REMOVE_HEAD(&channel->links, next);
		supply_free(&link->supply);
		free(link);
	}
	while ((sae = LIST_FIRST(&channel->saes))) {
		LIST_REMOVE(sae, next);
		explicit_bzero(sae->psk, sizeof(sae->psk));
		free(sae);
	}
	slab_exit();
}

static struct sae *add_sae(struct channel *channel, const char *id, int side)
{
	struct sae *sae = calloc(1, sizeof(*sae));

	if (!sae)
		return NULL;
	strcpy(sae->id, id);
	sae->side = side;
	LIST_INSERT_HEAD(&channel->saes, sae, next);
	return sae;
}

struct sae *channel_sae(struct channel *channel, const char *id, int side,
			struct qlink_why *why)
{
	struct sae *sae;

	LIST_FOREACH(sae, &channel->saes, next)
		if (!strcmp(sae->id, id))
			break;
	if (side < 0 || (sae && sae->side == side))
		return sae;
	if (sae) {
		snprintf(why->text, sizeof(why->text),
			 "SAE '%.40s' already belongs to the other KME", id);
		return NULL;
	}
	if (!*id || strlen(id) > CHANNEL_SAE_MAX) {
		snprintf(why->text, sizeof(why->text),
			 "SAE '%.40s': must have 1 to %d characters", id,
			 CHANNEL_SAE_MAX);
		return NULL;
	}
	return add_sae(channel, id, side);
}

struct sae_link *channel_add_link(struct channel *channel, const char *a,
				  const char *b, struct qlink_why *why)
{
	struct sae *sae[CHANNEL_SIDES];
	struct sae_link *link;

	sae[0] = channel_sae(channel, a, 0, why);
	sae[1] = sae[0] ? channel_sae(channel, b, 1, why) : NULL;
	if (!sae[1])
		return NULL;
	if (channel_link(channel, sae[0], sae[1])) {
		snprintf(why->text, sizeof(why->text),
			 "there is already a link between these two SAEs");
		return NULL;
	}
	link = calloc(1, sizeof(*link));
	if (!link)
		return NULL;
	memcpy(link->sae, sae, sizeof(sae));
	STAILQ_INSERT_TAIL(&channel->links, link, next);
	return link;
}

struct sae_link *channel_link(struct channel *channel, const struct sae *one,
			      const struct sae *other)
{
	struct sae_link *link;

	if (!one || !other || one->side == other->side)
		return NULL;
	STAILQ_FOREACH(link, &channel->links, next)
		if (link->sae[one->side] == one && link->sae[other->side] == other)
			return link;
	return NULL;
}

void channel_supply(struct sae_link *link, struct supply *supply,
		    uint64_t now_ms)
{
	supply_free(&link->supply);
	link->supply = *supply;
	link->started_ms = now_ms;
	link->counted = 0;
	memset(supply, 0, sizeof(*supply));
}

void channel_count(struct channel *channel, struct sae_link *link,
		   uint64_t now_ms, uint64_t max)
{
	uint64_t made = supply_made(&link->supply, now_ms - link->started_ms);

	/* Both KMEs are needed to make keys. */
	if (channel->is_up[0] && channel->is_up[1])
		link->stored += made - link->counted;
	link->counted = made;
	if (link->stored > max)
		link->stored = max;
}

/* A UUID, RFC 9562, 5.4, or 24 hexadecimal digits. */
static void make_id(char id[CHANNEL_ID_MAX + 1], bool is_opaque)
{
	uint8_t uuid[QLINK_KME_KEY_ID_BYTES];
	size_t i;

	if (getrandom(uuid, sizeof(uuid), 0) != sizeof(uuid))
		abort();
	uuid[6] = 0x40 | (uuid[6] & 0x0f);
	uuid[8] = 0x80 | (uuid[8] & 0x3f);
	if (!is_opaque)
		qlink_format_uuid(uuid, id);
	for (i = 0; is_opaque && i < 12; i++)
		sprintf(id + 2 * i, "%02X", uuid[i]);
}

struct sim_key *channel_new_key(unsigned int bits, bool is_opaque)
{
	struct sim_key *key = calloc(1, sizeof(*key));

	if (!key)
		return NULL;
	key->bytes = slab_get();
	if (!key->bytes) {
		free(key);
		return NULL;
	}
	/* getrandom() returns requests of up to 256 bytes whole once its pool is ready. */
	if (getrandom(key->bytes, bits / 8, 0) != (ssize_t)(bits / 8))
		abort();
	key->bits = bits;
	make_id(key->id, is_opaque);
	return key;
}

/* FNV-1a. The IDs are random and made here, so that nobody can choose their buckets. */
static size_t bucket_of(const char *id)
{
	uint32_t hash = 2166136261U;

	for (; *id; id++)
		hash = (hash ^ (uint8_t)*id) * 16777619U;
	return hash % CHANNEL_BUCKETS;
}

void channel_keep_key(struct channel *channel, struct sim_key *key)
{
	if (channel->n_keys == CHANNEL_KEYS_MAX) {
		channel_drop_key(channel, TAILQ_FIRST(&channel->keys));
		channel->n_expired++;
	}
	key->batch = channel->n_batches;
	TAILQ_INSERT_TAIL(&channel->keys, key, by_age);
	LIST_INSERT_HEAD(&channel->buckets[bucket_of(key->id)], key, by_id);
	channel->n_keys++;
}

struct sim_key *channel_find_key(struct channel *channel, const char *id)
{
	struct sim_key *key;

	LIST_FOREACH(key, &channel->buckets[bucket_of(id)], by_id)
		if (!strcmp(key->id, id))
			return key;
	return NULL;
}

void channel_drop_key(struct channel *channel, struct sim_key *key)
{
	if (channel) {
		TAILQ_REMOVE(&channel->keys, key, by_age);
		LIST_REMOVE(key, by_id);
		channel->n_keys--;
	}
	slab_put(key->bytes);
	free(key);
}

void channel_drop_batches(struct channel *channel, const struct sae *master, unsigned int keep)
{
	uint64_t batch = UINT64_MAX;
	struct sim_key *key, *next;

	for (key = TAILQ_LAST(&channel->keys, sim_keys); key; key = next) {
		next = TAILQ_PREV(key, sim_keys, by_age);
		if (key->master != master)
			continue;
		if (keep && key->batch != batch && batch != UINT64_MAX)
			keep--;
		batch = key->batch;
		if (!keep)
			channel_drop_key(channel, key);
	}
}

void channel_drop_old(struct channel *channel, uint64_t now_ms, uint64_t keep_ms)
{
	struct sim_key *key;

	while ((key = TAILQ_FIRST(&channel->keys)) && now_ms - key->made_ms > keep_ms)
		channel_drop_key(channel, key);
}
