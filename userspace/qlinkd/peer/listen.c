// SPDX-License-Identifier: GPL-2.0-or-later
/* The listener: it accepts callers and hands those that are peers to the agent. */
#include "listen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "admission.h"
#include "qlinkd/base/accept.h"
#include "route.h"
#include "tcpsock.h"

#define BACKLOG	64

struct caller {
	struct listener *listener;
	struct connection *connection;
	char from[ADDRESS_TEXT];
};

struct listener {
	struct services *services;
	const struct config *config;
	struct event_base *base;
	struct tls_context *context;
	const char *const *names;
	const struct listener_ops *ops;
	void *arg;
	struct acceptor acceptor;
	struct admission admission;
	struct caller callers[ADMISSION_MAX];
	struct rate log_rate;
	uint64_t n_suppressed;
	struct listener_refusal last;
};

/* Every refusal is counted; only some are logged, so that a flood does not hide other lines. */
static void log_refusal(struct listener *listener, const char *from, const char *why)
{
	struct log_field suppressed = { .name = NULL };

	listener->last.at = services_now();
	snprintf(listener->last.from, sizeof(listener->last.from), "%s", from);
	snprintf(listener->last.why, sizeof(listener->last.why), "%s", why);
	if (!rate_take(&listener->log_rate, services_now())) {
		listener->n_suppressed++;
		return;
	}
	if (listener->n_suppressed)
		suppressed = (struct log_field)NUMBER_OF("suppressed", listener->n_suppressed);
	TELL(listener->services, LOG_WARNING, "peer-refused", TEXT("from", from), TEXT("why", why),
	     suppressed);
	listener->n_suppressed = 0;
}

/* Frees the slot of a caller and accepts callers again. */
static void free_slot(struct caller *caller)
{
	struct listener *listener = caller->listener;

	caller->connection = NULL;
	admission_leave(&listener->admission, (int)(caller - listener->callers));
	acceptor_resume(&listener->acceptor);
}

static void refuse_caller(struct caller *caller, const char *why)
{
	log_refusal(caller->listener, caller->from, why);
	connection_free(caller->connection);
	free_slot(caller);
}

static void on_closed(void *arg, struct connection *connection, const char *why)
{
	(void)connection;
	refuse_caller(arg, why);
}

static void on_opened(void *arg, struct connection *connection)
{
	struct caller *caller = arg;
	struct listener *listener = caller->listener;

	free_slot(caller);
	listener->ops->accepted(listener->arg, tls_peer(connection_tls(connection)), connection);
}

static const struct connection_ops ops = { .opened = on_opened, .closed = on_closed };

static bool is_known(const struct listener *listener, const struct qlink_addr *addr)
{
	const struct qlink_addr *peers;
	size_t i;

	for (i = 0; i < listener->config->n_peers; i++) {
		peers = &listener->config->peers[i].address.addr;
		if (peers->len == addr->len && !memcmp(peers->bytes, addr->bytes, addr->len))
			return true;
	}
	return false;
}

/* Gives @from a slot and evicts the caller that had it; NULL if there is no slot for it. */
static struct caller *take_slot(struct listener *listener, const struct config_endpoint *from,
				struct qlink_why *why)
{
	bool evicts;
	int slot = admission_enter(&listener->admission, &from->addr,
				   is_known(listener, &from->addr), services_now(), &evicts);
	struct caller *caller;

	if (slot < 0) {
		tls_refuse(listener->context, TLS_REFUSAL_TOO_MANY, why,
			   "more than %u a second from addresses of no peer",
			   1000 / ADMISSION_UNKNOWN_MS);
		return NULL;
	}
	caller = &listener->callers[slot];
	if (evicts) {
		tls_refuse(listener->context, TLS_REFUSAL_TOO_MANY, why,
			   "more than %u callers, or more than %u from one address", ADMISSION_MAX,
			   ADMISSION_SAME_MAX);
		log_refusal(listener, caller->from, why->text);
		connection_free(caller->connection);
	}
	caller->connection = NULL;
	caller->listener = listener;
	address_text(from, caller->from);
	return caller;
}

