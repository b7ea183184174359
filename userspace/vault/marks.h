/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The index of a vault: which keys this end has spent, in a file beside it. */
#ifndef QLINK_VAULT_MARKS_H
#define QLINK_VAULT_MARKS_H

#include "seal.h"

/**
 * struct vault_marks - the index of a vault, as it was read
 *
 * A mark is one bit, which is set and never cleared. So it does not matter how much of a write reaches the
 * disk before a power failure: each bit is either set or as it was.
 */
struct vault_marks {
	/** @path: of the file: that of the vault with ".index" behind it */
	char *path;

	/** @fd: the file, -1 if it is not open */
	int fd;

	/** @side: this end */
	enum vault_side side;

	/** @bits: a bit for each key, the lowest one of a byte first; a spent key has 1 */
	uint8_t *bits;

	/** @n: how many keys */
	uint64_t n;
};

/**
 * vault_marks_open() - read an index
 * @marks: filled in; the caller passes it to vault_marks_close(), also on failure
 * @vault: path of the vault
 * @vault_head: header of the vault; the index belongs to one sealing of it
 * @layout: likewise
 * @seal: of the vault
 * @why: filled in on failure
 *
 * Return:
 * * %0		- read
 * * %-ENOENT	- there is none
 * * %-EXDEV	- it is of another vault
 * * %-EINVAL	- it is damaged
 * * others	- it cannot be read
 */
int vault_marks_open(struct vault_marks *marks, const char *vault, const uint8_t *vault_head,
		     const struct vault_layout *layout, const struct vault_seal *seal, struct qlink_why *why);

/**
 * vault_marks_create() - make an index without marks, or one with those in @bits
 * @marks: after vault_marks_open(), which found none or a bad one; has the new one afterwards
 * @vault_fd: the vault, whose owner gets the index
 * @vault_head: as for vault_marks_open()
 * @seal: likewise
 * @side: this end
 * @why: filled in on failure
 *
 * The whole file is on the disk before it gets its name.
 *
 * Return: 0, or a negative errno.
 */
int vault_marks_create(struct vault_marks *marks, int vault_fd, const uint8_t *vault_head,
		       const struct vault_seal *seal, enum vault_side side, struct qlink_why *why);

/**
 * vault_marks_close() - close the file and free the memory
 * @marks: from vault_marks_open()
 */
void vault_marks_close(struct vault_marks *marks);

/**
 * vault_marks_has() - look up a mark
 * @marks: the index
 * @number: of the key
 *
 * Return: whether it is spent.
 */
bool vault_marks_has(const struct vault_marks *marks, uint64_t number);

/**
 * vault_marks_set() - write a mark
 * @marks: the index; the mark is lost by a power failure until disk_sync()
 * @number: of the key
 *
 * Return: 0, or a negative errno.
 */
int vault_marks_set(struct vault_marks *marks, uint64_t number);

#endif
