// SPDX-License-Identifier: GPL-2.0-or-later
/* The KEM: each half alone, hostile input, and one use of each key. */
#include "qlinkd/secrets/pqc.c"

#include <stdbool.h>
#include <string.h>

#include "tap.h"

/* Bytes of a private key of X25519MLKEM768, the first ones of ML-KEM. */
#define PRIVATE_BYTES	2432
#define KEM_PRIVATE_BYTES	2400

/* One agreement, with both ends. */
struct pair {
	const struct suite *suite;
	struct pqc_key *key;
	uint8_t public_key[SUITE_PUBLIC_BYTES_MAX];
	uint8_t ciphertext[SUITE_CIPHERTEXT_BYTES_MAX];
	struct pqc_secret sent;
	struct pqc_secret got;
};

#define for_each_suite(number)	for (number = SUITE_MIN; number <= SUITE_MAX; number++)

static size_t public_bytes(const struct pair *pair)
{
	return suite_public_bytes(pair->suite);
}

static size_t ciphertext_bytes(const struct pair *pair)
{
	return suite_ciphertext_bytes(pair->suite);
}

static void pair_make(struct pair *pair, unsigned int number)
{
	memset(pair, 0, sizeof(*pair));
	pair->suite = suite_find(number);
	CHECK_NUMBER("key", pqc_key_new(&pair->key, pair->suite, pair->public_key), 0);
	CHECK_NUMBER("encapsulate", pqc_encapsulate(pair->suite, pair->public_key, public_bytes(pair),
						    pair->ciphertext, &pair->sent), 0);
}

static int pair_open(struct pair *pair)
{
	return pqc_decapsulate(&pair->key, pair->ciphertext, ciphertext_bytes(pair), &pair->got);
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
	unsigned int i;

	for_each_suite(i) {
		pair_make(&a, i);
		pair_make(&b, i);
		CHECK_NUMBER("open", pair_open(&a), 0);
		CHECK_NUMBER("open", pair_open(&b), 0);
		CHECK(!memcmp(&a.sent, &a.got, sizeof(a.sent)), "the ends differ");
		CHECK(!is_zero(a.got.kem, sizeof(a.got.kem)), "ML-KEM gave zeros");
		CHECK(!is_zero(a.got.ecdh, a.suite->ecdh_secret), "ECDH gave zeros");
		CHECK(memcmp(a.got.kem, b.got.kem, sizeof(a.got.kem)), "two keys, one ML-KEM secret");
		CHECK(memcmp(a.got.ecdh, b.got.ecdh, a.suite->ecdh_secret),
		      "two keys, one ECDH secret");
	}
}

/* A key of one algorithm alone, and its public key. */
static EVP_PKEY *make_part(const char *type, const char *group, uint8_t *public_key, size_t want)
{
	EVP_PKEY *pkey = group ? EVP_PKEY_Q_keygen(NULL, NULL, type, group) : EVP_PKEY_Q_keygen(NULL, NULL, type);
	unsigned char *data = NULL;
	size_t len = EVP_PKEY_get1_encoded_public_key(pkey, &data);

	CHECK_NUMBER(type, len, want);
	memcpy(public_key, data, want);
	OPENSSL_free(data);
	return pkey;
}

static void check_mlkem(EVP_PKEY *own, const struct pair *pair)
{
	uint8_t secret[SUITE_KEM_SECRET_BYTES];
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
	size_t len = sizeof(secret);

	CHECK_NUMBER("init", EVP_PKEY_decapsulate_init(ctx, NULL), 1);
	CHECK_NUMBER("decapsulate", EVP_PKEY_decapsulate(ctx, secret, &len, pair->ciphertext,
							 pair->suite->kem_ciphertext), 1);
	CHECK(!memcmp(secret, pair->sent.kem, sizeof(secret)), "ML-KEM alone gives another secret");
	EVP_PKEY_CTX_free(ctx);
}

