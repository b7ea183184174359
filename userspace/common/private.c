// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether a file is private. */
#include "private.h"

bool qlink_is_open_to_others(const struct stat *stat)
{
	return stat->st_mode & (S_IRWXO | S_IWGRP | S_IXGRP) ||
	       (stat->st_uid && stat->st_mode & S_IRGRP);
}
