// SPDX-License-Identifier: GPL-2.0-or-later
/* The processes that have connected to a socket: how many, how long, one answer at a time. */
#include "clients.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>

#include "unixsock.h"

static void release(struct client *client)
{
	bufferevent_free(client->io);
	client->io = NULL;
	if (client->end)
		event_free(client->end);
	client->end = NULL;
}

static void disconnect(struct client *client)
{
	release(client);
	/* There is room for another client. */
	acceptor_resume(&client->clients->acceptor);
}

/*
 * One answer at a time: the next request waits until the client has read the answer to the one
 * before, and meanwhile nothing is read, so that a client that sends many requests and reads no
 * answer can fill neither buffer. A high watermark would not do: libevent calls on_read() again and
 * again while the buffer is full.
 */
static void serve(struct client *client)
{
	const struct clients_kind *kind = client->clients->kind;
	struct bufferevent *io = client->io;

	if (evbuffer_get_length(bufferevent_get_output(io)))
		return;
	if (client->is_last) {
		disconnect(client);
		return;
	}
	switch (kind->serve(client->clients->arg, io)) {
	case CLIENTS_WAIT:
		if (evbuffer_get_length(bufferevent_get_input(io)) > kind->request_bytes)
			disconnect(client);
		else
			bufferevent_enable(io, EV_READ);
		break;
	case CLIENTS_END:
		client->is_last = true;
		bufferevent_disable(io, EV_READ);
		break;
	case CLIENTS_GO_ON:
		bufferevent_disable(io, EV_READ);
		break;
	}
}

static void on_read(struct bufferevent *io, void *arg)
{
	(void)io;
	serve(arg);
}

/* The whole answer was written. */
static void on_written(struct bufferevent *io, void *arg)
{
	(void)io;
	serve(arg);
}

static void on_end(struct bufferevent *io, short what, void *arg)
{
	(void)io;
	(void)what;
	disconnect(arg);
}

static void on_time_up(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	disconnect(arg);
}

/* Without the limit, one byte each CLIENTS_IDLE_S would keep a place for ever. */
static int limit_stay(struct client *client)
{
	const struct clients *clients = client->clients;
	const struct timeval most = { .tv_sec = clients->kind->most_s };

	client->end = NULL;
	if (!most.tv_sec)
		return 0;
	client->end = evtimer_new(clients->base, on_time_up, client);
	return client->end ? event_add(client->end, &most) : -ENOMEM;
}

static struct client *find_room(struct clients *clients)
{
	size_t i;

	for (i = 0; i < clients->kind->most; i++) {
		if (!clients->list[i].io)
			return &clients->list[i];
	}
	return NULL;
}

static bool has_room(void *arg)
{
	return find_room(arg);
}

static void on_accepted(void *arg, int fd, const struct sockaddr_storage *from)
{
	static const struct timeval idle = { .tv_sec = CLIENTS_IDLE_S };
	struct clients *clients = arg;
	struct client *client = find_room(clients);

	(void)from;
	client->clients = clients;
	client->is_last = false;
	client->io = bufferevent_socket_new(clients->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!client->io) {
		close(fd);
		return;
	}
	if (limit_stay(client)) {
		release(client);
		return;
	}
	bufferevent_setcb(client->io, on_read, on_written, on_end, client);
	bufferevent_set_timeouts(client->io, &idle, &idle);
	bufferevent_enable(client->io, EV_READ | EV_WRITE);
}

int clients_adopt(struct clients **out, struct event_base *base, int fd,
		  const struct clients_kind *kind, void *arg, struct qlink_why *why)
{
	static const struct acceptor_ops ops = { .has_room = has_room, .accepted = on_accepted };
	struct clients *clients = calloc(1, sizeof(*clients));

	*out = NULL;
	if (!clients) {
		close(fd);
		return qlink_refuse(why, -ENOMEM, "no memory");
	}
	clients->kind = kind;
	clients->arg = arg;
	clients->base = base;
	clients->list = calloc(kind->most, sizeof(*clients->list));
	if (acceptor_open(&clients->acceptor, base, fd, &ops, clients) || !clients->list) {
		clients_close(clients);
		return qlink_refuse(why, -ENOMEM, "no memory");
	}
	*out = clients;
	return 0;
}

int clients_open(struct clients **out, struct event_base *base, const char *path,
		 const struct clients_kind *kind, void *arg, struct qlink_why *why)
{
	int fd = unixsock_listen(path, 0660, why), err;

	*out = NULL;
	if (fd < 0)
		return fd;
	err = clients_adopt(out, base, fd, kind, arg, why);
	if (err) {
		unlink(path);
		return err;
	}
	(*out)->path = strdup(path);
	if ((*out)->path)
		return 0;
	clients_close(*out);
	*out = NULL;
	unlink(path);
	return qlink_refuse(why, -ENOMEM, "no memory");
}

void clients_close(struct clients *clients)
{
	size_t i;

	if (!clients)
		return;
	for (i = 0; clients->list && i < clients->kind->most; i++) {
		if (clients->list[i].io)
			release(&clients->list[i]);
	}
	acceptor_close(&clients->acceptor);
	if (clients->path)
		unlink(clients->path);
	free(clients->path);
	free(clients->list);
	free(clients);
}
