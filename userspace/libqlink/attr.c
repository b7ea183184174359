// SPDX-License-Identifier: GPL-2.0-or-later
/* Netlink attributes without libnl, which ip's plug-in does not have. */
#include "attr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>

#include "parse.h"

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

const struct qlink_attr *qlink_attr_find(const struct qlink_attr_set *set, unsigned int type)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		if (set->attrs[i].type == type)
			return &set->attrs[i];
	return NULL;
}

uint64_t qlink_attr_number(const struct qlink_attr *attr, const void *object)
{
	const void *member = (const char *)object + attr->offset;

	switch (attr->size) {
	case sizeof(uint8_t):
		return *(const uint8_t *)member;
	case sizeof(uint16_t):
		return *(const uint16_t *)member;
	case sizeof(uint32_t):
		return *(const uint32_t *)member;
	}
	return *(const uint64_t *)member;
}

void qlink_attr_set_number(const struct qlink_attr *attr, void *object, uint64_t value)
{
	void *member = (char *)object + attr->offset;

	switch (attr->size) {
	case sizeof(uint8_t):
		*(uint8_t *)member = (uint8_t)value;
		break;
	case sizeof(uint16_t):
		*(uint16_t *)member = (uint16_t)value;
		break;
	case sizeof(uint32_t):
		*(uint32_t *)member = (uint32_t)value;
		break;
	default:
		*(uint64_t *)member = value;
	}
}

static int take_addr(struct qlink_addr *addr, const void *data, size_t len)
{
	if (len != 0 && len != 4 && len != 16)
		return -EBADMSG;
	addr->len = (uint8_t)len;
	memcpy(addr->bytes, data, len);
	return 0;
}

static int take_text(char *text, size_t size, const void *data, size_t len)
{
	if (!len || len > size || ((const char *)data)[len - 1])
		return -EBADMSG;
	memset(text, 0, size);
	memcpy(text, data, len);
	return 0;
}

int qlink_attr_take_member(const struct qlink_attr *attr, void *object, const void *data,
			   size_t len)
{
	void *member = (char *)object + attr->offset;
	int err;

	if (attr->form == QLINK_FORM_ADDRESS)
		return take_addr(member, data, len);
	if (attr->form == QLINK_FORM_TEXT)
		return take_text(member, attr->size, data, len);
	err = qlink_attr_copy(member, attr->size, data, len);
	if (!err && attr->is_big_endian)
		*(uint16_t *)member = ntohs(*(uint16_t *)member);
	return err;
}

int qlink_attr_take_of(const struct qlink_attr_set *set, void *object, unsigned int type,
		       const void *data, size_t len)
{
	const struct qlink_attr *attr = qlink_attr_find(set, type);

	return attr ? qlink_attr_take_member(attr, object, data, len) : 0;
}

int qlink_attr_put_member(const struct qlink_attr *attr, const void *object,
			  qlink_attr_put put, void *arg)
{
	const void *member = (const char *)object + attr->offset;
	const struct qlink_addr *addr = member;
	uint16_t wire;

	if (attr->form == QLINK_FORM_ADDRESS)
		return put(arg, attr->type, addr->bytes, addr->len);
	if (attr->form == QLINK_FORM_TEXT)
		return put(arg, attr->type, member, strlen(member) + 1);
	if (!attr->is_big_endian)
		return put(arg, attr->type, member, attr->size);
	wire = htons(*(const uint16_t *)member);
	return put(arg, attr->type, &wire, sizeof(wire));
}
