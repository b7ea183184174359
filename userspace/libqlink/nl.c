// SPDX-License-Identifier: GPL-2.0-or-later
/* libqlink: typed calls of the generic netlink family qlink. */
#include "nl.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

/* How often a list is requested, if something changes each time while it is read. */
#define DUMP_TRIES	16

/* Bytes in a request for everything but keys, and for one key with all its attributes. */
#define REQUEST_ROOM	1024
#define KEY_ROOM	160

/* The highest errno that the kernel has. */
#define ERRNO_MAX	4095

/* What comes back for a request, and where it goes. */
struct nl_reply {
	struct qlink_error *error;
	int (*take)(void *arg, const void *attrs, size_t len);
	void *arg;
	bool is_done;
	int err;
};

const char *qlink_error_text(const struct qlink_error *error)
{
	return error->message[0] ? error->message : strerror(error->err);
}

int qlink_fail(struct qlink_error *error, int err, const char *message)
{
	memset(error, 0, sizeof(*error));
	error->err = -err;
	snprintf(error->message, sizeof(error->message), "%s", message);
	return err;
}

/* libnl does not return errno, which says more than libnl's own codes. */
int qlink_fail_nl(struct qlink_error *error, int nl_err)
{
	return qlink_fail(error, errno ? -errno : -EIO, nl_geterror(nl_err));
}

/* ---- replies ---- */

static int ack_take(void *arg, unsigned int type, const void *data, size_t len)
{
	struct qlink_error *error = arg;

	switch (type) {
	case NLMSGERR_ATTR_MSG:
		snprintf(error->message, sizeof(error->message), "%.*s",
			 (int)strnlen(data, len), (const char *)data);
		return 0;
	case NLMSGERR_ATTR_OFFS:
		error->has_offset = true;
		return qlink_attr_copy(&error->offset, sizeof(error->offset),
				       data, len);
	case NLMSGERR_ATTR_MISS_TYPE:
		if (!error->message[0] && len == sizeof(uint32_t))
			snprintf(error->message, sizeof(error->message),
				 "required attribute %u is missing",
				 *(const uint32_t *)data);
	}
	return 0;
}

/* Read the extended ack, which starts @at bytes into the payload of @hdr. */
static void ack_read(const struct nlmsghdr *hdr, size_t at,
		     struct qlink_error *error)
{
	size_t len = nlmsg_datalen(hdr);

	at = NLMSG_ALIGN(at);
	if (!(hdr->nlmsg_flags & NLM_F_ACK_TLVS) || at > len)
		return;
	qlink_attr_walk((const char *)nlmsg_data(hdr) + at, len - at, ack_take,
			error);
}

/* A valid message has 0 or a negative errno of the kernel. */
static void nl_reply_end(struct nl_reply *reply, int err)
{
	reply->is_done = true;
	if (reply->err || !err)
		return;
	reply->err = err < 0 && err >= -ERRNO_MAX ? err : -EBADMSG;
	reply->error->err = -reply->err;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *answer, void *arg)
{
	const struct nlmsghdr *hdr = (void *)((char *)answer - NLMSG_HDRLEN);
	struct nl_reply *reply = arg;
	size_t at = sizeof(*answer);

	(void)from;
	if (!(hdr->nlmsg_flags & NLM_F_CAPPED))
		at += answer->msg.nlmsg_len - NLMSG_HDRLEN;
	ack_read(hdr, at, reply->error);
	nl_reply_end(reply, answer->error);
	return NL_STOP;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	(void)msg;
	nl_reply_end(arg, 0);
	return NL_STOP;
}

/* If a dump fails after it has begun, its last message says so. */
static int on_finish(struct nl_msg *msg, void *arg)
{
	const struct nlmsghdr *hdr = nlmsg_hdr(msg);
	struct nl_reply *reply = arg;
	int err = 0;

	if (nlmsg_datalen(hdr) >= (int)sizeof(err))
		memcpy(&err, nlmsg_data(hdr), sizeof(err));
	if (err < 0)
		ack_read(hdr, sizeof(err), reply->error);
	nl_reply_end(reply, err < 0 ? err : 0);
	return NL_STOP;
}

