// SPDX-License-Identifier: GPL-2.0
/* What ethtool shows of a link. */
#include "ethtool.h"

#include <linux/ethtool.h>
#include <linux/rtnetlink.h>

#include "names-gen.h"
#include "qlink.h"

static void qlink_ethtool_get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, KBUILD_MODNAME, sizeof(info->driver));
}

/* The settings of the lower device, by which a bond chooses; a link over UDP has none. */
static int qlink_ethtool_get_link_ksettings(struct net_device *dev,
					    struct ethtool_link_ksettings *settings)
{
	const struct qlink_dev *link = netdev_priv(dev);

	return link->lower ? __ethtool_get_link_ksettings(link->lower, settings) : -EOPNOTSUPP;
}

#define QLINK_ETHTOOL_LINK_STATS	(QLINK_A_STATS_MAX - QLINK_STATS_FIRST + 1)
#define QLINK_ETHTOOL_PORT_STATS	(QLINK_A_PORT_MAX - QLINK_PORT_FIRST + 1)

static int qlink_ethtool_get_sset_count(struct net_device *dev, int set)
{
	return set == ETH_SS_STATS ? QLINK_ETHTOOL_LINK_STATS + QLINK_ETHTOOL_PORT_STATS :
				     -EOPNOTSUPP;
}

static void qlink_ethtool_get_strings(struct net_device *dev, u32 set, u8 *data)
{
	int id;

	if (set != ETH_SS_STATS)
		return;
	for (id = QLINK_STATS_FIRST; id <= QLINK_A_STATS_MAX; id++)
		ethtool_puts(&data, qlink_stats_name(id));
	for (id = QLINK_PORT_FIRST; id <= QLINK_A_PORT_MAX; id++)
		ethtool_sprintf(&data, "port_%s", qlink_port_name(id));
}

static void qlink_ethtool_get_stats(struct net_device *dev, struct ethtool_stats *stats,
				    u64 *data)
{
	const struct qlink_dev *link = netdev_priv(dev);
	const struct qlink_attach *attach = rtnl_dereference(link->attach);
	int id;

	for (id = QLINK_STATS_FIRST; id <= QLINK_A_STATS_MAX; id++)
		*data++ = qlink_stats_sum(link->stats, id);
	for (id = QLINK_PORT_FIRST; id <= QLINK_A_PORT_MAX; id++)
		*data++ = attach ? qlink_stats_sum(attach->port->stats, id) : 0;
}

const struct ethtool_ops qlink_ethtool_ops = {
	.get_drvinfo		= qlink_ethtool_get_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_link_ksettings	= qlink_ethtool_get_link_ksettings,
	.get_sset_count		= qlink_ethtool_get_sset_count,
	.get_strings		= qlink_ethtool_get_strings,
	.get_ethtool_stats	= qlink_ethtool_get_stats,
};
