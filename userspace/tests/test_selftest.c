// SPDX-License-Identifier: GPL-2.0-or-later
/* The agent's self-test: right with this OpenSSL, and wrong with one bit of any answer. */
#include "qlinkd/selftest.c"

#include "tap.h"

#define N_SELFTESTS	COUNT(selftests)

TEST(each_algorithm_is_right)
{
	struct qlink_why why;
	size_t i;

	for (i = 0; i < N_SELFTESTS; i++)
		CHECK(is_right(&selftests[i]), "%s", selftests[i].name);
	CHECK_NUMBER("all", selftest_run(&why), 0);
}

TEST(each_bit_of_an_answer_counts)
{
	struct selftest changed;
	size_t i, bit;

	for (i = 0; i < N_SELFTESTS; i++) {
		changed = selftests[i];
		for (bit = 0; bit < 8 * changed.len; bit++) {
			changed.answer[bit / 8] ^= (uint8_t)(1 << bit % 8);
			CHECK(!is_right(&changed), "%s, bit %zu", changed.name, bit);
			changed.answer[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

TEST(a_changed_signature_does_not_verify)
{
	uint8_t text[8] = "a text", signature[SIGNATURE_BYTES_MAX];
	size_t len = sizeof(signature), bit;
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ML-DSA-65");

	if (!key || !sign(key, text, sizeof(text), signature, &len))
		BAIL_OUT();
	CHECK(verifies(key, text, sizeof(text), signature, len), "the signature as it was made");
	for (bit = 0; bit < 8 * len; bit += 997) {
		signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CHECK(!verifies(key, text, sizeof(text), signature, len), "bit %zu", bit);
		signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	EVP_PKEY_free(key);
}

TEST(an_algorithm_that_openssl_lacks_is_wrong)
{
	uint8_t answer[ANSWER_BYTES_MAX];

	CHECK(!kem("ML-KEM-999", answer), "a KEM that does not exist");
	CHECK(!is_consistent("ML-DSA-99"), "a signature that does not exist");
}
