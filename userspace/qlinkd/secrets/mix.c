// SPDX-License-Identifier: GPL-2.0-or-later
/* The key schedule: QKD, post-quantum and pre-shared secrets in, keys of an epoch out. */
#include "mix.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#define HASH_NAME	"SHA384"
#define PROTOCOL	"qlink agreement"
#define EPOCH_LABEL	"qlink 2 epoch"
#define CHAIN_ID_LABEL	"qlink 2 chain id"
#define CHAIN_TAG_LABEL	"qlink 2 chain tag"
#define PSK_LABEL	"qlink 2 psk"
#define PSK_MIX_LABEL	"qlink 2 psk mix"
#define PSK_CHECK_LABEL	"qlink 2 psk check"

/* A length of two bytes before each secret, and the longest secrets. */
#define IKM_BYTES_MAX	((4 + SESSION_KMES_MAX) * 2 + SUITE_KEM_SECRET_BYTES + \
			 SUITE_ECDH_SECRET_BYTES_MAX + SESSION_KMES_MAX * MIX_QKD_BYTES_MAX + \
			 MIX_PSK_BYTES + MIX_CHAIN_BYTES)
/* What shows a secret depends on exporter, role and link id. */
#define SPEAKER_BYTES	(MIX_EXPORTER_BYTES + 3)
/* The longest label and what follows it. */
#define INFO_BYTES_MAX	(32 + SPEAKER_BYTES)
/* 20 fields with their lengths, all as long as they can be. */
#define COMMON_BYTES_MAX	(20 * 2 + sizeof(PROTOCOL) - 1 + 3 + MIX_EXPORTER_BYTES + \
				 sizeof(struct mix_end) * 2 + MIX_HASH_BYTES + 4 + 3 * 8 + 1 + \
				 SESSION_KMES_MAX + SUITE_PUBLIC_BYTES_MAX + \
				 SUITE_CIPHERTEXT_BYTES_MAX)
/* Label, common, chain id and key IDs with their lengths. */
#define EPOCH_BYTES_MAX	((3 + SESSION_KMES_MAX) * 2 + sizeof(EPOCH_LABEL) - 1 + MIX_HASH_BYTES + \
			 MIX_CHAIN_ID_BYTES + SESSION_KMES_MAX * MIX_NAME_BYTES_MAX)

_Static_assert(sizeof(((struct mix_keys *)0)->next_chain) <= MIX_HASH_BYTES &&
	       sizeof(((struct mix_keys *)0)->confirm) <= MIX_HASH_BYTES &&
	       MIX_PSK_BYTES <= MIX_HASH_BYTES && MIX_PSK_CHECK_BYTES <= MIX_HASH_BYTES,
	       "each output fits in one hash");

static void put_be(uint8_t *to, uint64_t value, size_t len)
{
	while (len--) {
		to[len] = (uint8_t)value;
		value >>= 8;
	}
}

/* --- what is allowed: the tables in PROTOCOL.md, section 1 --- */

static bool places_fit(const struct session_offer *offer)
{
	uint8_t i;

	if (offer->n_kmes > SESSION_KMES_MAX ||
	    !offer->n_kmes != (offer->source == QLINK_SOURCE_PQC))
		return false;
	for (i = 0; i < offer->n_kmes; i++)
		if (offer->kmes[i] <= (i ? offer->kmes[i - 1] : 0))
			return false;
	return true;
}

static bool is_allowed(const struct mix_transcript *t)
{
	const struct suite *suite = suite_find(t->suite);
	bool has_kem = t->offer.source != QLINK_SOURCE_QKD;

	return suite && t->protocol_version && t->wire_version && t->link_id &&
	       (t->direction == MIX_DIRECTION_DIALLED || t->direction == MIX_DIRECTION_ANSWERED) &&
	       (t->offer.source == QLINK_SOURCE_QKD || t->offer.source == QLINK_SOURCE_HYBRID ||
		t->offer.source == QLINK_SOURCE_PQC) &&
	       t->offer.first && t->offer.n && places_fit(&t->offer) &&
	       t->kem_public.len == (has_kem ? suite_public_bytes(suite) : 0) &&
	       t->kem_ciphertext.len == (has_kem ? suite_ciphertext_bytes(suite) : 0);
}

