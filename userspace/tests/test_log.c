// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether an event is one line of the log, whatever its values are. */
#include "qlinkd/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "tap.h"

static const struct log_field none[] = { { .name = NULL } };

/* The line that these fields cause. */
static void written(const struct log_field *fields, const char *want)
{
	char got[2 * LOG_LINE_MAX];
	struct log log;
	int fds[2];
	ssize_t n;

	CHECK_NUMBER("pipe", pipe2(fds, O_CLOEXEC), 0);
	log_init(&log, fds[1], 0);
	CHECK_NUMBER("write", log_write(&log, LOG_WARNING, "kme-down", fields, 0), 0);
	n = read(fds[0], got, sizeof(got) - 1);
	got[n < 0 ? 0 : n] = '\0';
	CHECK_TEXT("line", got, want);
	close(fds[0]);
	close(fds[1]);
}

TEST(an_event_has_a_level_and_fields)
{
	const struct log_field fields[] = {
		{ .name = "link", .text = "qlink0" }, { .name = "epoch", .number = UINT64_MAX },
		{ .name = "url", .text = "https://[2001:db8::1]:8443/" }, { .name = NULL },
	};

	written(none, "<4>kme-down\n");
	written(fields, "<4>kme-down link=qlink0 epoch=18446744073709551615 url=https://[2001:db8::1]:8443/\n");
}

TEST(a_newline_in_a_value_does_not_start_a_line)
{
	const struct log_field fields[] = {
		{ .name = "why", .text = "503\n<6>all-well link=qlink0" }, { .name = "b", .text = "" },
		{ .name = "c", .text = "a \"b\" c\\n" }, { .name = "d", .text = "\033[2J\x7f\xc2\x9b" },
		{ .name = "e", .text = "x=y" }, { .name = NULL },
	};

	written(fields, "<4>kme-down why=\"503\\x0a<6>all-well link=qlink0\" b=\"\" c=\"a \\\"b\\\" c\\\\n\" "
		"d=\"\\x1b[2J\\x7f\\xc2\\x9b\" e=\"x=y\"\n");
}

/* Values of any length: a line is never too long, has one newline, and its quotes match. */
TEST(a_long_value_is_cut_off)
{
	static const char kinds[] = { 'x', ' ', '\n', '"' };
	char text[2 * LOG_LINE_MAX], got[2 * LOG_LINE_MAX];
	const struct log_field fields[] = {
		{ .name = "why", .text = text }, { .name = "link", .text = "qlink0" },
		{ .name = "epoch", .number = 12345 }, { .name = NULL },
	};
	struct log log;
	size_t len, k;
	int fds[2];
	ssize_t n;

	CHECK_NUMBER("pipe", pipe2(fds, O_CLOEXEC), 0);
	for (k = 0; k < COUNT(kinds); k++) {
		for (len = 0; len < sizeof(text); len++) {
			memset(text, kinds[k], len);
			text[len] = '\0';
			log_init(&log, fds[1], 0);
			log_write(&log, LOG_ERR, "event", fields, 0);
			n = read(fds[0], got, sizeof(got) - 1);
			got[n < 0 ? 0 : n] = '\0';
			CHECK(n > 10 && n <= LOG_LINE_MAX, "%zu: %zd bytes", len, n);
			CHECK(strchr(got, '\n') == got + n - 1, "%zu: not one line", len);
			CHECK(got[n - 2] != ' ' && got[n - 2] != '=' && got[n - 2] != '\\',
			      "%zu: ends %s", len, got + n - 5);
		}
	}
	close(fds[0]);
	close(fds[1]);
}

