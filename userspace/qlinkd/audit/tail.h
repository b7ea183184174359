/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of an audit log: where to go on when the agent starts. */
#ifndef QLINKD_AUDIT_TAIL_H
#define QLINKD_AUDIT_TAIL_H

#include "checkpoint.h"
#include "installed.h"

/* Bytes at the end of the last file that are read when the agent starts. */
#define AUDIT_TAIL_BYTES	(8 << 20)

/**
 * struct audit_tail - the end of a log
 */
struct audit_tail {
	/** @file: number of its last file; 0 if there is none */
	uint64_t file;

	/** @size: bytes of that file */
	uint64_t size;

	/** @good: bytes of it up to the last line whose chain holds */
	uint64_t good;

	/** @point: that line; the start if there is none */
	struct audit_point point;

	/** @is_sealed: that line is the event sealed */
	bool is_sealed;

	/** @begun_ms: UTC in ms of the first line of the file; 0 if it is not known */
	uint64_t begun_ms;

	/** @damaged: hash of the bytes behind @good; empty if there are none */
	char damaged[AUDIT_HASH_TEXT];

	/**
	 * @lost: lines that @checkpoint names and that are missing or were changed; 0 if
	 * nothing is missing
	 */
	uint64_t lost;

	/** @has_checkpoint: @checkpoint is filled in */
	bool has_checkpoint;

	/** @checkpoint: the checkpoint, its signature not checked */
	struct audit_checkpoint checkpoint;
};

/**
 * audit_tail_read() - find the end of a log
 * @tail: filled in
 * @folder: descriptor of the folder
 * @cursors: filled in with the last record of each link
 * @installed: filled in with the keys of what is read
 * @hasher: for the lines
 * @why: filled in on failure
 *
 * Checks the chain of the last AUDIT_TAIL_BYTES only, and of the whole last file if all of
 * them are damaged. Nothing is written.
 *
 * Return: 0, or a negative errno with @why.
 */
int audit_tail_read(struct audit_tail *tail, int folder, struct audit_cursors *cursors,
		    struct audit_installed *installed, struct audit_hasher *hasher,
		    struct qlink_why *why);

#endif
