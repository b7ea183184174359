/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests that register themselves and report as TAP. */
#ifndef QLINK_TAP_H
#define QLINK_TAP_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct tap_test - one test of a program
 */
struct tap_test {
	/** @name: a sentence with underscores */
	const char *name;

	/** @run: the test */
	void (*run)(void);

	/** @next: the test that was registered before */
	struct tap_test *next;
};

/**
 * tap_register() - add a test to the plan
 * @test: must stay valid; TEST() calls this
 */
void tap_register(struct tap_test *test);

/**
 * tap_check() - report one check of the running test
 * @ok: whether it holds
 * @file: where the check is
 * @line: likewise
 * @format: what was checked, the value and the expected one
 */
__attribute__((format(printf, 4, 5)))
void tap_check(bool ok, const char *file, int line, const char *format, ...);

/**
 * tap_bail_out() - end the program because the test itself is wrong
 * @file: where that was noticed
 * @line: likewise
 */
__attribute__((noreturn))
void tap_bail_out(const char *file, int line);

/**
 * tap_has_failed() - ask whether the running test has failed
 *
 * Return: whether one of its checks failed, so that a long test can end early.
 */
bool tap_has_failed(void);

/**
 * tap_stderr_begin() - capture standard error from now on
 */
void tap_stderr_begin(void);

/**
 * tap_stderr_end() - end the capture of standard error
 *
 * Return: the captured text, less than 4 KiB, valid until the next call.
 */
char *tap_stderr_end(void);

/* Define and register a test: TEST(refuses_zero) { CHECK(…); } */
#define TEST(sentence)							\
	static void sentence(void);					\
	static struct tap_test tap_##sentence = {			\
		.name = #sentence, .run = sentence,			\
	};								\
	__attribute__((constructor))					\
	static void tap_add_##sentence(void)				\
	{								\
		tap_register(&tap_##sentence);				\
	}								\
	static void sentence(void)

#define CHECK(ok, ...)	tap_check((ok), __FILE__, __LINE__, __VA_ARGS__)

/* For a test that is wrong, or too small for what happens in it. */
#define BAIL_OUT()	tap_bail_out(__FILE__, __LINE__)

#define CHECK_NUMBER(why, got, want) do {				\
	long long got_ = (long long)(got), want_ = (long long)(want);	\
	CHECK(got_ == want_, "%s: got %lld, want %lld", (why), got_, want_); \
} while (0)

#define CHECK_TEXT(why, got, want) do {					\
	const char *got_ = (got), *want_ = (want);			\
	CHECK(got_ && !strcmp(got_, want_), "%s: got '%s', want '%s'",	\
	      (why), got_ ? got_ : "(none)", want_);			\
} while (0)

#define COUNT(array)	(sizeof(array) / sizeof((array)[0]))

#endif
