// SPDX-License-Identifier: GPL-2.0
/* The net_device of a link: creation, deletion, and what the ip command sees of it. */
#include "device.h"

#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/rtnetlink.h>
#include <net/netlink.h>
#include <net/netns/generic.h>

#include "clock.h"
#include "compat.h"
#include "config.h"
#include "cut.h"
#include "ethtool.h"
#include "event.h"
#include "link.h"
#include "live.h"
#include "netlink-gen.h"
#include "rx.h"
#include "tx.h"

#define QLINK_ACCEPT_DEFAULT	(BIT(QLINK_SOURCE_HYBRID) | BIT(QLINK_SOURCE_PQC))

/**
 * struct qlink_device_net - the links whose underlay is in a netns
 *
 * What happens to a device can concern these links only: a lower device and the routes of a
 * link are in its link netns.
 */
struct qlink_device_net {
	/** @links: by qlink_dev.entry; RTNL */
	struct list_head links;
	/** @resize: has those follow whose route has another size; one work for all of them */
	struct work_struct resize;
	/** @tx_group: frames of its links that wait, made with the first link; RTNL */
	struct qlink_queue_group __percpu *tx_group;
	/** @rx_group: the same, for received packets */
	struct qlink_queue_group __percpu *rx_group;
};

static unsigned int qlink_device_net_id __read_mostly;

static struct qlink_device_net *qlink_device_net(const struct net *net)
{
	return net_generic(net, qlink_device_net_id);
}

static void qlink_device_tx_changed(struct qlink_keyring *keyring)
{
	struct qlink_dev *link = container_of(keyring, struct qlink_dev, keyring);

	qlink_link_set_carrier(link);
	qlink_live_prompt(link);
}

static void qlink_device_wiped(struct qlink_keyring *keyring)
{
	struct qlink_dev *link = container_of(keyring, struct qlink_dev, keyring);

	qlink_live_forget(link);
	qlink_clock_discard(link);
	qlink_cuts_drop(&link->cuts);
}

static void qlink_device_tell(struct qlink_keyring *keyring, u32 kinds)
{
	qlink_event_raise(container_of(keyring, struct qlink_dev, keyring), kinds);
}

static const struct qlink_keyring_upcalls qlink_device_upcalls = {
	.tx_changed = qlink_device_tx_changed,
	.wiped = qlink_device_wiped,
	.tell = qlink_device_tell,
};

static void qlink_device_free_percpu(struct qlink_dev *link)
{
	free_percpu(link->rx_queue);
	free_percpu(link->tx_queue);
	free_percpu(link->stats);
}

/* Returns false without memory. The netns keeps its groups until it is deleted. */
static bool qlink_device_make_groups(struct qlink_device_net *here)
{
	ASSERT_RTNL();

	if (!here->tx_group)
		here->tx_group = qlink_tx_group_new();
	if (!here->rx_group)
		here->rx_group = qlink_rx_group_new();
	return here->tx_group && here->rx_group;
}

static int qlink_device_new_percpu(struct qlink_dev *link)
{
	struct qlink_device_net *here = qlink_device_net(link->net);

	link->stats = qlink_stats_new();
	if (qlink_device_make_groups(here)) {
		link->tx_queue = qlink_queue_new(here->tx_group);
		link->rx_queue = qlink_queue_new(here->rx_group);
	}
	return link->stats && link->tx_queue && link->rx_queue ? 0 : -ENOMEM;
}

static int qlink_device_ndo_init(struct net_device *dev)
{
	struct qlink_dev *link = netdev_priv(dev);
	int err;

	qlink_event_init(link);
	qlink_live_init(link, qlink_link_set_carrier);
	qlink_clock_init(link);
	err = qlink_device_new_percpu(link) ?:
	      qlink_keyring_init(&link->keyring, dev, &qlink_device_upcalls);
	if (err) {
		qlink_device_free_percpu(link);
		return err;
	}
	qlink_keyring_set_limits(&link->keyring, &link->limits);
	netif_carrier_off(dev);
	list_add_tail(&link->entry, &qlink_device_net(link->net)->links);
	return 0;
}

