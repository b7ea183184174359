// SPDX-License-Identifier: GPL-2.0-or-later
/* A listening socket on the loop: it accepts no more connections than there is room for. */
#include "accept.h"

#include <errno.h>
#include <unistd.h>

static void rest(struct acceptor *acceptor, int err)
{
	static const struct timeval pause = { .tv_usec = ACCEPT_PAUSE_MS * 1000 };

	event_del(acceptor->readable);
	event_add(acceptor->pause, &pause);
	if (acceptor->ops->delayed)
		acceptor->ops->delayed(acceptor->arg, err);
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	acceptor_resume(arg);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	struct acceptor *acceptor = arg;
	int new;

	(void)what;
	if (!acceptor->ops->has_room(acceptor->arg)) {
		event_del(acceptor->readable);
		return;
	}
	new = accept4(fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (new >= 0)
		acceptor->ops->accepted(acceptor->arg, new, &from);
	else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
		rest(acceptor, -errno);
}

int acceptor_open(struct acceptor *acceptor, struct event_base *base, int fd,
		  const struct acceptor_ops *ops, void *arg)
{
	acceptor->ops = ops;
	acceptor->arg = arg;
	acceptor->fd = fd;
	acceptor->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, acceptor);
	acceptor->pause = evtimer_new(base, on_pause_over, acceptor);
	if (!acceptor->readable || !acceptor->pause)
		return -ENOMEM;
	event_add(acceptor->readable, NULL);
	return 0;
}

void acceptor_resume(struct acceptor *acceptor)
{
	event_add(acceptor->readable, NULL);
}

void acceptor_close(struct acceptor *acceptor)
{
	if (acceptor->readable)
		event_free(acceptor->readable);
	if (acceptor->pause)
		event_free(acceptor->pause);
	close(acceptor->fd);
}
