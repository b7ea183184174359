/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Seals and opens the records of a vault, under a key that is made from a file. */
#ifndef QLINK_VAULT_SEAL_H
#define QLINK_VAULT_SEAL_H

#include "layout.h"

/* Bytes of the file with the sealing key. */
#define VAULT_KEYFILE_MIN	32
#define VAULT_KEYFILE_MAX	4096

struct vault_seal;

/**
 * vault_seal_new() - read a key file and make the keys of a vault from it
 * @seal: where it goes; the caller frees it with vault_seal_free()
 * @path: the key file, VAULT_KEYFILE_MIN to _MAX bytes; others must not be able to read or change it
 * @layout: of the vault
 * @why: filled in on failure, and begins with "key file PATH"
 *
 * HKDF-SHA-384 (RFC 5869) with the vault's salt gives one key for its records and one for its headers.
 *
 * Context: Process; reads a file.
 * Return: 0, or a negative errno.
 */
int vault_seal_new(struct vault_seal **seal, const char *path, const struct vault_layout *layout,
		   struct qlink_why *why);

/**
 * vault_seal_free() - wipe and free
 * @seal: from vault_seal_new(), or %NULL
 */
void vault_seal_free(struct vault_seal *seal);

/**
 * vault_seal_head() - put the MAC at the end of a header
 * @seal: the vault's
 * @head: VAULT_HEAD_BYTES
 *
 * Return: 0, or %-EIO if OpenSSL fails.
 */
int vault_seal_head(const struct vault_seal *seal, uint8_t *head);

/**
 * vault_seal_is_head() - check the MAC at the end of a header
 * @seal: the vault's
 * @head: VAULT_HEAD_BYTES
 *
 * Return: whether it was sealed by vault_seal_head() with the same key file and salt.
 */
bool vault_seal_is_head(const struct vault_seal *seal, const uint8_t *head);

/**
 * vault_seal_record() - seal a key
 * @seal: the vault's
 * @head: the header of the vault, with its MAC: a record is part of one vault
 * @number: of the key; it makes the nonce, so that none is sealed twice with the same salt
 * @key: @key_bytes of the layout
 * @record: gets vault_record_bytes()
 *
 * AES-256-GCM. The nonce is four zero bytes and the number; the MAC of @head and the number are associated
 * data.
 *
 * Return: 0, or %-EIO if OpenSSL fails.
 */
int vault_seal_record(struct vault_seal *seal, const uint8_t *head, uint64_t number, const uint8_t *key,
		      uint8_t *record);

/**
 * vault_seal_open() - open a record
 * @seal: the vault's
 * @head: as for vault_seal_record()
 * @number: likewise
 * @record: vault_record_bytes()
 * @key: gets @key_bytes of the layout; all zero on failure
 *
 * Return: whether the record is intact.
 */
bool vault_seal_open(struct vault_seal *seal, const uint8_t *head, uint64_t number, const uint8_t *record,
		     uint8_t *key);

#endif
