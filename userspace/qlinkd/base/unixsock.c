// SPDX-License-Identifier: GPL-2.0-or-later
/* Listening Unix sockets at a path. */
#include "unixsock.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG	16

/* A process that died left the socket file: connect() is refused because nobody listens. */
static bool is_stale(const struct sockaddr_un *at)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is_refused;

	if (fd < 0)
		return false;
	is_refused = connect(fd, (const struct sockaddr *)at, sizeof(*at)) && errno == ECONNREFUSED;
	close(fd);
	return is_refused;
}

static int listen_at(int fd, const struct sockaddr_un *at, unsigned int mode)
{
	mode_t mask = umask(0777 & ~mode);
	int err = 0;

	if (bind(fd, (const struct sockaddr *)at, sizeof(*at)) || listen(fd, BACKLOG))
		err = -errno;
	umask(mask);
	return err;
}

int unixsock_listen(const char *path, unsigned int mode, struct qlink_why *why)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(at.sun_path))
		return qlink_refuse(why, -ENAMETOOLONG, "%.60s…: longer than %zu", path,
				    sizeof(at.sun_path) - 1);
	strcpy(at.sun_path, path);
	if (is_stale(&at))
		unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	err = fd < 0 ? -errno : listen_at(fd, &at, mode);
	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return qlink_refuse(why, err, "%s: %s", path, strerror(-err));
}
