/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bounded memory of what was seen before, without keeping it. */
#ifndef QLINKD_BASE_SEEN_H
#define QLINKD_BASE_SEEN_H

#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

/* As many of the last things are remembered at least, and twice as many at most. */
#define SEEN_LEAST	(1U << 17)

/**
 * struct seen - what was seen: 64 bits of a keyed hash of each thing
 *
 * There are two tables. When the first is full, it replaces the second and a new one begins, so
 * that the memory is bounded at 4 MiB. The hash has a random key: nobody can choose things whose
 * hashes are equal, and nothing can be learnt from a hash. All zero is an empty one.
 */
struct seen {
	/** @key: of the hash */
	uint8_t key[32];

	/** @tables: the current one and the one before, of 2 * SEEN_LEAST entries; 0 is none */
	uint64_t *tables[2];

	/** @n: entries of the current one */
	uint32_t n;
};

/**
 * seen_before() - say whether something was seen before, and remember it
 * @seen: the memory
 * @kind: things of another kind are other things
 * @what: the thing, in two parts; the second may be empty
 * @more: its second part
 *
 * Return: 1 if it was seen, 0 if not, or %-ENOMEM.
 */
int seen_before(struct seen *seen, uint8_t kind, const struct bytes *what, const struct bytes *more);

/**
 * seen_free() - forget all
 * @seen: all zero afterwards
 */
void seen_free(struct seen *seen);

#endif
