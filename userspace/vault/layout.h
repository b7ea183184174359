/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bytes of a vault: its header, where its records stand, and the IDs of its keys; no I/O. */
#ifndef QLINK_VAULT_LAYOUT_H
#define QLINK_VAULT_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/why.h"

/**
 * DOC: Words of a vault
 *
 * Vault: a file of sealed keys, of which each end of a link has a copy. doc/vault.md has its bytes.
 *
 * Half: of the keys. The lower half is for frames that side a sends, the upper half for those of side b. An
 * end takes new keys from its own half, in order, and fetches keys of the other half by their IDs.
 *
 * Record: a sealed key. That of a spent key is zeroed.
 *
 * Index: a file beside the vault with a mark for each spent key. Each end has an index of its own.
 *
 * Position: of a half, the number of the key behind the last spent one.
 */

/* Bytes of the header of the vault, and of that of its index. */
#define VAULT_HEAD_BYTES	512
/* Bytes of the HMAC-SHA-384 at the end of a header. */
#define VAULT_MAC_BYTES		48
#define VAULT_NAME_BYTES	16
#define VAULT_SALT_BYTES	32
#define VAULT_LABEL_MAX		64
/* The bytes of a key. */
#define VAULT_KEY_BYTES_MIN	32
#define VAULT_KEY_BYTES_MAX	128
/* Bytes of a record beyond those of its key. */
#define VAULT_TAG_BYTES		16
#define VAULT_RECORD_BYTES_MAX	(VAULT_KEY_BYTES_MAX + VAULT_TAG_BYTES)
#define VAULT_KEYS_MAX		4194304
/* Room for the ID of a key, with its NUL. */
#define VAULT_ID_ROOM		40

enum vault_side {
	VAULT_SIDE_A,
	VAULT_SIDE_B,
};

/**
 * struct vault_layout - what a header says
 */
struct vault_layout {
	/** @name: of the vault, the same in all copies; key IDs begin with its first half */
	uint8_t name[VAULT_NAME_BYTES];

	/** @salt: of the sealing; differs where the same keys are sealed again */
	uint8_t salt[VAULT_SALT_BYTES];

	/** @key_bytes: of each key */
	uint32_t key_bytes;

	/** @n_keys: of both halves, an even number */
	uint64_t n_keys;

	/** @made_s: when it was made, in s since 1970 */
	uint64_t made_s;

	/** @label: what its maker calls it, printable ASCII; empty for nothing */
	char label[VAULT_LABEL_MAX + 1];
};

/**
 * vault_layout_check() - check the numbers of a vault that is to be made
 * @layout: its @key_bytes, @n_keys and @label
 * @why: filled in on failure
 *
 * Return: 0, or %-EINVAL.
 */
int vault_layout_check(const struct vault_layout *layout, struct qlink_why *why);

/**
 * vault_layout_write() - write a header
 * @layout: what it says
 * @head: gets VAULT_HEAD_BYTES, of which the last VAULT_MAC_BYTES are zero
 */
void vault_layout_write(const struct vault_layout *layout, uint8_t *head);

/**
 * vault_layout_read() - read a header
 * @layout: filled in
 * @head: VAULT_HEAD_BYTES, whose MAC the caller checks
 * @why: filled in on failure
 *
 * Return: 0, or %-EINVAL: this is no vault, or of a version that is not known.
 */
int vault_layout_read(struct vault_layout *layout, const uint8_t *head, struct qlink_why *why);

/**
 * vault_record_bytes() - say how long a record is
 * @layout: of the vault
 *
 * Return: bytes.
 */
size_t vault_record_bytes(const struct vault_layout *layout);

/**
 * vault_record_at() - say where a record stands
 * @layout: of the vault
 * @number: of the key, below @n_keys; or @n_keys for the end of the file
 *
 * Return: offset in the file.
 */
uint64_t vault_record_at(const struct vault_layout *layout, uint64_t number);

/**
 * vault_half_begin() - say where a half begins
 * @layout: of the vault
 * @side: whose half
 *
 * Return: number of its first key; it has half of all keys.
 */
uint64_t vault_half_begin(const struct vault_layout *layout, enum vault_side side);

/**
 * vault_side_of() - say in which half a key is
 * @layout: of the vault
 * @number: of the key
 *
 * Return: the side that sends with it.
 */
enum vault_side vault_side_of(const struct vault_layout *layout, uint64_t number);

/**
 * vault_side_letter() - name a side
 * @side: the side
 *
 * Return: a or b.
 */
char vault_side_letter(enum vault_side side);

/**
 * vault_side_parse() - read the name of a side
 * @text: a or b
 * @side: set on success
 *
 * Return: whether it is a side.
 */
bool vault_side_parse(const char *text, enum vault_side *side);

/**
 * vault_id_write() - write the ID of a key
 * @layout: of the vault
 * @number: of the key, below @n_keys
 * @text: gets the ID: 16 hex digits of the vault's name, the side, and the number in its half
 */
void vault_id_write(const struct vault_layout *layout, uint64_t number, char text[VAULT_ID_ROOM]);

/**
 * vault_id_read() - find a key by its ID
 * @layout: of the vault
 * @text: the ID
 * @number: set on success
 * @why: filled in on failure
 *
 * Return: 0, or %-ENOENT: this vault has no such key.
 */
int vault_id_read(const struct vault_layout *layout, const char *text, uint64_t *number,
		  struct qlink_why *why);

#endif
