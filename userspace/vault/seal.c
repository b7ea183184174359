// SPDX-License-Identifier: GPL-2.0-or-later
/* Seals and opens the records of a vault, under a key that is made from a file. */
#include "seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "common/private.h"
#include "common/secret.h"

#define HASH_NAME	"SHA384"
#define RECORD_LABEL	"qlink vault 1 record"
#define HEAD_LABEL	"qlink vault 1 head"
#define NONCE_BYTES	12
#define NUMBER_BYTES	8

/* What is locked in memory. */
struct keys {
	uint8_t record[32];
	uint8_t head[VAULT_MAC_BYTES];
};

struct vault_seal {
	size_t key_bytes;
	struct qlink_secret memory;
	struct keys *keys;
	EVP_CIPHER_CTX *cipher;
	/* the way that the cipher has its key for; -1 for none */
	int seals;
};

/* --- the key file --- */

static int refuse_errno(const char *path, int err, struct qlink_why *why)
{
	if (err == ENOENT || err == ENOTDIR)
		return qlink_refuse(why, -err, "key file %.200s: does not exist", path);
	if (err == EACCES)
		return qlink_refuse(why, -err, "key file %.200s: user %u may not read it", path,
				    (unsigned int)geteuid());
	return qlink_refuse(why, -err, "key file %.200s: cannot be read: %s", path, strerror(err));
}

static int check_file(const char *path, const struct stat *stat, struct qlink_why *why)
{
	if (!S_ISREG(stat->st_mode))
		return qlink_refuse(why, -EINVAL, "key file %.200s: is no regular file", path);
	if (qlink_is_open_to_others(stat))
		return qlink_refuse(why, -EINVAL, "key file %.200s: others can read or change it: its mode is %04o, "
				    "and may be %s", path, stat->st_mode & 07777,
				    stat->st_uid ? "0600" : "0600 or 0640");
	if (stat->st_size < VAULT_KEYFILE_MIN || stat->st_size > VAULT_KEYFILE_MAX)
		return qlink_refuse(why, -EINVAL, "key file %.200s: has %lld bytes, and needs %d to %d random ones",
				    path, (long long)stat->st_size, VAULT_KEYFILE_MIN, VAULT_KEYFILE_MAX);
	return 0;
}

/* Without the buffers of the C library, which would keep a copy. */
static int read_file(const char *path, struct qlink_secret *secret, struct qlink_why *why)
{
	/* A FIFO must not stop the agent; it is refused. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), err;
	size_t have = 0;
	struct stat stat;
	ssize_t got;

	if (fd < 0)
		return refuse_errno(path, errno, why);
	err = fstat(fd, &stat) ? refuse_errno(path, errno, why) : check_file(path, &stat, why);
	if (!err && qlink_secret_new(secret, (size_t)stat.st_size))
		err = qlink_refuse(why, -ENOMEM, "key file %.200s: no locked memory for it", path);
	while (!err && have < secret->len) {
		got = read(fd, secret->data + have, secret->len - have);
		if (got <= 0)
			err = refuse_errno(path, got ? errno : EIO, why);
		else
			have += (size_t)got;
	}
	close(fd);
	return err;
}

/* --- keys --- */

/* HKDF (RFC 5869). */
static int derive(const struct qlink_secret *secret, const struct vault_layout *layout, const char *label,
		  uint8_t *key, size_t len)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)HASH_NAME, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret->data, secret->len),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)layout->salt, VAULT_SALT_BYTES),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)label, strlen(label)),
		OSSL_PARAM_construct_end(),
	};
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	int err = context && EVP_KDF_derive(context, key, len, params) == 1 ? 0 : -EIO;

	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
	return err;
}

int vault_seal_new(struct vault_seal **out, const char *path, const struct vault_layout *layout,
		   struct qlink_why *why)
{
	struct vault_seal *seal = calloc(1, sizeof(*seal));
	struct qlink_secret secret = { NULL, 0, 0 };
	int err = seal ? read_file(path, &secret, why) : qlink_refuse(why, -ENOMEM, "no memory");

