// SPDX-License-Identifier: GPL-2.0-or-later
/* What keys were used for, once they have gone. */
#include "record.h"

#include <errno.h>

#include "nl.h"

int qlink_record_take(void *record, unsigned int type, const void *data,
		      size_t len)
{
	static const struct qlink_attr_field fields[] = {
		[QLINK_A_RECORD_NUMBER] = QLINK_ATTR_FIELD(struct qlink_record, number),
		[QLINK_A_RECORD_DIRECTION] = QLINK_ATTR_FIELD(struct qlink_record, direction),
		[QLINK_A_RECORD_EPOCH] = QLINK_ATTR_FIELD(struct qlink_record, epoch),
		[QLINK_A_RECORD_SOURCE] = QLINK_ATTR_FIELD(struct qlink_record, source),
		[QLINK_A_RECORD_KME_KEY_ID] = QLINK_ATTR_FIELD(struct qlink_record, kme_key_id),
		[QLINK_A_RECORD_FIRST_MS] = QLINK_ATTR_FIELD(struct qlink_record, first_ms),
		[QLINK_A_RECORD_LAST_MS] = QLINK_ATTR_FIELD(struct qlink_record, last_ms),
		[QLINK_A_RECORD_FRAMES] = QLINK_ATTR_FIELD(struct qlink_record, frames),
		[QLINK_A_RECORD_BYTES] = QLINK_ATTR_FIELD(struct qlink_record, bytes),
	};

	return qlink_attr_copy_field(record, fields,
				     sizeof(fields) / sizeof(fields[0]), type,
				     data, len);
}

static int take_attr(void *arg, unsigned int type, const void *data, size_t len)
{
	struct qlink_list *list = arg;
	struct qlink_record *record;
	int err;

	if (type != QLINK_A_RECORD)
		return 0;
	record = qlink_list_next(list);
	if (!record)
		return -ENOMEM;
	err = qlink_attr_walk(data, len, qlink_record_take, record);
	if (!err)
		list->n++;
	return err;
}

static int take(void *list, const void *attrs, size_t len)
{
	return qlink_attr_walk(attrs, len, take_attr, list);
}

int qlink_record_dump(struct qlink_nl *nl, uint32_t ifindex, uint64_t after,
		      struct qlink_record **records, size_t *n,
		      struct qlink_error *error)
{
	const struct qlink_dump of_link = {
		.cmd = QLINK_CMD_RECORD_GET, .ifindex = ifindex, .after = after,
		.take = take,
	};
	struct qlink_list list = { .item_size = sizeof(**records) };
	int err;

	err = qlink_nl_dump(nl, &of_link, &list, error);
	if (err)
		return err;
	*records = list.items;
	*n = list.n;
	return 0;
}
