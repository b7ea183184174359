// SPDX-License-Identifier: GPL-2.0
/* What ethtool shows of a link. */
#include "ethtool.h"

#include <linux/ethtool.h>
#include <linux/rtnetlink.h>

#include "link.h"
#include "names-gen.h"

static void qlink_ethtool_get_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, KBUILD_MODNAME, sizeof(info->driver));
}

static bool qlink_ethtool_get_lower(struct net_device *lower, void *into)
{
	return !__ethtool_get_link_ksettings(lower, into);
}

/* Speed and duplex, by which a bond chooses: what an admin has set, or those of the device that
 * carries the sealed frames. Whatever else there is to know of that is not true of the link.
 */
static int qlink_ethtool_get_link_ksettings(struct net_device *dev,
					    struct ethtool_link_ksettings *settings)
{
	struct qlink_dev *link = netdev_priv(dev);
	struct ethtool_link_ksettings lower;

	settings->base.port = PORT_OTHER;
	settings->base.autoneg = AUTONEG_DISABLE;
	settings->base.speed = link->speed;
	settings->base.duplex = link->duplex;
	if (link->speed != SPEED_UNKNOWN && link->duplex != DUPLEX_UNKNOWN)
		return 0;
	if (!qlink_link_ask_carrier(link, qlink_ethtool_get_lower, &lower))
		return 0;
	if (link->speed == SPEED_UNKNOWN)
		settings->base.speed = lower.base.speed;
	if (link->duplex == DUPLEX_UNKNOWN)
		settings->base.duplex = lower.base.duplex;
	return 0;
}

/* The core has checked the values. Unknown means: as the device that carries the frames. */
static int qlink_ethtool_set_link_ksettings(struct net_device *dev,
					    const struct ethtool_link_ksettings *settings)
{
	struct qlink_dev *link = netdev_priv(dev);

	if (!ethtool_validate_speed(settings->base.speed) ||
	    !ethtool_validate_duplex(settings->base.duplex))
		return -EINVAL;
	link->speed = settings->base.speed;
	link->duplex = settings->base.duplex;
	return 0;
}

/* The core stamps what is received. What is sent is stamped by the driver that sends the sealed
 * frame, if it does that for any; clocks in hardware see sealed frames only. Any user may ask,
 * without RTNL, so the answer was found when the link followed its underlay.
 */
static int qlink_ethtool_get_ts_info(struct net_device *dev, struct kernel_ethtool_ts_info *info)
{
	const struct qlink_dev *link = netdev_priv(dev);

	info->so_timestamping = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
	if (READ_ONCE(link->is_stamped))
		info->so_timestamping |= SOF_TIMESTAMPING_TX_SOFTWARE;
	info->phc_index = -1;
	return 0;
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
	.set_link_ksettings	= qlink_ethtool_set_link_ksettings,
	.get_ts_info		= qlink_ethtool_get_ts_info,
	.get_sset_count		= qlink_ethtool_get_sset_count,
	.get_strings		= qlink_ethtool_get_strings,
	.get_ethtool_stats	= qlink_ethtool_get_stats,
};
