// SPDX-License-Identifier: GPL-2.0-or-later
/* Whole agents, each with its own process and loop, and devices in memory; and what they use. */
#include "fleet.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heap.h"
#include "tap.h"

#define LOOK_EACH_MS	20
/* Locked memory of a link while keys are agreed on, at most. */
#define LOCKED_BYTES	(36 * 1024)

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

static unsigned int count_requests(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < REQUEST_N; i++)
		n += devices[0].asked[i];
	return n;
}

static struct fleet_usage usage_now(void)
{
	return (struct fleet_usage){ services_now(), cpu_ms(), heap_bytes(), locked_bytes(),
				     count_fds(), count_requests() };
}

unsigned int fleet_fitting(unsigned int links)
{
	struct rlimit limit;
	rlim_t most;

	getrlimit(RLIMIT_MEMLOCK, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_MEMLOCK, &limit);
	most = limit.rlim_cur / LOCKED_BYTES;
	return geteuid() && limit.rlim_cur != RLIM_INFINITY && most < links ? (unsigned int)most : links;
}

/* --- one agent --- */

static bool is_up(const struct fleet_site *site)
{
	size_t i;

	for (i = 0; i < site->n; i++) {
		const struct link *link = site->agent.now.links[i]->link;

		if (link->session.phase != SESSION_PHASE_READY || !link->id ||
		    !site->devices[i].tx.newest || !site->devices[i].rx.newest)
			return false;
	}
	return true;
}

static void tell(struct fleet_site *site)
{
	struct fleet_usage now = usage_now();
	struct fleet_usage used = {
		now.ms - site->begun.ms, now.cpu_ms - site->begun.cpu_ms,
		now.heap - site->begun.heap, now.locked - site->begun.locked,
		now.fds - site->begun.fds, now.requests - site->begun.requests,
	};

	if (write(site->report, &used, sizeof(used)) != sizeof(used))
		_exit(1);
}

static void look_in(struct fleet_site *site, unsigned int ms)
{
	const struct timeval wait = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	event_add(site->look, &wait);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct fleet_site *site = arg;

	(void)fd;
	(void)what;
	if (!site->is_up && !is_up(site)) {
		look_in(site, LOOK_EACH_MS);
		return;
	}
	tell(site);
	/* Then once more, after a time in which nothing happens. */
	if (!site->is_up)
		look_in(site, FLEET_IDLE_MS);
	site->is_up = true;
}

static void raise_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void make_devices(struct fleet_site *site)
{
	size_t i;

	site->devices = device_many(site->n);
	for (i = 0; site->id && i < site->n; i++)
		site->devices[i].id = site->id;
}

static void run(struct fleet_site *site)
{
	static struct config config;
	struct config_error error;

	signal(SIGPIPE, SIG_IGN);
	raise_limit();
	if (config_read(&config, site->conf, &error)) {
		fprintf(stderr, "%s\n", error.text);
		_exit(1);
	}
	device_time_is_real = true;
	device_start(&config);
	make_devices(site);
	device_services(&site->agent.services, 0,
			open(site->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
	site->agent.path = site->conf;
	site->begun = usage_now();
	if (agent_open(&site->agent, &error)) {
		fprintf(stderr, "%s\n", error.text);
		_exit(1);
	}
	if (site->report >= 0) {
		site->look = evtimer_new(site->agent.base, on_look, site);
		look_in(site, LOOK_EACH_MS);
	}
	if (site->starts)
		site->starts(site);
	agent_run(&site->agent);
	_exit(0);
}

pid_t fleet_start(struct fleet_site *site, int report)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		site->report = report;
		run(site);
	}
	if (report >= 0)
		close(report);
	return pid;
}

void fleet_kill(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* --- reports --- */

struct fleet_usage fleet_await(int report, const char *what)
{
	struct pollfd fd = { report, POLLIN, 0 };
	struct fleet_usage used = { 0 };

	if (poll(&fd, 1, FLEET_GOAL_MS + FLEET_IDLE_MS) != 1 ||
	    read(report, &used, sizeof(used)) != sizeof(used))
		CHECK(false, "%s: not within %d ms", what, FLEET_GOAL_MS + FLEET_IDLE_MS);
	return used;
}

void fleet_print(const char *what, const char *who, unsigned int n, const struct fleet_usage *used)
{
	printf("# %s, %s, %u links: %llu ms, %llu ms of CPU, %zu B on the heap and %zu B locked a link,"
	       " %u descriptors, %u requests to the broker\n", what, who, n,
	       (unsigned long long)used->ms, (unsigned long long)used->cpu_ms, used->heap / n,
	       used->locked / n, used->fds, used->requests);
}

/* --- sockets --- */

int fleet_socket(uint16_t port, bool listens)
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

uint16_t fleet_port(int fd)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);

	getsockname(fd, (struct sockaddr *)&at, &len);
	return ntohs(at.sin_port);
}
