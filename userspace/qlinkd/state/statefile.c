// SPDX-License-Identifier: GPL-2.0-or-later
/* The state file on the disk: slots are read whole at the start, and written one by one. */
#include "statefile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- where it may be --- */

/* The folder that a path is in; paths of the configuration begin with a slash. */
static int open_folder(const char *path)
{
	char folder[PATH_MAX];
	size_t len = (size_t)(strrchr(path, '/') - path);
	int fd;

	if (len >= sizeof(folder))
		return -ENAMETOOLONG;
	memcpy(folder, path, len);
	strcpy(folder + len, len ? "" : "/");
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int check_folder(const char *path, struct qlink_why *why)
{
	int fd = open_folder(path), err = fd < 0 ? fd : 0;

	if (!err && faccessat(fd, ".", W_OK | X_OK, AT_EACCESS))
		err = -errno;
	if (fd >= 0)
		close(fd);
	switch (err) {
	case -ENOENT:
		return qlink_refuse(why, err, "%s: its folder does not exist", path);
	case -EACCES:
	case -EROFS:
		return qlink_refuse(why, err, "%s: user %u may make no file in its folder", path,
				    (unsigned int)geteuid());
	case -ENOTDIR:
	case -ELOOP:
	case -ENAMETOOLONG:
		return qlink_refuse(why, err, "%s: %s", path, strerror(-err));
	default:
		return 0;
	}
}

int statefile_check(const char *path, struct qlink_why *why)
{
	struct stat stat_;

	if (stat(path, &stat_))
		return check_folder(path, why);
	if (!S_ISREG(stat_.st_mode))
		return qlink_refuse(why, -EINVAL, "%s: is no regular file", path);
	if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) && errno == EACCES)
		return qlink_refuse(why, -EACCES, "%s: user %u may not read and write it", path,
				    (unsigned int)geteuid());
	return 0;
}

/* --- reading --- */

static int read_slots(int fd, uint8_t **data, size_t *n)
{
	struct stat stat;
	size_t bytes, at = 0;
	ssize_t got = 1;

	if (fstat(fd, &stat))
		return -errno;
	if (!S_ISREG(stat.st_mode))
		return -EINVAL;
	*n = ((size_t)stat.st_size + SLOT_BYTES - 1) / SLOT_BYTES;
	if (*n > STATEFILE_SLOTS_MAX)
		*n = STATEFILE_SLOTS_MAX;
	bytes = *n * SLOT_BYTES;
	*data = calloc(*n + 1, SLOT_BYTES);
	if (!*data)
		return -ENOMEM;
	while (at < bytes && got > 0) {
		got = read(fd, *data + at, bytes - at);
		if (got > 0)
			at += (size_t)got;
	}
	return got < 0 ? -errno : 0;
}

int statefile_read(const char *path, uint8_t **data, size_t *n)
{
	/* A pipe of this name must not hold the agent up. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;

	*data = NULL;
	*n = 0;
	if (fd < 0)
		return -errno;
	err = read_slots(fd, data, n);
	close(fd);
	if (err) {
		free(*data);
		*data = NULL;
		*n = 0;
	}
	return err;
}

/* --- writing --- */

static bool is_gone(const struct statefile *file)
{
	struct stat stat;

	return !fstat(file->fd, &stat) && !stat.st_nlink;
}

/* The entry in its folder must be on the disk too. */
static int sync_folder(const char *path)
{
	int fd = open_folder(path), err;

	if (fd < 0)
		return fd;
	err = fsync(fd) ? -errno : 0;
	close(fd);
	return err;
}

/* Returns 1 if the file is empty. */
static int take(struct statefile *file)
{
	struct stat stat;

	if (flock(file->fd, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (file->begins_anew && ftruncate(file->fd, 0))
		return -errno;
	file->begins_anew = false;
	if (fstat(file->fd, &stat))
		return -errno;
	if (stat.st_size)
		return 0;
	return sync_folder(file->path) ?: 1;
}

int statefile_open(struct statefile *file)
{
	int err;

	if (file->fd >= 0 && !is_gone(file))
		return 0;
	file->begins_anew |= file->fd >= 0;
	statefile_close(file);
	file->fd = open(file->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
	if (file->fd < 0)
		return -errno;
	err = take(file);
	if (err < 0)
		statefile_close(file);
	return err;
}

int statefile_write(const struct statefile *file, uint32_t number, const uint8_t *data)
{
	ssize_t n = pwrite(file->fd, data, SLOT_BYTES, (off_t)number * SLOT_BYTES);

	/* What is written less is what a full disk takes. */
	return n < 0 ? -errno : n < SLOT_BYTES ? -ENOSPC : 0;
}

int statefile_sync(const struct statefile *file)
{
	return fdatasync(file->fd) ? -errno : 0;
}

void statefile_close(struct statefile *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}
