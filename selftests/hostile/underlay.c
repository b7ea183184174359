// SPDX-License-Identifier: GPL-2.0
/* Sends sealed frames as one end of a link of lib.sh's setup_pair to the other. */
#include "underlay.h"

#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define LOWER		"veth0"
#define ETHERTYPE	0x88b5
#define PORT		47000
#define SOURCE_PORT	49200	/* one that a sender may choose */

static int sock;
/* Over eth: goes before each frame. */
static struct ethhdr head;
static unsigned int head_bytes;

void underlay_enter(const char *netns)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err(1, "%s", path);
	close(fd);
}

/* What an ioctl says of the device below the link, in the namespace that the process is in. */
static struct sockaddr ask(unsigned long request)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_name = LOWER };

	if (fd < 0 || ioctl(fd, request, &ifr))
		err(1, LOWER);
	close(fd);
	return ifr.ifr_addr;
}

static void open_eth(const char *from, const char *to)
{
	struct sockaddr_ll here = { .sll_family = AF_PACKET };

	underlay_enter(to);
	memcpy(head.h_dest, ask(SIOCGIFHWADDR).sa_data, ETH_ALEN);
	underlay_enter(from);
	memcpy(head.h_source, ask(SIOCGIFHWADDR).sa_data, ETH_ALEN);
	head.h_proto = htons(ETHERTYPE);
	head_bytes = sizeof(head);
	sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	here.sll_ifindex = (int)if_nametoindex(LOWER);
	if (sock < 0 || bind(sock, (struct sockaddr *)&here, sizeof(here)))
		err(1, "packet socket");
}

static void open_udp(const char *from, const char *to)
{
	struct sockaddr there, here;
	const int yes = 1;

	underlay_enter(to);
	there = ask(SIOCGIFADDR);
	((struct sockaddr_in *)&there)->sin_port = htons(PORT);
	underlay_enter(from);
	here = ask(SIOCGIFADDR);
	((struct sockaddr_in *)&here)->sin_port = htons(SOURCE_PORT);
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
	    bind(sock, &here, sizeof(here)) || connect(sock, &there, sizeof(there)))
		err(1, "UDP socket");
}

void underlay_open(const char *under, const char *from, const char *to)
{
	if (!strcmp(under, "eth"))
		open_eth(from, to);
	else
		open_udp(from, to);
}

void underlay_send(uint8_t *const *frames, const uint32_t *bytes, unsigned int n)
{
	struct mmsghdr messages[UNDERLAY_FRAMES] = { 0 };
	struct iovec parts[UNDERLAY_FRAMES][2];
	unsigned int i;
	int sent;

	for (i = 0; i < n; i++) {
		parts[i][0] = (struct iovec){ &head, head_bytes };
		parts[i][1] = (struct iovec){ frames[i], bytes[i] };
		messages[i].msg_hdr.msg_iov = parts[i];
		messages[i].msg_hdr.msg_iovlen = 2;
	}
	for (i = 0; i < n; i += (unsigned int)sent) {
		sent = sendmmsg(sock, messages + i, n - i, 0);
		if (sent < 0)
			err(1, "sendmmsg of %u bytes", bytes[i]);
	}
}

bool underlay_has_bundles(void) { return !head_bytes; }

void underlay_send_bundle(uint8_t *const *frames, uint16_t bytes, unsigned int n)
{
	union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(bytes))]; } control = { 0 };
	struct iovec parts[UNDERLAY_FRAMES];
	struct msghdr message = {
		.msg_iov = parts,
		.msg_iovlen = n,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	unsigned int i;

	for (i = 0; i < n; i++)
		parts[i] = (struct iovec){ frames[i], bytes };
	control.head = (struct cmsghdr){ CMSG_LEN(sizeof(bytes)), SOL_UDP, UDP_SEGMENT };
	memcpy(CMSG_DATA(&control.head), &bytes, sizeof(bytes));
	if (sendmsg(sock, &message, 0) < 0)
		err(1, "sendmsg of %u frames", n);
}
