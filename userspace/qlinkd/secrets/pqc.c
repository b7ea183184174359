// SPDX-License-Identifier: GPL-2.0-or-later
/* X25519MLKEM768: one KEM key, made of X25519 and ML-KEM-768, for one offer. */
#include "pqc.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#define ALGORITHM	"X25519MLKEM768"

/* OpenSSL returns both secrets in one piece, the one of ML-KEM first. */
_Static_assert(sizeof(struct pqc_secret) == 2 * PQC_SECRET_BYTES,
	       "struct pqc_secret has no padding");

struct pqc_key {
	EVP_PKEY *pkey;
};

int pqc_key_new(struct pqc_key **key, uint8_t *public_key)
{
	struct pqc_key *made = calloc(1, sizeof(*made));
	size_t len = PQC_PUBLIC_BYTES;

	*key = NULL;
	if (!made)
		return -EIO;
	made->pkey = EVP_PKEY_Q_keygen(NULL, NULL, ALGORITHM);
	if (!made->pkey ||
	    EVP_PKEY_get_raw_public_key(made->pkey, public_key, &len) != 1 ||
	    len != PQC_PUBLIC_BYTES) {
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

static int encapsulate(EVP_PKEY *pkey, uint8_t *ciphertext,
		       struct pqc_secret *secret)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	size_t ciphertext_len = PQC_CIPHERTEXT_BYTES;
	size_t secret_len = sizeof(*secret);
	int err = 0;

	if (!ctx || EVP_PKEY_encapsulate_init(ctx, NULL) != 1)
		err = -EIO;
	/* An X25519 key of low order is detected only here. */
	else if (EVP_PKEY_encapsulate(ctx, ciphertext, &ciphertext_len,
				      (uint8_t *)secret, &secret_len) != 1)
		err = -EINVAL;
	else if (ciphertext_len != PQC_CIPHERTEXT_BYTES ||
		 secret_len != sizeof(*secret))
		err = -EIO;
	EVP_PKEY_CTX_free(ctx);
	return err;
}

int pqc_encapsulate(const uint8_t *public_key, size_t len, uint8_t *ciphertext,
		    struct pqc_secret *secret)
{
	EVP_PKEY *pkey = NULL;
	int err = -EINVAL;

	if (len == PQC_PUBLIC_BYTES)
		pkey = EVP_PKEY_new_raw_public_key_ex(NULL, ALGORITHM, NULL,
						      public_key, len);
	if (pkey)
		err = encapsulate(pkey, ciphertext, secret);
	EVP_PKEY_free(pkey);
	if (err) {
		ERR_clear_error();
		OPENSSL_cleanse(secret, sizeof(*secret));
	}
	return err;
}

static int decapsulate(EVP_PKEY *pkey, const uint8_t *ciphertext, size_t len,
		       struct pqc_secret *secret)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	size_t secret_len = sizeof(*secret);
	int err = 0;

	if (!ctx || EVP_PKEY_decapsulate_init(ctx, NULL) != 1 ||
	    EVP_PKEY_decapsulate(ctx, (uint8_t *)secret, &secret_len,
				 ciphertext, len) != 1 ||
	    secret_len != sizeof(*secret))
		err = -EINVAL;
	EVP_PKEY_CTX_free(ctx);
	return err;
}

int pqc_decapsulate(struct pqc_key **key, const uint8_t *ciphertext, size_t len,
		    struct pqc_secret *secret)
{
	int err = -EINVAL;

	if (!*key)
		err = -ENOKEY;
	else if (len == PQC_CIPHERTEXT_BYTES)
		err = decapsulate((*key)->pkey, ciphertext, len, secret);
	pqc_key_free(key);
	if (err) {
		ERR_clear_error();
		OPENSSL_cleanse(secret, sizeof(*secret));
	}
	return err;
}
