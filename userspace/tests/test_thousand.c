// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A thousand links between two agents: what the start, a restart of one agent and doing nothing take.
 * The agents are whole, each with its own process and loop, and have real TLS over a line with 50 ms
 * of delay each way. Only their devices are in memory.
 */
#include "qlinkd/agent.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device.h"
#include "heap.h"
#include "qlinkd/agreement/dial.h"
#include "tap.h"

#define PKI		"qlinkd/qlink-pki"
#define LINKS		(HEAP_IS_FAST ? 1000U : 40U)
/* Locked memory of a link, at most. */
#define LOCKED_BYTES	(36 * 1024)
#define DELAY_MS	50
#define GOAL_MS		60000
#define IDLE_MS		10000
#define LOOK_EACH_MS	20

/* There are no events without a kernel module: a descriptor that never becomes readable. */
int qlink_monitor_fd(const struct qlink_monitor *monitor)
{
	static int fds[2];

	(void)monitor;
	return fds[0] || !pipe(fds) ? fds[0] : -1;
}

int qlink_monitor_next(struct qlink_monitor *monitor, struct qlink_event *event,
		       struct qlink_error *error)
{
	(void)monitor;
	(void)event;
	(void)error;
	return -EAGAIN;
}

/* --- what a process uses --- */

/* What it has used so far; from an agent to the test. */
struct usage {
	uint64_t ms, cpu_ms;
	size_t heap, locked;
	unsigned int fds;
};

static size_t locked_bytes(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long kib = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "VmLck: %lu kB", &kib);
	if (file)
		fclose(file);
	return (size_t)kib * 1024;
}

static unsigned int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (dir && readdir(dir))
		n++;
	closedir(dir);
	return n - 3;
}

static uint64_t cpu_ms(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
	       (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
}

static struct usage usage_now(void)
{
	return (struct usage){ services_now(), cpu_ms(), heap_bytes(), locked_bytes(), count_fds() };
}

/* --- one agent --- */

struct site {
	unsigned int end, n;
	const char *names[2];
	uint16_t dial, listen;
	char dir[64];
	int report;
	struct agent agent;
	struct device *devices;
	struct event *look;
	struct usage begun;
	bool is_up;
};

static void write_config(const struct site *site, const char *path)
{
	const char *own = site->names[site->end], *peer = site->names[!site->end];
	FILE *file = fopen(path, "we");
	unsigned int i;

	if (!file)
		BAIL_OUT();
	fprintf(file, "agent\n name %s\n certificate %s/%s.pem\n key %s/%s.key\n ca %s/ca.pem\n"
		" audit-log %s/audit%u\n", own, site->dir, own, site->dir, own, site->dir, site->dir,
		site->end);
	if (site->listen)
		fprintf(file, " listen 127.0.0.1:%u\npeer %s\n", site->listen, peer);
	else
		fprintf(file, "peer %s\n address 127.0.0.1:%u\n", peer, site->dial);
	for (i = 0; i < site->n; i++)
		fprintf(file, "link qlink%u\n peer %s\n policy pqc-only\n", i, peer);
	fclose(file);
}

static bool is_up(const struct site *site)
{
	size_t i;

	for (i = 0; i < site->n; i++) {
		const struct link *link = site->agent.now.links[i]->link;

		if (link->session.phase != SESSION_PHASE_READY || !link->id ||
		    !site->devices[link->id - 1].tx.newest || !site->devices[link->id - 1].rx.newest)
			return false;
	}
	return true;
}

static void tell(struct site *site)
{
	struct usage now = usage_now();
	struct usage used = {
		now.ms - site->begun.ms, now.cpu_ms - site->begun.cpu_ms,
		now.heap - site->begun.heap, now.locked - site->begun.locked,
		now.fds - site->begun.fds,
	};

	if (write(site->report, &used, sizeof(used)) != sizeof(used))
		_exit(1);
}

static void look_in(struct site *site, unsigned int ms)
{
	const struct timeval wait = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	event_add(site->look, &wait);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct site *site = arg;

	(void)fd;
	(void)what;
	if (!site->is_up && !is_up(site)) {
		look_in(site, LOOK_EACH_MS);
		return;
	}
	tell(site);
	/* Then once more, after a time in which nothing happens. */
	if (!site->is_up)
		look_in(site, IDLE_MS);
	site->is_up = true;
}

static void run_site(struct site *site)
{
	static struct config config;
	struct config_error error;
	char path[96];
	int log;

	snprintf(path, sizeof(path), "%s/%u.conf", site->dir, site->end);
	write_config(site, path);
	snprintf(path, sizeof(path), "%s/%u.log", site->dir, site->end);
	log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	snprintf(path, sizeof(path), "%s/%u.conf", site->dir, site->end);
	if (config_read(&config, path, &error)) {
		fprintf(stderr, "%s\n", error.text);
		_exit(1);
	}
	signal(SIGPIPE, SIG_IGN);
	device_time_is_real = true;
	device_start(&config);
	site->devices = device_many(site->n);
	device_services(&site->agent.services, site->end, log);
	site->agent.path = path;
	site->begun = usage_now();
	if (agent_open(&site->agent, &error)) {
		fprintf(stderr, "%s\n", error.text);
		_exit(1);
	}
	site->look = evtimer_new(site->agent.base, on_look, site);
	look_in(site, LOOK_EACH_MS);
	agent_run(&site->agent);
	_exit(0);
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

static int socket_to(uint16_t port, bool listens)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!listens)
		return connect(fd, (struct sockaddr *)&at, sizeof(at)) ? -1 : fd;
	return bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 8) ? -1 : fd;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);

	getsockname(fd, (struct sockaddr *)&at, &len);
	return ntohs(at.sin_port);
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
		b = socket_to(to, false);
		if (b >= 0 && !fork())
			relay(a, b);
		close(a);
		if (b >= 0)
			close(b);
	}
}

