// SPDX-License-Identifier: GPL-2.0-or-later
/* Events of links, which the kernel sends to every listener. */
#include "event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "nl.h"

/* Room for the events of a thousand links over some seconds. */
#define RECEIVE_BYTES	(4 << 20)

struct qlink_monitor {
	struct qlink_nl *nl;

	/* Where the next event goes, and whether it was read without error. */
	struct qlink_event *event;
	bool has_event;
	int err;

	/* The module was loaded again. */
	bool is_anew;
};

static int event_take(void *arg, unsigned int type, const void *data, size_t len)
{
	struct qlink_event *event = arg;

	switch (type) {
	case QLINK_A_EVENT_TX:
		return qlink_attr_walk(data, len, qlink_ring_take, &event->tx);
	case QLINK_A_EVENT_RX:
		return qlink_attr_walk(data, len, qlink_ring_take, &event->rx);
	case QLINK_A_EVENT_PEER_HEARD:
		event->has_peer = true;
		break;
	}
	return qlink_attr_take_of(&qlink_event_attrs, event, type, data, len);
}

int qlink_event_take_message(void *arg, unsigned int type, const void *data,
			     size_t len)
{
	struct qlink_event *event = arg;

	switch (type) {
	case QLINK_A_IFINDEX:
		return qlink_attr_copy(&event->ifindex, sizeof(event->ifindex),
				       data, len);
	case QLINK_A_IFNAME:
		return qlink_name_take(event->ifname, sizeof(event->ifname),
				       data, len);
	case QLINK_A_EVENT:
		return qlink_attr_walk(data, len, event_take, event);
	}
	return 0;
}

/* Does a message say that our family has come? Then the module was loaded again, and has other numbers now. */
static bool is_our_family(struct nl_msg *msg)
{
	const struct genlmsghdr *genl = nlmsg_data(nlmsg_hdr(msg));
	struct nlattr *attrs[CTRL_ATTR_MAX + 1];

	return nlmsg_hdr(msg)->nlmsg_type == GENL_ID_CTRL && genlmsg_valid_hdr(nlmsg_hdr(msg), 0) &&
	       genl->cmd == CTRL_CMD_NEWFAMILY &&
	       !genlmsg_parse(nlmsg_hdr(msg), 0, attrs, CTRL_ATTR_MAX, NULL) &&
	       attrs[CTRL_ATTR_FAMILY_NAME] &&
	       !nla_strcmp(attrs[CTRL_ATTR_FAMILY_NAME], QLINK_FAMILY_NAME);
}

static int on_event(struct nl_msg *msg, void *arg)
{
	struct genlmsghdr *genl = nlmsg_data(nlmsg_hdr(msg));
	struct qlink_monitor *monitor = arg;

	monitor->is_anew = monitor->is_anew || is_our_family(msg);
	if (nlmsg_hdr(msg)->nlmsg_type != monitor->nl->family ||
	    !genlmsg_valid_hdr(nlmsg_hdr(msg), 0) || genl->cmd != QLINK_CMD_EVENT)
		return NL_OK;
	memset(monitor->event, 0, sizeof(*monitor->event));
	monitor->err = qlink_attr_walk(genlmsg_attrdata(genl, 0),
				       (size_t)genlmsg_attrlen(genl, 0),
				       qlink_event_take_message, monitor->event);
	monitor->has_event = true;
	return NL_OK;
}

/* Join the group of the family that there is now. A socket of its own asks for them, because the
 * monitor's has other messages between question and answer.
 */
static int join(struct qlink_monitor *monitor, struct qlink_error *error)
{
	struct qlink_nl *nl;
	int group, err;

	err = qlink_nl_open(&nl, error);
	if (err)
		return err;
	group = genl_ctrl_resolve_grp(nl->sock, QLINK_FAMILY_NAME, QLINK_MCGRP_EVENTS);
	monitor->nl->family = nl->family;
	qlink_nl_close(nl);
	if (group < 0)
		return qlink_fail(error, -ENOENT, QLINK_FAMILY_NAME
				  ": no events: is the module older than this program?");
	errno = 0;
	err = nl_socket_add_membership(monitor->nl->sock, group);
	return err ? qlink_fail_nl(error, err) : 0;
}

/* First what the kernel says of families, so that no change of ours is missed. */
static int subscribe(struct qlink_monitor *monitor, struct qlink_error *error)
{
	struct nl_sock *sock = monitor->nl->sock;
	int families = genl_ctrl_resolve_grp(sock, "nlctrl", "notify"), err = 0;

	/* Events do not answer a request. */
	nl_socket_disable_seq_check(sock);
	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_event, monitor);
	nl_socket_set_buffer_size(sock, RECEIVE_BYTES, 0);
	errno = 0;
	if (families >= 0)
		err = nl_socket_add_membership(sock, families);
	return err ? qlink_fail_nl(error, err) : join(monitor, error);
}

int qlink_monitor_open(struct qlink_monitor **out, struct qlink_error *error)
{
	struct qlink_monitor *monitor = calloc(1, sizeof(*monitor));
	int err;

	if (!monitor)
		return qlink_fail(error, -ENOMEM, "");
	err = qlink_nl_open(&monitor->nl, error);
	if (!err)
		err = subscribe(monitor, error);
	if (err) {
		qlink_monitor_close(monitor);
		return err;
	}
	*out = monitor;
	return 0;
}

void qlink_monitor_close(struct qlink_monitor *monitor)
{
	if (!monitor)
		return;
	qlink_nl_close(monitor->nl);
	free(monitor);
}

int qlink_monitor_fd(const struct qlink_monitor *monitor)
{
	return nl_socket_get_fd(monitor->nl->sock);
}

/* Where it has gone once more, its return is still to be heard of. */
static int start_anew(struct qlink_monitor *monitor, struct qlink_error *error)
{
	int err = join(monitor, error);

	monitor->is_anew = false;
	return err && err != -ENOENT ? err : qlink_fail(error, -ENOBUFS, "the module was loaded again");
}

/* Among what was lost may be that the family is another one. While it is not there, its return is
 * still to be heard of.
 */
static int fail_next(struct qlink_monitor *monitor, struct qlink_error *error, int nl_err)
{
	struct qlink_error ignored;
	int err = qlink_fail_nl(error, nl_err);

	if (err == -ENOBUFS)
		join(monitor, &ignored);
	return err;
}

int qlink_monitor_next(struct qlink_monitor *monitor, struct qlink_event *event,
		       struct qlink_error *error)
{
	int err;

	monitor->event = event;
	monitor->has_event = false;
	while (!monitor->has_event) {
		errno = 0;
		err = nl_recvmsgs_default(monitor->nl->sock);
		if (monitor->is_anew)
			return start_anew(monitor, error);
		/* libnl has no code of its own for lost messages: errno is ENOBUFS. */
		if (err < 0)
			return fail_next(monitor, error, err);
	}
	if (monitor->err)
		return qlink_fail(error, monitor->err, "an event does not parse");
	return 0;
}