static void qlink_device_ndo_uninit(struct net_device *dev)
{
	struct qlink_dev *link = netdev_priv(dev);

	/* Usually dellink has detached it, and the core has waited since. */
	if (qlink_link_detach(link))
		synchronize_net();
	qlink_queue_kill(link->tx_queue);
	qlink_queue_kill(link->rx_queue);

	mutex_lock(&link->mutex);
	link->is_dead = true;
	qlink_keyring_destroy(&link->keyring);
	mutex_unlock(&link->mutex);
	qlink_event_exit(link);
	list_del(&link->entry);
	/* After a registration that fails, the core frees the device without a grace period. */
	if (dev->reg_state == NETREG_UNINITIALIZED)
		synchronize_net();
}

/* The last reference is gone, so nobody can count any more. */
static void qlink_device_free(struct net_device *dev)
{
	struct qlink_dev *link = netdev_priv(dev);

	qlink_keyring_free(&link->keyring);
	qlink_cuts_free(&link->cuts);
	qlink_device_free_percpu(link);
	mutex_destroy(&link->mutex);
}

static int qlink_device_ndo_open(struct net_device *dev)
{
	struct qlink_dev *link = netdev_priv(dev);

	qlink_link_follow(link);
	qlink_live_start(link);
	qlink_clock_start(link);
	return 0;
}

static int qlink_device_ndo_stop(struct net_device *dev)
{
	struct qlink_dev *link = netdev_priv(dev);

	qlink_live_stop(link);
	qlink_clock_stop(link);
	qlink_clock_clear(link);
	qlink_cuts_drop(&link->cuts);
	return 0;
}

/* Everything that the peer sends is accepted, so there is no filter to set. But without this
 * function the core would refuse multicast addresses, and turn on promiscuity for a second unicast
 * address.
 */
static void qlink_device_ndo_set_rx_mode(struct net_device *dev)
{
}

static int qlink_device_ndo_change_mtu(struct net_device *dev, int mtu)
{
	struct qlink_dev *link = netdev_priv(dev);

	WRITE_ONCE(dev->mtu, mtu);
	/* An MTU that does not just follow the underlay is an admin's choice. */
	if (mtu != qlink_link_wanted_mtu(link))
		link->mtu_limit = mtu == qlink_link_own_mtu(link) ? 0 : mtu;
	return 0;
}

/* Called with or without RTNL, so the lower device itself may be going. */
static int qlink_device_ndo_get_iflink(const struct net_device *dev)
{
	const struct qlink_dev *link = netdev_priv(dev);
	const struct qlink_attach *attach;
	int ifindex = 0;

	rcu_read_lock();
	attach = rcu_dereference(link->attach);
	if (attach && attach->config.kind == QLINK_UNDERLAY_ETH)
		ifindex = attach->config.lower_ifindex;
	rcu_read_unlock();
	return ifindex ?: READ_ONCE(dev->ifindex);
}

static u64 qlink_device_sum(const struct qlink_dev *link, int first, int last)
{
	u64 sum = 0;
	int id;

	for (id = first; id <= last; id++)
		sum += qlink_stats_sum(link->stats, id);
	return sum;
}

static void qlink_device_ndo_get_stats64(struct net_device *dev,
					 struct rtnl_link_stats64 *stats)
{
	const struct qlink_dev *link = netdev_priv(dev);

	dev_fetch_sw_netstats(stats, dev->tstats);
	stats->tx_dropped = qlink_device_sum(link, QLINK_A_STATS_TX_NO_UNDERLAY,
					     QLINK_A_STATS_TX_SEAL_ERROR);
	stats->rx_dropped = qlink_device_sum(link, QLINK_A_STATS_RX_DOWN,
					     QLINK_A_STATS_RX_NO_MEMORY);
	stats->rx_errors = qlink_device_sum(link, QLINK_A_STATS_RX_SHORT,
					    QLINK_A_STATS_RX_BAD_INNER) - stats->rx_dropped;
}

static const struct net_device_ops qlink_device_ops = {
	.ndo_init		= qlink_device_ndo_init,
	.ndo_uninit		= qlink_device_ndo_uninit,
	.ndo_open		= qlink_device_ndo_open,
	.ndo_stop		= qlink_device_ndo_stop,
	.ndo_start_xmit		= qlink_tx_xmit,
	.ndo_set_rx_mode	= qlink_device_ndo_set_rx_mode,
	.ndo_change_mtu		= qlink_device_ndo_change_mtu,
	.ndo_get_stats64	= qlink_device_ndo_get_stats64,
	.ndo_get_iflink		= qlink_device_ndo_get_iflink,
	.ndo_set_mac_address	= eth_mac_addr,
	.ndo_validate_addr	= eth_validate_addr,
};

