/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The places of the state file: which two slots belong to which link, and its newest chains. */
#ifndef QLINKD_PLACES_H
#define QLINKD_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/secret.h"
#include "slot.h"
#include "statefile.h"

#define PLACES_MAX	(STATEFILE_SLOTS_MAX / 2)

/**
 * struct place - the two slots 2i and 2i + 1, where i is its index
 */
struct place {
	/** @chains: the newest ones; secret */
	struct slot_chains chains;

	/** @link: whose they are, see slot_link(); valid if @is_taken */
	uint8_t link[SLOT_LINK_BYTES];

	/** @is_taken: it belongs to @link */
	bool is_taken;

	/** @is_wanted: the configuration has @link */
	bool is_wanted;

	/** @newest: which of its slots was written last, 0 or 1; the other one is written next */
	uint8_t newest;

	/** @is_busy: the writer works on one of its slots */
	bool is_busy;

	/** @owed: how many of its slots must be written with @chains, 0 to 2 */
	uint8_t owed;
};

/**
 * struct places - all of them; all zero at first
 */
struct places {
	/** @memory: locked, holds @list */
	struct qlink_secret memory;

	/** @list: @n places, with room for @room */
	struct place *list;

	/** @n: places, which the file has or will have */
	uint32_t n;

	/** @room: of @list */
	uint32_t room;

	/** @n_owed: places that owe a slot */
	uint32_t n_owed;

	/** @counter: the highest one of all slots */
	uint64_t counter;

	/** @n_damaged: slots that were found damaged */
	uint32_t n_damaged;

	/** @n_foreign: slots that were sealed under another key */
	uint32_t n_foreign;
};

/**
 * places_load() - open all slots of a file
 * @places: all zero; the caller frees it with places_free(), also on failure
 * @key: the state key
 * @data: @n slots
 * @n: how many
 *
 * Return: 0, or a negative errno if no memory can be locked.
 */
int places_load(struct places *places, const struct bytes *key, const uint8_t *data, size_t n);

/**
 * places_find() - find the place of a link
 * @places: the places
 * @link: from slot_link()
 *
 * Return: the place, or %NULL if it has none.
 */
struct place *places_find(const struct places *places, const uint8_t *link);

/**
 * places_claim() - find the place of a link, or give it one
 * @places: the places
 * @link: from slot_link()
 *
 * A new place owes both slots: one that had another link must not keep its chains.
 *
 * Return: the place, or %NULL without memory, or if there are PLACES_MAX.
 */
struct place *places_claim(struct places *places, const uint8_t *link);

/**
 * places_owe() - note that slots of a place must be written
 * @places: the places
 * @place: one of them
 * @n: how many of its slots, 1 or 2
 */
void places_owe(struct places *places, struct place *place, uint8_t n);

/**
 * places_free() - wipe and free
 * @places: all zero afterwards
 */
void places_free(struct places *places);

#endif