static int on_valid(struct nl_msg *msg, void *arg)
{
	const struct genlmsghdr *genl = nlmsg_data(nlmsg_hdr(msg));
	struct nl_reply *reply = arg;
	int err = -EBADMSG;

	if (reply->err || !reply->take)
		return NL_OK;
	if (genlmsg_valid_hdr(nlmsg_hdr(msg), 0))
		err = reply->take(reply->arg, genlmsg_attrdata(genl, 0),
			      (size_t)genlmsg_attrlen(genl, 0));
	if (err)
		reply->err = qlink_fail(reply->error, err, "the reply does not parse");
	return NL_OK;
}

static struct nl_cb *nl_reply_callbacks(struct nl_reply *reply)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);

	if (!cb)
		return NULL;
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, reply);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, reply);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, reply);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, reply);
	return cb;
}

/* Read until the reply is complete or reading fails. */
static int nl_reply_read(struct qlink_nl *nl, struct nl_reply *reply)
{
	struct nl_cb *cb = nl_reply_callbacks(reply);
	int err = 0;

	if (!cb)
		return qlink_fail(reply->error, -ENOMEM, "");
	while (!reply->is_done) {
		errno = 0;
		err = nl_recvmsgs(nl->sock, cb);
		if (err < 0 && !reply->is_done)
			break;
	}
	nl_cb_put(cb);
	if (err == -NLE_DUMP_INTR)
		return qlink_fail(reply->error, -EINTR, "the list changed while it was read");
	if (!reply->is_done)
		return qlink_fail_nl(reply->error, err);
	return reply->err;
}

static int nl_request_send(struct qlink_nl *nl, struct nl_msg *msg,
			   struct nl_reply *reply)
{
	int err;

	memset(reply->error, 0, sizeof(*reply->error));
	errno = 0;
	err = nl_send_auto(nl->sock, msg);
	return err < 0 ? qlink_fail_nl(reply->error, err) : 0;
}

/* ---- sockets and requests ---- */

static int set_options(struct nl_sock *sock)
{
	static const int options[] = {
		NETLINK_EXT_ACK,
		/* An ack without the request in it has no key bytes in it. */
		NETLINK_CAP_ACK,
		NETLINK_GET_STRICT_CHK,
	};
	const int on = 1;
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (setsockopt(nl_socket_get_fd(sock), SOL_NETLINK, options[i],
			       &on, sizeof(on)))
			return -errno;
	return 0;
}

static int connect_family(struct qlink_nl *nl, struct qlink_error *error)
{
	int err;

	errno = 0;
	err = genl_connect(nl->sock);
	if (err)
		return qlink_fail_nl(error, err);
	err = set_options(nl->sock);
	if (err)
		return qlink_fail(error, err, "");
	errno = 0;
	nl->family = genl_ctrl_resolve(nl->sock, QLINK_FAMILY_NAME);
	if (nl->family == -NLE_OBJ_NOTFOUND)
		return qlink_fail(error, -ENOENT, QLINK_FAMILY_NAME
			    ": no such netlink family: is the module loaded? (modprobe qlink)");
	if (nl->family < 0)
		return qlink_fail_nl(error, nl->family);
	return 0;
}

int qlink_nl_open(struct qlink_nl **out, struct qlink_error *error)
{
	struct qlink_nl *nl = calloc(1, sizeof(*nl));
	int err;

	memset(error, 0, sizeof(*error));
	if (!nl)
		return qlink_fail(error, -ENOMEM, "");
	nl->sock = nl_socket_alloc();
	err = nl->sock ? connect_family(nl, error) : qlink_fail(error, -ENOMEM, "");
	if (err) {
		qlink_nl_close(nl);
		return err;
	}
	*out = nl;
	return 0;
}

void qlink_nl_close(struct qlink_nl *nl)
{
	if (!nl)
		return;
	nl_socket_free(nl->sock);
	free(nl);
}

/* Make a request with the ifindex, unless that is 0, for a dump of all links. */
static struct nl_msg *nl_request_new(struct qlink_nl *nl, uint8_t cmd, int flags,
				     uint32_t ifindex, size_t room)
{
	struct nl_msg *msg = nlmsg_alloc_size(REQUEST_ROOM + room);

	if (!msg)
		return NULL;
	if (!genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, nl->family, 0, flags,
			 cmd, QLINK_FAMILY_VERSION) ||
	    (ifindex && nla_put_u32(msg, QLINK_A_IFINDEX, ifindex))) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static int nl_request_put(void *msg, unsigned int type, const void *data,
			  size_t len)
{
	return nla_put(msg, (int)type, (int)len, data) ? -EMSGSIZE : 0;
}

