/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's log: one event a line, for people, the journal and scripts. */
#ifndef QLINKD_LOG_H
#define QLINKD_LOG_H

#include <stdint.h>

#include "field.h"
#include "rate.h"

/**
 * DOC: Words
 *
 * * event: what happened; one word, the first of its line
 * * field: name=value behind the event; what the event is about
 * * level: the syslog(3) severity of a line, LOG_ERR to LOG_DEBUG
 * * suppressed: not written, because too many lines came at once
 */

/* Longest line in bytes, with its newline; a value that does not fit is cut off. */
#define LOG_LINE_MAX	1024
/* At most this many lines are written at once, then one in so many ms. */
#define LOG_BURST	100
#define LOG_REFILL_MS	100

/**
 * struct log - where the lines go, and how many may be written
 */
struct log {
	/** @fd: of a file, a pipe or a terminal; the caller's */
	int fd;

	/** @lines: how many more lines may be written */
	struct rate lines;

	/** @n_suppressed: lines suppressed since the last one that was written */
	uint64_t n_suppressed;
};

/**
 * log_init() - start logging
 * @log: filled in
 * @fd: where the lines go; the caller closes it
 * @now: time in ms
 */
void log_init(struct log *log, int fd, uint64_t now);

/**
 * log_write() - write one line
 * @log: the log
 * @level: LOG_ERR to LOG_DEBUG of syslog(3)
 * @event: what happened, a word
 * @fields: a list, ended by a field without a name; no secret
 * @now: time in ms, not earlier than in the last call
 *
 * A line is <LEVEL>EVENT NAME=VALUE…; the journal reads such levels from standard error
 * (sd-daemon(3)). A value is quoted unless it is only letters, digits and the signs
 * -_.,:/@+%[]. KMEs and peers write some values, so every byte that could end a line or
 * move a cursor becomes \xHH.
 *
 * A flood of events cannot fill the disk: at most LOG_BURST lines are written at once, then
 * one in LOG_REFILL_MS. The next line that is written says how many were suppressed.
 *
 * Context: Process; one write() a line.
 * Return: 0, %-EAGAIN if the line was suppressed, or what write() failed with.
 */
int log_write(struct log *log, int level, const char *event,
	      const struct log_field *fields, uint64_t now);

#endif
