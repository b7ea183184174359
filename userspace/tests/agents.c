// SPDX-License-Identifier: GPL-2.0-or-later
/* Two whole agents with real sockets and TLS, and devices in memory. */
#include <event2/event.h>

/* Two loops of one process cannot both have signals, and there is no kernel to send events. */
#undef evsignal_new
#define evsignal_new(base, number, callback, arg)			\
	event_new((base), -(number), EV_PERSIST, (callback), (arg))
#define qlink_monitor_fd no_events
#define qlink_monitor_next no_next_event
#include "libqlink/event.h"

#include "qlinkd/agent.c"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agents.h"
#include "qlinkd/peer/route.h"

char agents_dir[] = "/tmp/qlink-agent-XXXXXX";
struct agent agents[2];
const char *const agents_names[2] = { "site-a", "site-b" };
uint16_t agents_ports[2];
char agents_paths[2][64];
static int log_fds[2], event_fd;

int no_events(const struct qlink_monitor *monitor)
{
	(void)monitor;
	return event_fd;
}

int no_next_event(struct qlink_monitor *monitor, struct qlink_event *event,
		  struct qlink_error *error)
{
	(void)monitor;
	(void)event;
	(void)error;
	return -EAGAIN;
}

/* Nothing is routed through a qlink here; it only counts. */
unsigned int agents_route_checks;

int route_check(const struct qlink_addr *addr, struct qlink_why *why)
{
	(void)addr;
	(void)why;
	agents_route_checks++;
	return 0;
}

/* --- files --- */

void agents_shell(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	CHECK_NUMBER(command, system(command), 0);
}

__attribute__((destructor))
static void remove_files(void)
{
	char command[64];

	if (strstr(agents_dir, "XXXXXX"))
		return;
	snprintf(command, sizeof(command), "rm -rf %s", agents_dir);
	if (system(command))
		fprintf(stderr, "%s: not removed\n", agents_dir);
}

/* A port that nobody listens on now. */
static uint16_t free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, len) ||
	    getsockname(fd, (struct sockaddr *)&at, &len))
		BAIL_OUT();
	close(fd);
	return ntohs(at.sin_port);
}

/* Replaces the file as an editor does, so that no reader sees half of it. */
void agents_write(const char *path, const char *text)
{
	char new[80];
	FILE *file;

	snprintf(new, sizeof(new), "%s.new", path);
	file = fopen(new, "we");
	if (!file || fputs(text, file) < 0 || fclose(file) || rename(new, path))
		BAIL_OUT();
}

/* The configuration of an agent, with lines of its own in sections kme and link. */
const char *agents_conf(unsigned int end, const char *kme, const char *link)
{
	static char text[AGENTS_TEXT];

	snprintf(text, sizeof(text),
		 "agent\n\tname %s\n\tcertificate %s/%s.pem\n\tkey %s/%s.key\n\tca %s/ca.pem\n"
		 "\tlisten 127.0.0.1:%u\n\tcontrol %s/control\n\tmetrics %s/metrics\n"
		 "\taudit-log %s/%s.audit\n"
		 "kme rack\n\tcertificate %s/%s.pem\n\tkey %s/%s.key\n\tca %s/ca.pem\n%s"
		 "peer %s\n\taddress 127.0.0.1:%u\n"
		 "link qlink0\n\tpeer %s\n%s",
		 agents_names[end], agents_dir, agents_names[end], agents_dir, agents_names[end], agents_dir, agents_ports[end], agents_dir, agents_dir, agents_dir,
		 agents_names[end], agents_dir, agents_names[end], agents_dir, agents_names[end], agents_dir, kme, agents_names[!end], agents_ports[!end],
		 agents_names[!end], link);
	return text;
}

/* --- both agents --- */

void agents_files(void)
{
	if (!strstr(agents_dir, "XXXXXX"))
		return;
	if (!mkdtemp(agents_dir))
		BAIL_OUT();
	agents_shell(AGENTS_PKI " ca %s && " AGENTS_PKI " cert %s site-a && " AGENTS_PKI " cert %s site-b", agents_dir, agents_dir, agents_dir);
}

