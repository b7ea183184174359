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

#include "qlinkd/agreement/dial.h"

/* How long nothing is looked at again that does not expire, in s. */
#define WATCH_S	3600

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
	if (peer->dials)
		dialler_wait(&peer->dialler);
}

/* --- links --- */

static struct peer_link *find_entry(const struct peer *peer, const struct link *but, uint16_t id)
{
	size_t i;

	for (i = 0; i < peer->n_links; i++) {
		if (peer->links[i].link->id == id && peer->links[i].link != but)
			return &peer->links[i];
	}
	return NULL;
}

const struct link *peer_id_owner(const struct peer *peer, const struct link *but, uint16_t id)
{
	const struct peer_link *entry = find_entry(peer, but, id);

	return entry ? entry->link : NULL;
}

/* Starts the session of a link on a connection. */
static void attach(struct connection *to, struct link *link)
{
	struct exchange_binding binding;

	if (tls_binding(connection_tls(to), &binding)) {
		connection_end(to, "TLS exports no keying material");
		return;
	}
	link_connect(link, &binding);
	OPENSSL_cleanse(&binding, sizeof(binding));
}

/* --- the connection --- */

/* Before the next attempt: only a connection that lasted shows that the next one is worth a quick attempt. */
static void note_end(struct peer *peer)
{
	if (services_now() - peer->opened_at >= PEER_LASTS_MS)
		dialler_forget(&peer->dialler);
}

static void log_end(const struct peer *peer, const char *why)
{
	AUDIT(peer->services, "disconnected", TEXT("peer", peer->config->name), TEXT("why", why));
}

/* The end that dials is a little earlier, and at another time for each peer. */
static uint32_t choose_life(const struct peer *peer)
{
	uint32_t most = peer->config->reconnect_ms, random = 0;

	if (peer->dials)
		evutil_secure_rng_get_bytes(&random, sizeof(random));
	return most - random % (most / 10 + 1);
}

static void log_begin(struct peer *peer)
{
	peer->is_stale = false;
	peer->ends_at = 0;
	peer->n_connections++;
	peer->why[0] = '\0';
	peer->opened_at = services_now();
	peer->life_ms = choose_life(peer);
	TELL(peer->services, LOG_INFO, "peer-connected", TEXT("peer", peer->config->name));
	AUDIT(peer->services, "connected", TEXT("peer", peer->config->name));
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
		log_end(peer, why);
	for (i = 0; was_open && i < peer->n_links; i++)
		link_disconnect(peer->links[i].link);
	/* Last: @why may be in its memory. */
	connection_free(connection);
}

static void hear(struct peer *peer, struct peer_link *entry, struct msg *msg, const uint8_t *data,
		 size_t len)
{
	if (entry)
		link_hear(entry->link, msg, data, len);
	else
		peer->n_unknown_link++;
}

static void begin_move(struct peer *peer);
static void finish_move(struct peer *peer);

/*
 * The peer has accepted the next connection; or it cannot dial, and asks for one. A peer that asks again
 * and again waits as long as one that hangs up again and again.
 */
static void note_leave(struct peer *peer)
{
	if (peer->is_moving || !peer->dials)
		return;
	if (peer->next_is_open) {
		begin_move(peer);
	} else if (!peer->next && !dialler_is_busy(&peer->dialler)) {
		peer->is_stale = true;
		note_end(peer);
		dial_later(peer);
	}
}

static void on_received(void *arg, struct msg *msg, const uint8_t *data, size_t len)
{
	struct peer *peer = arg;
	struct peer_link *entry = find_entry(peer, NULL, msg->link_id);

	/* It was on its way when the link moved, which ended its session. */
	if (entry && entry->has_moved)
		return;
	hear(peer, entry, msg, data, len);
	if (entry && msg->core.type == SESSION_MESSAGE_LEAVE && entry->link->session.leave.has_heard)
		note_leave(peer);
}

static void drop_old(struct peer *peer)
{
	connection_free(peer->old);
	peer->old = NULL;
	event_del(peer->drain);
}

static void take_over(struct peer *peer, struct connection *connection);

