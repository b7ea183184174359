// SPDX-License-Identifier: GPL-2.0
/* Requests about keys: install, delete, list. */
#include <linux/if_vlan.h>
#include <linux/slab.h>
#include <net/genetlink.h>

#include "accept.h"
#include "key_wipe.h"
#include "names-gen.h"
#include "netlink-gen.h"
#include "netlink.h"
#include "power.h"

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

/* Parse the two attributes that every key needs; the operation decides about others. */
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

/* A key that cannot seal one frame would be used up by it, and so would all keys after it. */
static int qlink_netlink_check_blocks(u64 blocks, unsigned int index, unsigned int mtu,
				      struct netlink_ext_ack *extack)
{
	u64 least = qlink_blocks(mtu + ETH_HLEN + VLAN_HLEN);

	if (blocks >= least)
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "key %u: hard-blocks %llu is below %llu, a frame of MTU %u",
			   index, blocks, least, mtu);
	return -ERANGE;
}

static int qlink_netlink_parse_limits(struct nlattr **attrs, unsigned int index,
				      unsigned int mtu, struct qlink_key_config *config,
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
	return qlink_netlink_check_blocks(config->hard_blocks, index, mtu, extack);
}

static int qlink_netlink_check_accept(const struct qlink_accept *accept, enum qlink_source source,
				      u8 kmes, unsigned int index, struct netlink_ext_ack *extack)
{
	if (qlink_accept_has_key(accept, source, kmes))
		return 0;
	if (!qlink_accept_has_source(accept, source))
		NL_SET_ERR_MSG_FMT(extack, "key %u: source %s is not in the accept list", index,
				   qlink_source_name(source));
	else
		NL_SET_ERR_MSG_FMT(extack, "key %u: kmes %u is below %u, the least accepted for %s",
				   index, kmes, accept->kmes, qlink_source_name(source));
	return -EACCES;
}

/* Another request may be changing what the link accepts. This may read the old sources and the new
 * number of KMEs; but whatever that refuses, the old or the new ones refuse, too.
 */
static int qlink_netlink_check_early(const struct qlink_dev *link,
				     const struct qlink_key_config *config, unsigned int index,
				     struct netlink_ext_ack *extack)
{
	struct qlink_accept accept = {
		.sources = READ_ONCE(link->accept.sources),
		.kmes = READ_ONCE(link->accept.kmes),
	};

	return qlink_netlink_check_accept(&accept, config->source, config->kmes, index, extack);
}

static int qlink_netlink_parse_kmes(struct nlattr **attrs, unsigned int index,
				    struct qlink_key_config *config,
				    struct netlink_ext_ack *extack)
{
	bool has_kme = qlink_source_has_kme(config->source);
	u8 kmes = has_kme;

	if (attrs[QLINK_A_KEY_KMES])
		kmes = nla_get_u8(attrs[QLINK_A_KEY_KMES]);
	if (has_kme && (!kmes || kmes > QLINK_KMES_MAX)) {
		NL_SET_ERR_MSG_FMT(extack, "key %u: kmes %u is not 1 to %u, as source %s needs",
				   index, kmes, QLINK_KMES_MAX, qlink_source_name(config->source));
		return -EINVAL;
	}
	if (!has_kme && kmes) {
		NL_SET_ERR_MSG_FMT(extack, "key %u: kmes %u is not 0, but source %s has no KME",
				   index, kmes, qlink_source_name(config->source));
		return -EINVAL;
	}
	config->kmes = kmes;
	return 0;
}

/* The MTU of what one sealed frame may have: a parcel is as large as the underlay allows. */
static unsigned int qlink_netlink_largest(const struct qlink_dev *link)
{
	unsigned int mtu = READ_ONCE(link->dev->mtu), bytes = 0;
	const struct qlink_attach *attach;

	if (READ_ONCE(link->parcel) == QLINK_PARCEL_MODE_OFF)
		return mtu;
	rcu_read_lock();
	attach = rcu_dereference(link->attach);
	if (attach)
		bytes = READ_ONCE(attach->max_bytes);
	rcu_read_unlock();
	return max(min(mtu, bytes), bytes - min(bytes, QLINK_MTU_LESS));
}

