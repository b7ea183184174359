// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes the files of an audit log: lines, rotation, checkpoints; used by one thread. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "qlinkd/base/clock.h"
#include "qlinkd/base/field.h"

/* Room that stays for the line that ends a file. */
#define SEAL_BYTES	(AUDIT_LINE_MAX + 2)

/* ---- composing ---- */

static int compose(struct audit_files *files, uint64_t utc_ms, uint64_t boot_ms,
		   const char *members)
{
	char *line = files->pending + files->n_pending;
	int len;

	if (files->n_pending + SEAL_BYTES > AUDIT_PENDING_BYTES)
		return -ENOBUFS;
	len = audit_line_compose(line, &files->composed, files->hasher, utc_ms, boot_ms, members);
	if (len < 0)
		return len;
	files->n_pending += (size_t)len;
	/* Without memory a record may be logged twice after a restart, and no line is missing. */
	audit_cursors_note(&files->cursors, line, (size_t)len - 1);
	return 0;
}

static int compose_now(struct audit_files *files, const char *members)
{
	return compose(files, clock_ms(CLOCK_REALTIME), clock_ms(CLOCK_BOOTTIME), members);
}

bool audit_files_has_room(const struct audit_files *files)
{
	return files->is_found && !files->is_sealing && files->cursor >= files->cursors.n &&
	       files->n_pending + 2 * SEAL_BYTES <= AUDIT_PENDING_BYTES;
}

int audit_files_add(struct audit_files *files, uint64_t utc_ms, uint64_t boot_ms,
		    const char *members)
{
	return compose(files, utc_ms, boot_ms, members);
}

/* Composes cursors, as many as there is room for. */
static void compose_cursors(struct audit_files *files)
{
	char members[AUDIT_LINK_TEXT + AUDIT_RECORD_TEXT + 80];

	while (files->cursor < files->cursors.n &&
	       files->n_pending + 2 * SEAL_BYTES <= AUDIT_PENDING_BYTES) {
		const struct audit_cursor *cursor = &files->cursors.list[files->cursor++];

		snprintf(members, sizeof(members), "\"event\":\"cursor\",\"link\":\"%s\",%s",
			 cursor->link, cursor->text);
		compose_now(files, members);
	}
}

/* Begins the next file; @found is %NULL if the one before was sealed. */
static int begin_file(struct audit_files *files, const struct audit_tail *found)
{
	char members[AUDIT_MEMBERS_MAX];
	int len;

	len = snprintf(members, sizeof(members),
		       "\"event\":\"begun\",\"file\":%" PRIu64 ",\"agent\":\"%s\"", files->file,
		       files->agent);
	if (found && found->damaged[0])
		len += snprintf(members + len, sizeof(members) - (size_t)len,
				",\"damaged_file\":%" PRIu64 ",\"damaged_from\":%" PRIu64
				",\"damaged_bytes\":%" PRIu64 ",\"damaged_hash\":\"%s\"",
				found->file, found->good, found->size - found->good,
				found->damaged);
	if (found && found->lost)
		snprintf(members + len, sizeof(members) - (size_t)len, ",\"lost\":%" PRIu64,
			 found->lost);
	files->begun_ms = clock_ms(CLOCK_REALTIME);
	files->offset = 0;
	files->cursor = 0;
	files->next_cursors = AUDIT_CURSORS_EVERY;
	return compose_now(files, members);
}

/* ---- writing ---- */

/* An empty file of that name is from a start that a crash or a full disk ended. */
static int create(struct audit_files *files)
{
	char name[AUDIT_FILE_NAME];
	struct stat status;
	int fd = openat(files->folder, audit_file_name(files->file, name),
			O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) || !S_ISREG(status.st_mode) || status.st_size) {
		close(fd);
		return -EEXIST;
	}
	files->fd = fd;
	return 0;
}

/* Whether bytes are missing that were written; a write would only leave a hole in their place. */
static bool is_cut(const struct audit_files *files)
{
	struct stat status;

	return !fstat(files->fd, &status) && (uint64_t)status.st_size < files->offset;
}