static void take_next(struct peer *peer)
{
	struct connection *next = peer->next;

	peer->next = NULL;
	peer->next_is_open = false;
	take_over(peer, next);
}

static void on_closed(void *arg, struct connection *connection, const char *why)
{
	struct peer *peer = arg;

	(void)connection;
	if (peer->is_moving) {
		finish_move(peer);
		drop_old(peer);
		return;
	}
	log_unreachable(peer, why);
	disconnect(peer, why);
	if (peer->next_is_open)
		take_next(peer);
	else
		dial_later(peer);
}

static const struct connection_ops ops = {
	.received = on_received,
	.closed = on_closed,
};

/* There is no other connection: all links begin on this one. */
static void take_over(struct peer *peer, struct connection *connection)
{
	size_t i;

	peer->connection = connection;
	peer->is_open = true;
	connection_hand_over(connection, &ops, peer);
	log_begin(peer);
	for (i = 0; i < peer->n_links; i++)
		attach(connection, peer->links[i].link);
}

void peer_send(struct peer *peer, const struct link *link, const uint8_t *data, size_t len)
{
	struct connection *to = peer->is_open ? peer->connection : NULL;
	size_t i;

	for (i = 0; peer->is_moving && i < peer->n_links; i++) {
		if (peer->links[i].link == link && peer->links[i].has_moved)
			to = peer->next;
	}
	if (to)
		connection_send(to, data, len, peer->n_links * PEER_OUT_BYTES);
}

static void end_connection(struct connection *connection, const char *why)
{
	if (connection)
		connection_end(connection, why);
}

void peer_hang_up(struct peer *peer, const char *why)
{
	end_connection(peer->connection, why);
	end_connection(peer->next, why);
	end_connection(peer->old, why);
}

/* --- the old connection --- */

static void on_old_received(void *arg, struct msg *msg, const uint8_t *data, size_t len)
{
	(void)arg;
	(void)msg;
	(void)data;
	(void)len;
}

static void on_old_closed(void *arg, struct connection *connection, const char *why)
{
	(void)connection;
	(void)why;
	drop_old(arg);
}

static const struct connection_ops old_ops = {
	.received = on_old_received,
	.closed = on_old_closed,
};

static void on_drained(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	drop_old(arg);
}

static void finish_old(struct peer *peer, struct connection *connection)
{
	drop_old(peer);
	log_end(peer, "its links have moved to a new connection");
	peer->old = connection;
	connection_hand_over(connection, &old_ops, peer);
	add_timer(peer->drain, PEER_DRAIN_MS);
	connection_finish(connection);
}

/* --- moving links to the next connection --- */

void peer_left(struct peer *peer)
{
	event_active(peer->mover, EV_TIMEOUT, 0);
}

static void begin_move(struct peer *peer)
{
	size_t i;

	peer->is_moving = true;
	log_begin(peer);
	add_timer(peer->move_limit, PEER_MOVE_MS);
	for (i = 0; i < peer->n_links; i++)
		link_leave(peer->links[i].link);
	peer_left(peer);
}

static void move(struct peer *peer, struct peer_link *entry)
{
	if (entry->has_moved)
		return;
	link_disconnect(entry->link);
	entry->has_moved = true;
	attach(peer->next, entry->link);
}

/* Moves what is left, and makes the next connection the present one. */
static void finish_move(struct peer *peer)
{
	struct connection *before = peer->connection;
	size_t i;

	event_del(peer->move_limit);
	for (i = 0; i < peer->n_links; i++)
		move(peer, &peer->links[i]);
	for (i = 0; i < peer->n_links; i++)
		peer->links[i].has_moved = false;
	peer->is_moving = false;
	peer->connection = peer->next;
	peer->next = NULL;
	peer->next_is_open = false;
	connection_hand_over(peer->connection, &ops, peer);
	finish_old(peer, before);
}

