// SPDX-License-Identifier: GPL-2.0
/* Counts what frames cost (count.h); one process sends and receives them.
 *
 * usage: measure udp|burst|rtt NETNS-A NETNS-B ADDRESS-A ADDRESS-B FRAMES BYTES
 *        measure tcp NETNS-A NETNS-B ADDRESS-B BYTES [WINDOW]
 *        measure share NETNS-A NETNS-B ADDRESS-A ADDRESS-B MILLISECONDS BYTES CPU...
 *        measure counters
 *
 * Prints: instructions per frame (udp, burst, rtt) or per 1400 bytes (tcp); frames lost (tcp: resent); and
 * the total of instructions. udp: one way, one frame per system call; burst: one way, 32 frames per system call;
 * rtt: there and back. The system calls of both ends are included. With BENCH_CPU: nanoseconds, and behind the total
 * how many frames a second there were, and cycles and instructions per frame.
 *
 * share: bursts of one process on each of the CPUs at the same time. Prints for each: CPU, nanoseconds per frame that
 * came, frames lost, frames a second, cycles, instructions. counters: prints "yes" if the machine has counters, or why not.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "count.h"
#include "enter.h"

#define WARM_UP_FRAMES	512
#define BURST_FRAMES	32
#define TCP_PORT	7003
#define SHARE_PORT	7100
#define TCP_UNIT_BYTES	1400

static char buffer[128 * 1024];
/* Where frames may get lost, a second for each would leave little else of the time. */
static const struct timeval long_patience = { .tv_sec = 5 }, short_patience = { .tv_usec = 20000 };

static struct sockaddr_in address(const char *text, int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (inet_pton(AF_INET, text, &in.sin_addr) != 1)
		die(text);
	return in;
}

/* patience: for how long it waits for a frame. */
static int udp_socket(const char *netns, const char *from, int port, struct timeval patience)
{
	struct sockaddr_in in = address(from, port);
	int fd;

	enter_netns(netns);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&in, sizeof(in)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		die(from);
	return fd;
}

static void join(int fd, const char *to, int port)
{
	struct sockaddr_in in = address(to, port);

	if (connect(fd, (struct sockaddr *)&in, sizeof(in)))
		die(to);
}

/* Sends one datagram from a socket to another; returns how many were lost. */
static long pass(int from, int to, size_t bytes)
{
	if (send(from, buffer, bytes, 0) != (ssize_t)bytes)
		die("send");
	return recv(to, buffer, bytes, 0) != (ssize_t)bytes;
}

static long pass_back(int from, int to, size_t bytes)
{
	return pass(from, to, bytes) + pass(to, from, bytes);
}

/* Sends many at once, all with the same bytes. */
static long pass_burst(int from, int to, size_t bytes)
{
	struct iovec part = { .iov_base = buffer, .iov_len = bytes };
	struct mmsghdr burst[BURST_FRAMES];
	int i, n;

	for (i = 0; i < BURST_FRAMES; i++)
		burst[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &part, .msg_iovlen = 1 } };
	if (sendmmsg(from, burst, BURST_FRAMES, 0) != BURST_FRAMES)
		die("sendmmsg");
	n = recvmmsg(to, burst, BURST_FRAMES, 0, NULL);
	return BURST_FRAMES - (n > 0 ? n : 0);
}

struct udp_measure {
	const char *name;
	long (*pass)(int from, int to, size_t bytes);
	long frames; /* per pass; a frame there and back counts once */
};

static const struct udp_measure udp_measures[] = {
	{ "udp", pass, 1 },
	{ "burst", pass_burst, BURST_FRAMES },
	{ "rtt", pass_back, 1 },
};

static void measure_udp(char **argv, const struct udp_measure *measure)
{
	int a = udp_socket(argv[2], argv[4], 7001, long_patience), b = udp_socket(argv[3], argv[5], 7002, long_patience);
	long i, frames = atol(argv[6]), lost = 0;
	size_t bytes = atol(argv[7]);
	uint64_t begin = now();
	struct count count = { 0 };

	join(a, argv[5], 7002);
	join(b, argv[4], 7001);
	for (i = -WARM_UP_FRAMES; i < frames; i += measure->frames) {
		if (!i) {
			lost = 0;
			frames = count_enough(frames, WARM_UP_FRAMES, begin);
			count_start(&count);
		}
		lost += measure->pass(a, b, bytes);
	}
	count_stop(&count);
	/* The last burst may be more than was asked for. */
	printf("%.0f %ld %ju", count_each(&count, i), lost, now() - begin);
	count_end_line(&count, i);
}

/* window: bytes that the receiver has room for, or 0 for the kernel's default. */
static pid_t start_receiver(const char *netns, const char *at, int window)
{
	struct sockaddr_in in = address(at, TCP_PORT);
	int one = 1, listener, fd;
	pid_t pid;

	enter_netns(netns);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    (window && setsockopt(listener, SOL_SOCKET, SO_RCVBUFFORCE, &window, sizeof(window))) ||
	    bind(listener, (struct sockaddr *)&in, sizeof(in)) || listen(listener, 1))
		die(at);
	pid = fork();
	if (pid)
		return pid;
	fd = accept(listener, NULL, NULL);
	while (recv(fd, buffer, sizeof(buffer), 0) > 0)
		;
	send(fd, "", 1, 0);
	_exit(0);
}

