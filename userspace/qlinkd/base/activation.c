// SPDX-License-Identifier: GPL-2.0-or-later
/* Sockets that the service manager has opened: sd_listen_fds(3), without its library. */
#include "activation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/number.h"

/* The first descriptor that is passed, see sd_listen_fds(3). */
#define FIRST_FD	3

/* How many descriptors are passed to this process; 0 if another one was meant. */
static int read_number(uint64_t *n, struct qlink_why *why)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	struct qlink_why rule;
	uint64_t id;

	*n = 0;
	if (!pid || !fds)
		return 0;
	if (qlink_parse_number(pid, 1, INT32_MAX, &id, &rule) || id != (uint64_t)getpid())
		return 0;
	if (qlink_parse_number(fds, 0, ACTIVATION_MAX, n, &rule))
		return qlink_refuse(why, -EINVAL, "LISTEN_FDS is %s", rule.text);
	return 0;
}

static int get_option(int fd, int option)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) ? -1 : value;
}

static int check_socket(int fd, struct qlink_why *why)
{
	if (get_option(fd, SO_TYPE) != SOCK_STREAM || get_option(fd, SO_ACCEPTCONN) != 1)
		return qlink_refuse(why, -EINVAL, "socket %d of the service manager: is not a stream "
				    "socket that listens (ListenStream=, Accept=no)", fd);
	/* The agent's loop does not wait, and no other program inherits the socket. */
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) || fcntl(fd, F_SETFL, O_NONBLOCK))
		return qlink_refuse(why, -EINVAL, "socket %d of the service manager: %s", fd,
				    strerror(errno));
	return 0;
}

/* Each name ends with a colon or the text. */
static bool is_named(const char **names, const char *name)
{
	size_t len = strcspn(*names, ":");
	bool is_same = len == strlen(name) && !strncmp(*names, name, len);

	*names += len + ((*names)[len] == ':');
	return is_same;
}

static int check_all(const struct activation *activation, const char *names, const char *name,
		     struct qlink_why *why)
{
	size_t i;

	for (i = 0; i < activation->n; i++) {
		const char *before = names;

		if (!is_named(&names, name))
			return qlink_refuse(why, -EINVAL, "socket %.*s of the service manager: must have "
					    "FileDescriptorName=%s", (int)strcspn(before, ":"), before, name);
		if (check_socket(activation->fds[i], why))
			return -EINVAL;
	}
	return 0;
}

int activation_open(struct activation *activation, const char *name, struct qlink_why *why)
{
	const char *names = getenv("LISTEN_FDNAMES");
	uint64_t n;
	int err;

	activation->n = 0;
	err = read_number(&n, why);
	for (; activation->n < n; activation->n++)
		activation->fds[activation->n] = FIRST_FD + (int)activation->n;
	if (!err)
		err = check_all(activation, names ?: "", name, why);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return err;
}

int activation_take(struct activation *activation)
{
	size_t i;
	int fd;

	for (i = 0; i < activation->n; i++) {
		fd = activation->fds[i];
		activation->fds[i] = -1;
		if (fd >= 0)
			return fd;
	}
	return -1;
}

void activation_close(struct activation *activation)
{
	int fd;

	while ((fd = activation_take(activation)) >= 0)
		close(fd);
	activation->n = 0;
}
