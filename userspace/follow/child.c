// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs "qlinkctl apply" without waiting for it. */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void free_output(struct child_output *output)
{
	close_fd(&output->fd);
	free(output->text);
	output->text = NULL;
	output->len = 0;
}

/* Whoever reads a file can wait for nobody who writes. */
static int input_file(const char *input, size_t len)
{
	int fd = memfd_create("document", MFD_CLOEXEC);
	ssize_t put;

	while (fd >= 0 && len) {
		put = write(fd, input, len);
		if (put <= 0) {
			close(fd);
			return -1;
		}
		input += put;
		len -= (size_t)put;
	}
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

/* Only the end that we read does not block. */
static int open_output(struct child_output *output, int *to)
{
	int fds[2];

	output->text = calloc(1, CHILD_OUTPUT_BYTES + 1);
	if (!output->text || pipe2(fds, O_CLOEXEC))
		return -1;
	output->fd = fds[0];
	*to = fds[1];
	return fcntl(fds[0], F_SETFL, O_NONBLOCK);
}

/* Its signals are as at the start of any program. */
static int spawn(struct child *child, char *const *argv, int in, int out, int err)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int failed;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	failed = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO) ?:
		 posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO) ?:
		 posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO) ?:
		 posix_spawnp(&child->pid, argv[0], &actions, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	if (failed)
		child->pid = 0;
	return -failed;
}

int child_start(struct child *child, char *const *argv, const char *input, size_t len, uint64_t deadline_ms,
		struct qlink_why *why)
{
	int in = input_file(input, len), out = -1, err = -1, failed = 0;

	*child = (struct child){ .pidfd = -1, .out.fd = -1, .err.fd = -1, .deadline_ms = deadline_ms };
	if (in < 0 || open_output(&child->out, &out) || open_output(&child->err, &err))
		failed = -errno;
	else
		failed = spawn(child, argv, in, out, err);
	if (!failed) {
		child->pidfd = pidfd_open(child->pid, 0);
		/* Then its end is noticed when the caller looks. */
		if (child->pidfd >= 0)
			fcntl(child->pidfd, F_SETFD, FD_CLOEXEC);
	}
	close_fd(&in);
	close_fd(&out);
	close_fd(&err);
	if (!failed)
		return 0;
	child_free(child);
	return qlink_refuse(why, failed, "%s: %s", argv[0], strerror(-failed));
}

static void read_output(struct child_output *output)
{
	char dropped[4096];
	size_t room;
	ssize_t n;

	while (output->fd >= 0) {
		room = CHILD_OUTPUT_BYTES - output->len;
		n = read(output->fd, room ? output->text + output->len : dropped, room ?: sizeof(dropped));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0)
			close_fd(&output->fd);
		else if (room)
			output->len += (size_t)n;
	}
}

void child_read(struct child *child)
{
	read_output(&child->out);
	read_output(&child->err);
}

int child_end(struct child *child, uint64_t now, int *status)
{
	pid_t ended;

	if (now >= child->deadline_ms)
		kill(child->pid, SIGKILL);
	ended = waitpid(child->pid, status, now >= child->deadline_ms ? 0 : WNOHANG);
	if (!ended || (ended < 0 && errno == EINTR))
		return -EAGAIN;
	*status = ended > 0 && WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
	/* Its guard may hold the pipes open, but says no more there. */
	child_read(child);
	child->pid = 0;
	close_fd(&child->pidfd);
	close_fd(&child->out.fd);
	close_fd(&child->err.fd);
	return 0;
}

void child_free(struct child *child)
{
	close_fd(&child->pidfd);
	free_output(&child->out);
	free_output(&child->err);
	child->pid = 0;
}
