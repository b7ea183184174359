// SPDX-License-Identifier: GPL-2.0-or-later
/* One connection to a peer: TLS on the event loop, messages in and out. */
#include "connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/buffer.h>

#include "qlinkd/services.h"

/* A peer that does not acknowledge data for this long is lost. */
#define SILENT_MS	10000
/*
 * One turn of a connection: at most this many reads and messages, and no more of them after so many
 * ms. Then the loop serves other connections, links and timers. A message may cost a dump of all keys
 * of a device, so their bytes are no measure.
 */
#define TURN_STEPS	32
#define TURN_MS		5

struct connection {
	struct tls *tls;
	struct tls_context *context;
	const struct connection_ops *ops;
	void *arg;
	int fd;
	bool is_open;
	bool is_over;
	bool is_finishing;
	struct event *readable, *writable, *again, *deadline, *ended;
	struct evbuffer *out;
	/* bytes of @in that were received and not handled yet */
	size_t in_len;
	uint8_t in[MSG_BYTES_MAX];
	char why[sizeof(struct qlink_why)];
};

/* The event loop tells the owner, so that no function of this file uses a freed connection. */
static void end(struct connection *c, const char *why)
{
	if (c->is_over)
		return;
	c->is_over = true;
	snprintf(c->why, sizeof(c->why), "%s", why);
	event_del(c->readable);
	event_del(c->writable);
	event_del(c->again);
	event_active(c->ended, 0, 0);
}

static void on_ended(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	(void)what;
	c->ops->closed(c->arg, c, c->why);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;
	struct qlink_why why;

	(void)fd;
	(void)what;
	tls_refuse(c->context, TLS_REFUSAL_TIMEOUT, &why,
		   "the handshake takes more than %d s", CONNECTION_HANDSHAKE_MS / 1000);
	end(c, why.text);
}

/* --- out --- */

void connection_look(struct connection *c)
{
	struct qlink_why why;

	if (!c->is_over && !c->is_finishing && tls_update(c->tls, services_now(), &why))
		end(c, why.text);
}

static void flush(struct connection *c)
{
	unsigned char *data;
	ssize_t sent;
	size_t len;

	connection_look(c);
	while (!c->is_over && (len = evbuffer_get_length(c->out))) {
		/* A repeated write must have the same bytes until TLS accepts them. */
		len = len < MSG_BYTES_MAX ? len : MSG_BYTES_MAX;
		data = evbuffer_pullup(c->out, (ev_ssize_t)len);
		sent = tls_write(c->tls, data, len);
		if (sent == -EAGAIN) {
			event_add(c->writable, NULL);
			return;
		}
		if (sent < 0)
			end(c, "the connection is lost");
		else
			evbuffer_drain(c->out, (size_t)sent);
	}
	if (c->is_finishing && !c->is_over && tls_finish(c->tls) == -EAGAIN)
		event_add(c->writable, NULL);
}

void connection_send(struct connection *c, const uint8_t *data, size_t len, size_t most)
{
	if (c->is_over || c->is_finishing)
		return;
	if (evbuffer_get_length(c->out) + len > most ||
	    evbuffer_add(c->out, data, len)) {
		end(c, "the peer does not read its messages");
		return;
	}
	flush(c);
}

void connection_finish(struct connection *c)
{
	c->is_finishing = true;
	flush(c);
}

/* --- in --- */

/* Handles and removes the first message of the buffer. Returns its length, 0 if it is not whole. */
static size_t take_message(struct connection *c)
{
	struct qlink_why why;
	struct msg msg;
	size_t len;
	int err = msg_length(c->in, c->in_len, &len, &why);

	if (err == -EAGAIN || (!err && len > c->in_len))
		return 0;
	if (!err)
		err = msg_decode(&msg, c->in, len, &why);
	if (err) {
		end(c, why.text);
		return 0;
	}
	c->ops->received(c->arg, &msg, c->in, len);
	c->in_len -= len;
	memmove(c->in, c->in + len, c->in_len);
	return len;
}

