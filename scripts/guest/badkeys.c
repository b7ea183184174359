// SPDX-License-Identifier: GPL-2.0
/* Sends key bytes to the kernel in requests that it refuses, each of another kind.
 *
 * usage: badkeys DEVICE SEED
 *
 * Each request has key bytes of a seed of its own, from SEED on. Prints how many seeds it has used. Fails if a request
 * is not refused. Leaves no copy of the bytes in its own memory: scripts/scan-memory searches for such copies.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/qlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keybytes.h"

struct message {
	struct nlmsghdr header;
	struct genlmsghdr command;
	char rest[1024];
};

static struct message request;
static char answer[4096];
static uint64_t seed;
static unsigned int ifindex;
static int family = GENL_ID_CTRL, sock = -1;

static void die(const char *what)
{
	explicit_bzero(&request, sizeof(request));
	explicit_bzero(answer, sizeof(answer));
	perror(what);
	exit(1);
}

static void begin(int command, int flags)
{
	request.header = (struct nlmsghdr){ NLMSG_HDRLEN + GENL_HDRLEN, family, NLM_F_REQUEST | flags, 1, 0 };
	request.command = (struct genlmsghdr){ command, 1, 0 };
}

/* Byte by byte: memcpy() would leave the bytes in vector registers, which the kernel saves and frees unwiped. */
static void copy(volatile uint8_t *to, const volatile uint8_t *from, int bytes)
{
	for (int i = 0; i < bytes; i++)
		to[i] = from[i];
}

static struct nlattr *put(int type, const void *data, int bytes)
{
	struct nlattr *attr = (struct nlattr *)((char *)&request + request.header.nlmsg_len);

	*attr = (struct nlattr){ NLA_HDRLEN + bytes, type };
	copy((uint8_t *)(attr + 1), data, bytes);
	request.header.nlmsg_len += NLA_ALIGN(attr->nla_len);
	return attr;
}

/* A transmit key of the next seed; this many bytes of its 32, and of its salt's 12, or no salt. */
static struct nlattr *put_key(uint64_t epoch, int bytes, int salt_bytes, int unknown)
{
	struct nlattr *nest = put(QLINK_A_KEY | NLA_F_NESTED, NULL, 0);
	uint8_t secret[KEY_FILE_BYTES], direction = QLINK_DIRECTION_TX, source = QLINK_SOURCE_STATIC;

	fill(secret, seed++);
	put(QLINK_A_KEY_DIRECTION, &direction, sizeof(direction));
	put(QLINK_A_KEY_EPOCH, &epoch, sizeof(epoch));
	put(QLINK_A_KEY_SOURCE, &source, sizeof(source));
	put(QLINK_A_KEY_KEY, secret, bytes);
	if (salt_bytes)
		put(QLINK_A_KEY_SALT, secret + 32, salt_bytes);
	if (unknown)
		put(99, &source, sizeof(source));
	nest->nla_len = (char *)&request + request.header.nlmsg_len - (char *)nest;
	explicit_bzero(secret, sizeof(secret));
	return nest;
}

/* Sends the request and reads the first answer; wipes both. Returns the errno, 0 for none. */
static int ask(void)
{
	const struct nlmsghdr *header = (struct nlmsghdr *)answer;
	int error = 0;

	if (send(sock, &request, request.header.nlmsg_len, 0) < 0)
		die("send");
	explicit_bzero(&request, sizeof(request));
	if (recv(sock, answer, sizeof(answer), 0) < 0)
		die("recv");
	if (header->nlmsg_type == NLMSG_ERROR)
		error = -((struct nlmsgerr *)NLMSG_DATA(header))->error;
	return error;
}

static void expect(const char *what, int error)
{
	int got = ask();

	explicit_bzero(answer, sizeof(answer));
	if (got == error)
		return;
	errno = got;
	die(what);
}

static void open_family(void)
{
	struct nlattr *attr;

	sock = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	if (sock < 0)
		die("socket");
	begin(CTRL_CMD_GETFAMILY, 0);
	put(CTRL_ATTR_FAMILY_NAME, QLINK_FAMILY_NAME, sizeof(QLINK_FAMILY_NAME));
	if (ask())
		die(QLINK_FAMILY_NAME);
	attr = (struct nlattr *)(answer + NLMSG_HDRLEN + GENL_HDRLEN);
	while (attr->nla_type != CTRL_ATTR_FAMILY_ID)
		attr = (struct nlattr *)((char *)attr + NLA_ALIGN(attr->nla_len));
	memcpy(&family, attr + 1, 2);
}

static void begin_for_device(int command, int flags)
{
	begin(command, flags);
	put(QLINK_A_IFINDEX, &ifindex, sizeof(ifindex));
}

/* Without capabilities, in a process of its own. */
static void ask_as_nobody(void)
{
	int status;

	if (!fork()) {
		if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
			die("setresuid");
		close(sock);
		sock = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
		expect("without CAP_NET_ADMIN", EPERM);
		exit(0);
	}
	explicit_bzero(&request, sizeof(request));
	if (wait(&status) < 0 || status)
		exit(1);
}

static void install_badly(void)
{
	begin_for_device(QLINK_CMD_KEY_INSTALL, 0);
	put_key(1, 32, 12, 0);
	put_key(2, 31, 12, 0);
	expect("a good key and one of 31 bytes", ERANGE);

	begin_for_device(QLINK_CMD_KEY_INSTALL, 0);
	put_key(1, 32, 12, 0);
	ask_as_nobody();

	begin_for_device(QLINK_CMD_KEY_INSTALL, 0);
	put_key(1, 32, 0, 0);
	expect("no salt", EINVAL);

	begin(QLINK_CMD_KEY_INSTALL, 0);
	put_key(1, 32, 12, 0);
	expect("no device", EINVAL);

	begin_for_device(QLINK_CMD_KEY_INSTALL, 0);
	put_key(1, 32, 12, 1);
	expect("an unknown attribute", EINVAL);

	begin_for_device(QLINK_CMD_KEY_INSTALL, 0);
	put_key(1, 32, 12, 0)->nla_len += 64;
	expect("a nest that is cut off", EINVAL);

	begin_for_device(QLINK_CMD_KEY_INSTALL, NLM_F_DUMP);
	put_key(1, 32, 12, 0);
	expect("the flags of a dump", EOPNOTSUPP);

	begin_for_device(QLINK_CMD_KEY_INSTALL, 0);
	request.command.reserved = 1;
	put_key(1, 32, 12, 0);
	expect("a reserved field that is used", EINVAL);
}

static void send_to_others(void)
{
	begin_for_device(QLINK_CMD_KEY_DEL, 0);
	put_key(1, 32, 12, 0);
	expect("key-del", EINVAL);

	begin_for_device(QLINK_CMD_LINK_SET, 0);
	put_key(1, 32, 12, 0);
	expect("link-set", EINVAL);

	begin_for_device(QLINK_CMD_ROTATE, 0);
	put_key(1, 32, 12, 0)->nla_type = 99;
	expect("rotate, an attribute that there is none of", EINVAL);

	begin_for_device(QLINK_CMD_KEY_GET, NLM_F_DUMP);
	put_key(1, 32, 12, 0);
	expect("a dump of keys", EINVAL);
}

int main(int argc, char **argv)
{
	uint64_t first;

	if (argc != 3)
		return 2;
	ifindex = if_nametoindex(argv[1]);
	if (!ifindex)
		die(argv[1]);
	seed = first = strtoull(argv[2], NULL, 0);
	open_family();
	install_badly();
	send_to_others();
	printf("%d\n", (int)(seed - first));
	return 0;
}
