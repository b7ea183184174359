// SPDX-License-Identifier: GPL-2.0-or-later
/* Known-answer tests of the algorithms that keys are derived with, before any secret is read. */
#include "selftest.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#define HASH_BYTES	48
#define TAG_BYTES	16
#define NONCE_BYTES	12
#define KEM_SECRET_BYTES	32
#define KEM_SEED_BYTES	32
/* The longest answer, and the longest ciphertext of ML-KEM. */
#define ANSWER_BYTES_MAX	80
#define KEM_CIPHERTEXT_BYTES_MAX	1568
#define SIGNATURE_BYTES_MAX	4627

/* Inputs are bytes that count upwards. */
static void count(uint8_t *to, size_t len, uint8_t first)
{
	while (len--)
		*to++ = first++;
}

static EVP_PKEY *key_from(const char *algorithm, const OSSL_PARAM *params)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, algorithm, NULL);
	EVP_PKEY *key = NULL;

	if (context && EVP_PKEY_fromdata_init(context) > 0)
		EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, (OSSL_PARAM *)params);
	EVP_PKEY_CTX_free(context);
	return key;
}

/* ---- hashes and ciphers ---- */

static bool hash(uint8_t *answer)
{
	uint8_t data[200];

	count(data, sizeof(data), 0);
	return EVP_Q_digest(NULL, "SHA384", NULL, data, sizeof(data), answer, NULL);
}

static bool mac(uint8_t *answer)
{
	uint8_t key[48], data[100];

	count(key, sizeof(key), 0);
	count(data, sizeof(data), 0x40);
	return EVP_Q_mac(NULL, "HMAC", NULL, "SHA384", NULL, key, sizeof(key), data, sizeof(data), answer,
			 HASH_BYTES, NULL);
}

static bool seal(uint8_t *answer)
{
	uint8_t key[32], nonce[NONCE_BYTES], header[16], text[40];
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int n, end;
	bool ok;

	count(key, sizeof(key), 0);
	count(nonce, sizeof(nonce), 0x40);
	count(header, sizeof(header), 0x80);
	count(text, sizeof(text), 0xa0);
	ok = context && EVP_EncryptInit_ex2(context, EVP_aes_256_gcm(), key, nonce, NULL) &&
	     EVP_EncryptUpdate(context, NULL, &n, header, sizeof(header)) &&
	     EVP_EncryptUpdate(context, answer, &n, text, sizeof(text)) &&
	     EVP_EncryptFinal_ex(context, answer + n, &end) &&
	     EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, answer + sizeof(text));
	EVP_CIPHER_CTX_free(context);
	return ok;
}

/* ---- ECDH ---- */

/* Both secrets must be the same: of our key and the peer's public key, and the other way round. */
static bool derive(EVP_PKEY *own, EVP_PKEY *peer, uint8_t *secret, size_t len)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(own, NULL);
	size_t n = len;
	bool ok = context && EVP_PKEY_derive_init(context) > 0 && EVP_PKEY_derive_set_peer(context, peer) > 0 &&
		  EVP_PKEY_derive(context, secret, &n) > 0 && n == len;

	EVP_PKEY_CTX_free(context);
	return ok;
}

static bool agree(EVP_PKEY *a, EVP_PKEY *b, uint8_t *answer, size_t len)
{
	uint8_t other[HASH_BYTES];

	return a && b && derive(a, b, answer, len) && derive(b, a, other, len) && !memcmp(answer, other, len);
}

static EVP_PKEY *x25519_key(uint8_t first)
{
	uint8_t scalar[32];

	count(scalar, sizeof(scalar), first);
	return EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, scalar, sizeof(scalar));
}

static bool x25519(uint8_t *answer)
{
	EVP_PKEY *a = x25519_key(0), *b = x25519_key(0x40);
	bool ok = agree(a, b, answer, 32);

	EVP_PKEY_free(a);
	EVP_PKEY_free(b);
	return ok;
}