static void on_mover(evutil_socket_t fd, short what, void *arg)
{
	struct peer *peer = arg;
	size_t i, n = 0;

	(void)fd;
	(void)what;
	if (!peer->is_moving)
		return;
	for (i = 0; i < peer->n_links; i++) {
		if (peer->links[i].link->session.leave.has_left)
			move(peer, &peer->links[i]);
		n += peer->links[i].has_moved;
	}
	if (n == peer->n_links)
		finish_move(peer);
}

static void on_move_limit(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	finish_move(arg);
}

/* Has links that left the connection, or moved, go on with it: there is no next one after all. */
static void stay(struct peer *peer)
{
	size_t i;

	event_del(peer->move_limit);
	for (i = 0; i < peer->n_links; i++) {
		struct peer_link *entry = &peer->links[i];

		if (entry->has_moved) {
			link_disconnect(entry->link);
			entry->has_moved = false;
			attach(peer->connection, entry->link);
		} else if (peer->is_moving || entry->link->session.leave.has_left) {
			link_restart(entry->link);
		}
	}
	peer->is_moving = false;
}

/* --- the next connection --- */

static void drop_next(struct peer *peer)
{
	connection_free(peer->next);
	peer->next = NULL;
	peer->next_is_open = false;
}

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
		take_next(peer);
}

static void on_next_received(void *arg, struct msg *msg, const uint8_t *data, size_t len)
{
	struct peer *peer = arg;
	struct peer_link *entry = find_entry(peer, NULL, msg->link_id);

	if (!peer->is_moving)
		begin_move(peer);
	if (entry)
		move(peer, entry);
	hear(peer, entry, msg, data, len);
	peer_left(peer);
}

static void on_next_closed(void *arg, struct connection *connection, const char *why)
{
	struct peer *peer = arg;

	(void)connection;
	log_unreachable(peer, why);
	if (peer->is_moving)
		log_end(peer, why);
	peer->is_stale |= peer->is_moving;
	stay(peer);
	drop_next(peer);
	dial_later(peer);
}

static const struct connection_ops next_ops = {
	.opened = on_next_opened,
	.received = on_next_received,
	.closed = on_next_closed,
};

/* The peer may be gone by now. */
static void on_refused_closed(void *arg, struct connection *connection, const char *why)
{
	(void)arg;
	(void)why;
	connection_free(connection);
}

static const struct connection_ops refused_ops = { .closed = on_refused_closed };

void peer_adopt(struct peer *peer, struct connection *connection)
{
	struct qlink_why why;

	/* It is being used by whoever says that it is open, so it is freed later. */
	if (tls_demand(connection_tls(connection), peer->config->suite_least, &why)) {
		log_unreachable(peer, why.text);
		connection_hand_over(connection, &refused_ops, NULL);
		connection_end(connection, why.text);
		return;
	}
	/* The peer has lost the one that its links were to move to. */
	if (peer->is_moving)
		finish_move(peer);
	if (!peer->is_open) {
		take_over(peer, connection);
		return;
	}
	peer->next = connection;
	peer->next_is_open = true;
	connection_hand_over(connection, &next_ops, peer);
	begin_move(peer);
}

/* --- dialling --- */

static void dial_failed(struct peer *peer, const char *why)
{
	log_unreachable(peer, why);
	stay(peer);
	dial_later(peer);
}

static void on_dialled(void *arg, int fd, const char *why)
{
	struct peer *peer = arg;

	if (fd < 0)
		dial_failed(peer, why);
	else if (connection_new(&peer->next, peer->base, peer->context, fd, true, peer->names, &next_ops,
				peer))
		dial_failed(peer, "no memory");
}

static void on_due(void *arg)
{
	struct peer *peer = arg;

	if ((!peer->connection || peer->is_stale) && !peer->next)
		dialler_dial(&peer->dialler, &peer->config->address);
}

static const struct dialler_ops dialler_ops = { .due = on_due, .dialled = on_dialled };

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
	peer->names[0] = config->name;
	peer->dials = dial_is_ours(own, config->name);
	peer->mover = evtimer_new(base, on_mover, peer);
	peer->move_limit = evtimer_new(base, on_move_limit, peer);
	peer->drain = evtimer_new(base, on_drained, peer);
	if (dialler_init(&peer->dialler, base, &dialler_ops, peer) || !peer->mover || !peer->move_limit || !peer->drain) {
		peer_free(peer);
		return -ENOMEM;
	}
	*out = peer;
	return 0;
}

