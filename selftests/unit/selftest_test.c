// SPDX-License-Identifier: GPL-2.0
/* The module's self-test, with the AES-256-GCM of OpenSSL in the place of the kernel's, right and wrong. */
#include <openssl/evp.h>

#include <linux/qlink.h>

#include "unit.h"
#undef ARRAY_SIZE

/* ---- in the place of aead.h ---- */

#define QLINK_AEAD_H
#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

#include "../../kmod/wire.h"

#include <linux/err.h>

/* How the implementation is wrong. */
enum fault {
	NONE,
	WRONG_KEY,		/* it has another key than the one that was set */
	WRONG_TEXT,		/* the ciphertext has one wrong bit, which the tag does not tell */
	WRONG_TAG,
	WRONG_LONG_TAG,		/* only of frames that are sealed in a loop of many blocks */
	OPENS_ANYTHING,
	OPENS_ANY_HEADER,
	OPENS_TO_WRONG_TEXT,
	CANNOT_SEAL,
	CANNOT_KEY,
	NO_TRANSFORM,
};

struct qlink_aead {
	u8 key[QLINK_KEY_BYTES];
};

static enum fault fault;
static unsigned int n_transforms, n_locked;

static void local_bh_disable(void) { n_locked++; }
static void local_bh_enable(void) { n_locked--; }
static void qlink_aead_lock(void) { }
static void qlink_aead_unlock(void) { }

static struct qlink_aead *qlink_aead_new(void)
{
	if (fault == NO_TRANSFORM)
		return ERR_PTR(-ENOMEM);
	n_transforms++;
	return calloc(1, sizeof(struct qlink_aead));
}

static void qlink_aead_free(struct qlink_aead *aead)
{
	n_transforms--;
	free(aead);
}

static int qlink_aead_key(struct qlink_aead *aead, const u8 *key)
{
	memcpy(aead->key, key, sizeof(aead->key));
	aead->key[31] ^= fault == WRONG_KEY;
	return fault == CANNOT_KEY ? -EINVAL : 0;
}

/* Return: 1 if all went well. */
static int gcm(const struct qlink_aead *aead, u8 *frame, unsigned int bytes, const u8 *nonce, bool seals)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	unsigned int text_bytes = bytes - QLINK_OVERHEAD_BYTES;
	u8 *text = frame + QLINK_HEADER_BYTES, *tag = text + text_bytes;
	int n, ok;

	ok = EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, aead->key, nonce, seals);
	ok = ok && (seals || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, QLINK_TAG_BYTES, tag));
	ok = ok && EVP_CipherUpdate(context, NULL, &n, frame, QLINK_HEADER_BYTES);
	ok = ok && EVP_CipherUpdate(context, text, &n, text, (int)text_bytes);
	ok = ok && EVP_CipherFinal_ex(context, text + n, &n) > 0;
	ok = ok && (!seals || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, QLINK_TAG_BYTES, tag));
	EVP_CIPHER_CTX_free(context);
	return ok;
}

static int qlink_aead_seal(struct qlink_aead *aead, u8 *frame, unsigned int bytes, const u8 *nonce)
{
	if (fault == CANNOT_SEAL || !gcm(aead, frame, bytes, nonce, true))
		return -EIO;
	frame[QLINK_HEADER_BYTES] ^= fault == WRONG_TEXT;
	frame[bytes - 1] ^= fault == WRONG_TAG || (fault == WRONG_LONG_TAG && bytes > 4000);
	return 0;
}

static int qlink_aead_open(struct qlink_aead *aead, u8 *to, const u8 *frame, unsigned int bytes,
			   const u8 *nonce)
{
	bool ok = gcm(aead, to, bytes, nonce, false);

	(void)frame;
	to[QLINK_HEADER_BYTES] ^= fault == OPENS_TO_WRONG_TEXT;
	if (fault == OPENS_ANYTHING || (fault == OPENS_ANY_HEADER && to[0] != 0x80))
		return 0;
	return ok ? 0 : -EBADMSG;
}

#include "../../kmod/selftest.c"

/* ---- tests ---- */

static const struct {
	const char *why;
	enum fault fault;
	int result;
} rows[] = {
	{ "as it should be", NONE, 0 },
	{ "another key", WRONG_KEY, -EBADMSG },
	{ "a wrong ciphertext", WRONG_TEXT, -EBADMSG },
	{ "a wrong tag", WRONG_TAG, -EBADMSG },
	{ "a wrong tag of long frames only", WRONG_LONG_TAG, -EBADMSG },
	{ "whatever comes is authentic", OPENS_ANYTHING, -EKEYREJECTED },
	{ "the header is not authenticated", OPENS_ANY_HEADER, -EKEYREJECTED },
	{ "a wrong plaintext", OPENS_TO_WRONG_TEXT, -EBADMSG },
	{ "an error when it seals", CANNOT_SEAL, -EIO },
	{ "an error when a key is set", CANNOT_KEY, -EINVAL },
	{ "no transform", NO_TRANSFORM, -ENOMEM },
};

static void each_fault_is_found(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		fault = rows[i].fault;
		CHECK_EQ(rows[i].why, (uint64_t)qlink_selftest(), (uint64_t)rows[i].result);
		CHECK_EQ("transforms left", n_transforms, 0);
		CHECK_EQ("locks left", n_locked, 0);
		CHECK_EQ("memory left", slab_n_held, 0);
	}
}

static void without_memory(void)
{
	fault = NONE;
	slab_left = 0;
	CHECK_EQ("without memory", (uint64_t)qlink_selftest(), (uint64_t)-ENOMEM);
	CHECK_EQ("transforms left", n_transforms, 0);
	slab_left = -1;
}

int main(void)
{
	static const struct unit_test tests[] = {
		{ "each_fault_is_found", each_fault_is_found },
		{ "without_memory", without_memory },
	};

	return unit_main(tests, ARRAY_SIZE(tests));
}