void agents_start(const char *link)
{
	struct config_error error = { "" };
	struct config config = { 0 };
	int fds[2];
	unsigned int i;

	agents_files();
	/* As in main(). */
	signal(SIGPIPE, SIG_IGN);
	if (pipe(fds))
		BAIL_OUT();
	event_fd = fds[0];
	device_start(&config);
	for (i = 0; i < 2; i++)
		agents_ports[i] = free_port();
	for (i = 0; i < 2; i++) {
		snprintf(agents_paths[i], sizeof(agents_paths[i]), "%s/%s.conf", agents_dir, agents_names[i]);
		agents_write(agents_paths[i], agents_conf(i, KME, link));
		device_broker_reads(i, agents_paths[i]);
		log_fds[i] = memfd_create("log", MFD_CLOEXEC);
		memset(&agents[i], 0, sizeof(agents[i]));
		device_services(&agents[i].services, i, log_fds[i]);
		agents[i].path = agents_paths[i];
		CHECK_NUMBER(agents_names[i], agent_open(&agents[i], &error), 0);
		CHECK_TEXT(agents_names[i], error.text, "");
	}
}

void agents_end(void)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		agent_close(&agents[i]);
		device_broker_ends(i);
		close(log_fds[i]);
	}
	close(event_fd);
}

int agents_restart(unsigned int i, struct config_error *error)
{
	agent_close(&agents[i]);
	device_broker_ends(i);
	device_broker_reads(i, agents_paths[i]);
	memset(&agents[i], 0, sizeof(agents[i]));
	device_services(&agents[i].services, i, log_fds[i]);
	agents[i].path = agents_paths[i];
	return agent_open(&agents[i], error);
}

void agents_turn_one(unsigned int i)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	device_now = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	event_base_loop(agents[i].base, EVLOOP_NONBLOCK);
}

void agents_turn(void)
{
	agents_turn_one(0);
	agents_turn_one(1);
}

struct link *agents_link(unsigned int i)
{
	return agent_find_link(&agents[i], "qlink0");
}

static bool is_ready(unsigned int i)
{
	return agents_link(i)->session.phase == SESSION_PHASE_READY && device_staged(&devices[i].tx);
}

bool agents_ready(void)
{
	return is_ready(0) && is_ready(1);
}

unsigned int agents_logged(unsigned int i, const char *text)
{
	static char log[1 << 16];
	ssize_t len = pread(log_fds[i], log, sizeof(log) - 1, 0);
	const char *at;
	unsigned int n = 0;

	log[len > 0 ? len : 0] = '\0';
	for (at = log; (at = strstr(at, text)); at++)
		n++;
	return n;
}

struct agents_state agents_state(unsigned int i)
{
	const struct link *link = agents_link(i);

	return (struct agents_state){
		.link = agents_link(i),
		.connection = agents[i].now.peers[0]->connection,
		.sessions = link->counters.sessions,
		.offers = link->counters.offers,
		.connections = agents[i].now.peers[0]->n_connections,
		.reloads = agents[i].reloads,
		.digest = agents[i].now.config.digest,
		.tx = devices[i].tx.n,
		.rx = devices[i].rx.n,
		.accept = devices[i].accept,
	};
}

struct peer *agents_peer(unsigned int i)
{
	return agents[i].now.peers[0];
}

/* Which agent makes the connections. */
unsigned int agents_dialler(void)
{
	return agents_peer(0)->dials ? 0 : 1;
}

/* Replaces the certificate and the key of an agent, under the CA in a folder below ours. */
void agents_certify_for(unsigned int i, const char *ca, unsigned int suite)
{
	agents_shell("cd %s && rm %s.pem %s.key", agents_dir, agents_names[i], agents_names[i]);
	agents_shell(AGENTS_PKI " --suite %u cert %s/%s %s", suite, agents_dir, ca, agents_names[i]);
	if (strcmp(ca, "."))
		agents_shell("cd %s && mv %s/%s.pem %s/%s.key .", agents_dir, ca, agents_names[i], ca, agents_names[i]);
}

void agents_certify(unsigned int i, const char *ca)
{
	agents_certify_for(i, ca, 1);
}

void agents_reload(unsigned int i)
{
	struct config_error error = { "" };

	CHECK_NUMBER(agents_names[i], agent_reload(&agents[i], &error), 0);
	CHECK_TEXT(agents_names[i], error.text, "");
}
