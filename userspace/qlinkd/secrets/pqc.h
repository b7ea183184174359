/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One KEM key, made of ML-KEM and ECDH, for one offer. */
#ifndef QLINKD_PQC_H
#define QLINKD_PQC_H

#include <stddef.h>
#include <stdint.h>

#include "qlinkd/agreement/suite.h"

/* A private key that was not used yet. */
struct pqc_key;

/**
 * struct pqc_secret - the shared secrets of one encapsulation
 *
 * It is secret: the owner keeps it in a struct qlink_secret and wipes it.
 */
struct pqc_secret {
	/** @kem: shared secret of ML-KEM */
	uint8_t kem[SUITE_KEM_SECRET_BYTES];

	/** @ecdh: shared secret of ECDH; the suite says how many bytes of it are valid */
	uint8_t ecdh[SUITE_ECDH_SECRET_BYTES_MAX];
};

/**
 * pqc_key_new() - make a key pair for one offer
 * @key: set to the private key; the caller frees it with pqc_key_free()
 * @suite: its algorithms
 * @public_key: suite_public_bytes(), filled in: ML-KEM encapsulation key, ECDH public key
 *
 * FIPS 203, algorithm 19; RFC 7748, section 6.1, or SP 800-56A revision 3, 5.6.1.2.
 *
 * Context: Process.
 * Return: 0, or %-EIO if OpenSSL or memory failed; then @key is %NULL.
 */
int pqc_key_new(struct pqc_key **key, const struct suite *suite, uint8_t *public_key);

/**
 * pqc_key_free() - wipe and free a private key
 * @key: points to a key from pqc_key_new() or to %NULL; *@key is %NULL afterwards
 *
 * Context: Process.
 */
void pqc_key_free(struct pqc_key **key);

/**
 * pqc_encapsulate() - make a secret that only the owner of the private key can open
 * @suite: the algorithms of @public_key
 * @public_key: the peer's public key
 * @len: bytes at @public_key
 * @ciphertext: suite_ciphertext_bytes() for the peer, filled in
 * @secret: filled in; wiped on failure
 *
 * FIPS 203, algorithm 20, with the checks of section 7.2; RFC 7748, section 6.1, or SP 800-56A
 * revision 3, 5.6.2.3.3 and 5.7.1.2.
 *
 * Context: Process.
 * Return:
 * * %0		- @ciphertext and @secret are filled in
 * * %-EINVAL	- @len is not that of the suite, a coefficient is out of range, a point is not on
 *		  the curve, or the X25519 result is all zero
 * * %-EIO	- OpenSSL failed
 */
int pqc_encapsulate(const struct suite *suite, const uint8_t *public_key, size_t len,
		    uint8_t *ciphertext, struct pqc_secret *secret);

/**
 * pqc_decapsulate() - open a ciphertext and free the key, which serves only once
 * @key: points to a key from pqc_key_new(); wiped, freed and set to %NULL, also on failure
 * @ciphertext: the peer's ciphertext
 * @len: bytes at @ciphertext
 * @secret: filled in; wiped on failure
 *
 * FIPS 203, algorithm 21. A changed ML-KEM ciphertext of the right length gives another
 * secret and no error (implicit rejection, FIPS 203, 6.3). So success proves nothing about
 * the peer; only the key confirmation does.
 *
 * Context: Process.
 * Return:
 * * %0		- @secret is filled in
 * * %-EINVAL	- @len is not that of the suite, a point is not on the curve, or the X25519 result
 *		  is all zero
 * * %-ENOKEY	- *@key is %NULL: the key was used before
 */
int pqc_decapsulate(struct pqc_key **key, const uint8_t *ciphertext, size_t len,
		    struct pqc_secret *secret);

#endif
