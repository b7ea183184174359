// SPDX-License-Identifier: GPL-2.0-or-later
/* One slot of the state file: the chains of a link, sealed. */
#include "slot.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#define MAGIC		"qlinkst1"
#define LABEL		"qlink state 1"
#define LINK_LABEL	"qlink state link"

#define AT_COUNTER	8
#define AT_NUMBER	16
#define AT_SALT		32
#define AT_LINK		64
#define AT_CHAINS	96
#define AT_TAG		(AT_CHAINS + CHAINS_BYTES)
#define AT_HASH		(SLOT_BYTES - SHA256_DIGEST_LENGTH)

#define SALT_BYTES	(AT_LINK - AT_SALT)
#define CHAINS_BYTES	(4 * MIX_CHAIN_BYTES)
#define TAG_BYTES	16
#define KEY_BYTES	32
#define IV_BYTES	12

_Static_assert(sizeof(struct slot_chains) == CHAINS_BYTES, "the chains follow each other as in the file");
_Static_assert(AT_TAG + TAG_BYTES <= AT_HASH, "there is room for all");

static void put_be(uint8_t *to, uint64_t value, size_t len)
{
	while (len--) {
		to[len] = (uint8_t)value;
		value >>= 8;
	}
}

static uint64_t get_be(const uint8_t *from, size_t len)
{
	uint64_t value = 0;

	while (len--)
		value = value << 8 | *from++;
	return value;
}

/* --- the name of a link --- */

static bool hash_name(EVP_MD_CTX *hash, const char *name)
{
	uint8_t len[2];

	put_be(len, strlen(name), sizeof(len));
	return EVP_DigestUpdate(hash, len, sizeof(len)) && EVP_DigestUpdate(hash, name, strlen(name));
}

int slot_link(const char *own, const char *peer, const char *device, uint8_t *link)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	bool is_ok = hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) &&
		     EVP_DigestUpdate(hash, LINK_LABEL, sizeof(LINK_LABEL) - 1) &&
		     hash_name(hash, own) && hash_name(hash, peer) && hash_name(hash, device) &&
		     EVP_DigestFinal_ex(hash, link, NULL);

	EVP_MD_CTX_free(hash);
	return is_ok ? 0 : -EIO;
}

/* --- key and IV of one write --- */

static bool derive(const struct bytes *key, const uint8_t *salt, uint8_t out[KEY_BYTES + IV_BYTES])
{
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA384", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key->data, key->len),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, SALT_BYTES),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)LABEL, sizeof(LABEL) - 1),
		OSSL_PARAM_construct_end(),
	};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *hkdf = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	bool is_ok = hkdf && EVP_KDF_derive(hkdf, out, KEY_BYTES + IV_BYTES, params) == 1;

	EVP_KDF_CTX_free(hkdf);
	EVP_KDF_free(kdf);
	return is_ok;
}

/* Begins to seal or to open under the key of a slot, whose bytes before the chains are there. */
static EVP_CIPHER_CTX *begin(const struct bytes *key, const uint8_t *data, bool seals)
{
	EVP_CIPHER_CTX *gcm = EVP_CIPHER_CTX_new();
	uint8_t derived[KEY_BYTES + IV_BYTES];
	int n;

	if (!gcm || !derive(key, data + AT_SALT, derived) ||
	    !EVP_CipherInit_ex(gcm, EVP_aes_256_gcm(), NULL, derived, derived + KEY_BYTES, seals) ||
	    !EVP_CipherUpdate(gcm, NULL, &n, data, AT_CHAINS)) {
		EVP_CIPHER_CTX_free(gcm);
		gcm = NULL;
	}
	OPENSSL_cleanse(derived, sizeof(derived));
	return gcm;
}

/* --- a slot --- */

static bool seal(const struct bytes *key, const struct slot_chains *chains, uint8_t *data)
{
	EVP_CIPHER_CTX *gcm = begin(key, data, true);
	int n;
	bool is_ok = gcm && EVP_CipherUpdate(gcm, data + AT_CHAINS, &n, (const uint8_t *)chains, CHAINS_BYTES) &&
		     EVP_CipherFinal_ex(gcm, data + AT_TAG, &n) &&
		     EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, data + AT_TAG);

	EVP_CIPHER_CTX_free(gcm);
	return is_ok;
}

int slot_seal(const struct bytes *key, uint32_t number, const struct slot *slot, uint8_t *data)
{
	memset(data, 0, SLOT_BYTES);
	memcpy(data, MAGIC, sizeof(MAGIC) - 1);
	put_be(data + AT_COUNTER, slot->counter, 8);
	put_be(data + AT_NUMBER, number, 4);
	memcpy(data + AT_LINK, slot->link, SLOT_LINK_BYTES);
	if (RAND_bytes(data + AT_SALT, SALT_BYTES) == 1 && seal(key, &slot->chains, data) &&
	    SHA256(data, AT_HASH, data + AT_HASH))
		return 0;
	memset(data, 0, SLOT_BYTES);
	return -EIO;
}

static bool is_all_zero(const uint8_t *data)
{
	size_t i;

	for (i = 0; i < SLOT_BYTES && !data[i]; i++)
		;
	return i == SLOT_BYTES;
}

/* Whether it is as a whole what was once written at this place. */
static bool is_whole(uint32_t number, const uint8_t *data)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];

	return !memcmp(data, MAGIC, sizeof(MAGIC) - 1) && get_be(data + AT_NUMBER, 4) == number &&
	       SHA256(data, AT_HASH, hash) && !memcmp(hash, data + AT_HASH, sizeof(hash));
}

static bool open_chains(const struct bytes *key, const uint8_t *data, struct slot_chains *chains)
{
	EVP_CIPHER_CTX *gcm = begin(key, data, false);
	uint8_t rest[16];
	int n;
	bool is_ok = gcm && EVP_CipherUpdate(gcm, (uint8_t *)chains, &n, data + AT_CHAINS, CHAINS_BYTES) &&
		     EVP_CIPHER_CTX_ctrl(gcm, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, (void *)(data + AT_TAG)) &&
		     EVP_CipherFinal_ex(gcm, rest, &n);

	EVP_CIPHER_CTX_free(gcm);
	return is_ok;
}

enum slot_found slot_open(const struct bytes *key, uint32_t number, const uint8_t *data,
			  struct slot *slot)
{
	memset(slot, 0, sizeof(*slot));
	if (is_all_zero(data))
		return SLOT_EMPTY;
	if (!is_whole(number, data))
		return SLOT_DAMAGED;
	if (!open_chains(key, data, &slot->chains)) {
		OPENSSL_cleanse(slot, sizeof(*slot));
		return SLOT_FOREIGN;
	}
	slot->counter = get_be(data + AT_COUNTER, 8);
	memcpy(slot->link, data + AT_LINK, SLOT_LINK_BYTES);
	return SLOT_OPENED;
}
