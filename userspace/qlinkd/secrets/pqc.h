/* SPDX-License-Identifier: GPL-2.0-or-later */
/* X25519 and ML-KEM-768 together: one KEM key for one offer. */
#ifndef QLINKD_PQC_H
#define QLINKD_PQC_H

#include <stddef.h>
#include <stdint.h>

#define PQC_PUBLIC_BYTES	1216
#define PQC_CIPHERTEXT_BYTES	1120
#define PQC_SECRET_BYTES	32

/* A private key that was not used yet. */
struct pqc_key;

/**
 * struct pqc_secret - what an encapsulation gives both ends
 *
 * Secret: belongs in a struct qlink_secret, and is wiped by its owner.
 */
struct pqc_secret {
	/** @mlkem: shared secret of ML-KEM-768 */
	uint8_t mlkem[PQC_SECRET_BYTES];

	/** @x25519: shared secret of X25519 */
	uint8_t x25519[PQC_SECRET_BYTES];
};

/**
 * pqc_key_new() - make a key that serves one offer
 * @key: where the key goes; the caller frees it with pqc_key_free()
 * @public_key: PQC_PUBLIC_BYTES, filled in: ML-KEM-768 encapsulation key
 *	(1184), X25519 public key (32)
 *
 * FIPS 203, algorithm 19; RFC 7748, section 6.1; laid out as TLS 1.3 has
 * X25519MLKEM768.
 *
 * Return: 0, or %-EIO if OpenSSL failed; then @key is %NULL.
 */
int pqc_key_new(struct pqc_key **key, uint8_t *public_key);

/**
 * pqc_key_free() - wipe a key that is not wanted any more
 * @key: from pqc_key_new(), or %NULL there; %NULL afterwards
 */
void pqc_key_free(struct pqc_key **key);

/**
 * pqc_encapsulate() - make a secret that only the owner of a key can open
 * @public_key: from the peer
 * @len: bytes at @public_key
 * @ciphertext: PQC_CIPHERTEXT_BYTES for the peer, filled in
 * @secret: filled in; wiped on failure
 *
 * FIPS 203, algorithm 20, with the checks of section 7.2.
 *
 * Return:
 * * %0		- made
 * * %-EINVAL	- not PQC_PUBLIC_BYTES, a coefficient out of range, or an X25519
 *		  key that leads to zero
 * * %-EIO	- OpenSSL failed
 */
int pqc_encapsulate(const uint8_t *public_key, size_t len, uint8_t *ciphertext,
		    struct pqc_secret *secret);

/**
 * pqc_decapsulate() - open a secret, and use the key up
 * @key: from pqc_key_new(); freed and %NULL afterwards, whatever comes of it
 * @ciphertext: from the peer
 * @len: bytes at @ciphertext
 * @secret: filled in; wiped on failure
 *
 * FIPS 203, algorithm 21. A changed ML-KEM ciphertext of the right length gives
 * another secret and no error (implicit rejection, 6.3): success proves
 * nothing of the peer, the key confirmation does.
 *
 * Return:
 * * %0		- opened
 * * %-EINVAL	- not PQC_CIPHERTEXT_BYTES, or an X25519 share that leads to zero
 * * %-ENOKEY	- @key is %NULL: it was used before
 */
int pqc_decapsulate(struct pqc_key **key, const uint8_t *ciphertext, size_t len,
		    struct pqc_secret *secret);

#endif
