// SPDX-License-Identifier: GPL-2.0
/* The generic netlink family: parse, check, call the layers below, answer. */
#include "netlink.h"

#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <net/genetlink.h>

#include "config.h"
#include "device.h"
#include "netlink-gen.h"

/**
 * DOC: Key bytes in a request
 *
 * Keys go in and never come out: no reply has an attribute for them. The
 * request's own bytes are wiped before the operation returns, whether it
 * succeeded or not, because the socket buffer is freed without that.
 */

/**
 * struct qlink_netlink_target - the link that a request is about
 */
struct qlink_netlink_target {
	/** @dev: held */
	struct net_device *dev;
	/** @tracker: of the hold */
	netdevice_tracker tracker;
	/** @link: of @dev */
	struct qlink_dev *link;
};

static int qlink_netlink_get(struct qlink_netlink_target *target, struct net *net,
			     const struct nlattr *ifindex, struct netlink_ext_ack *extack)
{
	if (!ifindex) {
		NL_SET_ERR_MSG(extack, "ifindex is missing");
		return -EINVAL;
	}
	target->dev = netdev_get_by_index(net, nla_get_u32(ifindex), &target->tracker,
					  GFP_KERNEL);
	if (!target->dev) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, ifindex, "no device has index %u",
					nla_get_u32(ifindex));
		return -ENODEV;
	}
	target->link = qlink_device_link(target->dev);
	if (target->link)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, ifindex, "not a qlink device");
	netdev_put(target->dev, &target->tracker);
	return -EOPNOTSUPP;
}

static void qlink_netlink_put(struct qlink_netlink_target *target)
{
	netdev_put(target->dev, &target->tracker);
}

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

	err = qlink_netlink_get(&target, genl_info_net(info), info->attrs[QLINK_A_IFINDEX],
				info->extack);
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
 * struct qlink_link_dump - where a dump of links stands, in the netlink callback
 */
struct qlink_link_dump {
	/** @ifindex: to go on from */
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
		struct qlink_dev *link = qlink_device_link(dev);

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
	struct nlattr *attrs[IFLA_QLINK_ACCEPT + 1];
	int err;

	if (GENL_REQ_ATTR_CHECK(info, QLINK_A_LINK)) {
		NL_SET_ERR_MSG(info->extack, "link is missing");
		return -EINVAL;
	}
	err = nla_parse_nested(attrs, IFLA_QLINK_ACCEPT, info->attrs[QLINK_A_LINK],
			       qlink_link_config_nl_policy, info->extack);
	if (err)
		return err;
	return qlink_device_change(link, attrs, attrs[IFLA_QLINK_LOWER], info->extack);
}

/**
 * qlink_nl_link_set_doit() - QLINK_CMD_LINK_SET
 * @skb: request
 * @info: parsed
 *
 * Context: Process context, sleeps; takes RTNL.
 * Return: 0, or as qlink_device_change()
 */
int qlink_nl_link_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct qlink_netlink_target target;
	int err;

	err = qlink_netlink_get(&target, genl_info_net(info), info->attrs[QLINK_A_IFINDEX],
				info->extack);
	if (err)
		return err;
	rtnl_lock();
	/* It may have been unregistered while we waited. */
	err = target.dev->reg_state == NETREG_REGISTERED ?
	      qlink_netlink_set(target.link, info) : -ENODEV;
	rtnl_unlock();
	qlink_netlink_put(&target);
	return err;
}

#define qlink_netlink_for_each_key(attr, header, rem)				\
	nla_for_each_attr_type(attr, QLINK_A_KEY, genlmsg_data(header),		\
			       genlmsg_len(header), rem)

static unsigned int qlink_netlink_count_keys(const struct genl_info *info)
{
	const struct nlattr *attr;
	unsigned int n = 0;
	int rem;

	qlink_netlink_for_each_key(attr, info->genlhdr, rem)
		n++;
	return n;
}

/* Every key needs these; what else it needs depends on the operation. */
static int qlink_netlink_parse_name(struct nlattr **attrs, unsigned int index,
				    struct qlink_key_config *config,
				    struct netlink_ext_ack *extack)
{
	if (!attrs[QLINK_A_KEY_DIRECTION] || !attrs[QLINK_A_KEY_EPOCH]) {
		NL_SET_ERR_MSG_FMT(extack, "key %u: %s is missing", index,
				   attrs[QLINK_A_KEY_DIRECTION] ? "epoch" : "direction");
		return -EINVAL;
	}
	config->direction = nla_get_u8(attrs[QLINK_A_KEY_DIRECTION]);
	config->epoch = nla_get_u64(attrs[QLINK_A_KEY_EPOCH]);
	return 0;
}

