// SPDX-License-Identifier: GPL-2.0-or-later
/* One KEM key, made of ML-KEM and ECDH, for one offer. */
#include "pqc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#define SECRET_BYTES_MAX	(SUITE_KEM_SECRET_BYTES + SUITE_ECDH_SECRET_BYTES_MAX)

struct pqc_key {
	const struct suite *suite;
	EVP_PKEY *pkey;
};

/*
 * OpenSSL handles the bytes of ML-KEM and those of ECDH in one piece, in the order of the group in TLS.
 * Copies such a piece from or to the agents' order: @first bytes of @from come last if these differ.
 */
static void reorder(const struct suite *suite, uint8_t *to, const uint8_t *from, size_t first,
		    size_t second)
{
	if (!suite->is_ecdh_first) {
		memcpy(to, from, first + second);
		return;
	}
	memcpy(to, from + first, second);
	memcpy(to + second, from, first);
}

static int get_public(const struct suite *suite, EVP_PKEY *pkey, uint8_t *public_key)
{
	uint8_t *data = NULL;
	size_t len = EVP_PKEY_get1_encoded_public_key(pkey, &data);
	int err = len == suite_public_bytes(suite) ? 0 : -EIO;

	if (!err)
		reorder(suite, public_key, data, suite->ecdh_public, suite->kem_public);
	OPENSSL_free(data);
	return err;
}

int pqc_key_new(struct pqc_key **key, const struct suite *suite, uint8_t *public_key)
{
	struct pqc_key *made = calloc(1, sizeof(*made));

	*key = NULL;
	if (!made)
		return -EIO;
	made->suite = suite;
	made->pkey = EVP_PKEY_Q_keygen(NULL, NULL, suite->group);
	if (!made->pkey || get_public(suite, made->pkey, public_key)) {
		pqc_key_free(&made);
		ERR_clear_error();
		return -EIO;
	}
	*key = made;
	return 0;
}

void pqc_key_free(struct pqc_key **key)
{
	if (!*key)
		return;
	/* OpenSSL wipes the private key before it frees the memory. */
	EVP_PKEY_free((*key)->pkey);
	free(*key);
	*key = NULL;
}

/* Takes both secrets from one piece, which is wiped. */
static int split_secret(const struct suite *suite, uint8_t *data, size_t len,
			struct pqc_secret *secret)
{
	size_t kem_at = suite->is_ecdh_first ? suite->ecdh_secret : 0;
	size_t ecdh_at = suite->is_ecdh_first ? 0 : sizeof(secret->kem);
	int err = len == sizeof(secret->kem) + suite->ecdh_secret ? 0 : -EIO;

	memset(secret, 0, sizeof(*secret));
	if (!err) {
		memcpy(secret->kem, data + kem_at, sizeof(secret->kem));
		memcpy(secret->ecdh, data + ecdh_at, suite->ecdh_secret);
	}
	OPENSSL_cleanse(data, SECRET_BYTES_MAX);
	return err;
}

static int encapsulate(const struct suite *suite, EVP_PKEY *pkey, uint8_t *ciphertext,
		       struct pqc_secret *secret)
{
	uint8_t data[SUITE_CIPHERTEXT_BYTES_MAX], both[SECRET_BYTES_MAX];
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	size_t len = sizeof(data), secret_len = sizeof(both);
	int err = 0;

	if (!ctx || EVP_PKEY_encapsulate_init(ctx, NULL) != 1)
		err = -EIO;
	/* An X25519 key of low order is detected only here. */
	else if (EVP_PKEY_encapsulate(ctx, data, &len, both, &secret_len) != 1)
		err = -EINVAL;
	else if (len != suite_ciphertext_bytes(suite))
		err = -EIO;
	if (!err) {
		reorder(suite, ciphertext, data, suite->ecdh_public, suite->kem_ciphertext);
		err = split_secret(suite, both, secret_len, secret);
	}
	EVP_PKEY_CTX_free(ctx);
	OPENSSL_cleanse(both, sizeof(both));
	return err;
}

int pqc_encapsulate(const struct suite *suite, const uint8_t *public_key, size_t len,
		    uint8_t *ciphertext, struct pqc_secret *secret)
{
	uint8_t data[SUITE_PUBLIC_BYTES_MAX];
	EVP_PKEY *pkey = NULL;
	int err = -EINVAL;

	if (len == suite_public_bytes(suite)) {
		reorder(suite, data, public_key, suite->kem_public, suite->ecdh_public);
		pkey = EVP_PKEY_new_raw_public_key_ex(NULL, suite->group, NULL, data, len);
	}
	if (pkey)
		err = encapsulate(suite, pkey, ciphertext, secret);
	EVP_PKEY_free(pkey);
	if (err) {
		ERR_clear_error();
		OPENSSL_cleanse(secret, sizeof(*secret));
	}
	return err;
}

static int decapsulate(const struct pqc_key *key, const uint8_t *ciphertext, size_t len,
		       struct pqc_secret *secret)
{
	uint8_t data[SUITE_CIPHERTEXT_BYTES_MAX], both[SECRET_BYTES_MAX];
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);
	size_t secret_len = sizeof(both);
	int err = -EINVAL;

	reorder(key->suite, data, ciphertext, key->suite->kem_ciphertext, key->suite->ecdh_public);
	if (ctx && EVP_PKEY_decapsulate_init(ctx, NULL) == 1 &&
	    EVP_PKEY_decapsulate(ctx, both, &secret_len, data, len) == 1 &&
	    !split_secret(key->suite, both, secret_len, secret))
		err = 0;
	EVP_PKEY_CTX_free(ctx);
	OPENSSL_cleanse(both, sizeof(both));
	return err;
}

int pqc_decapsulate(struct pqc_key **key, const uint8_t *ciphertext, size_t len,
		    struct pqc_secret *secret)
{
	int err = -EINVAL;

	if (!*key)
		err = -ENOKEY;
	else if (len == suite_ciphertext_bytes((*key)->suite))
		err = decapsulate(*key, ciphertext, len, secret);
	pqc_key_free(key);
	if (err) {
		ERR_clear_error();
		OPENSSL_cleanse(secret, sizeof(*secret));
	}
	return err;
}
