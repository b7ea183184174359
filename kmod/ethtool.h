/* SPDX-License-Identifier: GPL-2.0 */
/* What ethtool shows of a link. */
#ifndef QLINK_ETHTOOL_H
#define QLINK_ETHTOOL_H

struct ethtool_ops;

extern const struct ethtool_ops qlink_ethtool_ops;

#endif
