// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkctl links follow: sets up declared links, and again when what they lie on appears. */
#include "follow.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "apply.h"
#include "common/notify.h"

/* Room for what is missed while links are set up; the kernel drops the rest, and that wakes us too. */
#define RECEIVE_BYTES	(1 << 20)

/**
 * struct follow - a run of this command
 */
struct follow {
	/** @ctl: this run of qlinkctl */
	struct ctl *ctl;

	/** @declared: what the files said when they were read last without an error of the folder */
	struct declared declared;

	/** @results: what became of each link */
	struct apply_result *results;

	/** @notify: the service manager */
	struct notify notify;

	/** @changes: rtnetlink says there that a device or an address has changed */
	int changes;

	/** @signals: SIGHUP and those that end us */
	int signals;
};

/* ---- links ---- */

static void report(const struct declared_link *link, const struct apply_result *result)
{
	apply_print(link, result);
	fflush(stdout);
}

/* What is so since before is not said again. */
static void apply_one(struct follow *follow, size_t i, bool is_first)
{
	struct apply_result *result = &follow->results[i], before = *result;

	apply_link(follow->ctl, &follow->declared.links[i], result);
	if (is_first || result->outcome != before.outcome || strcmp(result->text, before.text))
		report(&follow->declared.links[i], result);
}

/* A link is deleted with its lower device, and is made again with that. One that somebody deletes
 * by itself stays deleted.
 */
static bool went_with_lower(const struct declared_link *link, const struct apply_result *result)
{
	return *link->is.lower && result->lower && if_nametoindex(link->is.lower) != result->lower;
}

static void note_deleted(const struct declared_link *link, struct apply_result *result)
{
	result->outcome = APPLY_ABSENT;
	snprintf(result->text, sizeof(result->text), "it was deleted; a reload makes it again");
	report(link, result);
}

static void look_after(struct follow *follow, size_t i)
{
	const struct declared_link *link = &follow->declared.links[i];
	struct apply_result *result = &follow->results[i];
	bool has_gone = result->ifindex && !if_nametoindex(link->is.device.name);

	if (result->outcome == APPLY_ABSENT)
		return;
	if (has_gone && !went_with_lower(link, result))
		note_deleted(link, result);
	else if (has_gone || result->outcome == APPLY_WAITS || result->outcome == APPLY_REFUSED)
		apply_one(follow, i, false);
}

/* As in "3 links: 2 set up, 1 waits, 1 error in the files". */
static void tell_status(struct follow *follow, const char *before)
{
	size_t i, n = follow->declared.n, waiting = 0, refused = 0, absent = 0;
	char text[160];
	int at;

	for (i = 0; i < n; i++) {
		waiting += follow->results[i].outcome == APPLY_WAITS;
		refused += follow->results[i].outcome == APPLY_REFUSED;
		absent += follow->results[i].outcome == APPLY_ABSENT;
	}
	at = snprintf(text, sizeof(text), "%zu link%s: %zu set up", n, n == 1 ? "" : "s",
		      n - waiting - refused - absent);
	if (waiting)
		at += snprintf(text + at, sizeof(text) - (size_t)at, ", %zu waiting", waiting);
	if (refused)
		at += snprintf(text + at, sizeof(text) - (size_t)at, ", %zu refused", refused);
	if (absent)
		at += snprintf(text + at, sizeof(text) - (size_t)at, ", %zu deleted", absent);
	if (follow->declared.n_errors)
		snprintf(text + at, sizeof(text) - (size_t)at, ", %zu left out by an error in the files",
			 follow->declared.n_errors);
	notify_send(&follow->notify, "%sSTATUS=%s", before, text);
}

static int apply_all(struct follow *follow)
{
	size_t i;

	free(follow->results);
	follow->results = calloc(follow->declared.n + 1, sizeof(*follow->results));
	if (!follow->results)
		return ctl_fail("%s", strerror(ENOMEM));
	for (i = 0; i < follow->declared.n; i++)
		apply_one(follow, i, true);
	return CTL_OK;
}

/* ---- the files ---- */

