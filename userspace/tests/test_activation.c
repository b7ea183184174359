// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether sockets of the service manager are taken over, and wrong ones are refused. */
#include "qlinkd/base/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

/* What a process that gets these descriptors from a service manager says. */
struct child {
	const char *fds, *names, *pid;
	void (*make)(int fd);
	const char *said;
};

static void make_listener(int fd)
{
	int new = socket(AF_INET, SOCK_STREAM, 0);

	if (listen(new, 4))
		_exit(1);
	dup2(new, fd);
	if (new != fd)
		close(new);
}

static void make_unconnected(int fd)
{
	int new = socket(AF_INET, SOCK_STREAM, 0);

	dup2(new, fd);
}

static void make_datagrams(int fd)
{
	int new = socket(AF_UNIX, SOCK_DGRAM, 0);

	dup2(new, fd);
}

static void make_nothing(int fd)
{
	(void)fd;
}

/* Runs in a child, whose descriptors 3 and 4 are those of the service manager. */
static void say(const struct child *child, int out)
{
	struct activation activation;
	struct qlink_why why = { "" };
	char pid[24], text[500];
	int fd, n = 0, err;

	close(3);
	close(4);
	child->make(3);
	child->make(4);
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_PID", child->pid ? child->pid : pid, 1);
	if (child->fds)
		setenv("LISTEN_FDS", child->fds, 1);
	if (child->names)
		setenv("LISTEN_FDNAMES", child->names, 1);
	err = activation_open(&activation, "metrics", &why);
	while (!err && (fd = activation_take(&activation)) >= 0)
		n += fd >= 3 && fd <= 4 && fcntl(fd, F_GETFD) == FD_CLOEXEC && fcntl(fd, F_GETFL) & O_NONBLOCK;
	activation_close(&activation);
	snprintf(text, sizeof(text), "%d %s%s", n, why.text,
		 getenv("LISTEN_PID") || getenv("LISTEN_FDS") || getenv("LISTEN_FDNAMES") ? " kept" : "");
	if (write(out, text, strlen(text) + 1) < 0)
		_exit(1);
}

static void expect(const struct child *child)
{
	char got[500] = "";
	int fds[2], copy;
	pid_t pid;

	CHECK_NUMBER("pipe", pipe(fds), 0);
	pid = fork();
	if (!pid) {
		/* Out of the way of the descriptors of the service manager. */
		copy = fcntl(fds[1], F_DUPFD, 20);
		close(fds[0]);
		close(fds[1]);
		say(child, copy);
		_exit(0);
	}
	close(fds[1]);
	CHECK(read(fds[0], got, sizeof(got) - 1) > 0, "nothing said");
	CHECK_TEXT(child->names ? child->names : "(no names)", got, child->said);
	close(fds[0]);
	waitpid(pid, NULL, 0);
}

TEST(sockets_are_taken_once_and_do_not_block)
{
	expect(&(struct child){ "2", "metrics:metrics", NULL, make_listener, "2 " });
	expect(&(struct child){ "1", "metrics", NULL, make_listener, "1 " });
	expect(&(struct child){ "0", "", NULL, make_listener, "0 " });
}

TEST(sockets_of_another_process_are_left_alone)
{
	expect(&(struct child){ "2", "metrics:metrics", "1", make_listener, "0 " });
	expect(&(struct child){ NULL, NULL, NULL, make_listener, "0 " });
}

TEST(wrong_sockets_are_refused)
{
	expect(&(struct child){ "2", "metrics:other", NULL, make_listener,
		"0 socket other of the service manager: must have FileDescriptorName=metrics" });
	expect(&(struct child){ "1", "metricsx", NULL, make_listener,
		"0 socket metricsx of the service manager: must have FileDescriptorName=metrics" });
	expect(&(struct child){ "1", NULL, NULL, make_listener,
		"0 socket  of the service manager: must have FileDescriptorName=metrics" });
	expect(&(struct child){ "1", "metrics", NULL, make_unconnected,
		"0 socket 3 of the service manager: is not a stream socket that listens (ListenStream=, Accept=no)" });
	expect(&(struct child){ "1", "metrics", NULL, make_datagrams,
		"0 socket 3 of the service manager: is not a stream socket that listens (ListenStream=, Accept=no)" });
	expect(&(struct child){ "1", "metrics", NULL, make_nothing,
		"0 socket 3 of the service manager: is not a stream socket that listens (ListenStream=, Accept=no)" });
	expect(&(struct child){ "9", "metrics", NULL, make_listener,
		"0 LISTEN_FDS is not a number from 0 to 8" });
}