/*
 * Starts the handshake of a caller, or refuses it. Takes over @fd. A look at the route costs a netlink
 * socket and several requests, so the caller must be admitted first.
 */
static void on_accepted(void *arg, int fd, const struct sockaddr_storage *from)
{
	struct listener *listener = arg;
	struct config_endpoint endpoint;
	char text[ADDRESS_TEXT];
	struct qlink_why why, rule;
	struct caller *caller;

	address_from(from, &endpoint);
	caller = take_slot(listener, &endpoint, &why);
	if (caller && route_check(&endpoint.addr, &rule)) {
		tls_refuse(listener->context, TLS_REFUSAL_ROUTE, &why, "%s", rule.text);
		free_slot(caller);
		caller = NULL;
	}
	if (!caller) {
		log_refusal(listener, address_text(&endpoint, text), why.text);
		close(fd);
	} else if (connection_new(&caller->connection, listener->base, listener->context, fd, false,
				  listener->names, &ops, caller)) {
		free_slot(caller);
	}
}

/* The caller waits in the backlog. */
static void on_delayed(void *arg, int err)
{
	struct listener *listener = arg;
	struct qlink_why why;

	tls_refuse(listener->context, TLS_REFUSAL_SHORT, &why, "cannot be accepted: %s",
		   strerror(-err));
	log_refusal(listener, "a caller", why.text);
}

static bool has_room(void *arg)
{
	const struct listener *listener = arg;

	return admission_has_room(&listener->admission);
}

static const struct acceptor_ops acceptor_ops = {
	.has_room = has_room, .accepted = on_accepted, .delayed = on_delayed,
};

static void free_listener(struct listener *listener)
{
	acceptor_close(&listener->acceptor);
	free(listener);
}

int listener_open(struct listener **out, const struct config *config, const char *const *names,
		  struct services *services, struct event_base *base,
		  struct tls_context *context, const struct listener_ops *listener_ops, void *arg,
		  struct qlink_why *why)
{
	const struct config_endpoint *at = &config->agent.listen;
	struct listener *listener = calloc(1, sizeof(*listener));
	char text[ADDRESS_TEXT];
	int fd;

	if (!listener)
		return qlink_refuse(why, -ENOMEM, "no memory");
	listener->services = services;
	listener->config = config;
	listener->base = base;
	listener->context = context;
	listener->names = names;
	listener->ops = listener_ops;
	listener->arg = arg;
	admission_init(&listener->admission, services_now());
	rate_init(&listener->log_rate, LISTENER_LOG_BURST, LISTENER_LOG_MS, services_now());
	fd = tcpsock_listen(at, BACKLOG);
	if (fd < 0) {
		qlink_refuse(why, fd, "listen %s: %s", address_text(at, text), strerror(-fd));
		free(listener);
		return -EADDRNOTAVAIL;
	}
	if (acceptor_open(&listener->acceptor, base, fd, &acceptor_ops, listener)) {
		free_listener(listener);
		return qlink_refuse(why, -ENOMEM, "no memory");
	}
	*out = listener;
	return 0;
}

static void close_callers(struct listener *listener)
{
	size_t i;

	for (i = 0; i < ADMISSION_MAX; i++) {
		if (!listener->callers[i].connection)
			continue;
		connection_free(listener->callers[i].connection);
		free_slot(&listener->callers[i]);
	}
}

void listener_renew(struct listener *listener, const struct config *config,
		    const char *const *names)
{
	close_callers(listener);
	listener->config = config;
	listener->names = names;
}

const struct listener_refusal *listener_refusal(const struct listener *listener)
{
	return &listener->last;
}

void listener_close(struct listener *listener)
{
	if (!listener)
		return;
	close_callers(listener);
	free_listener(listener);
}
