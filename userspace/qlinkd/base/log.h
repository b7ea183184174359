/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's log: one event a line, for people, journals and scripts. */
#ifndef QLINKD_LOG_H
#define QLINKD_LOG_H

#include <stdint.h>

#include "rate.h"

/* Of a line, with its end; what a value has too much is cut off. */
#define LOG_LINE_MAX	1024
/* Lines that are written at once at most, and ms until there is room for one more. */
#define LOG_BURST	100
#define LOG_REFILL_MS	100

/**
 * struct log - where it goes
 */
struct log {
	/** @fd: of a file, a pipe or a terminal */
	int fd;

	/** @lines: how many more may be written */
	struct rate lines;

	/** @n_left_out: lines that were not written, since the last that was */
	uint64_t n_left_out;
};

/**
 * struct log_field - what an event is about
 */
struct log_field {
	/** @name: a word; %NULL ends a list */
	const char *name;

	/** @text: its value; %NULL for @number */
	const char *text;

	/** @number: its value */
	uint64_t number;
};

/**
 * log_init() - begin to log
 * @log: filled in
 * @fd: stays the caller's
 * @now: time in ms
 */
void log_init(struct log *log, int fd, uint64_t now);

/**
 * log_write() - write one line
 * @log: the log
 * @level: LOG_ERR to LOG_DEBUG of syslog(3)
 * @event: what happened, a word
 * @fields: a list; no secret
 * @now: time in ms
 *
 * The line is <LEVEL>EVENT NAME=VALUE…, as the journal reads levels from standard
 * error. A value with more than letters, digits and plain signs stands in quotes, and what
 * could end a line or move a cursor in it is \xHH: KMEs and peers write some of it.
 *
 * Who floods us does not fill the disk: at most LOG_BURST lines at once and one in
 * LOG_REFILL_MS. The next line that is written says how many were left out.
 *
 * Return: 0, %-EAGAIN for a line that was left out, or what writing it came to.
 */
int log_write(struct log *log, int level, const char *event,
	      const struct log_field *fields, uint64_t now);

#endif
