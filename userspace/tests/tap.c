// SPDX-License-Identifier: GPL-2.0-or-later
/* Unit tests that register themselves and report as TAP. */
#include "tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct tap_test *tests;
static unsigned int n_tests, n_checks, n_failed;

void tap_register(struct tap_test *test)
{
	test->next = tests;
	tests = test;
	n_tests++;
}

void tap_check(bool ok, const char *file, int line, const char *format, ...)
{
	va_list ap;

	n_checks++;
	if (ok)
		return;
	n_failed++;
	printf("# ");
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	printf(" (%s:%d)\n", file, line);
}

void tap_bail_out(const char *file, int line)
{
	printf("Bail out! %s:%d\n", file, line);
	fflush(stdout);
	abort();
}

bool tap_has_failed(void)
{
	return n_failed > 0;
}

static int stderr_kept, stderr_pipe;

void tap_stderr_begin(void)
{
	int fds[2];

	fflush(stderr);
	stderr_kept = dup(STDERR_FILENO);
	if (pipe(fds))
		abort();
	stderr_pipe = fds[0];
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
}

char *tap_stderr_end(void)
{
	static char said[4096];
	ssize_t n;

	fflush(stderr);
	dup2(stderr_kept, STDERR_FILENO);
	close(stderr_kept);
	n = read(stderr_pipe, said, sizeof(said) - 1);
	said[n > 0 ? n : 0] = '\0';
	close(stderr_pipe);
	return said;
}

/* A test that checks nothing fails. */
static bool run(const struct tap_test *test, unsigned int number)
{
	bool ok;

	n_checks = 0;
	n_failed = 0;
	test->run();
	ok = n_checks && !n_failed;
	printf("%s %u - %s\n", ok ? "ok" : "not ok", number, test->name);
	fflush(stdout);
	return ok;
}

int main(void)
{
	struct tap_test *test, *next, *ordered = NULL;
	unsigned int number = 0;
	bool ok = true;

	for (test = tests; test; test = next) {
		next = test->next;
		test->next = ordered;
		ordered = test;
	}
	printf("TAP version 13\n1..%u\n", n_tests);
	for (test = ordered; test; test = test->next)
		ok &= run(test, ++number);
	return !ok;
}
