/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The suites of algorithms from which two agents derive keys. */
#ifndef QLINKD_SUITE_H
#define QLINKD_SUITE_H

#include <stdbool.h>
#include <stddef.h>

#define SUITE_MIN	1
#define SUITE_MAX	2

/* ML-KEM gives this many bytes, whatever its strength (FIPS 203, section 8). */
#define SUITE_KEM_SECRET_BYTES		32
/* The most of any suite. */
#define SUITE_ECDH_SECRET_BYTES_MAX	48
#define SUITE_PUBLIC_BYTES_MAX		1665
#define SUITE_CIPHERTEXT_BYTES_MAX	1665

/**
 * struct suite - lengths and names of a suite; PROTOCOL.md, section 1, has the same numbers
 */
struct suite {
	/** @group: OpenSSL's name of KEM and ECDH together, which is that of the group in TLS */
	const char *group;

	/** @kem_public: bytes of an encapsulation key of ML-KEM */
	size_t kem_public;

	/** @kem_ciphertext: bytes of a ciphertext of ML-KEM */
	size_t kem_ciphertext;

	/** @ecdh_public: bytes of a public key of ECDH */
	size_t ecdh_public;

	/** @ecdh_secret: bytes of a shared secret of ECDH */
	size_t ecdh_secret;

	/** @is_ecdh_first: in @group ECDH stands before ML-KEM; between agents it never does */
	bool is_ecdh_first;
};

/**
 * suite_find() - get a suite by its number
 * @number: as in STATE
 *
 * Context: Pure.
 * Return: the suite, or %NULL if there is none with this number.
 */
const struct suite *suite_find(unsigned int number);

/**
 * suite_public_bytes() - get the length of a public key
 * @suite: the suite
 *
 * Context: Pure.
 * Return: bytes of the encapsulation key of ML-KEM and the public key of ECDH.
 */
size_t suite_public_bytes(const struct suite *suite);

/**
 * suite_ciphertext_bytes() - get the length of a ciphertext
 * @suite: the suite
 *
 * Context: Pure.
 * Return: bytes of the ciphertext of ML-KEM and the ephemeral public key of ECDH.
 */
size_t suite_ciphertext_bytes(const struct suite *suite);

#endif
