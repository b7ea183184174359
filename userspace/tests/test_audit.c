// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether the audit log has the format that is described, and goes on after any failure. */
#include "qlinkd/audit/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "audit_lab.h"
#include "qlinkd/audit/folder.h"
#include "tap.h"

static const struct log_field none[] = { { .name = NULL } };

/* ---- the format ---- */

TEST(a_line_has_times_and_the_hash_of_the_line_before)
{
	static const char rest[] = "Z\",\"boot_ms\":1000,\"event\":\"source\",\"link\":\"qlink0\",\"n\":0}\n";
	char want[AUDIT_HASH_TEXT], *second, *end, *member;
	uint8_t hash[SHA384_DIGEST_LENGTH];
	size_t i;

	lab_begin(1 << 20);
	lab_write_log(2);
	lab_load();
	CHECK_NUMBER("files", lab_n_files, 1);
	end = strchr(lab_texts[0], '\n');
	CHECK(!strncmp(lab_texts[0], "{\"number\":1,\"previous\":\"0000000000", 34), "%.40s", lab_texts[0]);
	SHA384((const uint8_t *)lab_texts[0], (size_t)(end - lab_texts[0]), hash);
	for (i = 0; i < sizeof(hash); i++)
		snprintf(want + 2 * i, 3, "%02x", hash[i]);
	second = end + 1;
	CHECK(!strncmp(second, "{\"number\":2,\"previous\":\"", 24) && !strncmp(second + 24, want, 96),
	      "%.130s, not %s", second, want);
	member = strstr(second, "\",\"utc\":\"20");
	CHECK(member && !strncmp(member + 32, rest, strlen(rest)), "%.260s", second);
	CHECK(strstr(lab_texts[0], ",\"event\":\"begun\",\"file\":1,\"agent\":\"site \\\"a\\\"\"}\n"), "%.260s",
	      lab_texts[0]);
	CHECK_NUMBER("breaks", lab_breaks(), 0);
	CHECK_NUMBER("lines", lab_report.lines, 3);
}

TEST(words_of_others_are_escaped)
{
	static const char evil[] = "a\",\"event\":\"used\"}\n\\\x1b\xc3\xa4";
	const struct log_field fields[] = {
		{ .name = "kme", .text = evil }, { .name = "after", .number = 7 }, { .name = NULL },
	};
	struct audit *audit;

	lab_begin(1 << 20);
	audit = lab_open_log(NULL);
	audit_add(audit, 1, "installed", fields);
	audit_close(audit);
	CHECK_NUMBER("escaped", lab_count("\"kme\":\"a\\\",\\\"event\\\":\\\"used\\\"}\\u000a\\\\\\u001b\\u00c3\\u00a4\","
				      "\"after\":7}\n"), 1);
	CHECK_NUMBER("breaks", lab_breaks(), 0);
}

/* An independent program reads the format as the manual describes it. */
TEST(another_program_finds_the_log_whole)
{
	char command[160];

	lab_begin(1500);
	lab_write_log(20);
	snprintf(command, sizeof(command), "tests/check-audit %s >/dev/null", lab_folder);
	CHECK_NUMBER("whole", system(command), 0);
	lab_load();
	CHECK(lab_n_files > 2, "%zu files", lab_n_files);
	lab_texts[1][lab_lens[1] / 2] ^= 1;
	lab_store(1);
	strcat(command, " 2>&1");
	CHECK_NUMBER("changed", WEXITSTATUS(system(command)), 1);
}

/* ---- files ---- */