static const char *qlink_source_name(enum qlink_source source)
{
	switch (source) {
	case QLINK_SOURCE_QKD:
		return "qkd";
	case QLINK_SOURCE_HYBRID:
		return "hybrid";
	case QLINK_SOURCE_PQC:
		return "pqc";
	case QLINK_SOURCE_STATIC:
		return "static";
	}
	return "unknown";
}

static int qlink_netlink_parse_limits(struct nlattr **attrs, unsigned int index,
				      struct qlink_key_config *config,
				      struct netlink_ext_ack *extack)
{
	config->hard_blocks = QLINK_HARD_BLOCKS_DEFAULT;
	if (!attrs[QLINK_A_KEY_HARD_BLOCKS])
		return 0;
	if (config->direction == QLINK_DIRECTION_RX) {
		NL_SET_ERR_MSG_FMT(extack, "key %u: hard-blocks limits tx keys only", index);
		return -EINVAL;
	}
	config->hard_blocks = nla_get_u64(attrs[QLINK_A_KEY_HARD_BLOCKS]);
	return 0;
}

static int qlink_netlink_parse_key(struct nlattr **attrs, unsigned int index, u32 accept,
				   struct qlink_key_config *config,
				   struct netlink_ext_ack *extack)
{
	int err = qlink_netlink_parse_name(attrs, index, config, extack);

	if (err)
		return err;
	if (!attrs[QLINK_A_KEY_SOURCE] || !attrs[QLINK_A_KEY_KEY] || !attrs[QLINK_A_KEY_SALT]) {
		NL_SET_ERR_MSG_FMT(extack, "key %u: %s is missing", index,
				   !attrs[QLINK_A_KEY_SOURCE] ? "source" :
				   !attrs[QLINK_A_KEY_KEY] ? "key" : "salt");
		return -EINVAL;
	}
	config->source = nla_get_u8(attrs[QLINK_A_KEY_SOURCE]);
	if (!(accept & BIT(config->source))) {
		NL_SET_ERR_MSG_FMT(extack, "key %u: source %s is not in the accept list",
				   index, qlink_source_name(config->source));
		return -EACCES;
	}
	if (attrs[QLINK_A_KEY_KME_KEY_ID])
		nla_memcpy(config->kme_key_id, attrs[QLINK_A_KEY_KME_KEY_ID],
			   sizeof(config->kme_key_id));
	config->key = nla_data(attrs[QLINK_A_KEY_KEY]);
	config->salt = nla_data(attrs[QLINK_A_KEY_SALT]);
	return qlink_netlink_parse_limits(attrs, index, config, extack);
}

/* One key of an install, checked by itself and keyed, but in no ring yet. */
static struct qlink_key *qlink_netlink_make_key(struct qlink_dev *link,
						const struct nlattr *attr, unsigned int index,
						struct netlink_ext_ack *extack)
{
	struct nlattr *attrs[QLINK_A_KEY_HARD_BLOCKS + 1];
	struct qlink_key_config config = {};
	struct qlink_key *key;
	int err;

	NL_SET_BAD_ATTR(extack, attr);
	err = nla_parse_nested(attrs, QLINK_A_KEY_HARD_BLOCKS, attr,
			       qlink_key_input_nl_policy, extack);
	if (!err)
		err = qlink_netlink_parse_key(attrs, index, link->accept, &config, extack);
	if (err)
		return ERR_PTR(err);
	key = qlink_key_new(&config, qlink_keyring_ring(&link->keyring, config.direction));
	if (IS_ERR(key))
		NL_SET_ERR_MSG_FMT(extack, "key %u: no transform for it (%ld)", index,
				   PTR_ERR(key));
	return key;
}

static int qlink_netlink_install(struct qlink_dev *link, struct qlink_key **keys,
				 struct genl_info *info)
{
	const struct nlattr *attr;
	unsigned int i = 0, n;
	int rem, err = 0;

