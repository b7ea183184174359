/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pre-shared secret of a link, from its file. */
#ifndef QLINKD_PRESHARED_H
#define QLINKD_PRESHARED_H

#include <stdbool.h>

#include "common/why.h"
#include "qlinkd/secrets/exchange.h"

/* Bytes of a file, at most. */
#define PRESHARED_BYTES_MAX	1024

/**
 * preshared_load() - read a file and give its secret to the exchange of a link
 * @x: the exchange; has none yet
 * @path: of the file, or %NULL for none
 * @why: filled in on failure: path and rule
 *
 * Context: Process; reads a file.
 * Return: 0, or a negative errno.
 */
int preshared_load(struct exchange *x, const char *path, struct qlink_why *why);

/**
 * preshared_is_same() - tell whether a file still has the secret of a link
 * @x: the exchange of the link
 * @path: of the file, or %NULL for none
 *
 * Context: Process; reads a file.
 * Return: false also if the file cannot be used.
 */
bool preshared_is_same(const struct exchange *x, const char *path);

/**
 * preshared_words() - say how the pre-shared secrets of the two ends differ, and what to do
 * @psk: what the exchange found
 *
 * Return: a sentence for the log.
 */
const char *preshared_words(enum session_psk psk);

#endif
