/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pre-shared key of TLS, which stands for the certificates of both ends. */
#ifndef QLINKD_PSK_H
#define QLINKD_PSK_H

#include <stdbool.h>

#include "common/secret.h"
#include "common/why.h"

/* Bytes of a key; the file has two hexadecimal digits for each. */
#define PSK_BYTES_MIN	32
#define PSK_BYTES_MAX	64
/* Bytes of the name of a key, which TLS calls its identity. */
#define PSK_ID_MAX	128

/* The hash that a key is used with in TLS 1.3 (RFC 8446, 4.2.11): both ends must mean the same one. */
enum psk_hash {
	PSK_HASH_SHA384,
	PSK_HASH_SHA256,
	PSK_HASH_N,
};

/**
 * struct psk - a pre-shared key; all zero if there is none
 */
struct psk {
	/** @id: its name, which goes over the line in plain text; %NULL if there is no key */
	char *id;

	/** @hash: that it is used with */
	enum psk_hash hash;

	/** @key: room for the key, in locked memory */
	struct qlink_secret key;

	/** @len: bytes of the key */
	size_t len;
};

/**
 * psk_load() - read a key from its file
 * @psk: all zero; filled in. The caller frees it with psk_free(), also on failure
 * @id: its name
 * @path: of the file, which has the key in hexadecimal, perhaps a newline, and nothing else
 * @hash: that it is used with
 * @why: filled in on failure: the file, and what is wrong with it
 *
 * Refuses a file that others can read or change, as of a private key.
 *
 * Context: Process; reads a file.
 * Return: 0, or a negative errno with @why.
 */
int psk_load(struct psk *psk, const char *id, const char *path, enum psk_hash hash, struct qlink_why *why);

/**
 * psk_free() - wipe and free
 * @psk: from psk_load(), or all zero
 */
void psk_free(struct psk *psk);

/**
 * psk_same() - compare
 * @a: one
 * @b: the other
 *
 * Return: whether both have the same name, key and hash, or both are none.
 */
bool psk_same(const struct psk *a, const struct psk *b);

#endif
