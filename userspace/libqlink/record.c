// SPDX-License-Identifier: GPL-2.0-or-later
/* Records of what keys that are gone were used for. */
#include "record.h"

int qlink_record_take(void *record, unsigned int type, const void *data,
		      size_t len)
{
	return qlink_attr_take_of(&qlink_record_attrs, record, type, data, len);
}