/* Reads once. Returns whether there was something to read. */
static bool read_once(struct connection *c)
{
	ssize_t got = tls_read(c->tls, c->in + c->in_len, sizeof(c->in) - c->in_len);

	if (got == -EAGAIN) {
		if (tls_wants_write(c->tls))
			event_add(c->writable, NULL);
		return false;
	}
	if (got <= 0) {
		end(c, got == -EACCES ? "the peer refused the connection" :
					"the connection is lost");
		return false;
	}
	c->in_len += (size_t)got;
	return true;
}

static void read_some(struct connection *c)
{
	static const struct timeval soon = { 0 };
	uint64_t until = services_now() + TURN_MS;
	unsigned int n;

	for (n = 0; n < TURN_STEPS && !c->is_over && services_now() < until; n++) {
		if (!take_message(c) && (c->is_over || !read_once(c)))
			return;
	}
	/*
	 * TLS may have read more already; then the socket does not become readable for it. A timer,
	 * because the loop looks at others before it; it would call an active event again at once.
	 */
	if (!c->is_over)
		event_add(c->again, &soon);
}

/* --- the handshake --- */

static void handshake(struct connection *c)
{
	struct qlink_why why = { "" };
	int err = tls_handshake(c->tls, &why);

	if (err == -EAGAIN) {
		if (tls_wants_write(c->tls))
			event_add(c->writable, NULL);
		return;
	}
	if (err) {
		end(c, why.text);
		return;
	}
	c->is_open = true;
	event_del(c->deadline);
	c->ops->opened(c->arg, c);
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct connection *c = arg;

	(void)fd;
	(void)what;
	if (c->is_over)
		return;
	if (!c->is_open)
		handshake(c);
	/* TLS may have read data together with the end of the handshake. */
	if (c->is_open && !c->is_over) {
		flush(c);
		read_some(c);
	}
}

/* --- life --- */

static void set_options(int fd)
{
	const int on = 1, ms = SILENT_MS, idle_s = 5, probes = 3;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

int connection_new(struct connection **out, struct event_base *base,
		   struct tls_context *context, int fd, bool has_dialled,
		   const char *const *peers, const struct connection_ops *ops, void *arg)
{
	const struct timeval limit = { .tv_sec = CONNECTION_HANDSHAKE_MS / 1000 };
	struct connection *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return -ENOMEM;
	}
	c->fd = fd;
	c->context = context;
	c->ops = ops;
	c->arg = arg;
	set_options(fd);
	c->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_ready, c);
	c->writable = event_new(base, fd, EV_WRITE, on_ready, c);
	c->again = evtimer_new(base, on_ready, c);
	c->deadline = evtimer_new(base, on_deadline, c);
	c->ended = evtimer_new(base, on_ended, c);
	c->out = evbuffer_new();
	if (!c->readable || !c->writable || !c->again || !c->deadline || !c->ended || !c->out ||
	    tls_new(&c->tls, context, fd, has_dialled, peers)) {
		connection_free(c);
		return -ENOMEM;
	}
	event_add(c->readable, NULL);
	event_add(c->writable, NULL);
	event_add(c->deadline, &limit);
	*out = c;
	return 0;
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

void connection_free(struct connection *c)
{
	if (!c)
		return;
	tls_free(c->tls);
	free_event(c->readable);
	free_event(c->writable);
	free_event(c->again);
	free_event(c->deadline);
	free_event(c->ended);
	if (c->out)
		evbuffer_free(c->out);
	close(c->fd);
	free(c);
}

void connection_hand_over(struct connection *c, const struct connection_ops *ops, void *arg)
{
	c->ops = ops;
	c->arg = arg;
}

void connection_end(struct connection *c, const char *why)
{
	end(c, why);
}

struct tls *connection_tls(struct connection *c)
{
	return c->tls;
}