/* Another configuration may demand a higher suite. */
static void check_suite(struct peer *peer, struct connection *connection)
{
	struct qlink_why why;

	if (tls_demand(connection_tls(connection), peer->config->suite_least, &why))
		connection_end(connection, why.text);
}

void peer_start(struct peer *peer, const struct config_peer *config)
{
	peer->config = config;
	peer->names[0] = config->name;
	if (peer->is_open)
		check_suite(peer, peer->connection);
	if (peer->is_moving)
		check_suite(peer, peer->next);
	if (peer->is_started)
		return;
	peer->is_started = true;
	if (peer->dials)
		dialler_hurry(&peer->dialler);
}

void peer_recheck(struct peer *peer)
{
	struct qlink_why why;

	peer->ends_at = 0;
	if (peer->is_open && tls_recheck(connection_tls(peer->connection), &why))
		connection_end(peer->connection, why.text);
	if (peer->is_moving && tls_recheck(connection_tls(peer->next), &why))
		connection_end(peer->next, why.text);
}

void peer_watch(struct peer *peer, time_t now)
{
	time_t end;

	if (!peer->is_open)
		return;
	if (peer->ends_at && now >= peer->ends_at)
		peer_recheck(peer);
	if (peer->ends_at)
		return;
	end = tls_next_end(connection_tls(peer->connection), now);
	peer->ends_at = end ? end : now + WATCH_S;
}

/* Has one link say LEAVE, so that the peer dials; without a session there is nothing to lose. */
static void ask_for_next(struct peer *peer, const char *why)
{
	size_t i;

	for (i = 0; i < peer->n_links; i++) {
		if (peer->links[i].link->session.phase == SESSION_PHASE_READY) {
			link_leave(peer->links[i].link);
			return;
		}
	}
	connection_end(peer->connection, why);
}

static void replace(struct peer *peer, const char *why)
{
	peer->is_stale = true;
	if (peer->dials)
		dialler_hurry(&peer->dialler);
	else
		ask_for_next(peer, why);
}

void peer_renew(struct peer *peer)
{
	if (peer->is_moving)
		finish_move(peer);
	drop_next(peer);
	if (peer->is_open)
		replace(peer, "this agent has other certificates");
	else if (peer->dials)
		dialler_hurry(&peer->dialler);
}

int peer_reconnect(struct peer *peer)
{
	if (!peer->is_open)
		return -ENOTCONN;
	if (peer->next || peer->is_stale)
		return -EALREADY;
	replace(peer, "an operator asked for a new connection");
	return 0;
}

void peer_grow_old(struct peer *peer)
{
	bool is_old = peer->life_ms && services_now() - peer->opened_at >= peer->life_ms;

	if (peer->is_open)
		connection_look(peer->connection);
	/* What is stale already was asked for, and perhaps in vain. */
	if (peer->is_open && !peer->next && (is_old || peer->is_stale))
		replace(peer, "the connection is old");
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

void peer_free(struct peer *peer)
{
	if (!peer)
		return;
	disconnect(peer, "the peer is no longer configured, or the agent ends");
	connection_free(peer->next);
	connection_free(peer->old);
	dialler_clear(&peer->dialler);
	free_event(peer->mover);
	free_event(peer->move_limit);
	free_event(peer->drain);
	free(peer->links);
	free(peer);
}

int peer_reserve_links(struct peer *peer, size_t n)
{
	struct peer_link *links;

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
	peer->links[peer->n_links++] = (struct peer_link){ link, peer->is_moving };
	if (peer->is_moving)
		attach(peer->next, link);
	else if (peer->is_open)
		attach(peer->connection, link);
}

void peer_remove_link(struct peer *peer, struct link *link)
{
	size_t i;

	for (i = 0; i < peer->n_links && peer->links[i].link != link; i++)
		;
	if (i < peer->n_links)
		peer->links[i] = peer->links[--peer->n_links];
	peer_left(peer);
}
