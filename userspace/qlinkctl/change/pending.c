// SPDX-License-Identifier: GPL-2.0-or-later
/* The folder of a change that is being made, or waits to be confirmed. */
#include "pending.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

static char *path_in(const char *folder, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

int pending_open(struct pending *pending, const char *folder, struct qlink_why *why)
{
	*pending = (struct pending){ .lock = -1, .folder = whole_path(folder ?: PENDING_FOLDER) };
	if (pending->folder) {
		pending->change = path_in(pending->folder, "change");
		pending->guard = path_in(pending->folder, "guard");
	}
	if (!pending->folder || !pending->change || !pending->guard)
		return qlink_refuse(why, -ENOMEM, "%s", strerror(ENOMEM));
	return 0;
}

static int take_lock(struct pending *pending, const char *path, struct qlink_why *why)
{
	pending->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (pending->lock < 0)
		return qlink_refuse(why, -errno, "%s: %s", path, strerror(errno));
	if (!flock(pending->lock, LOCK_EX | LOCK_NB))
		return 0;
	if (errno != EWOULDBLOCK)
		return qlink_refuse(why, -errno, "%s: %s", path, strerror(errno));
	return qlink_refuse(why, -EBUSY, "another change is being made, or waits: \"qlinkctl confirm\" keeps it, "
			    "\"qlinkctl rollback\" puts back what was before");
}

static int lock_folder(struct pending *pending, struct qlink_why *why)
{
	char *path = path_in(pending->folder, "lock");
	int err = path ? take_lock(pending, path, why) : qlink_refuse(why, -ENOMEM, "%s", strerror(ENOMEM));

	free(path);
	return err;
}

/* What is put back is written with all rights: nobody else may have a say in it. */
static int check_folder(const struct pending *pending, struct qlink_why *why)
{
	struct stat is;

	if (stat(pending->folder, &is))
		return qlink_refuse(why, -errno, "%s: %s", pending->folder, strerror(errno));
	if (!S_ISDIR(is.st_mode))
		return qlink_refuse(why, -ENOTDIR, "%s: must be a folder", pending->folder);
	if ((!is.st_uid || is.st_uid == geteuid()) && !(is.st_mode & (S_IWGRP | S_IWOTH)))
		return 0;
	return qlink_refuse(why, -EPERM, "%s: others may write there, and so say what is put back: only its owner may, root "
			    "or who calls this", pending->folder);
}

int pending_lock(struct pending *pending, struct qlink_why *why)
{
	/* It has copies of files that not everybody may read. */
	if (mkdir(pending->folder, 0700) && errno != EEXIST)
		return qlink_refuse(why, -errno, "%s: %s", pending->folder, strerror(errno));
	return check_folder(pending, why) ?: lock_folder(pending, why);
}

bool pending_has_change(const struct pending *pending)
{
	struct stat is;

	return !stat(pending->change, &is);
}

void pending_note(const struct pending *pending, const char *outcome, const char *why)
{
	json_t *json = json_pack("{s:s, s:s?, s:I}", "outcome", outcome, "why", why, "at", (json_int_t)time(NULL));
	char *path = path_in(pending->folder, "last.json"), *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	struct whole whole = {
		.text = text, .n = text ? strlen(text) : 0, .mode = 0600, .uid = geteuid(), .gid = getegid(), .exists = true,
	};

	if (path && text)
		whole_write(&whole, path);
	free(path);
	free(text);
	json_decref(json);
}

void pending_last(const struct pending *pending, char *text, size_t room)
{
	char *path = path_in(pending->folder, "last.json"), when[40] = "";
	json_t *json = path ? json_load_file(path, 0, NULL) : NULL;
	const char *outcome = json_string_value(json_object_get(json, "outcome"));
	const char *why = json_string_value(json_object_get(json, "why"));
	time_t at = (time_t)json_integer_value(json_object_get(json, "at"));
	struct tm tm;

	*text = '\0';
	if (localtime_r(&at, &tm))
		strftime(when, sizeof(when), "%F %T", &tm);
	if (outcome)
		snprintf(text, room, "; the last one was %s at %s%s%s",
			 strcmp(outcome, "rolled-back") ? outcome : "rolled back", when, why ? ": " : "", why ?: "");
	json_decref(json);
	free(path);
}

void pending_unlock(struct pending *pending)
{
	if (pending->lock >= 0)
		close(pending->lock);
	pending->lock = -1;
}

void pending_close(struct pending *pending)
{
	pending_unlock(pending);
	free(pending->folder);
	free(pending->change);
	free(pending->guard);
	*pending = (struct pending){ .lock = -1 };
}
