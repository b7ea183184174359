// SPDX-License-Identifier: GPL-2.0-or-later
/* Key files, and the memory that holds their bytes. */
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* AddressSanitizer replaces mlock() by a no-op; this test needs the real one. */
static int mlock_unchanged(const void *at, size_t len)
{
	return (int)syscall(SYS_mlock, at, len);
}

#define mlock	mlock_unchanged
#include "common/secret.c"
#undef mlock

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "libqlink/key.h"
#include "libqlink/keyfile.h"
#include "tap.h"

static char dir[] = "/tmp/qlink-test-XXXXXX";
static char path[64];

static void file_make(const char *name, size_t len, mode_t mode)
{
	uint8_t bytes[100];
	int fd;

	memset(bytes, 0xa5, sizeof(bytes));
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || fchmod(fd, mode))
		CHECK(false, "%s: %s", path, strerror(errno));
	close(fd);
}

static void dir_make(void)
{
	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	CHECK(mkdtemp(dir), "mkdtemp: %s", strerror(errno));
}

static void dir_remove(void)
{
	unlink(path);
	rmdir(dir);
}

static bool all_are(const uint8_t *bytes, size_t len, uint8_t want)
{
	while (len--)
		if (*bytes++ != want)
			return false;
	return true;
}

TEST(key_files_have_44_bytes)
{
	static const struct {
		size_t len;
		const char *rule;
		const char *why;
	} rows[] = {
		{ 44, "", "right" },
		{ 43, "has 43 bytes, want 44: 32 of key, then 12 of salt", "a byte short" },
		{ 45, "has 45 bytes, want 44: 32 of key, then 12 of salt", "a byte long, as a newline" },
		{ 0, "has 0 bytes, want 44: 32 of key, then 12 of salt", "empty" },
		{ 32, "has 32 bytes, want 44: 32 of key, then 12 of salt", "no salt" },
		{ 88, "has 88 bytes, want 44: 32 of key, then 12 of salt", "in hexadecimal" },
	};
	uint8_t secret[QLINK_SECRET_BYTES];
	struct qlink_keyfile file;
	struct qlink_why why;
	size_t i;
	int err;

	dir_make();
	for (i = 0; i < COUNT(rows); i++) {
		file_make("key", rows[i].len, 0600);
		memset(secret, 0xee, sizeof(secret));
		why.text[0] = '\0';
		err = qlink_keyfile_read(path, secret, &file, &why);
		CHECK_NUMBER(rows[i].why, err, rows[i].len == 44 ? 0 : -EINVAL);
		CHECK_TEXT(rows[i].why, why.text, rows[i].rule);
		CHECK(all_are(secret, sizeof(secret), rows[i].len == 44 ? 0xa5 : 0),
		      "%s: bytes were not wiped", rows[i].why);
	}
	dir_remove();
}

/* Write @len bytes in two parts to a pipe, as a slow program does. */
static int pipe_with(size_t len, pid_t *writer)
{
	uint8_t bytes[100] = { 0 };
	int fds[2];

	if (pipe(fds))
		return -1;
	*writer = fork();
	if (!*writer) {
		close(fds[0]);
		if (write(fds[1], bytes, len / 2) < 0 ||
		    write(fds[1], bytes, len - len / 2) < 0)
			_exit(1);
		_exit(0);
	}
	close(fds[1]);
	return fds[0];
}

