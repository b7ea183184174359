/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state file on the disk: slots are read whole at the start, and written one by one. */
#ifndef QLINKD_STATEFILE_H
#define QLINKD_STATEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/why.h"
#include "slot.h"

/* Slots of a file, at most: 16 MiB. What is behind them is not read. */
#define STATEFILE_SLOTS_MAX	32768

/**
 * struct statefile - the file, as the writer has it
 */
struct statefile {
	/** @path: of the file; the owner's */
	const char *path;

	/** @fd: of the open file, or -1 */
	int fd;

	/** @begins_anew: what the file has is not known and goes when it is opened */
	bool begins_anew;
};

/**
 * statefile_check() - refuse a path at which no file can be
 * @path: of the file, which need not exist
 * @why: filled in on failure
 *
 * A disk that fails is not refused: it may work later.
 *
 * Context: Process; asks the disk.
 * Return: 0, or a negative errno with @why.
 */
int statefile_check(const char *path, struct qlink_why *why);

/**
 * statefile_read() - read all slots
 * @path: of the file
 * @data: set to @n slots, the last one filled up with zero bytes; the caller frees it with free()
 * @n: how many
 *
 * Context: Process; waits for the disk.
 * Return: 0, %-ENOENT if there is no file, or another negative errno.
 */
int statefile_read(const char *path, uint8_t **data, size_t *n);

/**
 * statefile_open() - open the file to write, unless it is open and still at its path
 * @file: its @path is set, and its @fd is -1 at first; the owner closes it with statefile_close()
 *
 * Makes a file that does not exist. A file that somebody has removed or replaced is made anew.
 *
 * Context: Process; waits for the disk.
 * Return: 0, 1 if the file has been opened and is empty, so that all slots must be written, or a
 * negative errno; %-EBUSY if another process has it.
 */
int statefile_open(struct statefile *file);

/**
 * statefile_write() - write one slot
 * @file: open
 * @number: of the slot
 * @data: SLOT_BYTES
 *
 * Context: Process; waits for the disk.
 * Return: 0, or a negative errno.
 */
int statefile_write(const struct statefile *file, uint32_t number, const uint8_t *data);

/**
 * statefile_sync() - wait until all that was written is on the disk
 * @file: open
 *
 * Context: Process; waits for the disk.
 * Return: 0, or a negative errno.
 */
int statefile_sync(const struct statefile *file);

/**
 * statefile_close() - close the file
 * @file: the file
 */
void statefile_close(struct statefile *file);

#endif
