/* SPDX-License-Identifier: GPL-2.0 */
/* The IPv6 part of the udp underlay. */
#ifndef QLINK_UNDERLAY_UDP6_H
#define QLINK_UNDERLAY_UDP6_H

#include "udp.h"

extern const struct qlink_udp_family qlink_udp6;

#endif
