// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether messages reach the service manager. */
#include "common/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tap.h"

/* A manager's socket at @path, or an abstract one if @path begins with "@". */
static int manager(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	size_t len = strlen(path);

	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	CHECK(!bind(fd, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)), "%s: no socket", path);
	setenv("NOTIFY_SOCKET", path, 1);
	return fd;
}

static void heard(int fd, const char *want)
{
	char text[NOTIFY_TEXT_MAX + 2];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	CHECK_TEXT("heard", text, want);
}

/* One message over a socket of this name. */
static void over(const char *path)
{
	struct qlink_why why = { "" };
	struct notify notify;
	int fd = manager(path);

	CHECK_NUMBER("open", notify_open(&notify, &why), 0);
	CHECK_TEXT("why", why.text, "");
	CHECK_NUMBER("say", notify_send(&notify, "READY=1\nSTATUS=%d links", 3), 0);
	heard(fd, "READY=1\nSTATUS=3 links");
	CHECK(!getenv("NOTIFY_SOCKET"), "a child would inherit NOTIFY_SOCKET");
	notify_close(&notify);
	close(fd);
}

TEST(messages_arrive_whole)
{
	char path[60], name[60];

	snprintf(path, sizeof(path), "/tmp/notify.%d", (int)getpid());
	snprintf(name, sizeof(name), "@notify.%d", (int)getpid());
	over(path);
	unlink(path);
	over(name);
}

TEST(a_missing_manager_is_not_an_error)
{
	struct notify notify;
	struct qlink_why why;

	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	CHECK_NUMBER("open", notify_open(&notify, &why), 0);
	CHECK_NUMBER("watchdog", notify.watchdog_ms, 0);
	CHECK_NUMBER("say", notify_send(&notify, "READY=1"), 0);
	notify_close(&notify);
}

/* Neither a busy manager nor one that is gone blocks the agent. */
TEST(a_manager_that_does_not_read_does_not_block_the_agent)
{
	struct notify notify;
	struct qlink_why why;
	char name[60];
	int fd, err, n = 0;

	snprintf(name, sizeof(name), "@deaf.%d", (int)getpid());
	fd = manager(name);
	CHECK_NUMBER("open", notify_open(&notify, &why), 0);
	do {
		err = notify_send(&notify, "WATCHDOG=1");
	} while (!err && ++n < 100000);
	CHECK_NUMBER("full", err, -EAGAIN);
	close(fd);
	CHECK_NUMBER("gone", notify_send(&notify, "WATCHDOG=1"), -ECONNREFUSED);
	notify_close(&notify);
}

TEST(a_message_that_is_too_long_is_not_truncated)
{
	char name[60], text[NOTIFY_TEXT_MAX + 2];
	struct notify notify;
	struct qlink_why why;
	int fd;

	snprintf(name, sizeof(name), "@long.%d", (int)getpid());
	fd = manager(name);
	CHECK_NUMBER("open", notify_open(&notify, &why), 0);
	memset(text, 'x', sizeof(text));
	text[NOTIFY_TEXT_MAX + 1] = '\0';
	CHECK_NUMBER("too long", notify_send(&notify, "%s", text), -EMSGSIZE);
	text[NOTIFY_TEXT_MAX] = '\0';
	CHECK_NUMBER("the longest allowed", notify_send(&notify, "%s", text), 0);
	heard(fd, text);
	notify_close(&notify);
	close(fd);
}

/* The period that WATCHDOG_USEC and WATCHDOG_PID give. */
static void watchdog(const char *usec, const char *pid, int want_err, uint32_t want)
{
	struct notify notify;
	struct qlink_why why;

	unsetenv("NOTIFY_SOCKET");
	setenv("WATCHDOG_USEC", usec, 1);
	if (pid)
		setenv("WATCHDOG_PID", pid, 1);
	CHECK_NUMBER(usec, notify_open(&notify, &why), want_err);
	CHECK_NUMBER(usec, notify.watchdog_ms, want);
	CHECK(!getenv("WATCHDOG_USEC") && !getenv("WATCHDOG_PID"), "a child would inherit them");
}

TEST(the_watchdog_is_notified_twice_as_often_as_required)
{
	char pid[20], parent[20];

	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	snprintf(parent, sizeof(parent), "%d", (int)getppid());
	watchdog("10000000", NULL, 0, 5000);
	watchdog("10000000", pid, 0, 5000);
	watchdog("10000000", parent, 0, 0);
	watchdog("1999", NULL, -EINVAL, 0);
	watchdog("soon", NULL, -EINVAL, 0);
}

/* The error for a wrong NOTIFY_SOCKET. */
static void refused(const char *path, int want_err, const char *want)
{
	struct notify notify;
	struct qlink_why why;

	setenv("NOTIFY_SOCKET", path, 1);
	CHECK_NUMBER(path, notify_open(&notify, &why), want_err);
	CHECK_TEXT("why", why.text, want);
	CHECK_NUMBER("fd", notify.fd, -1);
}

TEST(invalid_sockets_are_refused)
{
	char text[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];

	memset(text, 'x', sizeof(text));
	text[0] = '/';
	text[sizeof(text) - 1] = '\0';
	refused("relative", -EINVAL, "NOTIFY_SOCKET is not an absolute path or @ and a name");
	refused("@", -EINVAL, "NOTIFY_SOCKET is not an absolute path or @ and a name");
	refused(text, -EINVAL, "NOTIFY_SOCKET is not an absolute path or @ and a name");
	refused("/nowhere/socket", -ENOENT, "NOTIFY_SOCKET: No such file or directory");
}
