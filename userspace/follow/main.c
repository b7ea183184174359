// SPDX-License-Identifier: GPL-2.0-or-later
/* qlink-follow: has a site be as its documents in etcd say, and tells etcd how it is. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "common/notify.h"
#include "follower.h"

/* Signals; the child's end, and what it writes. */
#define N_FDS	4

static const char help[] =
"usage: qlink-follow [-n] [-c FILE] SITE\n"
"\n"
"Has this site be as its documents in etcd say, until it is stopped; see\n"
"qlink-follow(8).\n"
"\n"
"  -c, --config FILE  the configuration; /etc/qlink/follow/SITE.conf unless set,\n"
"                     or /etc/qlink/follow.conf where there is none\n"
"  -n, --check        only read the configuration\n"
"  -h, --help         this text\n"
"  -V, --version      the version\n";

static const struct option long_options[] = {
	{ "check", no_argument, NULL, 'n' },
	{ "config", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static int complain(const char *what)
{
	fprintf(stderr, "qlink-follow: %s\n", what);
	return 1;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	signal(SIGPIPE, SIG_IGN);
	return sigprocmask(SIG_BLOCK, &set, NULL) ? -1 : signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* What has changed is told to the service manager, and that we are alive. */
static void tell_manager(const struct notify *notify, const struct follower *follower)
{
	static char told[400];
	char text[400];

	follower_text(follower, text, sizeof(text));
	if (strcmp(text, told)) {
		memcpy(told, text, sizeof(told));
		notify_send(notify, "STATUS=%s", text);
	}
	if (notify->watchdog_ms)
		notify_send(notify, "WATCHDOG=1");
}

/* How long to wait, in ms. */
static int wait_ms(const struct notify *notify, const struct follower *follower)
{
	uint64_t now = now_ms(), due = follower_due(follower), limit = notify->watchdog_ms ?: 60000;

	if (due <= now)
		return 0;
	return (int)(due - now < limit ? due - now : limit);
}

static int loop(struct follower *follower, const struct notify *notify, int signals)
{
	struct curl_waitfd fds[N_FDS] = { { .fd = signals, .events = CURL_WAIT_POLLIN } };
	const struct child *child = &follower->child;
	unsigned int n = 1;

	notify_send(notify, "READY=1");
	for (;;) {
		follower_run(follower, now_ms());
		tell_manager(notify, follower);
		n = 1;
		if (child->pid) {
			fds[n++] = (struct curl_waitfd){ .fd = child->pidfd, .events = CURL_WAIT_POLLIN };
			fds[n++] = (struct curl_waitfd){ .fd = child->out.fd, .events = CURL_WAIT_POLLIN };
			fds[n++] = (struct curl_waitfd){ .fd = child->err.fd, .events = CURL_WAIT_POLLIN };
		}
		fds[0].revents = 0;
		if (curl_multi_poll(follower->etcd.multi, fds, n, wait_ms(notify, follower), NULL))
			return complain("libcurl cannot wait");
		if (fds[0].revents)
			break;
	}
	notify_send(notify, "STOPPING=1");
	return 0;
}

static int run(const struct options *options)
{
	struct follower follower;
	struct notify notify;
	struct qlink_why why;
	int signals = open_signals(), status = 1;

	if (signals < 0)
		return complain(strerror(errno));
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return complain("libcurl cannot start");
	if (notify_open(&notify, &why))
		return complain(why.text);
	if (follower_open(&follower, options, &why))
		complain(why.text);
	else
		status = loop(&follower, &notify, signals);
	follower_close(&follower);
	notify_close(&notify);
	curl_global_cleanup();
	close(signals);
	return status;
}

int main(int argc, char **argv)
{
	const char *path = NULL;
	struct options options;
	struct qlink_why why;
	int option, status, is_check = 0;

	while ((option = getopt_long(argc, argv, "c:hnV", long_options, NULL)) != -1) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 'n':
			is_check = 1;
			break;
		case 'h':
			return fputs(help, stdout) == EOF;
		case 'V':
			return puts("qlink-follow " QLINK_VERSION) == EOF;
		default:
			return 2;
		}
	}
	if (optind != argc - 1) {
		fputs(help, stderr);
		return 2;
	}
	if (options_read(&options, argv[optind], path, &why))
		status = complain(why.text);
	else
		status = is_check ? 0 : run(&options);
	options_free(&options);
	return status;
}
