// SPDX-License-Identifier: GPL-2.0-or-later
/* Checks a whole audit log, and says where it breaks. */
#include "check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"
#include "reader.h"

#define SEALED	",\"event\":\"sealed\"}"

/**
 * struct note - what the first line of a file says about the file before it
 */
struct note {
	/** @from: bytes of that file up to its damaged end */
	uint64_t from;

	/** @bytes: bytes of the damaged end */
	uint64_t bytes;

	/** @hash: of the damaged end; empty if nothing is damaged */
	char hash[AUDIT_HASH_TEXT];
};

/**
 * struct walk - the state of a check
 */
struct walk {
	/** @folder: descriptor of the folder */
	int folder;

	/** @report: the result so far */
	struct audit_report *report;

	/** @tell: called at every break */
	void (*tell)(void *arg, const char *text);

	/** @arg: argument of @tell */
	void *arg;

	/** @hasher: for the lines */
	struct audit_hasher *hasher;

	/** @block: AUDIT_READ_BYTES */
	char *block;

	/** @file: number of the file that is read */
	uint64_t file;

	/** @line: number of the line in it, from 1 on */
	uint64_t line;

	/** @is_lost: files before this one are missing, so that any line may come next */
	bool is_lost;

	/** @is_sealed: the last line ends its file */
	bool is_sealed;
};

__attribute__((format(printf, 2, 3)))
static void found_break(struct walk *walk, const char *rule, ...)
{
	char name[AUDIT_FILE_NAME], text[320];
	va_list args;
	int len = 0;

	walk->report->breaks++;
	if (walk->file)
		len = snprintf(text, sizeof(text), "%s", audit_file_name(walk->file, name));
	if (walk->file && walk->line)
		len += snprintf(text + len, sizeof(text) - (size_t)len, ":%" PRIu64, walk->line);
	if (walk->file)
		len += snprintf(text + len, sizeof(text) - (size_t)len, ": ");
	va_start(args, rule);
	vsnprintf(text + len, sizeof(text) - (size_t)len, rule, args);
	va_end(args);
	walk->tell(walk->arg, text);
}

/* ---- lines ---- */

static void compare_checkpoint(struct walk *walk)
{
	const struct audit_report *report = walk->report;

	if (report->has_checkpoint && report->end.number == report->checkpoint.point.number &&
	    strcmp(report->end.hash, report->checkpoint.point.hash))
		found_break(walk, "line %" PRIu64 " is not the one that the checkpoint names",
			    report->end.number);
}

static void check_first(struct walk *walk, const char *line, size_t len)
{
	uint64_t file;

	if (!audit_line_is(line, len, "begun"))
		found_break(walk, "the first line is not the event begun");
	else if (!audit_line_number(line, len, "file", &file) || file != walk->file)
		found_break(walk, "the first line is that of another file");
}

static void check_line(struct walk *walk, const char *line, size_t len)
{
	struct audit_point *end = &walk->report->end;
	uint64_t expected = end->number + 1;
	const char *rule;

	walk->line++;
	if (walk->is_lost)
		audit_line_parse(line, len, end);
	walk->is_lost = false;
	rule = audit_line_follows(line, len, end, walk->hasher);
	if (rule)
		found_break(walk, "line %" PRIu64 ", expected line %" PRIu64 ": %s", end->number,
			    expected, rule);
	else
		walk->report->lines++;
	if (walk->line == 1)
		check_first(walk, line, len);
	walk->is_sealed = len >= sizeof(SEALED) &&
			  !memcmp(line + len - (sizeof(SEALED) - 1), SEALED, sizeof(SEALED) - 1);
	compare_checkpoint(walk);
}

static int check_lines(struct walk *walk, int fd, uint64_t limit)
{
	struct audit_reader reader;
	const char *line;
	bool is_whole;
	size_t len;
	int err;

	walk->is_sealed = false;
	audit_reader_start(&reader, fd, 0, limit, walk->block);
	while ((err = audit_reader_next(&reader, &line, &len, &is_whole)) > 0) {
		if (walk->is_sealed) {
			walk->line++;
			found_break(walk, "there are bytes behind the event sealed");
			return 0;
		}
		if (!is_whole) {
			walk->line++;
			found_break(walk, "the line has no end");
			return 0;
		}
		check_line(walk, line, len);
	}
	walk->line = 0;
	return err;
}

/* ---- files ---- */

