/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a file is private. */
#ifndef QLINK_PRIVATE_H
#define QLINK_PRIVATE_H

#include <stdbool.h>
#include <sys/stat.h>

/**
 * qlink_is_open_to_others() - say whether others can read or change a file with a secret
 * @stat: of the file
 *
 * What belongs to root may be given to a group: that of the agent, or, as the mode shows an ACL, the
 * users whom the service manager lets read its credentials. The rule must not depend on who runs us:
 * "qlinkd -n" of root and the agent refuse the same files.
 *
 * Context: Pure.
 * Return: true if the mode lets others than the owner, or such a group, read or change it.
 */
bool qlink_is_open_to_others(const struct stat *stat);

#endif
