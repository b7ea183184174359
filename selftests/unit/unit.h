/* SPDX-License-Identifier: GPL-2.0 */
/* KTAP for tests on the host: a table of functions, and a check that prints what it got. */
#ifndef UNIT_H
#define UNIT_H

#include <inttypes.h>
#include <stdio.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

struct unit_test {
	const char *name;
	void (*run)(void);
};

static unsigned int unit_n_checks, unit_n_failed;

static inline void unit_check_eq(const char *file, int line, const char *why,
				 uint64_t got, uint64_t want)
{
	unit_n_checks++;
	if (got == want)
		return;
	unit_n_failed++;
	printf("# %s: got 0x%" PRIx64 ", want 0x%" PRIx64 " (%s:%d)\n", why, got, want, file, line);
}

#define CHECK_EQ(why, got, want)	unit_check_eq(__FILE__, __LINE__, why, got, want)

/* A test that checks nothing fails. */
static inline int unit_main(const struct unit_test *tests, unsigned int n_tests)
{
	unsigned int i, n_bad = 0;

	printf("KTAP version 1\n1..%u\n", n_tests);
	for (i = 0; i < n_tests; i++) {
		unit_n_checks = 0;
		unit_n_failed = 0;
		tests[i].run();
		if (!unit_n_checks || unit_n_failed)
			n_bad++;
		printf("%sok %u %s\n", !unit_n_checks || unit_n_failed ? "not " : "", i + 1,
		       tests[i].name);
	}
	return !!n_bad;
}

#endif