static int qlink_netlink_parse_key(struct nlattr **attrs, unsigned int index,
				   const struct qlink_dev *link,
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
	err = qlink_netlink_parse_kmes(attrs, index, config, extack);
	if (!err)
		err = qlink_netlink_check_early(link, config, index, extack);
	if (err)
		return err;
	if (attrs[QLINK_A_KEY_KME_KEY_ID])
		nla_memcpy(config->kme_key_id, attrs[QLINK_A_KEY_KME_KEY_ID],
			   sizeof(config->kme_key_id));
	config->key = nla_data(attrs[QLINK_A_KEY_KEY]);
	config->salt = nla_data(attrs[QLINK_A_KEY_SALT]);
	return qlink_netlink_parse_limits(attrs, index, qlink_netlink_largest(link), config,
					  extack);
}

/* Make one key of an install. It is checked on its own, but not against a ring yet. */
static struct qlink_key *qlink_netlink_make_key(struct qlink_dev *link,
						const struct nlattr *attr, unsigned int index,
						struct netlink_ext_ack *extack)
{
	struct nlattr *attrs[ARRAY_SIZE(qlink_key_input_nl_policy)];
	struct qlink_key_config config = {};
	struct qlink_key *key;
	int err;

	NL_SET_BAD_ATTR(extack, attr);
	err = nla_parse_nested(attrs, ARRAY_SIZE(attrs) - 1, attr, qlink_key_input_nl_policy,
			       extack);
	if (!err)
		err = qlink_netlink_parse_key(attrs, index, link, &config, extack);
	if (err)
		return ERR_PTR(err);
	key = qlink_key_new(&config, qlink_keyring_ring(&link->keyring, config.direction));
	if (!key)
		NL_SET_ERR_MSG_FMT(extack, "key %u: no memory for the key", index);
	return key ?: ERR_PTR(-ENOMEM);
}

/* Point the extack at the refused key, so that a program finds it without parsing the text. */
static void qlink_netlink_mark_refused(struct genl_info *info, unsigned int index)
{
	const struct nlattr *attr;
	int rem;

	qlink_netlink_for_each_key(attr, info->genlhdr, rem) {
		if (!index--)
			NL_SET_BAD_ATTR(info->extack, attr);
	}
}

static int qlink_netlink_make_keys(struct qlink_dev *link, struct qlink_key **keys,
				   unsigned int *n, struct genl_info *info)
{
	const struct nlattr *attr;
	int rem;

	*n = 0;
	qlink_netlink_for_each_key(attr, info->genlhdr, rem) {
		struct qlink_key *key = qlink_netlink_make_key(link, attr, *n, info->extack);

		if (IS_ERR(key))
			return PTR_ERR(key);
		keys[(*n)++] = key;
		cond_resched();
	}
	return 0;
}

/* The link may have changed while the keys were made. */
static int qlink_netlink_install_made(struct qlink_dev *link, struct qlink_key **keys,
				      unsigned int n, unsigned int *refused,
				      struct netlink_ext_ack *extack)
{
	int err;

	if (link->is_dead)
		return -ENODEV;
	for (*refused = 0; *refused < n; (*refused)++) {
		err = qlink_netlink_check_accept(&link->accept, keys[*refused]->source,
						 keys[*refused]->kmes, *refused, extack);
		if (err)
			return err;
	}
	return qlink_keyring_install(&link->keyring, keys, n, refused, extack);
}

static int qlink_netlink_install(struct qlink_dev *link, struct qlink_key **keys,
				 struct genl_info *info)
{
	unsigned int i, n, refused = 0;
	int err = qlink_netlink_make_keys(link, keys, &n, info);

	if (!err) {
		mutex_lock(&link->mutex);
		err = qlink_netlink_install_made(link, keys, n, &refused, info->extack);
		mutex_unlock(&link->mutex);
		if (err)
			qlink_netlink_mark_refused(info, refused);
	}
	if (err) {
		for (i = 0; i < n; i++)
			qlink_key_free(keys[i]);
	}
	return err;
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
	err = qlink_power_check(info->extack);
	if (err)
		return err;
	keys = kvmalloc_array(n, sizeof(*keys), GFP_KERNEL_ACCOUNT);
	if (!keys)
		return -ENOMEM;

	err = qlink_netlink_install(link, keys, info);
	kvfree(keys);
	return err;
}

