/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A vault in use: each of its keys is given out once, and spent before. */
#ifndef QLINK_VAULT_H
#define QLINK_VAULT_H

#include "marks.h"

/**
 * DOC: How a key is spent
 *
 * 1. Its mark is set in the index, which is then synchronized with the disk.
 * 2. Its record is read and opened.
 * 3. Its record is overwritten with zeros, and the vault synchronized.
 * 4. The key is given out.
 *
 * A key whose mark is set, or whose record is not intact, is never given out. So a power failure at any of
 * these steps loses keys, those of this one request at most, and none is given out twice: before step 4 nobody
 * has it, and after step 1 nobody gets it again. The zeros are a second mark: a key is given out again only
 * if both files are put back from an older copy. Then the other end, whose files were not put back, refuses it.
 *
 * A vault is open for one request. It is locked meanwhile by flock(2), and its marks are read anew, so that any
 * number of programs may use it: each gets other keys.
 */
struct vault;

/**
 * struct vault_place - where a vault is
 */
struct vault_place {
	/** @path: of the vault; its index stands beside it */
	const char *path;

	/** @key_path: of the file with the sealing key */
	const char *key_path;

	/** @side: this end; where there is an index, it must say the same */
	enum vault_side side;

	/** @takes_any_side: whatever the index says is right; without an index the vault cannot be opened */
	bool takes_any_side;
};

/**
 * struct vault_key - a key that was given out; secret
 */
struct vault_key {
	/** @number: in the vault */
	uint64_t number;

	/** @place: of its ID among those requested; 0 for a new key */
	size_t place;

	/** @bytes: @key_bytes of the layout */
	uint8_t bytes[VAULT_KEY_BYTES_MAX];
};

/**
 * struct vault_half - how far a half is spent
 */
struct vault_half {
	/** @n: keys of it */
	uint64_t n;

	/** @position: number in the half behind the last spent key, @n if that is the last one */
	uint64_t position;

	/** @left: keys that are not spent, those before @position included */
	uint64_t left;
};

/**
 * vault_open() - open and lock a vault
 * @vault: where it goes; the caller frees it with vault_close()
 * @place: where it is
 * @why: filled in on failure; begins with the file that is the cause
 *
 * If there is no index and no key is spent, this end is new to the vault, and the index is made. Records that
 * should be zero are zeroed.
 *
 * Context: Process; waits for the lock and for the disk.
 * Return: 0, or a negative errno.
 */
int vault_open(struct vault **vault, const struct vault_place *place, struct qlink_why *why);

/**
 * vault_mend() - make a new index where it is lost or damaged, and open the vault
 * @vault: as for vault_open()
 * @place: where it is, with a side
 * @why: filled in on failure
 *
 * In each half, all keys up to the last whose record is zero count as spent.
 *
 * Return: 0; %-EEXIST if there is an index that is intact; or another negative errno.
 */
int vault_mend(struct vault **vault, const struct vault_place *place, struct qlink_why *why);

/**
 * vault_close() - unlock and free
 * @vault: from vault_open(), or %NULL
 */
void vault_close(struct vault *vault);

/**
 * vault_layout() - say what the header says
 * @vault: the vault
 *
 * Return: valid until vault_close().
 */
const struct vault_layout *vault_layout(const struct vault *vault);

/**
 * vault_own_side() - say which end this is
 * @vault: the vault
 *
 * Return: the side in the index.
 */
enum vault_side vault_own_side(const struct vault *vault);

/**
 * vault_put_back() - say whether the vault is older than its index
 * @vault: the vault
 *
 * Return: how many records of spent keys were intact when it was opened, more than an interrupted request
 * leaves: somebody put an older copy of the file back. They are zeroed. 0 for none.
 */
uint64_t vault_put_back(const struct vault *vault);

/**
 * vault_look() - say how far a half is spent
 * @vault: the vault
 * @side: whose half
 * @half: filled in
 */
void vault_look(const struct vault *vault, enum vault_side side, struct vault_half *half);

/**
 * vault_take() - take new keys from the own half, and spend them
 * @vault: the vault
 * @keys: locked memory for @n
 * @n: how many are wanted
 * @why: empty if nothing was wrong; has a damaged record, if one was passed over; on failure the cause
 *
 * Context: Process; waits for the disk.
 * Return: how many there are, fewer than @n at the end of the half; or a negative errno, and then the keys on
 * the way are lost.
 */
int vault_take(struct vault *vault, struct vault_key *keys, size_t n, struct qlink_why *why);

/**
 * vault_fetch() - take keys of the other half by their IDs, and spend them
 * @vault: the vault
 * @keys: locked memory for @n
 * @ids: their IDs, each once
 * @n: how many
 * @why: as for vault_take(); also says why this end does not have a key
 *
 * Return: as vault_take(); keys that this end does not have are left out.
 */
int vault_fetch(struct vault *vault, struct vault_key *keys, const char *const *ids, size_t n,
		struct qlink_why *why);

/**
 * vault_skip() - spend all keys of a half before a key
 * @vault: the vault
 * @number: of the key; the number of the half's end for all of it
 * @side: the half
 * @n: gets how many were spent
 * @why: filled in on failure
 *
 * Return: 0, or a negative errno.
 */
int vault_skip(struct vault *vault, uint64_t number, enum vault_side side, uint64_t *n, struct qlink_why *why);

/**
 * struct vault_report - what a check of all records found
 */
struct vault_report {
	/** @intact: keys that can be given out */
	uint64_t intact;

	/** @damaged: keys that are not spent, and cannot be given out */
	uint64_t damaged;

	/** @first: number of the first damaged one */
	uint64_t first;

	/** @spent: keys that are spent */
	uint64_t spent;

	/** @readable: of these, how many still have a record */
	uint64_t readable;
};

/**
 * vault_check() - read all records
 * @vault: the vault; nothing is changed
 * @report: filled in
 * @why: filled in on failure
 *
 * Return: 0, or a negative errno.
 */
int vault_check(struct vault *vault, struct vault_report *report, struct qlink_why *why);

#endif
