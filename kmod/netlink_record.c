// SPDX-License-Identifier: GPL-2.0
/* Requests about the records of keys that have gone. */
#include <net/genetlink.h>

#include "netlink-gen.h"
#include "netlink.h"

/**
 * struct qlink_record_dump - position of a dump of records, in the netlink callback
 */
struct qlink_record_dump {
	/** @has_begun: @after is valid, and the number in the request does not count any more */
	bool has_begun;
	/** @after: number of the record that was shown last */
	u64 after;
};

static int qlink_netlink_fill_record(struct sk_buff *msg, const struct qlink_record *record,
				     u64 number)
{
	struct nlattr *nest = nla_nest_start(msg, QLINK_A_RECORD);

	if (!nest ||
	    nla_put_u64_64bit(msg, QLINK_A_RECORD_NUMBER, number, QLINK_A_RECORD_PAD) ||
	    nla_put_u8(msg, QLINK_A_RECORD_DIRECTION, record->direction) ||
	    nla_put_u64_64bit(msg, QLINK_A_RECORD_EPOCH, record->epoch, QLINK_A_RECORD_PAD) ||
	    nla_put_u8(msg, QLINK_A_RECORD_SOURCE, record->source) ||
	    nla_put_u8(msg, QLINK_A_RECORD_KMES, record->kmes) ||
	    nla_put(msg, QLINK_A_RECORD_KME_KEY_ID, sizeof(record->kme_key_id),
		    record->kme_key_id) ||
	    nla_put_u64_64bit(msg, QLINK_A_RECORD_FIRST_MS, record->first_ms,
			      QLINK_A_RECORD_PAD) ||
	    nla_put_u64_64bit(msg, QLINK_A_RECORD_LAST_MS, record->last_ms,
			      QLINK_A_RECORD_PAD) ||
	    nla_put_u64_64bit(msg, QLINK_A_RECORD_FRAMES, record->usage.frames,
			      QLINK_A_RECORD_PAD) ||
	    nla_put_u64_64bit(msg, QLINK_A_RECORD_BYTES, record->usage.bytes,
			      QLINK_A_RECORD_PAD))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int qlink_netlink_show_record(struct sk_buff *skb, struct netlink_callback *cb,
				     u32 ifindex, const struct qlink_record *record, u64 number)
{
	void *header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
				   &qlink_nl_family, NLM_F_MULTI, QLINK_CMD_RECORD_GET);

	if (!header || nla_put_u32(skb, QLINK_A_IFINDEX, ifindex) ||
	    qlink_netlink_fill_record(skb, record, number)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

static void qlink_netlink_dump_records(struct sk_buff *skb, struct netlink_callback *cb,
				       const struct qlink_netlink_target *target)
{
	struct qlink_record_dump *dump = (struct qlink_record_dump *)cb->ctx;
	struct qlink_history *history = target->link->keyring.history;
	struct qlink_record record;
	u64 number;

	while ((number = qlink_history_read(history, dump->after, &record))) {
		if (qlink_netlink_show_record(skb, cb, target->dev->ifindex, &record, number))
			return;
		dump->after = number;
	}
}

/**
 * qlink_nl_record_get_dumpit() - QLINK_CMD_RECORD_GET
 * @skb: reply
 * @cb: ctx holds a struct qlink_record_dump
 *
 * The dump includes records that are added meanwhile, and leaves out those that are overwritten.
 *
 * Context: Process context, sleeps.
 * Return: bytes in @skb, 0 at the end, %-EINVAL, %-ENODEV, %-EOPNOTSUPP or %-EPERM
 */
int qlink_nl_record_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct qlink_record_dump *dump = (struct qlink_record_dump *)cb->ctx;
	const struct genl_info *info = genl_info_dump(cb);
	struct qlink_netlink_target target;
	int err;

	BUILD_BUG_ON(sizeof(struct qlink_record_dump) > sizeof(cb->ctx));

	err = qlink_netlink_get_owned(&target, cb->skb, info);
	if (err)
		return err;
	if (!dump->has_begun && info->attrs[QLINK_A_AFTER])
		dump->after = nla_get_u64(info->attrs[QLINK_A_AFTER]);
	dump->has_begun = true;
	qlink_netlink_dump_records(skb, cb, &target);
	qlink_netlink_put(&target);
	return skb->len;
}
