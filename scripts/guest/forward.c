// SPDX-License-Identifier: GPL-2.0
/* Counts what frames cost (count.h) that a LAN sends in bursts and two gateways forward.
 *
 * usage: forward NETNS DEVICE MAC-TO FRAMES BYTES|imix
 *
 * Prints instructions per frame, and how many frames were sent, the 384 of the warm-up and those that make FRAMES
 * a multiple of these included. With BENCH_CPU: nanoseconds, and behind the number how many frames a second there
 * were, and cycles and instructions per frame. A burst is 32 frames that wait in the device's qdisc, which is a plug, and leave
 * it at once, as they would come from a network card: what forwards them finds all in one softirq. imix: of 12 frames,
 * 7 have 64 bytes, 4 have 570, and one has 1500. Sizes are those of Ethernet frames without their check sequence.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/ip.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/udp.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "count.h"
#include "enter.h"

#define BURST_FRAMES	32
/* A multiple of the frames of an IMIX. */
#define ROUND_FRAMES	(12 * BURST_FRAMES)
#define FLOWS		4
#define FRAME_MAX	1500
/* Then every kernel thread has had its turn, and nothing is under way. */
#define LAST_YIELDS	200

static const size_t imix[] = { 64, 570, 64, 64, 570, 64, 1500, 64, 570, 64, 570, 64 };

struct frame {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
	uint8_t payload[FRAME_MAX - sizeof(struct ethhdr) - sizeof(struct iphdr) - sizeof(struct udphdr)];
} __attribute__((packed));

static struct frame frames[BURST_FRAMES];
static int device, packets, netlink;

static uint16_t checksum(const void *header, size_t len)
{
	const uint8_t *bytes = header;
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i < len; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* A datagram of one of a few flows. */
static void write_frame(struct frame *frame, const struct ethhdr *eth, size_t len, unsigned int flow)
{
	frame->eth = *eth;
	frame->ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP };
	frame->ip.tot_len = htons((uint16_t)(len - sizeof(struct ethhdr)));
	frame->ip.saddr = htonl(0x0a080001);
	frame->ip.daddr = htonl(0x0a080002);
	frame->ip.check = checksum(&frame->ip, sizeof(frame->ip));
	frame->udp.source = htons((uint16_t)(9000 + flow));
	frame->udp.dest = htons(9);
	frame->udp.len = htons((uint16_t)(len - sizeof(struct ethhdr) - sizeof(struct iphdr)));
}

static struct ethhdr addresses(const char *name, const char *to)
{
	struct ethhdr eth = { .h_proto = htons(ETH_P_IP) };
	struct ether_addr *mac = ether_aton(to);
	struct ifreq request = { 0 };

	if (!mac)
		die(to);
	memcpy(eth.h_dest, mac, sizeof(eth.h_dest));
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(packets, SIOCGIFHWADDR, &request))
		die(name);
	memcpy(eth.h_source, request.ifr_hwaddr.sa_data, sizeof(eth.h_source));
	return eth;
}

/* Has the plug hold what comes, or let all of it go. */
static void plug(int action)
{
	struct {
		struct nlmsghdr head;
		struct tcmsg tc;
		struct rtattr kind;
		char name[8];
		struct rtattr options;
		struct tc_plug_qopt plug;
	} request = {
		.head = { sizeof(request), RTM_NEWQDISC, NLM_F_REQUEST | NLM_F_ACK, 0, 0 },
		.tc = { .tcm_ifindex = device, .tcm_parent = TC_H_ROOT },
		.kind = { RTA_LENGTH(sizeof("plug")), TCA_KIND },
		.name = "plug",
		.options = { RTA_LENGTH(sizeof(struct tc_plug_qopt)), TCA_OPTIONS },
		.plug = { .action = action },
	};
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
	} answer;

	if (send(netlink, &request, sizeof(request), 0) < 0 || recv(netlink, &answer, sizeof(answer), 0) < 0)
		die("netlink");
	errno = -answer.error.error;
	if (answer.error.error)
		die("plug");
}

/* The next 32 frames, of which @sent were sent before. */
static void send_burst(const struct ethhdr *eth, size_t bytes, unsigned int sent)
{
	struct iovec parts[BURST_FRAMES];
	struct mmsghdr burst[BURST_FRAMES] = { 0 };
	unsigned int i;

	for (i = 0; i < BURST_FRAMES; i++, sent++) {
		size_t len = bytes ?: imix[sent % (sizeof(imix) / sizeof(imix[0]))];

		write_frame(&frames[i], eth, len, sent % FLOWS);
		parts[i] = (struct iovec){ &frames[i], len };
		burst[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
	}
	plug(TCQ_PLUG_BUFFER);
	if (sendmmsg(packets, burst, BURST_FRAMES, 0) != BURST_FRAMES)
		die("sendmmsg");
	plug(TCQ_PLUG_RELEASE_INDEFINITE);
	sched_yield();
}

static void open_sockets(const char *name)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET };

	device = (int)if_nametoindex(name);
	at.sll_ifindex = device;
	/* Protocol 0: it receives nothing. */
	packets = socket(AF_PACKET, SOCK_RAW, 0);
	netlink = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	if (!device || packets < 0 || netlink < 0 || bind(packets, (struct sockaddr *)&at, sizeof(at)))
		die(name);
}

static unsigned int whole_rounds(unsigned long frames)
{
	return (frames + ROUND_FRAMES - 1) / ROUND_FRAMES * ROUND_FRAMES;
}

int main(int argc, char **argv)
{
	unsigned int sent = 0, n, i;
	struct count count = { 0 };
	struct ethhdr eth;
	uint64_t begin;
	size_t bytes;

	if (argc != 6)
		return 2;
	count_open();
	enter_netns(argv[1]);
	open_sockets(argv[2]);
	eth = addresses(argv[2], argv[3]);
	n = whole_rounds(atol(argv[4]));
	bytes = strcmp(argv[5], "imix") ? strtoul(argv[5], NULL, 10) : 0;
	begin = now();
	for (; sent < ROUND_FRAMES + n; sent += BURST_FRAMES) {
		if (sent == ROUND_FRAMES) {
			n = whole_rounds(count_enough(n, ROUND_FRAMES, begin));
			count_start(&count);
		}
		send_burst(&eth, bytes, sent);
	}
	for (i = 0; i < LAST_YIELDS; i++)
		sched_yield();
	count_stop(&count);
	printf("%.0f %u", count_each(&count, n), sent);
	count_end_line(&count, n);
	return 0;
}
