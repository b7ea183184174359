/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events for the journal, with their fields: its native protocol, without its library. */
#ifndef QLINKD_JOURNAL_H
#define QLINKD_JOURNAL_H

#include <stddef.h>

#include "field.h"

/* Where systemd-journald listens. */
#define JOURNAL_SOCKET	"/run/systemd/journal/socket"
/* Bytes of an entry, at most. */
#define JOURNAL_ENTRY_MAX	8192

/**
 * struct journal - the way to the journal
 */
struct journal {
	/** @fd: a datagram socket; -1 if the log does not go to the journal */
	int fd;

	/** @path: of the journal's socket */
	const char *path;
};

/**
 * struct journal_entry - an event
 */
struct journal_entry {
	/** @level: LOG_ERR to LOG_DEBUG of syslog(3) */
	int level;

	/** @event: what happened, a word */
	const char *event;

	/** @line: the event and its fields, as the log has them, @len bytes without a newline */
	const char *line;

	/** @len: bytes at @line */
	size_t len;

	/** @suppressed: lines that were left out before this one */
	uint64_t suppressed;

	/** @fields: a list, ended by a field without a name */
	const struct log_field *fields;
};

/**
 * journal_open() - find out whether a stream ends in the journal
 * @journal: filled in; @journal->fd is -1 if it does not
 * @fd: the stream, as standard error
 * @path: of the journal's socket; must outlive @journal
 *
 * The service manager names device and inode of the stream that it has connected to the journal
 * in JOURNAL_STREAM, see systemd.exec(5).
 *
 * Context: Process.
 */
void journal_open(struct journal *journal, int fd, const char *path);

/**
 * journal_close() - close the socket
 * @journal: from journal_open()
 */
void journal_close(struct journal *journal);

/**
 * journal_send() - add an event to the journal
 * @journal: from journal_open()
 * @entry: the event
 *
 * The entry has MESSAGE=, the line; PRIORITY=, SYSLOG_IDENTIFIER=qlinkd, MESSAGE_ID= and
 * QLINK_EVENT=; and QLINK_NAME= for each field, also
 * QLINK_SUPPRESSED_LINES= if that is not 0. Values of fields are escaped as in the line, so
 * that none of them ends its own field and begins another. A field that does not fit is left out.
 *
 * Context: Process; never waits.
 * Return: 0, %-ENOTCONN if the log does not go to the journal, or what sendto() failed with.
 */
int journal_send(const struct journal *journal, const struct journal_entry *entry);

#endif
