/* SPDX-License-Identifier: GPL-2.0 */
/* The generic netlink family: parse, check, call the layers below, answer. */
#ifndef QLINK_NETLINK_H
#define QLINK_NETLINK_H

int qlink_netlink_init(void);
void qlink_netlink_exit(void);

#endif
