// SPDX-License-Identifier: GPL-2.0-or-later
/* Listening TCP sockets at an endpoint. */
#include "tcpsock.h"

#include <errno.h>
#include <unistd.h>

#include "address.h"

int tcpsock_listen(const struct config_endpoint *at, int backlog)
{
	struct sockaddr_storage addr;
	socklen_t len = address_of(at, &addr);
	int fd = socket(addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const int on = 1;
	int err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* The address may be configured later than the agent starts. */
	setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on));
	if (!bind(fd, (struct sockaddr *)&addr, len) && !listen(fd, backlog))
		return fd;
	err = -errno;
	close(fd);
	return err;
}
