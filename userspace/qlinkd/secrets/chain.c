// SPDX-License-Identifier: GPL-2.0-or-later
/* The chain of one direction: every confirmed offer, in 48 bytes. */
#include "chain.h"

#include <stddef.h>
#include <string.h>

#include <openssl/crypto.h>

static const uint8_t zero[MIX_CHAIN_BYTES];

void chain_restart(struct chain *chain)
{
	OPENSSL_cleanse(chain, sizeof(*chain));
}

void chain_advance(struct chain *chain, const uint8_t *from, const uint8_t *to)
{
	memmove(chain->before, from, sizeof(chain->before));
	memcpy(chain->now, to, sizeof(chain->now));
}

const uint8_t *chain_find(const struct chain *chain, const uint8_t *id)
{
	const uint8_t *const chains[] = { chain->now, chain->before, zero };
	uint8_t has[MIX_CHAIN_ID_BYTES];
	size_t i;

	for (i = 0; i < sizeof(chains) / sizeof(chains[0]); i++)
		if (!mix_chain_id(chains[i], has) &&
		    !memcmp(has, id, sizeof(has)))
			return chains[i];
	return NULL;
}
