// SPDX-License-Identifier: GPL-2.0-or-later
/* A whole file, read at once and replaced at once. */
#include "whole.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTES_MAX	(16 << 20)

/* ---- reading ---- */

static int read_bytes(struct whole *whole, int fd)
{
	ssize_t got;

	while (whole->n < BYTES_MAX) {
		got = read(fd, whole->text + whole->n, BYTES_MAX - whole->n);
		if (got < 0 && errno != EINTR)
			return -errno;
		if (!got)
			return 0;
		if (got > 0)
			whole->n += (size_t)got;
	}
	return -EFBIG;
}

static int read_opened(struct whole *whole, int fd)
{
	struct stat is;
	char *text;
	int err;

	if (fstat(fd, &is))
		return -errno;
	if (!S_ISREG(is.st_mode))
		return -EINVAL;
	whole->mode = is.st_mode & 07777;
	whole->uid = is.st_uid;
	whole->gid = is.st_gid;
	whole->exists = true;
	whole->text = malloc(BYTES_MAX + 1);
	err = whole->text ? read_bytes(whole, fd) : -ENOMEM;
	if (err)
		return err;
	text = realloc(whole->text, whole->n + 1);
	whole->text = text ?: whole->text;
	whole->text[whole->n] = '\0';
	return 0;
}

int whole_read(struct whole *whole, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), err;

	*whole = (struct whole){ 0 };
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	err = read_opened(whole, fd);
	close(fd);
	if (err)
		whole_free(whole);
	return err;
}

void whole_free(struct whole *whole)
{
	free(whole->text);
	*whole = (struct whole){ 0 };
}

char *whole_path(const char *path)
{
	char here[4096], *whole;

	if (*path == '/')
		return strdup(path);
	if (!getcwd(here, sizeof(here)) || asprintf(&whole, "%s/%s", here, path) < 0)
		return NULL;
	return whole;
}

/* ---- writing ---- */

int whole_sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash && slash > path ? strndup(path, (size_t)(slash - path)) : strdup(slash ? "/" : ".");
	int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int err = fd < 0 || fsync(fd) ? -errno : 0;

	if (fd >= 0)
		close(fd);
	free(folder);
	return err;
}

static int write_bytes(const struct whole *whole, int fd)
{
	size_t done = 0;
	ssize_t put;

	while (done < whole->n) {
		put = write(fd, whole->text + done, whole->n - done);
		if (put < 0 && errno != EINTR)
			return -errno;
		if (put > 0)
			done += (size_t)put;
	}
	return 0;
}

/* Nobody may read it before it has its owner and permissions. */
static int write_beside(const struct whole *whole, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600), err;

	if (fd < 0)
		return -errno;
	err = write_bytes(whole, fd);
	if (!err && (fchown(fd, whole->uid, whole->gid) || fchmod(fd, whole->mode) || fsync(fd)))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	return err;
}

static int replace(const struct whole *whole, const char *path, const char *beside)
{
	int err = write_beside(whole, beside);

	if (!err && rename(beside, path))
		err = -errno;
	return err;
}

int whole_write(const struct whole *whole, const char *path)
{
	char *beside;
	int err = 0;

	if (asprintf(&beside, "%s.apply-new", path) < 0)
		return -ENOMEM;
	if (whole->exists)
		err = replace(whole, path, beside);
	else if (unlink(path) && errno != ENOENT)
		err = -errno;
	/* It may also be of one that was ended before. */
	unlink(beside);
	free(beside);
	if (!err)
		err = whole_sync_folder(path);
	/* Nothing is in a folder that is not there. */
	return err == -ENOENT && !whole->exists ? 0 : err;
}
