// SPDX-License-Identifier: GPL-2.0-or-later
/* The key schedule: QKD and post-quantum secrets in, keys of an epoch out. */
#include "mix.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#define HASH_BYTES	48
#define HASH_NAME	"SHA384"
#define PROTOCOL	"qlink agreement"
#define CHAIN_ID_LABEL	"qlink 1 chain id"

/* Four lengths of two bytes, and the longest secrets. */
#define IKM_BYTES_MAX	(4 * 2 + MIX_CHAIN_BYTES + MIX_QKD_BYTES_MAX + \
			 2 * MIX_KEM_SECRET_BYTES)
/* The longest label, an epoch and the number of the block. */
#define INFO_BYTES_MAX	32
/* 21 fields with their lengths, all as long as they can be. */
#define TRANSCRIPT_BYTES_MAX	(21 * 2 + sizeof(PROTOCOL) - 1 + 3 + MIX_EXPORTER_BYTES + \
				 sizeof(struct mix_end) * 2 + 2 + 2 + 2 * MIX_NAME_BYTES_MAX + \
				 MIX_KEM_PUBLIC_BYTES + MIX_KEM_CIPHERTEXT_BYTES + \
				 MIX_CHAIN_ID_BYTES)

_Static_assert(sizeof(((struct mix_keys *)0)->next_chain) <= HASH_BYTES &&
	       sizeof(((struct mix_keys *)0)->confirm) <= HASH_BYTES,
	       "each output fits in one hash");

static void put_be(uint8_t *to, uint64_t value, size_t len)
{
	while (len--) {
		to[len] = (uint8_t)value;
		value >>= 8;
	}
}

/* Which secrets a source must have and must not have: the table in PROTOCOL.md, section 1. */
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

/* Writes one field: its length in two bytes, then its bytes. Returns its end. */
static uint8_t *put_field(uint8_t *to, const void *data, size_t len)
{
	put_be(to, len, 2);
	if (len)
		memcpy(to + 2, data, len);
	return to + 2 + len;
}

/* Writes all fields of the transcript. Returns their end. */
static uint8_t *put_fields(uint8_t *to, const struct mix_transcript *t, const uint8_t *chain_id)
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
		to = put_field(to, fields[i].data, fields[i].len);
	return to;
}

/* --- SHA-384, and HMAC with it --- */

/* Both are fetched once: to look up an algorithm by name takes as long as to hash. */
static EVP_MD *sha384;
/* HMAC with this hash and without a key; a copy of it gets the key. */
static EVP_MAC_CTX *keyless;

static bool fetch(void)
{
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)HASH_NAME, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac;

	if (!sha384)
		sha384 = EVP_MD_fetch(NULL, HASH_NAME, NULL);
	if (keyless || !sha384)
		return sha384;
	mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	keyless = mac ? EVP_MAC_CTX_new(mac) : NULL;
	EVP_MAC_free(mac);
	if (keyless && EVP_MAC_CTX_set_params(keyless, params))
		return true;
	EVP_MAC_CTX_free(keyless);
	keyless = NULL;
	return false;
}

/* Computes an HMAC under @key; if @key is NULL, under the key of the last call. */
static bool hmac_of(EVP_MAC_CTX *hmac, const uint8_t *key, const uint8_t *data, size_t len,
		    uint8_t *mac)
{
	return EVP_MAC_init(hmac, key, key ? HASH_BYTES : 0, NULL) &&
	       EVP_MAC_update(hmac, data, len) &&
	       EVP_MAC_final(hmac, mac, NULL, HASH_BYTES);
}

static int chain_id_of(EVP_MAC_CTX *hmac, const uint8_t *chain, uint8_t *id)
{
	uint8_t mac[HASH_BYTES];
	int err = -EIO;

	if (hmac_of(hmac, chain, (const uint8_t *)CHAIN_ID_LABEL, sizeof(CHAIN_ID_LABEL) - 1,
		    mac)) {
		memcpy(id, mac, MIX_CHAIN_ID_BYTES);
		err = 0;
	}
	OPENSSL_cleanse(mac, sizeof(mac));
	return err;
}

/* --- the schedule --- */

