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

/* What the agent's TLS connection exports under. */
#define MIX_EXPORTER_LABEL	"EXPORTER-qlink-agreement"

/**
 * enum mix_direction - which end of the connection is the sender
 * @MIX_DIRECTION_DIALLED: the sender dialled it
 * @MIX_DIRECTION_ANSWERED: the receiver did
 */
enum mix_direction {
	MIX_DIRECTION_DIALLED = 1,
	MIX_DIRECTION_ANSWERED = 2,
};

/**
 * struct mix_end - what belongs to one end of a direction
 */
struct mix_end {
	/** @cert_hash: SHA-384 of its certificate in DER */
	uint8_t cert_hash[MIX_CERT_HASH_BYTES];

	/** @ring_id: of its ring of this direction, from the kernel */
	uint8_t ring_id[QLINK_RING_ID_BYTES];

	/** @nonce: fresh for this offer */
	uint8_t nonce[MIX_NONCE_BYTES];

	/** @policy: an enum policy */
	uint8_t policy;
};

/**
 * struct mix_transcript - what both ends must see alike
 *
 * Public. A byte that differs makes other keys, see PROTOCOL.md, section 1.
 */
struct mix_transcript {
	/** @sender: the end that will seal */
	struct mix_end sender;

	/** @receiver: the end that will open */
	struct mix_end receiver;

	/** @exporter: of the TLS connection, by MIX_EXPORTER_LABEL */
	uint8_t exporter[MIX_EXPORTER_BYTES];

	/** @protocol_version: as agreed in HELLO */
	uint8_t protocol_version;

	/** @wire_version: of the sealed frames */
	uint8_t wire_version;

	/** @suite: 1 */
	uint8_t suite;

	/** @direction: an enum mix_direction */
	uint8_t direction;

	/** @source: an enum qlink_source other than static */
	uint8_t source;

	/** @link_id: 1 to 65535 */
	uint16_t link_id;

	/** @kme_id: of the sender's KME; none for pqc */
	struct bytes kme_id;

	/** @key_id: the KME key ID as offered; none for pqc */
	struct bytes key_id;

	/** @kem_public: the receiver's; none for qkd */
	struct bytes kem_public;

	/** @kem_ciphertext: the sender's answer to it; none for qkd */
	struct bytes kem_ciphertext;
};

/**
 * struct mix_secrets - what the keys of an epoch are made of
 */
struct mix_secrets {
	/** @chain: MIX_CHAIN_BYTES, all zero for the first offer */
	const uint8_t *chain;

	/** @qkd: from the KME; none for pqc */
	struct bytes qkd;

	/** @mlkem: MIX_KEM_SECRET_BYTES; none for qkd */
	struct bytes mlkem;

	/** @x25519: MIX_KEM_SECRET_BYTES; none for qkd */
	struct bytes x25519;
};

/**
 * struct mix_keys - the keys of one epoch of one direction
 *
 * Secret: belongs in a struct qlink_secret. @key and @salt lie as the kernel
 * takes them, QLINK_SECRET_BYTES in one piece.
 */
struct mix_keys {
	/** @key: of AES-256-GCM */
	uint8_t key[QLINK_KEY_BYTES];

	/** @salt: of the nonces */
	uint8_t salt[QLINK_SALT_BYTES];

	/** @confirm: shows the sender that the receiver has the same */
	uint8_t confirm[MIX_CONFIRM_BYTES];

	/** @next_chain: what the next epoch starts from */
	uint8_t next_chain[MIX_CHAIN_BYTES];
};

/**
 * mix_derive() - make the keys of one epoch
 * @transcript: what both ends see
 * @secrets: what only they know; lengths must be those of the source
 * @epoch: 1 to QLINK_EPOCH_MAX
 * @keys: filled in; wiped on failure; the caller wipes it after use
 *
 * HKDF-SHA-384 (RFC 5869). The salt is the hash of the transcript, so a
 * downgrade or a swap of anything in it cannot leave the keys the same.
 *
 * Context: Pure but for allocations of OpenSSL, which wipes them.
 * Return:
 * * %0		- derived
 * * %-EINVAL	- a version, source, direction, epoch or length is not allowed
 * * %-EIO	- OpenSSL failed
 */
int mix_derive(const struct mix_transcript *transcript,
	       const struct mix_secrets *secrets, uint64_t epoch,
	       struct mix_keys *keys);

/**
 * mix_chain_id() - name a chain without telling it
 * @chain: MIX_CHAIN_BYTES
 * @id: MIX_CHAIN_ID_BYTES, filled in
 *
 * Return: 0, or %-EIO if OpenSSL failed.
 */
int mix_chain_id(const uint8_t *chain, uint8_t *id);

#endif
