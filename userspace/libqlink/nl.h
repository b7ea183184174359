/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of libqlink share that talk to the kernel; not for its users. */
#ifndef QLINK_NL_H
#define QLINK_NL_H

#include "qlink.h"

struct nl_sock;

/**
 * struct qlink_nl - an open socket of the family
 */
struct qlink_nl {
	/** @sock: connected */
	struct nl_sock *sock;

	/** @family: number of the family */
	int family;
};

/**
 * qlink_fail() - say that a call has failed
 * @error: out
 * @err: negative errno
 * @message: why; empty for the text of @err
 *
 * Return: @err
 */
int qlink_fail(struct qlink_error *error, int err, const char *message);

/**
 * qlink_fail_nl() - say that a call of libnl has failed
 * @error: out
 * @nl_err: what it returned; errno was 0 before it
 *
 * Return: the negative errno that it left, or %-EIO
 */
int qlink_fail_nl(struct qlink_error *error, int nl_err);

#endif