	if (!err && qlink_secret_new(&seal->memory, sizeof(*seal->keys)))
		err = qlink_refuse(why, -ENOMEM, "key file %.200s: no locked memory for it", path);
	if (!err) {
		seal->seals = -1;
		seal->key_bytes = layout->key_bytes;
		seal->keys = (struct keys *)seal->memory.data;
		seal->cipher = EVP_CIPHER_CTX_new();
		err = seal->cipher ? derive(&secret, layout, RECORD_LABEL, seal->keys->record,
					    sizeof(seal->keys->record)) ?:
				     derive(&secret, layout, HEAD_LABEL, seal->keys->head,
					    sizeof(seal->keys->head)) : -ENOMEM;
		if (err)
			qlink_refuse(why, err, "key file %.200s: OpenSSL makes no key from it", path);
	}
	qlink_secret_free(&secret);
	if (err)
		vault_seal_free(seal);
	else
		*out = seal;
	return err;
}

void vault_seal_free(struct vault_seal *seal)
{
	if (!seal)
		return;
	EVP_CIPHER_CTX_free(seal->cipher);
	qlink_secret_free(&seal->memory);
	free(seal);
}

/* --- headers --- */

static int mac_of(const struct vault_seal *seal, const uint8_t *head, uint8_t *mac)
{
	size_t len = 0;

	return EVP_Q_mac(NULL, "HMAC", NULL, HASH_NAME, NULL, seal->keys->head, sizeof(seal->keys->head), head,
			 VAULT_HEAD_BYTES - VAULT_MAC_BYTES, mac, VAULT_MAC_BYTES, &len) &&
	       len == VAULT_MAC_BYTES ? 0 : -EIO;
}

int vault_seal_head(const struct vault_seal *seal, uint8_t *head)
{
	return mac_of(seal, head, head + VAULT_HEAD_BYTES - VAULT_MAC_BYTES);
}

bool vault_seal_is_head(const struct vault_seal *seal, const uint8_t *head)
{
	uint8_t mac[VAULT_MAC_BYTES];

	return !mac_of(seal, head, mac) &&
	       !CRYPTO_memcmp(mac, head + VAULT_HEAD_BYTES - VAULT_MAC_BYTES, VAULT_MAC_BYTES);
}

/* --- records --- */

/* Sets the nonce, and the key where the cipher lacks it; then feeds the associated data. */
static bool begin(struct vault_seal *seal, const uint8_t *head, uint64_t number, int seals)
{
	uint8_t nonce[NONCE_BYTES] = { 0 };
	bool has_key = seal->seals == seals;
	int len, i;

	for (i = 0; i < NUMBER_BYTES; i++)
		nonce[NONCE_BYTES - 1 - i] = (uint8_t)(number >> 8 * i);
	seal->seals = -1;
	if (!EVP_CipherInit_ex(seal->cipher, has_key ? NULL : EVP_aes_256_gcm(), NULL,
			       has_key ? NULL : seal->keys->record, nonce, seals) ||
	    !EVP_CipherUpdate(seal->cipher, NULL, &len, head + VAULT_HEAD_BYTES - VAULT_MAC_BYTES,
			      VAULT_MAC_BYTES) ||
	    !EVP_CipherUpdate(seal->cipher, NULL, &len, nonce + NONCE_BYTES - NUMBER_BYTES, NUMBER_BYTES))
		return false;
	seal->seals = seals;
	return true;
}

int vault_seal_record(struct vault_seal *seal, const uint8_t *head, uint64_t number, const uint8_t *key,
		      uint8_t *record)
{
	uint8_t *tag = record + seal->key_bytes;
	int len;

	return begin(seal, head, number, 1) &&
	       EVP_CipherUpdate(seal->cipher, record, &len, key, (int)seal->key_bytes) &&
	       EVP_CipherFinal_ex(seal->cipher, tag, &len) &&
	       EVP_CIPHER_CTX_ctrl(seal->cipher, EVP_CTRL_AEAD_GET_TAG, VAULT_TAG_BYTES, tag) ? 0 : -EIO;
}

bool vault_seal_open(struct vault_seal *seal, const uint8_t *head, uint64_t number, const uint8_t *record,
		     uint8_t *key)
{
	uint8_t tag[VAULT_TAG_BYTES];
	int len;

	memcpy(tag, record + seal->key_bytes, sizeof(tag));
	if (begin(seal, head, number, 0) &&
	    EVP_CipherUpdate(seal->cipher, key, &len, record, (int)seal->key_bytes) &&
	    EVP_CIPHER_CTX_ctrl(seal->cipher, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag) &&
	    EVP_CipherFinal_ex(seal->cipher, key + seal->key_bytes, &len) > 0)
		return true;
	OPENSSL_cleanse(key, seal->key_bytes);
	return false;
}
