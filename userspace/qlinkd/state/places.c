// SPDX-License-Identifier: GPL-2.0-or-later
/* The places of the state file: which two slots belong to which link, and its newest chains. */
#include "places.h"

#include <errno.h>
#include <string.h>

#define ROOM_MIN	16

/* Moves all places to memory with room for @room. */
static int grow(struct places *places, uint32_t room)
{
	struct qlink_secret memory;
	int err;

	if (room > PLACES_MAX)
		room = PLACES_MAX;
	err = room > places->room ? qlink_secret_new(&memory, room * sizeof(*places->list)) : -ENOSPC;
	if (err)
		return err;
	if (places->n)
		memcpy(memory.data, places->list, places->n * sizeof(*places->list));
	qlink_secret_free(&places->memory);
	places->memory = memory;
	places->list = (struct place *)memory.data;
	places->room = room;
	return 0;
}

/* Opens one slot of a place; it counts if it is newer than what the place has. Returns its counter. */
static uint64_t load_slot(struct places *places, const struct bytes *key, uint32_t number,
			  const uint8_t *data, uint64_t before, struct slot *slot)
{
	struct place *place = &places->list[number / 2];

	switch (slot_open(key, number, data, slot)) {
	case SLOT_OPENED:
		break;
	case SLOT_DAMAGED:
		places->n_damaged++;
		return 0;
	case SLOT_FOREIGN:
		places->n_foreign++;
		return 0;
	case SLOT_EMPTY:
		return 0;
	}
	if (slot->counter > places->counter)
		places->counter = slot->counter;
	if (slot->counter > before) {
		place->chains = slot->chains;
		memcpy(place->link, slot->link, sizeof(place->link));
		place->newest = number % 2;
		place->is_taken = true;
	}
	return slot->counter;
}

int places_load(struct places *places, const struct bytes *key, const uint8_t *data, size_t n)
{
	struct qlink_secret memory;
	struct slot *slot;
	uint64_t counter;
	uint32_t i;
	int err;

	err = grow(places, (uint32_t)(n + 1) / 2 + ROOM_MIN);
	if (!err)
		err = qlink_secret_new(&memory, sizeof(*slot));
	if (err)
		return err;
	slot = (struct slot *)memory.data;
	places->n = (uint32_t)(n + 1) / 2;
	for (i = 0, counter = 0; i < n; i++) {
		counter = i % 2 ? counter : 0;
		counter = load_slot(places, key, i, data + (size_t)i * SLOT_BYTES, counter, slot);
	}
	qlink_secret_free(&memory);
	return 0;
}

struct place *places_find(const struct places *places, const uint8_t *link)
{
	uint32_t i;

	for (i = 0; i < places->n; i++) {
		if (places->list[i].is_taken &&
		    !memcmp(places->list[i].link, link, sizeof(places->list[i].link)))
			return &places->list[i];
	}
	return NULL;
}

/* A place that no link has; else one of a link that the configuration no longer has. */
static struct place *find_free(const struct places *places)
{
	struct place *unwanted = NULL;
	uint32_t i;

	for (i = 0; i < places->n; i++) {
		if (!places->list[i].is_taken)
			return &places->list[i];
		if (!places->list[i].is_wanted)
			unwanted = &places->list[i];
	}
	return unwanted;
}

struct place *places_claim(struct places *places, const uint8_t *link)
{
	struct place *place = places_find(places, link);

	if (place)
		return place;
	place = find_free(places);
	if (!place) {
		if (places->n == places->room && grow(places, 2 * places->room + ROOM_MIN))
			return NULL;
		place = &places->list[places->n++];
	}
	memcpy(place->link, link, sizeof(place->link));
	explicit_bzero(&place->chains, sizeof(place->chains));
	place->is_taken = true;
	place->is_wanted = true;
	places_owe(places, place, 2);
	return place;
}

void places_owe(struct places *places, struct place *place, uint8_t n)
{
	places->n_owed += !place->owed;
	if (place->owed < n)
		place->owed = n;
}

void places_free(struct places *places)
{
	qlink_secret_free(&places->memory);
	memset(places, 0, sizeof(*places));
}