	qlink_netlink_for_each_key(attr, info->genlhdr, rem) {
		keys[i] = qlink_netlink_make_key(link, attr, i, info->extack);
		if (IS_ERR(keys[i])) {
			err = PTR_ERR(keys[i]);
			break;
		}
		i++;
	}
	n = i;
	if (!err)
		err = qlink_keyring_install(&link->keyring, keys, n, info->extack);
	if (err) {
		for (i = 0; i < n; i++)
			qlink_key_free(keys[i]);
	}
	return err;
}

/* Ours to overwrite: the request's buffer is not shared, or the core would have copied it. */
static void qlink_netlink_wipe_keys(struct genl_info *info)
{
	const struct nlattr *attr;
	int rem;

	qlink_netlink_for_each_key(attr, info->genlhdr, rem)
		memzero_explicit(nla_data(attr), nla_len(attr));
}

static int qlink_netlink_install_all(struct qlink_dev *link, struct genl_info *info)
{
	unsigned int n = qlink_netlink_count_keys(info);
	struct qlink_key **keys;
	int err;

	if (!n) {
		NL_SET_ERR_MSG(info->extack, "key is missing");
		return -EINVAL;
	}
	keys = kvmalloc_array(n, sizeof(*keys), GFP_KERNEL_ACCOUNT);
	if (!keys)
		return -ENOMEM;

	mutex_lock(&link->mutex);
	err = link->is_dead ? -ENODEV : qlink_netlink_install(link, keys, info);
	mutex_unlock(&link->mutex);
	kvfree(keys);
	return err;
}

/**
 * qlink_nl_key_install_doit() - QLINK_CMD_KEY_INSTALL
 * @skb: request; its key bytes are wiped
 * @info: parsed
 *
 * Context: Process context, sleeps; takes the link mutex.
 * Return:
 * * %0		- all keys installed
 * * %-EINVAL	- an attribute is missing
 * * %-EACCES	- a source that the link does not accept
 * * any other	- as qlink_keyring_install(); then none is installed
 */
int qlink_nl_key_install_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct qlink_netlink_target target;
	int err;

	err = qlink_netlink_get(&target, genl_info_net(info), info->attrs[QLINK_A_IFINDEX],
				info->extack);
	if (!err) {
		err = qlink_netlink_install_all(target.link, info);
		if (err) {
			local_bh_disable();
			qlink_stats_inc(target.link->stats, QLINK_A_STATS_KEY_REFUSED);
			local_bh_enable();
		}
		qlink_netlink_put(&target);
	}
	qlink_netlink_wipe_keys(info);
	return err;
}

static int qlink_netlink_delete(struct qlink_dev *link, struct qlink_key_config *names,
				struct genl_info *info)
{
	struct nlattr *attrs[QLINK_A_KEY_EPOCH + 1];
	const struct nlattr *attr;
	unsigned int n = 0;
	int rem, err;

	qlink_netlink_for_each_key(attr, info->genlhdr, rem) {
		NL_SET_BAD_ATTR(info->extack, attr);
		err = nla_parse_nested(attrs, QLINK_A_KEY_EPOCH, attr,
				       qlink_key_name_nl_policy, info->extack);
		if (!err)
			err = qlink_netlink_parse_name(attrs, n, &names[n], info->extack);
		if (err)
			return err;
		n++;
	}
	if (!n) {
		NL_SET_ERR_MSG(info->extack, "key is missing");
		return -EINVAL;
	}
	mutex_lock(&link->mutex);
	err = qlink_keyring_delete(&link->keyring, names, n, info->extack);
	mutex_unlock(&link->mutex);
	return err;
}

/**
 * qlink_nl_key_del_doit() - QLINK_CMD_KEY_DEL
 * @skb: request
 * @info: parsed
 *
 * Context: Process context, sleeps; takes the link mutex.
 * Return: 0, %-EINVAL, or as qlink_keyring_delete(); then none is deleted
 */
int qlink_nl_key_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct qlink_netlink_target target;
	struct qlink_key_config *names;
	int err;

	err = qlink_netlink_get(&target, genl_info_net(info), info->attrs[QLINK_A_IFINDEX],
				info->extack);
	if (err)
		return err;
	names = kvcalloc(qlink_netlink_count_keys(info) + 1, sizeof(*names),
			 GFP_KERNEL_ACCOUNT);
	err = names ? qlink_netlink_delete(target.link, names, info) : -ENOMEM;
	kvfree(names);
	qlink_netlink_put(&target);
	return err;
}

