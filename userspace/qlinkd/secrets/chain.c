// SPDX-License-Identifier: GPL-2.0-or-later
/* The chain of one direction: 48 secret bytes that depend on every confirmed offer. */
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
	memmove(chain->previous, from, sizeof(chain->previous));
	memcpy(chain->current, to, sizeof(chain->current));
}

bool chain_is_zero(const uint8_t *chain)
{
	return !CRYPTO_memcmp(chain, zero, sizeof(zero));
}

bool chain_is_lost(const struct chain *chain, const uint8_t *from)
{
	return chain_is_zero(from) && !chain_is_zero(chain->current);
}

const uint8_t *chain_find(const struct chain *chain, const struct mix_speaker *speaker,
			  const uint8_t *tag)
{
	const uint8_t *const chains[] = { chain->current, chain->previous, zero };
	uint8_t has[MIX_CHAIN_TAG_BYTES];
	size_t i;

	for (i = 0; i < sizeof(chains) / sizeof(chains[0]); i++)
		if (!mix_chain_tag(chains[i], speaker, has) && !CRYPTO_memcmp(has, tag, sizeof(has)))
			return chains[i];
	return NULL;
}
