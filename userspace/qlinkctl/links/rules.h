/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel would refuse of a declared link, or leave out, without asking the kernel. */
#ifndef QLINKCTL_RULES_H
#define QLINKCTL_RULES_H

#include "libqlink/link.h"

/**
 * rules_is_one_device() - is a MAC address that of one device?
 * @mac: the address
 *
 * Return: whether it is neither of a group nor all zero
 */
bool rules_is_one_device(const uint8_t mac[QLINK_MAC_BYTES]);

/**
 * rules_check() - check that a link is complete, and that its options fit together
 * @lower: name of its lower device; empty for none
 * @config: its options, each of which is valid by itself
 * @why: filled in on failure: value, rule
 *
 * Only the kernel can say whether an address is one of this machine, whether a port is free, and
 * how many frames fit the underlay.
 *
 * Return: 0, or %-EINVAL with @why.
 */
int rules_check(const char *lower, const struct qlink_config *config, struct qlink_why *why);

#endif
