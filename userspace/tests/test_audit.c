// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether changes to the audit log are detected. */
#include "qlinkd/base/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "tap.h"

static char folder[] = "/tmp/audit.XXXXXX", path[64], other[64];
static char text[16384];

static void begin(struct audit *audit)
{
	if (!path[0]) {
		CHECK(mkdtemp(folder), "no folder");
		snprintf(path, sizeof(path), "%s/log", folder);
		snprintf(other, sizeof(other), "%s/next", folder);
	}
	unlink(path);
	unlink(other);
	*audit = (struct audit){ .fd = -1 };
}

static void open_log(struct audit *audit, const char *at)
{
	struct qlink_why why = { "" };

	CHECK_NUMBER("open", audit_open(audit, at, &why), 0);
	CHECK_TEXT("why", why.text, "");
}

static void add(struct audit *audit, int n)
{
	char members[40];
	int i;

	for (i = 0; i < n; i++) {
		snprintf(members, sizeof(members), "\"epoch\":%d", (int)audit->number + 1);
		CHECK_NUMBER("append", audit_append(audit, members), 0);
	}
	CHECK_NUMBER("sync", audit_sync(audit), 0);
}

__attribute__((destructor))
static void tidy(void)
{
	unlink(path);
	unlink(other);
	rmdir(folder);
}

static size_t load(const char *at)
{
	FILE *file = fopen(at, "re");
	size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

	if (file)
		fclose(file);
	text[len] = '\0';
	return len;
}

static void store(const char *at, size_t len)
{
	FILE *file = fopen(at, "we");

	CHECK(file && fwrite(text, 1, len, file) == len, "not stored");
	if (file)
		fclose(file);
}

static int verify(const char *at, struct audit_report *report, struct qlink_why *why)
{
	int fd = open(at, O_RDONLY | O_CLOEXEC), err;

	err = audit_verify(fd, report, why);
	close(fd);
	return err;
}

/* Write ten lines to @path and @text; return their length. */
static size_t ten_lines(void)
{
	struct audit audit;

	begin(&audit);
	open_log(&audit, path);
	add(&audit, 10);
	audit_close(&audit);
	return load(path);
}

TEST(a_line_contains_the_hash_of_the_previous_one)
{
	uint8_t chained[AUDIT_HASH_BYTES + AUDIT_LINE_MAX] = { 0 }, want[AUDIT_HASH_BYTES];
	struct audit_report report;
	struct qlink_why why;
	struct stat status;
	size_t len;
	char *end;

	ten_lines();
	end = strchr(text, '\n');
	CHECK(!strncmp(text, "{\"number\":1,\"previous\":\"000000", 30), "%.40s", text);
	CHECK(!strncmp(end - 10, "\"epoch\":1}\n", 11), "%.40s", end - 10);
	/* Computed here, as audit.h describes it. */
	len = (size_t)(end - text);
	memcpy(chained + AUDIT_HASH_BYTES, text, len);
	SHA384(chained, AUDIT_HASH_BYTES + len, want);
	CHECK_NUMBER("verify", verify(path, &report, &why), 0);
	CHECK_NUMBER("lines", report.lines, 10);
	CHECK_NUMBER("torn", report.torn, 0);
	CHECK_NUMBER("last", report.last, 10);
	*strchr(end + 1, '\n') = '\0';
	for (len = 0; len < AUDIT_HASH_BYTES; len++) {
		char byte[3];

		snprintf(byte, sizeof(byte), "%02x", want[len]);
		CHECK(!strncmp(end + 25 + 2 * len, byte, 2), "byte %zu of %s", len, end + 1);
	}
	CHECK_NUMBER("stat", stat(path, &status), 0);
	CHECK_NUMBER("its mode", status.st_mode & 0777, 0600);
}

