// SPDX-License-Identifier: GPL-2.0-or-later
/* The key schedule: QKD and post-quantum secrets in, keys of an epoch out. */
#include "mix.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>

#define HASH_BYTES	48
#define HASH_NAME	"SHA384"
#define PROTOCOL	"qlink agreement"
#define CHAIN_ID_LABEL	"qlink 1 chain id"

/* Four lengths of two bytes, and the longest secrets. */
#define IKM_BYTES_MAX	(4 * 2 + MIX_CHAIN_BYTES + MIX_QKD_BYTES_MAX + \
			 2 * MIX_KEM_SECRET_BYTES)
#define INFO_BYTES_MAX	32

static void put_be(uint8_t *to, uint64_t value, size_t len)
{
	while (len--) {
		to[len] = (uint8_t)value;
		value >>= 8;
	}
}

/* What a source must have, and must not: PROTOCOL.md, the table of secrets. */
static bool lengths_fit(const struct mix_transcript *transcript,
			const struct mix_secrets *secrets)
{
	bool has_qkd = transcript->source != QLINK_SOURCE_PQC;
	size_t kem = transcript->source == QLINK_SOURCE_QKD ? 0 : 1;

	if (has_qkd) {
		if (secrets->qkd.len < MIX_QKD_BYTES_MIN ||
		    secrets->qkd.len > MIX_QKD_BYTES_MAX ||
		    !transcript->key_id.len || !transcript->kme_id.len)
			return false;
	} else if (secrets->qkd.len || transcript->key_id.len ||
		   transcript->kme_id.len) {
		return false;
	}
	return transcript->key_id.len <= MIX_NAME_BYTES_MAX &&
	       transcript->kme_id.len <= MIX_NAME_BYTES_MAX &&
	       secrets->mlkem.len == kem * MIX_KEM_SECRET_BYTES &&
	       secrets->x25519.len == kem * MIX_KEM_SECRET_BYTES &&
	       transcript->kem_public.len == kem * MIX_KEM_PUBLIC_BYTES &&
	       transcript->kem_ciphertext.len == kem * MIX_KEM_CIPHERTEXT_BYTES;
}

static bool is_allowed(const struct mix_transcript *transcript,
		       const struct mix_secrets *secrets, uint64_t epoch)
{
	return transcript->protocol_version && transcript->wire_version &&
	       transcript->suite == 1 && transcript->link_id &&
	       (transcript->direction == MIX_DIRECTION_DIALLED ||
		transcript->direction == MIX_DIRECTION_ANSWERED) &&
	       (transcript->source == QLINK_SOURCE_QKD ||
		transcript->source == QLINK_SOURCE_HYBRID ||
		transcript->source == QLINK_SOURCE_PQC) &&
	       epoch && epoch <= QLINK_EPOCH_MAX &&
	       lengths_fit(transcript, secrets);
}

/* One field of the transcript: its length in two bytes, then its bytes. */
static bool hash_field(EVP_MD_CTX *hash, const void *data, size_t len)
{
	uint8_t prefix[2];

	put_be(prefix, len, sizeof(prefix));
	return EVP_DigestUpdate(hash, prefix, sizeof(prefix)) &&
	       (!len || EVP_DigestUpdate(hash, data, len));
}

static bool hash_fields(EVP_MD_CTX *hash, const struct mix_transcript *t,
			const uint8_t *chain_id)
{
	const struct mix_end *sender = &t->sender, *receiver = &t->receiver;
	uint8_t link_id[2];
	const struct bytes fields[] = {
		{ (const uint8_t *)PROTOCOL, sizeof(PROTOCOL) - 1 },
		{ &t->protocol_version, 1 },
		{ &t->wire_version, 1 },
		{ &t->suite, 1 },
		{ t->exporter, sizeof(t->exporter) },
		{ sender->cert_hash, sizeof(sender->cert_hash) },
		{ receiver->cert_hash, sizeof(receiver->cert_hash) },
		{ &sender->policy, 1 },
		{ &receiver->policy, 1 },
		{ link_id, sizeof(link_id) },
		{ sender->ring_id, sizeof(sender->ring_id) },
		{ receiver->ring_id, sizeof(receiver->ring_id) },
		{ &t->direction, 1 },
		{ &t->source, 1 },
		t->kme_id,
		t->key_id,
		t->kem_public,
		t->kem_ciphertext,
		{ sender->nonce, sizeof(sender->nonce) },
		{ receiver->nonce, sizeof(receiver->nonce) },
		{ chain_id, MIX_CHAIN_ID_BYTES },
	};
	size_t i;

	put_be(link_id, t->link_id, sizeof(link_id));
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (!hash_field(hash, fields[i].data, fields[i].len))
			return false;
	return true;
}

