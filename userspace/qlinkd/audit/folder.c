// SPDX-License-Identifier: GPL-2.0-or-later
/* The folder of an audit log: its files, by number. */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