TEST(a_flood_of_events_is_bounded_and_counted)
{
	char got[LOG_LINE_MAX];
	struct log log;
	int fds[2], n = 0;
	uint64_t now;
	ssize_t len;

	CHECK_NUMBER("pipe", pipe2(fds, O_CLOEXEC), 0);
	log_init(&log, fds[1], 5000);
	/* Ten thousand events a second for two seconds. */
	for (now = 50000; now < 70000; now++) {
		if (!log_write(&log, LOG_ERR, "flood", none, 5000 + (now - 50000) / 10)) {
			n++;
			CHECK(read(fds[0], got, sizeof(got)) > 0, "nothing written");
		}
	}
	CHECK_NUMBER("lines", n, LOG_EVENT_BURST + 1999 / LOG_EVENT_REFILL_MS);
	CHECK_NUMBER("after a pause", log_write(&log, LOG_ERR, "flood", none, 8100), 0);
	len = read(fds[0], got, sizeof(got) - 1);
	got[len < 0 ? 0 : len] = '\0';
	CHECK_TEXT("suppressed lines", got, "<3>flood suppressed-lines=9999\n");
	CHECK_NUMBER("the next", log_write(&log, LOG_ERR, "flood", none, 9200), 0);
	len = read(fds[0], got, sizeof(got) - 1);
	got[len < 0 ? 0 : len] = '\0';
	CHECK_TEXT("reported once", got, "<3>flood\n");
	close(fds[0]);
	close(fds[1]);
}

/* A log whose lines go nowhere: what log_write() returns is what counts. */
static struct log open_null(void)
{
	struct log log;

	log_init(&log, open("/dev/null", O_WRONLY | O_CLOEXEC), 0);
	return log;
}

static bool say(struct log *log, int level, const char *event, const char *link, uint64_t now)
{
	const struct log_field fields[] = { { .name = "link", .text = link }, { .name = NULL } };

	return !log_write(log, level, event, fields, now);
}

TEST(details_of_fifty_links_hide_no_problem)
{
	struct log log = open_null();
	char link[24];
	uint64_t now;
	int i, n = 0;

	for (now = 0; now < 60000; now += 100) {
		for (i = 0; i < 50; i++) {
			snprintf(link, sizeof(link), "qlink%d", i);
			n += say(&log, LOG_DEBUG, "agreed", link, now);
		}
		if (now % 10000 == 5000) {
			CHECK(say(&log, LOG_WARNING, "source-changed", "qlink7", now), "at %d ms", (int)now);
			CHECK(say(&log, LOG_INFO, "peer-connected", "b", now), "at %d ms", (int)now);
		}
	}
	CHECK(n >= 600 && n <= LOG_DEBUG_BURST + 600, "%d lines", n);
	close(log.fd);
}

TEST(one_link_hides_neither_others_nor_its_own_other_events)
{
	struct log log = open_null();
	uint64_t now;
	int n = 0;

	for (now = 0; now < 60000; now++)
		n += say(&log, LOG_WARNING, "kme-error", "bad", now);
	CHECK_NUMBER("lines", n, LOG_EVENT_BURST + 59);
	CHECK(say(&log, LOG_WARNING, "kme-down", "bad", now), "its own");
	CHECK(say(&log, LOG_WARNING, "kme-error", "good", now), "of another");
	close(log.fd);
}

TEST(a_thousand_links_that_change_at_once_are_all_told)
{
	struct log log = open_null();
	char link[24];
	int i, n = 0;

	for (i = 0; i < 1000; i++) {
		snprintf(link, sizeof(link), "qlink%d", i);
		n += say(&log, LOG_WARNING, "source-changed", link, 0);
	}
	CHECK_NUMBER("lines", n, 1000);
	/* The disk is safe from whatever they do. */
	for (i = 0; i < 200000; i++) {
		snprintf(link, sizeof(link), "qlink%d", i % 1000);
		n += say(&log, LOG_WARNING, "source-changed", link, (uint64_t)i / 20);
	}
	CHECK(n >= LOG_BURST && n <= LOG_BURST + 10000 / LOG_REFILL_MS, "%d lines", n);
	close(log.fd);
}

TEST(a_closed_log_reports_an_error)
{
	struct log log;

	log_init(&log, -1, 0);
	CHECK_NUMBER("closed", log_write(&log, LOG_ERR, "event", none, 0), -EBADF);
}
