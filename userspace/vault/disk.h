/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads and writes at a place of a file, and waits for the disk. */
#ifndef QLINK_VAULT_DISK_H
#define QLINK_VAULT_DISK_H

#include <stddef.h>
#include <stdint.h>

/*
 * All that a vault writes goes through these functions. A test puts its own in their place, and cuts the power
 * at any byte.
 */

/**
 * disk_read() - read all bytes at a place
 * @fd: the file
 * @data: where they go
 * @len: how many
 * @at: offset in the file
 *
 * Return: 0; %-ENODATA if the file ends before; or a negative errno.
 */
int disk_read(int fd, void *data, size_t len, uint64_t at);

/**
 * disk_write() - write all bytes at a place
 * @fd: the file
 * @data: the bytes
 * @len: how many
 * @at: offset in the file
 *
 * Return: 0, or a negative errno; then some may be written.
 */
int disk_write(int fd, const void *data, size_t len, uint64_t at);

/**
 * disk_sync() - wait until all that was written to a file outlasts a power failure
 * @fd: the file
 *
 * Return: 0, or a negative errno; then it is not known what does.
 */
int disk_sync(int fd);

#endif
