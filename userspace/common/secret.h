/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory for key bytes. */
#ifndef QLINK_SECRET_H
#define QLINK_SECRET_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct qlink_secret - memory that key bytes may lie in
 *
 * Pages of its own, never swapped, never in a core dump, empty in a child
 * after fork, wiped before they are given back.
 */
struct qlink_secret {
	/** @data: the memory, all zero when new; %NULL when there is none */
	uint8_t *data;

	/** @len: bytes at @data that the owner asked for */
	size_t len;

	/** @mapped: bytes of whole pages behind it */
	size_t mapped;
};

/**
 * qlink_secret_new() - get memory for key bytes
 * @secret: filled in; any earlier content is overwritten, not freed
 * @len: bytes wanted, above 0
 *
 * The caller owns it and frees it with qlink_secret_free().
 *
 * Return:
 * * %0		- @secret->data has @len bytes
 * * %-ENOMEM	- no memory, or more than RLIMIT_MEMLOCK allows to lock
 * * %-EPERM	- locking memory is not allowed at all
 */
int qlink_secret_new(struct qlink_secret *secret, size_t len);

/**
 * qlink_secret_free() - wipe and give back memory for key bytes
 * @secret: from qlink_secret_new(), or all zero
 */
void qlink_secret_free(struct qlink_secret *secret);

/**
 * qlink_secret_harden() - keep the whole process out of core dumps
 *
 * Also ends that other processes of the user may trace this one. For programs
 * whose libraries copy key bytes to memory of their own, as libnl does.
 */
void qlink_secret_harden(void);

#endif