/* Did a request go to a number that the family has no more? It has another one after the module
 * was unloaded and loaded again. The kernel says no more of that than an errno.
 */
static bool nl_family_is_gone(struct qlink_nl *nl, const struct nl_reply *reply, int err)
{
	int family;

	if (err != -ENOENT || reply->error->message[0] || reply->error->has_offset)
		return false;
	family = genl_ctrl_resolve(nl->sock, QLINK_FAMILY_NAME);
	if (family < 0 || family == nl->family)
		return false;
	nl->family = family;
	return true;
}

static int nl_exchange(struct qlink_nl *nl, struct nl_msg *msg, struct nl_reply *reply)
{
	int err = nl_request_send(nl, msg, reply);

	return err ? err : nl_reply_read(nl, reply);
}

/* Send a request, read the reply, and free the request. What only asks is asked again of a new
 * family; what changes something may have meant a device that has gone with the old one.
 */
static int nl_request(struct qlink_nl *nl, struct nl_msg *msg, struct nl_reply *reply)
{
	int err = nl_exchange(nl, msg, reply);

	if (nl_family_is_gone(nl, reply, err) && reply->take) {
		nlmsg_hdr(msg)->nlmsg_type = (uint16_t)nl->family;
		nlmsg_hdr(msg)->nlmsg_seq = NL_AUTO_SEQ;
		reply->is_done = false;
		reply->err = 0;
		err = nl_exchange(nl, msg, reply);
	}
	nlmsg_free(msg);
	return err;
}

int qlink_nl_connect_route(struct qlink_nl *nl, struct qlink_error *error)
{
	int err;

	errno = 0;
	err = nl_connect(nl->sock, NETLINK_ROUTE);
	if (err)
		return qlink_fail_nl(error, err);
	err = set_options(nl->sock);
	return err ? qlink_fail(error, err, "") : 0;
}

int qlink_nl_ask(struct qlink_nl *nl, struct nl_msg *msg, struct qlink_error *error)
{
	struct nl_reply reply = { .error = error };
	int err = nl_exchange(nl, msg, &reply);

	nlmsg_free(msg);
	return err;
}

static int list_grow(struct qlink_list *list)
{
	size_t room = list->room ? list->room * 2 : 16;
	void *items = reallocarray(list->items, room, list->item_size);

	if (!items)
		return -ENOMEM;
	list->items = items;
	list->room = room;
	return 0;
}

void *qlink_list_next(struct qlink_list *list)
{
	void *item;

	if (list->n == list->room && list_grow(list))
		return NULL;
	item = (char *)list->items + list->n * list->item_size;
	memset(item, 0, list->item_size);
	return item;
}

/* Append the item that @attrs describe; it counts only if all of them are good. */
static int list_append(struct qlink_list *list, qlink_attr_take take, const void *attrs, size_t len)
{
	void *item = qlink_list_next(list);
	int err = item ? qlink_attr_walk(attrs, len, take, item) : -ENOMEM;

	if (!err)
		list->n++;
	return err;
}

static int dump_once(struct qlink_nl *nl, const struct qlink_dump *dump,
		     struct nl_reply *reply)
{
	struct nl_msg *msg = nl_request_new(nl, dump->cmd, NLM_F_DUMP,
					    dump->ifindex, 0);

	if (!msg)
		return qlink_fail(reply->error, -ENOMEM, "");
	if (dump->after && nla_put_u64(msg, QLINK_A_AFTER, dump->after)) {
		nlmsg_free(msg);
		return qlink_fail(reply->error, -EMSGSIZE, "");
	}
	return nl_request(nl, msg, reply);
}

int qlink_nl_dump(struct qlink_nl *nl, const struct qlink_dump *dump,
		  struct qlink_list *list, struct qlink_error *error)
{
	int err, i;

	for (i = 0; i < DUMP_TRIES; i++) {
		struct nl_reply reply = {
			.error = error, .take = dump->take, .arg = list,
		};

		list->n = 0;
		err = dump_once(nl, dump, &reply);
		if (err != -EINTR)
			break;
	}
	if (err) {
		free(list->items);
		list->items = NULL;
	}
	return err;
}

