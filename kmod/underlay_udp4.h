/* SPDX-License-Identifier: GPL-2.0 */
/* The IPv4 part of the udp underlay. */
#ifndef QLINK_UNDERLAY_UDP4_H
#define QLINK_UNDERLAY_UDP4_H

#include "udp.h"

extern const struct qlink_udp_family qlink_udp4;

#endif
