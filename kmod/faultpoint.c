// SPDX-License-Identifier: GPL-2.0
/* Places where a test makes the module slow or has it fail, on kernels with fault injection. */
#include "faultpoint.h"

#ifdef CONFIG_FAULT_INJECTION_DEBUG_FS

#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/delay.h>

static const char *const qlink_faultpoint_names[QLINK_FAULTPOINTS] = {
	[QLINK_FAULTPOINT_RX_WAITS]	= "rx-waits",
	[QLINK_FAULTPOINT_POLL_MS]	= "poll-ms",
	[QLINK_FAULTPOINT_UDP_MS]	= "udp-ms",
	[QLINK_FAULTPOINT_RESERVES]	= "reserves",
	[QLINK_FAULTPOINT_FORKS]	= "forks",
};

static atomic_t qlink_faultpoints[QLINK_FAULTPOINTS];
static struct dentry *qlink_faultpoint_dir;

/**
 * qlink_faultpoint_delay() - wait where a test has asked for it
 * @point: in milliseconds
 *
 * Context: Any.
 */
void qlink_faultpoint_delay(enum qlink_faultpoint point)
{
	int ms = atomic_read(&qlink_faultpoints[point]);

	if (ms > 0)
		mdelay(ms);
}

/**
 * qlink_faultpoint_hits() - is this one of the next times, as many as a test has asked for?
 * @point: a number of times
 *
 * Context: Any.
 * Return: whether it is
 */
bool qlink_faultpoint_hits(enum qlink_faultpoint point)
{
	return atomic_dec_if_positive(&qlink_faultpoints[point]) >= 0;
}

/**
 * qlink_faultpoint_init() - make the files
 *
 * Context: Process context, sleeps.
 */
void __init qlink_faultpoint_init(void)
{
	int i;

	qlink_faultpoint_dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	for (i = 0; i < QLINK_FAULTPOINTS; i++)
		debugfs_create_atomic_t(qlink_faultpoint_names[i], 0600, qlink_faultpoint_dir,
					&qlink_faultpoints[i]);
}

/**
 * qlink_faultpoint_exit() - remove the files
 *
 * Context: Process context, sleeps.
 */
void qlink_faultpoint_exit(void)
{
	debugfs_remove_recursive(qlink_faultpoint_dir);
}

#endif