/* Whether the file is no more in its folder, under its name and as it was written. */
static bool has_changed(const struct audit_files *files)
{
	char name[AUDIT_FILE_NAME];
	struct stat own, named;

	return files->is_cut || fstat(files->fd, &own) ||
	       (uint64_t)own.st_size != files->offset ||
	       fstatat(files->folder, audit_file_name(files->file, name), &named,
		       AT_SYMLINK_NOFOLLOW) ||
	       named.st_ino != own.st_ino || named.st_dev != own.st_dev;
}

/*
 * Writes what waits. At a fixed place, so that what a full disk cut off is written over by the next
 * attempt, and no line is ever torn.
 */
static int write_pending(struct audit_files *files)
{
	size_t done = 0;
	ssize_t n;
	int err;

	if (!files->n_pending)
		return 0;
	err = files->fd < 0 ? create(files) : 0;
	if (err)
		return err;
	files->is_cut |= is_cut(files);
	while (done < files->n_pending) {
		n = pwrite(files->fd, files->pending + done, files->n_pending - done,
			   (off_t)(files->offset + done));
		if (n < 0)
			return -errno;
		if (!n)
			return -ENOSPC;
		done += (size_t)n;
	}
	files->offset += done;
	files->n_pending = 0;
	files->written = files->composed;
	if (!files->sync_at)
		files->sync_at = clock_ms(CLOCK_BOOTTIME) + AUDIT_SYNC_MS;
	return 0;
}

static int checkpoint(struct audit_files *files, EVP_PKEY *key)
{
	struct audit_checkpoint checkpoint = { .file = files->file, .point = files->written };
	int err;

	memcpy(checkpoint.agent, files->agent, sizeof(checkpoint.agent));
	audit_time_text(clock_ms(CLOCK_REALTIME), checkpoint.utc);
	err = audit_checkpoint_write(files->folder, &checkpoint, key);
	if (err)
		return err;
	files->signed_point = files->written.number;
	files->checkpoint_at = clock_ms(CLOCK_BOOTTIME) + files->settings.checkpoint_ms;
	return 0;
}

/* Goes on in the next file, whose first line names the last line of this one. */
static int leave_file(struct audit_files *files)
{
	const struct audit_tail changed = { .lost = 1 };
	bool is_changed = has_changed(files);

	close(files->fd);
	files->fd = -1;
	files->file++;
	files->is_sealing = false;
	files->is_cut = false;
	files->n_changed += is_changed;
	files->checkpoint_at = 0;
	return begin_file(files, is_changed ? &changed : NULL);
}

static int sync_file(struct audit_files *files)
{
	if (fdatasync(files->fd))
		return -errno;
	files->sync_at = 0;
	return has_changed(files) ? leave_file(files) : 0;
}

/* Ends the file if it is large or old enough. */
static int rotate(struct audit_files *files)
{
	uint64_t now = clock_ms(CLOCK_REALTIME);
	bool is_old = now > files->begun_ms && now - files->begun_ms >= files->settings.file_ms;
	int err = 0;

	if (files->fd < 0 || files->is_sealing ||
	    (files->offset < files->settings.file_bytes && !is_old))
		return 0;
	err = compose_now(files, "\"event\":\"sealed\"");
	files->is_sealing = !err;
	return err;
}

static int finish_sealing(struct audit_files *files)
{
	int err;

	if (!files->is_sealing || files->n_pending)
		return 0;
	err = fdatasync(files->fd) ? -errno : 0;
	files->sync_at = 0;
	return err ?: leave_file(files);
}

static int write_lines(struct audit_files *files)
{
	int err;

	if (files->offset >= files->next_cursors && !files->is_sealing) {
		files->next_cursors = files->offset + AUDIT_CURSORS_EVERY;
		files->cursor = 0;
	}
	do {
		if (!files->is_sealing)
			compose_cursors(files);
		err = write_pending(files);
	} while (!err && files->cursor < files->cursors.n && !files->is_sealing);
	return err;
}

void audit_files_sign_again(struct audit_files *files)
{
	files->signed_point = 0;
	files->checkpoint_at = 0;
}

