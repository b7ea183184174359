// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer on the kernel's answers: libnl reads them as it would from a socket.
 * Whatever they are, each call ends with a result or with a reason.
 *
 * The first byte selects the call. Then come datagrams, each after its length.
 */
#include "libqlink/event.c"

#include <netlink/socket.h>

#include "libqlink/netns.h"
#include "qlinkd/peer/route.h"

/* The rest of the input. */
static const uint8_t *at;
static size_t left;

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* A buffer of exactly the right size, so that reading one byte more is detected. */
static int feed(struct nl_sock *sock, struct sockaddr_nl *from, unsigned char **buf,
		struct ucred **creds)
{
	uint16_t len;

	(void)sock;
	(void)creds;
	if (left < sizeof(len)) {
		left = 0;
		return -NLE_AGAIN;
	}
	memcpy(&len, at, sizeof(len));
	at += sizeof(len);
	left -= sizeof(len);
	if (len > left)
		len = (uint16_t)left;
	memset(from, 0, sizeof(*from));
	from->nl_family = AF_NETLINK;
	if (!len)
		return -NLE_AGAIN;
	*buf = malloc(len);
	must(*buf);
	memcpy(*buf, at, len);
	at += len;
	left -= len;
	return len;
}

static int send_nothing(struct nl_sock *sock, struct nl_msg *msg)
{
	(void)sock;
	(void)msg;
	return 0;
}

/* Accept any sequence number for any request. */
static int ignore_sequence(struct nl_msg *msg, void *arg)
{
	(void)msg;
	(void)arg;
	return NL_OK;
}

static void feed_socket(struct nl_sock *sock)
{
	struct nl_cb *cb = nl_socket_get_cb(sock);

	nl_cb_overwrite_recv(cb, feed);
	nl_cb_overwrite_send(cb, send_nothing);
	nl_cb_put(cb);
	nl_socket_disable_seq_check(sock);
}

/* fuzz.mk has the linker replace functions of libnl by these. */
int __wrap_nl_connect(struct nl_sock *sock, int protocol);
int __wrap_nl_recvmsgs(struct nl_sock *sock, struct nl_cb *cb);
int __real_nl_recvmsgs(struct nl_sock *sock, struct nl_cb *cb);

int __wrap_nl_connect(struct nl_sock *sock, int protocol)
{
	(void)protocol;
	feed_socket(sock);
	return 0;
}

int __wrap_nl_recvmsgs(struct nl_sock *sock, struct nl_cb *cb)
{
	nl_cb_overwrite_recv(cb, feed);
	nl_cb_set(cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, ignore_sequence, NULL);
	return __real_nl_recvmsgs(sock, cb);
}

/* --- what is true of every call --- */

static void check_end(int err, const struct qlink_error *error)
{
	must(memchr(error->message, '\0', sizeof(error->message)));
	must(err <= 0 && error->err == -err);
	must(!err || qlink_error_text(error)[0]);
}

static void check_link(const struct qlink_link *link)
{
	must(memchr(link->ifname, '\0', sizeof(link->ifname)));
	must(link->config.local.len <= sizeof(link->config.local.bytes) &&
	     link->config.remote.len <= sizeof(link->config.remote.bytes));
}

static void try_link(struct qlink_nl *nl)
{
	struct qlink_error error;
	struct qlink_link link;

	check_end(qlink_link_get(nl, 5, &link, &error), &error);
	check_link(&link);
}

static void try_links(struct qlink_nl *nl)
{
	struct qlink_link *links;
	struct qlink_error error;
	int err;
	size_t n;

	err = qlink_link_dump(nl, &links, &n, &error);
	check_end(err, &error);
	if (err)
		return;
	while (n--)
		check_link(&links[n]);
	free(links);
}

static void try_keys(struct qlink_nl *nl)
{
	struct qlink_error error;
	struct qlink_key *keys;
	int err;
	size_t n;

	err = qlink_key_dump(nl, 5, &keys, &n, &error);
	check_end(err, &error);
	if (err)
		return;
	/* The kernel never returns key bytes. */
	while (n--)
		must(!keys[n].secret);
	free(keys);
}

static void try_records(struct qlink_nl *nl)
{
	struct qlink_record *records;
	struct qlink_error error;
	int err;
	size_t n;

	err = qlink_record_dump(nl, 5, 1, &records, &n, &error);
	check_end(err, &error);
	if (!err)
		free(records);
}

static void try_rotate(struct qlink_nl *nl)
{
	struct qlink_error error;

	check_end(qlink_rotate(nl, 5, &error), &error);
}

static void try_events(struct qlink_nl *nl)
{
	struct qlink_monitor monitor = { .nl = nl };
	struct qlink_event event;
	struct qlink_error error;
	int err;

	nl_socket_modify_cb(nl->sock, NL_CB_VALID, NL_CB_CUSTOM, on_event, &monitor);
	do {
		memset(&error, 0, sizeof(error));
		err = qlink_monitor_next(&monitor, &event, &error);
		check_end(err, &error);
		must(err || memchr(event.ifname, '\0', sizeof(event.ifname)));
	} while (left);
}

/* --- rtnetlink --- */

static void try_route(struct qlink_nl *nl)
{
	const struct qlink_addr addr = { .len = 4, .bytes = { 192, 0, 2, 1 } };
	struct qlink_why why = { "" };
	int err = route_check(&addr, &why);

	(void)nl;
	must(!err == !why.text[0] && (!err || err == -EHOSTUNREACH || err == -EXDEV));
}

static void try_netns(struct qlink_nl *nl)
{
	(void)nl;
	must(qlink_underlay_is_here(5) <= 1);
}

/* As the plug-in for ip walks the attributes that ip read. */
static void try_plugin(struct qlink_nl *nl)
{
	struct qlink_link link = { 0 };
	uint8_t *data = malloc(left + 1);

	(void)nl;
	must(data);
	memcpy(data, at, left);
	qlink_attr_walk(data, left, qlink_link_take, &link);
	check_link(&link);
	free(data);
}

static void (*const tries[])(struct qlink_nl *nl) = {
	try_link, try_links, try_keys, try_records, try_rotate, try_events, try_route,
	try_netns, try_plugin,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct qlink_nl nl = { .family = 30 };

	if (!len)
		return 0;
	nl.sock = nl_socket_alloc();
	must(nl.sock);
	feed_socket(nl.sock);
	at = data + 1;
	left = len - 1;
	tries[data[0] % (sizeof(tries) / sizeof(tries[0]))](&nl);
	nl_socket_free(nl.sock);
	return 0;
}
