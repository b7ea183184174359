// SPDX-License-Identifier: GPL-2.0-or-later
/* Walk netlink attributes without libnl, so that the plug-in of ip can too. */
#include "attr.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

int qlink_attr_walk(const void *data, size_t len, qlink_attr_take take,
		    void *arg)
{
	const unsigned char *at = data;
	struct nlattr head;
	size_t step;
	int err;

	while (len >= sizeof(head)) {
		memcpy(&head, at, sizeof(head));
		if (head.nla_len < sizeof(head) || head.nla_len > len)
			return -EBADMSG;
		err = take(arg, head.nla_type & NLA_TYPE_MASK,
			   at + sizeof(head), head.nla_len - sizeof(head));
		if (err)
			return err;
		step = NLA_ALIGN(head.nla_len);
		if (step > len)
			step = len;
		at += step;
		len -= step;
	}
	return len ? -EBADMSG : 0;
}

int qlink_attr_copy(void *value, size_t size, const void *data, size_t len)
{
	if (len != size)
		return -EBADMSG;
	memcpy(value, data, size);
	return 0;
}

int qlink_attr_copy_field(void *object, const struct qlink_attr_field *fields,
			  size_t n, unsigned int type, const void *data,
			  size_t len)
{
	if (type >= n || !fields[type].size)
		return 0;
	return qlink_attr_copy((char *)object + fields[type].offset,
			       fields[type].size, data, len);
}
