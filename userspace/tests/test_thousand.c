// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A thousand links between two agents: what the start, a restart of one agent, another connection and
 * doing nothing take.
 * The agents are whole, each with its own process and loop, and have real TLS over a line with 50 ms
 * of delay each way. Only their devices are in memory.
 */
#include "fleet.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heap.h"
#include "qlinkd/agreement/dial.h"
#include "tap.h"

#define PKI		"qlinkd/qlink-pki"
#define LINKS		(HEAP_IS_FAST ? 1000U : 40U)
/* All memory of a link at rest, at most. */
#define LINK_BYTES	(40 * 1024)
#define DELAY_MS	50

static const char *names[2];

static void write_config(const struct fleet_site *site, unsigned int end, const char *dir,
			 uint16_t port)
{
	const char *own = names[end], *peer = names[!end];
	FILE *file = fopen(site->conf, "we");
	unsigned int i;

	if (!file)
		BAIL_OUT();
	fprintf(file, "agent\n name %s\n certificate %s/%s.pem\n key %s/%s.key\n ca %s/ca.pem\n"
		" audit-log %s/audit%u\n", own, dir, own, dir, own, dir, dir, end);
	if (end)
		fprintf(file, " listen 127.0.0.1:%u\npeer %s\n", port, peer);
	else
		fprintf(file, "peer %s\n address 127.0.0.1:%u\n", peer, port);
	for (i = 0; i < site->n; i++)
		fprintf(file, "link qlink%u\n peer %s\n policy pqc-only\n", i, peer);
	fclose(file);
}

/* --- the line between them --- */

#define CHUNK	16384

struct chunk {
	struct chunk *next;
	uint64_t due;
	size_t len;
	uint8_t data[CHUNK];
};

/* One direction of one connection. */
struct pipe {
	int from, to;
	struct chunk *first, **last;
	bool is_over;
};

static void carry(struct pipe *pipe, bool is_readable)
{
	struct chunk *chunk = is_readable ? calloc(1, sizeof(*chunk)) : NULL;
	ssize_t got;

	if (chunk) {
		got = read(pipe->from, chunk->data, CHUNK);
		chunk->due = services_now() + DELAY_MS;
		chunk->len = got > 0 ? (size_t)got : 0;
		pipe->is_over = got <= 0;
		*pipe->last = chunk;
		pipe->last = &chunk->next;
	}
	while (pipe->first && pipe->first->due <= services_now()) {
		chunk = pipe->first;
		if (!chunk->len)
			shutdown(pipe->to, SHUT_WR);
		else if (send(pipe->to, chunk->data, chunk->len, MSG_NOSIGNAL) < 0)
			pipe->is_over = true;
		pipe->first = chunk->next;
		if (!pipe->first)
			pipe->last = &pipe->first;
		free(chunk);
	}
}

static void relay(int a, int b)
{
	struct pipe pipes[2] = { { .from = a, .to = b }, { .from = b, .to = a } };
	struct pollfd fds[2];
	unsigned int i;

	for (i = 0; i < 2; i++)
		pipes[i].last = &pipes[i].first;
	while (!pipes[0].is_over || !pipes[1].is_over || pipes[0].first || pipes[1].first) {
		for (i = 0; i < 2; i++)
			fds[i] = (struct pollfd){ pipes[i].is_over ? -1 : pipes[i].from, POLLIN, 0 };
		poll(fds, 2, pipes[0].first || pipes[1].first ? 1 : -1);
		for (i = 0; i < 2; i++)
			carry(&pipes[i], fds[i].revents);
	}
	_exit(0);
}

/* Each connection has a process of its own. */
static void run_line(int listener, uint16_t to)
{
	int a, b;

	device_time_is_real = true;
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		a = accept(listener, NULL, NULL);
		if (a < 0)
			_exit(0);
		b = fleet_socket(to, false);
		if (b >= 0 && !fork())
			relay(a, b);
		close(a);
		if (b >= 0)
			close(b);
	}
}

/* --- another connection, after the time in which nothing happens --- */