/* ECDH with the share in the ciphertext. */
static void check_ecdh(EVP_PKEY *own, const struct pair *pair)
{
	uint8_t secret[SUITE_ECDH_SECRET_BYTES_MAX];
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL), *empty = EVP_PKEY_CTX_new(own, NULL);
	size_t len = sizeof(secret);
	EVP_PKEY *peer = NULL;

	CHECK_NUMBER("kind", EVP_PKEY_paramgen_init(empty) == 1 && EVP_PKEY_paramgen(empty, &peer) == 1, 1);
	CHECK_NUMBER("share", EVP_PKEY_set1_encoded_public_key(peer, pair->ciphertext + pair->suite->kem_ciphertext,
							       pair->suite->ecdh_public), 1);
	CHECK_NUMBER("init", EVP_PKEY_derive_init(ctx), 1);
	CHECK_NUMBER("peer", EVP_PKEY_derive_set_peer(ctx, peer), 1);
	CHECK_NUMBER("derive", EVP_PKEY_derive(ctx, secret, &len), 1);
	CHECK_NUMBER("bytes", len, pair->suite->ecdh_secret);
	CHECK(!memcmp(secret, pair->sent.ecdh, len), "ECDH alone gives another secret");
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_CTX_free(empty);
	EVP_PKEY_free(peer);
}

/* Encapsulates to keys of which each algorithm's was made by itself. */
TEST(the_parts_are_ml_kem_and_ecdh_in_this_order)
{
	static const struct {
		const char *kem, *ecdh, *group;
	} parts[SUITE_MAX + 1] = {
		[1] = { "ML-KEM-768", "X25519", NULL },
		[2] = { "ML-KEM-1024", "EC", "P-384" },
	};
	EVP_PKEY *kem, *ecdh;
	struct pair pair;
	unsigned int i;

	for_each_suite(i) {
		memset(&pair, 0, sizeof(pair));
		pair.suite = suite_find(i);
		kem = make_part(parts[i].kem, NULL, pair.public_key, pair.suite->kem_public);
		ecdh = make_part(parts[i].ecdh, parts[i].group, pair.public_key + pair.suite->kem_public,
				 pair.suite->ecdh_public);
		CHECK_NUMBER("encapsulate", pqc_encapsulate(pair.suite, pair.public_key, public_bytes(&pair),
							    pair.ciphertext, &pair.sent), 0);
		check_mlkem(kem, &pair);
		check_ecdh(ecdh, &pair);
		EVP_PKEY_free(kem);
		EVP_PKEY_free(ecdh);
	}
}

/* FIPS 203, algorithm 18, step 7: J(z || c), where z is the private key's last bytes. */
static void implicit_rejection(const struct pair *pair, uint8_t *secret)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	uint8_t private_key[PRIVATE_BYTES];
	size_t len = sizeof(private_key);

	CHECK_NUMBER("private", EVP_PKEY_get_raw_private_key(pair->key->pkey, private_key, &len), 1);
	CHECK_NUMBER("SHAKE256", EVP_DigestInit_ex(hash, EVP_shake256(), NULL) &&
		     EVP_DigestUpdate(hash, private_key + KEM_PRIVATE_BYTES - 32, 32) &&
		     EVP_DigestUpdate(hash, pair->ciphertext, pair->suite->kem_ciphertext) &&
		     EVP_DigestFinalXOF(hash, secret, SUITE_KEM_SECRET_BYTES), 1);
	EVP_MD_CTX_free(hash);
}

/* OpenSSL does not give the private key of suite 2, so that only the first is compared byte by byte. */
TEST(a_changed_ml_kem_ciphertext_gives_the_secret_that_fips_203_says)
{
	uint8_t want[SUITE_KEM_SECRET_BYTES];
	struct pair pair;
	unsigned int i;
	size_t at, k;

	for_each_suite(i) {
		for (k = 0; k < 3; k++) {
			pair_make(&pair, i);
			at = k * (pair.suite->kem_ciphertext - 1) / 2;
			pair.ciphertext[at] ^= 1;
			if (i == 1)
				implicit_rejection(&pair, want);
			CHECK_NUMBER("open", pair_open(&pair), 0);
			CHECK(i != 1 || !memcmp(pair.got.kem, want, sizeof(want)), "byte %zu: not J(z, c)", at);
			CHECK(memcmp(pair.got.kem, pair.sent.kem, sizeof(want)),
			      "byte %zu: the same secret", at);
			CHECK(!memcmp(pair.got.ecdh, pair.sent.ecdh, sizeof(pair.got.ecdh)),
			      "byte %zu: another ECDH secret", at);
		}
	}
}