static bool secrets_fit(const struct mix_transcript *t, const struct mix_secrets *secrets,
			const struct mix_epoch *epoch)
{
	bool has_kem = t->offer.source != QLINK_SOURCE_QKD;
	uint8_t i;

	for (i = 0; i < t->offer.n_kmes; i++)
		if (epoch->qkd[i].len < MIX_QKD_BYTES_MIN || epoch->qkd[i].len > MIX_QKD_BYTES_MAX ||
		    !epoch->key_ids[i].len || epoch->key_ids[i].len > MIX_NAME_BYTES_MAX)
			return false;
	for (; i < SESSION_KMES_MAX; i++)
		if (epoch->qkd[i].len || epoch->key_ids[i].len)
			return false;
	return epoch->number && epoch->number <= QLINK_EPOCH_MAX &&
	       secrets->kem.len == (has_kem ? SUITE_KEM_SECRET_BYTES : 0) &&
	       secrets->ecdh.len == (has_kem ? suite_find(t->suite)->ecdh_secret : 0) &&
	       (!secrets->psk.len || secrets->psk.len == MIX_PSK_BYTES);
}

/* --- SHA-384, and HMAC and HKDF with it --- */

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

static EVP_MAC_CTX *new_hmac(void)
{
	return fetch() ? EVP_MAC_CTX_dup(keyless) : NULL;
}

static int hash_of(const uint8_t *data, const uint8_t *end, uint8_t *digest)
{
	return EVP_Digest(data, (size_t)(end - data), digest, NULL, sha384, NULL) == 1 ? 0 : -EIO;
}

/* Computes an HMAC under @key; if @key is NULL, under the key of the last call. */
static bool hmac_of(EVP_MAC_CTX *hmac, const uint8_t *key, size_t key_len, const uint8_t *data,
		    size_t len, uint8_t *mac)
{
	return EVP_MAC_init(hmac, key, key ? key_len : 0, NULL) &&
	       EVP_MAC_update(hmac, data, len) &&
	       EVP_MAC_final(hmac, mac, NULL, MIX_HASH_BYTES);
}

/*
 * HKDF-Expand (RFC 5869, 2.3): the info is a label and what follows it. The output is at most one
 * hash long, so T(1) is enough. If @prk is NULL, the context still has the key of the last call and
 * need not hash it again.
 */
static int expand(EVP_MAC_CTX *hmac, const uint8_t *prk, const char *label,
		  const struct bytes *rest, uint8_t *out, size_t len)
{
	uint8_t info[INFO_BYTES_MAX + 1], t[MIX_HASH_BYTES];
	size_t label_len = strlen(label);
	int err = -EIO;

	memcpy(info, label, label_len);
	if (rest->len)
		memcpy(info + label_len, rest->data, rest->len);
	info[label_len + rest->len] = 1;
	if (hmac_of(hmac, prk, MIX_HASH_BYTES, info, label_len + rest->len + 1, t)) {
		memcpy(out, t, len);
		err = 0;
	}
	OPENSSL_cleanse(info, sizeof(info));
	OPENSSL_cleanse(t, sizeof(t));
	return err;
}

/* --- the transcript --- */

/* Writes one field: its length in two bytes, then its bytes. Returns its end. */
static uint8_t *put_field(uint8_t *to, const void *data, size_t len)
{
	put_be(to, len, 2);
	if (len)
		memcpy(to + 2, data, len);
	return to + 2 + len;
}

/* Writes all fields that the epochs share. Returns their end. */
static uint8_t *put_common(uint8_t *to, const struct mix_transcript *t)
{
	const struct session_offer *offer = &t->offer;
	uint8_t link_id[2], invite[8], number[8], first[8];
	const struct bytes fields[] = {
		{ (const uint8_t *)PROTOCOL, sizeof(PROTOCOL) - 1 },
		{ &t->protocol_version, 1 },
		{ &t->wire_version, 1 },
		{ &t->suite, 1 },
		{ t->exporter, sizeof(t->exporter) },
		{ t->sender.cert_hash, sizeof(t->sender.cert_hash) },
		{ t->receiver.cert_hash, sizeof(t->receiver.cert_hash) },
		{ t->session, sizeof(t->session) },
		{ link_id, sizeof(link_id) },
		{ &t->direction, 1 },
		{ &offer->source, 1 },
		{ invite, sizeof(invite) },
		{ number, sizeof(number) },
		{ first, sizeof(first) },
		{ &offer->n, 1 },
		{ offer->kmes, offer->n_kmes },
		t->kem_public,
		t->kem_ciphertext,
		{ t->sender.nonce, sizeof(t->sender.nonce) },
		{ t->receiver.nonce, sizeof(t->receiver.nonce) },
	};
	size_t i;

	put_be(link_id, t->link_id, sizeof(link_id));
	put_be(invite, offer->invite, sizeof(invite));
	put_be(number, offer->id, sizeof(number));
	put_be(first, offer->first, sizeof(first));
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		to = put_field(to, fields[i].data, fields[i].len);
	return to;
}

