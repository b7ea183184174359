// SPDX-License-Identifier: GPL-2.0
/* A decimal number is read within its text, without overflow, and only if it is within its limits. */
/* cbmc: --unwind BYTES+2 */
/* mutant: userspace/common/number.c s/__builtin_mul_overflow(value, 10, &value)/((value *= 10), 0)/ */
/* mutant: userspace/common/number.c s/value < min || value > max/value < min/ */
#include "nondet.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "common/number.h"

int qlink_refuse(struct qlink_why *why, int err, const char *rule, ...)
{
	(void)why;
	(void)rule;
	return err;
}

#include "common/number.c"

void harness(void)
{
	uint64_t min = nondet_u64(), max = nondet_u64(), number = nondet_u64(), before = number;
	unsigned __int128 exact = 0;
	size_t len = nondet_size(), i;
	bool is_number = len > 0;
	struct qlink_why why;
	char *text;
	int err;

	__CPROVER_assume(len <= BYTES);
	text = malloc(len + 1);
	__CPROVER_assume(text);
	__CPROVER_assume(!text[len]);
	for (i = 0; i < len; i++) {
		is_number = is_number && text[i] >= '0' && text[i] <= '9';
		exact = exact * 10 + (unsigned char)(text[i] - '0');
	}
	err = qlink_parse_number(text, min, max, &number, &why);
	for (i = 0; i < len; i++)
		__CPROVER_assume(text[i]);
	assert(!err == (is_number && exact >= min && exact <= max));
	assert(number == (err ? before : (uint64_t)exact));
	free(text);
}
