/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A whole file, read at once and replaced at once. */
#ifndef QLINKCTL_WHOLE_H
#define QLINKCTL_WHOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct whole - a file as it is, or as it is to be
 */
struct whole {
	/** @text: its bytes, and a NUL behind them; on the heap, %NULL without a file */
	char *text;

	/** @n: how many bytes, without the NUL */
	size_t n;

	/** @mode: its permissions */
	mode_t mode;

	/** @uid: its owner */
	uid_t uid;

	/** @gid: its group */
	gid_t gid;

	/** @exists: there is one */
	bool exists;
};

/**
 * whole_read() - read a file
 * @whole: filled in; freed with whole_free()
 * @path: where it is; not there is no error
 *
 * Return: 0, or a negative errno; %-EINVAL for what is no regular file, %-EFBIG for more than 16 MiB.
 */
int whole_read(struct whole *whole, const char *path);

/**
 * whole_write() - replace a file, or delete it
 * @whole: what is to be there
 * @path: where
 *
 * Whoever reads the file at any time, also after a loss of power, finds the old one or the
 * new one, with its owner and permissions.
 *
 * Return: 0, or a negative errno; then the old file is there.
 */
int whole_write(const struct whole *whole, const char *path);

/**
 * whole_path() - make a path that holds in any working folder
 * @path: the path
 *
 * Return: the path from the root, on the heap; %NULL without memory.
 */
char *whole_path(const char *path);

/**
 * whole_sync_folder() - have what was made, renamed and deleted in a folder survive a loss of power
 * @path: of a file in this folder
 *
 * Return: 0, or a negative errno.
 */
int whole_sync_folder(const char *path);

/**
 * whole_free() - free the bytes
 * @whole: empty afterwards
 */
void whole_free(struct whole *whole);

#endif
