// SPDX-License-Identifier: GPL-2.0-or-later
/* The network device of a link, as rtnetlink makes and changes it. */
#include "device.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "nl.h"

#define KIND	"qlink"

/* ---- what a device is now ---- */

static int ask(int fd, unsigned long what, struct ifreq *request)
{
	return ioctl(fd, what, request) ? -errno : 0;
}

/* All but its index. */
static int ask_all(int fd, struct ifreq *request, struct qlink_device *device)
{
	int err = ask(fd, SIOCGIFMTU, request);

	device->mtu = (uint32_t)request->ifr_mtu;
	if (!err)
		err = ask(fd, SIOCGIFTXQLEN, request);
	device->txqueuelen = (uint32_t)request->ifr_qlen;
	if (!err)
		err = ask(fd, SIOCGIFFLAGS, request);
	device->is_up = request->ifr_flags & IFF_UP;
	if (!err)
		err = ask(fd, SIOCGIFHWADDR, request);
	memcpy(device->mac, request->ifr_hwaddr.sa_data, sizeof(device->mac));
	device->has_mac = true;
	return err;
}

int qlink_device_get(const char *name, struct qlink_device *device, struct qlink_error *error)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;
	struct ifreq request = { 0 };

	memset(device, 0, sizeof(*device));
	if (fd < 0)
		return qlink_fail(error, -errno, "");
	strncpy(device->name, name, sizeof(device->name) - 1);
	memcpy(request.ifr_name, device->name, sizeof(request.ifr_name));
	err = ask(fd, SIOCGIFINDEX, &request);
	if (!err) {
		device->ifindex = (uint32_t)request.ifr_ifindex;
		err = ask_all(fd, &request, device);
	}
	close(fd);
	/* Also for one that was deleted meanwhile. */
	if (err == -ENODEV)
		device->ifindex = 0;
	return err && err != -ENODEV ? qlink_fail(error, err, "") : 0;
}

/* ---- requests ---- */

static int put_kind(struct nl_msg *msg)
{
	struct nlattr *info = nla_nest_start(msg, IFLA_LINKINFO | NLA_F_NESTED);

	if (!info || nla_put_string(msg, IFLA_INFO_KIND, KIND))
		return -EMSGSIZE;
	nla_nest_end(msg, info);
	return 0;
}

static int put_all(struct nl_msg *msg, const struct qlink_device *device)
{
	struct ifinfomsg info = {
		.ifi_index = (int)device->ifindex,
		.ifi_flags = device->is_up ? IFF_UP : 0,
		.ifi_change = device->is_up || device->goes_down ? IFF_UP : 0,
	};

	if (nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) ||
	    nla_put_string(msg, IFLA_IFNAME, device->name) ||
	    (device->mtu && nla_put_u32(msg, IFLA_MTU, device->mtu)) ||
	    (device->txqueuelen && nla_put_u32(msg, IFLA_TXQLEN, device->txqueuelen)) ||
	    (device->has_mac && nla_put(msg, IFLA_ADDRESS, sizeof(device->mac), device->mac)))
		return -EMSGSIZE;
	return device->ifindex ? 0 : put_kind(msg);
}

static struct nl_msg *request_new(const struct qlink_device *device)
{
	int flags = device->ifindex ? 0 : NLM_F_CREATE | NLM_F_EXCL;
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, flags);

	if (msg && put_all(msg, device)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/* Sends a request, which may be missing for lack of memory, and frees it. */
static int send_request(struct nl_msg *msg, struct qlink_error *error)
{
	struct qlink_nl nl = { .sock = nl_socket_alloc() };
	int err;

	if (!nl.sock || !msg)
		err = qlink_fail(error, -ENOMEM, "");
	else
		err = qlink_nl_connect_route(&nl, error);
	if (!err) {
		err = qlink_nl_ask(&nl, msg, error);
		msg = NULL;
	}
	nlmsg_free(msg);
	nl_socket_free(nl.sock);
	return err;
}

int qlink_device_put(const struct qlink_device *device, struct qlink_error *error)
{
	return send_request(request_new(device), error);
}

int qlink_device_delete(uint32_t ifindex, struct qlink_error *error)
{
	struct ifinfomsg info = { .ifi_index = (int)ifindex };
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_DELLINK, 0);

	if (msg && nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return send_request(msg, error);
}