TEST(every_changed_byte_is_detected)
{
	struct audit_report report, was;
	struct qlink_why why;
	size_t len = ten_lines(), i;
	int err;

	CHECK_NUMBER("verify", verify(path, &was, &why), 0);
	for (i = 0; i < len; i++) {
		text[i] ^= 1;
		store(other, len);
		text[i] ^= 1;
		err = verify(other, &report, &why);
		/* A change to the last line shows only in its hash, which is kept elsewhere. */
		CHECK(err == -EBADMSG || memcmp(report.hash, was.hash, sizeof(was.hash)) ||
		      report.lacks_end, "byte %zu: %d", i, err);
	}
}

/* Remove lines @from to @to of ten, or move them to the end. */
static void without(int from, int to, bool is_moved, const char *want)
{
	size_t len = ten_lines(), out = 0;
	struct audit_report report;
	struct qlink_why why;
	char *line = text, *next, moved[8192] = "";
	int i;

	(void)len;
	for (i = 1; i <= 10; i++, line = next) {
		next = strchr(line, '\n') + 1;
		if (i >= from && i <= to) {
			strncat(moved, line, (size_t)(next - line));
			continue;
		}
		memmove(text + out, line, (size_t)(next - line));
		out += (size_t)(next - line);
	}
	if (is_moved) {
		strcpy(text + out, moved);
		out += strlen(moved);
	}
	store(other, out);
	CHECK_NUMBER(want, verify(other, &report, &why), want[0] ? -EBADMSG : 0);
	CHECK_TEXT("why", why.text, want);
}

TEST(removed_or_moved_lines_are_detected)
{
	without(5, 5, false, "line 5: its number does not follow the previous number");
	without(5, 5, true, "line 5: its number does not follow the previous number");
	without(10, 10, true, "");
	/* Without its first lines, a log looks as if it continued another file; the hash names that file. */
	without(1, 3, false, "");
}

TEST(a_log_continues_after_a_restart)
{
	struct audit_report report;
	struct qlink_why why;
	struct audit audit;

	begin(&audit);
	open_log(&audit, path);
	add(&audit, 3);
	audit_close(&audit);
	audit = (struct audit){ .fd = -1 };
	open_log(&audit, path);
	add(&audit, 2);
	audit_close(&audit);
	CHECK_NUMBER("verify", verify(path, &report, &why), 0);
	CHECK_NUMBER("lines", report.lines, 5);
}

TEST(a_log_continues_in_another_file)
{
	struct audit_report report, next;
	struct qlink_why why;
	struct audit audit;

	begin(&audit);
	open_log(&audit, path);
	add(&audit, 3);
	audit_close(&audit);
	open_log(&audit, other);
	add(&audit, 2);
	audit_close(&audit);
	CHECK_NUMBER("verify", verify(path, &report, &why), 0);
	CHECK_NUMBER("verify", verify(other, &next, &why), 0);
	CHECK_NUMBER("first", next.first, 4);
	CHECK(!memcmp(next.previous, report.hash, sizeof(report.hash)), "another chain");
}

/* As after a crash: the last line is cut anywhere. */
TEST(a_torn_line_stays_in_the_log)
{
	size_t len = ten_lines(), cut;
	struct audit_report report;
	struct qlink_why why;
	struct audit audit;
	size_t last = strrchr(text, '{') - text;

	for (cut = last; cut < len; cut++) {
		load(path);
		store(other, cut);
		audit = (struct audit){ .fd = -1 };
		open_log(&audit, other);
		add(&audit, 2);
		audit_close(&audit);
		CHECK_NUMBER("verify", verify(other, &report, &why), 0);
		CHECK_NUMBER("torn", report.torn, cut > last && cut < len - 1);
		CHECK_NUMBER("lines", report.lines, cut < len - 1 ? 11 : 12);
	}
}

TEST(an_inserted_torn_line_is_detected)
{
	size_t len = ten_lines(), middle;
	struct audit_report report;
	struct qlink_why why;

	middle = strstr(text, "{\"number\":5") - text;
	memmove(text + middle + 5, text + middle, len - middle);
	memcpy(text + middle, "torn\n", 5);
	store(other, len + 5);
	CHECK_NUMBER("inserted", verify(other, &report, &why), -EBADMSG);
	CHECK_TEXT("why", why.text, "line 6: does not contain the hash of the previous line");
	ten_lines();
	memmove(text + 5, text, len);
	memcpy(text, "torn\n", 5);
	store(other, len + 5);
	CHECK_NUMBER("in front", verify(other, &report, &why), -EBADMSG);
	CHECK_TEXT("why", why.text, "line 2: the first whole line comes after a torn line");
}

