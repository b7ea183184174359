// SPDX-License-Identifier: GPL-2.0-or-later
/* A peer: its links, and the one connection that they share. */
#include "peer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "address.h"
#include "qlinkd/agreement/dial.h"
#include "route.h"

static void add_timer(struct event *timer, uint32_t ms)
{
	const struct timeval wait = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	event_add(timer, &wait);
}

/* Logs why there is no connection, once until the reason changes. */
static void log_unreachable(struct peer *peer, const char *why)
{
	if (strcmp(peer->why, why))
		TELL(peer->services, LOG_WARNING, "peer-unreachable",
		     TEXT("peer", peer->config->name), TEXT("why", why));
	snprintf(peer->why, sizeof(peer->why), "%s", why);
}

static void dial_later(struct peer *peer)
{
	if (!peer->dials || event_pending(peer->redial, EV_TIMEOUT, NULL))
		return;
	add_timer(peer->redial, peer->dial_ms);
	peer->dial_ms = peer->dial_ms * 2 < PEER_DIAL_MAX_MS ? peer->dial_ms * 2 :
							       PEER_DIAL_MAX_MS;
}

/* --- the connection --- */

/* Only a connection that lasted shows that the next one is worth a quick attempt. */
static void note_end(struct peer *peer)
{
	if (services_now() - peer->opened_at >= PEER_LASTS_MS)
		peer->dial_ms = PEER_DIAL_MIN_MS;
}

static void disconnect(struct peer *peer, const char *why)
{
	struct connection *connection = peer->connection;
	bool was_open = peer->is_open;
	size_t i;

	if (was_open)
		note_end(peer);
	peer->connection = NULL;
	peer->is_open = false;
	if (was_open)
		AUDIT(peer->services, "disconnected", TEXT("peer", peer->config->name),
		      TEXT("why", why));
	for (i = 0; was_open && i < peer->n_links; i++)
		link_disconnect(peer->links[i]);
	/* Last: @why may be in its memory. */
	connection_free(connection);
}

static struct link *find_link(const struct peer *peer, const struct link *but, uint16_t id)
{
	size_t i;

	for (i = 0; i < peer->n_links; i++) {
		if (peer->links[i]->id == id && peer->links[i] != but)
			return peer->links[i];
	}
	return NULL;
}

const struct link *peer_id_owner(const struct peer *peer, const struct link *but, uint16_t id)
{
	return find_link(peer, but, id);
}

static void on_received(void *arg, struct msg *msg, const uint8_t *data, size_t len)
{
	struct peer *peer = arg;
	struct link *link = find_link(peer, NULL, msg->link_id);

	if (link)
		link_hear(link, msg, data, len);
	else
		peer->n_unknown_link++;
}

static void use_next(struct peer *peer);

static void on_closed(void *arg, struct connection *connection, const char *why)
{
	struct peer *peer = arg;

	(void)connection;
	log_unreachable(peer, why);
	disconnect(peer, why);
	if (peer->next_is_open)
		use_next(peer);
	else
		dial_later(peer);
}

static void on_opened(void *arg, struct connection *connection)
{
	struct exchange_binding binding;
	struct peer *peer = arg;
	size_t i;

	if (tls_binding(connection_tls(connection), &binding)) {
		connection_end(connection, "TLS exports no keying material");
		return;
	}
	peer->is_open = true;
	peer->is_stale = false;
	peer->n_connections++;
	peer->why[0] = '\0';
	peer->opened_at = services_now();
	TELL(peer->services, LOG_INFO, "peer-connected", TEXT("peer", peer->config->name));
	AUDIT(peer->services, "connected", TEXT("peer", peer->config->name));
	for (i = 0; i < peer->n_links; i++)
		link_connect(peer->links[i], &binding);
	OPENSSL_cleanse(&binding, sizeof(binding));
}

static const struct connection_ops ops = {
	.opened = on_opened,
	.received = on_received,
	.closed = on_closed,
};

void peer_adopt(struct peer *peer, struct connection *connection)
{
	struct qlink_why why;

	if (tls_demand(connection_tls(connection), peer->config->suite_least, &why)) {
		log_unreachable(peer, why.text);
		connection_free(connection);
		return;
	}
	disconnect(peer, "a new connection takes its place");
	peer->connection = connection;
	connection_hand_over(connection, &ops, peer);
	on_opened(peer, connection);
}

void peer_send(struct peer *peer, const uint8_t *data, size_t len)
{
	if (peer->is_open)
		connection_send(peer->connection, data, len, peer->n_links * PEER_OUT_BYTES);
}

void peer_hang_up(struct peer *peer, const char *why)
{
	if (peer->connection)
		connection_end(peer->connection, why);
}

/* --- the next connection --- */

static void drop_next(struct peer *peer)
{
	connection_free(peer->next);
	peer->next = NULL;
	peer->next_is_open = false;
}

static void use_next(struct peer *peer)
{
	struct connection *connection = peer->next;

	peer->next = NULL;
	peer->next_is_open = false;
	peer_adopt(peer, connection);
}

/*
 * In TLS 1.3 a peer may refuse our certificate after our handshake is complete. A connection that we
 * have is kept until the peer shows that it uses the new one: it sends a message, or closes the old.
 */
static void on_next_opened(void *arg, struct connection *connection)
{
	struct peer *peer = arg;
	struct qlink_why why;

	if (tls_demand(connection_tls(connection), peer->config->suite_least, &why)) {
		connection_end(connection, why.text);
		return;
	}
	peer->next_is_open = true;
	if (!peer->connection)
		use_next(peer);
}

