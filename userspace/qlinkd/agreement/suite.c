// SPDX-License-Identifier: GPL-2.0-or-later
/* The suites of algorithms from which two agents derive keys. */
#include "suite.h"

/* FIPS 203, table 3; RFC 7748, section 5; SEC 1, 2.3.3 (an uncompressed point). */
static const struct suite suites[] = {
	{ .group = "X25519MLKEM768", .kem_public = 1184, .kem_ciphertext = 1088,
	  .ecdh_public = 32, .ecdh_secret = 32 },
	{ .group = "SecP384r1MLKEM1024", .kem_public = 1568, .kem_ciphertext = 1568,
	  .ecdh_public = 97, .ecdh_secret = 48, .is_ecdh_first = true },
};

_Static_assert(sizeof(suites) / sizeof(suites[0]) == SUITE_MAX - SUITE_MIN + 1,
	       "each suite has a row");

const struct suite *suite_find(unsigned int number)
{
	return number < SUITE_MIN || number > SUITE_MAX ? NULL : &suites[number - SUITE_MIN];
}

size_t suite_public_bytes(const struct suite *suite)
{
	return suite->kem_public + suite->ecdh_public;
}

size_t suite_ciphertext_bytes(const struct suite *suite)
{
	return suite->kem_ciphertext + suite->ecdh_public;
}
