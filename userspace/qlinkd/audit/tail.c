// SPDX-License-Identifier: GPL-2.0-or-later
/* The end of an audit log: where to go on when the agent starts. */
#include "tail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"
#include "reader.h"

/**
 * struct scan - a pass over the end of one file
 */
struct scan {
	/** @tail: what is found */
	struct audit_tail *tail;

	/** @cursors: likewise */
	struct audit_cursors *cursors;

	/** @installed: likewise */
	struct audit_installed *installed;

	/** @hasher: for the lines */
	struct audit_hasher *hasher;

	/** @block: AUDIT_READ_BYTES */
	char *block;

	/** @has_point: the point of @tail is known */
	bool has_point;

	/** @differs: the line that the checkpoint names has another hash */
	bool differs;
};

static bool ends_with(const char *line, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len >= n && !memcmp(line + len - n, end, n);
}

/* Takes a line whose chain holds; false for one whose chain does not. */
static bool take_line(struct scan *scan, const char *line, size_t len)
{
	const struct audit_checkpoint *checkpoint = &scan->tail->checkpoint;
	struct audit_point point = scan->tail->point;

	/* The first one in the middle of a file shows where it is. */
	if (!scan->has_point && !audit_line_parse(line, len, &point))
		return false;
	if (audit_line_follows(line, len, &point, scan->hasher))
		return false;
	scan->has_point = true;
	scan->tail->point = point;
	scan->tail->is_sealed = ends_with(line, len, ",\"event\":\"sealed\"}");
	if (scan->tail->has_checkpoint && point.number == checkpoint->point.number)
		scan->differs = strcmp(point.hash, checkpoint->point.hash) != 0;
	/* Without memory a record may be logged twice, or a key that a KME gives again be taken. */
	audit_cursors_note(scan->cursors, line, len);
	audit_installed_note(scan->installed, line, len);
	return true;
}

/* Reads a file from @offset on, up to the first break. */
static int scan_lines(struct scan *scan, int fd, uint64_t offset, uint64_t size)
{
	struct audit_reader reader;
	const char *line;
	bool is_whole;
	size_t len;
	int err;

	audit_reader_start(&reader, fd, offset, size, scan->block);
	/* What is left of the line in which it begins. */
	if (offset && (err = audit_reader_next(&reader, &line, &len, &is_whole)) <= 0)
		return err;
	scan->tail->good = reader.offset;
	while ((err = audit_reader_next(&reader, &line, &len, &is_whole)) > 0) {
		if (!is_whole || !take_line(scan, line, len))
			return 0;
		scan->tail->good = reader.offset;
	}
	return err;
}

/* The time of the first line of a file. */
static uint64_t begun(int fd)
{
	char line[AUDIT_LINE_MAX], time[AUDIT_TIME_TEXT];
	ssize_t n = pread(fd, line, sizeof(line), 0);

	if (n <= 0 || !audit_line_text(line, (size_t)n, "utc", time, sizeof(time)))
		return 0;
	return audit_time_parse(time);
}

static int scan_file(struct scan *scan, int folder, uint64_t file)
{
	struct audit_tail *tail = scan->tail;
	uint64_t size, offset;
	int fd = audit_folder_read(folder, file, &size), err;

	if (fd < 0)
		return fd;
	tail->file = file;
	tail->size = size;
	tail->is_sealed = false;
	tail->begun_ms = begun(fd);
	tail->damaged[0] = '\0';
	offset = size > AUDIT_TAIL_BYTES ? size - AUDIT_TAIL_BYTES : 0;
	/* Whether it follows from the file before is for audit_check(). */
	scan->has_point = false;
	err = scan_lines(scan, fd, offset, size);
	if (!err && offset && !scan->has_point)
		err = scan_lines(scan, fd, 0, size);
	if (!err && tail->good < size)
		err = audit_hash_range(scan->hasher, fd, tail->good, size - tail->good,
				       tail->damaged);
	close(fd);
	return err;
}

/* Compares the end with the checkpoint. */
static void count_lost(struct scan *scan)
{
	struct audit_tail *tail = scan->tail;
	uint64_t number = tail->checkpoint.point.number;

	if (!tail->has_checkpoint)
		return;
	if (number > tail->point.number)
		tail->lost = number - tail->point.number;
	else if (scan->differs)
		tail->lost = tail->point.number - number + 1;
}

/* The file before the last one as well: the last one may have been cut before its cursors. */
static int scan_files(struct scan *scan, int folder)
{
	uint64_t *files;
	size_t n, i;
	int err = audit_folder_list(folder, &files, &n);

	for (i = n > 2 ? n - 2 : 0; i < n && !err; i++)
		err = scan_file(scan, folder, files[i]);
	free(files);
	return err;
}

int audit_tail_read(struct audit_tail *tail, int folder, struct audit_cursors *cursors,
		    struct audit_installed *installed, struct audit_hasher *hasher,
		    struct qlink_why *why)
{
	struct scan scan = {
		.tail = tail, .cursors = cursors, .installed = installed, .hasher = hasher,
	};
	struct qlink_why no_checkpoint;
	int err;

	memset(tail, 0, sizeof(*tail));
	audit_point_start(&tail->point);
	scan.block = malloc(AUDIT_READ_BYTES);
	if (!scan.block)
		return qlink_refuse(why, -ENOMEM, "no memory");
	tail->has_checkpoint = !audit_checkpoint_read(folder, &tail->checkpoint, NULL,
						      &no_checkpoint);
	err = scan_files(&scan, folder);
	free(scan.block);
	if (err)
		return qlink_refuse(why, err, "%s", strerror(-err));
	count_lost(&scan);
	return 0;
}
