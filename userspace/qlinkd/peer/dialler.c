// SPDX-License-Identifier: GPL-2.0-or-later
/* Connects to a peer by TCP, again and again with growing pauses. */
#include "dialler.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "route.h"

static void start_timer(struct dialler *dialler, uint32_t ms)
{
	const struct timeval pause = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	event_add(dialler->timer, &pause);
}

static void end_attempt(struct dialler *dialler)
{
	if (dialler->attempt)
		event_free(dialler->attempt);
	dialler->attempt = NULL;
	if (dialler->fd >= 0)
		close(dialler->fd);
	dialler->fd = -1;
}

static void fail(struct dialler *dialler, const char *why)
{
	end_attempt(dialler);
	dialler->ops->dialled(dialler->arg, -1, why);
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
	struct dialler *dialler = arg;

	(void)fd;
	(void)what;
	dialler->ops->due(dialler->arg);
}

static void on_attempt(evutil_socket_t fd, short what, void *arg)
{
	struct dialler *dialler = arg;
	socklen_t len = sizeof(int);
	int err = 0;

	if (what & EV_TIMEOUT)
		err = ETIMEDOUT;
	else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
		err = errno;
	if (err) {
		fail(dialler, strerror(err));
		return;
	}
	dialler->fd = -1;
	end_attempt(dialler);
	dialler->ops->dialled(dialler->arg, fd, NULL);
}

int dialler_init(struct dialler *dialler, struct event_base *base, const struct dialler_ops *ops, void *arg)
{
	*dialler = (struct dialler){
		.base = base, .ops = ops, .arg = arg, .fd = -1, .pause_ms = DIALLER_MIN_MS,
		.timer = evtimer_new(base, on_due, dialler),
	};
	return dialler->timer ? 0 : -ENOMEM;
}

void dialler_clear(struct dialler *dialler)
{
	/* Of zeros, if it was never set up. */
	if (!dialler->base)
		return;
	end_attempt(dialler);
	if (dialler->timer)
		event_free(dialler->timer);
	dialler->timer = NULL;
}

bool dialler_is_busy(const struct dialler *dialler)
{
	return dialler->fd >= 0;
}

void dialler_wait(struct dialler *dialler)
{
	if (event_pending(dialler->timer, EV_TIMEOUT, NULL))
		return;
	start_timer(dialler, dialler->pause_ms);
	dialler->pause_ms = dialler->pause_ms * 2 < DIALLER_MAX_MS ? dialler->pause_ms * 2 :
								     DIALLER_MAX_MS;
}

void dialler_hurry(struct dialler *dialler)
{
	start_timer(dialler, 0);
}

void dialler_forget(struct dialler *dialler)
{
	dialler->pause_ms = DIALLER_MIN_MS;
}

void dialler_dial(struct dialler *dialler, const struct config_endpoint *to)
{
	const struct timeval limit = { .tv_sec = DIALLER_CONNECT_MS / 1000 };
	struct sockaddr_storage addr;
	socklen_t len = address_of(to, &addr);
	struct qlink_why why;

	if (dialler_is_busy(dialler))
		return;
	if (route_check(&to->addr, &why)) {
		fail(dialler, why.text);
		return;
	}
	dialler->fd = socket(addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (dialler->fd < 0 ||
	    (connect(dialler->fd, (struct sockaddr *)&addr, len) && errno != EINPROGRESS)) {
		fail(dialler, strerror(errno));
		return;
	}
	dialler->attempt = event_new(dialler->base, dialler->fd, EV_WRITE, on_attempt, dialler);
	if (!dialler->attempt)
		fail(dialler, "no memory");
	else
		event_add(dialler->attempt, &limit);
}