/**
 * struct qlink_key_dump - where a dump of keys stands, in the netlink callback
 */
struct qlink_key_dump {
	/** @direction: of the ring that it is in */
	u32 direction;
	/** @after: epoch that was shown last */
	u64 after;
};

/**
 * struct qlink_key_shower - what qlink_netlink_show_key() needs to know
 */
struct qlink_key_shower {
	/** @skb: reply */
	struct sk_buff *skb;
	/** @cb: of the dump */
	struct netlink_callback *cb;
	/** @ifindex: of the link */
	u32 ifindex;
};

static int qlink_netlink_fill_key(struct sk_buff *msg, const struct qlink_key *key)
{
	struct nlattr *nest = nla_nest_start(msg, QLINK_A_KEY);
	u64 frames, bytes;

	qlink_key_usage(key, &frames, &bytes);
	if (!nest ||
	    nla_put_u8(msg, QLINK_A_KEY_DIRECTION, key->direction) ||
	    nla_put_u64_64bit(msg, QLINK_A_KEY_EPOCH, key->name.epoch, QLINK_A_KEY_PAD) ||
	    nla_put_u8(msg, QLINK_A_KEY_SOURCE, key->source) ||
	    nla_put(msg, QLINK_A_KEY_KME_KEY_ID, sizeof(key->kme_key_id), key->kme_key_id) ||
	    nla_put_u8(msg, QLINK_A_KEY_STATE, key->state) ||
	    nla_put_u64_64bit(msg, QLINK_A_KEY_FRAMES, frames, QLINK_A_KEY_PAD) ||
	    nla_put_u64_64bit(msg, QLINK_A_KEY_BYTES, bytes, QLINK_A_KEY_PAD) ||
	    (key->direction == QLINK_DIRECTION_TX &&
	     nla_put_u64_64bit(msg, QLINK_A_KEY_HARD_BLOCKS, key->hard_blocks,
			       QLINK_A_KEY_PAD)))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int qlink_netlink_show_key(const struct qlink_key *key, void *arg)
{
	struct qlink_key_shower *shower = arg;
	struct qlink_key_dump *dump = (struct qlink_key_dump *)shower->cb->ctx;
	void *header;

	header = genlmsg_put(shower->skb, NETLINK_CB(shower->cb->skb).portid,
			     shower->cb->nlh->nlmsg_seq, &qlink_nl_family, NLM_F_MULTI,
			     QLINK_CMD_KEY_GET);
	if (!header || nla_put_u32(shower->skb, QLINK_A_IFINDEX, shower->ifindex) ||
	    qlink_netlink_fill_key(shower->skb, key)) {
		genlmsg_cancel(shower->skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(shower->skb, header);
	dump->after = key->name.epoch;
	return 0;
}

static int qlink_netlink_dump_keys(struct qlink_dev *link, struct qlink_key_shower *shower)
{
	struct qlink_key_dump *dump = (struct qlink_key_dump *)shower->cb->ctx;
	int err;

	for (; dump->direction <= QLINK_DIRECTION_RX; dump->direction++, dump->after = 0) {
		err = qlink_ring_visit(qlink_keyring_ring(&link->keyring, dump->direction),
				       dump->after, qlink_netlink_show_key, shower);
		if (err)
			return shower->skb->len ? 0 : err;
	}
	return 0;
}

/**
 * qlink_nl_key_get_dumpit() - QLINK_CMD_KEY_GET
 * @skb: reply
 * @cb: ctx holds a struct qlink_key_dump
 *
 * Context: Process context, sleeps; takes the ring locks.
 * Return: bytes in @skb, 0 at the end, %-EINVAL, %-ENODEV or %-EOPNOTSUPP
 */
int qlink_nl_key_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct genl_info *info = genl_info_dump(cb);
	struct qlink_key_shower shower = { .skb = skb, .cb = cb };
	struct qlink_netlink_target target;
	int err;

	BUILD_BUG_ON(sizeof(struct qlink_key_dump) > sizeof(cb->ctx));

	err = qlink_netlink_get(&target, genl_info_net(info), info->attrs[QLINK_A_IFINDEX],
				info->extack);
	if (err)
		return err;
	shower.ifindex = target.dev->ifindex;
	err = qlink_netlink_dump_keys(target.link, &shower);
	qlink_netlink_put(&target);
	return err ?: skb->len;
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
