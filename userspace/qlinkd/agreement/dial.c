// SPDX-License-Identifier: GPL-2.0-or-later
/* Which agent of a pair dials the connection. */
#include "dial.h"

#include <stdint.h>
#include <string.h>

#include <openssl/sha.h>

bool dial_is_ours(const char *own, const char *peer)
{
	uint8_t a[SHA384_DIGEST_LENGTH], b[SHA384_DIGEST_LENGTH];

	SHA384((const uint8_t *)own, strlen(own), a);
	SHA384((const uint8_t *)peer, strlen(peer), b);
	return memcmp(a, b, sizeof(a)) < 0;
}
