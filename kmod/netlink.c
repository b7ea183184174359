// SPDX-License-Identifier: GPL-2.0
/* The generic netlink family, and the link that a request is about. */
#include "netlink.h"

#include <linux/slab.h>
#include <net/genetlink.h>

#include "link.h"
#include "netlink-gen.h"

/**
 * DOC: Key bytes in a request
 *
 * Keys are write-only: no reply has an attribute for key bytes. A request that brings them
 * must not leave them in memory, whatever becomes of it: the kernel frees the buffer of a
 * request without wiping it, and the answer that tells of an error contains a copy of the
 * request.
 *
 * So generic netlink is told to check nothing, neither attributes nor capabilities, and each
 * request comes here first. It is checked by the tables that are generated from qlink.yaml,
 * as the core would, it is carried out, and then all that follows its generic header is
 * wiped. That includes bytes that a mistaken program has put into another attribute, into
 * a request of another kind, or behind a nest that is cut off.
 *
 * What does not come here keeps its bytes: requests to other families, messages too short
 * for a generic header or without NLM_F_REQUEST, and commands that the family does not have.
 */

/* The table of operations as it was generated, and the one that the core knows. */
static const struct genl_split_ops *qlink_netlink_spec __ro_after_init;
static struct genl_split_ops *qlink_netlink_ops __ro_after_init;

/* What the table says of an operation; the core has found it before. */
static const struct genl_split_ops *qlink_netlink_find_op(u8 command, u8 kind)
{
	const struct genl_split_ops *op = qlink_netlink_spec;

	while (op->cmd != command || !(op->flags & kind))
		op++;
	return op;
}

/* The core checks this of the header where it checks attributes. */
static int qlink_netlink_check_header(const struct genl_info *info)
{
	u16 flags = info->nlhdr->nlmsg_flags;

	if (info->genlhdr->reserved) {
		NL_SET_ERR_MSG(info->extack, "genlmsghdr.reserved field is not 0");
		return -EINVAL;
	}
	if ((flags & NLM_F_DUMP) == NLM_F_DUMP)
		flags &= ~NLM_F_DUMP;
	if (flags & ~(NLM_F_REQUEST | NLM_F_ACK | NLM_F_ECHO)) {
		NL_SET_ERR_MSG(info->extack, "ambiguous or reserved bits set in nlmsg_flags");
		return -EINVAL;
	}
	return 0;
}

