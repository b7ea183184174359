/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys that go into a vault: random ones, those of a file of bytes, or a list with IDs. */
#ifndef QLINK_VAULT_KEYS_H
#define QLINK_VAULT_KEYS_H

#include "common/secret.h"
#include "vault/layout.h"

/**
 * struct vault_keys - keys in the order in which they go into the vault
 */
struct vault_keys {
	/** @key_bytes: of each key; 0 until it is known */
	uint32_t key_bytes;

	/** @n: how many, an even number */
	uint64_t n;

	/** @n_left_out: keys that were read and have no place: one of an odd number */
	uint64_t n_left_out;

	/** @memory: locked, has the keys one after the other; none if all are random */
	struct qlink_secret memory;
};

/**
 * keys_read_bytes() - take keys from a file of bytes, in its order
 * @keys: @key_bytes is set; @n too, or 0 for as many as the file has; the rest is filled in
 * @path: the file, which may be a device if @n is set
 * @why: filled in on failure
 *
 * Return: 0, or a negative errno; the caller calls keys_free() in any case.
 */
int keys_read_bytes(struct vault_keys *keys, const char *path, struct qlink_why *why);

/**
 * keys_read_list() - take keys with IDs, in the order of their IDs
 * @keys: all zero; filled in
 * @path: a JSON container of keys as in ETSI GS QKD 014, or lines of ID,KEY with the key in base64
 * @why: filled in on failure; never quotes a key
 *
 * Both ends have their own list, perhaps in another order: sorted, they are the same. All keys must have the same
 * length, and no ID may stand there twice.
 *
 * Return: 0, or a negative errno; the caller calls keys_free() in any case.
 */
int keys_read_list(struct vault_keys *keys, const char *path, struct qlink_why *why);

/**
 * keys_name() - make a name from the keys
 * @keys: from keys_read_bytes() or keys_read_list()
 * @name: gets VAULT_NAME_BYTES of a SHA-384 over all keys: two ends that import the same keys, each from its own
 *	file, have vaults of the same name, and others have not
 *
 * Return: 0, or %-EIO if OpenSSL fails.
 */
int keys_name(const struct vault_keys *keys, uint8_t *name);

/**
 * keys_free() - wipe and free
 * @keys: the keys
 */
void keys_free(struct vault_keys *keys);

#endif
