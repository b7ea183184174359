// SPDX-License-Identifier: GPL-2.0-or-later
/* Records of what keys that are gone were used for. */
#include "record.h"

#include <errno.h>

#include "nl.h"

int qlink_record_take(void *record, unsigned int type, const void *data,
		      size_t len)
{
	return qlink_attr_take_of(&qlink_record_attrs, record, type, data, len);
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