#define LOOK_MS	20

/* What an end says of it: how long its links took to move, and what went wrong. */
struct moved {
	uint64_t ms, trouble, offers_lost;
};

static int moves[2];
static struct event *move_timer;
static uint64_t moves_at;

static bool has_moved(const struct fleet_site *site, struct moved *moved)
{
	const struct peer *peer = site->agent.now.peers[0];
	size_t i;

	if (peer->n_connections < 2 || peer->is_moving)
		return false;
	for (i = 0; i < site->n; i++) {
		const struct link *link = site->agent.now.links[i]->link;

		if (link->counters.sessions < 2 || link->session.phase != SESSION_PHASE_READY)
			return false;
		moved->trouble += link->counters.timeouts + link->counters.violations + link->counters.failures;
		moved->offers_lost += link->session.tx.most < SESSION_OFFER_MAX;
	}
	return true;
}

static void on_move(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval soon = { .tv_usec = LOOK_MS * 1000 };
	struct fleet_site *site = arg;
	struct moved moved = { 0 };

	(void)fd;
	(void)what;
	if (site->is_up && !moves_at) {
		moves_at = services_now() + FLEET_IDLE_MS + 500;
	} else if (moves_at && services_now() >= moves_at) {
		/* Once; later it is being replaced, or is new. */
		if (site->agent.now.peers[0]->dials && site->agent.now.peers[0]->n_connections < 2)
			peer_reconnect(site->agent.now.peers[0]);
		if (has_moved(site, &moved)) {
			moved.ms = services_now() - moves_at;
			if (write(moves[1], &moved, sizeof(moved)) != sizeof(moved))
				_exit(1);
			return;
		}
	}
	event_add(move_timer, &soon);
}

static void on_starts(struct fleet_site *site)
{
	move_timer = evtimer_new(site->agent.base, on_move, site);
	on_move(-1, 0, site);
}

/* --- the test --- */

static const char *const ends[2] = { "end 0", "end 1" };
static struct fleet_site sites[2];
static pid_t pids[3];

static void check_start(const char *what, unsigned int end, int report, struct fleet_usage *used)
{
	*used = fleet_await(report, what);
	fleet_print(what, ends[end], sites[end].n, used);
	CHECK(used->ms <= FLEET_GOAL_MS, "%s: %llu ms", what, (unsigned long long)used->ms);
	CHECK(used->fds <= 16, "%u descriptors without a KME", used->fds);
}

static void check_idle(unsigned int end, int report, const struct fleet_usage *started)
{
	struct fleet_usage used = fleet_await(report, "idle");

	used.cpu_ms -= started->cpu_ms;
	used.ms -= started->ms;
	used.requests -= started->requests;
	/* Each reads its device once a second, but all together 250 times; and records a fifth as often. */
	CHECK(used.requests * 1000ULL / used.ms <= 350, "%u requests in %llu ms", used.requests,
	      (unsigned long long)used.ms);
	fleet_print("idle", ends[end], sites[end].n, &used);
	if (HEAP_IS_FAST)
		CHECK((used.heap + used.locked) / sites[end].n <= LINK_BYTES, "%zu B a link",
		      (used.heap + used.locked) / sites[end].n);
}

static void check_moved(void)
{
	struct pollfd fd = { moves[0], POLLIN, 0 };
	struct moved moved = { 0 };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (poll(&fd, 1, FLEET_GOAL_MS) != 1 || read(moves[0], &moved, sizeof(moved)) != sizeof(moved))
			CHECK(false, "the links do not move");
		printf("# another connection, %u links: %llu ms\n", sites[0].n, (unsigned long long)moved.ms);
		CHECK_NUMBER("timeouts, violations, failures", moved.trouble, 0);
		CHECK_NUMBER("offers lost", moved.offers_lost, 0);
	}
}

