/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks a whole audit log, and says where it breaks. */
#ifndef QLINKD_AUDIT_CHECK_H
#define QLINKD_AUDIT_CHECK_H

#include "checkpoint.h"

/**
 * struct audit_report - what a check found
 */
struct audit_report {
	/** @files: files that were read */
	uint64_t files;

	/** @bytes: bytes of them */
	uint64_t bytes;

	/** @lines: lines that are good */
	uint64_t lines;

	/** @set_aside: bytes that a crash damaged, which the log itself names */
	uint64_t set_aside;

	/** @breaks: places where the log breaks */
	uint64_t breaks;

	/** @end: the last line */
	struct audit_point end;

	/** @has_checkpoint: @checkpoint is filled in */
	bool has_checkpoint;

	/** @checkpoint: the checkpoint */
	struct audit_checkpoint checkpoint;
};

/**
 * audit_check() - check a log from its first line to its last
 * @folder: descriptor of the folder
 * @first: number of the first file that must be there, from 1 on
 * @key: public key of the agent, for the checkpoint; %NULL to skip its signature
 * @tell: called at every break with a text that names the file, the line and the rule
 * @arg: argument of @tell
 * @report: filled in
 *
 * Context: Process; reads all files.
 * Return: 0 if the log is whole, %-EBADMSG if @tell was called, or another negative errno.
 */
int audit_check(int folder, uint64_t first, EVP_PKEY *key,
		void (*tell)(void *arg, const char *text), void *arg,
		struct audit_report *report);

#endif