/**
 * qlink_nl_key_install_doit() - QLINK_CMD_KEY_INSTALL
 * @skb: request; its key bytes are wiped
 * @info: parsed
 *
 * Context: Process context, sleeps; takes the power lock and the link mutex.
 * Return:
 * * %0		- all keys installed
 * * %-EBUSY	- the host is about to sleep
 * * %-EINVAL	- an attribute is missing, or kmes does not fit the source
 * * %-EPERM	- no CAP_NET_ADMIN in the link netns
 * * %-EACCES	- a source, or a number of KMEs, that the link does not accept
 * * any other	- as qlink_keyring_install(); then none is installed
 */
int qlink_nl_key_install_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct qlink_netlink_target target;
	int err;

	qlink_power_enter();
	err = qlink_netlink_get_owned(&target, skb, info);
	if (!err) {
		err = qlink_netlink_install_all(target.link, info);
		if (err) {
			local_bh_disable();
			qlink_stats_inc(target.link->stats, QLINK_A_STATS_KEY_REFUSED);
			local_bh_enable();
		}
		qlink_netlink_put(&target);
	}
	/* No later than the lock is released: whoever wipes all keys waits for it. */
	qlink_netlink_wipe(info);
	qlink_power_leave();
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
 * Return: 0, %-EINVAL, %-EPERM, or as qlink_keyring_delete(); then none is deleted
 */
int qlink_nl_key_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct qlink_netlink_target target;
	struct qlink_key_config *names;
	int err;

	err = qlink_netlink_get_owned(&target, skb, info);
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
 * struct qlink_key_dump - position of a dump of keys, in the netlink callback
 */
struct qlink_key_dump {
	/** @direction: of the current ring */
	u32 direction;
	/** @after: epoch of the key that was shown last */
	u64 after;
};

/**
 * struct qlink_key_shower - what qlink_netlink_show_key() needs
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
	struct qlink_usage usage;

	qlink_key_usage(key, &usage);
	if (!nest ||
	    nla_put_u8(msg, QLINK_A_KEY_DIRECTION, key->direction) ||
	    nla_put_u64_64bit(msg, QLINK_A_KEY_EPOCH, key->name.epoch, QLINK_A_KEY_PAD) ||
	    nla_put_u8(msg, QLINK_A_KEY_SOURCE, key->source) ||
	    nla_put_u8(msg, QLINK_A_KEY_KMES, key->kmes) ||
	    nla_put(msg, QLINK_A_KEY_KME_KEY_ID, sizeof(key->kme_key_id), key->kme_key_id) ||
	    nla_put_u8(msg, QLINK_A_KEY_STATE, key->state) ||
	    nla_put_u64_64bit(msg, QLINK_A_KEY_FRAMES, usage.frames, QLINK_A_KEY_PAD) ||
	    nla_put_u64_64bit(msg, QLINK_A_KEY_BYTES, usage.bytes, QLINK_A_KEY_PAD) ||
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
	genl_dump_check_consistent(shower->cb, header);
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
 * Return: bytes in @skb, 0 at the end, %-EINVAL, %-ENODEV, %-EOPNOTSUPP or %-EPERM
 */
int qlink_nl_key_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct genl_info *info = genl_info_dump(cb);
	struct qlink_key_shower shower = { .skb = skb, .cb = cb };
	struct qlink_netlink_target target;
	int err;

	BUILD_BUG_ON(sizeof(struct qlink_key_dump) > sizeof(cb->ctx));

	err = qlink_netlink_get_owned(&target, cb->skb, info);
	if (err)
		return err;
	shower.ifindex = target.dev->ifindex;
	cb->seq = READ_ONCE(target.link->keyring.generation);
	err = qlink_netlink_dump_keys(target.link, &shower);
	qlink_netlink_put(&target);
	return err ?: skb->len;
}

/**
 * qlink_nl_rotate_doit() - QLINK_CMD_ROTATE
 * @skb: request
 * @info: parsed
 *
 * Context: Process context, sleeps; takes the link mutex.
 * Return: 0, %-EINVAL, %-EPERM, or %-ENOENT where no key is staged to follow the active one
 */
int qlink_nl_rotate_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct qlink_netlink_target target;
	int err;

	err = qlink_netlink_get_owned(&target, skb, info);
	if (err)
		return err;
	mutex_lock(&target.link->mutex);
	err = target.link->is_dead ? -ENODEV : qlink_ring_rotate(&target.link->keyring.tx);
	mutex_unlock(&target.link->mutex);
	if (err == -ENOENT)
		NL_SET_ERR_MSG(info->extack, "tx holds no staged key to rotate to");
	qlink_netlink_put(&target);
	return err;
}