TEST(files_end_by_size_and_by_age)
{
	struct audit_state state;
	struct audit *audit;

	lab_begin(1500);
	lab_write_log(30);
	lab_load();
	CHECK(lab_n_files >= 5, "%zu files", lab_n_files);
	CHECK_NUMBER("sealed", lab_count("\"event\":\"sealed\"}"), lab_n_files - 1);
	CHECK_NUMBER("begun", lab_count("\"event\":\"begun\""), lab_n_files);
	CHECK_NUMBER("breaks", lab_breaks(), 0);
	CHECK_NUMBER("checkpoint", lab_report.checkpoint.point.number, lab_report.end.number);
	lab_begin(1 << 20);
	lab_settings.file_ms = 1;
	audit = lab_open_log(NULL);
	do {
		lab_add(audit, 1);
		lab_flush(audit);
		audit_read_state(audit, &state);
	} while (state.file < 3);
	audit_close(audit);
	lab_settings.file_ms = 3600000;
	CHECK_NUMBER("breaks", lab_breaks(), 0);
}

TEST(a_log_goes_on_after_a_restart)
{
	struct audit_tail tail;

	lab_begin(1 << 20);
	lab_write_log(3);
	audit_close(lab_open_log(&tail));
	CHECK_NUMBER("line", tail.point.number, 4);
	CHECK_TEXT("damaged", tail.damaged, "");
	CHECK_NUMBER("lost", tail.lost, 0);
	lab_write_log(2);
	CHECK_NUMBER("breaks", lab_breaks(), 0);
	CHECK_NUMBER("lines", lab_report.lines, 6);
	CHECK_NUMBER("files", lab_report.files, 1);
}

TEST(a_new_key_signs_at_once)
{
	struct audit *audit;
	EVP_PKEY *old;

	lab_begin(1 << 20);
	audit = lab_open_log(NULL);
	lab_add(audit, 3);
	lab_flush(audit);
	CHECK_NUMBER("breaks", lab_breaks(), 0);
	old = lab_key;
	lab_key = EVP_PKEY_Q_keygen(NULL, NULL, "ML-DSA-65");
	audit_use_key(audit, lab_key);
	lab_add(audit, 1);
	lab_flush(audit);
	CHECK_NUMBER("breaks for the new certificate", lab_breaks(), 0);
	CHECK_TEXT("why", lab_last_break, "");
	audit_close(audit);
	EVP_PKEY_free(old);
}

TEST(folders_that_cannot_be_used_are_refused)
{
	struct audit *first, *second;
	struct qlink_why why;

	lab_begin(1 << 20);
	first = lab_open_log(NULL);
	CHECK_NUMBER("a second agent", audit_open(&second, &lab_settings, lab_key, &why), -EBUSY);
	CHECK(strstr(why.text, ": another agent writes to it"), "%s", why.text);
	audit_close(first);
	lab_settings.folder = "/etc/passwd";
	CHECK_NUMBER("no folder", audit_open(&second, &lab_settings, lab_key, &why), -ENOTDIR);
	CHECK_TEXT("why", why.text, "/etc/passwd: is no folder, in which the files of the log would be");
	lab_settings.folder = "/etc/passwd/audit";
	CHECK_NUMBER("nowhere", audit_open(&second, &lab_settings, lab_key, &why), -ENOTDIR);
	lab_settings.folder = lab_folder;
}

/* ---- the agent starts all the same ---- */

/* As after a crash: the last line is cut anywhere. No checkpoint covers it. */
TEST(a_torn_end_is_set_aside)
{
	char checkpoint[128], copy[300];
	size_t len, last, cut;
	struct audit_tail tail;

	lab_begin(1 << 20);
	lab_write_log(3);
	snprintf(checkpoint, sizeof(checkpoint), "%s", lab_path_of(AUDIT_CHECKPOINT));
	snprintf(copy, sizeof(copy), "cp %s %s.old", checkpoint, checkpoint);
	CHECK_NUMBER("copy", system(copy), 0);
	snprintf(copy, sizeof(copy), "cp %s.old %s", checkpoint, checkpoint);
	lab_write_log(1);
	lab_load();
	len = lab_lens[0];
	for (last = len - 1; lab_texts[0][last - 1] != '\n'; last--)
		;
	for (cut = last; cut < len && !tap_has_failed(); cut++) {
		lab_lens[0] = cut;
		lab_store(0);
		unlink(lab_file_path(2));
		CHECK_NUMBER("copy", system(copy), 0);
		audit_close(lab_open_log(&tail));
		CHECK_NUMBER("good", tail.good, last);
		CHECK_NUMBER("damaged", tail.damaged[0] != '\0', cut > last);
		CHECK_NUMBER("lost", tail.lost, 0);
		CHECK_NUMBER("breaks", lab_breaks(), 0);
		CHECK_NUMBER("set aside", lab_report.set_aside, cut - last);
		CHECK_NUMBER("files", lab_report.files, 1 + (cut > last));
	}
}

