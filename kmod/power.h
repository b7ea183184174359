/* SPDX-License-Identifier: GPL-2.0 */
/* Suspend, hibernation, reboots and clones of a VM: no key outlives them. */
#ifndef QLINK_POWER_H
#define QLINK_POWER_H

#include <linux/netlink.h>

int qlink_power_init(void);
void qlink_power_exit(void);

void qlink_power_enter(void);
void qlink_power_leave(void);
int qlink_power_check(struct netlink_ext_ack *extack);

#endif