static void qlink_device_setup(struct net_device *dev)
{
	struct qlink_dev *link = netdev_priv(dev);

	ether_setup(dev);
	dev->netdev_ops = &qlink_device_ops;
	dev->ethtool_ops = &qlink_ethtool_ops;
	dev->needs_free_netdev = true;
	dev->priv_destructor = qlink_device_free;
	SET_NETDEV_DEVTYPE(dev, &qlink_link_type);

	/* Keep the route of a frame: if the frame is too big, the route is told. */
	netif_keep_dst(dev);
	dev->lltx = true;
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
	dev->priv_flags |= IFF_NO_QUEUE | IFF_LIVE_ADDR_CHANGE | IFF_DISABLE_NETPOLL |
			   IFF_UNICAST_FLT;
	/* No SCTP, which has another checksum, and no lists of frames. Segmentation packets may
	 * have any size (BIG TCP), if an admin sets it.
	 */
	dev->features = NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_HIGHDMA | NETIF_F_ALL_TSO |
			NETIF_F_GSO_UDP_L4;
	dev->hw_features = dev->features;
	dev->vlan_features = dev->features;
	dev->hw_enc_features = dev->features;
	netif_set_tso_max_size(dev, GSO_MAX_SIZE);
	dev->min_mtu = ETH_MIN_MTU;
	dev->max_mtu = ETH_MAX_MTU;
	dev->mtu = ETH_DATA_LEN - QLINK_MTU_LESS;

	link->dev = dev;
	link->accept.sources = QLINK_ACCEPT_DEFAULT;
	link->accept.kmes = 1;
	link->speed = SPEED_UNKNOWN;
	link->duplex = DUPLEX_UNKNOWN;
	qlink_config_default(&link->config);
	qlink_limits_default(&link->limits);
	mutex_init(&link->mutex);
	spin_lock_init(&link->carrier_lock);
	INIT_LIST_HEAD(&link->follow_entry);
}

static int qlink_device_validate(struct nlattr *tb[], struct nlattr *data[],
				 struct netlink_ext_ack *extack)
{
	if (tb[IFLA_ADDRESS] && !is_valid_ether_addr(nla_data(tb[IFLA_ADDRESS]))) {
		NL_SET_ERR_MSG_ATTR(extack, tb[IFLA_ADDRESS],
				    "the address of a link is a unicast MAC address");
		return -EADDRNOTAVAIL;
	}
	if (data && data[IFLA_QLINK_LOWER]) {
		NL_SET_ERR_MSG_ATTR(extack, data[IFLA_QLINK_LOWER],
				    "rtnetlink names the lower device by IFLA_LINK");
		return -EINVAL;
	}
	if (data && data[IFLA_QLINK_UNDERLAY]) {
		NL_SET_ERR_MSG_ATTR(extack, data[IFLA_QLINK_UNDERLAY],
				    "the kind of underlay follows from its addresses");
		return -EINVAL;
	}
	return 0;
}

static void qlink_device_dellink(struct net_device *dev, struct list_head *head)
{
	qlink_link_detach(netdev_priv(dev));
	unregister_netdevice_queue(dev, head);
}

static int qlink_device_newlink(QLINK_NEWLINK_ARGS)
{
	struct nlattr **tb = qlink_newlink_tb(params), **data = qlink_newlink_data(params);
	struct qlink_dev *link = netdev_priv(dev);
	int err;

	link->net = qlink_newlink_net(params);
	link->mtu_limit = tb[IFLA_MTU] ? nla_get_u32(tb[IFLA_MTU]) : 0;
	if (!tb[IFLA_ADDRESS])
		eth_hw_addr_random(dev);
	err = register_netdevice(dev);
	if (err)
		return err;
	netdev_lockdep_set_classes(dev);
	err = qlink_link_change(link, data, tb[IFLA_LINK], extack);
	if (!err && tb[IFLA_MTU] && nla_get_u32(tb[IFLA_MTU]) > dev->max_mtu) {
		NL_SET_ERR_MSG_FMT(extack, "mtu %u is above %u, the largest that fits the underlay",
				   nla_get_u32(tb[IFLA_MTU]), dev->max_mtu);
		err = -EINVAL;
	}
	if (err)
		unregister_netdevice(dev);
	return err;
}