TEST(keys_can_come_from_standard_input)
{
	static const struct {
		size_t len;
		const char *rule;
		const char *why;
	} rows[] = {
		{ 44, "", "right" },
		{ 43, "has 43 bytes, want 44: 32 of key, then 12 of salt", "short" },
		{ 45, "has more than 44 bytes, want 44: 32 of key, then 12 of salt", "long" },
	};
	int keep = dup(STDIN_FILENO), fd, err;
	uint8_t secret[QLINK_SECRET_BYTES];
	struct qlink_keyfile file;
	struct qlink_why why;
	pid_t writer;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		fd = pipe_with(rows[i].len, &writer);
		dup2(fd, STDIN_FILENO);
		close(fd);
		why.text[0] = '\0';
		err = qlink_keyfile_read("-", secret, &file, &why);
		CHECK_NUMBER(rows[i].why, err, rows[i].len == 44 ? 0 : -EINVAL);
		CHECK_TEXT(rows[i].why, why.text, rows[i].rule);
		CHECK(!file.is_exposed, "%s: a pipe has no other readers",
		      rows[i].why);
		dup2(keep, STDIN_FILENO);
		waitpid(writer, NULL, 0);
	}
	close(keep);
}

TEST(files_that_others_can_read_cause_a_warning)
{
	static const struct {
		mode_t mode;
		bool is_exposed;
		const char *why;
	} rows[] = {
		{ 0600, false, "the owner's" },
		{ 0400, false, "the owner's, read only" },
		{ 0640, true, "the group's" },
		{ 0604, true, "everyone's" },
		{ 0622, false, "can be written, not read" },
	};
	uint8_t secret[QLINK_SECRET_BYTES];
	struct qlink_keyfile file;
	struct qlink_why why;
	size_t i;

	dir_make();
	for (i = 0; i < COUNT(rows); i++) {
		file_make("key", 44, rows[i].mode);
		CHECK_NUMBER(rows[i].why, qlink_keyfile_read(path, secret, &file, &why), 0);
		CHECK_NUMBER(rows[i].why, file.is_exposed, rows[i].is_exposed);
		CHECK_NUMBER(rows[i].why, file.mode, rows[i].mode);
	}
	dir_remove();
}

TEST(a_path_that_is_no_file_is_refused_with_the_reason)
{
	uint8_t secret[QLINK_SECRET_BYTES];
	struct qlink_keyfile file;
	struct qlink_why why;

	CHECK_NUMBER("nothing there",
		     qlink_keyfile_read("/nonexistent/key", secret, &file, &why),
		     -ENOENT);
	CHECK_TEXT("nothing there", why.text, "No such file or directory");
	CHECK_NUMBER("a folder", qlink_keyfile_read("/", secret, &file, &why),
		     -EISDIR);
	CHECK_TEXT("a folder", why.text, "Is a directory");
}

/* The VmFlags of the mapping at an address, from /proc. */
static bool has_flags(const void *at, const char *const *flags)
{
	char line[512], want[32];
	bool is_here = false, ok = true;
	FILE *smaps = fopen("/proc/self/smaps", "re");
	unsigned long start;

	while (smaps && fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-", &start) == 1 && strchr(line, '-'))
			is_here = start == (unsigned long)at;
		if (!is_here || strncmp(line, "VmFlags:", 8))
			continue;
		for (; *flags; flags++) {
			snprintf(want, sizeof(want), " %s ", *flags);
			ok &= strstr(line, want) != NULL;
		}
		fclose(smaps);
		return ok;
	}
	if (smaps)
		fclose(smaps);
	return false;
}

TEST(secret_memory_is_locked_and_absent_from_dumps_and_children)
{
	static const char *const flags[] = { "lo", "dd", "wf", NULL };
	struct qlink_secret secret;

	CHECK_NUMBER("new", qlink_secret_new(&secret, 44), 0);
	CHECK(all_are(secret.data, 44, 0), "new memory is not zero");
	CHECK(has_flags(secret.data, flags),
	      "no locked, dontdump or wipeonfork mapping");
	qlink_secret_free(&secret);
	CHECK(!secret.data, "freed memory can still be reached");
	qlink_secret_free(&secret);
}

TEST(a_failure_to_allocate_secret_memory_is_an_error)
{
	struct qlink_secret secret;

	CHECK_NUMBER("more than any machine has", qlink_secret_new(&secret, SIZE_MAX), -ENOMEM);
	CHECK(!secret.data, "memory that was not allocated");
}
