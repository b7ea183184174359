// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads and writes at a place of a file, and waits for the disk. */
#include "disk.h"

#include <errno.h>
#include <unistd.h>

int disk_read(int fd, void *data, size_t len, uint64_t at)
{
	uint8_t *to = data;
	ssize_t got;

	while (len) {
		got = pread(fd, to, len, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -ENODATA;
		to += got;
		at += (uint64_t)got;
		len -= (size_t)got;
	}
	return 0;
}

int disk_write(int fd, const void *data, size_t len, uint64_t at)
{
	const uint8_t *from = data;
	ssize_t written;

	while (len) {
		written = pwrite(fd, from, len, (off_t)at);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written ? -errno : -EIO;
		from += written;
		at += (uint64_t)written;
		len -= (size_t)written;
	}
	return 0;
}

int disk_sync(int fd)
{
	return fdatasync(fd) ? -errno : 0;
}