static int qlink_device_changelink(struct net_device *dev, struct nlattr *tb[],
				   struct nlattr *data[], struct netlink_ext_ack *extack)
{
	return qlink_link_change(netdev_priv(dev), data, tb[IFLA_LINK], extack);
}

static size_t qlink_device_get_size(const struct net_device *dev)
{
	return qlink_config_bytes();
}

static int qlink_device_fill_info(struct sk_buff *msg, const struct net_device *dev)
{
	return qlink_config_fill(msg, netdev_priv(dev));
}

static size_t qlink_device_get_xstats_size(const struct net_device *dev)
{
	return qlink_stats_bytes();
}

static int qlink_device_fill_xstats(struct sk_buff *msg, const struct net_device *dev)
{
	return qlink_stats_fill(msg, netdev_priv(dev), IFLA_INFO_XSTATS);
}

static struct net *qlink_device_get_link_net(const struct net_device *dev)
{
	const struct qlink_dev *link = netdev_priv(dev);

	return link->net;
}

static struct rtnl_link_ops qlink_device_link_ops __read_mostly = {
	.kind		= KBUILD_MODNAME,
	.priv_size	= sizeof(struct qlink_dev),
	.maxtype	= ARRAY_SIZE(qlink_link_config_nl_policy) - 1,
	.policy		= qlink_link_config_nl_policy,
	.setup		= qlink_device_setup,
	.validate	= qlink_device_validate,
	.newlink	= qlink_device_newlink,
	.changelink	= qlink_device_changelink,
	.dellink	= qlink_device_dellink,
	.get_size	= qlink_device_get_size,
	.fill_info	= qlink_device_fill_info,
	.get_xstats_size = qlink_device_get_xstats_size,
	.fill_xstats	= qlink_device_fill_xstats,
	.get_link_net	= qlink_device_get_link_net,
};

/* The lower device is deleted, or moves to another netns: delete its links, as VLANs do. */
static void qlink_device_lower_gone(const struct net_device *lower)
{
	struct qlink_dev *link;
	LIST_HEAD(gone);

	list_for_each_entry(link, &qlink_device_net(dev_net(lower))->links, entry) {
		if (link->lower == lower)
			qlink_device_dellink(link->dev, &gone);
	}
	unregister_netdevice_many(&gone);
}

/* The route of a udp link may lead over any device of its netns. But another link that comes up
 * does not concern it: otherwise a thousand links would look up a thousand routes for each link.
 */
static bool qlink_device_is_concerned(const struct qlink_dev *link, struct net_device *dev,
				      unsigned long event)
{
	if (link->config.kind != QLINK_UNDERLAY_UDP)
		return link->lower == dev;
	return link->dev != dev && (event == NETDEV_CHANGEMTU ||
				    (event == NETDEV_UP && !qlink_link_of(dev)));
}

static void qlink_device_underlay_changed(struct net_device *dev, unsigned long event)
{
	struct qlink_dev *link;

	list_for_each_entry(link, &qlink_device_net(dev_net(dev))->links, entry) {
		if (qlink_device_is_concerned(link, dev, event))
			qlink_link_must_follow(link);
	}
	qlink_link_follow_all();
}

/* A lower device, or the bond over it, may have joined or left a bridge. A link that was put on top
 * changes nothing.
 */
static void qlink_device_upper_changed(const struct netdev_notifier_changeupper_info *info)
{
	struct net_device *dev = info->info.dev;
	struct qlink_dev *link;

	if (qlink_link_of(info->upper_dev))
		return;
	list_for_each_entry(link, &qlink_device_net(dev_net(dev))->links, entry) {
		if (link->lower && (link->lower == dev || netdev_has_upper_dev(link->lower, dev)))
			qlink_link_must_follow(link);
	}
	qlink_link_follow_all();
}

static void qlink_device_resized_work(struct work_struct *work)
{
	struct qlink_device_net *here = container_of(work, struct qlink_device_net, resize);
	struct qlink_dev *link;

	rtnl_lock();
	list_for_each_entry(link, &here->links, entry) {
		if (xchg(&link->is_resized, false))
			qlink_link_must_follow(link);
	}
	qlink_link_follow_all();
	rtnl_unlock();
}