/* OpenSSL computes no public key by itself when it is given a private one. */
static EVP_PKEY *p384_key(uint8_t first)
{
	uint8_t scalar[48], public_key[97], native[48];
	EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_secp384r1);
	EC_POINT *point = group ? EC_POINT_new(group) : NULL;
	BIGNUM *number;
	EVP_PKEY *key = NULL;
	bool ok;

	count(scalar, sizeof(scalar), first);
	number = BN_bin2bn(scalar, sizeof(scalar), NULL);
	ok = point && number && EC_POINT_mul(group, point, number, NULL, NULL, NULL) &&
	     EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, public_key, sizeof(public_key), NULL) &&
	     BN_bn2nativepad(number, native, sizeof(native)) == sizeof(native);
	if (ok) {
		OSSL_PARAM params[] = {
			OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)"P-384", 0),
			OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native, sizeof(native)),
			OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, public_key, sizeof(public_key)),
			OSSL_PARAM_construct_end(),
		};

		key = key_from("EC", params);
	}
	BN_free(number);
	EC_POINT_free(point);
	EC_GROUP_free(group);
	return key;
}

static bool p384(uint8_t *answer)
{
	EVP_PKEY *a = p384_key(1), *b = p384_key(0x40);
	bool ok = agree(a, b, answer, 48);

	EVP_PKEY_free(a);
	EVP_PKEY_free(b);
	return ok;
}

/* ---- ML-KEM ---- */

static bool encapsulate(EVP_PKEY *key, uint8_t *ciphertext, size_t *len, uint8_t *secret)
{
	uint8_t random[KEM_SEED_BYTES];
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_KEM_PARAM_IKME, random, sizeof(random)),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	size_t secret_len = KEM_SECRET_BYTES;
	bool ok;

	count(random, sizeof(random), 0x40);
	ok = context && EVP_PKEY_encapsulate_init(context, params) > 0 &&
	     EVP_PKEY_encapsulate(context, ciphertext, len, secret, &secret_len) > 0;
	EVP_PKEY_CTX_free(context);
	return ok;
}

/* Return: whether decapsulation gives this secret. */
static bool opens_to(EVP_PKEY *key, const uint8_t *ciphertext, size_t len, const uint8_t *secret)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	uint8_t opened[KEM_SECRET_BYTES];
	size_t n = sizeof(opened);
	bool ok = context && EVP_PKEY_decapsulate_init(context, NULL) > 0 &&
		  EVP_PKEY_decapsulate(context, opened, &n, ciphertext, len) > 0 &&
		  !memcmp(opened, secret, sizeof(opened));

	EVP_PKEY_CTX_free(context);
	return ok;
}

/* The secret, then the hash of the ciphertext. Once that is changed it must open to another secret. */
static bool kem(const char *name, uint8_t *answer)
{
	uint8_t seed[2 * KEM_SEED_BYTES], ciphertext[KEM_CIPHERTEXT_BYTES_MAX];
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_ML_KEM_SEED, seed, sizeof(seed)),
		OSSL_PARAM_construct_end(),
	};
	size_t len = sizeof(ciphertext);
	EVP_PKEY *key;
	bool ok;

	count(seed, sizeof(seed), 0);
	key = key_from(name, params);
	ok = key && encapsulate(key, ciphertext, &len, answer) &&
	     EVP_Q_digest(NULL, "SHA384", NULL, ciphertext, len, answer + KEM_SECRET_BYTES, NULL) &&
	     opens_to(key, ciphertext, len, answer);
	if (ok) {
		ciphertext[0] ^= 1;
		ok = !opens_to(key, ciphertext, len, answer);
	}
	EVP_PKEY_free(key);
	return ok;
}

static bool kem_768(uint8_t *answer)
{
	return kem("ML-KEM-768", answer);
}

static bool kem_1024(uint8_t *answer)
{
	return kem("ML-KEM-1024", answer);
}

/* ---- signatures ---- */

static bool sign(EVP_PKEY *key, const uint8_t *text, size_t len, uint8_t *signature, size_t *signature_len)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool ok = context && EVP_DigestSignInit_ex(context, NULL, NULL, NULL, NULL, key, NULL) > 0 &&
		  EVP_DigestSign(context, signature, signature_len, text, len) > 0;

	EVP_MD_CTX_free(context);
	return ok;
}

