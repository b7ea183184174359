/* SPDX-License-Identifier: GPL-2.0 */
/* Places where a test makes the module slow or has it fail, on kernels with fault injection. */
#ifndef QLINK_FAULTPOINT_H
#define QLINK_FAULTPOINT_H

#include <linux/types.h>

/**
 * enum qlink_faultpoint - a place, by the name of its file in debugfs, in qlink/
 * @QLINK_FAULTPOINT_RX_WAITS: rx: so many of the next frames find the FPU in use
 * @QLINK_FAULTPOINT_POLL_MS: rx: delay before packets that were taken are put back
 * @QLINK_FAULTPOINT_UDP_MS: delay between the look-up of a port and the use of it
 * @QLINK_FAULTPOINT_RESERVES: this many of the next pages count as taken from the memory reserves
 * @QLINK_FAULTPOINT_FORKS: this many of the next requests with keys bring the notice of a fork of
 *	the VM, in a hard interrupt
 * @QLINK_FAULTPOINTS: how many there are
 */
enum qlink_faultpoint {
	QLINK_FAULTPOINT_RX_WAITS,
	QLINK_FAULTPOINT_POLL_MS,
	QLINK_FAULTPOINT_UDP_MS,
	QLINK_FAULTPOINT_RESERVES,
	QLINK_FAULTPOINT_FORKS,
	QLINK_FAULTPOINTS,
};

#ifdef CONFIG_FAULT_INJECTION_DEBUG_FS

void qlink_faultpoint_init(void);
void qlink_faultpoint_exit(void);
void qlink_faultpoint_delay(enum qlink_faultpoint point);
bool qlink_faultpoint_hits(enum qlink_faultpoint point);

#else

static inline void qlink_faultpoint_init(void)
{
}

static inline void qlink_faultpoint_exit(void)
{
}

static inline void qlink_faultpoint_delay(enum qlink_faultpoint point)
{
}

static inline bool qlink_faultpoint_hits(enum qlink_faultpoint point)
{
	return false;
}

#endif

#endif
