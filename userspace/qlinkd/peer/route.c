// SPDX-License-Identifier: GPL-2.0-or-later
/* Checks that the route to a peer does not use a qlink device. */
#include "route.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

/* Most devices on top of each other that are followed. */
#define DEPTH_MAX	8

struct answer {
	uint32_t device;
	uint32_t below;
	char kind[16];
};

static int parse_route(struct nl_msg *msg, void *arg)
{
	static const struct nla_policy policy[RTA_MAX + 1] = {
		[RTA_OIF] = { .type = NLA_U32 },
	};
	struct nlattr *attrs[RTA_MAX + 1];
	struct answer *answer = arg;

	if (nlmsg_hdr(msg)->nlmsg_type == RTM_NEWROUTE &&
	    !nlmsg_parse(nlmsg_hdr(msg), sizeof(struct rtmsg), attrs, RTA_MAX, policy) &&
	    attrs[RTA_OIF])
		answer->device = nla_get_u32(attrs[RTA_OIF]);
	return NL_OK;
}

static int parse_link(struct nl_msg *msg, void *arg)
{
	static const struct nla_policy policy[IFLA_MAX + 1] = {
		[IFLA_LINK] = { .type = NLA_U32 },
	};
	struct nlattr *attrs[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1];
	struct answer *answer = arg;

	if (nlmsg_hdr(msg)->nlmsg_type != RTM_NEWLINK ||
	    nlmsg_parse(nlmsg_hdr(msg), sizeof(struct ifinfomsg), attrs, IFLA_MAX, policy))
		return NL_OK;
	if (attrs[IFLA_LINK])
		answer->below = nla_get_u32(attrs[IFLA_LINK]);
	if (attrs[IFLA_LINKINFO] &&
	    !nla_parse_nested(info, IFLA_INFO_MAX, attrs[IFLA_LINKINFO], NULL) &&
	    info[IFLA_INFO_KIND])
		nla_strlcpy(answer->kind, info[IFLA_INFO_KIND], sizeof(answer->kind));
	return NL_OK;
}

/* Sends and frees @msg, and calls @parse with the answer. */
static int ask(struct nl_sock *sock, struct nl_msg *msg, nl_recvmsg_msg_cb_t parse,
	       struct answer *answer)
{
	int err;

	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, parse, answer);
	err = nl_send_auto(sock, msg);
	nlmsg_free(msg);
	if (err >= 0)
		err = nl_recvmsgs_default(sock);
	return err < 0 ? -EHOSTUNREACH : 0;
}

static int ask_route(struct nl_sock *sock, const struct qlink_addr *addr, struct answer *answer)
{
	struct rtmsg rt = {
		.rtm_family = addr->len == 4 ? AF_INET : AF_INET6,
		.rtm_dst_len = (unsigned char)(addr->len * 8),
	};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, 0);

	if (!msg || nlmsg_append(msg, &rt, sizeof(rt), NLMSG_ALIGNTO) ||
	    nla_put(msg, RTA_DST, addr->len, addr->bytes)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return ask(sock, msg, parse_route, answer);
}

static int ask_link(struct nl_sock *sock, uint32_t device, struct answer *answer)
{
	struct ifinfomsg info = { .ifi_index = (int)device };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETLINK, 0);

	memset(answer, 0, sizeof(*answer));
	if (!msg || nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return ask(sock, msg, parse_link, answer);
}

static int check(struct nl_sock *sock, const struct qlink_addr *addr, struct qlink_why *why)
{
	struct answer answer = { 0 };
	int err = ask_route(sock, addr, &answer), depth;
	char name[IF_NAMESIZE] = "";
	uint32_t device;

	if (err || !answer.device)
		return qlink_refuse(why, -EHOSTUNREACH, "no route");
	device = answer.device;
	for (depth = 0; device && depth < DEPTH_MAX; depth++) {
		if (ask_link(sock, device, &answer))
			break;
		if (!strcmp(answer.kind, "qlink"))
			return qlink_refuse(why, -EXDEV,
					    "routed through %s, a qlink device; it must go outside",
					    if_indextoname(device, name) ? name : "a device");
		/* IFLA_LINK of a veth is its other end, not a device below it. */
		device = strcmp(answer.kind, "veth") ? answer.below : 0;
	}
	return 0;
}

int route_check(const struct qlink_addr *addr, struct qlink_why *why)
{
	struct nl_sock *sock = nl_socket_alloc();
	int err;

	if (!sock || nl_connect(sock, NETLINK_ROUTE)) {
		nl_socket_free(sock);
		return qlink_refuse(why, -ENOMEM, "no netlink socket");
	}
	nl_socket_disable_seq_check(sock);
	nl_socket_disable_auto_ack(sock);
	err = check(sock, addr, why);
	nl_socket_free(sock);
	return err;
}
