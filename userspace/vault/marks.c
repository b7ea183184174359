// SPDX-License-Identifier: GPL-2.0-or-later
/* The index of a vault: which keys this end has spent, in a file beside it. */
#include "marks.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"

#define MAGIC		"QLKINDEX"
#define VERSION		1

/* Offsets in its header; all else in it is zero. */
enum {
	AT_MAGIC = 0,
	AT_VERSION = 11,
	AT_SIDE = 15,
	AT_VAULT = 16,
};

static size_t n_bytes(const struct vault_marks *marks)
{
	return (size_t)(marks->n + 7) / 8;
}

static int refuse(const struct vault_marks *marks, const char *rule, struct qlink_why *why)
{
	return qlink_refuse(why, -EINVAL, "index %.200s: %s", marks->path, rule);
}

static int refuse_errno(const struct vault_marks *marks, const char *what, int err, struct qlink_why *why)
{
	return qlink_refuse(why, err, "index %.200s: cannot be %s: %s", marks->path, what, strerror(-err));
}

static void write_head(uint8_t *head, const uint8_t *vault_head, enum vault_side side)
{
	memset(head, 0, VAULT_HEAD_BYTES);
	memcpy(head + AT_MAGIC, MAGIC, sizeof(MAGIC) - 1);
	head[AT_VERSION] = VERSION;
	head[AT_SIDE] = (uint8_t)vault_side_letter(side);
	memcpy(head + AT_VAULT, vault_head + VAULT_HEAD_BYTES - VAULT_MAC_BYTES, VAULT_MAC_BYTES);
}

static int check_head(struct vault_marks *marks, const uint8_t *head, const uint8_t *vault_head,
		      const struct vault_seal *seal, struct qlink_why *why)
{
	char side[2] = { (char)head[AT_SIDE], '\0' };

	if (memcmp(head + AT_MAGIC, MAGIC, sizeof(MAGIC) - 1) || head[AT_VERSION] != VERSION ||
	    !vault_side_parse(side, &marks->side))
		return refuse(marks, "is damaged, or no index; \"qlink-vault mend\" makes a new one", why);
	if (memcmp(head + AT_VAULT, vault_head + VAULT_HEAD_BYTES - VAULT_MAC_BYTES, VAULT_MAC_BYTES))
		return qlink_refuse(why, -EXDEV, "index %.200s: is of another vault; if that is gone, remove the index",
				    marks->path);
	if (!vault_seal_is_head(seal, head))
		return refuse(marks, "is damaged; \"qlink-vault mend\" makes a new one", why);
	return 0;
}

static int allocate(struct vault_marks *marks, const char *vault, const struct vault_layout *layout,
		    struct qlink_why *why)
{
	memset(marks, 0, sizeof(*marks));
	marks->fd = -1;
	marks->n = layout->n_keys;
	marks->bits = calloc(n_bytes(marks), 1);
	if (!marks->bits || asprintf(&marks->path, "%s.index", vault) < 0) {
		marks->path = NULL;
		return qlink_refuse(why, -ENOMEM, "no memory");
	}
	return 0;
}

int vault_marks_open(struct vault_marks *marks, const char *vault, const uint8_t *vault_head,
		     const struct vault_layout *layout, const struct vault_seal *seal, struct qlink_why *why)
{
	uint8_t head[VAULT_HEAD_BYTES];
	int err = allocate(marks, vault, layout, why);

	if (err)
		return err;
	marks->fd = open(marks->path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (marks->fd < 0)
		return refuse_errno(marks, "opened", -errno, why);
	err = disk_read(marks->fd, head, sizeof(head), 0);
	if (!err)
		err = check_head(marks, head, vault_head, seal, why);
	else if (err == -ENODATA)
		err = refuse(marks, "is cut off; \"qlink-vault mend\" makes a new one", why);
	else
		err = refuse_errno(marks, "read", err, why);
	if (err)
		return err;
	err = disk_read(marks->fd, marks->bits, n_bytes(marks), VAULT_HEAD_BYTES);
	if (err == -ENODATA)
		return refuse(marks, "is cut off; \"qlink-vault mend\" makes a new one", why);
	return err ? refuse_errno(marks, "read", err, why) : 0;
}

/* The name is on the disk too. */
static int sync_folder(const char *path)
{
	char *copy = strdup(path);
	int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int err = fd < 0 || fsync(fd) ? -errno : 0;

	if (fd >= 0)
		close(fd);
	free(copy);
	return err;
}

/* It belongs to whom the vault belongs to, also if root makes it. */
static int write_file(struct vault_marks *marks, const char *path, const uint8_t *head, int vault_fd)
{
	struct stat stat;
	int err;

	marks->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (marks->fd < 0)
		return -errno;
	if (!fstat(vault_fd, &stat) && stat.st_uid != geteuid() && fchown(marks->fd, stat.st_uid, stat.st_gid))
		return -errno;
	err = disk_write(marks->fd, head, VAULT_HEAD_BYTES, 0) ?:
	      disk_write(marks->fd, marks->bits, n_bytes(marks), VAULT_HEAD_BYTES) ?: disk_sync(marks->fd);
	if (!err && rename(path, marks->path))
		err = -errno;
	if (err)
		unlink(path);
	return err ?: sync_folder(path);
}

int vault_marks_create(struct vault_marks *marks, int vault_fd, const uint8_t *vault_head,
		       const struct vault_seal *seal, enum vault_side side, struct qlink_why *why)
{
	uint8_t head[VAULT_HEAD_BYTES];
	char *path;
	int err;

	if (marks->fd >= 0)
		close(marks->fd);
	marks->fd = -1;
	marks->side = side;
	write_head(head, vault_head, side);
	if (vault_seal_head(seal, head))
		return refuse(marks, "OpenSSL fails", why);
	if (asprintf(&path, "%s.new", marks->path) < 0)
		return qlink_refuse(why, -ENOMEM, "no memory");
	err = write_file(marks, path, head, vault_fd);
	free(path);
	return err ? refuse_errno(marks, "made", err, why) : 0;
}

void vault_marks_close(struct vault_marks *marks)
{
	if (marks->fd >= 0)
		close(marks->fd);
	free(marks->bits);
	free(marks->path);
	memset(marks, 0, sizeof(*marks));
	marks->fd = -1;
}

bool vault_marks_has(const struct vault_marks *marks, uint64_t number)
{
	return marks->bits[number / 8] & 1 << number % 8;
}

int vault_marks_set(struct vault_marks *marks, uint64_t number)
{
	marks->bits[number / 8] |= (uint8_t)(1 << number % 8);
	return disk_write(marks->fd, &marks->bits[number / 8], 1, VAULT_HEAD_BYTES + number / 8);
}
