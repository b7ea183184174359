// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkd: agrees with peers on keys, from QKD and a KEM, and installs them in qlink devices. */
#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "agent.h"
#include "common/number.h"
#include "control.h"
#include "qlinkd/base/privilege.h"
#include "qlinkd/broker/broker.h"
#include "qlinkd/kme/memory.h"
#include "scrape.h"
#include "selftest.h"
#include "verify.h"

#define DEFAULT_PATH	"/etc/qlinkd/qlinkd.conf"
#define SHARED_BYTES	(SESSION_OFFER_MAX * QLINK_SECRET_BYTES)

static const char help[] =
"usage: qlinkd [-n] [-c FILE]\n"
"       qlinkd -a FOLDER [-c FILE] [-f NUMBER] [-k FILE]\n"
"\n"
"Keys the qlink devices that its configuration names, until it is stopped; see\n"
"qlinkd(8) and qlinkd.conf(5).\n"
"\n"
"  -c, --config FILE       the configuration; " DEFAULT_PATH " unless set\n"
"  -n, --check             only read the configuration\n"
"  -a, --audit FOLDER      only check an audit log\n"
"  -f, --first NUMBER      the first file of the log that must be there; 1 unless set\n"
"  -k, --certificate FILE  of the agent that wrote the log, to check a signature;\n"
"                          that of the configuration unless set\n"
"  -h, --help              this text\n"
"  -V, --version           the version\n";

static const struct option long_options[] = {
	{ "audit", required_argument, NULL, 'a' },
	{ "certificate", required_argument, NULL, 'k' },
	{ "check", no_argument, NULL, 'n' },
	{ "config", required_argument, NULL, 'c' },
	{ "first", required_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static int complain(const char *what)
{
	fprintf(stderr, "qlinkd: %s\n", what);
	return 1;
}

static int check_config(const char *path)
{
	struct config_error error;

	return agent_check(path, &error) ? complain(error.text) : 0;
}

/* --- two processes --- */

static int run_broker(int fd, uint8_t *keys, const char *path)
{
	struct qlink_why why;

	prctl(PR_SET_NAME, "qlinkd-broker");
	/* The agent closes its socket when it ends; signals are for the agent. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	if (privilege_drop(true, &why) || privilege_harden(&why))
		return complain(why.text);
	return broker_run(fd, keys, path);
}

/* Opens the sockets for qlinkctl and Prometheus, and runs the loop. */
static int serve(struct agent *agent, struct activation *sockets, struct qlink_why *why)
{
	struct scrape *scrape = NULL;
	struct control *control = NULL;
	int err;

	err = control_open(&control, agent->now.config.agent.control, agent, why);
	if (!err)
		err = scrape_open(&scrape, agent, sockets, why);
	if (err)
		complain(why->text);
	else
		err = agent_run(agent);
	scrape_close(scrape);
	control_close(control);
	return err;
}

static int run_agent(struct agent *agent, struct activation *sockets, const char *path)
{
	struct config_error config_error;
	struct qlink_error error;
	struct qlink_why why;
	int err;

	agent->path = path;
	log_init(&agent->services.log, STDERR_FILENO, services_now());
	journal_open(&agent->services.log.journal, STDERR_FILENO, JOURNAL_SOCKET);
	/* Before privileges are dropped: it must receive events of other network namespaces, too. */
	if (qlink_monitor_open(&agent->monitor, &error))
		return complain(qlink_error_text(&error));
	if (privilege_drop(false, &why))
		return complain(why.text);
	err = agent_open(agent, &config_error);
	if (err)
		complain(config_error.text);
	else
		err = serve(agent, sockets, &why);
	agent_close(agent);
	journal_close(&agent->services.log.journal);
	qlink_monitor_close(agent->monitor);
	return err ? 1 : 0;
}

/*
 * Memory for key bytes on their way to the broker. Agent and broker share it, and no other process
 * does: it is made before the only fork.
 */
static uint8_t *share_memory(void)
{
	uint8_t *memory = mmap(NULL, SHARED_BYTES, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	if (madvise(memory, SHARED_BYTES, MADV_DONTDUMP)) {
		munmap(memory, SHARED_BYTES);
		return NULL;
	}
	return memory;
}

static int split(struct activation *sockets, const char *path)
{
	static struct agent agent;
	uint8_t *keys = share_memory();
	int fds[2], status;
	pid_t broker;

	if (!keys)
		return complain("no locked memory to share with the broker");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return complain(strerror(errno));
	broker = fork();
	if (broker < 0)
		return complain(strerror(errno));
	if (!broker) {
		close(fds[0]);
		activation_close(sockets);
		return run_broker(fds[1], keys, path);
	}
	close(fds[1]);
	agent.services.broker.fd = fds[0];
	agent.services.broker.keys = keys;
	status = run_agent(&agent, sockets, path);
	explicit_bzero(keys, SHARED_BYTES);
	close(fds[0]);
	waitpid(broker, NULL, 0);
	return status;
}

/* As many descriptors as whoever starts the agent allows: each peer and each KME needs two. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int start(const char *path)
{
	struct activation sockets;
	struct qlink_why why;
	int status = 1;

	/* Before any secret is read: without the algorithms there are no keys. */
	if (selftest_run(&why))
		return complain(why.text);
	signal(SIGPIPE, SIG_IGN);
	raise_limit();
	/* A thread's own arena would reserve 64 MiB of the memory that may be locked. */
	mallopt(M_ARENA_MAX, 1);
	if (privilege_harden(&why))
		return complain(why.text);
	if (activation_open(&sockets, SCRAPE_SOCKET_NAME, &why))
		complain(why.text);
	else
		status = split(&sockets, path);
	activation_close(&sockets);
	return status;
}

static int set_first(struct verify_options *verify, const char *text)
{
	struct qlink_why why;

	if (!qlink_parse_number(text, 1, UINT64_MAX, &verify->first, &why))
		return 0;
	fprintf(stderr, "qlinkd: -f %s: %s\n", text, why.text);
	return 2;
}

int main(int argc, char **argv)
{
	struct verify_options verify = { .config = DEFAULT_PATH, .first = 1 };
	bool is_check = false;
	int option;

	if (kme_memory_init())
		return complain("libcurl cannot start");
	while ((option = getopt_long(argc, argv, "a:c:f:k:nhV", long_options, NULL)) != -1) {
		switch (option) {
		case 'a':
			verify.folder = optarg;
			break;
		case 'c':
			verify.config = optarg;
			break;
		case 'f':
			if (set_first(&verify, optarg))
				return 2;
			break;
		case 'k':
			verify.certificate = optarg;
			break;
		case 'n':
			is_check = true;
			break;
		case 'h':
			return fputs(help, stdout) == EOF;
		case 'V':
			return puts("qlinkd " QLINK_VERSION) == EOF;
		default:
			return 2;
		}
	}
	if (optind < argc) {
		fputs(help, stderr);
		return 2;
	}
	if (verify.folder)
		return verify_log(&verify);
	return is_check ? check_config(verify.config) : start(verify.config);
}
