// SPDX-License-Identifier: GPL-2.0
/* Requests about links: show, configure. */
#include <linux/rtnetlink.h>
#include <net/genetlink.h>

#include "config.h"
#include "link.h"
#include "netlink-gen.h"
#include "netlink.h"

static int qlink_netlink_fill_port(struct sk_buff *msg, const struct qlink_dev *link)
{
	const struct qlink_attach *attach = rtnl_dereference(link->attach);
	struct nlattr *nest;
	int id;

	if (!attach)
		return 0;
	nest = nla_nest_start(msg, QLINK_A_PORT);
	if (!nest)
		return -EMSGSIZE;
	for (id = QLINK_PORT_FIRST; id <= QLINK_A_PORT_MAX; id++) {
		if (nla_put_u64_64bit(msg, id, qlink_stats_sum(attach->port->stats, id),
				      QLINK_A_PORT_PAD))
			return -EMSGSIZE;
	}
	nla_nest_end(msg, nest);
	return 0;
}

static int qlink_netlink_fill_link(struct sk_buff *msg, struct qlink_dev *link)
{
	struct nlattr *nest;

	if (nla_put_u32(msg, QLINK_A_IFINDEX, link->dev->ifindex) ||
	    nla_put_string(msg, QLINK_A_IFNAME, link->dev->name))
		return -EMSGSIZE;
	nest = nla_nest_start(msg, QLINK_A_LINK);
	if (!nest || qlink_config_fill(msg, link))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	if (qlink_stats_fill(msg, link, QLINK_A_STATS))
		return -EMSGSIZE;
	return qlink_netlink_fill_port(msg, link);
}

static int qlink_netlink_put_link(struct sk_buff *msg, struct qlink_dev *link, u32 portid,
				  u32 seq, int flags)
{
	void *header;

	header = genlmsg_put(msg, portid, seq, &qlink_nl_family, flags, QLINK_CMD_LINK_GET);
	if (!header || qlink_netlink_fill_link(msg, link)) {
		genlmsg_cancel(msg, header);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, header);
	return 0;
}

/**
 * qlink_nl_link_get_doit() - QLINK_CMD_LINK_GET of one link
 * @skb: request
 * @info: parsed
 *
 * Context: Process context, sleeps; takes RTNL.
 * Return: 0, %-EINVAL, %-ENODEV, %-EOPNOTSUPP or %-ENOMEM
 */
int qlink_nl_link_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct qlink_netlink_target target;
	struct sk_buff *msg;
	int err;

	err = qlink_netlink_get(&target, info);
	if (err)
		return err;
	msg = genlmsg_new(NLMSG_GOODSIZE, GFP_KERNEL);
	err = -ENOMEM;
	if (msg) {
		rtnl_lock();
		err = qlink_netlink_put_link(msg, target.link, info->snd_portid,
					     info->snd_seq, 0);
		rtnl_unlock();
	}
	qlink_netlink_put(&target);
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	return genlmsg_reply(msg, info);
}

/**
 * struct qlink_link_dump - position of a dump of links, in the netlink callback
 */
struct qlink_link_dump {
	/** @ifindex: where to continue */
	unsigned long ifindex;
};

/**
 * qlink_nl_link_get_dumpit() - QLINK_CMD_LINK_GET of all links of a netns
 * @skb: reply
 * @cb: ctx holds a struct qlink_link_dump
 *
 * Context: Process context, sleeps; takes RTNL.
 * Return: bytes in @skb, 0 at the end
 */
int qlink_nl_link_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct net *net = sock_net(skb->sk);
	struct qlink_link_dump *dump = (struct qlink_link_dump *)cb->ctx;
	struct net_device *dev;
	int err = 0;

	rtnl_lock();
	for_each_netdev_dump(net, dev, dump->ifindex) {
		struct qlink_dev *link = qlink_link_of(dev);

		if (!link)
			continue;
		err = qlink_netlink_put_link(skb, link, NETLINK_CB(cb->skb).portid,
					     cb->nlh->nlmsg_seq, NLM_F_MULTI);
		if (err)
			break;
	}
	rtnl_unlock();
	return err == -EMSGSIZE && skb->len ? skb->len : err;
}

static int qlink_netlink_set(struct qlink_dev *link, struct genl_info *info)
{
	struct nlattr *attrs[ARRAY_SIZE(qlink_link_config_nl_policy)];
	int err;

	if (GENL_REQ_ATTR_CHECK(info, QLINK_A_LINK)) {
		NL_SET_ERR_MSG(info->extack, "link is missing");
		return -EINVAL;
	}
	err = nla_parse_nested(attrs, ARRAY_SIZE(attrs) - 1, info->attrs[QLINK_A_LINK],
			       qlink_link_config_nl_policy, info->extack);
	if (err)
		return err;
	return qlink_link_change(link, attrs, attrs[IFLA_QLINK_LOWER], info->extack);
}

/**
 * qlink_nl_link_set_doit() - QLINK_CMD_LINK_SET
 * @skb: request
 * @info: parsed
 *
 * Context: Process context, sleeps; takes RTNL.
 * Return: 0, or as qlink_link_change()
 */
int qlink_nl_link_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct qlink_netlink_target target;
	int err;

	err = qlink_netlink_get_owned(&target, skb, info);
	if (err)
		return err;
	rtnl_lock();
	/* While we waited it may have been unregistered, or moved to another netns, where the
	 * caller has no rights.
	 */
	err = target.dev->reg_state == NETREG_REGISTERED &&
	      net_eq(dev_net(target.dev), genl_info_net(info)) ?
	      qlink_netlink_set(target.link, info) : -ENODEV;
	rtnl_unlock();
	qlink_netlink_put(&target);
	return err;
}