static void set_up(const char *dir)
{
	bool first_dials = dial_is_ours("site-a", "site-b");
	int listener = fleet_socket(0, true), line = fleet_socket(0, true);
	uint16_t to = fleet_port(listener), through = fleet_port(line);
	unsigned int i;

	close(listener);
	names[0] = first_dials ? "site-a" : "site-b";
	names[1] = first_dials ? "site-b" : "site-a";
	for (i = 0; i < 2; i++) {
		sites[i] = (struct fleet_site){ .n = fleet_fitting(LINKS), .starts = on_starts };
		snprintf(sites[i].conf, sizeof(sites[i].conf), "%s/%u.conf", dir, i);
		snprintf(sites[i].log, sizeof(sites[i].log), "%s/%u.log", dir, i);
		write_config(&sites[i], i, dir, i ? to : through);
	}
	pids[2] = fork();
	if (!pids[2])
		run_line(line, to);
	close(line);
}

TEST(a_thousand_links_to_one_peer_over_a_long_line)
{
	char dir[] = "/tmp/qlink-thousand-XXXXXX", command[256];
	int reports[2][2], again[2];
	struct fleet_usage used[2];
	unsigned int i;

	CHECK(mkdtemp(dir), "mkdtemp: %s", strerror(errno));
	snprintf(command, sizeof(command), PKI " ca %s && " PKI " cert %s site-a && " PKI
		 " cert %s site-b", dir, dir, dir);
	CHECK_NUMBER(command, system(command), 0);
	CHECK(!pipe(moves), "pipe: %s", strerror(errno));
	set_up(dir);
	for (i = 0; i < 2; i++) {
		CHECK(!pipe(reports[i]), "pipe: %s", strerror(errno));
		pids[i] = fleet_start(&sites[i], reports[i][1]);
	}
	for (i = 0; i < 2; i++)
		check_start("start", i, reports[i][0], &used[i]);
	for (i = 0; i < 2; i++)
		check_idle(i, reports[i][0], &used[i]);
	check_moved();
	sites[1].starts = NULL;
	fleet_kill(pids[1]);
	CHECK(!pipe(again), "pipe: %s", strerror(errno));
	pids[1] = fleet_start(&sites[1], again[1]);
	check_start("restart", 1, again[0], &used[1]);
	for (i = 0; i < 3; i++)
		fleet_kill(pids[i]);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	CHECK_NUMBER(command, system(command), 0);
}

/* --- memory that cannot be locked: sanitizers replace mlock(), it locks nothing --- */

#if HEAP_IS_FAST

#define CONF \
	"agent\n name a\n certificate /a.pem\n key /a.key\n ca /ca.pem\n listen 127.0.0.1:7\n" \
	"peer b\n address 127.0.0.1:8\nlink qlink0\n peer b\n policy pqc-only\n"

/* In a process of its own, which has no rights. */
static void try_without_memory(int report)
{
	static const struct link_ops ops = { .say = NULL };
	const struct rlimit limit = { 8192, 8192 };
	static struct services services;
	static struct config config;
	struct qlink_why why = { "" };
	struct config_error error;
	struct link *link;

	if (config_parse(&config, CONF, strlen(CONF), "conf", &error) ||
	    setrlimit(RLIMIT_MEMLOCK, &limit) || (!geteuid() && setresuid(65534, 65534, 65534)))
		_exit(1);
	link_new(&link, &config, &config.links[0], &services, &ops, NULL, &why);
	if (write(report, why.text, sizeof(why.text)) < 0)
		_exit(1);
	_exit(0);
}

TEST(a_low_limit_of_locked_memory_is_named)
{
	char why[sizeof(struct qlink_why)] = "";
	int fds[2];
	pid_t pid;

	CHECK(!pipe(fds), "pipe: %s", strerror(errno));
	pid = fork();
	if (!pid)
		try_without_memory(fds[1]);
	close(fds[1]);
	CHECK(read(fds[0], why, sizeof(why)) > 0, "no answer");
	CHECK(strstr(why, "and all together may have 8 KiB (RLIMIT_MEMLOCK, LimitMEMLOCK= in a unit)"),
	      "why: %s", why);
	waitpid(pid, NULL, 0);
	close(fds[0]);
}

#endif