static int transcript_hash(const struct mix_transcript *transcript,
			   const uint8_t *chain, uint8_t *digest)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	uint8_t chain_id[MIX_CHAIN_ID_BYTES];
	int err = mix_chain_id(chain, chain_id);

	if (!err && !(hash && EVP_DigestInit_ex(hash, EVP_sha384(), NULL) &&
		      hash_fields(hash, transcript, chain_id) &&
		      EVP_DigestFinal_ex(hash, digest, NULL)))
		err = -EIO;
	EVP_MD_CTX_free(hash);
	return err;
}

/* Append a secret with its length to the input of HKDF-Extract. */
static uint8_t *put_secret(uint8_t *to, const uint8_t *data, size_t len)
{
	put_be(to, len, 2);
	if (len)
		memcpy(to + 2, data, len);
	return to + 2 + len;
}

static int extract(EVP_KDF_CTX *hkdf, const uint8_t *salt,
		   const struct mix_secrets *secrets, uint8_t *prk)
{
	uint8_t ikm[IKM_BYTES_MAX], *end = ikm;
	int mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY;
	OSSL_PARAM params[5] = {
		OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
						 (char *)HASH_NAME, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT,
						  (void *)salt, HASH_BYTES),
	};
	int err;

	end = put_secret(end, secrets->chain, MIX_CHAIN_BYTES);
	end = put_secret(end, secrets->qkd.data, secrets->qkd.len);
	end = put_secret(end, secrets->mlkem.data, secrets->mlkem.len);
	end = put_secret(end, secrets->x25519.data, secrets->x25519.len);
	params[3] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, ikm,
						      (size_t)(end - ikm));
	params[4] = OSSL_PARAM_construct_end();
	err = EVP_KDF_derive(hkdf, prk, HASH_BYTES, params) == 1 ? 0 : -EIO;
	OPENSSL_cleanse(ikm, sizeof(ikm));
	return err;
}

static int expand(EVP_KDF_CTX *hkdf, uint8_t *prk, const char *label,
		  uint64_t epoch, uint8_t *out, size_t len)
{
	uint8_t info[INFO_BYTES_MAX];
	size_t label_len = strlen(label);
	int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
						 (char *)HASH_NAME, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, prk,
						  HASH_BYTES),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info,
						  label_len + 8),
		OSSL_PARAM_construct_end(),
	};

	memcpy(info, label, label_len);
	put_be(info + label_len, epoch, 8);
	/* A context adds up the infos it is given: forget the last one. */
	EVP_KDF_CTX_reset(hkdf);
	return EVP_KDF_derive(hkdf, out, len, params) == 1 ? 0 : -EIO;
}

static int derive(EVP_KDF_CTX *hkdf, const uint8_t *salt,
		  const struct mix_secrets *secrets, uint64_t epoch,
		  struct mix_keys *keys)
{
	uint8_t prk[HASH_BYTES];
	int err;

	err = extract(hkdf, salt, secrets, prk);
	if (!err)
		err = expand(hkdf, prk, "qlink 1 key", epoch, keys->key,
			     sizeof(keys->key));
	if (!err)
		err = expand(hkdf, prk, "qlink 1 salt", epoch, keys->salt,
			     sizeof(keys->salt));
	if (!err)
		err = expand(hkdf, prk, "qlink 1 confirm", epoch,
			     keys->confirm, sizeof(keys->confirm));
	if (!err)
		err = expand(hkdf, prk, "qlink 1 next chain", epoch,
			     keys->next_chain, sizeof(keys->next_chain));
	OPENSSL_cleanse(prk, sizeof(prk));
	return err;
}

int mix_derive(const struct mix_transcript *transcript,
	       const struct mix_secrets *secrets, uint64_t epoch,
	       struct mix_keys *keys)
{
	uint8_t salt[HASH_BYTES];
	EVP_KDF_CTX *hkdf = NULL;
	EVP_KDF *kdf = NULL;
	int err = -EINVAL;

	if (!is_allowed(transcript, secrets, epoch))
		goto wipe_keys;
	err = transcript_hash(transcript, secrets->chain, salt);
	if (err)
		goto wipe_keys;
	kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	hkdf = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	err = hkdf ? derive(hkdf, salt, secrets, epoch, keys) : -EIO;
	EVP_KDF_CTX_free(hkdf);
	EVP_KDF_free(kdf);
	if (!err)
		return 0;
wipe_keys:
	OPENSSL_cleanse(keys, sizeof(*keys));
	return err;
}

int mix_chain_id(const uint8_t *chain, uint8_t *id)
{
	uint8_t mac[HASH_BYTES];
	int err = 0;

	if (!HMAC(EVP_sha384(), chain, MIX_CHAIN_BYTES,
		  (const uint8_t *)CHAIN_ID_LABEL, sizeof(CHAIN_ID_LABEL) - 1,
		  mac, NULL))
		err = -EIO;
	else
		memcpy(id, mac, MIX_CHAIN_ID_BYTES);
	OPENSSL_cleanse(mac, sizeof(mac));
	return err;
}
