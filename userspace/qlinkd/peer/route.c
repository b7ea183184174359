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

#include "topology.h"

static int parse_route(struct nl_msg *msg, void *arg)
{
	static const struct nla_policy policy[RTA_MAX + 1] = {
		[RTA_OIF] = { .type = NLA_U32 },
	};
	struct nlattr *attrs[RTA_MAX + 1];
	uint32_t *device = arg;

	if (nlmsg_hdr(msg)->nlmsg_type == RTM_NEWROUTE &&
	    !nlmsg_parse(nlmsg_hdr(msg), sizeof(struct rtmsg), attrs, RTA_MAX, policy) &&
	    attrs[RTA_OIF])
		*device = nla_get_u32(attrs[RTA_OIF]);
	return NL_OK;
}

/* Devices that the kernel lists, and the one whose ports they shall be, or 0. */
struct listing {
	struct topology *topology;
	uint32_t master;
	int err;
};

static uint32_t number(struct nlattr *attr)
{
	return attr ? nla_get_u32(attr) : 0;
}

static int parse_link(struct nl_msg *msg, void *arg)
{
	static const struct nla_policy policy[IFLA_MAX + 1] = {
		[IFLA_LINK] = { .type = NLA_U32 },
		[IFLA_MASTER] = { .type = NLA_U32 },
	};
	struct nlattr *attrs[IFLA_MAX + 1], *info[IFLA_INFO_MAX + 1];
	struct topology_device device = { 0 };
	struct listing *listing = arg;

	if (nlmsg_hdr(msg)->nlmsg_type != RTM_NEWLINK ||
	    nlmsg_parse(nlmsg_hdr(msg), sizeof(struct ifinfomsg), attrs, IFLA_MAX, policy))
		return NL_OK;
	device.index = (uint32_t)((struct ifinfomsg *)nlmsg_data(nlmsg_hdr(msg)))->ifi_index;
	/* With a netns id the device below is in another netns, and its index means nothing here. */
	device.link = attrs[IFLA_LINK_NETNSID] ? 0 : number(attrs[IFLA_LINK]);
	device.master = number(attrs[IFLA_MASTER]);
	if (attrs[IFLA_LINKINFO] &&
	    !nla_parse_nested(info, IFLA_INFO_MAX, attrs[IFLA_LINKINFO], NULL) &&
	    info[IFLA_INFO_KIND])
		nla_strlcpy(device.kind, info[IFLA_INFO_KIND], sizeof(device.kind));
	if (device.index && (!listing->master || device.master == listing->master))
		listing->err = listing->err ?: topology_add(listing->topology, &device);
	return NL_OK;
}

/* Sends and frees @msg, and calls @parse with each answer. */
static int ask(struct nl_sock *sock, struct nl_msg *msg, nl_recvmsg_msg_cb_t parse, void *arg)
{
	int err;

	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, parse, arg);
	err = nl_send_auto(sock, msg);
	nlmsg_free(msg);
	if (err >= 0)
		err = nl_recvmsgs_default(sock);
	return err < 0 ? -EHOSTUNREACH : 0;
}

static int ask_route(struct nl_sock *sock, const struct qlink_addr *addr, uint32_t *device)
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
	return ask(sock, msg, parse_route, device);
}

static int ask_device(void *arg, struct topology *topology, uint32_t index)
{
	struct ifinfomsg info = { .ifi_index = (int)index };
	struct listing listing = { .topology = topology };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETLINK, 0);

	if (!msg || nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return ask(arg, msg, parse_link, &listing) ?: listing.err;
}

static int ask_ports(void *arg, struct topology *topology, uint32_t master)
{
	struct ifinfomsg info = { 0 };
	struct listing listing = { .topology = topology, .master = master };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETLINK, NLM_F_DUMP);

	if (!msg || nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) ||
	    nla_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) ||
	    nla_put_u32(msg, IFLA_MASTER, master)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return ask(arg, msg, parse_link, &listing) ?: listing.err;
}

static int check(struct nl_sock *sock, const struct qlink_addr *addr, struct qlink_why *why)
{
	static const struct topology_ops ops = { .device = ask_device, .ports = ask_ports };
	struct topology topology = { .n = 0 };
	char name[IF_NAMESIZE] = "";
	uint32_t device = 0;
	int err = ask_route(sock, addr, &device);
	int64_t qlink;

	if (err || !device)
		return qlink_refuse(why, -EHOSTUNREACH, "no route");
	qlink = topology_find_qlink(&topology, &ops, sock, device);
	topology_free(&topology);
	if (qlink < 0)
		return qlink_refuse(why, -EHOSTUNREACH, "the devices of the route changed: %s",
				    strerror((int)-qlink));
	if (qlink)
		return qlink_refuse(why, -EXDEV,
				    "routed through %s, a qlink device; it must go outside",
				    if_indextoname((uint32_t)qlink, name) ? name : "a device");
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
