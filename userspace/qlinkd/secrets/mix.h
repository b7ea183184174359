/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key schedule: QKD, post-quantum and pre-shared secrets in, keys of an epoch out. */
#ifndef QLINKD_MIX_H
#define QLINKD_MIX_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/qlink.h>

#include "qlinkd/agreement/agreement.h"
#include "qlinkd/agreement/suite.h"
#include "qlinkd/base/bytes.h"

#define MIX_HASH_BYTES		48
#define MIX_CHAIN_BYTES		48
#define MIX_CHAIN_ID_BYTES	16
#define MIX_CHAIN_TAG_BYTES	16
#define MIX_CONFIRM_BYTES	32
#define MIX_NONCE_BYTES		32
#define MIX_EXPORTER_BYTES	32
#define MIX_QKD_BYTES_MIN	32
#define MIX_QKD_BYTES_MAX	1024
#define MIX_NAME_BYTES_MAX	64
/* The least bytes of a pre-shared secret, and what is made of it. */
#define MIX_PSK_BYTES_MIN	32
#define MIX_PSK_BYTES		48
#define MIX_PSK_CHECK_BYTES	32

/* Label of the TLS exporter (RFC 8446, section 7.5) of the agents' connection. */
#define MIX_EXPORTER_LABEL	"EXPORTER-qlink-agreement"

/**
 * enum mix_direction - which end of the connection is the sender
 * @MIX_DIRECTION_DIALLED: the sender dialled the connection
 * @MIX_DIRECTION_ANSWERED: the receiver dialled the connection
 */
enum mix_direction {
	MIX_DIRECTION_DIALLED = 1,
	MIX_DIRECTION_ANSWERED = 2,
};

/**
 * struct mix_end - fields of the transcript that belong to one end of a direction
 */
struct mix_end {
	/** @cert_hash: SHA-384 of its certificate in DER */
	uint8_t cert_hash[MIX_HASH_BYTES];

	/** @nonce: random bytes, fresh for this offer */
	uint8_t nonce[MIX_NONCE_BYTES];
};

/**
 * struct mix_transcript - what both ends must know alike, for all epochs of an offer
 *
 * All of it is public except @exporter. If a single byte differs, the keys differ. The
 * fields are those of PROTOCOL.md, section 1.
 */
struct mix_transcript {
	/** @sender: the end that will seal */
	struct mix_end sender;

	/** @receiver: the end that will open */
	struct mix_end receiver;

	/** @exporter: keying material of the TLS connection for MIX_EXPORTER_LABEL; secret */
	uint8_t exporter[MIX_EXPORTER_BYTES];

	/** @session: digest of HELLO and STATE of both ends, with all that they state */
	uint8_t session[MIX_HASH_BYTES];

	/** @protocol_version: as agreed in HELLO */
	uint8_t protocol_version;

	/** @wire_version: version of the sealed frames, see kmod/PROTOCOL.md */
	uint8_t wire_version;

	/** @suite: SUITE_MIN to SUITE_MAX */
	uint8_t suite;

	/** @direction: an enum mix_direction */
	uint8_t direction;

	/** @link_id: 1 to 65535 */
	uint16_t link_id;

	/** @offer: numbers, epochs, source and places of KMEs of the offer */
	struct session_offer offer;

	/** @kem_public: the receiver's KEM public key; empty for qkd */
	struct bytes kem_public;

	/** @kem_ciphertext: the sender's ciphertext for that key; empty for qkd */
	struct bytes kem_ciphertext;
};

/**
 * struct mix_secrets - the secrets that the epochs of an offer share
 *
 * It owns none of them.
 */
struct mix_secrets {
	/** @kem: SUITE_KEM_SECRET_BYTES of ML-KEM; empty for qkd */
	struct bytes kem;

	/** @ecdh: the secret of ECDH, as long as the suite says; empty for qkd */
	struct bytes ecdh;

	/** @psk: MIX_PSK_BYTES from mix_psk_secret(); empty for a link without one */
	struct bytes psk;
};

/**
 * struct mix_epoch - what is different for each epoch of an offer
 *
 * It owns none of it. The offer says how many KMEs there are.
 */
struct mix_epoch {
	/** @number: 1 to QLINK_EPOCH_MAX */
	uint64_t number;

	/** @chain: MIX_CHAIN_BYTES, all zero for the first offer; secret */
	const uint8_t *chain;

	/** @key_ids: KME key IDs as offered, one for each KME, in its order */
	struct bytes key_ids[SESSION_KMES_MAX];

	/** @qkd: MIX_QKD_BYTES_MIN to MIX_QKD_BYTES_MAX from each KME; secret */
	struct bytes qkd[SESSION_KMES_MAX];
};

/**
 * struct mix_keys - the keys of one epoch of one direction
 *
 * It is secret: the owner keeps it in a struct qlink_secret and wipes it. @key and @salt are
 * next to each other, QLINK_SECRET_BYTES, as the kernel takes them.
 */
