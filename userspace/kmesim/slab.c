// SPDX-License-Identifier: GPL-2.0-or-later
/* Locked memory for many keys. */
#include "slab.h"

#include <stdlib.h>
#include <string.h>

#include "common/secret.h"

#define PIECE_BYTES	65536

/* A free slot points to the next free slot. */
struct slot {
	struct slot *next;
};

/* A piece of locked memory, cut into slots. */
struct piece {
	struct qlink_secret memory;
	struct piece *next;
};

static struct piece *pieces;
static struct slot *unused;

static int add_piece(void)
{
	struct piece *piece = calloc(1, sizeof(*piece));
	struct slot *slot;
	size_t at;

	if (!piece || qlink_secret_new(&piece->memory, PIECE_BYTES)) {
		free(piece);
		return -1;
	}
	for (at = 0; at < PIECE_BYTES; at += SLAB_KEY_BYTES) {
		slot = (struct slot *)(piece->memory.data + at);
		slot->next = unused;
		unused = slot;
	}
	piece->next = pieces;
	pieces = piece;
	return 0;
}

uint8_t *slab_get(void)
{
	struct slot *slot;

	if (!unused && add_piece())
		return NULL;
	slot = unused;
	unused = slot->next;
	slot->next = NULL;
	return (uint8_t *)slot;
}

void slab_put(uint8_t *key)
{
	struct slot *slot = (struct slot *)key;

	if (!key)
		return;
	explicit_bzero(key, SLAB_KEY_BYTES);
	slot->next = unused;
	unused = slot;
}

void slab_exit(void)
{
	struct piece *piece;

	while ((piece = pieces)) {
		pieces = piece->next;
		qlink_secret_free(&piece->memory);
		free(piece);
	}
	unused = NULL;
}
