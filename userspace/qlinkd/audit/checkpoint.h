/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checkpoint of an audit log: a signed point, so that lost files and lines are noticed. */
#ifndef QLINKD_AUDIT_CHECKPOINT_H
#define QLINKD_AUDIT_CHECKPOINT_H

#include <openssl/types.h>

#include "common/why.h"
#include "line.h"

#define AUDIT_CHECKPOINT	"checkpoint.json"
#define AUDIT_CHECKPOINT_NEW	"checkpoint.new"
/* Longest checkpoint in bytes; a signature of ML-DSA-87 has 6,170 characters. */
#define AUDIT_CHECKPOINT_MAX	16384
/* Longest name of an agent in it, with a terminating NUL. */
#define AUDIT_AGENT_TEXT	256

/**
 * struct audit_checkpoint - what a checkpoint says
 */
struct audit_checkpoint {
	/** @file: the file that the log had reached */
	uint64_t file;

	/** @point: its last line that was on the disk */
	struct audit_point point;

	/** @agent: name of the agent that signed it, escaped as in JSON */
	char agent[AUDIT_AGENT_TEXT];

	/** @utc: when it was signed */
	char utc[AUDIT_TIME_TEXT];
};

/**
 * audit_checkpoint_write() - replace the checkpoint of a log
 * @folder: descriptor of the folder
 * @checkpoint: what it says
 * @key: signs it; %NULL for no signature
 *
 * The lines up to its point must be on the disk.
 *
 * Context: Any thread; waits for the disk.
 * Return: 0, or a negative errno; %-EKEYREJECTED if the key cannot sign.
 */
int audit_checkpoint_write(int folder, const struct audit_checkpoint *checkpoint, EVP_PKEY *key);

/**
 * audit_checkpoint_read() - read the checkpoint of a log
 * @folder: descriptor of the folder
 * @checkpoint: filled in
 * @key: public key that its signature is checked with; %NULL to skip that
 * @why: filled in on failure
 *
 * Return: 0, %-ENOENT if there is none, %-EBADMSG if it is not a checkpoint, %-EKEYREJECTED if
 * the signature is not of that key, or another negative errno; with @why. After
 * %-EKEYREJECTED, @checkpoint is filled in as well.
 */
int audit_checkpoint_read(int folder, struct audit_checkpoint *checkpoint, EVP_PKEY *key,
			  struct qlink_why *why);

#endif
