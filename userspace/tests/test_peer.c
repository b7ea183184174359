// SPDX-License-Identifier: GPL-2.0-or-later
/* A peer and its connection under floods and resets: real TLS on loopback. */
#include <stdint.h>

/* Time of the peer: how long a connection has lasted. */
static uint64_t peer_time;
uint64_t simulated_now(void);
#define services_now simulated_now
#include "qlinkd/peer/peer.c"

#include <arpa/inet.h>
#include <fcntl.h>

#include "tap.h"

#define PKI	"qlinkd/qlink-pki"
/* Longer than anything takes that ends at all, even on a busy machine. */
#define DEADLINE_S	30
#define N_FLOOD		3000

static char dir[] = "/tmp/qlink-peer-XXXXXX";
/* Of two names the one with the lower hash dials. */
static const char *names[2];

uint64_t simulated_now(void)
{
	return peer_time;
}

__attribute__((destructor))
static void pki_remove(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (!strstr(dir, "XXXXXX") && system(command))
		fprintf(stderr, "%s: not removed\n", dir);
}

/* Once for all tests. */
static void pki_make(void)
{
	bool first_dials = dial_is_ours("site-a", "site-b");
	char command[256];

	names[0] = first_dials ? "site-a" : "site-b";
	names[1] = first_dials ? "site-b" : "site-a";
	if (!strstr(dir, "XXXXXX"))
		return;
	CHECK(mkdtemp(dir), "mkdtemp: %s", strerror(errno));
	snprintf(command, sizeof(command), PKI " ca %s && " PKI " cert %s site-a && "
		 PKI " cert %s site-b", dir, dir, dir);
	CHECK_NUMBER(command, system(command), 0);
}

static struct tls_context *context(const char *name)
{
	char cert[64], key[64], ca[64];
	struct credentials_files files = { .certificate = cert, .key = key, .ca = ca };
	struct credentials *credentials;
	struct tls_context *made;
	struct qlink_why why = { "" };

	snprintf(cert, sizeof(cert), "%s/%s.pem", dir, name);
	snprintf(key, sizeof(key), "%s/%s.key", dir, name);
	snprintf(ca, sizeof(ca), "%s/ca.pem", dir);
	CHECK(!credentials_load(&credentials, &files, &why), "%s", why.text);
	CHECK(!tls_context_new(&made, credentials, NULL, &why), "%s", why.text);
	credentials_put(credentials);
	return made;
}

/* A peer that dials, and what it dials: the other end of its connections. */
struct lab {
	struct event_base *base;
	struct tls_context *contexts[2];
	struct services services;
	struct config_peer config;
	struct peer *peer;
	int listener;
	struct event *knock, *deadline;
	struct connection *other;
	const char *callers[2];
	bool is_open;
	unsigned int n_opened, n_received, n_closed;
	char why[sizeof(struct qlink_why)];
};

static void on_late(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	BAIL_OUT();
}

static void other_opened(void *arg, struct connection *connection)
{
	struct lab *lab = arg;

	(void)connection;
	lab->is_open = true;
	lab->n_opened++;
}

static void other_received(void *arg, struct msg *msg, const uint8_t *data, size_t len)
{
	struct lab *lab = arg;

	(void)data;
	(void)len;
	CHECK_NUMBER("in order", msg->core.from, lab->n_received + 1);
	lab->n_received++;
}

static void other_closed(void *arg, struct connection *connection, const char *why)
{
	struct lab *lab = arg;

	(void)connection;
	lab->n_closed++;
	snprintf(lab->why, sizeof(lab->why), "%s", why);
}

static const struct connection_ops other_ops = {
	.opened = other_opened, .received = other_received, .closed = other_closed,
};

static void on_knock(evutil_socket_t listener, short what, void *arg)
{
	struct lab *lab = arg;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	CHECK(fd >= 0 && !lab->other, "a second connection while there is one");
	CHECK(!connection_new(&lab->other, lab->base, lab->contexts[1], fd, false, lab->callers,
			      &other_ops, lab), "no memory");
}

static void listen_on_loopback(struct lab *lab)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(at);

	lab->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK(!bind(lab->listener, (struct sockaddr *)&at, len) && !listen(lab->listener, 8) &&
	      !getsockname(lab->listener, (struct sockaddr *)&at, &len), "%s", strerror(errno));
	lab->config.address.addr.len = 4;
	memcpy(lab->config.address.addr.bytes, &at.sin_addr, 4);
	lab->config.address.port = ntohs(at.sin_port);
	lab->knock = event_new(lab->base, lab->listener, EV_READ | EV_PERSIST, on_knock, lab);
	event_add(lab->knock, NULL);
}

static struct lab *lab_new(void)
{
	const struct timeval limit = { .tv_sec = DEADLINE_S };
	struct lab *lab = calloc(1, sizeof(*lab));

	pki_make();
	if (!lab)
		BAIL_OUT();
	peer_time = 1000000;
	lab->base = event_base_new();
	lab->contexts[0] = context(names[0]);
	lab->contexts[1] = context(names[1]);
	lab->callers[0] = names[0];
	log_init(&lab->services.log, open("/dev/null", O_WRONLY | O_CLOEXEC), peer_time);
	lab->config.name = names[1];
	lab->deadline = evtimer_new(lab->base, on_late, NULL);
	event_add(lab->deadline, &limit);
	listen_on_loopback(lab);
	CHECK(!peer_new(&lab->peer, names[0], &lab->config, &lab->services, lab->base,
			lab->contexts[0]), "no memory");
	peer_start(lab->peer, &lab->config);
	return lab;
}