static bool verifies(EVP_PKEY *key, const uint8_t *text, size_t len, const uint8_t *signature, size_t signature_len)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool ok = context && EVP_DigestVerifyInit_ex(context, NULL, NULL, NULL, NULL, key, NULL) > 0 &&
		  EVP_DigestVerify(context, signature, signature_len, text, len) == 1;

	EVP_MD_CTX_free(context);
	return ok;
}

/* A signature has no answer here. */
static bool is_consistent(const char *name)
{
	uint8_t text[64], signature[SIGNATURE_BYTES_MAX];
	size_t len = sizeof(signature);
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, name);
	bool ok;

	count(text, sizeof(text), 0);
	ok = key && sign(key, text, sizeof(text), signature, &len) &&
	     verifies(key, text, sizeof(text), signature, len);
	text[0] ^= 1;
	ok = ok && !verifies(key, text, sizeof(text), signature, len);
	EVP_PKEY_free(key);
	return ok;
}

static bool ml_dsa_65(uint8_t *answer)
{
	(void)answer;
	return is_consistent("ML-DSA-65");
}

static bool ml_dsa_87(uint8_t *answer)
{
	(void)answer;
	return is_consistent("ML-DSA-87");
}

/* ---- all of them ---- */

/* The answers are those of tests/make-selftest-answers. */
static const struct selftest {
	const char *name;
	bool (*run)(uint8_t *answer);
	size_t len;
	uint8_t answer[ANSWER_BYTES_MAX];
} selftests[] = {
	{ "SHA-384", hash, 48, {
		0x7e, 0xa4, 0xbb, 0x25, 0x34, 0xc6, 0x70, 0x36, 0xf4, 0x9d, 0xe7, 0xbe,
		0xb5, 0xfe, 0x8a, 0x24, 0x78, 0xdf, 0x04, 0xff, 0x3f, 0xef, 0x40, 0xa9,
		0xcd, 0x49, 0x23, 0x99, 0x9a, 0x59, 0x0e, 0x99, 0x12, 0xdf, 0x12, 0x97,
		0x21, 0x7c, 0xe1, 0xa0, 0x21, 0xaa, 0x2f, 0xb1, 0x01, 0x34, 0x98, 0xb8,
	} },
	{ "HMAC-SHA-384", mac, 48, {
		0x24, 0xf9, 0x47, 0x2f, 0x7e, 0x66, 0x23, 0xcc, 0x4f, 0x79, 0xd1, 0xf7,
		0x05, 0x51, 0x37, 0xd0, 0xe3, 0x65, 0xa9, 0x42, 0x54, 0x89, 0x01, 0x3b,
		0x85, 0x19, 0x14, 0x32, 0xbe, 0xa0, 0x70, 0x0c, 0x41, 0x52, 0xef, 0x3e,
		0xac, 0x48, 0x38, 0xeb, 0x26, 0x1e, 0x26, 0xbf, 0x3b, 0x31, 0xa4, 0x6b,
	} },
	{ "AES-256-GCM", seal, 56, {
		0x42, 0x18, 0x0c, 0x80, 0x82, 0x99, 0x21, 0xa4, 0x65, 0x6d, 0xbd, 0x9d,
		0x37, 0xc9, 0xbd, 0xf4, 0xc9, 0x77, 0xe0, 0xef, 0x03, 0x80, 0xb9, 0x94,
		0xcf, 0xfe, 0xf4, 0x5e, 0x2b, 0xae, 0x53, 0x64, 0x58, 0xc9, 0x31, 0x6f,
		0x1a, 0x7c, 0x19, 0x93, 0x48, 0x2f, 0xce, 0xca, 0xc7, 0x1d, 0xc4, 0x30,
		0xe9, 0x64, 0x25, 0x86, 0x9e, 0xdc, 0x21, 0x49,
	} },
	{ "X25519", x25519, 32, {
		0x6d, 0x54, 0xcc, 0x9c, 0x39, 0x7e, 0x31, 0x69, 0x14, 0x01, 0x11, 0x0f,
		0x58, 0xda, 0x1e, 0x18, 0x2a, 0x63, 0x5d, 0x7e, 0x44, 0xc2, 0x1d, 0xc2,
		0xd7, 0xbe, 0x93, 0x62, 0x46, 0x52, 0xab, 0x15,
	} },
	{ "P-384", p384, 48, {
		0xd2, 0x78, 0x92, 0x2c, 0x13, 0x8f, 0x35, 0x41, 0xe2, 0x4e, 0x81, 0xa4,
		0xa1, 0xba, 0x00, 0xb9, 0x97, 0x33, 0xb2, 0x86, 0xa2, 0x90, 0x53, 0x2a,
		0x2b, 0xee, 0x9b, 0x9b, 0xc0, 0x66, 0x54, 0x9b, 0xf5, 0x7a, 0xf9, 0x35,
		0x02, 0x03, 0x25, 0x0e, 0xd2, 0xbf, 0xf9, 0x80, 0x29, 0xbf, 0xe2, 0x06,
	} },
	{ "ML-KEM-768", kem_768, 80, {
		0x9c, 0xdd, 0xd0, 0x89, 0xff, 0xe7, 0x0e, 0x39, 0x96, 0xe7, 0x6f, 0x7c,
		0x8d, 0x06, 0x74, 0x6d, 0xf3, 0x4d, 0x07, 0xe8, 0x65, 0x7b, 0xc0, 0xfc,
		0xf2, 0xbb, 0x0e, 0x1c, 0x30, 0x84, 0xae, 0xa1, 0x94, 0xeb, 0x03, 0xaa,
		0x09, 0xa4, 0x98, 0xe0, 0x33, 0x6c, 0xee, 0x2d, 0xfe, 0x3a, 0xbd, 0x2b,
		0xa6, 0x2e, 0x18, 0xa9, 0x3c, 0xcd, 0x8e, 0xb1, 0xf1, 0xe3, 0x03, 0x06,
		0x6b, 0xaa, 0x58, 0x70, 0xc6, 0x9f, 0x20, 0x09, 0x30, 0xd1, 0x50, 0x24,
		0x6b, 0xd1, 0x2c, 0x09, 0xb9, 0xb5, 0xb1, 0x91,
	} },
	{ "ML-KEM-1024", kem_1024, 80, {
		0x0a, 0xd8, 0xd1, 0xea, 0x1b, 0x8d, 0xd7, 0x88, 0x97, 0x9b, 0x43, 0x79,
		0x58, 0x12, 0x18, 0xdf, 0x93, 0x21, 0xbd, 0xce, 0x55, 0x67, 0xec, 0xa4,
		0x2a, 0xe6, 0xbe, 0x7d, 0x39, 0x5f, 0x1a, 0x54, 0x6a, 0x26, 0x69, 0xc3,
		0x13, 0xec, 0x0e, 0xf1, 0x5e, 0xc0, 0xf4, 0x1c, 0x49, 0x68, 0x86, 0x6e,
		0xf5, 0x3c, 0x8e, 0xeb, 0x42, 0xdf, 0x67, 0x3d, 0xe5, 0x3f, 0x0b, 0xbf,
		0x9a, 0x46, 0x6d, 0xde, 0xcd, 0x1c, 0xfd, 0xec, 0x63, 0x3e, 0xe3, 0x00,
		0x1f, 0x71, 0xfb, 0xf9, 0xea, 0x36, 0x12, 0x03,
	} },
	{ "ML-DSA-65", ml_dsa_65, 0, { 0 } },
	{ "ML-DSA-87", ml_dsa_87, 0, { 0 } },
};

static bool is_right(const struct selftest *test)
{
	uint8_t answer[ANSWER_BYTES_MAX];

	return test->run(answer) && !memcmp(answer, test->answer, test->len);
}

int selftest_run(struct qlink_why *why)
{
	size_t i;

	for (i = 0; i < sizeof(selftests) / sizeof(selftests[0]); i++)
		if (!is_right(&selftests[i])) {
			ERR_clear_error();
			return qlink_refuse(why, -EIO, "%s of OpenSSL is wrong or missing: its self-test failed, and no key is made",
					    selftests[i].name);
		}
	ERR_clear_error();
	return 0;
}