static unsigned int sent_again(int fd)
{
	struct tcp_info info;
	socklen_t bytes = sizeof(info);

	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes))
		die("TCP_INFO");
	return info.tcpi_total_retrans;
}

/* The first fifth is a warm-up: slow start, and the buffers reach their sizes. */
static void measure_tcp(char **argv)
{
	uint64_t bytes = strtoull(argv[5], NULL, 0), sent = 0, warm = 0, begin;
	struct count count = { 0 };
	double units;
	pid_t receiver = start_receiver(argv[3], argv[4], argv[6] ? atoi(argv[6]) : 0);
	ssize_t n;
	int fd;

	enter_netns(argv[2]);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	join(fd, argv[4], TCP_PORT);
	begin = now();
	for (; sent < bytes; sent += n) {
		if (!warm && sent >= bytes / 5) {
			warm = sent;
			bytes = warm + count_enough(bytes - warm, warm, begin);
			count_start(&count);
		}
		n = send(fd, buffer, bytes - sent < sizeof(buffer) ? bytes - sent : sizeof(buffer), 0);
		if (n < 0)
			die("send");
	}
	shutdown(fd, SHUT_WR);
	if (recv(fd, buffer, 1, 0) != 1)
		die("the receiver's answer");
	count_stop(&count);
	waitpid(receiver, NULL, 0);
	units = (double)(bytes - warm) / TCP_UNIT_BYTES;
	printf("%.0f %u %ju", count_each(&count, units), sent_again(fd), now() - begin);
	count_end_line(&count, units);
}

/* The processes of "share" meet here. */
struct meeting {
	uint32_t ready, done;
};

static struct meeting *new_meeting(void)
{
	void *page = mmap(NULL, sizeof(struct meeting), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		die("mmap");
	return page;
}

/* The last to be done has had the others beside it all the time, and so has the first. */
static void share_one(char **argv, struct meeting *meeting, uint32_t n, int cpu)
{
	int a = udp_socket(argv[2], argv[4], SHARE_PORT + 2 * cpu, short_patience);
	int b = udp_socket(argv[3], argv[5], SHARE_PORT + 2 * cpu + 1, short_patience);
	long i, sent = 0, lost = 0;
	struct count count = { 0 };
	uint64_t end;

	join(a, argv[5], SHARE_PORT + 2 * cpu + 1);
	join(b, argv[4], SHARE_PORT + 2 * cpu);
	for (i = 0; i < WARM_UP_FRAMES; i += BURST_FRAMES)
		pass_burst(a, b, atol(argv[7]));
	__atomic_add_fetch(&meeting->ready, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&meeting->ready, __ATOMIC_SEQ_CST) < n)
		;
	count_start(&count);
	end = now() + strtoull(argv[6], NULL, 0) * 1000000;
	for (; now() < end; sent += BURST_FRAMES)
		lost += pass_burst(a, b, atol(argv[7]));
	count_stop(&count);
	__atomic_add_fetch(&meeting->done, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&meeting->done, __ATOMIC_SEQ_CST) < n)
		pass_burst(a, b, atol(argv[7]));
	printf("%d %.0f %ld", cpu, count_each(&count, sent - lost), lost);
	count_end_line(&count, sent - lost);
}

static int measure_share(int argc, char **argv)
{
	struct meeting *meeting = new_meeting();
	int n = argc - 8, i, status, failed = 0;
	pid_t pids[COUNT_CPUS_MAX];

	for (i = 0; i < n && i < COUNT_CPUS_MAX; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		count_on(atoi(argv[8 + i]));
		share_one(argv, meeting, n, atoi(argv[8 + i]));
		exit(0);
	}
	while (wait(&status) > 0) {
		if (!status || failed)
			continue;
		/* The others would wait for it. */
		failed = 1;
		for (i = 0; i < n; i++)
			kill(pids[i], SIGTERM);
	}
	return failed;
}

static int show_counters(void)
{
	count_open();
	printf("%s\n", count_cpu >= 0 && !count_errno ? "yes" : strerror(count_errno));
	return 0;
}

int main(int argc, char **argv)
{
	size_t i;

	if (argc > 8 && !strcmp(argv[1], "share"))
		return measure_share(argc, argv);
	if (argc == 2 && !strcmp(argv[1], "counters"))
		return show_counters();
	count_open();
	if ((argc == 6 || argc == 7) && !strcmp(argv[1], "tcp")) {
		measure_tcp(argv);
		return 0;
	}
	for (i = 0; argc == 8 && i < sizeof(udp_measures) / sizeof(udp_measures[0]); i++) {
		if (!strcmp(argv[1], udp_measures[i].name)) {
			measure_udp(argv, &udp_measures[i]);
			return 0;
		}
	}
	return 2;
}
