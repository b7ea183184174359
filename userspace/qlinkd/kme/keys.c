// SPDX-License-Identifier: GPL-2.0-or-later
/* Judges the keys of one answer by the rules that hold in any dialect; no I/O. */
#include "keys.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void kme_keys_begin(struct kme_keys *keys, const struct kme_ask *ask, struct kme_key *room,
		    struct kme_tally *tally, struct qlink_why *why)
{
	*keys = (struct kme_keys){ .ask = ask, .room = room, .tally = tally, .why = why };
	memset(tally, 0, sizeof(*tally));
	why->text[0] = '\0';
}

/* Count a fault; true if it is the first one, which is to be explained. */
static bool is_first(struct kme_keys *keys, enum kme_fault fault)
{
	keys->tally->faults[fault]++;
	return !keys->why->text[0];
}

void kme_keys_fault(struct kme_keys *keys, enum kme_fault fault, const char *format, ...)
{
	struct qlink_why *why = keys->why;
	va_list ap;
	size_t len;

	if (!is_first(keys, fault))
		return;
	snprintf(why->text, sizeof(why->text), "key %zu: ", keys->tally->sent);
	len = strlen(why->text);
	va_start(ap, format);
	vsnprintf(why->text + len, sizeof(why->text) - len, format, ap);
	va_end(ap);
}

struct kme_key *kme_keys_next(struct kme_keys *keys)
{
	keys->tally->sent++;
	if (keys->n < keys->ask->n)
		return &keys->room[keys->n];
	if (is_first(keys, KME_FAULT_EXTRA))
		snprintf(keys->why->text, sizeof(keys->why->text),
			 "more keys than the %zu asked for", keys->ask->n);
	return NULL;
}

bool kme_keys_set_id(struct kme_keys *keys, const char *id, size_t len)
{
	if (!kme_id_is_good(id, len)) {
		kme_keys_fault(keys, KME_FAULT_ID, "its key_ID must have %d to %d of 0-9A-Za-z-",
			       KME_KEY_ID_MIN, KME_KEY_ID_MAX);
		return false;
	}
	memcpy(keys->room[keys->n].id.text, id, len);
	keys->room[keys->n].id.text[len] = '\0';
	return true;
}

/* The index of an ID among the requested ones, or -1. */
static int place_of(const struct kme_ask *ask, const char *id)
{
	size_t i;

	for (i = 0; i < ask->n; i++)
		if (!strcmp(ask->ids[i].text, id))
			return (int)i;
	return -1;
}

void kme_keys_take(struct kme_keys *keys, size_t len)
{
	struct kme_key *key = &keys->room[keys->n];
	int place;

	if (len < KME_SECRET_MIN_BYTES || len > KME_SECRET_MAX_BYTES) {
		kme_keys_fault(keys, KME_FAULT_SIZE, "has %zu bits, want %d to %d", len * 8,
			       KME_SECRET_MIN_BYTES * 8, KME_SECRET_MAX_BYTES * 8);
		return;
	}
	place = keys->ask->ids ? place_of(keys->ask, key->id.text) : 0;
	if (place < 0) {
		kme_keys_fault(keys, KME_FAULT_UNKNOWN_ID, "its key_ID was not asked for");
		return;
	}
	key->len = (uint8_t)len;
	key->place = (uint16_t)place;
	keys->n++;
}

static bool is_same(const struct kme_key *a, const struct kme_key *b)
{
	return !strcmp(a->id.text, b->id.text) ||
	       (a->len == b->len && !memcmp(a->bytes, b->bytes, a->len));
}

/*
 * Of two keys with one ID the other end may take the wrong one, and one key under two IDs would
 * be used twice.
 */
static void drop_repeated(struct kme_keys *keys)
{
	bool is_repeated[KME_BATCH_MAX] = { false };
	size_t i, k, kept = 0;

	for (i = 0; i < keys->n; i++)
		for (k = i + 1; k < keys->n; k++)
			if (is_same(&keys->room[i], &keys->room[k]))
				is_repeated[i] = is_repeated[k] = true;
	for (i = 0; i < keys->n; i++) {
		if (is_repeated[i]) {
			if (is_first(keys, KME_FAULT_REPEATED))
				snprintf(keys->why->text, sizeof(keys->why->text),
					 "has the same key_ID or key more than once");
		} else if (kept++ != i) {
			keys->room[kept - 1] = keys->room[i];
		}
	}
	keys->n = kept;
}

int kme_keys_end(struct kme_keys *keys, int err)
{
	if (err)
		keys->n = 0;
	else
		drop_repeated(keys);
	keys->tally->taken = keys->n;
	explicit_bzero(&keys->room[keys->n], (keys->ask->n - keys->n) * sizeof(*keys->room));
	return err ? err : (int)keys->n;
}