int audit_files_work(struct audit_files *files, EVP_PKEY *key, bool is_last)
{
	uint64_t now;
	int err = write_lines(files);

	if (!err)
		err = rotate(files);
	if (!err && files->is_sealing) {
		err = write_lines(files) ?: finish_sealing(files);
		if (!err)
			err = write_lines(files);
	}
	now = clock_ms(CLOCK_BOOTTIME);
	if (!err && files->sync_at && (files->sync_at <= now || is_last || files->checkpoint_at <= now))
		err = sync_file(files) ?: write_lines(files);
	if (!err && files->written.number != files->signed_point &&
	    (files->checkpoint_at <= now || is_last))
		err = (files->sync_at ? sync_file(files) : 0) ?: checkpoint(files, key);
	return err;
}

/* ---- life ---- */

static int open_folder(struct audit_files *files, const char *path, struct qlink_why *why)
{
	/* At the start rather than hours later, when the first file ends. */
	int err = audit_folder_check(path, why);

	if (err)
		return err;
	err = audit_folder_make(path);
	if (!err) {
		files->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		err = files->folder < 0 ? -errno : 0;
	}
	if (err)
		return qlink_refuse(why, err, "%s: %s", path, strerror(-err));
	if (flock(files->folder, LOCK_EX | LOCK_NB))
		return qlink_refuse(why, -EBUSY, "%s: another agent writes to it", path);
	return 0;
}

/* Continues the last file where it is good, or begins another. */
static int go_on(struct audit_files *files, const struct audit_tail *tail)
{
	const struct audit_point *signed_point = &tail->checkpoint.point;
	char name[AUDIT_FILE_NAME];

	files->file = tail->file;
	files->composed = tail->lost ? *signed_point : tail->point;
	if (tail->file && tail->size && !tail->is_sealed && !tail->damaged[0] && !tail->lost) {
		files->offset = tail->good;
		files->begun_ms = tail->begun_ms;
		files->next_cursors = tail->good - tail->good % AUDIT_CURSORS_EVERY +
				      AUDIT_CURSORS_EVERY;
		files->cursor = files->cursors.n;
		files->fd = openat(files->folder, audit_file_name(tail->file, name),
				   O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		return files->fd < 0 ? -errno : 0;
	}
	if (tail->lost && tail->checkpoint.file > files->file)
		files->file = tail->checkpoint.file;
	if (!tail->file || tail->size || tail->lost)
		files->file++;
	return begin_file(files, tail);
}

static int find_end(struct audit_files *files, struct audit_tail *tail, struct qlink_why *why)
{
	int err = open_folder(files, files->settings.folder, why) ?:
		  audit_tail_read(tail, files->folder, &files->cursors, &files->installed,
				  files->hasher, why);

	if (err)
		return err;
	audit_point_start(&files->written);
	err = go_on(files, tail);
	if (err)
		return qlink_refuse(why, err, "%s: %s", files->settings.folder, strerror(-err));
	if (files->fd >= 0)
		files->written = files->composed;
	return 0;
}

int audit_files_find(struct audit_files *files, struct audit_tail *tail, struct qlink_why *why)
{
	int err;

	memset(tail, 0, sizeof(*tail));
	err = find_end(files, tail, why);
	files->is_found = !err;
	if (!err)
		return 0;
	/* As before, for another attempt. */
	if (files->folder >= 0)
		close(files->folder);
	files->folder = -1;
	audit_cursors_free(&files->cursors);
	audit_installed_free(&files->installed);
	files->n_pending = 0;
	return err;
}

int audit_files_open(struct audit_files *files, const struct audit_settings *settings,
		     struct audit_tail *tail, struct qlink_why *why)
{
	memset(files, 0, sizeof(*files));
	files->settings = *settings;
	files->fd = -1;
	files->folder = -1;
	field_escape(files->agent, sizeof(files->agent), settings->agent, strlen(settings->agent),
		     FIELD_STYLE_JSON);
	files->settings.folder = files->path = strdup(settings->folder);
	files->hasher = audit_hasher_new();
	files->pending = malloc(AUDIT_PENDING_BYTES);
	if (!files->path || !files->hasher || !files->pending)
		return qlink_refuse(why, -ENOMEM, "no memory");
	return audit_files_find(files, tail, why);
}

void audit_files_close(struct audit_files *files)
{
	if (files->fd >= 0)
		close(files->fd);
	if (files->folder >= 0)
		close(files->folder);
	audit_hasher_free(files->hasher);
	audit_cursors_free(&files->cursors);
	audit_installed_free(&files->installed);
	free(files->pending);
	free(files->path);
}