static void name_dropped(const struct declared *before, const struct declared *now)
{
	size_t i;

	for (i = 0; i < before->n; i++)
		if (!declared_find(now, before->links[i].is.device.name))
			printf("%s: no longer declared; it is left as it is\n", before->links[i].is.device.name);
	fflush(stdout);
}

static int reload(struct follow *follow)
{
	struct declared now, before = follow->declared;
	struct timespec at;
	int err;

	clock_gettime(CLOCK_MONOTONIC, &at);
	notify_send(&follow->notify, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
		    (int64_t)at.tv_sec * 1000000 + at.tv_nsec / 1000);
	if (declared_read(&now, follow->ctl->folder)) {
		declared_free(&now);
		tell_status(follow, "READY=1\n");
		return CTL_OK;
	}
	name_dropped(&before, &now);
	follow->declared = now;
	err = apply_all(follow);
	declared_free(&before);
	tell_status(follow, "READY=1\n");
	return err;
}

/* ---- the loop ---- */

static int open_changes(struct follow *follow)
{
	struct sockaddr_nl address = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	};
	int bytes = RECEIVE_BYTES;

	follow->changes = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (follow->changes < 0 ||
	    bind(follow->changes, (struct sockaddr *)&address, sizeof(address)))
		return ctl_fail("rtnetlink: %s", strerror(errno));
	setsockopt(follow->changes, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	return CTL_OK;
}

static int open_signals(struct follow *follow)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (!sigprocmask(SIG_BLOCK, &set, NULL))
		follow->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return follow->signals < 0 ? ctl_fail("signalfd: %s", strerror(errno)) : CTL_OK;
}

/* What has changed does not matter: that is looked up. */
static void drain_changes(struct follow *follow)
{
	char bytes[64];

	while (recv(follow->changes, bytes, sizeof(bytes), 0) >= 0 || errno == EINTR || errno == ENOBUFS)
		;
}

static void changed(struct follow *follow)
{
	size_t i;

	drain_changes(follow);
	for (i = 0; i < follow->declared.n; i++)
		look_after(follow, i);
	tell_status(follow, "");
}

/* Returns whether the run goes on. */
static bool next_signal(struct follow *follow, int *err)
{
	struct signalfd_siginfo info;

	if (read(follow->signals, &info, sizeof(info)) != sizeof(info))
		return true;
	if (info.ssi_signo == SIGHUP)
		*err = reload(follow);
	return info.ssi_signo == SIGHUP && !*err;
}

static int loop(struct follow *follow)
{
	struct pollfd fds[] = {
		{ .fd = follow->signals, .events = POLLIN },
		{ .fd = follow->changes, .events = POLLIN },
	};
	bool goes_on = true;
	int err = CTL_OK;

	while (goes_on) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return ctl_fail("poll: %s", strerror(errno));
		if (fds[1].revents)
			changed(follow);
		if (fds[0].revents)
			goes_on = next_signal(follow, &err);
	}
	notify_send(&follow->notify, "STOPPING=1");
	return err;
}

static int start(struct follow *follow)
{
	struct qlink_why why;
	int err;

	if (notify_open(&follow->notify, &why))
		return ctl_fail("%s", why.text);
	err = ctl_open(follow->ctl);
	/* Before links are looked up, so that no change is missed. */
	if (!err)
		err = open_signals(follow);
	if (!err)
		err = open_changes(follow);
	if (!err && declared_read(&follow->declared, follow->ctl->folder))
		err = CTL_FAILED;
	if (!err)
		err = apply_all(follow);
	if (!err)
		tell_status(follow, "READY=1\n");
	return err;
}

int follow_run(struct ctl *ctl, int argc, char **argv)
{
	struct follow follow = { .ctl = ctl, .notify.fd = -1, .changes = -1, .signals = -1 };
	int err;

	if (argc)
		return ctl_usage("\"%s\": links follow has no argument", argv[0]);
	err = start(&follow);
	if (!err)
		err = loop(&follow);
	if (follow.changes >= 0)
		close(follow.changes);
	if (follow.signals >= 0)
		close(follow.signals);
	notify_close(&follow.notify);
	declared_free(&follow.declared);
	free(follow.results);
	return err;
}
