/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client of a Unix socket, for tests. */
#ifndef QLINK_TESTS_UNIXDIAL_H
#define QLINK_TESTS_UNIXDIAL_H

/* Connect to the socket at @path, which must work; the descriptor does not block. */
int unixdial(const char *path);

#endif