TEST(a_log_of_garbage_does_not_keep_the_agent_from_starting)
{
	struct audit_tail tail;

	lab_begin(1 << 20);
	lab_store_as(lab_file_path(1), "127.0.0.1 localhost\n", 20);
	audit_close(lab_open_log(&tail));
	CHECK_NUMBER("good", tail.good, 0);
	CHECK_NUMBER("damaged", tail.damaged[0] != '\0', 1);
	CHECK_NUMBER("no checkpoint", tail.has_checkpoint, 0);
	lab_write_log(2);
	CHECK_NUMBER("breaks", lab_breaks(), 0);
	CHECK_NUMBER("set aside", lab_report.set_aside, 20);
	CHECK_NUMBER("lines", lab_report.lines, 3);
}

TEST(a_log_without_its_last_lines_is_told_and_goes_on_behind_them)
{
	struct audit_tail tail;
	size_t len;

	lab_begin(1 << 20);
	lab_write_log(9);
	lab_load();
	len = (size_t)(strstr(lab_texts[0], "{\"number\":6,") - lab_texts[0]);
	lab_lens[0] = len;
	lab_store(0);
	audit_close(lab_open_log(&tail));
	CHECK_NUMBER("lost", tail.lost, 5);
	CHECK_NUMBER("after", tail.point.number, 5);
	CHECK_NUMBER("said in the log", lab_count("\"lost\":5}"), 1);
	CHECK_NUMBER("goes on", lab_count("{\"number\":11,"), 1);
	CHECK_NUMBER("breaks", lab_breaks(), 2);
	CHECK(strstr(lab_all_breaks, "audit-0000000002.jsonl:1: line 11, expected line 6: lines before it are missing"),
	      "%s", lab_all_breaks);
	lab_write_log(2);
	CHECK_NUMBER("stays named", lab_breaks(), 2);
	/* The whole log but its checkpoint. */
	unlink(lab_file_path(1));
	unlink(lab_file_path(2));
	audit_close(lab_open_log(&tail));
	CHECK_NUMBER("lost", tail.lost, 13);
	CHECK(lab_breaks() && strstr(lab_all_breaks, "audit-0000000001.jsonl: missing"), "%s", lab_all_breaks);
}

