// SPDX-License-Identifier: GPL-2.0-or-later
/* The KEM: each half alone, hostile input, and one use of each key. */
#include "qlinkd/secrets/pqc.c"

#include <stdbool.h>
#include <string.h>

#include "tap.h"

#define MLKEM_PUBLIC	1184
#define MLKEM_PRIVATE	2400
#define MLKEM_CIPHERTEXT	1088
#define X25519_BYTES	32

/* One agreement, with both ends. */
struct pair {
	struct pqc_key *key;
	uint8_t public_key[PQC_PUBLIC_BYTES];
	uint8_t private_key[MLKEM_PRIVATE + X25519_BYTES];
	uint8_t ciphertext[PQC_CIPHERTEXT_BYTES];
	struct pqc_secret sent;
	struct pqc_secret got;
};

static void pair_make(struct pair *pair)
{
	size_t len = sizeof(pair->private_key);

	CHECK_NUMBER("key", pqc_key_new(&pair->key, pair->public_key), 0);
	CHECK_NUMBER("private", EVP_PKEY_get_raw_private_key(pair->key->pkey,
						pair->private_key, &len), 1);
	CHECK_NUMBER("its length", len, sizeof(pair->private_key));
	CHECK_NUMBER("encapsulate", pqc_encapsulate(pair->public_key,
						    PQC_PUBLIC_BYTES,
						    pair->ciphertext,
						    &pair->sent), 0);
}

static int pair_open(struct pair *pair)
{
	return pqc_decapsulate(&pair->key, pair->ciphertext,
			       PQC_CIPHERTEXT_BYTES, &pair->got);
}

static bool is_zero(const void *at, size_t len)
{
	const uint8_t *byte = at;

	while (len--)
		if (*byte++)
			return false;
	return true;
}

TEST(both_ends_have_the_same_secrets_and_each_offer_has_its_own)
{
	struct pair a, b;

	pair_make(&a);
	pair_make(&b);
	CHECK_NUMBER("open", pair_open(&a), 0);
	CHECK_NUMBER("open", pair_open(&b), 0);
	CHECK(!memcmp(&a.sent, &a.got, sizeof(a.sent)), "the ends differ");
	CHECK(!is_zero(a.got.mlkem, PQC_SECRET_BYTES), "ML-KEM gave zeros");
	CHECK(!is_zero(a.got.x25519, PQC_SECRET_BYTES), "X25519 gave zeros");
	CHECK(memcmp(a.got.mlkem, b.got.mlkem, PQC_SECRET_BYTES),
	      "two keys, one ML-KEM secret");
	CHECK(memcmp(a.got.x25519, b.got.x25519, PQC_SECRET_BYTES),
	      "two keys, one X25519 secret");
}

/* Open the first half alone, as ML-KEM-768. */
static void check_mlkem(const struct pair *pair)
{
	uint8_t secret[PQC_SECRET_BYTES];
	size_t len = sizeof(secret);
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *ctx;

	pkey = EVP_PKEY_new_raw_private_key_ex(NULL, "ML-KEM-768", NULL,
					       pair->private_key,
					       MLKEM_PRIVATE);
	ctx = EVP_PKEY_CTX_new(pkey, NULL);
	CHECK_NUMBER("init", EVP_PKEY_decapsulate_init(ctx, NULL), 1);
	CHECK_NUMBER("decapsulate", EVP_PKEY_decapsulate(ctx, secret, &len,
				pair->ciphertext, MLKEM_CIPHERTEXT), 1);
	CHECK(!memcmp(secret, pair->sent.mlkem, sizeof(secret)),
	      "ML-KEM-768 alone gives another secret");
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
}

/* Open the second half alone, as X25519 with the share in the ciphertext. */
static void check_x25519(const struct pair *pair)
{
	uint8_t secret[PQC_SECRET_BYTES];
	size_t len = sizeof(secret);
	EVP_PKEY *own, *peer;
	EVP_PKEY_CTX *ctx;

	own = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL,
					   pair->private_key + MLKEM_PRIVATE,
					   X25519_BYTES);
	peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL,
					   pair->ciphertext + MLKEM_CIPHERTEXT,
					   X25519_BYTES);
	ctx = EVP_PKEY_CTX_new(own, NULL);
	CHECK_NUMBER("init", EVP_PKEY_derive_init(ctx), 1);
	CHECK_NUMBER("peer", EVP_PKEY_derive_set_peer(ctx, peer), 1);
	CHECK_NUMBER("derive", EVP_PKEY_derive(ctx, secret, &len), 1);
	CHECK(!memcmp(secret, pair->sent.x25519, sizeof(secret)),
	      "X25519 alone gives another secret");
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(own);
	EVP_PKEY_free(peer);
}

TEST(the_halves_are_ml_kem_768_and_x25519)
{
	struct pair pair;

	pair_make(&pair);
	check_mlkem(&pair);
	check_x25519(&pair);
	pqc_key_free(&pair.key);
}

