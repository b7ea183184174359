// SPDX-License-Identifier: GPL-2.0-or-later
/* Makes a vault file. */
#include "make.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/secret.h"
#include "disk.h"

static int refuse_errno(const char *path, int err, struct qlink_why *why)
{
	if (err == -EEXIST)
		return qlink_refuse(why, err, "vault %.200s: exists; a vault is never overwritten", path);
	return qlink_refuse(why, err, "vault %.200s: cannot be made: %s", path, strerror(-err));
}

/* An index of an older vault of this name would say that these keys are spent, or refuse the vault. */
static int check_names(const char *path, struct qlink_why *why)
{
	char *index;
	int err = 0;

	if (!access(path, F_OK))
		return refuse_errno(path, -EEXIST, why);
	if (asprintf(&index, "%s.index", path) < 0)
		return qlink_refuse(why, -ENOMEM, "no memory");
	if (!access(index, F_OK))
		err = qlink_refuse(why, -EEXIST, "index %.200s: is there already; remove it if its vault is gone", index);
	free(index);
	return err;
}

static int write_records(int fd, const struct vault_layout *layout, struct vault_seal *seal, const uint8_t *head,
			 int (*next)(void *arg, uint64_t number, uint8_t *key, struct qlink_why *why), void *arg,
			 struct qlink_why *why)
{
	uint8_t record[VAULT_RECORD_BYTES_MAX];
	struct qlink_secret key;
	uint64_t i;
	int err = qlink_secret_new(&key, VAULT_KEY_BYTES_MAX);

	if (err)
		return qlink_refuse(why, err, "no locked memory");
	for (i = 0; i < layout->n_keys && !err; i++) {
		err = next(arg, i, key.data, why);
		if (err)
			break;
		err = vault_seal_record(seal, head, i, key.data, record) ?:
		      disk_write(fd, record, vault_record_bytes(layout), vault_record_at(layout, i));
		if (err)
			qlink_refuse(why, err, "record %llu: cannot be written: %s", (unsigned long long)i,
				     strerror(-err));
	}
	qlink_secret_free(&key);
	return err;
}

/* link() takes no name that exists. */
static int give_name(int fd, const char *temporary, const char *path)
{
	char *copy = strdup(path);
	int folder = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int err = folder < 0 || fsync(fd) || link(temporary, path) || unlink(temporary) || fsync(folder) ? -errno : 0;

	if (folder >= 0)
		close(folder);
	free(copy);
	return err;
}

int vault_make(const char *path, struct vault_layout *layout, const char *key_path,
	       int (*next)(void *arg, uint64_t number, uint8_t *key, struct qlink_why *why), void *arg,
	       struct qlink_why *why)
{
	struct vault_seal *seal = NULL;
	uint8_t head[VAULT_HEAD_BYTES];
	char *temporary = NULL;
	int fd = -1, err = vault_layout_check(layout, why) ?: check_names(path, why);

	if (err)
		return err;
	if (getrandom(layout->salt, sizeof(layout->salt), 0) != sizeof(layout->salt))
		return qlink_refuse(why, -EIO, "no random numbers");
	err = vault_seal_new(&seal, key_path, layout, why);
	if (err)
		return err;
	vault_layout_write(layout, head);
	if (vault_seal_head(seal, head) || asprintf(&temporary, "%s.XXXXXX", path) < 0) {
		vault_seal_free(seal);
		return qlink_refuse(why, -ENOMEM, "no memory, or OpenSSL fails");
	}
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		err = refuse_errno(path, -errno, why);
	if (!err)
		err = write_records(fd, layout, seal, head, next, arg, why);
	if (!err) {
		err = disk_write(fd, head, sizeof(head), 0) ?: give_name(fd, temporary, path);
		if (err)
			refuse_errno(path, err, why);
	}
	if (fd >= 0) {
		unlink(temporary);
		close(fd);
	}
	vault_seal_free(seal);
	free(temporary);
	return err;
}
