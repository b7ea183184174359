// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys that a KME delivered and no offer has used yet. */
#include "store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct store_slot {
	/* When the key came, in ms. */
	uint64_t arrived;

	/* The index of the next slot with the same hash plus 1; 0 for none. */
	uint32_t next;

	uint16_t key_len;
	uint8_t id_len;
	uint8_t id[STORE_ID_BYTES_MAX];
};

static uint32_t power_of_two(uint32_t least)
{
	uint32_t n = 1;

	while (n < least)
		n *= 2;
	return n;
}

int store_new(struct store *store, const struct store_config *config)
{
	int err;

	memset(store, 0, sizeof(*store));
	if (!config->capacity || config->capacity > STORE_CAPACITY_MAX ||
	    config->key_bytes < STORE_KEY_BYTES_MIN ||
	    config->key_bytes > STORE_KEY_BYTES_MAX)
		return -EINVAL;
	store->config = *config;
	store->n_heads = power_of_two(config->capacity);
	store->slots = calloc(config->capacity, sizeof(*store->slots));
	store->heads = calloc(store->n_heads, sizeof(*store->heads));
	if (!store->slots || !store->heads ||
	    getrandom(&store->seed, sizeof(store->seed), 0) !=
	    sizeof(store->seed)) {
		store_free(store);
		return -ENOMEM;
	}
	err = qlink_secret_new(&store->memory,
			       (size_t)config->capacity * config->key_bytes);
	if (err)
		store_free(store);
	return err;
}

void store_free(struct store *store)
{
	qlink_secret_free(&store->memory);
	free(store->slots);
	free(store->heads);
	memset(store, 0, sizeof(*store));
}

/* FNV-1a from a random start, because the KME chooses the IDs. They are not secret. */
static uint32_t *head_of(const struct store *store, const uint8_t *id, size_t len)
{
	uint64_t hash = store->seed;
	size_t i;

	for (i = 0; i < len; i++)
		hash = (hash ^ id[i]) * 0x100000001b3ULL;
	return &store->heads[(hash ^ hash >> 32) & (store->n_heads - 1)];
}

static bool is_known(const struct store *store, const struct bytes *id)
{
	uint32_t at = *head_of(store, id->data, id->len);
	const struct store_slot *slot;

	for (; at; at = slot->next) {
		slot = &store->slots[at - 1];
		if (slot->id_len == id->len &&
		    !memcmp(slot->id, id->data, id->len))
			return true;
	}
	return false;
}

static uint32_t slot_number(const struct store *store, uint32_t i)
{
	return (store->first + i) % store->config.capacity;
}

static uint8_t *key_bytes(const struct store *store, uint32_t number)
{
	return store->memory.data + (size_t)number * store->config.key_bytes;
}

static int check_key(const struct store *store, const struct bytes *id, const struct bytes *key,
		     struct qlink_why *why)
{
	if (!id->len || id->len > STORE_ID_BYTES_MAX)
		return qlink_refuse(why, -EINVAL, "key ID of %zu bytes, not 1 to %d", id->len,
				    STORE_ID_BYTES_MAX);
	if (key->len < STORE_KEY_BYTES_MIN || key->len > store->config.key_bytes)
		return qlink_refuse(why, -EINVAL, "key of %zu bytes, not %d to %u; see key-bytes", key->len,
				    STORE_KEY_BYTES_MIN, store->config.key_bytes);
	if (store->taken_from)
		return qlink_refuse(why, -EBUSY, "the newest key is in use");
	if (store->n == store->config.capacity)
		return qlink_refuse(why, -ENOSPC, "full with %u keys", store->n);
	if (is_known(store, id))
		return qlink_refuse(why, -EEXIST, "key ID %.*s is in the store already",
				    (int)id->len, (const char *)id->data);
	return 0;
}

