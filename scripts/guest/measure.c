// SPDX-License-Identifier: GPL-2.0
/* Counts the guest instructions of frames that one process sends and receives itself.
 *
 * usage: measure udp|rtt NETNS-A NETNS-B ADDRESS-A ADDRESS-B FRAMES BYTES
 *        measure tcp NETNS-A NETNS-B ADDRESS-B BYTES
 *
 * Prints: instructions per frame (udp, rtt) or per 1400 bytes (tcp),
 * then frames lost. udp: there; rtt: there and back; both with the system calls of both ends.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "count.h"

#define WARM_UP_FRAMES	64
#define TCP_PORT	7003
#define TCP_UNIT_BYTES	1400

static char buffer[128 * 1024];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void enter_netns(const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path);
	close(fd);
}

static struct sockaddr_in address(const char *text, int port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (inet_pton(AF_INET, text, &in.sin_addr) != 1)
		die(text);
	return in;
}

static int udp_socket(const char *netns, const char *from, int port)
{
	struct sockaddr_in in = address(from, port);
	struct timeval patience = { .tv_sec = 5 };
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

/* One datagram from a socket to another; returns whether it was lost. */
static bool pass(int from, int to, size_t bytes)
{
	if (send(from, buffer, bytes, 0) != (ssize_t)bytes)
		die("send");
	return recv(to, buffer, bytes, 0) != (ssize_t)bytes;
}

static void measure_udp(char **argv, bool is_rtt)
{
	int a = udp_socket(argv[2], argv[4], 7001), b = udp_socket(argv[3], argv[5], 7002);
	long i, frames = atol(argv[6]), lost = 0;
	size_t bytes = atol(argv[7]);
	uint64_t start = 0, start_idle = 0;

	join(a, argv[5], 7002);
	join(b, argv[4], 7001);
	for (i = -WARM_UP_FRAMES; i < frames; i++) {
		if (!i) {
			lost = 0;
			start_idle = idle();
			start = now();
		}
		lost += pass(a, b, bytes);
		if (is_rtt)
			lost += pass(b, a, bytes);
	}
	start = now() - start;
	start_idle = idle() - start_idle;
	printf("%.0f %ld\n", (double)(start - start_idle) / frames, lost);
}

static pid_t start_receiver(const char *netns, const char *at)
{
	struct sockaddr_in in = address(at, TCP_PORT);
	int one = 1, listener, fd;
	pid_t pid;

	enter_netns(netns);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
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

/* The first fifth warms up: slow start, and the buffers find their sizes. */
static void measure_tcp(char **argv)
{
	uint64_t bytes = strtoull(argv[5], NULL, 0), sent = 0, warm = 0, start = 0, start_idle = 0;
	pid_t receiver = start_receiver(argv[3], argv[4]);
	ssize_t n;
	int fd;

	enter_netns(argv[2]);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	join(fd, argv[4], TCP_PORT);
	for (; sent < bytes; sent += n) {
		if (!warm && sent >= bytes / 5) {
			warm = sent;
			start_idle = idle();
			start = now();
		}
		n = send(fd, buffer, bytes - sent < sizeof(buffer) ? bytes - sent : sizeof(buffer), 0);
		if (n < 0)
			die("send");
	}
	shutdown(fd, SHUT_WR);
	if (recv(fd, buffer, 1, 0) != 1)
		die("the receiver's answer");
	start = now() - start;
	start_idle = idle() - start_idle;
	waitpid(receiver, NULL, 0);
	printf("%.0f 0\n", (double)(start - start_idle) / (bytes - warm) * TCP_UNIT_BYTES);
}

int main(int argc, char **argv)
{
	if (argc == 8 && (!strcmp(argv[1], "udp") || !strcmp(argv[1], "rtt")))
		measure_udp(argv, argv[1][0] == 'r');
	else if (argc == 6 && !strcmp(argv[1], "tcp"))
		measure_tcp(argv);
	else
		return 2;
	return 0;
}