struct mix_keys {
	/** @key: key of AES-256-GCM */
	uint8_t key[QLINK_KEY_BYTES];

	/** @salt: salt of the nonces */
	uint8_t salt[QLINK_SALT_BYTES];

	/** @confirm: confirmation; proves to the sender that the receiver has the same keys */
	uint8_t confirm[MIX_CONFIRM_BYTES];

	/** @next_chain: chain from which the next epoch starts */
	uint8_t next_chain[MIX_CHAIN_BYTES];
};

/**
 * mix_common() - hash what the epochs of an offer share
 * @transcript: what both ends know alike
 * @common: MIX_HASH_BYTES, filled in; the caller wipes it after use
 *
 * Once for each offer: most of the transcript is the same for all its epochs, and is long.
 *
 * Context: Pure, except for allocations of OpenSSL. Not thread-safe.
 * Return:
 * * %0		- @common is filled in
 * * %-EINVAL	- a version, suite, source, direction, number, place or length is not allowed
 * * %-EIO	- OpenSSL failed
 */
int mix_common(const struct mix_transcript *transcript, uint8_t *common);

/**
 * mix_derive() - derive the keys of one epoch
 * @transcript: what both ends know alike
 * @common: from mix_common() of the same transcript
 * @secrets: what only the two ends know; lengths must be those of source and suite
 * @epoch: what belongs to this epoch alone
 * @keys: filled in; wiped on failure; the caller wipes it after use
 *
 * HKDF with SHA-384 (RFC 5869; NIST SP 800-56C revision 2, section 5). The salt is a hash of
 * the transcript, so a downgrade or any other change of the transcript changes the keys.
 *
 * Context: Pure, except for allocations of OpenSSL, which wipes them. Not thread-safe.
 * Return:
 * * %0		- @keys is filled in
 * * %-EINVAL	- an epoch or length is not allowed
 * * %-EIO	- OpenSSL failed
 */
int mix_derive(const struct mix_transcript *transcript, const uint8_t *common,
	       const struct mix_secrets *secrets, const struct mix_epoch *epoch,
	       struct mix_keys *keys);

/**
 * struct mix_speaker - who shows that he has a secret, and to whom
 */
struct mix_speaker {
	/** @exporter: MIX_EXPORTER_BYTES of the connection */
	const uint8_t *exporter;

	/** @link_id: 1 to 65535 */
	uint16_t link_id;

	/** @has_dialled: the speaker dialled the connection */
	bool has_dialled;
};

/**
 * mix_chain_tag() - compute what an end sends to show that it has a chain
 * @chain: MIX_CHAIN_BYTES, secret
 * @speaker: the end
 * @tag: MIX_CHAIN_TAG_BYTES, filled in: first bytes of an HMAC-SHA-384 (RFC 2104), not secret
 *
 * It is of no use to the other end, and on another connection.
 *
 * Context: Pure, except for allocations of OpenSSL. Not thread-safe.
 * Return: 0, or %-EIO if OpenSSL failed.
 */
int mix_chain_tag(const uint8_t *chain, const struct mix_speaker *speaker, uint8_t *tag);

/**
 * mix_chain_id() - compute the id of a chain, which the transcript has
 * @chain: MIX_CHAIN_BYTES, secret
 * @id: MIX_CHAIN_ID_BYTES, filled in: first bytes of an HMAC-SHA-384 (RFC 2104)
 *
 * Context: Pure, except for allocations of OpenSSL. Not thread-safe.
 * Return: 0, or %-EIO if OpenSSL failed.
 */
int mix_chain_id(const uint8_t *chain, uint8_t *id);

/**
 * mix_psk_extract() - make a key of a pre-shared secret, whatever its length
 * @psk: MIX_PSK_BYTES_MIN or more, random
 * @prk: MIX_HASH_BYTES, filled in; secret
 *
 * HKDF-Extract (RFC 5869, 2.2).
 *
 * Context: Pure, except for allocations of OpenSSL. Not thread-safe.
 * Return: 0, %-EINVAL if it is too short, or %-EIO if OpenSSL failed.
 */
int mix_psk_extract(const struct bytes *psk, uint8_t *prk);

/**
 * mix_psk_secret() - compute what a pre-shared secret puts into the keys
 * @prk: from mix_psk_extract()
 * @secret: MIX_PSK_BYTES, filled in
 *
 * Context: Pure, except for allocations of OpenSSL. Not thread-safe.
 * Return: 0, or %-EIO if OpenSSL failed.
 */
int mix_psk_secret(const uint8_t *prk, uint8_t *secret);

/**
 * mix_psk_check() - compute what an end sends to show that it has the pre-shared secret
 * @prk: from mix_psk_extract()
 * @speaker: the end
 * @check: MIX_PSK_CHECK_BYTES, filled in; not secret
 *
 * Context: Pure, except for allocations of OpenSSL. Not thread-safe.
 * Return: 0, or %-EIO if OpenSSL failed.
 */
int mix_psk_check(const uint8_t *prk, const struct mix_speaker *speaker, uint8_t *check);

#endif
