// SPDX-License-Identifier: GPL-2.0-or-later
/* What a process of the agent may do, and what no other process may do to it. */
#include "privilege.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/secret.h"

int privilege_harden(struct qlink_why *why)
{
	qlink_secret_harden();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return qlink_refuse(why, -errno, "no_new_privs: %s", strerror(errno));
	/*
	 * A page that was never touched holds nothing that could be swapped. MCL_ONFAULT locks each
	 * page when it is first touched. Without it the kernel would read in all pages of all
	 * libraries now, which takes longer than loading them.
	 */
	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
		return qlink_refuse(why, -errno, "memory cannot be locked: %s",
				    strerror(errno));
	return 0;
}

static int drop_bounding_set(void)
{
	unsigned long cap;

	/* Without CAP_SETPCAP the set stays as it is; no_new_privs makes that harmless. */
	for (cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EPERM)
			return -errno;
	}
	return 0;
}

int privilege_drop(bool is_broker, struct qlink_why *why)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	uint32_t keep = 1U << CAP_IPC_LOCK;

	if (is_broker)
		keep |= 1U << CAP_NET_ADMIN;
	if (drop_bounding_set() ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) ||
	    syscall(SYS_capget, &header, data))
		return qlink_refuse(why, -errno, "capabilities: %s", strerror(errno));
	data[0].permitted &= keep;
	data[0].effective = data[0].permitted;
	data[0].inheritable = 0;
	memset(&data[1], 0, sizeof(data[1]));
	if (syscall(SYS_capset, &header, data))
		return qlink_refuse(why, -errno, "capabilities: %s", strerror(errno));
	return 0;
}