/* ---- links ---- */

static int link_get_take(void *link, const void *attrs, size_t len)
{
	return qlink_attr_walk(attrs, len, qlink_link_take_message, link);
}

int qlink_link_get(struct qlink_nl *nl, uint32_t ifindex,
		   struct qlink_link *link, struct qlink_error *error)
{
	struct nl_reply reply = {
		.error = error, .take = link_get_take, .arg = link,
	};
	struct nl_msg *msg;

	memset(link, 0, sizeof(*link));
	msg = nl_request_new(nl, QLINK_CMD_LINK_GET, 0, ifindex, 0);
	if (!msg)
		return qlink_fail(error, -ENOMEM, "");
	return nl_request(nl, msg, &reply);
}

static int link_list_take(void *list, const void *attrs, size_t len)
{
	return list_append(list, qlink_link_take_message, attrs, len);
}

int qlink_link_dump(struct qlink_nl *nl, struct qlink_link **links, size_t *n,
		    struct qlink_error *error)
{
	static const struct qlink_dump all = {
		.cmd = QLINK_CMD_LINK_GET, .take = link_list_take,
	};
	struct qlink_list list = { .item_size = sizeof(**links) };
	int err;

	err = qlink_nl_dump(nl, &all, &list, error);
	if (err)
		return err;
	*links = list.items;
	*n = list.n;
	return 0;
}

int qlink_link_set(struct qlink_nl *nl, uint32_t ifindex,
		   const struct qlink_config *config, struct qlink_error *error)
{
	struct nl_reply reply = { .error = error };
	struct nlattr *nest;
	struct nl_msg *msg;

	msg = nl_request_new(nl, QLINK_CMD_LINK_SET, 0, ifindex, 0);
	if (!msg)
		return qlink_fail(error, -ENOMEM, "");
	nest = nla_nest_start(msg, QLINK_A_LINK | NLA_F_NESTED);
	if (!nest || qlink_config_put(config, nl_request_put, msg)) {
		nlmsg_free(msg);
		return qlink_fail(error, -EMSGSIZE, "");
	}
	nla_nest_end(msg, nest);
	return nl_request(nl, msg, &reply);
}

/* ---- keys ---- */

int qlink_rotate(struct qlink_nl *nl, uint32_t ifindex,
		 struct qlink_error *error)
{
	struct nl_reply reply = { .error = error };
	struct nl_msg *msg = nl_request_new(nl, QLINK_CMD_ROTATE, 0, ifindex, 0);

	if (!msg)
		return qlink_fail(error, -ENOMEM, "");
	return nl_request(nl, msg, &reply);
}

typedef int (*key_put)(const struct qlink_key *key, qlink_attr_put put,
		       void *arg);

static int nl_request_put_keys(struct nl_msg *msg, const struct qlink_key *keys,
			       size_t n, key_put put)
{
	struct nlattr *nest;
	size_t i;

	for (i = 0; i < n; i++) {
		nest = nla_nest_start(msg, QLINK_A_KEY | NLA_F_NESTED);
		if (!nest || put(&keys[i], nl_request_put, msg))
			return -EMSGSIZE;
		nla_nest_end(msg, nest);
	}
	return 0;
}

/*
 * The kernel refuses a message that is larger than the send buffer, and 4,096
 * keys are larger than the send buffer that an unprivileged socket may have.
 */
static void make_room(struct qlink_nl *nl, size_t bytes)
{
	int fd = nl_socket_get_fd(nl->sock);
	int room = bytes > INT_MAX / 4 ? INT_MAX / 4 : (int)bytes;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
}

static int fail_lock(struct qlink_error *error, int err, size_t bytes)
{
	qlink_fail(error, err, "");
	snprintf(error->message, sizeof(error->message),
		 "cannot lock %zu bytes of memory for keys: %s", bytes,
		 strerror(-err));
	return err;
}

/*
 * Fill in the message, send it and wipe it. libnl has it on the heap: it is
 * locked while it holds key bytes. qlink_secret_harden() prevents core dumps.
 */
static int install_send(struct qlink_nl *nl, struct nl_msg *msg,
			const struct qlink_key *keys, size_t n,
			struct nl_reply *reply)
{
	size_t size = nlmsg_get_max_size(msg);
	void *memory = nlmsg_hdr(msg);
	int err;

