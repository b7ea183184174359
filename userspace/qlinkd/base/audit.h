/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The audit log: lines of JSON, each with the hash of the previous line. */
#ifndef QLINKD_AUDIT_H
#define QLINKD_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/why.h"


/* Bytes of a hash: SHA-384. */
#define AUDIT_HASH_BYTES	48
/* Characters of a hash as text, with the terminating NUL. */
#define AUDIT_HASH_TEXT		(2 * AUDIT_HASH_BYTES + 1)
/* Longest line in bytes, without its newline. */
#define AUDIT_LINE_MAX		1023

/**
 * DOC: Words
 *
 * * line: one JSON object; the last line of a file may lack its newline
 * * whole: a line that was written completely, so it has a number
 * * torn: a line that a crash or a full disk cut off, so it has no number
 * * chain: the hashes; each depends on all lines before it
 */

/**
 * DOC: What the chain shows
 *
 * A line is {"number":N,"previous":"HASH",…}. Numbers grow by one. The hash of a line is
 * SHA-384 over two parts: the 48 bytes of the hash of the previous line, then the line
 * without its newline. Before the first line ever, the previous hash is all zero. The next
 * line contains the hash. If a log continues in another file, the chain continues from the
 * last hash of the old file.
 *
 * So nobody can change, remove, insert or move a line without changing the hash of the last
 * line. If the last hash is kept elsewhere (it is in the metrics), nobody can cut off lines
 * at the end either. Without such a copy, whoever can write the file can replace the whole
 * log.
 *
 * A torn line stays as it is, and the hash of the next line covers it like any other.
 */

/**
 * struct audit - a log that is open for writing
 */
struct audit {
	/** @fd: of the file, open for appending; -1 if no file is open */
	int fd;

	/** @number: number of the last whole line */
	uint64_t number;

	/** @hash: hash of the last line */
	uint8_t hash[AUDIT_HASH_BYTES];

	/** @lacks_end: the last line has no newline */
	bool lacks_end;
};

/**
 * struct audit_report - what a log contains
 */
struct audit_report {
	/** @lines: number of whole lines */
	uint64_t lines;

	/** @torn: number of torn lines */
	uint64_t torn;

	/** @first: number of the first whole line; 0 if there is none */
	uint64_t first;

	/** @last: number of the last whole line; 0 if there is none */
	uint64_t last;

	/** @previous: the previous hash that the first line contains */
	uint8_t previous[AUDIT_HASH_BYTES];

	/** @hash: hash of the last line, whole or torn */
	uint8_t hash[AUDIT_HASH_BYTES];

	/** @lacks_end: the last line has no newline */
	bool lacks_end;
};

/**
 * audit_hash_text() - write a hash in hexadecimal, as in the log
 * @hash: AUDIT_HASH_BYTES
 * @text: filled in, with a terminating NUL
 *
 * Context: Pure.
 * Return: @text.
 */
const char *audit_hash_text(const uint8_t *hash, char text[AUDIT_HASH_TEXT]);

/**
 * audit_open() - open a log to append to it
 * @audit: filled in. Before the first call it is all zero except for @audit->fd, which is
 *	-1. After audit_close() it may be passed again: in a new file the chain continues.
 * @path: of the file; created with mode 0600 if it does not exist; not a symbolic link
 * @why: filled in on failure
 *
 * Checks the log from its first line to its last and continues its chain. A log that
 * somebody has changed is refused, so that somebody looks at it. The caller closes the log
 * with audit_close().
 *
 * Context: Process; reads the whole file.
 * Return: 0, %-EBADMSG if the chain is broken, or another negative errno; with @why.
 */
int audit_open(struct audit *audit, const char *path, struct qlink_why *why);

/**
 * audit_close() - close the file; audit_open() can continue the chain in another
 * @audit: from audit_open()
 */
void audit_close(struct audit *audit);

/**
 * audit_append() - append a line
 * @audit: from audit_open()
 * @members: JSON members, separated by commas, without newlines; no secret
 *
 * The line is on the disk only after audit_sync().
 *
 * Context: Process; one write().
 * Return: 0, %-EINVAL if @members is empty or has a newline, %-EMSGSIZE if the line is too
 * long, %-ENOSPC if only part of it was written, or what write() failed with. After an
 * error the line is not in the log, or torn.
 */
int audit_append(struct audit *audit, const char *members);

/**
 * audit_sync() - flush all lines to the disk
 * @audit: from audit_open()
 *
 * Context: Process; waits for the disk.
 * Return: 0, or what fdatasync() failed with.
 */
int audit_sync(struct audit *audit);

/**
 * audit_verify() - check a log
 * @fd: of the file, which is read from its first byte; stays the caller's
 * @report: filled in, up to the error
 * @why: filled in on failure, with the number of the line in the file, from 1 on
 *
 * If the log continues from another file, the caller compares @report->previous with the
 * last hash of that file.
 *
 * Context: Process; reads the whole file.
 * Return: 0, %-EBADMSG if the chain is broken, or another negative errno; with @why.
 */
int audit_verify(int fd, struct audit_report *report, struct qlink_why *why);

#endif
