/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file that the bytes of one key come from. */
#ifndef QLINK_KEYFILE_H
#define QLINK_KEYFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/why.h"

/**
 * struct qlink_keyfile - properties of a key file
 */
struct qlink_keyfile {
	/** @mode: its permission bits */
	unsigned int mode;

	/** @is_exposed: it is a plain file that not only its owner can read */
	bool is_exposed;
};

/**
 * qlink_keyfile_read() - read the bytes of one key from a file
 * @path: the file, of any kind; "-" for standard input
 * @secret: where QLINK_SECRET_BYTES go: 32 of key, then 12 of salt
 * @file: filled in with the properties of the file
 * @why: filled in on failure; says nothing of the file's content
 *
 * The file must have exactly QLINK_SECRET_BYTES. It is read without the buffers
 * of the C library, which would keep a copy. On failure @secret is wiped.
 *
 * Return: 0, or a negative errno with @why.
 */
int qlink_keyfile_read(const char *path, uint8_t *secret,
		       struct qlink_keyfile *file, struct qlink_why *why);

#endif
