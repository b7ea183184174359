/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory for key bytes. */
#ifndef QLINK_SECRET_H
#define QLINK_SECRET_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct qlink_secret - memory that is fit for key bytes
 *
 * It has pages of its own. They are never swapped and never in a core dump, a child
 * finds them zeroed after fork(), and they are wiped before they are unmapped.
 */
struct qlink_secret {
	/** @data: the memory, all zero when new; %NULL if none is allocated */
	uint8_t *data;

	/** @len: bytes at @data that the owner asked for */
	size_t len;

	/** @mapped: bytes of the whole pages that hold @data */
	size_t mapped;
};

/**
 * qlink_secret_new() - allocate memory for key bytes
 * @secret: filled in; any earlier content is overwritten, not freed
 * @len: bytes wanted, above 0
 *
 * The caller owns the memory and frees it with qlink_secret_free().
 *
 * Context: Process; calls mmap(), mlock() and madvise().
 * Return:
 * * %0		- @secret->data has @len bytes
 * * %-ENOMEM	- no memory, or RLIMIT_MEMLOCK does not allow to lock so much
 * * %-EPERM	- the process may not lock memory at all
 * * other	- a negative errno of mmap(), mlock() or madvise()
 */
int qlink_secret_new(struct qlink_secret *secret, size_t len);

/**
 * qlink_secret_free() - wipe and unmap memory for key bytes
 * @secret: from qlink_secret_new(), or all zero; all zero afterwards
 *
 * Context: Process.
 */
void qlink_secret_free(struct qlink_secret *secret);

/**
 * qlink_secret_harden() - keep the whole process out of core dumps
 *
 * It also forbids other processes of the same user to trace this one. This is for programs
 * whose libraries copy key bytes to memory of their own, as libnl does. See
 * PR_SET_DUMPABLE in prctl(2).
 *
 * Context: Process.
 */
void qlink_secret_harden(void);

#endif
