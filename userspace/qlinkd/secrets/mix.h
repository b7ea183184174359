/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key schedule: QKD and post-quantum secrets in, keys of an epoch out. */
#ifndef QLINKD_MIX_H
#define QLINKD_MIX_H

#include <stdint.h>

#include <linux/qlink.h>

#include "qlinkd/base/bytes.h"

#define MIX_CHAIN_BYTES		48
#define MIX_CHAIN_ID_BYTES	16
#define MIX_CONFIRM_BYTES	32
#define MIX_NONCE_BYTES		32
#define MIX_EXPORTER_BYTES	32
#define MIX_CERT_HASH_BYTES	48
#define MIX_QKD_BYTES_MIN	32
#define MIX_QKD_BYTES_MAX	1024
#define MIX_KEM_SECRET_BYTES	32
#define MIX_KEM_PUBLIC_BYTES	1216
#define MIX_KEM_CIPHERTEXT_BYTES	1120
#define MIX_NAME_BYTES_MAX	64

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
	uint8_t cert_hash[MIX_CERT_HASH_BYTES];

	/** @ring_id: id of its ring of this direction, from the kernel */
	uint8_t ring_id[QLINK_RING_ID_BYTES];

	/** @nonce: random bytes, fresh for this offer */
	uint8_t nonce[MIX_NONCE_BYTES];

	/** @policy: an enum policy */
	uint8_t policy;
};

/**
 * struct mix_transcript - what both ends must know alike
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

	/** @protocol_version: as agreed in HELLO */
	uint8_t protocol_version;

	/** @wire_version: version of the sealed frames, see kmod/PROTOCOL.md */
	uint8_t wire_version;

	/** @suite: cipher suite, 1 */
	uint8_t suite;

	/** @direction: an enum mix_direction */
	uint8_t direction;

	/** @source: an enum qlink_source other than static */
	uint8_t source;

	/** @link_id: 1 to 65535 */
	uint16_t link_id;

	/** @kme_id: ID of the sender's KME; empty for pqc */
	struct bytes kme_id;

	/** @key_id: the KME key ID as offered; empty for pqc */
	struct bytes key_id;

	/** @kem_public: the receiver's KEM public key; empty for qkd */
	struct bytes kem_public;

	/** @kem_ciphertext: the sender's ciphertext for that key; empty for qkd */
	struct bytes kem_ciphertext;
};

/**
 * struct mix_secrets - the secrets from which the keys of an epoch are derived
 *
 * It owns none of them.
 */
struct mix_secrets {
	/** @chain: MIX_CHAIN_BYTES, all zero for the first offer */
	const uint8_t *chain;

	/** @qkd: MIX_QKD_BYTES_MIN to MIX_QKD_BYTES_MAX from the KME; empty for pqc */
	struct bytes qkd;

	/** @mlkem: MIX_KEM_SECRET_BYTES of ML-KEM-768; empty for qkd */
	struct bytes mlkem;

	/** @x25519: MIX_KEM_SECRET_BYTES of X25519; empty for qkd */
	struct bytes x25519;
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
 * mix_derive() - derive the keys of one epoch
 * @transcript: what both ends know alike
 * @secrets: what only the two ends know; lengths must be those of the source
 * @epoch: 1 to QLINK_EPOCH_MAX
 * @keys: filled in; wiped on failure; the caller wipes it after use
 *
 * HKDF with SHA-384 (RFC 5869; NIST SP 800-56C revision 2, section 5). The salt is the hash
 * of the transcript, so a downgrade or any other change of the transcript changes the keys.
 *
 * Context: Pure, except for allocations of OpenSSL, which wipes them. Not thread-safe.
 * Return:
 * * %0		- @keys is filled in
 * * %-EINVAL	- a version, source, direction, epoch or length is not allowed
 * * %-EIO	- OpenSSL failed
 */
int mix_derive(const struct mix_transcript *transcript,
	       const struct mix_secrets *secrets, uint64_t epoch,
	       struct mix_keys *keys);

/**
 * mix_chain_id() - compute the public id of a chain
 * @chain: MIX_CHAIN_BYTES, secret
 * @id: MIX_CHAIN_ID_BYTES, filled in: first bytes of an HMAC-SHA-384 (RFC 2104), not secret
 *
 * Context: Pure, except for allocations of OpenSSL. Not thread-safe.
 * Return: 0, or %-EIO if OpenSSL failed.
 */
int mix_chain_id(const uint8_t *chain, uint8_t *id);

#endif