/* Reads what the first line of a file says about the file before it. */
static void read_note(int folder, uint64_t file, uint64_t before, struct note *note)
{
	char line[AUDIT_LINE_MAX + 1];
	uint64_t size, of;
	int fd = audit_folder_read(folder, file, &size);
	ssize_t n = fd < 0 ? 0 : pread(fd, line, sizeof(line), 0);
	const char *end = n > 0 ? memchr(line, '\n', (size_t)n) : NULL;
	size_t len = end ? (size_t)(end - line) : 0;

	if (fd >= 0)
		close(fd);
	note->hash[0] = '\0';
	if (!audit_line_is(line, len, "begun") ||
	    !audit_line_number(line, len, "damaged_file", &of) || of != before ||
	    !audit_line_number(line, len, "damaged_from", &note->from) ||
	    !audit_line_number(line, len, "damaged_bytes", &note->bytes) ||
	    !audit_line_text(line, len, "damaged_hash", note->hash, sizeof(note->hash)))
		note->hash[0] = '\0';
}

/* Compares the damaged end of a file with what the next file says about it. */
static int check_damaged(struct walk *walk, int fd, uint64_t size, const struct note *note)
{
	char hash[AUDIT_HASH_TEXT];
	int err = audit_hash_range(walk->hasher, fd, note->from, note->bytes, hash);

	if (err)
		return err;
	if (size - note->from != note->bytes || strcmp(hash, note->hash))
		found_break(walk, "the damaged bytes from byte %" PRIu64
			    " on are not those that were set aside", note->from);
	else
		walk->report->set_aside += note->bytes;
	return 0;
}

static int check_open_file(struct walk *walk, int fd, uint64_t size, const struct note *note,
			   bool is_last)
{
	bool is_damaged = note->hash[0] && note->from <= size;
	int err;

	if (note->hash[0] && !is_damaged)
		found_break(walk, "it is shorter than the next file says");
	err = check_lines(walk, fd, is_damaged ? note->from : size);
	if (!err && is_damaged)
		err = check_damaged(walk, fd, size, note);
	else if (!err && !is_last && !walk->is_sealed && !note->hash[0])
		found_break(walk, "it does not end with the event sealed: lines are missing");
	return err;
}

static int check_file(struct walk *walk, uint64_t file, uint64_t next)
{
	struct note note = { .hash = "" };
	uint64_t size;
	int fd, err;

	walk->file = file;
	walk->line = 0;
	fd = audit_folder_read(walk->folder, file, &size);
	if (fd < 0) {
		found_break(walk, "%s", strerror(-fd));
		return 0;
	}
	if (next)
		read_note(walk->folder, next, file, &note);
	walk->report->files++;
	walk->report->bytes += size;
	err = check_open_file(walk, fd, size, &note, !next);
	close(fd);
	return err;
}

static int check_files(struct walk *walk, uint64_t first)
{
	uint64_t *files, expected = first;
	size_t n, i;
	int err = audit_folder_list(walk->folder, &files, &n);

	if (!err && !n) {
		walk->file = first;
		found_break(walk, "missing");
	}
	for (i = 0; i < n && !err; i++) {
		if (files[i] < first)
			continue;
		walk->is_lost = files[i] != expected || files[i] == first;
		/* The very first line has a known point before it. */
		walk->is_lost &= files[i] != 1;
		for (walk->line = 0; expected < files[i]; expected++) {
			walk->file = expected;
			found_break(walk, "missing");
		}
		expected++;
		err = check_file(walk, files[i], i + 1 < n ? files[i + 1] : 0);
	}
	free(files);
	return err;
}

/* The checkpoint is read before the lines, so that a log may grow while it is checked. */
static void read_checkpoint(struct walk *walk, EVP_PKEY *key)
{
	struct audit_report *report = walk->report;
	struct qlink_why why;
	int err = audit_checkpoint_read(walk->folder, &report->checkpoint, key, &why);

	report->has_checkpoint = !err || err == -EKEYREJECTED;
	if (err)
		found_break(walk, "%s", why.text);
}

static void check_end(struct walk *walk)
{
	const struct audit_report *report = walk->report;

	walk->file = 0;
	if (report->has_checkpoint && report->end.number < report->checkpoint.point.number)
		found_break(walk, "the log ends with line %" PRIu64 ", and the checkpoint names line %"
			    PRIu64 " of file %" PRIu64 ": lines at the end are missing",
			    report->end.number, report->checkpoint.point.number,
			    report->checkpoint.file);
}

int audit_check(int folder, uint64_t first, EVP_PKEY *key,
		void (*tell)(void *arg, const char *text), void *arg,
		struct audit_report *report)
{
	struct walk walk = { .folder = folder, .report = report, .tell = tell, .arg = arg };
	int err = -ENOMEM;

	memset(report, 0, sizeof(*report));
	audit_point_start(&report->end);
	walk.hasher = audit_hasher_new();
	walk.block = malloc(AUDIT_READ_BYTES);
	if (walk.hasher && walk.block) {
		read_checkpoint(&walk, key);
		err = check_files(&walk, first);
	}
	if (!err)
		check_end(&walk);
	audit_hasher_free(walk.hasher);
	free(walk.block);
	return err ?: report->breaks ? -EBADMSG : 0;
}
