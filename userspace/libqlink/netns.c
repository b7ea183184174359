// SPDX-License-Identifier: GPL-2.0-or-later
/* Says whether the underlay of a device is in this process's network namespace. */
#include "netns.h"

#include <errno.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

static int on_link(struct nl_msg *msg, void *is_here)
{
	if (nlmsg_find_attr(nlmsg_hdr(msg), sizeof(struct ifinfomsg),
			    IFLA_LINK_NETNSID))
		*(int *)is_here = 0;
	return NL_OK;
}

static int ask(struct nl_sock *sock, uint32_t ifindex, int *is_here)
{
	struct ifinfomsg ifi = { .ifi_index = (int)ifindex };
	int err;

	nl_socket_modify_cb(sock, NL_CB_VALID, NL_CB_CUSTOM, on_link, is_here);
	err = nl_connect(sock, NETLINK_ROUTE);
	if (err)
		return -EIO;
	err = nl_send_simple(sock, RTM_GETLINK, 0, &ifi, sizeof(ifi));
	if (err < 0)
		return -EIO;
	err = nl_recvmsgs_default(sock);
	if (!err)
		err = nl_wait_for_ack(sock);
	if (err == -NLE_NODEV)
		return -ENODEV;
	return err ? -EIO : 0;
}

int qlink_underlay_is_here(uint32_t ifindex)
{
	struct nl_sock *sock = nl_socket_alloc();
	int is_here = 1;
	int err;

	if (!sock)
		return -ENOMEM;
	err = ask(sock, ifindex, &is_here);
	nl_socket_free(sock);
	return err ? err : is_here;
}
