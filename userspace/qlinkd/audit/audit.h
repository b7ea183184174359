/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The audit log of the agent: a bounded queue, and a thread that writes it to the disk. */
#ifndef QLINKD_AUDIT_H
#define QLINKD_AUDIT_H

#include <openssl/types.h>

#include "file.h"
#include "qlinkd/base/field.h"

/* Bytes of events that wait for the thread, at most; as many again may be on their way. */
#define AUDIT_QUEUE_BYTES	(2 << 20)

struct audit;

/* A disk that takes longer for what waits is said to be too slow. */
#define AUDIT_SLOW_MS	10000

/**
 * struct audit_state - how the log does
 */
struct audit_state {
	/** @is_found: the end of the log was found, or a log begun; @tail is valid */
	bool is_found;

	/** @tail: what was found */
	struct audit_tail tail;

	/** @file: number of the file that is written */
	uint64_t file;

	/** @written: the last line that a file has */
	struct audit_point written;

	/** @dropped: events that did not fit into the queue, since the start */
	uint64_t dropped;

	/** @changed: files that somebody else removed, moved or changed in size while they were written */
	uint64_t changed;

	/** @queued: bytes of events that wait */
	uint64_t queued;

	/** @is_slow: the disk has worked on one turn of the writer for AUDIT_SLOW_MS, and has yet to end it */
	bool is_slow;

	/** @err: why the last attempt to write failed, a negative errno; 0 if it did not */
	int err;
};

/**
 * audit_open() - go on with a log, or begin one
 * @audit: set to the log; the caller closes it with audit_close()
 * @settings: where, and when files end; copied
 * @key: private key that signs checkpoints; the caller keeps its reference. %NULL for no
 *	signature
 * @why: filled in on failure
 *
 * A disk that is full or fails is no failure: events wait in the queue, and the log begins, or goes
 * on, as soon as the disk works. audit_read_state() tells what was found. A folder that is wrong, or
 * that this process may not write, is.
 *
 * Context: Process; starts a thread. The process has blocked no signal for it: it takes none.
 * Return: 0, or a negative errno with @why.
 */
int audit_open(struct audit **audit, const struct audit_settings *settings, EVP_PKEY *key,
	       struct qlink_why *why);

/**
 * audit_close() - write what waits, sign it and stop
 * @audit: from audit_open(), or %NULL
 *
 * Context: Process; waits for the disk, for AUDIT_CLOSE_S at most.
 */
void audit_close(struct audit *audit);

/* A disk that does not answer for so long loses what waits when the agent ends. */
#define AUDIT_CLOSE_S	5

/**
 * audit_add() - log an event
 * @audit: from audit_open()
 * @boot_ms: time in ms of CLOCK_BOOTTIME
 * @event: the event, a word
 * @fields: a list, ended by a field without a name; no secret
 *
 * Never waits for the disk. If the queue is full, the event is dropped and counted; as soon as
 * there is room, the event dropped says how many were.
 *
 * Context: The thread that opened the log.
 */
void audit_add(struct audit *audit, uint64_t boot_ms, const char *event,
	       const struct log_field *fields);

/**
 * audit_has_room() - ask whether the queue has room for events that can wait elsewhere
 * @audit: from audit_open()
 * @n: how many
 *
 * Return: whether it has, and room for others remains; %false while a disk that fails hides which
 * events the log has.
 */
bool audit_has_room(struct audit *audit, unsigned int n);

/**
 * audit_last_record() - ask for the last record of a link in the log
 * @audit: from audit_open()
 * @link: the link
 *
 * Return: the members of its line from record on, valid until the next audit_add(); %NULL if
 * there is none.
 */
const char *audit_last_record(const struct audit *audit, const char *link);

/**
 * audit_each_installed() - go through the QKD keys that were installed before the start
 * @audit: the log
 * @use: called for each key that the end of the log names, once: the next call finds none
 * @arg: for @use
 *
 * The end is as long as audit_tail_read() says: 8 MiB of each of the last two files, with some ten
 * thousand keys or more. Where the disk failed at the start, they come when the log was found.
 */
void audit_each_installed(struct audit *audit, void (*use)(void *arg, const struct audit_key *key),
			  void *arg);

/**
 * audit_use_key() - sign checkpoints with another key from now on
 * @audit: from audit_open()
 * @key: as for audit_open()
 *
 * The last line is signed again soon, so that the certificate of this key is the one to check with.
 */
void audit_use_key(struct audit *audit, EVP_PKEY *key);

/**
 * audit_flush() - wait until all events are written
 * @audit: from audit_open()
 * @ms: for so long at most
 *
 * Return: whether they are.
 */
bool audit_flush(struct audit *audit, unsigned int ms);

/**
 * audit_read_state() - ask how the log does
 * @audit: from audit_open()
 * @state: filled in
 *
 * Context: The thread that opened the log; does not wait for the disk.
 */
void audit_read_state(struct audit *audit, struct audit_state *state);

#endif
