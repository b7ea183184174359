// SPDX-License-Identifier: GPL-2.0-or-later
/* Decimal numbers as people write them. */
#include "number.h"

#include <errno.h>

int qlink_parse_number(const char *text, uint64_t min, uint64_t max,
		       uint64_t *number, struct qlink_why *why)
{
	const char *at = text;
	uint64_t value = 0;

	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *at - '0', &value))
			break;
	if (at == text || *at || value < min || value > max)
		return qlink_refuse(why, -EINVAL, "not a number from %llu to %llu",
			      (unsigned long long)min, (unsigned long long)max);
	*number = value;
	return 0;
}