static void hang_up(struct lab *lab)
{
	connection_free(lab->other);
	lab->other = NULL;
	lab->is_open = false;
}

static void lab_free(struct lab *lab)
{
	hang_up(lab);
	lab->peer->n_links = 0;
	peer_free(lab->peer);
	event_free(lab->knock);
	event_free(lab->deadline);
	close(lab->listener);
	close(lab->services.log.fd);
	tls_context_free(lab->contexts[0]);
	tls_context_free(lab->contexts[1]);
	event_base_free(lab->base);
	free(lab);
}

static void turn(struct lab *lab)
{
	event_base_loop(lab->base, EVLOOP_ONCE);
}

static void until_open(struct lab *lab)
{
	while (!lab->is_open || !lab->peer->is_open)
		turn(lab);
}

/* The other end, or whoever can end a TCP connection from outside, does it at once. */
static void until_reset(struct lab *lab)
{
	until_open(lab);
	hang_up(lab);
	while (lab->peer->connection)
		turn(lab);
}

TEST(connections_that_end_at_once_are_dialled_at_growing_pauses)
{
	struct lab *lab = lab_new();
	unsigned int i;

	for (i = 0; i < 7; i++)
		until_reset(lab);
	CHECK_NUMBER("connections", lab->peer->n_connections, 7);
	CHECK_NUMBER("the next pause", lab->peer->dialler.pause_ms, DIALLER_MAX_MS);
	lab_free(lab);
}

TEST(after_a_connection_that_lasted_the_peer_is_dialled_at_once)
{
	struct lab *lab = lab_new();

	lab->peer->dialler.pause_ms = DIALLER_MAX_MS;
	until_open(lab);
	peer_time += PEER_LASTS_MS - 1;
	until_reset(lab);
	CHECK_NUMBER("too short", lab->peer->dialler.pause_ms, DIALLER_MAX_MS);
	until_open(lab);
	peer_time += PEER_LASTS_MS;
	until_reset(lab);
	CHECK_NUMBER("twice the shortest, for the dial after this one", lab->peer->dialler.pause_ms,
		     2 * DIALLER_MIN_MS);
	lab_free(lab);
}

static void say_hello(struct lab *lab, uint64_t number)
{
	struct msg msg = {
		.core = { .type = SESSION_MESSAGE_HELLO, .from = number, .versions = { 1, 1 } },
		.link_id = 7,
	};
	uint8_t data[MSG_BYTES_MAX];
	int len = msg_encode(&msg, data, sizeof(data));

	CHECK(len > 0, "not encoded: %d", len);
	peer_send(lab->peer, NULL, data, (size_t)len);
}

/* The loop serves others in between: the watchdog, and the links of other peers. */
TEST(a_turn_of_the_loop_handles_few_messages_of_a_peer_that_floods)
{
	struct lab *lab = lab_new();
	unsigned int before, most = 0;
	uint64_t i;

	until_open(lab);
	lab->peer->n_links = 100;
	for (i = 0; i < N_FLOOD; i++)
		say_hello(lab, i + 1);
	while (lab->n_received < N_FLOOD) {
		before = lab->n_received;
		turn(lab);
		if (lab->n_received - before > most)
			most = lab->n_received - before;
	}
	CHECK(most <= 32, "%u messages in one turn", most);
	CHECK_NUMBER("closed", lab->n_closed, 0);
	lab_free(lab);
}

/* Invitations of a thousand links, each 1.3 KB, before the peer reads one of them. */
static void fill_up(struct lab *lab, size_t bytes)
{
	static const uint8_t zeros[1300];
	size_t sent;

	for (sent = 0; sent < bytes; sent += sizeof(zeros))
		peer_send(lab->peer, NULL, zeros, sizeof(zeros));
}

TEST(messages_of_a_thousand_links_can_wait)
{
	struct lab *lab = lab_new();

	until_open(lab);
	lab->peer->n_links = 1000;
	fill_up(lab, (size_t)8 << 20);
	lab->peer->n_links = 0;
	event_base_loop(lab->base, EVLOOP_NONBLOCK);
	CHECK(lab->peer->is_open, "%s", lab->peer->why);
	lab_free(lab);
}

TEST(one_link_cannot_use_memory_without_bound)
{
	struct lab *lab = lab_new();

	until_open(lab);
	lab->peer->n_links = 1;
	/* Beyond what the sockets of both ends hold. */
	fill_up(lab, (size_t)32 << 20);
	lab->peer->n_links = 0;
	while (lab->peer->connection)
		turn(lab);
	CHECK_TEXT("why", lab->peer->why, "the peer does not read its messages");
	lab_free(lab);
}

TEST(another_link_with_an_id_is_found)
{
	static const struct config_link configs[2] = { { .device = "qlink0" }, { .device = "qlink1" } };
	struct link links[2] = { { .config = &configs[0], .id = 7 }, { .config = &configs[1] } };
	struct lab *lab = lab_new();
	unsigned int i;

	CHECK_NUMBER("room", peer_reserve_links(lab->peer, 2), 0);
	for (i = 0; i < 2; i++)
		peer_add_link(lab->peer, &links[i]);
	CHECK(peer_id_owner(lab->peer, &links[1], 7) == &links[0], "not found");
	CHECK(!peer_id_owner(lab->peer, &links[0], 7), "the link itself");
	CHECK(!peer_id_owner(lab->peer, &links[1], 8), "an id that is free");
	lab_free(lab);
}
