// SPDX-License-Identifier: GPL-2.0-or-later
/* The folder of an audit log: its files, by number. */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool audit_disk_fails(int err)
{
	static const int errors[] = { ENOSPC, EDQUOT, EIO, EROFS, ESTALE, EUCLEAN, EBADMSG };
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (err == -errors[i])
			return true;
	}
	return false;
}

/* Whether this process may make files in the folder @path. */
static int check_rights(const char *path)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;

	if (folder < 0)
		return -errno;
	if (faccessat(folder, ".", W_OK | X_OK, AT_EACCESS))
		err = -errno;
	close(folder);
	return err;
}

/* Cuts the last name off @path; returns whether a folder is left. */
static bool go_up(char *path)
{
	char *slash;

	while ((slash = strrchr(path, '/')) && slash > path && !slash[1])
		*slash = '\0';
	if (!slash || !slash[1])
		return false;
	slash[slash == path] = '\0';
	return true;
}

/* The rights to the folder in which missing folders would be made. */
static int check_above(const char *path)
{
	char above[PATH_MAX];
	int err = -ENOENT;

	if (strlen(path) >= sizeof(above))
		return -ENAMETOOLONG;
	strcpy(above, path);
	while (err == -ENOENT && go_up(above))
		err = check_rights(above);
	return err;
}

int audit_folder_check(const char *path, struct qlink_why *why)
{
	int err = check_rights(path);

	if (err == -ENOENT) {
		err = check_above(path);
		/* A file system that is read-only on purpose; one that became so has the folder. */
		if (err && (err == -EROFS || !audit_disk_fails(err)))
			return qlink_refuse(why, err, "%s: cannot be made: %s", path, strerror(-err));
	}
	if (!err || audit_disk_fails(err))
		return 0;
	return qlink_refuse(why, err, "%s: %s", path, err == -ENOTDIR ?
			    "is no folder, in which the files of the log would be" : strerror(-err));
}

int audit_folder_make(const char *path)
{
	char above[PATH_MAX];
	int err;

	if (!mkdir(path, 0700) || errno == EEXIST)
		return 0;
	if (errno != ENOENT || strlen(path) >= sizeof(above))
		return -errno;
	strcpy(above, path);
	err = go_up(above) ? audit_folder_make(above) : -ENOENT;
	return err ?: mkdir(path, 0700) ? -errno : 0;
}

const char *audit_file_name(uint64_t file, char name[AUDIT_FILE_NAME])
{
	snprintf(name, AUDIT_FILE_NAME, "audit-%010" PRIu64 ".jsonl", file);
	return name;
}

/* The number of a file that is named as audit_file_name() would; 0 for another file. */
static uint64_t number_of(const char *text)
{
	char name[AUDIT_FILE_NAME];
	uint64_t file;

	if (sscanf(text, "audit-%" SCNu64, &file) != 1 || strcmp(audit_file_name(file, name), text))
		return 0;
	return file;
}

static int compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static int add(uint64_t **files, size_t *n, uint64_t file)
{
	uint64_t *more;

	/* Room for a power of two. */
	if (!(*n & (*n - 1))) {
		more = realloc(*files, (*n ? 2 * *n : 1) * sizeof(*more));
		if (!more)
			return -ENOMEM;
		*files = more;
	}
	(*files)[(*n)++] = file;
	return 0;
}

int audit_folder_list(int folder, uint64_t **files, size_t *n)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;

	*files = NULL;
	*n = 0;
	if (!dir) {
		err = -errno;
		if (copy >= 0)
			close(copy);
		return err;
	}
	while (!err && (entry = readdir(dir))) {
		if (number_of(entry->d_name))
			err = add(files, n, number_of(entry->d_name));
	}
	closedir(dir);
	if (*n)
		qsort(*files, *n, sizeof(**files), compare);
	return err;
}

int audit_folder_read(int folder, uint64_t file, uint64_t *size)
{
	char name[AUDIT_FILE_NAME];
	struct stat status;
	int fd, err;

	/* A pipe of this name must not hold the agent up. */
	fd = openat(folder, audit_file_name(file, name),
		    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	err = fstat(fd, &status) ? -errno : S_ISREG(status.st_mode) ? 0 : -EINVAL;
	if (err) {
		close(fd);
		return err;
	}
	*size = (uint64_t)status.st_size;
	return fd;
}
