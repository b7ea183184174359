/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A key of a link, in requests and replies. */
#ifndef QLINK_KEY_H
#define QLINK_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/qlink.h>

#include "attr.h"

/* The bytes of a key in a file: the key, then its salt. */
#define QLINK_SECRET_BYTES	(QLINK_KEY_BYTES + QLINK_SALT_BYTES)

/**
 * struct qlink_key - one key of a link
 *
 * It has a pointer to the key bytes, not the bytes, so it may be in ordinary
 * memory.
 */
struct qlink_key {
	/** @secret: QLINK_SECRET_BYTES in a struct qlink_secret; only to install */
	const uint8_t *secret;

	/** @epoch: number of the key in its direction */
	uint64_t epoch;

	/** @hard_blocks: AES blocks that the key may seal, 0 for the kernel's default */
	uint64_t hard_blocks;

	/** @frames: frames sealed or opened under it; only in replies */
	uint64_t frames;

	/** @bytes: bytes of plaintext sealed or opened; only in replies */
	uint64_t bytes;

	/** @kme_key_id: handle of the KME key ID, all zero for none */
	uint8_t kme_key_id[QLINK_KME_KEY_ID_BYTES];

	/** @direction: an enum qlink_direction */
	uint8_t direction;

	/** @source: an enum qlink_source */
	uint8_t source;

	/** @kmes: how many KMEs it has secrets of; 0 to install for the kernel's default */
	uint8_t kmes;

	/** @state: an enum qlink_key_state; only in replies */
	uint8_t state;
};

/* What replies show of a key. */
extern const struct qlink_attr_set qlink_key_attrs;

/**
 * qlink_key_has_id() - ask whether a key has a KME key ID
 * @key: the key
 *
 * Return: whether any byte of its handle is not zero.
 */
bool qlink_key_has_id(const struct qlink_key *key);

/**
 * qlink_key_put() - append a key and its bytes to a request to install
 * @key: the key; @key->secret is read
 * @put: appends one attribute
 * @arg: passed to @put
 *
 * The request then holds key bytes: the caller wipes it.
 *
 * Return: 0, or what @put returned if not 0.
 */
int qlink_key_put(const struct qlink_key *key, qlink_attr_put put, void *arg);

/**
 * qlink_key_put_name() - append what identifies a key
 * @key: the key; only its direction and epoch are used
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
