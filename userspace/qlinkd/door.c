// SPDX-License-Identifier: GPL-2.0-or-later
/* Where peers that dial come in. */
#include "door.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "route.h"

#define BACKLOG	64

struct guest {
	struct door *door;
	struct connection *connection;
	char from[ADDRESS_TEXT];
};

struct door {
	struct services *services;
	struct event_base *base;
	struct channel_context *context;
	const char *const *names;
	const struct door_ops *ops;
	void *arg;
	int fd;
	struct event *event;
	struct guest guests[DOOR_GUESTS_MAX];
};

static void send_away(struct guest *guest)
{
	connection_free(guest->connection);
	guest->connection = NULL;
	/* There is room again. */
	event_add(guest->door->event, NULL);
}

static void on_closed(void *arg, struct connection *connection, const char *why)
{
	struct guest *guest = arg;

	(void)connection;
	TELL(guest->door->services, LOG_WARNING, "peer-refused", TEXT("from", guest->from),
	     TEXT("why", why));
	send_away(guest);
}

static void on_opened(void *arg, struct connection *connection)
{
	struct guest *guest = arg;
	struct door *door = guest->door;

	guest->connection = NULL;
	event_add(door->event, NULL);
	door->ops->entered(door->arg, channel_peer(connection_channel(connection)), connection);
}

static const struct connection_ops ops = { .opened = on_opened, .closed = on_closed };

static struct guest *find_room(struct door *door)
{
	size_t i;

	for (i = 0; i < DOOR_GUESTS_MAX; i++) {
		if (!door->guests[i].connection)
			return &door->guests[i];
	}
	return NULL;
}

static void let_in(struct door *door, struct guest *guest, int fd,
		   const struct sockaddr_storage *from)
{
	struct config_endpoint endpoint;
	struct qlink_why why;

	address_from(from, &endpoint);
	address_text(&endpoint, guest->from);
	guest->door = door;
	if (route_check(&endpoint.addr, &why)) {
		TELL(door->services, LOG_WARNING, "peer-refused", TEXT("from", guest->from),
		     TEXT("why", why.text));
		close(fd);
		return;
	}
	if (connection_new(&guest->connection, door->base, door->context, fd, false, door->names,
			   &ops, guest))
		guest->connection = NULL;
}

static void on_knock(evutil_socket_t fd, short what, void *arg)
{
	struct guest *guest = find_room(arg);
	struct door *door = arg;
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	int new;

	(void)what;
	if (!guest) {
		event_del(door->event);
		return;
	}
	new = accept4(fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (new >= 0)
		let_in(door, guest, new, &from);
}

static int listen_at(const struct config_endpoint *at)
{
	struct sockaddr_storage addr;
	socklen_t len = address_of(at, &addr);
	int fd = socket(addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const int on = 1;
	int err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* The address may come later than the agent. */
	setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on));
	if (!bind(fd, (struct sockaddr *)&addr, len) && !listen(fd, BACKLOG))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int door_open(struct door **out, const struct config_endpoint *at, const char *const *names,
	      struct services *services, struct event_base *base,
	      struct channel_context *context, const struct door_ops *door_ops, void *arg,
	      struct qlink_why *why)
{
	struct door *door = calloc(1, sizeof(*door));
	char text[ADDRESS_TEXT];

	if (!door)
		return qlink_refuse(why, -ENOMEM, "no memory");
	door->services = services;
	door->base = base;
	door->context = context;
	door->names = names;
	door->ops = door_ops;
	door->arg = arg;
	door->fd = listen_at(at);
	if (door->fd < 0) {
		qlink_refuse(why, door->fd, "listen %s: %s", address_text(at, text),
			     strerror(-door->fd));
		free(door);
		return -EADDRNOTAVAIL;
	}
	door->event = event_new(base, door->fd, EV_READ | EV_PERSIST, on_knock, door);
	if (!door->event) {
		close(door->fd);
		free(door);
		return qlink_refuse(why, -ENOMEM, "no memory");
	}
	event_add(door->event, NULL);
	*out = door;
	return 0;
}

void door_close(struct door *door)
{
	size_t i;

	if (!door)
		return;
	for (i = 0; i < DOOR_GUESTS_MAX; i++)
		connection_free(door->guests[i].connection);
	event_free(door->event);
	close(door->fd);
	free(door);
}
