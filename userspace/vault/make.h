/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Makes a vault file. */
#ifndef QLINK_VAULT_MAKE_H
#define QLINK_VAULT_MAKE_H

#include "seal.h"

/**
 * vault_make() - seal keys in a new file
 * @path: the file, which must not exist, nor an index of its name
 * @layout: what its header says; gets a salt
 * @key_path: file with the sealing key
 * @next: fills in the bytes of a key, for each number in turn; 0, or a negative errno with @why
 * @arg: for @next
 * @why: filled in on failure
 *
 * The file has its name once all of it is on the disk.
 *
 * Context: Process; waits for the disk.
 * Return: 0, or a negative errno.
 */
int vault_make(const char *path, struct vault_layout *layout, const char *key_path,
	       int (*next)(void *arg, uint64_t number, uint8_t *key, struct qlink_why *why), void *arg,
	       struct qlink_why *why);

#endif
