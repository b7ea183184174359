/* SPDX-License-Identifier: GPL-2.0-or-later */
/* X25519MLKEM768: one KEM key, made of X25519 and ML-KEM-768, for one offer. */
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
 * struct pqc_secret - the shared secrets of one encapsulation
 *
 * It is secret: the owner keeps it in a struct qlink_secret and wipes it.
 */
struct pqc_secret {
	/** @mlkem: shared secret of ML-KEM-768 */
	uint8_t mlkem[PQC_SECRET_BYTES];

	/** @x25519: shared secret of X25519 */
	uint8_t x25519[PQC_SECRET_BYTES];
};

/**
 * pqc_key_new() - make a key pair for one offer
 * @key: set to the private key; the caller frees it with pqc_key_free()
 * @public_key: PQC_PUBLIC_BYTES, filled in: ML-KEM-768 encapsulation key
 *	(1184), X25519 public key (32)
 *
 * FIPS 203, algorithm 19; RFC 7748, section 6.1. The layout is that of X25519MLKEM768 in
 * TLS 1.3 (draft-ietf-tls-ecdhe-mlkem).
 *
 * Context: Process.
 * Return: 0, or %-EIO if OpenSSL or memory failed; then @key is %NULL.
 */
int pqc_key_new(struct pqc_key **key, uint8_t *public_key);

/**
 * pqc_key_free() - wipe and free a private key
 * @key: points to a key from pqc_key_new() or to %NULL; *@key is %NULL afterwards
 *
 * Context: Process.
 */
void pqc_key_free(struct pqc_key **key);

/**
 * pqc_encapsulate() - make a secret that only the owner of the private key can open
 * @public_key: the peer's public key
 * @len: bytes at @public_key
 * @ciphertext: PQC_CIPHERTEXT_BYTES for the peer, filled in
 * @secret: filled in; wiped on failure
 *
 * FIPS 203, algorithm 20, with the checks of section 7.2; RFC 7748, section 6.1.
 *
 * Context: Process.
 * Return:
 * * %0		- @ciphertext and @secret are filled in
 * * %-EINVAL	- @len is not PQC_PUBLIC_BYTES, a coefficient is out of range, or the
 *		  X25519 result is all zero
 * * %-EIO	- OpenSSL failed
 */
int pqc_encapsulate(const uint8_t *public_key, size_t len, uint8_t *ciphertext,
		    struct pqc_secret *secret);

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
 * * %-EINVAL	- @len is not PQC_CIPHERTEXT_BYTES, or the X25519 result is all zero
 * * %-ENOKEY	- *@key is %NULL: the key was used before
 */
int pqc_decapsulate(struct pqc_key **key, const uint8_t *ciphertext, size_t len,
		    struct pqc_secret *secret);

#endif