/* --- the test --- */

static struct site sites[2];
static pid_t pids[3];

static pid_t start_site(struct site *site, int report)
{
	pid_t pid = fork();

	if (!pid) {
		site->report = report;
		run_site(site);
	}
	close(report);
	return pid;
}

static struct usage await(int report, const char *what)
{
	struct pollfd fd = { report, POLLIN, 0 };
	struct usage used = { 0 };

	if (poll(&fd, 1, GOAL_MS + IDLE_MS) != 1 ||
	    read(report, &used, sizeof(used)) != sizeof(used))
		CHECK(false, "%s: not within %d ms", what, GOAL_MS + IDLE_MS);
	return used;
}

static void print(const char *what, unsigned int end, const struct usage *used)
{
	printf("# %s, end %u: %llu ms, %llu ms of CPU, %zu B on the heap and %zu B locked a link, %u"
	       " descriptors\n", what, end, (unsigned long long)used->ms,
	       (unsigned long long)used->cpu_ms, used->heap / sites[end].n,
	       used->locked / sites[end].n, used->fds);
}

static void check_start(const char *what, unsigned int end, int report, struct usage *used)
{
	*used = await(report, what);
	print(what, end, used);
	printf("# %u links\n", sites[end].n);
	CHECK(used->ms <= GOAL_MS, "%s: %llu ms", what, (unsigned long long)used->ms);
	CHECK(used->fds <= 16, "%u descriptors without a KME", used->fds);
}

static void check_idle(unsigned int end, int report, const struct usage *started)
{
	struct usage used = await(report, "idle");

	used.cpu_ms -= started->cpu_ms;
	used.ms -= started->ms;
	printf("# idle, end %u: %llu ms of CPU in %llu ms\n", end, (unsigned long long)used.cpu_ms,
	       (unsigned long long)used.ms);
}

/* Without privileges, fewer links fit into the memory that may be locked. */
static unsigned int count_links(void)
{
	struct rlimit limit;
	rlim_t most;

	getrlimit(RLIMIT_MEMLOCK, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_MEMLOCK, &limit);
	most = limit.rlim_cur / LOCKED_BYTES;
	return geteuid() && limit.rlim_cur != RLIM_INFINITY && most < LINKS ? (unsigned int)most :
									      LINKS;
}

static void set_up(const char *dir)
{
	bool first_dials = dial_is_ours("site-a", "site-b");
	int listener = socket_to(0, true), line = socket_to(0, true);
	uint16_t to = port_of(listener), through = port_of(line);
	unsigned int i;

	close(listener);
	for (i = 0; i < 2; i++) {
		sites[i] = (struct site){
			.end = i, .n = count_links(),
			.names = { first_dials ? "site-a" : "site-b", first_dials ? "site-b" : "site-a" },
			.dial = through, .listen = i ? to : 0,
		};
		snprintf(sites[i].dir, sizeof(sites[i].dir), "%s", dir);
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
	struct usage used[2];
	unsigned int i;

	CHECK(mkdtemp(dir), "mkdtemp: %s", strerror(errno));
	snprintf(command, sizeof(command), PKI " ca %s && " PKI " cert %s site-a && " PKI
		 " cert %s site-b", dir, dir, dir);
	CHECK_NUMBER(command, system(command), 0);
	set_up(dir);
	for (i = 0; i < 2; i++) {
		CHECK(!pipe(reports[i]), "pipe: %s", strerror(errno));
		pids[i] = start_site(&sites[i], reports[i][1]);
	}
	for (i = 0; i < 2; i++)
		check_start("start", i, reports[i][0], &used[i]);
	for (i = 0; i < 2; i++)
		check_idle(i, reports[i][0], &used[i]);
	kill(pids[1], SIGKILL);
	waitpid(pids[1], NULL, 0);
	CHECK(!pipe(again), "pipe: %s", strerror(errno));
	pids[1] = start_site(&sites[1], again[1]);
	check_start("restart", 1, again[0], &used[1]);
	for (i = 0; i < 3; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
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
