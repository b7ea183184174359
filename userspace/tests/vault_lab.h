/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vaults that a test makes, copies, damages and uses: keys that tell their number. */
#ifndef QLINK_TESTS_VAULT_LAB_H
#define QLINK_TESTS_VAULT_LAB_H

#include "vault/make.h"
#include "vault/vault.h"

/* Keys of a vault in the lab have so many bytes. */
#define LAB_KEY_BYTES	32

/* The path of a file in the lab's folder, valid until the fourth call from now. */
const char *vaults_path(const char *name);

/* Begin with an empty folder that has a key file, "key". */
void vaults_begin(void);

/* Make a vault with so many keys; copy a file. Both must work. */
void vaults_make(const char *name, uint64_t n_keys);
void vaults_copy(const char *from, const char *to);

/* Change a byte of a file; cut a file. */
void vaults_flip(const char *name, uint64_t at);
void vaults_cut(const char *name, uint64_t len);

/* Open a vault as a side. vaults_must_open() does it for a vault that is well. */
int vaults_open(struct vault **vault, const char *name, enum vault_side side, struct qlink_why *why);
struct vault *vaults_must_open(const char *name, enum vault_side side);

/* Whether a key is the one of its number. */
bool vaults_is_right(const struct vault_key *key);

/* The ID of a key of a vault that vaults_make() made; valid until the eighth call from now. */
const char *vaults_id(uint64_t n_keys, uint64_t number);

/* Open a vault, take keys or fetch those with these numbers, and close it: the number of good keys, or -errno. */
int vaults_take(const char *name, enum vault_side side, size_t n, struct vault_key *keys, struct qlink_why *why);
int vaults_fetch(const char *name, enum vault_side side, uint64_t n_keys, const uint64_t *numbers, size_t n,
	      struct vault_key *keys, struct qlink_why *why);

#endif