/* Check a request as its table says, in the core's order. @attrs: QLINK_A_MAX + 1 of them */
static int qlink_netlink_check(const struct genl_split_ops *op, const struct sk_buff *skb,
			       const struct genl_info *info, struct nlattr **attrs)
{
	int err = qlink_netlink_check_header(info);

	if (err)
		return err;
	if (op->flags & GENL_UNS_ADMIN_PERM &&
	    !netlink_ns_capable(skb, genl_info_net(info)->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	return nlmsg_parse(info->nlhdr, GENL_HDRLEN, attrs, op->maxattr, op->policy,
			   info->extack);
}

/**
 * qlink_netlink_wipe() - wipe what a request has brought
 * @info: of the request; its attributes are gone then
 *
 * We may write to the buffer: nobody else reads it, except clones for nlmon devices.
 */
void qlink_netlink_wipe(const struct genl_info *info)
{
	memzero_explicit(genlmsg_data(info->genlhdr), genlmsg_len(info->genlhdr));
}

static int qlink_netlink_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct genl_split_ops *op = qlink_netlink_find_op(info->genlhdr->cmd,
								GENL_CMD_CAP_DO);
	struct nlattr *attrs[QLINK_A_MAX + 1] = {};
	int err = qlink_netlink_check(op, skb, info, attrs);

	if (!err) {
		info->attrs = attrs;
		err = op->doit(skb, info);
		info->attrs = NULL;
	}
	qlink_netlink_wipe(info);
	return err;
}

/* A dump needs the attributes until it ends. */
static int qlink_netlink_start(struct netlink_callback *cb)
{
	struct genl_dumpit_info *dump = cb->data;
	const struct genl_split_ops *op = qlink_netlink_find_op(dump->info.genlhdr->cmd,
								GENL_CMD_CAP_DUMP);
	struct nlattr **attrs = kcalloc(QLINK_A_MAX + 1, sizeof(*attrs), GFP_KERNEL);
	int err = attrs ? qlink_netlink_check(op, cb->skb, &dump->info, attrs) : -ENOMEM;

	if (err) {
		kfree(attrs);
		qlink_netlink_wipe(&dump->info);
		return err;
	}
	dump->info.attrs = attrs;
	return 0;
}

static int qlink_netlink_done(struct netlink_callback *cb)
{
	struct genl_dumpit_info *dump = cb->data;

	kfree(dump->info.attrs);
	dump->info.attrs = NULL;
	qlink_netlink_wipe(&dump->info);
	return 0;
}

/* An operation with the flags of a dump, although it has none: it only wipes. */
static int qlink_netlink_refuse_dump(struct netlink_callback *cb)
{
	struct genl_dumpit_info *dump = cb->data;

	qlink_netlink_wipe(&dump->info);
	return -EOPNOTSUPP;
}

static int qlink_netlink_dump_nothing(struct sk_buff *skb, struct netlink_callback *cb)
{
	return 0;
}

static const struct genl_split_ops qlink_netlink_no_dump = {
	.start = qlink_netlink_refuse_dump,
	.dumpit = qlink_netlink_dump_nothing,
	.validate = GENL_DONT_VALIDATE_DUMP_STRICT,
	.flags = GENL_CMD_CAP_DUMP,
};

/* Have the core hand over requests unchecked. */
static void __init qlink_netlink_take_over(struct genl_split_ops *op)
{
	op->flags &= ~GENL_UNS_ADMIN_PERM;
	op->policy = NULL;
	op->maxattr = 0;
	if (op->flags & GENL_CMD_CAP_DO) {
		op->validate = GENL_DONT_VALIDATE_STRICT;
		op->doit = qlink_netlink_doit;
	} else {
		op->validate = GENL_DONT_VALIDATE_DUMP_STRICT;
		op->start = qlink_netlink_start;
		op->done = qlink_netlink_done;
	}
}

static bool __init qlink_netlink_has_dump(u8 command, unsigned int n_spec)
{
	unsigned int i;

	for (i = 0; i < n_spec; i++) {
		if (qlink_netlink_spec[i].cmd == command &&
		    qlink_netlink_spec[i].flags & GENL_CMD_CAP_DUMP)
			return true;
	}
	return false;
}

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
	unsigned int i, n_spec = qlink_nl_family.n_split_ops;
	struct genl_split_ops *op;
	int err;

	qlink_netlink_spec = qlink_nl_family.split_ops;
	qlink_netlink_ops = kcalloc(2 * n_spec, sizeof(*op), GFP_KERNEL);
	if (!qlink_netlink_ops)
		return -ENOMEM;
	op = qlink_netlink_ops;
	for (i = 0; i < n_spec; i++) {
		*op = qlink_netlink_spec[i];
		qlink_netlink_take_over(op++);
		/* The core wants the dump of a command behind its other operation. */
		if (!qlink_netlink_has_dump(qlink_netlink_spec[i].cmd, n_spec)) {
			*op = qlink_netlink_no_dump;
			(op++)->cmd = qlink_netlink_spec[i].cmd;
		}
	}
	qlink_nl_family.split_ops = qlink_netlink_ops;
	qlink_nl_family.n_split_ops = op - qlink_netlink_ops;
	/* The core lets only operations below this one be unchecked. */
	qlink_nl_family.resv_start_op = QLINK_CMD_MAX + 1;
	err = genl_register_family(&qlink_nl_family);
	if (err)
		kfree(qlink_netlink_ops);
	return err;
}

/**
 * qlink_netlink_exit() - unregister the family
 */
void qlink_netlink_exit(void)
{
	genl_unregister_family(&qlink_nl_family);
	kfree(qlink_netlink_ops);
}

MODULE_ALIAS_GENL_FAMILY(QLINK_FAMILY_NAME);