	if (mlock(memory, size))
		return fail_lock(reply->error, -errno, size);
	err = nl_request_put_keys(msg, keys, n, qlink_key_put);
	if (err)
		qlink_fail(reply->error, err, "");
	else
		err = nl_request_send(nl, msg, reply);
	explicit_bzero(memory, size);
	munlock(memory, size);
	return err;
}

int qlink_key_install(struct qlink_nl *nl, uint32_t ifindex,
		      const struct qlink_key *keys, size_t n,
		      struct qlink_error *error)
{
	struct nl_reply reply = { .error = error };
	struct nl_msg *msg;
	int err;

	if (n > (INT_MAX / 4 - REQUEST_ROOM) / KEY_ROOM)
		return qlink_fail(error, -EMSGSIZE, "");
	msg = nl_request_new(nl, QLINK_CMD_KEY_INSTALL, 0, ifindex, n * KEY_ROOM);
	if (!msg)
		return qlink_fail(error, -ENOMEM, "");
	make_room(nl, nlmsg_get_max_size(msg));
	err = install_send(nl, msg, keys, n, &reply);
	nlmsg_free(msg);
	if (!err)
		err = nl_reply_read(nl, &reply);
	/* The keys were wiped, and are not sent again; but later requests find the family. */
	nl_family_is_gone(nl, &reply, err);
	return err;
}

int qlink_key_del(struct qlink_nl *nl, uint32_t ifindex,
		  const struct qlink_key *keys, size_t n,
		  struct qlink_error *error)
{
	struct nl_reply reply = { .error = error };
	struct nl_msg *msg;

	if (n > (INT_MAX / 4 - REQUEST_ROOM) / KEY_ROOM)
		return qlink_fail(error, -EMSGSIZE, "");
	msg = nl_request_new(nl, QLINK_CMD_KEY_DEL, 0, ifindex, n * KEY_ROOM);
	if (!msg)
		return qlink_fail(error, -ENOMEM, "");
	make_room(nl, nlmsg_get_max_size(msg));
	if (nl_request_put_keys(msg, keys, n, qlink_key_put_name)) {
		nlmsg_free(msg);
		return qlink_fail(error, -EMSGSIZE, "");
	}
	return nl_request(nl, msg, &reply);
}

static int key_list_take_attr(void *arg, unsigned int type, const void *data,
			      size_t len)
{
	return type == QLINK_A_KEY ? list_append(arg, qlink_key_take, data, len) : 0;
}

static int key_list_take(void *list, const void *attrs, size_t len)
{
	return qlink_attr_walk(attrs, len, key_list_take_attr, list);
}

int qlink_key_dump(struct qlink_nl *nl, uint32_t ifindex,
		   struct qlink_key **keys, size_t *n,
		   struct qlink_error *error)
{
	const struct qlink_dump of_link = {
		.cmd = QLINK_CMD_KEY_GET, .ifindex = ifindex, .take = key_list_take,
	};
	struct qlink_list list = { .item_size = sizeof(**keys) };
	int err;

	err = qlink_nl_dump(nl, &of_link, &list, error);
	if (err)
		return err;
	*keys = list.items;
	*n = list.n;
	return 0;
}

/* ---- records ---- */

static int record_list_take_attr(void *arg, unsigned int type, const void *data, size_t len)
{
	return type == QLINK_A_RECORD ? list_append(arg, qlink_record_take, data, len) : 0;
}

static int record_list_take(void *list, const void *attrs, size_t len)
{
	return qlink_attr_walk(attrs, len, record_list_take_attr, list);
}

int qlink_record_dump(struct qlink_nl *nl, uint32_t ifindex, uint64_t after,
		      struct qlink_record **records, size_t *n,
		      struct qlink_error *error)
{
	const struct qlink_dump of_link = {
		.cmd = QLINK_CMD_RECORD_GET, .ifindex = ifindex, .after = after,
		.take = record_list_take,
	};
	struct qlink_list list = { .item_size = sizeof(**records) };
	int err;

	err = qlink_nl_dump(nl, &of_link, &list, error);
	if (err)
		return err;
	*records = list.items;
	*n = list.n;
	return 0;
}
