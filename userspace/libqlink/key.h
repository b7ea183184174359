/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A key as userspace names, installs and sees it. */
#ifndef QLINK_KEY_H
#define QLINK_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/qlink.h>

#include "attr.h"

/* The bytes of a key as files hold them: the key, then its salt. */
#define QLINK_SECRET_BYTES	(QLINK_KEY_BYTES + QLINK_SALT_BYTES)

/**
 * struct qlink_key - one key of a link
 *
 * Holds no key bytes, only says where they are, so that it may live in
 * ordinary memory.
 */
struct qlink_key {
	/** @secret: QLINK_SECRET_BYTES in a struct qlink_secret; install only */
	const uint8_t *secret;

	/** @epoch: which key of its direction */
	uint64_t epoch;

	/** @hard_blocks: AES blocks that it may seal, 0 for the kernel's default */
	uint64_t hard_blocks;

	/** @frames: frames sealed or opened under it; replies only */
	uint64_t frames;

	/** @bytes: bytes of plaintext sealed or opened; replies only */
	uint64_t bytes;

	/** @kme_key_id: handle of the KME key ID, all zero for none */
	uint8_t kme_key_id[QLINK_KME_KEY_ID_BYTES];

	/** @direction: an enum qlink_direction */
	uint8_t direction;

	/** @source: an enum qlink_source */
	uint8_t source;

	/** @state: an enum qlink_key_state; replies only */
	uint8_t state;
};

/**
 * qlink_key_has_id() - ask whether a key has a KME key ID
 * @key: the key
 *
 * Return: whether its handle is other than all zero.
 */
bool qlink_key_has_id(const struct qlink_key *key);

/**
 * qlink_key_put() - append a key to an install, its bytes included
 * @key: the key; @key->secret is read
 * @put: appends one attribute
 * @arg: passed to @put
 *
 * The request holds key bytes afterwards: wipe it.
 *
 * Return: 0, or what @put returned if not 0.
 */
int qlink_key_put(const struct qlink_key *key, qlink_attr_put put, void *arg);

/**
 * qlink_key_put_name() - append what names a key
 * @key: the key; only its direction and epoch count
 * @put: appends one attribute
 * @arg: passed to @put
 *
 * Return: 0, or what @put returned if not 0.
 */
int qlink_key_put_name(const struct qlink_key *key, qlink_attr_put put,
		       void *arg);

/**
 * qlink_key_take() - take one attribute of the set key, a qlink_attr_take
 * @key: struct qlink_key that it goes to
 * @type: QLINK_A_KEY_…
 * @data: its value
 * @len: bytes at @data
 *
 * Return: 0, or %-EBADMSG for a length that does not fit the type.
 */
int qlink_key_take(void *key, unsigned int type, const void *data, size_t len);

#endif