int mix_common(const struct mix_transcript *transcript, uint8_t *common)
{
	uint8_t data[COMMON_BYTES_MAX];
	int err = -EINVAL;

	if (is_allowed(transcript))
		err = fetch() ? hash_of(data, put_common(data, transcript), common) : -EIO;
	/* The exporter of the TLS connection is secret. */
	OPENSSL_cleanse(data, sizeof(data));
	return err;
}

static int chain_id_of(EVP_MAC_CTX *hmac, const uint8_t *chain, uint8_t *id)
{
	uint8_t mac[MIX_HASH_BYTES];
	int err = -EIO;

	if (hmac_of(hmac, chain, MIX_CHAIN_BYTES, (const uint8_t *)CHAIN_ID_LABEL,
		    sizeof(CHAIN_ID_LABEL) - 1, mac)) {
		memcpy(id, mac, MIX_CHAIN_ID_BYTES);
		err = 0;
	}
	OPENSSL_cleanse(mac, sizeof(mac));
	return err;
}

/* Hashes what is left of the transcript: the salt of one epoch. */
static int hash_epoch(EVP_MAC_CTX *hmac, const uint8_t *common, const struct mix_epoch *epoch,
		      uint8_t n_kmes, uint8_t *salt)
{
	uint8_t data[EPOCH_BYTES_MAX], chain_id[MIX_CHAIN_ID_BYTES], *end = data, i;
	int err = chain_id_of(hmac, epoch->chain, chain_id);

	if (err)
		return err;
	end = put_field(end, EPOCH_LABEL, sizeof(EPOCH_LABEL) - 1);
	end = put_field(end, common, MIX_HASH_BYTES);
	end = put_field(end, chain_id, sizeof(chain_id));
	for (i = 0; i < n_kmes; i++)
		end = put_field(end, epoch->key_ids[i].data, epoch->key_ids[i].len);
	return hash_of(data, end, salt);
}

/* --- the schedule --- */

/* HKDF-Extract (RFC 5869, 2.2). */
static int extract(EVP_MAC_CTX *hmac, const uint8_t *salt, const struct mix_secrets *secrets,
		   const struct mix_epoch *epoch, uint8_t n_kmes, uint8_t *prk)
{
	uint8_t ikm[IKM_BYTES_MAX], *end = ikm, i;
	int err;

	end = put_field(end, secrets->kem.data, secrets->kem.len);
	end = put_field(end, secrets->ecdh.data, secrets->ecdh.len);
	for (i = 0; i < n_kmes; i++)
		end = put_field(end, epoch->qkd[i].data, epoch->qkd[i].len);
	end = put_field(end, secrets->psk.data, secrets->psk.len);
	end = put_field(end, epoch->chain, MIX_CHAIN_BYTES);
	err = hmac_of(hmac, salt, MIX_HASH_BYTES, ikm, (size_t)(end - ikm), prk) ? 0 : -EIO;
	OPENSSL_cleanse(ikm, (size_t)(end - ikm));
	return err;
}

static int derive(EVP_MAC_CTX *hmac, const uint8_t *prk, uint64_t number, struct mix_keys *keys)
{
	uint8_t epoch[8];
	const struct bytes rest = { epoch, sizeof(epoch) };
	int err;

	put_be(epoch, number, sizeof(epoch));
	err = expand(hmac, prk, "qlink 2 key", &rest, keys->key, sizeof(keys->key));
	if (!err)
		err = expand(hmac, NULL, "qlink 2 salt", &rest, keys->salt, sizeof(keys->salt));
	if (!err)
		err = expand(hmac, NULL, "qlink 2 confirm", &rest, keys->confirm,
			     sizeof(keys->confirm));
	if (!err)
		err = expand(hmac, NULL, "qlink 2 next chain", &rest, keys->next_chain,
			     sizeof(keys->next_chain));
	return err;
}

