// SPDX-License-Identifier: GPL-2.0-or-later
/* Where peers that dial come in. */
#include "listen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "admission.h"
#include "route.h"

#define BACKLOG	64

struct guest {
	struct door *door;
	struct connection *connection;
	char from[ADDRESS_TEXT];
};

struct door {
	struct services *services;
	const struct config *config;
	struct event_base *base;
	struct channel_context *context;
	const char *const *names;
	const struct door_ops *ops;
	void *arg;
	int fd;
	struct event *event;
	struct crowd crowd;
	struct guest guests[CROWD_MAX];
	struct budget told;
	uint64_t n_untold;
};

/* All are counted; a crowd does not push everything else out of the log. */
static void tell(struct door *door, const char *from, const char *why)
{
	struct log_field untold = { .name = NULL };

	if (!budget_take(&door->told, services_now())) {
		door->n_untold++;
		return;
	}
	if (door->n_untold)
		untold = (struct log_field)NUMBER_OF("untold", door->n_untold);
	TELL(door->services, LOG_WARNING, "peer-refused", TEXT("from", from), TEXT("why", why),
	     untold);
	door->n_untold = 0;
}

/* A place is free, and somebody may wait for it. */
static void leave(struct guest *guest)
{
	struct door *door = guest->door;

	guest->connection = NULL;
	crowd_leave(&door->crowd, (int)(guest - door->guests));
	event_add(door->event, NULL);
}

static void send_away(struct guest *guest, const char *why)
{
	tell(guest->door, guest->from, why);
	connection_free(guest->connection);
	leave(guest);
}

static void on_closed(void *arg, struct connection *connection, const char *why)
{
	(void)connection;
	send_away(arg, why);
}

static void on_opened(void *arg, struct connection *connection)
{
	struct guest *guest = arg;
	struct door *door = guest->door;

	leave(guest);
	door->ops->entered(door->arg, channel_peer(connection_channel(connection)), connection);
}

static const struct connection_ops ops = { .opened = on_opened, .closed = on_closed };

static bool is_peers(const struct door *door, const struct qlink_addr *addr)
{
	const struct qlink_addr *peers;
	size_t i;

	for (i = 0; i < door->config->n_peers; i++) {
		peers = &door->config->peers[i].address.addr;
		if (peers->len == addr->len && !memcmp(peers->bytes, addr->bytes, addr->len))
			return true;
	}
	return false;
}

/* A place for @from, which may have been somebody else's; NULL where there is none for it. */
static struct guest *find_place(struct door *door, const struct config_endpoint *from,
				struct qlink_why *why)
{
	bool has_to_go;
	int place = crowd_enter(&door->crowd, &from->addr, is_peers(door, &from->addr),
				services_now(), &has_to_go);
	struct guest *guest;

	if (place < 0) {
		channel_refuse(door->context, CHANNEL_REFUSAL_CROWD, why,
			       "more than %u a second from addresses that no peer has",
			       1000 / CROWD_STRANGER_MS);
		return NULL;
	}
	guest = &door->guests[place];
	if (has_to_go) {
		channel_refuse(door->context, CHANNEL_REFUSAL_CROWD, why,
			       "more than %u dial us, or %u from there", CROWD_MAX, CROWD_SAME_MAX);
		tell(door, guest->from, why->text);
		connection_free(guest->connection);
	}
	guest->connection = NULL;
	guest->door = door;
	address_text(from, guest->from);
	return guest;
}

/* Takes @fd. */
static void let_in(struct door *door, int fd, const struct sockaddr_storage *from)
{
	struct config_endpoint endpoint;
	char text[ADDRESS_TEXT];
	struct qlink_why why, rule;
	struct guest *guest;

	address_from(from, &endpoint);
	if (route_check(&endpoint.addr, &rule)) {
		channel_refuse(door->context, CHANNEL_REFUSAL_ROUTE, &why, "%s", rule.text);
		guest = NULL;
	} else {
		guest = find_place(door, &endpoint, &why);
	}
	if (!guest) {
		tell(door, address_text(&endpoint, text), why.text);
		close(fd);
	} else if (connection_new(&guest->connection, door->base, door->context, fd, false,
				  door->names, &ops, guest)) {
		leave(guest);
	}
}

static void on_knock(evutil_socket_t fd, short what, void *arg)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	struct door *door = arg;
	int new;

	(void)what;
	if (!crowd_has_room(&door->crowd)) {
		event_del(door->event);
		return;
	}
	new = accept4(fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (new >= 0)
		let_in(door, new, &from);
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

int door_open(struct door **out, const struct config *config, const char *const *names,
	      struct services *services, struct event_base *base,
	      struct channel_context *context, const struct door_ops *door_ops, void *arg,
	      struct qlink_why *why)
{
	const struct config_endpoint *at = &config->agent.listen;
	struct door *door = calloc(1, sizeof(*door));
	char text[ADDRESS_TEXT];

	if (!door)
		return qlink_refuse(why, -ENOMEM, "no memory");
	door->services = services;
	door->config = config;
	door->base = base;
	door->context = context;
	door->names = names;
	door->ops = door_ops;
	door->arg = arg;
	crowd_init(&door->crowd, services_now());
	budget_init(&door->told, DOOR_TOLD_BURST, DOOR_TOLD_MS, services_now());
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
	for (i = 0; i < CROWD_MAX; i++)
		connection_free(door->guests[i].connection);
	event_free(door->event);
	close(door->fd);
	free(door);
}