/* FIPS 203, algorithm 18, step 7: J(z || c), where z is the private key's last bytes. */
static void implicit_rejection(const struct pair *pair, uint8_t *secret)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();

	CHECK_NUMBER("SHAKE256", EVP_DigestInit_ex(hash, EVP_shake256(), NULL) &&
		     EVP_DigestUpdate(hash, pair->private_key + MLKEM_PRIVATE -
				      32, 32) &&
		     EVP_DigestUpdate(hash, pair->ciphertext,
				      MLKEM_CIPHERTEXT) &&
		     EVP_DigestFinalXOF(hash, secret, PQC_SECRET_BYTES), 1);
	EVP_MD_CTX_free(hash);
}

TEST(a_changed_ml_kem_ciphertext_gives_the_secret_that_fips_203_says)
{
	static const size_t at[] = { 0, 500, MLKEM_CIPHERTEXT - 1 };
	uint8_t want[PQC_SECRET_BYTES];
	struct pair pair;
	size_t i;

	for (i = 0; i < COUNT(at); i++) {
		pair_make(&pair);
		pair.ciphertext[at[i]] ^= 1;
		implicit_rejection(&pair, want);
		CHECK_NUMBER("open", pair_open(&pair), 0);
		CHECK(!memcmp(pair.got.mlkem, want, sizeof(want)),
		      "byte %zu: not J(z, c)", at[i]);
		CHECK(memcmp(pair.got.mlkem, pair.sent.mlkem, sizeof(want)),
		      "byte %zu: the same secret", at[i]);
		CHECK(!memcmp(pair.got.x25519, pair.sent.x25519, sizeof(want)),
		      "byte %zu: another X25519 secret", at[i]);
	}
}

TEST(a_changed_x25519_share_gives_another_secret)
{
	struct pair pair;

	pair_make(&pair);
	pair.ciphertext[MLKEM_CIPHERTEXT] ^= 1;
	CHECK_NUMBER("open", pair_open(&pair), 0);
	CHECK(memcmp(pair.got.x25519, pair.sent.x25519, PQC_SECRET_BYTES),
	      "the same secret");
	CHECK(!memcmp(pair.got.mlkem, pair.sent.mlkem, PQC_SECRET_BYTES),
	      "another ML-KEM secret");
}

static void check_not_opened(const char *why, struct pair *pair, size_t len,
			     int want)
{
	memset(&pair->got, 0xa5, sizeof(pair->got));
	CHECK_NUMBER(why, pqc_decapsulate(&pair->key, pair->ciphertext, len,
					  &pair->got), want);
	CHECK(is_zero(&pair->got, sizeof(pair->got)), "%s: not wiped", why);
	CHECK(!pair->key, "%s: the key still exists", why);
}

TEST(a_kem_key_is_used_for_one_offer_whether_it_succeeds_or_not)
{
	struct pair pair;

	pair_make(&pair);
	CHECK_NUMBER("first", pair_open(&pair), 0);
	check_not_opened("second", &pair, PQC_CIPHERTEXT_BYTES, -ENOKEY);
	pair_make(&pair);
	check_not_opened("a byte short", &pair, PQC_CIPHERTEXT_BYTES - 1,
			 -EINVAL);
	check_not_opened("then the correct length", &pair, PQC_CIPHERTEXT_BYTES, -ENOKEY);
}

TEST(bad_ciphertexts_are_refused)
{
	struct pair pair;

	pair_make(&pair);
	check_not_opened("nothing", &pair, 0, -EINVAL);
	pair_make(&pair);
	check_not_opened("X25519 missing", &pair, MLKEM_CIPHERTEXT, -EINVAL);
	pair_make(&pair);
	memset(pair.ciphertext + MLKEM_CIPHERTEXT, 0, X25519_BYTES);
	check_not_opened("X25519 zero", &pair, PQC_CIPHERTEXT_BYTES, -EINVAL);
}

static void check_not_made(const char *why, struct pair *pair, size_t len)
{
	memset(&pair->sent, 0xa5, sizeof(pair->sent));
	CHECK_NUMBER(why, pqc_encapsulate(pair->public_key, len,
					  pair->ciphertext, &pair->sent),
		     -EINVAL);
	CHECK(is_zero(&pair->sent, sizeof(pair->sent)), "%s: not wiped", why);
	pqc_key_free(&pair->key);
}

TEST(bad_public_keys_are_refused)
{
	struct pair pair;

	pair_make(&pair);
	check_not_made("nothing", &pair, 0);
	pair_make(&pair);
	check_not_made("a byte short", &pair, PQC_PUBLIC_BYTES - 1);
	pair_make(&pair);
	memset(pair.public_key + MLKEM_PUBLIC, 0, X25519_BYTES);
	check_not_made("X25519 zero", &pair, PQC_PUBLIC_BYTES);
	/* A coefficient of 4095; the largest allowed is 3328: FIPS 203, 7.2. */
	pair_make(&pair);
	pair.public_key[0] = 0xff;
	pair.public_key[1] |= 0x0f;
	check_not_made("coefficient", &pair, PQC_PUBLIC_BYTES);
}

TEST(failures_leave_nothing_for_the_next_user_of_openssl)
{
	struct pair pair;

	pair_make(&pair);
	check_not_opened("short", &pair, 3, -EINVAL);
	pair_make(&pair);
	pair.public_key[0] = 0xff;
	pair.public_key[1] |= 0x0f;
	check_not_made("coefficient", &pair, PQC_PUBLIC_BYTES);
	CHECK_NUMBER("errors queued", ERR_peek_error(), 0);
}