/* The disk becomes full within a line, many times. A limit on the file's size has the same effect. */
TEST(a_full_disk_tears_lines_but_the_log_stays_valid)
{
	struct rlimit old, limit;
	struct audit_report report;
	struct qlink_why why;
	struct audit audit;
	rlim_t room;
	int err, n;

	begin(&audit);
	open_log(&audit, path);
	add(&audit, 2);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	limit = old;
	for (n = 0; n < 400; n++) {
		room = (rlim_t)lseek(audit.fd, 0, SEEK_END) + (rlim_t)(n % 140);
		limit.rlim_cur = room;
		setrlimit(RLIMIT_FSIZE, &limit);
		err = audit_append(&audit, "\"full\":true");
		limit.rlim_cur = old.rlim_cur;
		setrlimit(RLIMIT_FSIZE, &limit);
		CHECK(err == 0 || err == -EFBIG || err == -ENOSPC, "error %d", err);
		if (n % 3 == 0)
			add(&audit, 1);
	}
	add(&audit, 1);
	CHECK_NUMBER("verify", audit_verify(audit.fd, &report, &why), 0);
	CHECK_TEXT("why", why.text, "");
	CHECK_NUMBER("last", report.last, audit.number);
	CHECK_NUMBER("lines", report.lines, audit.number);
	CHECK(report.torn > 100, "only %llu torn", (unsigned long long)report.torn);
	CHECK(!memcmp(report.hash, audit.hash, sizeof(audit.hash)), "another hash");
	audit_close(&audit);
}

TEST(files_that_are_not_audit_logs_are_refused)
{
	struct qlink_why why;
	struct audit audit;

	begin(&audit);
	strcpy(text, "127.0.0.1 localhost\n");
	store(path, strlen(text));
	CHECK_NUMBER("open", audit_open(&audit, path, &why), -EBADMSG);
	CHECK_TEXT("why", why.text, "line 1: not a line of an audit log");
	CHECK_NUMBER("fd", audit.fd, -1);
	unlink(path);
	CHECK_NUMBER("link", symlink("/etc/passwd", path), 0);
	CHECK_NUMBER("open", audit_open(&audit, path, &why), -ELOOP);
	CHECK_NUMBER("no folder", audit_open(&audit, "/nowhere/log", &why), -ENOENT);
	CHECK_TEXT("why", why.text, "No such file or directory");
}

TEST(a_changed_log_is_not_continued)
{
	size_t len = ten_lines();
	struct qlink_why why;
	struct audit audit = { .fd = -1 };

	*strstr(text, "\"epoch\":5") = ' ';
	store(path, len);
	CHECK_NUMBER("open", audit_open(&audit, path, &why), -EBADMSG);
	CHECK_TEXT("why", why.text, "line 6: does not contain the hash of the previous line");
}

TEST(invalid_lines_are_refused)
{
	char big[AUDIT_LINE_MAX + 1];
	struct audit audit;

	begin(&audit);
	open_log(&audit, path);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	CHECK_NUMBER("too long", audit_append(&audit, big), -EMSGSIZE);
	CHECK_NUMBER("two lines", audit_append(&audit, "\"a\":1\n"), -EINVAL);
	CHECK_NUMBER("nothing", audit_append(&audit, ""), -EINVAL);
	CHECK_NUMBER("length", load(path), 0);
	/* The longest line. */
	big[AUDIT_LINE_MAX - 24 - 2 * AUDIT_HASH_BYTES - 2 - 1] = '\0';
	CHECK_NUMBER("the longest allowed", audit_append(&audit, big), 0);
	CHECK_NUMBER("length", load(path), AUDIT_LINE_MAX + 1);
	audit_close(&audit);
	open_log(&audit, path);
	CHECK_NUMBER("number", audit.number, 1);
	audit_close(&audit);
}