static int hash_transcript(EVP_MAC_CTX *hmac, const struct mix_transcript *transcript,
			   const uint8_t *chain, uint8_t *digest)
{
	uint8_t data[TRANSCRIPT_BYTES_MAX], chain_id[MIX_CHAIN_ID_BYTES], *end;
	int err = chain_id_of(hmac, chain, chain_id);

	if (err)
		return err;
	end = put_fields(data, transcript, chain_id);
	err = EVP_Digest(data, (size_t)(end - data), digest, NULL, sha384, NULL) == 1 ? 0 : -EIO;
	/* The exporter of the TLS connection is secret. */
	OPENSSL_cleanse(data, sizeof(data));
	return err;
}

/* HKDF-Extract (RFC 5869, 2.2). */
static int extract(EVP_MAC_CTX *hmac, const uint8_t *salt, const struct mix_secrets *secrets,
		   uint8_t *prk)
{
	uint8_t ikm[IKM_BYTES_MAX], *end = ikm;
	int err;

	end = put_field(end, secrets->chain, MIX_CHAIN_BYTES);
	end = put_field(end, secrets->qkd.data, secrets->qkd.len);
	end = put_field(end, secrets->mlkem.data, secrets->mlkem.len);
	end = put_field(end, secrets->x25519.data, secrets->x25519.len);
	err = hmac_of(hmac, salt, ikm, (size_t)(end - ikm), prk) ? 0 : -EIO;
	OPENSSL_cleanse(ikm, sizeof(ikm));
	return err;
}

/*
 * HKDF-Expand (RFC 5869, 2.3). The output is at most one hash long, so T(1) is enough. If @prk is
 * NULL, the context still has the key of the last call and need not hash it again.
 */
static int expand(EVP_MAC_CTX *hmac, const uint8_t *prk, const char *label, uint64_t epoch,
		  uint8_t *out, size_t len)
{
	uint8_t info[INFO_BYTES_MAX], t[HASH_BYTES];
	size_t label_len = strlen(label);
	int err = -EIO;

	memcpy(info, label, label_len);
	put_be(info + label_len, epoch, 8);
	info[label_len + 8] = 1;
	if (hmac_of(hmac, prk, info, label_len + 9, t)) {
		memcpy(out, t, len);
		err = 0;
	}
	OPENSSL_cleanse(t, sizeof(t));
	return err;
}

static int derive(EVP_MAC_CTX *hmac, const uint8_t *salt, const struct mix_secrets *secrets,
		  uint64_t epoch, struct mix_keys *keys)
{
	uint8_t prk[HASH_BYTES];
	int err;

	err = extract(hmac, salt, secrets, prk);
	if (!err)
		err = expand(hmac, prk, "qlink 1 key", epoch, keys->key, sizeof(keys->key));
	if (!err)
		err = expand(hmac, NULL, "qlink 1 salt", epoch, keys->salt, sizeof(keys->salt));
	if (!err)
		err = expand(hmac, NULL, "qlink 1 confirm", epoch, keys->confirm,
			     sizeof(keys->confirm));
	if (!err)
		err = expand(hmac, NULL, "qlink 1 next chain", epoch, keys->next_chain,
			     sizeof(keys->next_chain));
	OPENSSL_cleanse(prk, sizeof(prk));
	return err;
}

int mix_derive(const struct mix_transcript *transcript, const struct mix_secrets *secrets,
	       uint64_t epoch, struct mix_keys *keys)
{
	uint8_t salt[HASH_BYTES];
	EVP_MAC_CTX *hmac = NULL;
	int err = -EINVAL;

	if (is_allowed(transcript, secrets, epoch)) {
		hmac = fetch() ? EVP_MAC_CTX_dup(keyless) : NULL;
		err = hmac ? hash_transcript(hmac, transcript, secrets->chain, salt) : -EIO;
	}
	if (!err)
		err = derive(hmac, salt, secrets, epoch, keys);
	/* This also wipes the keys in the context. */
	EVP_MAC_CTX_free(hmac);
	if (err)
		OPENSSL_cleanse(keys, sizeof(*keys));
	return err;
}

int mix_chain_id(const uint8_t *chain, uint8_t *id)
{
	EVP_MAC_CTX *hmac = fetch() ? EVP_MAC_CTX_dup(keyless) : NULL;
	int err = hmac ? chain_id_of(hmac, chain, id) : -EIO;

	EVP_MAC_CTX_free(hmac);
	return err;
}
