/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs "qlinkctl apply" without waiting for it. */
#ifndef FOLLOW_CHILD_H
#define FOLLOW_CHILD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/why.h"

/* What is kept of its output; the rest is read and dropped. All differences of a document come before the outcome. */
#define CHILD_OUTPUT_BYTES	(8 << 20)

/**
 * struct child_output - what has come from a pipe
 */
struct child_output {
	/** @fd: to read from; -1 if there is none */
	int fd;

	/** @text: what came first, with a NUL */
	char *text;

	/** @len: its bytes */
	size_t len;
};

/**
 * struct child - a process; @pid is 0 while there is none
 */
struct child {
	/** @pid: its number */
	pid_t pid;

	/** @pidfd: readable when it has ended */
	int pidfd;

	/** @deadline_ms: when it is killed */
	uint64_t deadline_ms;

	/** @out: standard output */
	struct child_output out;

	/** @err: standard error */
	struct child_output err;
};

/**
 * child_start() - start a program
 * @child: there is none
 * @argv: its name, which is looked for in the PATH, and arguments, ended by %NULL
 * @input: its standard input, @len bytes
 * @len: bytes
 * @deadline_ms: when it is killed
 * @why: filled in on failure
 *
 * Return: 0, or a negative errno with @why, and there is no child.
 */
int child_start(struct child *child, char *const *argv, const char *input, size_t len, uint64_t deadline_ms,
		struct qlink_why *why);

/**
 * child_read() - read what it has written so far
 * @child: the child; its descriptors do not block
 */
void child_read(struct child *child);

/**
 * child_end() - ask whether it has ended
 * @child: after success its output stays until child_free()
 * @now: CLOCK_BOOTTIME in ms; past the deadline it is killed
 * @status: its exit status, or -1 if it was killed
 *
 * Return: 0, or %-EAGAIN if it still runs.
 */
int child_end(struct child *child, uint64_t now, int *status);

/**
 * child_free() - forget a child
 * @child: if it still runs, it goes on and nobody listens
 */
void child_free(struct child *child);

#endif
