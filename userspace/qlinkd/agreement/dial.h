/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which agent of a pair dials the connection. */
#ifndef QLINKD_DIAL_H
#define QLINKD_DIAL_H

#include <stdbool.h>

/**
 * dial_is_ours() - check whether this agent dials the connection
 * @own: this agent's name, as in its certificate
 * @peer: the peer's name
 *
 * The agent whose name has the lower SHA-384 dials (PROTOCOL.md, section 4). So there is one
 * connection for each pair, and nobody has to configure who dials.
 *
 * Context: Pure.
 * Return: %true if this agent dials; %false at both ends if the names are equal.
 */
bool dial_is_ours(const char *own, const char *peer);

#endif