static void on_next_received(void *arg, struct msg *msg, const uint8_t *data, size_t len)
{
	use_next(arg);
	on_received(arg, msg, data, len);
}

static void on_next_closed(void *arg, struct connection *connection, const char *why)
{
	struct peer *peer = arg;

	(void)connection;
	log_unreachable(peer, why);
	drop_next(peer);
	dial_later(peer);
}

static const struct connection_ops next_ops = {
	.opened = on_next_opened,
	.received = on_next_received,
	.closed = on_next_closed,
};

/* --- dialling --- */

static void dial_failed(struct peer *peer, const char *why)
{
	if (peer->dial_fd >= 0)
		close(peer->dial_fd);
	peer->dial_fd = -1;
	log_unreachable(peer, why);
	dial_later(peer);
}

static void on_dialled(evutil_socket_t fd, short what, void *arg)
{
	struct peer *peer = arg;
	socklen_t len = sizeof(int);
	int err = 0;

	event_free(peer->dial_event);
	peer->dial_event = NULL;
	if (what & EV_TIMEOUT)
		err = ETIMEDOUT;
	else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len))
		err = errno;
	if (err) {
		dial_failed(peer, strerror(err));
		return;
	}
	peer->dial_fd = -1;
	if (connection_new(&peer->next, peer->base, peer->context, fd, true, peer->names, &next_ops,
			   peer))
		dial_failed(peer, "no memory");
}

static void dial(struct peer *peer)
{
	const struct timeval limit = { .tv_sec = PEER_CONNECT_MS / 1000 };
	const struct config_endpoint *at = &peer->config->address;
	struct sockaddr_storage to;
	socklen_t len = address_of(at, &to);
	struct qlink_why why;

	if (route_check(&at->addr, &why)) {
		dial_failed(peer, why.text);
		return;
	}
	peer->dial_fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (peer->dial_fd < 0 ||
	    (connect(peer->dial_fd, (struct sockaddr *)&to, len) && errno != EINPROGRESS)) {
		dial_failed(peer, strerror(errno));
		return;
	}
	peer->dial_event = event_new(peer->base, peer->dial_fd, EV_WRITE, on_dialled, peer);
	if (!peer->dial_event)
		dial_failed(peer, "no memory");
	else
		event_add(peer->dial_event, &limit);
}

static void on_redial(evutil_socket_t fd, short what, void *arg)
{
	struct peer *peer = arg;

	(void)fd;
	(void)what;
	if ((!peer->connection || peer->is_stale) && !peer->next && peer->dial_fd < 0)
		dial(peer);
}

/* --- life --- */

int peer_new(struct peer **out, const char *own, const struct config_peer *config,
	     struct services *services, struct event_base *base,
	     struct tls_context *context)
{
	struct peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return -ENOMEM;
	peer->config = config;
	peer->services = services;
	peer->base = base;
	peer->context = context;
	peer->dial_fd = -1;
	peer->dial_ms = PEER_DIAL_MIN_MS;
	peer->names[0] = config->name;
	peer->dials = dial_is_ours(own, config->name);
	peer->redial = evtimer_new(base, on_redial, peer);
	if (!peer->redial) {
		peer_free(peer);
		return -ENOMEM;
	}
	*out = peer;
	return 0;
}

/* Another configuration may demand a higher suite. */
static void check_suite(struct peer *peer)
{
	struct qlink_why why;

	if (peer->is_open && tls_demand(connection_tls(peer->connection), peer->config->suite_least, &why))
		connection_end(peer->connection, why.text);
}

void peer_start(struct peer *peer, const struct config_peer *config)
{
	peer->config = config;
	peer->names[0] = config->name;
	if (peer->is_started) {
		check_suite(peer);
		return;
	}
	peer->is_started = true;
	if (peer->dials)
		add_timer(peer->redial, 0);
}

void peer_recheck(struct peer *peer)
{
	struct qlink_why why;

	if (peer->is_open && tls_recheck(connection_tls(peer->connection), &why))
		connection_end(peer->connection, why.text);
}

void peer_renew(struct peer *peer)
{
	drop_next(peer);
	peer->is_stale = peer->connection;
	if (peer->dials)
		add_timer(peer->redial, 0);
	else if (peer->connection)
		connection_end(peer->connection, "this agent has other certificates");
}

void peer_free(struct peer *peer)
{
	if (!peer)
		return;
	disconnect(peer, "the peer is no longer configured, or the agent ends");
	drop_next(peer);
	if (peer->dial_event)
		event_free(peer->dial_event);
	if (peer->dial_fd >= 0)
		close(peer->dial_fd);
	if (peer->redial)
		event_free(peer->redial);
	free(peer->links);
	free(peer);
}

int peer_reserve_links(struct peer *peer, size_t n)
{
	struct link **links;

	if (n <= peer->links_room)
		return 0;
	links = reallocarray(peer->links, n, sizeof(*links));
	if (!links)
		return -ENOMEM;
	peer->links = links;
	peer->links_room = n;
	return 0;
}

void peer_add_link(struct peer *peer, struct link *link)
{
	struct exchange_binding binding;

	peer->links[peer->n_links++] = link;
	if (peer->is_open && !tls_binding(connection_tls(peer->connection), &binding)) {
		link_connect(link, &binding);
		OPENSSL_cleanse(&binding, sizeof(binding));
	}
}

void peer_remove_link(struct peer *peer, struct link *link)
{
	size_t i;

	for (i = 0; i < peer->n_links && peer->links[i] != link; i++)
		;
	if (i < peer->n_links)
		peer->links[i] = peer->links[--peer->n_links];
}
