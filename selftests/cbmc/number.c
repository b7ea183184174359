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
	size_t len = nondet_size(), i;
	bool is_digits = len > 0;
	struct qlink_why why;
	unsigned int exact = 0;
	char *text;
	int err;

	__CPROVER_assume(len <= BYTES);
	text = malloc(len + 1);
	__CPROVER_assume(text);
	for (i = 0; i < len; i++) {
		__CPROVER_assume(text[i]);
		is_digits = is_digits && text[i] >= '0' && text[i] <= '9';
		exact = i < 3 ? exact * 10 + (unsigned char)(text[i] - '0') : 0;
	}
	__CPROVER_assume(!text[len]);
	err = qlink_parse_number(text, min, max, &number, &why);
	assert(err ? err == -EINVAL && number == before : is_digits && number >= min && number <= max);
	/* exact, as far as that is cheap to say, and beyond 64 bits refused */
	assert(len > 3 || !err == (is_digits && exact >= min && exact <= max));
	assert(len > 3 || err || number == exact);
	assert(len < 21 || text[0] == '0' || err);
	free(text);
}