/**
 * qlink_device_resized() - have the MTU of a link updated from its underlay, soon
 * @attach: of the link
 *
 * Context: BHs off, in an RCU read side.
 */
void qlink_device_resized(struct qlink_attach *attach)
{
	struct qlink_dev *link = netdev_priv(attach->dev);

	WRITE_ONCE(link->is_resized, true);
	schedule_work(&qlink_device_net(link->net)->resize);
}

static void qlink_device_renamed(const struct net_device *dev)
{
	struct qlink_dev *link = qlink_link_of(dev);

	if (link)
		qlink_event_rename(link);
}

/**
 * qlink_device_follow() - have a link follow its underlay with the next qlink_link_follow_all()
 * @attach: of the link
 *
 * Context: RTNL held.
 */
void qlink_device_follow(struct qlink_attach *attach)
{
	qlink_link_must_follow(netdev_priv(attach->dev));
}

static int qlink_device_event(struct notifier_block *block, unsigned long event, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);

	switch (event) {
	case NETDEV_UNREGISTER:
		qlink_device_lower_gone(dev);
		break;
	/* A device that moves to another netns may get another name there. */
	case NETDEV_REGISTER:
	case NETDEV_CHANGENAME:
		qlink_device_renamed(dev);
		break;
	case NETDEV_CHANGEUPPER:
		qlink_device_upper_changed(ptr);
		break;
	case NETDEV_UP:
	case NETDEV_DOWN:
	case NETDEV_CHANGE:
	case NETDEV_CHANGEMTU:
		qlink_device_underlay_changed(dev, event);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block qlink_device_notifier = {
	.notifier_call = qlink_device_event,
};

static int __net_init qlink_device_net_init(struct net *net)
{
	struct qlink_device_net *here = qlink_device_net(net);

	INIT_LIST_HEAD(&here->links);
	INIT_WORK(&here->resize, qlink_device_resized_work);
	return 0;
}

/* When the netns of the underlay is deleted, delete its links, in whichever netns they are. */
static void __net_exit qlink_device_net_exit(struct net *net, struct list_head *gone)
{
	struct qlink_dev *link;

	list_for_each_entry(link, &qlink_device_net(net)->links, entry)
		qlink_device_dellink(link->dev, gone);
}

/* No link is left that could queue the work, or that has queues in the groups. */
static void __net_exit qlink_device_net_end(struct net *net)
{
	struct qlink_device_net *here = qlink_device_net(net);

	cancel_work_sync(&here->resize);
	free_percpu(here->tx_group);
	free_percpu(here->rx_group);
}

#ifdef QLINK_NEEDS_EXIT_BATCH_RTNL
static void __net_exit qlink_device_net_exit_batch(struct list_head *nets,
						   struct list_head *gone)
{
	struct net *net;

	list_for_each_entry(net, nets, exit_list)
		qlink_device_net_exit(net, gone);
}
#endif

static struct pernet_operations qlink_device_net_ops = {
	.init	= qlink_device_net_init,
	QLINK_PERNET_EXIT_RTNL(qlink_device_net_exit),
	.exit	= qlink_device_net_end,
	.id	= &qlink_device_net_id,
	.size	= sizeof(struct qlink_device_net),
};

/**
 * qlink_device_init() - register the device type, so that links can be made
 *
 * Context: Process context, sleeps.
 * Return: 0, or a negative errno
 */
int __init qlink_device_init(void)
{
	int err;

	err = register_pernet_device(&qlink_device_net_ops);
	if (err)
		return err;
	err = register_netdevice_notifier(&qlink_device_notifier);
	if (err)
		goto unregister_net;
	err = rtnl_link_register(&qlink_device_link_ops);
	if (err)
		goto unregister_notifier;
	return 0;

unregister_notifier:
	unregister_netdevice_notifier(&qlink_device_notifier);
unregister_net:
	unregister_pernet_device(&qlink_device_net_ops);
	return err;
}

/**
 * qlink_device_exit() - delete all links
 *
 * Context: Process context, sleeps.
 */
void qlink_device_exit(void)
{
	rtnl_link_unregister(&qlink_device_link_ops);
	unregister_netdevice_notifier(&qlink_device_notifier);
	unregister_pernet_device(&qlink_device_net_ops);
}

MODULE_ALIAS_RTNL_LINK(KBUILD_MODNAME);