int mix_derive(const struct mix_transcript *transcript, const uint8_t *common,
	       const struct mix_secrets *secrets, const struct mix_epoch *epoch,
	       struct mix_keys *keys)
{
	uint8_t salt[MIX_HASH_BYTES], prk[MIX_HASH_BYTES], n_kmes = transcript->offer.n_kmes;
	EVP_MAC_CTX *hmac = NULL;
	int err = -EINVAL;

	if (is_allowed(transcript) && secrets_fit(transcript, secrets, epoch)) {
		hmac = new_hmac();
		err = hmac ? hash_epoch(hmac, common, epoch, n_kmes, salt) : -EIO;
	}
	if (!err)
		err = extract(hmac, salt, secrets, epoch, n_kmes, prk);
	if (!err)
		err = derive(hmac, prk, epoch->number, keys);
	/* This also wipes the keys in the context. */
	EVP_MAC_CTX_free(hmac);
	OPENSSL_cleanse(prk, sizeof(prk));
	if (err)
		OPENSSL_cleanse(keys, sizeof(*keys));
	return err;
}

int mix_chain_id(const uint8_t *chain, uint8_t *id)
{
	EVP_MAC_CTX *hmac = new_hmac();
	int err = hmac ? chain_id_of(hmac, chain, id) : -EIO;

	EVP_MAC_CTX_free(hmac);
	return err;
}

/* --- what shows that an end has a secret --- */

static void put_speaker(uint8_t data[SPEAKER_BYTES], const struct mix_speaker *speaker)
{
	memcpy(data, speaker->exporter, MIX_EXPORTER_BYTES);
	data[MIX_EXPORTER_BYTES] = speaker->has_dialled ? MIX_DIRECTION_DIALLED :
							  MIX_DIRECTION_ANSWERED;
	put_be(data + MIX_EXPORTER_BYTES + 1, speaker->link_id, 2);
}

int mix_chain_tag(const uint8_t *chain, const struct mix_speaker *speaker, uint8_t *tag)
{
	uint8_t data[sizeof(CHAIN_TAG_LABEL) - 1 + SPEAKER_BYTES], mac[MIX_HASH_BYTES];
	EVP_MAC_CTX *hmac = new_hmac();
	int err = -EIO;

	memcpy(data, CHAIN_TAG_LABEL, sizeof(CHAIN_TAG_LABEL) - 1);
	put_speaker(data + sizeof(CHAIN_TAG_LABEL) - 1, speaker);
	if (hmac && hmac_of(hmac, chain, MIX_CHAIN_BYTES, data, sizeof(data), mac)) {
		memcpy(tag, mac, MIX_CHAIN_TAG_BYTES);
		err = 0;
	}
	EVP_MAC_CTX_free(hmac);
	OPENSSL_cleanse(data, sizeof(data));
	OPENSSL_cleanse(mac, sizeof(mac));
	return err;
}

int mix_psk_extract(const struct bytes *psk, uint8_t *prk)
{
	EVP_MAC_CTX *hmac = NULL;
	int err = -EINVAL;

	if (psk->len >= MIX_PSK_BYTES_MIN) {
		hmac = new_hmac();
		err = hmac && hmac_of(hmac, (const uint8_t *)PSK_LABEL, sizeof(PSK_LABEL) - 1,
				      psk->data, psk->len, prk) ? 0 : -EIO;
	}
	EVP_MAC_CTX_free(hmac);
	return err;
}

static int expand_once(const uint8_t *prk, const char *label, const struct bytes *rest,
		       uint8_t *out, size_t len)
{
	EVP_MAC_CTX *hmac = new_hmac();
	int err = hmac ? expand(hmac, prk, label, rest, out, len) : -EIO;

	EVP_MAC_CTX_free(hmac);
	return err;
}

int mix_psk_secret(const uint8_t *prk, uint8_t *secret)
{
	static const struct bytes nothing = { NULL, 0 };

	return expand_once(prk, PSK_MIX_LABEL, &nothing, secret, MIX_PSK_BYTES);
}

int mix_psk_check(const uint8_t *prk, const struct mix_speaker *speaker, uint8_t *check)
{
	uint8_t data[SPEAKER_BYTES];
	const struct bytes rest = { data, sizeof(data) };
	int err;

	put_speaker(data, speaker);
	err = expand_once(prk, PSK_CHECK_LABEL, &rest, check, MIX_PSK_CHECK_BYTES);
	OPENSSL_cleanse(data, sizeof(data));
	return err;
}
