// SPDX-License-Identifier: GPL-2.0
/* AES-256-GCM by the kernel's crypto library, which needs no request and no scatterlist, and wipes
 * its stack.
 */
#include "aead_backend.h"

#ifdef QLINK_HAS_AES_GCM_LIBRARY

#include <crypto/aes-gcm.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/qlink.h>

#include "wire.h"

/* Here a transform is the library's prepared key. */
static struct aes_gcm_key *qlink_aead_library_key_of(struct qlink_aead *aead)
{
	return (struct aes_gcm_key *)aead;
}

static const char *qlink_aead_library_driver(void)
{
	return "the kernel's library";
}

/* The library checks for the FPU itself and can do without. */
static bool qlink_aead_library_needs_fpu(void)
{
	return false;
}

static bool qlink_aead_library_may_key_anywhere(void)
{
	return true;
}

static struct qlink_aead *qlink_aead_library_new(void)
{
	struct aes_gcm_key *key = kzalloc(sizeof(*key), GFP_KERNEL);

	return key ? (struct qlink_aead *)key : ERR_PTR(-ENOMEM);
}

static void qlink_aead_library_free(struct qlink_aead *aead)
{
	kfree_sensitive(aead);
}

static int qlink_aead_library_key(struct qlink_aead *aead, const u8 *key)
{
	return aes_gcm_preparekey(qlink_aead_library_key_of(aead), key, QLINK_KEY_BYTES,
				  QLINK_TAG_BYTES);
}

static int qlink_aead_library_wipe(struct qlink_aead *aead)
{
	memzero_explicit(aead, sizeof(struct aes_gcm_key));
	return 0;
}

static int qlink_aead_library_seal(struct qlink_aead *aead, u8 *frame, unsigned int bytes,
				   const u8 *nonce)
{
	unsigned int text_bytes = bytes - QLINK_OVERHEAD_BYTES;
	u8 *text = frame + QLINK_HEADER_BYTES;

	aes_gcm_encrypt(text, text, text_bytes, text + text_bytes, frame, QLINK_HEADER_BYTES,
			nonce, qlink_aead_library_key_of(aead));
	return 0;
}

static int qlink_aead_library_open(struct qlink_aead *aead, u8 *to, const u8 *frame,
				   unsigned int bytes, const u8 *nonce)
{
	unsigned int text_bytes = bytes - QLINK_OVERHEAD_BYTES;
	const u8 *text = frame + QLINK_HEADER_BYTES;

	return aes_gcm_decrypt(to + QLINK_HEADER_BYTES, text, text_bytes, text + text_bytes,
			       frame, QLINK_HEADER_BYTES, nonce,
			       qlink_aead_library_key_of(aead));
}

const struct qlink_aead_backend qlink_aead_library = {
	.name			= "library",
	.driver			= qlink_aead_library_driver,
	.needs_fpu		= qlink_aead_library_needs_fpu,
	.may_key_anywhere	= qlink_aead_library_may_key_anywhere,
	.new			= qlink_aead_library_new,
	.free			= qlink_aead_library_free,
	.key			= qlink_aead_library_key,
	.wipe			= qlink_aead_library_wipe,
	.seal			= qlink_aead_library_seal,
	.open			= qlink_aead_library_open,
};

#endif
