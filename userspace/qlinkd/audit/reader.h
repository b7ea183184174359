/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the lines of a file of the audit log, in blocks. */
#ifndef QLINKD_AUDIT_READER_H
#define QLINKD_AUDIT_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes read at once. */
#define AUDIT_READ_BYTES	(1 << 20)

/**
 * struct audit_reader - a position in a file
 */
struct audit_reader {
	/** @fd: of the file; the caller's */
	int fd;

	/** @offset: of the first byte that was not returned yet */
	uint64_t offset;

	/** @limit: bytes from here on are not read */
	uint64_t limit;

	/** @block: AUDIT_READ_BYTES, the caller's */
	char *block;

	/** @begin: first byte of @block that was not returned yet */
	size_t begin;

	/** @end: bytes of @block that are filled */
	size_t end;
};

/**
 * audit_reader_start() - begin to read
 * @reader: filled in
 * @fd: of the file
 * @offset: where to begin
 * @limit: where to end
 * @block: AUDIT_READ_BYTES; must outlive @reader
 */
void audit_reader_start(struct audit_reader *reader, int fd, uint64_t offset, uint64_t limit,
			char *block);

/**
 * audit_reader_next() - read a line
 * @reader: the reader; its @offset moves behind the line
 * @line: set to the line, without its newline; valid until the next call
 * @len: set to its bytes
 * @is_whole: set to whether a newline ends it
 *
 * More than AUDIT_READ_BYTES without a newline are returned as a line that is not whole.
 *
 * Return: 1, 0 at the limit or the end of the file, or a negative errno.
 */
int audit_reader_next(struct audit_reader *reader, const char **line, size_t *len,
		      bool *is_whole);

#endif
