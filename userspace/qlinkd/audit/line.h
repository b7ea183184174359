/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line of the audit log: JSON with a number and the hash of the line before. */
#ifndef QLINKD_AUDIT_LINE_H
#define QLINKD_AUDIT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters of a hash: SHA-384 in hexadecimal, and a terminating NUL. */
#define AUDIT_HASH_TEXT	97
/* Longest line in bytes, without its newline. */
#define AUDIT_LINE_MAX	2047
/* Longest members of a line, which follow its number, hash and times. */
#define AUDIT_MEMBERS_MAX	1700
/* Characters of a time, as in 2026-11-29T11:40:00.123Z, and a terminating NUL. */
#define AUDIT_TIME_TEXT	25

/**
 * DOC: Words
 *
 * * line: one JSON object
 * * point: a place in the log: the number of a line and its hash
 * * chain: each line has the hash of the line before; so a point stands for all lines up to it
 * * break: a place where the chain does not hold
 * * file: a part of the log; it begins with the event begun and, once it is full, ends with
 *   the event sealed
 * * checkpoint: a signed point, kept beside the files
 */

/**
 * struct audit_point - a place in the log
 */
struct audit_point {
	/** @number: of the line; 0 before the first line */
	uint64_t number;

	/** @hash: of the line, in hexadecimal; all zeros before the first line */
	char hash[AUDIT_HASH_TEXT];
};

/* Computes hashes of lines; for one thread. */
struct audit_hasher;

/**
 * audit_hasher_new() - set up a hasher
 *
 * Return: for audit_hasher_free(), or %NULL without memory.
 */
struct audit_hasher *audit_hasher_new(void);

/**
 * audit_hasher_free() - free a hasher
 * @hasher: from audit_hasher_new(), or %NULL
 */
void audit_hasher_free(struct audit_hasher *hasher);

/**
 * audit_hash() - hash bytes
 * @hasher: the hasher
 * @data: a line without its newline, or other bytes
 * @len: bytes at @data
 * @hash: filled in, with a terminating NUL; may be in @data
 *
 * Return: 0, or %-ENOMEM.
 */
int audit_hash(struct audit_hasher *hasher, const char *data, size_t len,
	       char hash[AUDIT_HASH_TEXT]);

/**
 * audit_hash_range() - hash a part of a file
 * @hasher: the hasher
 * @fd: of the file
 * @offset: where the part begins
 * @bytes: how many; fewer are hashed if the file ends before
 * @hash: filled in, with a terminating NUL
 *
 * Return: 0, or a negative errno.
 */
int audit_hash_range(struct audit_hasher *hasher, int fd, uint64_t offset, uint64_t bytes,
		     char hash[AUDIT_HASH_TEXT]);

/**
 * audit_point_start() - the point before the first line of a log
 * @point: filled in
 */
void audit_point_start(struct audit_point *point);

/**
 * audit_time_text() - write a time
 * @utc_ms: ms since 1970, UTC
 * @text: filled in
 *
 * Return: @text.
 */
const char *audit_time_text(uint64_t utc_ms, char text[AUDIT_TIME_TEXT]);

/**
 * audit_time_parse() - read what audit_time_text() wrote
 * @text: the time
 *
 * Return: ms since 1970, UTC; 0 if it is not such a time.
 */
uint64_t audit_time_parse(const char *text);

/**
 * audit_line_compose() - write the next line
 * @line: AUDIT_LINE_MAX + 2 bytes, filled in with the line, its newline and a NUL
 * @point: the line before; becomes this line
 * @hasher: for its hash
 * @utc_ms: when it happened, ms since 1970
 * @boot_ms: likewise, ms of CLOCK_BOOTTIME
 * @members: JSON members, at most AUDIT_MEMBERS_MAX bytes
 *
 * Return: bytes with the newline, %-EMSGSIZE for a line that is too long, or %-ENOMEM; after
 * an error @point is as it was.
 */
int audit_line_compose(char *line, struct audit_point *point, struct audit_hasher *hasher,
		       uint64_t utc_ms, uint64_t boot_ms, const char *members);

/**
 * audit_line_follows() - check a line against the line before
 * @line: @len bytes, without the newline
 * @len: bytes of @line
 * @point: the line before; becomes this line, also if the chain does not hold
 * @hasher: for its hash
 *
 * Return: %NULL if the line follows, else the rule that it breaks.
 */
const char *audit_line_follows(const char *line, size_t len, struct audit_point *point,
			       struct audit_hasher *hasher);

/**
 * audit_line_parse() - read number and previous hash of a line
 * @line: @len bytes, without the newline
 * @len: bytes of @line
 * @before: filled in with the line before, as @line names it
 *
 * Return: whether these bytes are a line.
 */
bool audit_line_parse(const char *line, size_t len, struct audit_point *before);

/**
 * audit_line_is() - ask whether a line is of an event
 * @line: @len bytes
 * @len: bytes of @line
 * @event: the event
 *
 * Return: whether it is.
 */
bool audit_line_is(const char *line, size_t len, const char *event);

/**
 * audit_line_member() - find a member of a line
 * @line: @len bytes
 * @len: bytes of @line
 * @name: of the member; not the first one
 *
 * Words of others are escaped, so no value can look like a member.
 *
 * Return: its value, within @line, or %NULL.
 */
const char *audit_line_member(const char *line, size_t len, const char *name);

/**
 * audit_line_number() - read a member that is a number
 * @line: @len bytes
 * @len: bytes of @line
 * @name: of the member
 * @number: filled in
 *
 * Return: whether there is one.
 */
bool audit_line_number(const char *line, size_t len, const char *name, uint64_t *number);

/**
 * audit_line_text() - read a member that is a string
 * @line: @len bytes
 * @len: bytes of @line
 * @name: of the member
 * @text: filled in with what is between the quotes, escapes included, and a terminating NUL
 * @room: bytes at @text
 *
 * Return: whether there is one that fits.
 */
bool audit_line_text(const char *line, size_t len, const char *name, char *text, size_t room);

#endif
