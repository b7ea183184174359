/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The audit log: lines of JSON, each with the hash of the one before. */
#ifndef QLINKD_AUDIT_H
#define QLINKD_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/why.h"


/* Of SHA-384. */
#define AUDIT_HASH_BYTES	48
/* Room for it as text. */
#define AUDIT_HASH_TEXT		(2 * AUDIT_HASH_BYTES + 1)
/* Of a line, without its end. */
#define AUDIT_LINE_MAX		1023

/**
 * DOC: What the chain shows
 *
 * A line is {"number":N,"previous":"HASH",…}. Numbers grow by one. The hash of a line
 * is SHA-384 over the 48 bytes of the hash of the line before, all zero for the
 * first line ever, and the line without its end; the next line carries it. A log that is
 * continued in another file goes on with the last hash of the old one.
 *
 * So no line can be changed, taken out, put in or moved without changing the hash of
 * the last line; and with the last hash kept elsewhere (it is in the metrics), no
 * lines can be cut off behind. Whoever can write the file and has no such copy to
 * fear can write another log.
 *
 * A line that was cut off by a crash or a full disk stays as it is, and counts for the
 * hash like any.
 */

/**
 * struct audit - a log that is written
 */
struct audit {
	/** @fd: of the file, open for appending; -1 for none */
	int fd;

	/** @number: of the last line that is whole */
	uint64_t number;

	/** @hash: of the last line */
	uint8_t hash[AUDIT_HASH_BYTES];

	/** @lacks_end: the last line has none */
	bool lacks_end;
};

/**
 * struct audit_report - what is in a log
 */
struct audit_report {
	/** @lines: that are whole */
	uint64_t lines;

	/** @torn: that are not */
	uint64_t torn;

	/** @first: number of the first line, 0 without any */
	uint64_t first;

	/** @last: number of the last line, likewise */
	uint64_t last;

	/** @before: the hash that the first line carries */
	uint8_t before[AUDIT_HASH_BYTES];

	/** @hash: of the last line, torn or not */
	uint8_t hash[AUDIT_HASH_BYTES];

	/** @lacks_end: the last line has none */
	bool lacks_end;
};

/**
 * audit_hash_text() - write a hash as lines have it
 * @hash: AUDIT_HASH_BYTES
 * @text: filled in
 *
 * Return: @text.
 */
const char *audit_hash_text(const uint8_t *hash, char text[AUDIT_HASH_TEXT]);

/**
 * audit_open() - open a log to go on with
 * @audit: filled in; all zero but an fd of -1 for a log that begins here, or one
 *	that was closed, whose chain goes on if the file is new
 * @path: of the file; made for its owner alone if it is not there
 * @why: filled in on failure
 *
 * It is checked from its beginning to its end, and goes on from there; a log that
 * somebody has changed is refused, so that it is looked at.
 *
 * Return: 0, %-EBADMSG for a chain that is broken, or another negative errno.
 */
int audit_open(struct audit *audit, const char *path, struct qlink_why *why);

/**
 * audit_close() - close the file; the chain can go on in another
 * @audit: from audit_open()
 */
void audit_close(struct audit *audit);

/**
 * audit_append() - write a line
 * @audit: from audit_open()
 * @members: JSON members, commas between them, without newlines; no secret
 *
 * Not on the disk before audit_sync().
 *
 * Return: 0, %-EMSGSIZE for a line that is too long, or what writing it came to:
 * then the line is not in the log, or torn.
 */
int audit_append(struct audit *audit, const char *members);

/**
 * audit_sync() - have all lines on the disk
 * @audit: from audit_open()
 *
 * Return: 0, or a negative errno.
 */
int audit_sync(struct audit *audit);

/**
 * audit_verify() - check a log
 * @fd: of the file, read from its beginning
 * @report: filled in, up to the error
 * @why: filled in on failure, with the place of the line in the file
 *
 * Whether the first line goes on from another file is for the caller to check.
 *
 * Return: 0, %-EBADMSG for a chain that is broken, or another negative errno.
 */
int audit_verify(int fd, struct audit_report *report, struct qlink_why *why);

#endif
