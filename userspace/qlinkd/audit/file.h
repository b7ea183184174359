/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes the files of an audit log: lines, rotation, checkpoints; used by one thread. */
#ifndef QLINKD_AUDIT_FILE_H
#define QLINKD_AUDIT_FILE_H

#include "cursor.h"
#include "tail.h"

/* Bytes of lines that wait for the disk, at most. */
#define AUDIT_PENDING_BYTES	(256 << 10)
/* After so many bytes the cursors of all links are written again, so that a start finds them. */
#define AUDIT_CURSORS_EVERY	(4 << 20)
/* A power failure loses the lines of this time at most. */
#define AUDIT_SYNC_MS		1000

/**
 * struct audit_settings - when files end
 */
struct audit_settings {
	/** @folder: path of the folder of the log; created if it does not exist */
	const char *folder;

	/** @agent: name of the agent */
	const char *agent;

	/** @file_bytes: a file of this size ends */
	uint64_t file_bytes;

	/** @file_ms: a file of this age ends */
	uint64_t file_ms;

	/** @checkpoint_ms: longest time between checkpoints */
	uint64_t checkpoint_ms;
};

/**
 * struct audit_files - the log as it is written
 *
 * Members are for file.c; others only read them.
 */
struct audit_files {
	/** @settings: when files end; @settings.folder is @path, @settings.agent is not kept */
	struct audit_settings settings;

	/** @path: of the folder */
	char *path;

	/** @is_found: the end of the log was found, and lines can be added */
	bool is_found;

	/** @folder: descriptor of the folder */
	int folder;

	/** @fd: of the file that is written; -1 until its first line is written */
	int fd;

	/** @file: its number */
	uint64_t file;

	/** @offset: bytes that it has */
	uint64_t offset;

	/** @begun_ms: UTC in ms of its first line */
	uint64_t begun_ms;

	/** @n_changed: files that somebody else removed, moved or changed in size while they were written */
	uint64_t n_changed;

	/** @hasher: for the lines */
	struct audit_hasher *hasher;

	/** @composed: the last line that was composed */
	struct audit_point composed;

	/** @written: the last line that the file has */
	struct audit_point written;

	/** @signed_point: number of the line of the last checkpoint */
	uint64_t signed_point;

	/** @pending: AUDIT_PENDING_BYTES, lines that were composed and not written yet */
	char *pending;

	/** @n_pending: bytes of @pending */
	size_t n_pending;

	/** @is_sealing: the last line of @pending ends the file */
	bool is_sealing;

	/** @is_cut: somebody else has cut the file that is written */
	bool is_cut;

	/** @cursors: the last record of each link */
	struct audit_cursors cursors;

	/** @installed: keys that the end of the log named at the start */
	struct audit_installed installed;

	/** @next_cursors: offset from which on the cursors are written again */
	uint64_t next_cursors;

	/** @cursor: cursors that are being written: the next one; @cursors.n if none are */
	size_t cursor;

	/** @agent: name of the agent, escaped */
	char agent[AUDIT_AGENT_TEXT];

	/** @sync_at: when to flush to the disk, ms of CLOCK_BOOTTIME; 0 if nothing is due */
	uint64_t sync_at;

	/** @checkpoint_at: when to write a checkpoint */
	uint64_t checkpoint_at;
};

/**
 * audit_files_open() - go on with a log, or begin one
 * @files: filled in; the caller closes it with audit_files_close(), also on failure
 * @settings: when files end
 * @tail: filled in with what was found
 * @why: filled in on failure
 *
 * A damaged end is left where it is, and the next file says where it begins. So is a log that
 * lacks lines of its checkpoint. A folder that another agent writes to is refused.
 *
 * Context: Process; reads the end of the log, and writes nothing but the folder.
 * Return: 0, or a negative errno with @why. After an error for which audit_disk_fails(),
 * audit_files_find() may try again.
 */
int audit_files_open(struct audit_files *files, const struct audit_settings *settings,
		     struct audit_tail *tail, struct qlink_why *why);

/**
 * audit_files_find() - try again to find the end of the log
 * @files: from audit_files_open(), which failed because of the disk
 * @tail: filled in with what was found
 * @why: filled in on failure
 *
 * Context: As audit_files_open(); waits for the disk.
 * Return: 0, or a negative errno with @why; then it may be called once more.
 */
int audit_files_find(struct audit_files *files, struct audit_tail *tail, struct qlink_why *why);

/**
 * audit_files_close() - close and free everything
 * @files: from audit_files_open()
 */
void audit_files_close(struct audit_files *files);

/**
 * audit_files_has_room() - ask whether a line can be added now
 * @files: the log
 *
 * Return: whether it can; else audit_files_work() makes room, or the log was not found yet.
 */
bool audit_files_has_room(const struct audit_files *files);

/**
 * audit_files_add() - compose a line
 * @files: the log; it has room
 * @utc_ms: when it happened, ms since 1970
 * @boot_ms: likewise, ms of CLOCK_BOOTTIME
 * @members: JSON members, at most AUDIT_MEMBERS_MAX bytes
 *
 * Return: 0, or a negative errno; then the line is not in the log.
 */
int audit_files_add(struct audit_files *files, uint64_t utc_ms, uint64_t boot_ms,
		    const char *members);

/**
 * audit_files_sign_again() - have audit_files_work() write a checkpoint, even if no line is new
 * @files: the log
 */
void audit_files_sign_again(struct audit_files *files);

/**
 * audit_files_work() - write what waits, and do what is due
 * @files: the log
 * @key: signs checkpoints; %NULL for no signature
 * @is_last: flush and sign now, because nothing follows
 *
 * After an error nothing is lost: the next call goes on.
 *
 * Context: Waits for the disk.
 * Return: 0, or a negative errno.
 */
int audit_files_work(struct audit_files *files, EVP_PKEY *key, bool is_last);

#endif
