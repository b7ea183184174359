// SPDX-License-Identifier: GPL-2.0-or-later
/* A bounded memory of what was seen before, without keeping it. */
#include "seen.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#define ROOM	(2 * SEEN_LEAST)

static int begin(struct seen *seen)
{
	unsigned int i;

	if (seen->tables[0])
		return 0;
	for (i = 0; i < 2; i++)
		seen->tables[i] = calloc(ROOM, sizeof(*seen->tables[i]));
	if (seen->tables[0] && seen->tables[1] &&
	    getrandom(seen->key, sizeof(seen->key), 0) == sizeof(seen->key))
		return 0;
	seen_free(seen);
	return -ENOMEM;
}

/* SHA-384 of the key first is a keyed hash: it shows too little of its state to be extended. */
static int hash(const struct seen *seen, uint8_t kind, const struct bytes *what,
		const struct bytes *more, uint64_t *mark)
{
	uint64_t len = what->len;
	uint8_t digest[SHA384_DIGEST_LENGTH];
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool is_ok = context && EVP_DigestInit_ex(context, EVP_sha384(), NULL) == 1 &&
		     EVP_DigestUpdate(context, seen->key, sizeof(seen->key)) == 1 &&
		     EVP_DigestUpdate(context, &kind, sizeof(kind)) == 1 &&
		     EVP_DigestUpdate(context, &len, sizeof(len)) == 1 &&
		     EVP_DigestUpdate(context, what->data, what->len) == 1 &&
		     EVP_DigestUpdate(context, more->data, more->len) == 1 &&
		     EVP_DigestFinal_ex(context, digest, NULL) == 1;

	EVP_MD_CTX_free(context);
	if (!is_ok)
		return -ENOMEM;
	memcpy(mark, digest, sizeof(*mark));
	/* 0 marks an empty place. */
	*mark += !*mark;
	explicit_bzero(digest, sizeof(digest));
	return 0;
}

/* The place of a mark, or the empty place where it belongs. */
static uint64_t *find(uint64_t *table, uint64_t mark)
{
	uint64_t at = mark % ROOM;

	while (table[at] && table[at] != mark)
		at = (at + 1) % ROOM;
	return &table[at];
}

static void turn_over(struct seen *seen)
{
	uint64_t *oldest = seen->tables[1];

	seen->tables[1] = seen->tables[0];
	seen->tables[0] = oldest;
	memset(oldest, 0, ROOM * sizeof(*oldest));
	seen->n = 0;
}

int seen_before(struct seen *seen, uint8_t kind, const struct bytes *what, const struct bytes *more)
{
	uint64_t mark, *at;

	if (begin(seen) || hash(seen, kind, what, more, &mark))
		return -ENOMEM;
	at = find(seen->tables[0], mark);
	if (*at || *find(seen->tables[1], mark))
		return 1;
	*at = mark;
	if (++seen->n == SEEN_LEAST)
		turn_over(seen);
	return 0;
}

void seen_free(struct seen *seen)
{
	free(seen->tables[0]);
	free(seen->tables[1]);
	explicit_bzero(seen, sizeof(*seen));
}