TEST(a_changed_x25519_share_gives_another_secret)
{
	struct pair pair;

	pair_make(&pair, 1);
	pair.ciphertext[pair.suite->kem_ciphertext] ^= 1;
	CHECK_NUMBER("open", pair_open(&pair), 0);
	CHECK(memcmp(pair.got.ecdh, pair.sent.ecdh, pair.suite->ecdh_secret), "the same secret");
	CHECK(!memcmp(pair.got.kem, pair.sent.kem, sizeof(pair.got.kem)), "another ML-KEM secret");
}

static void check_not_opened(const char *why, struct pair *pair, size_t len, int want)
{
	memset(&pair->got, 0xa5, sizeof(pair->got));
	CHECK_NUMBER(why, pqc_decapsulate(&pair->key, pair->ciphertext, len, &pair->got), want);
	CHECK(is_zero(&pair->got, sizeof(pair->got)), "%s: not wiped", why);
	CHECK(!pair->key, "%s: the key still exists", why);
}

TEST(a_kem_key_is_used_for_one_offer_whether_it_succeeds_or_not)
{
	struct pair pair;
	unsigned int i;

	for_each_suite(i) {
		pair_make(&pair, i);
		CHECK_NUMBER("first", pair_open(&pair), 0);
		check_not_opened("second", &pair, ciphertext_bytes(&pair), -ENOKEY);
		pair_make(&pair, i);
		check_not_opened("a byte short", &pair, ciphertext_bytes(&pair) - 1, -EINVAL);
		check_not_opened("then the correct length", &pair, ciphertext_bytes(&pair), -ENOKEY);
	}
}

TEST(bad_ciphertexts_are_refused)
{
	struct pair pair;
	unsigned int i;

	for_each_suite(i) {
		pair_make(&pair, i);
		check_not_opened("nothing", &pair, 0, -EINVAL);
		pair_make(&pair, i);
		check_not_opened("ECDH missing", &pair, pair.suite->kem_ciphertext, -EINVAL);
		pair_make(&pair, i);
		memset(pair.ciphertext + pair.suite->kem_ciphertext, 0, pair.suite->ecdh_public);
		check_not_opened("ECDH zero", &pair, ciphertext_bytes(&pair), -EINVAL);
	}
	pair_make(&pair, 2);
	pair.ciphertext[ciphertext_bytes(&pair) - 1] ^= 1;
	check_not_opened("a point that is not on the curve", &pair, ciphertext_bytes(&pair), -EINVAL);
}

static void check_not_made(const char *why, struct pair *pair, size_t len)
{
	memset(&pair->sent, 0xa5, sizeof(pair->sent));
	CHECK_NUMBER(why, pqc_encapsulate(pair->suite, pair->public_key, len, pair->ciphertext,
					  &pair->sent), -EINVAL);
	CHECK(is_zero(&pair->sent, sizeof(pair->sent)), "%s: not wiped", why);
	pqc_key_free(&pair->key);
}

/* Set a coefficient to 4095; the largest allowed is 3328: FIPS 203, 7.2. */
static void spoil(struct pair *pair)
{
	pair->public_key[0] = 0xff;
	pair->public_key[1] |= 0x0f;
}

TEST(bad_public_keys_are_refused)
{
	struct pair pair;
	unsigned int i;

	for_each_suite(i) {
		pair_make(&pair, i);
		check_not_made("nothing", &pair, 0);
		pair_make(&pair, i);
		check_not_made("a byte short", &pair, public_bytes(&pair) - 1);
		pair_make(&pair, i);
		memset(pair.public_key + pair.suite->kem_public, 0, pair.suite->ecdh_public);
		check_not_made("ECDH zero", &pair, public_bytes(&pair));
		pair_make(&pair, i);
		spoil(&pair);
		check_not_made("coefficient", &pair, public_bytes(&pair));
	}
	pair_make(&pair, 2);
	pair.public_key[public_bytes(&pair) - 1] ^= 1;
	check_not_made("a point that is not on the curve", &pair, public_bytes(&pair));
}

TEST(failures_leave_nothing_for_the_next_user_of_openssl)
{
	struct pair pair;
	unsigned int i;

	for_each_suite(i) {
		pair_make(&pair, i);
		check_not_opened("short", &pair, 3, -EINVAL);
		pair_make(&pair, i);
		spoil(&pair);
		check_not_made("coefficient", &pair, public_bytes(&pair));
		CHECK_NUMBER("errors queued", ERR_peek_error(), 0);
	}
}
