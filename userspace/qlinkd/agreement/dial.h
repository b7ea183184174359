/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which end of a pair makes the connection. */
#ifndef QLINKD_DIAL_H
#define QLINKD_DIAL_H

#include <stdbool.h>

/**
 * dial_is_ours() - say whether this end makes the connection
 * @own: our name, as in our certificate
 * @peer: the peer's name
 *
 * The end whose name has the lower SHA-384 dials, so that there is one
 * connection and nobody has to configure it.
 *
 * Context: Pure.
 * Return: whether this end dials; false at both ends for two equal names.
 */
bool dial_is_ours(const char *own, const char *peer);

#endif
