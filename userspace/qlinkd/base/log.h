/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agent's log: one event a line, for people, the journal and scripts. */
#ifndef QLINKD_LOG_H
#define QLINKD_LOG_H

#include <stdint.h>

#include "field.h"
#include "journal.h"
#include "rate.h"

/**
 * DOC: Words
 *
 * * event: what happened; one word, the first of its line
 * * field: name=value behind the event; what the event is about
 * * level: the syslog(3) severity of a line, LOG_ERR to LOG_DEBUG
 * * suppressed: not written, because too many lines came at once
 * * subject: the link or the peer that an event is about, if its first field names one
 * * class: levels that share a budget, so that many lines of one class hide none of another
 */

/* Longest line in bytes, with its newline; a value that does not fit is cut off. */
#define LOG_LINE_MAX	1024
/*
 * Lines of one event about one subject that are written at once, at most; then one in so many ms.
 * So one link, or one event that repeats, hides nothing else.
 */
#define LOG_EVENT_BURST		50
#define LOG_EVENT_REFILL_MS	1000
/* Lines of one class: a thousand links that change at once are all told, and the disk is safe. */
#define LOG_BURST		2000
#define LOG_REFILL_MS		50
/* Likewise for details. */
#define LOG_DEBUG_BURST		100
#define LOG_DEBUG_REFILL_MS	100
/* Budgets of events and subjects; two that have the same place share one. */
#define LOG_BUDGETS		1024

/**
 * enum log_class - which levels share a budget
 * @LOG_CLASS_PROBLEM: LOG_WARNING and worse
 * @LOG_CLASS_CHANGE: LOG_NOTICE and LOG_INFO
 * @LOG_CLASS_DETAIL: LOG_DEBUG
 * @LOG_N_CLASSES: how many there are
 */
enum log_class {
	LOG_CLASS_PROBLEM,
	LOG_CLASS_CHANGE,
	LOG_CLASS_DETAIL,
	LOG_N_CLASSES,
};

/**
 * struct log - where the lines go, and how many may be written
 */
struct log {
	/** @fd: of a file, a pipe or a terminal; the caller's */
	int fd;

	/** @journal: where events go instead if @fd ends in the journal; see journal_open() */
	struct journal journal;

	/** @classes: how many more lines of a class may be written */
	struct rate classes[LOG_N_CLASSES];

	/** @events: likewise of an event about a subject, at the place of their hash */
	struct rate events[LOG_BUDGETS];

	/** @n_suppressed: lines of a class suppressed since its last one that was written */
	uint64_t n_suppressed[LOG_N_CLASSES];
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
 * A flood of events can neither fill the disk nor hide other events: there is a budget for each
 * event about each subject, and one for each class. The next line of the class that is written
 * says how many were suppressed.
 *
 * If @log->journal is open, the journal gets the line and the fields by themselves. A line that it does not take now counts as
 * suppressed.
 *
 * Context: Process; one write() a line, which waits only if @log->journal is not open.
 * Return: 0, %-EAGAIN if the line was suppressed, or what write() failed with.
 */
int log_write(struct log *log, int level, const char *event,
	      const struct log_field *fields, uint64_t now);

#endif
