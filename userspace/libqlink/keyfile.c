// SPDX-License-Identifier: GPL-2.0-or-later
/* The file that the bytes of one key come from. */
#include "keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "key.h"

/* Read @len bytes, or fewer at the end of the file. Returns how many, or -errno. */
static ssize_t read_fully(int fd, uint8_t *data, size_t len)
{
	size_t have = 0;
	ssize_t n;

	while (have < len) {
		n = read(fd, data + have, len - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

/* Count the bytes that follow the key in the file. Only regular files have a size. */
static int refuse_length(const struct stat *st, size_t have, bool has_more,
			 struct qlink_why *why)
{
	char count[32];

	if (S_ISREG(st->st_mode))
		snprintf(count, sizeof(count), "%lld", (long long)st->st_size);
	else
		snprintf(count, sizeof(count), "%s%zu",
			 has_more ? "more than " : "", have);
	snprintf(why->text, sizeof(why->text),
		 "has %s bytes, want %d: %d of key, then %d of salt", count,
		 QLINK_SECRET_BYTES, QLINK_KEY_BYTES, QLINK_SALT_BYTES);
	return -EINVAL;
}

static int refuse_errno(int err, struct qlink_why *why)
{
	snprintf(why->text, sizeof(why->text), "%s", strerror(-err));
	return err;
}

static int keyfile_read_fd(int fd, uint8_t *secret, struct qlink_keyfile *file,
			   struct qlink_why *why)
{
	uint8_t beyond = 0;
	ssize_t have, more;
	struct stat st;

	if (fstat(fd, &st))
		return refuse_errno(-errno, why);
	file->mode = st.st_mode & 07777;
	file->is_exposed = S_ISREG(st.st_mode) &&
			   st.st_mode & (S_IRGRP | S_IROTH);
	have = read_fully(fd, secret, QLINK_SECRET_BYTES);
	if (have < 0)
		return refuse_errno((int)have, why);
	more = read_fully(fd, &beyond, 1);
	explicit_bzero(&beyond, sizeof(beyond));
	if (more < 0)
		return refuse_errno((int)more, why);
	if (have != QLINK_SECRET_BYTES || more)
		return refuse_length(&st, (size_t)have, more, why);
	return 0;
}

int qlink_keyfile_read(const char *path, uint8_t *secret,
		       struct qlink_keyfile *file, struct qlink_why *why)
{
	bool is_stdin = !strcmp(path, "-");
	int fd = STDIN_FILENO;
	int err;

	if (!is_stdin) {
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			return refuse_errno(-errno, why);
	}
	err = keyfile_read_fd(fd, secret, file, why);
	if (err)
		explicit_bzero(secret, QLINK_SECRET_BYTES);
	if (!is_stdin)
		close(fd);
	return err;
}
