/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How well each link of the site is protected. */
#ifndef FOLLOW_LINKSTATE_H
#define FOLLOW_LINKSTATE_H

#include <jansson.h>

struct qlink_nl;

/**
 * linkstate_read() - ask the kernel for all links of the network namespace
 * @nl: a socket; opened when it is %NULL, and closed and set to %NULL after a failure
 *
 * Return: a new object with the word for each link by its device, or %NULL where the kernel does not tell.
 */
json_t *linkstate_read(struct qlink_nl **nl);

#endif