/* Only the end is read: the files before it are holes. */
TEST(thirty_million_lines_do_not_delay_the_start)
{
	struct audit_tail tail;
	struct audit *audit;
	uint64_t file;
	int fd;

	lab_begin(1 << 20);
	audit = lab_open_log(NULL);
	lab_add(audit, 100);
	lab_flush(audit);
	audit_close(audit);
	lab_load();
	for (file = 1; file < 160; file++) {
		fd = open(lab_file_path(file), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		CHECK_NUMBER("hole", ftruncate(fd, 64 << 20), 0);
		close(fd);
	}
	lab_store_as(lab_file_path(160), lab_texts[0], lab_lens[0]);
	unlink(lab_path_of(AUDIT_CHECKPOINT));
	audit_close(lab_open_log(&tail));
	CHECK_NUMBER("file", tail.file, 160);
	CHECK_NUMBER("line", tail.point.number, 101);
	CHECK_TEXT("damaged", tail.damaged, "");
}

/* ---- records ---- */

static void add_record(struct audit *audit, const char *link, uint64_t number)
{
	const struct log_field fields[] = {
		{ .name = "link", .text = link }, { .name = "record", .number = number },
		{ .name = "direction", .text = "tx" }, { .name = NULL },
	};

	audit_add(audit, 1, "used", fields);
}

static void expect_record(const struct audit *audit, const char *link, const char *want)
{
	const char *text = audit_last_record(audit, link);

	CHECK_TEXT(link, text ? text : "none", want);
}

/* The kernel accepts it as the name of a device. */
#define ODD_NAME	"q\"\\\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"

TEST(the_last_record_of_each_link_is_known_after_a_restart)
{
	struct audit_tail tail;
	struct audit *audit;

	lab_begin(1500);
	audit = lab_open_log(NULL);
	expect_record(audit, "idle", "none");
	add_record(audit, "idle", 3);
	add_record(audit, ODD_NAME, 5);
	add_record(audit, "busy", 7);
	add_record(audit, "busy", 8);
	expect_record(audit, "busy", "\"record\":8,\"direction\":\"tx\"");
	audit_close(audit);
	/* Files in which the link is idle. */
	lab_write_log(40);
	audit = lab_open_log(&tail);
	CHECK(tail.file > 5, "file %u", (unsigned int)tail.file);
	expect_record(audit, "idle", "\"record\":3,\"direction\":\"tx\"");
	expect_record(audit, ODD_NAME, "\"record\":5,\"direction\":\"tx\"");
	expect_record(audit, "busy", "\"record\":8,\"direction\":\"tx\"");
	audit_close(audit);
	CHECK_NUMBER("breaks", lab_breaks(), 0);
}

/* The cursors stand in the last 8 MiB of a large file as well. */
TEST(an_idle_link_is_known_at_the_end_of_a_large_file)
{
	const struct log_field fields[] = {
		{ .name = "text", .text = "0123456789012345678901234567890123456789012345678901234567890123456789" },
		{ .name = NULL },
	};
	struct audit_tail tail;
	struct audit *audit;
	unsigned int i, k;

	lab_begin(1 << 30);
	audit = lab_open_log(NULL);
	add_record(audit, "idle", 3);
	for (i = 0; i < 16; i++) {
		for (k = 0; k < 4000; k++)
			audit_add(audit, 1, "source", fields);
		lab_flush(audit);
	}
	audit_close(audit);
	audit = lab_open_log(&tail);
	CHECK(tail.size > 2 * AUDIT_TAIL_BYTES, "%u bytes", (unsigned int)tail.size);
	expect_record(audit, "idle", "\"record\":3,\"direction\":\"tx\"");
	audit_close(audit);
	CHECK_NUMBER("breaks", lab_breaks(), 0);
	lab_empty();
}

/* ---- disks that are full or slow ---- */

/* More events than fit into both queues. */
static uint64_t overflow(struct audit *audit)
{
	struct audit_state before, state;

	audit_read_state(audit, &before);
	do {
		lab_add(audit, 100);
		audit_read_state(audit, &state);
	} while (state.dropped == before.dropped);
	return state.dropped;
}

/* After trouble all is written, and the gap is a line with the number that the metric has. */
static void expect_gap(struct audit *audit)
{
	struct audit_state state;
	char want[80];

	lab_flush(audit);
	audit_read_state(audit, &state);
	CHECK_NUMBER("error", state.err, 0);
	lab_add(audit, 1);
	audit_close(audit);
	CHECK_NUMBER("breaks", lab_breaks(), 0);
	snprintf(want, sizeof(want), "grep -c 'dropped\",\"lines\":%llu,' %s/*.jsonl >/dev/null",
		 (unsigned long long)state.dropped, lab_folder);
	CHECK_NUMBER("the gap is told", system(want), 0);
}

/* A limit on the size of files has the effect of a full disk. */
TEST(a_full_disk_holds_nobody_up_and_the_gap_is_told)
{
	struct rlimit old, limit;
	struct audit_state state;
	struct audit *audit;
	int turn;

	signal(SIGXFSZ, SIG_IGN);
	lab_begin(16 << 20);
	audit = lab_open_log(NULL);
	lab_add(audit, 3);
	lab_flush(audit);
	getrlimit(RLIMIT_FSIZE, &old);
	limit = old;
	/* In the middle of a line. */
	limit.rlim_cur = 1001;
	setrlimit(RLIMIT_FSIZE, &limit);
	CHECK(overflow(audit) > 0, "nothing dropped");
	/* The writer says so after its next attempt. */
	for (turn = 0; turn < 100; turn++) {
		audit_read_state(audit, &state);
		if (state.err)
			break;
		CHECK(!audit_flush(audit, 100), "written");
	}
	CHECK_NUMBER("error", state.err, -EFBIG);
	CHECK(state.written.number <= 4, "line %u", (unsigned int)state.written.number);
	setrlimit(RLIMIT_FSIZE, &old);
	expect_gap(audit);
}

TEST(an_agent_starts_on_a_full_disk)
{
	struct rlimit old, limit;
	struct audit *audit;

	signal(SIGXFSZ, SIG_IGN);
	lab_begin(16 << 20);
	getrlimit(RLIMIT_FSIZE, &old);
	limit = old;
	limit.rlim_cur = 0;
	setrlimit(RLIMIT_FSIZE, &limit);
	audit = lab_open_log(NULL);
	lab_add(audit, 5);
	CHECK(!audit_flush(audit, 300), "written");
	setrlimit(RLIMIT_FSIZE, &old);
	lab_flush(audit);
	audit_close(audit);
	CHECK_NUMBER("breaks", lab_breaks(), 0);
	CHECK_NUMBER("lines", lab_report.lines, 6);
}

/* A file system with room for the folder @path and nothing in it. False if only root may mount. */
static bool mount_full(const char *path)
{
	CHECK_NUMBER("mkdir", mkdir(path, 0700), 0);
	if (!mount("tmpfs", path, "tmpfs", 0, "nr_inodes=1"))
		return true;
	CHECK_NUMBER("mount", errno, EPERM);
	rmdir(path);
	return false;
}

static void unmount(const char *path)
{
	CHECK_NUMBER("umount", umount(path), 0);
	rmdir(path);
}

/* Waits until the writer has found the log, or has failed to. */
static void await_writer(struct audit *audit, struct audit_state *state)
{
	do {
		audit_flush(audit, 10);
		audit_read_state(audit, state);
	} while (!state->is_found && !state->err);
}

/* Begins a test whose log has a disk of its own. False if only root may mount. */
static bool begin_on_disk(char disk[LAB_FOLDER + 8], struct audit_settings *settings)
{
	lab_begin(16 << 20);
	snprintf(disk, LAB_FOLDER + 8, "%s/disk", lab_folder);
	*settings = lab_settings;
	settings->folder = disk;
	return mount_full(disk);
}

/* The first start, on a disk on which not even the folder has room. */
TEST(an_agent_starts_for_the_first_time_on_a_full_disk)
{
	char disk[LAB_FOLDER + 8], folder[128];
	struct audit_settings settings;
	struct qlink_why why = { "" };
	struct audit_state state;
	struct audit *audit;

	if (!begin_on_disk(disk, &settings))
		return;
	snprintf(folder, sizeof(folder), "%s/qlinkd/log", disk);
	settings.folder = folder;
	CHECK_NUMBER("check", audit_folder_check(folder, &why), 0);
	CHECK_NUMBER("open", audit_open(&audit, &settings, lab_key, &why), 0);
	if (!audit)
		BAIL_OUT();
	await_writer(audit, &state);
	CHECK_NUMBER("error", state.err, -ENOSPC);
	CHECK(!state.is_found, "found");
	CHECK(!audit_has_room(audit, 1), "records would not stay in the kernel");
	lab_add(audit, 5);
	CHECK(!audit_flush(audit, 100), "written");
	CHECK_NUMBER("room", mount(NULL, disk, NULL, MS_REMOUNT, "nr_inodes=100"), 0);
	lab_flush(audit);
	audit_read_state(audit, &state);
	CHECK_NUMBER("error", state.err, 0);
	CHECK(state.is_found && !state.tail.file, "not begun");
	CHECK_NUMBER("lines", state.written.number, 6);
	CHECK_NUMBER("dropped", state.dropped, 0);
	CHECK(audit_has_room(audit, 1), "no room");
	audit_close(audit);
	unmount(disk);
}

/* A disk that is read-only since it failed: what the log has is known when it works again. */
TEST(an_agent_starts_on_a_disk_that_fails_and_then_goes_on_with_its_log)
{
	const struct log_field record[] = {
		{ .name = "link", .text = "qlink0" }, { .name = "record", .number = 3 }, { .name = NULL },
	};
	char disk[LAB_FOLDER + 8];
	struct audit_settings settings;
	struct qlink_why why = { "" };
	struct audit_state state;
	struct audit *audit;

	if (!begin_on_disk(disk, &settings))
		return;
	CHECK_NUMBER("room", mount(NULL, disk, NULL, MS_REMOUNT, "nr_inodes=100"), 0);
	CHECK_NUMBER("open", audit_open(&audit, &settings, lab_key, &why), 0);
	audit_add(audit, 1, "used", record);
	lab_flush(audit);
	audit_close(audit);
	CHECK_NUMBER("read only", mount(NULL, disk, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	CHECK_NUMBER("check", audit_folder_check(disk, &why), 0);
	CHECK_NUMBER("open", audit_open(&audit, &settings, lab_key, &why), 0);
	if (!audit)
		BAIL_OUT();
	await_writer(audit, &state);
	CHECK_NUMBER("error", state.err, -EROFS);
	CHECK(!audit_has_room(audit, 1), "records would be logged twice");
	lab_add(audit, 2);
	CHECK_NUMBER("room", mount(NULL, disk, NULL, MS_REMOUNT, NULL), 0);
	lab_flush(audit);
	CHECK(audit_has_room(audit, 1), "no room");
	expect_record(audit, "qlink0", "\"record\":3");
	audit_read_state(audit, &state);
	CHECK_NUMBER("file", state.tail.file, 1);
	audit_close(audit);
	unmount(disk);
}

/* Another process has a lease on a file that the writer opens: open() waits until it gives it back. */
static pid_t hold_lease(const char *path, int *release)
{
	int ready[2], go[2], fd;
	char byte = 0;
	pid_t child;

	CHECK_NUMBER("pipes", pipe(ready) || pipe(go), 0);
	child = fork();
	if (!child) {
		signal(SIGIO, SIG_IGN);
		close(go[1]);
		fd = open(path, O_RDWR | O_CREAT, 0600);
		byte = (char)fcntl(fd, F_SETLEASE, F_WRLCK);
		if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) < 0)
			_exit(1);
		_exit(0);
	}
	CHECK_NUMBER("ready", read(ready[0], &byte, 1), 1);
	CHECK_NUMBER("lease", byte, 0);
	close(ready[0]);
	close(ready[1]);
	close(go[0]);
	*release = go[1];
	return child;
}

/* Whether the writer waits for the lease of the child. */
static bool is_lease_wanted(void)
{
	FILE *locks = fopen("/proc/locks", "re");
	char line[200];
	bool is_wanted = false;

	while (locks && fgets(line, sizeof(line), locks))
		is_wanted |= strstr(line, "LEASE") && strstr(line, "BREAKING");
	if (locks)
		fclose(locks);
	return is_wanted;
}

TEST(a_slow_disk_holds_nobody_up_and_the_gap_is_told)
{
	struct audit_state before, state;
	struct audit *audit;
	int release, status;
	pid_t child;

	lab_begin(1500);
	audit = lab_open_log(NULL);
	child = hold_lease(lab_path_of(AUDIT_CHECKPOINT_NEW), &release);
	/* The file ends soon, and its checkpoint waits. All this returns nevertheless. */
	overflow(audit);
	while (!is_lease_wanted())
		audit_flush(audit, 1);
	/* The writer may have made room before. */
	overflow(audit);
	audit_read_state(audit, &before);
	lab_add(audit, 1000);
	audit_read_state(audit, &state);
	CHECK_NUMBER("the writer stands", state.written.number, before.written.number);
	CHECK_NUMBER("no error", state.err, 0);
	CHECK_NUMBER("told at once", state.dropped, before.dropped + 1000);
	close(release);
	CHECK_NUMBER("child", waitpid(child, &status, 0), child);
	expect_gap(audit);
}

/* A file that was changed under the agent: it goes on in the next one. */
static void expect_next_file(struct audit *audit, const char *what)
{
	struct audit_state state;

	audit_read_state(audit, &state);
	CHECK_NUMBER("changed before", state.changed, 0);
	do {
		lab_add(audit, 1);
		lab_flush(audit);
		audit_read_state(audit, &state);
	} while (state.file == 1);
	CHECK_NUMBER(what, state.changed, 1);
	audit_close(audit);
}

TEST(a_file_that_somebody_moves_or_cuts_is_noticed)
{
	char moved[80];
	struct audit *audit;

	lab_begin(1 << 20);
	audit = lab_open_log(NULL);
	lab_add(audit, 3);
	lab_flush(audit);
	snprintf(moved, sizeof(moved), "%s", lab_path_of("moved"));
	CHECK_NUMBER("move", rename(lab_file_path(1), moved), 0);
	expect_next_file(audit, "moved");
	CHECK(lab_breaks() && strstr(lab_all_breaks, "audit-0000000001.jsonl: missing"), "%s", lab_all_breaks);
	lab_begin(1 << 20);
	audit = lab_open_log(NULL);
	lab_add(audit, 3);
	lab_flush(audit);
	CHECK_NUMBER("cut", truncate(lab_file_path(1), 0), 0);
	expect_next_file(audit, "cut");
	CHECK(lab_breaks() && strstr(lab_all_breaks, "audit-0000000001.jsonl:1: "), "%s", lab_all_breaks);
}

TEST(a_file_that_somebody_removes_is_noticed)
{
	struct audit *audit;

	lab_begin(1 << 20);
	audit = lab_open_log(NULL);
	lab_add(audit, 3);
	lab_flush(audit);
	unlink(lab_file_path(1));
	expect_next_file(audit, "removed");
	CHECK(lab_breaks() && strstr(lab_all_breaks, "audit-0000000001.jsonl: missing"), "%s", lab_all_breaks);
	CHECK_NUMBER("breaks", lab_report.breaks, 1);
}

TEST(a_line_that_is_too_long_is_counted)
{
	static char text[AUDIT_MEMBERS_MAX + 1];
	const struct log_field fields[] = {
		{ .name = "text", .text = text }, { .name = "after", .number = 1 }, { .name = NULL },
	};
	struct audit *audit;

	memset(text, 'x', sizeof(text) - 1);
	lab_begin(1 << 20);
	audit = lab_open_log(NULL);
	audit_add(audit, 1, "source", fields);
	audit_add(audit, 1, "started", none);
	lab_flush(audit);
	audit_close(audit);
	CHECK_NUMBER("dropped", lab_count("\"event\":\"dropped\",\"lines\":"), 1);
	CHECK_NUMBER("breaks", lab_breaks(), 0);
}