int store_put(struct store *store, const struct bytes *id, const struct bytes *key, uint64_t now,
	      struct qlink_why *why)
{
	struct store_slot *slot;
	uint32_t number, *head;
	int err = check_key(store, id, key, why);

	if (err)
		return err;
	number = slot_number(store, store->n++);
	slot = &store->slots[number];
	slot->arrived = now;
	slot->id_len = (uint8_t)id->len;
	slot->key_len = (uint16_t)key->len;
	memcpy(slot->id, id->data, id->len);
	memcpy(key_bytes(store, number), key->data, key->len);
	head = head_of(store, id->data, id->len);
	slot->next = *head;
	*head = number + 1;
	return 0;
}

/* Wipe the key in a slot, and remove its ID from the hash table. */
static void wipe(struct store *store, uint32_t number)
{
	struct store_slot *slot = &store->slots[number];
	uint32_t *at = head_of(store, slot->id, slot->id_len);

	while (*at != number + 1)
		at = &store->slots[*at - 1].next;
	*at = slot->next;
	explicit_bzero(key_bytes(store, number), store->config.key_bytes);
	memset(slot, 0, sizeof(*slot));
}

static void remove_first(struct store *store)
{
	wipe(store, store->first);
	store->first = slot_number(store, 1);
	store->n--;
}

static void remove_last(struct store *store)
{
	wipe(store, slot_number(store, --store->n));
}

uint32_t store_stock(const struct store *store)
{
	return store->n - store->n_taken;
}

uint32_t store_expire(struct store *store, uint64_t now)
{
	uint32_t n = 0;

	if (!store->config.max_age_ms || store->n_taken)
		return 0;
	for (; store->n; n++) {
		if (now - store->slots[store->first].arrived < store->config.max_age_ms)
			break;
		remove_first(store);
	}
	store->n_expired += n;
	return n;
}

uint32_t store_low_mark(uint32_t high)
{
	return high - (high + 3) / 4;
}

uint32_t store_wanted(struct store *store)
{
	uint32_t capacity = store->config.capacity, high = capacity;
	uint32_t stock = store_stock(store);

	if (!store->is_rich && store->config.outage_cover < capacity)
		high = store->config.outage_cover;
	if (stock >= high)
		store->is_filling = false;
	else if (stock <= store_low_mark(high))
		store->is_filling = true;
	if (!store->is_filling)
		return 0;
	/* The slots of taken keys are not free yet. */
	return high - stock < capacity - store->n ? high - stock : capacity - store->n;
}

uint32_t store_take(struct store *store, uint32_t n, uint64_t now)
{
	if (store->n_taken)
		return 0;
	store_expire(store, now);
	store->n_taken = n < store->n ? n : store->n;
	store->taken_from = 0;
	return store->n_taken;
}

uint32_t store_take_newest(struct store *store, uint64_t now)
{
	if (store->n_taken)
		return 0;
	store_expire(store, now);
	if (!store->n)
		return 0;
	store->n_taken = 1;
	store->taken_from = store->n - 1;
	return 1;
}

uint32_t store_drop(struct store *store, uint32_t n)
{
	uint32_t i;

	if (store->n_taken)
		return 0;
	if (n > store->n)
		n = store->n;
	for (i = 0; i < n; i++)
		remove_first(store);
	return n;
}

struct bytes store_taken_id(const struct store *store, uint32_t i)
{
	const struct store_slot *slot;

	slot = &store->slots[slot_number(store, store->taken_from + i)];
	return (struct bytes){ slot->id, slot->id_len };
}

struct bytes store_taken_key(const struct store *store, uint32_t i)
{
	uint32_t number = slot_number(store, store->taken_from + i);

	return (struct bytes){ key_bytes(store, number),
			       store->slots[number].key_len };
}

void store_spend(struct store *store)
{
	bool is_newest = store->taken_from;

	for (; store->n_taken; store->n_taken--) {
		if (is_newest)
			remove_last(store);
		else
			remove_first(store);
	}
	store->taken_from = 0;
}
