// SPDX-License-Identifier: GPL-2.0
/* The generic netlink family, and the link that a request is about. */
#include "netlink.h"

#include <net/genetlink.h>

#include "link.h"
#include "netlink-gen.h"

/**
 * qlink_netlink_get() - get the link that a request is about
 * @target: out, for qlink_netlink_put()
 * @info: parsed; its extack is told what is wrong
 *
 * Context: Process context, sleeps.
 * Return:
 * * %0			- @target is held
 * * %-EINVAL		- the request names no device
 * * %-ENODEV		- no device has this index
 * * %-EOPNOTSUPP	- the device is of another kind
 */
int qlink_netlink_get(struct qlink_netlink_target *target, const struct genl_info *info)
{
	const struct nlattr *ifindex = info->attrs[QLINK_A_IFINDEX];
	struct netlink_ext_ack *extack = info->extack;

	if (!ifindex) {
		NL_SET_ERR_MSG(extack, "ifindex is missing");
		return -EINVAL;
	}
	target->dev = netdev_get_by_index(genl_info_net(info), nla_get_u32(ifindex),
					  &target->tracker, GFP_KERNEL);
	if (!target->dev) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, ifindex, "no device has index %u",
					nla_get_u32(ifindex));
		return -ENODEV;
	}
	target->link = qlink_link_of(target->dev);
	if (target->link)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, ifindex, "not a qlink device");
	netdev_put(target->dev, &target->tracker);
	return -EOPNOTSUPP;
}

/**
 * qlink_netlink_get_owned() - get the link that a request changes or reads keys of
 * @target: out, for qlink_netlink_put()
 * @skb: the request
 * @info: parsed
 *
 * The core has checked for CAP_NET_ADMIN in the netns of the socket, which is the
 * device's. For a link that was moved into a container this is not enough: its keys
 * and its peer stay under the control of the owner of its underlay.
 *
 * Context: Process context, sleeps.
 * Return: as qlink_netlink_get(), or %-EPERM without CAP_NET_ADMIN in the link netns
 */
int qlink_netlink_get_owned(struct qlink_netlink_target *target, const struct sk_buff *skb,
			    const struct genl_info *info)
{
	int err = qlink_netlink_get(target, info);

	if (err)
		return err;
	if (net_eq(genl_info_net(info), target->link->net) ||
	    netlink_ns_capable(skb, target->link->net->user_ns, CAP_NET_ADMIN))
		return 0;
	NL_SET_ERR_MSG(info->extack, QLINK_REFUSE_LINK_NET);
	qlink_netlink_put(target);
	return -EPERM;
}

/**
 * qlink_netlink_put() - release the link of a request
 * @target: that qlink_netlink_get() filled
 */
void qlink_netlink_put(struct qlink_netlink_target *target)
{
	netdev_put(target->dev, &target->tracker);
}

/**
 * qlink_netlink_init() - register the family
 *
 * Context: Process context, sleeps.
 * Return: 0, or a negative errno
 */
int __init qlink_netlink_init(void)
{
	return genl_register_family(&qlink_nl_family);
}

/**
 * qlink_netlink_exit() - unregister the family
 */
void qlink_netlink_exit(void)
{
	genl_unregister_family(&qlink_nl_family);
}

MODULE_ALIAS_GENL_FAMILY(QLINK_FAMILY_NAME);
