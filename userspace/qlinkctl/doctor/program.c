// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs programs that show the state of the machine: ip, nft, modinfo, systemctl, qlinkd -n. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_MS	10000
/* Rules of a large firewall have a few MB. */
#define OUT_MAX		(16U << 20)
#define NOT_INSTALLED	127

struct stream {
	int fd;
	char *text;
	size_t len, room;
};

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* In the child. Nothing of the caller's environment chooses what runs, or the language of its words. */
__attribute__((noreturn))
static void become(const char *const *argv, int out, int err)
{
	static char *const environment[] = {
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "SYSTEMD_PAGER=", NULL,
	};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	setenv("PATH", environment[0] + strlen("PATH="), 1);
	execvpe(argv[0], (char *const *)argv, environment);
	_exit(NOT_INSTALLED);
}

/* Reads what is there. Returns false at the end. */
static bool read_some(struct stream *stream)
{
	ssize_t got;
	char *text;

	if (stream->room - stream->len < 4096) {
		if (stream->room >= OUT_MAX)
			return false;
		text = realloc(stream->text, stream->room * 2 + 8192);
		if (!text)
			return false;
		stream->text = text;
		stream->room = stream->room * 2 + 8192;
	}
	got = read(stream->fd, stream->text + stream->len, stream->room - stream->len - 1);
	if (got <= 0)
		return got < 0 && errno == EINTR;
	stream->len += (size_t)got;
	return true;
}

/* Reads both until they end. Returns false when the time is up. */
static bool read_all(struct stream streams[2])
{
	long long end = now_ms() + LIMIT_MS, left;
	struct pollfd polled[2];
	int i, n_open = 2;

	for (i = 0; i < 2; i++)
		polled[i] = (struct pollfd){ .fd = streams[i].fd, .events = POLLIN };
	while (n_open && (left = end - now_ms()) > 0) {
		if (poll(polled, 2, (int)left) < 0 && errno != EINTR)
			return false;
		for (i = 0; i < 2; i++) {
			if (polled[i].fd < 0 || !polled[i].revents || read_some(&streams[i]))
				continue;
			polled[i].fd = -1;
			n_open--;
		}
	}
	return !n_open;
}

/* Waits for the end of a child that has closed its output, or is ended here. */
static int end_of(pid_t child, bool kills)
{
	int status;

	if (kills)
		kill(child, SIGKILL);
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void take_text(struct stream streams[2], struct program_result *result)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (!streams[i].text)
			streams[i].text = calloc(1, 1);
		if (streams[i].text)
			streams[i].text[streams[i].len] = '\0';
	}
	result->out = streams[0].text;
	snprintf(result->err, sizeof(result->err), "%.*s",
		 streams[1].text ? (int)strcspn(streams[1].text, "\n") : 0, streams[1].text ?: "");
	free(streams[1].text);
}

void program_run(const char *const *argv, struct program_result *result)
{
	struct stream streams[2] = { { .fd = -1 }, { .fd = -1 } };
	int out[2] = { -1, -1 }, err[2] = { -1, -1 };
	pid_t child = -1;

	*result = (struct program_result){ .status = -1 };
	fflush(NULL);
	if (!pipe2(out, O_CLOEXEC) && !pipe2(err, O_CLOEXEC))
		child = fork();
	if (!child)
		become(argv, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	streams[0].fd = out[0];
	streams[1].fd = err[0];
	if (child > 0)
		result->status = end_of(child, !read_all(streams));
	take_text(streams, result);
	close(out[0]);
	close(err[0]);
}

json_t *program_json(const char *const *argv, char *why, size_t room)
{
	struct program_result result;
	json_t *json = NULL;

	program_run(argv, &result);
	if (result.status == NOT_INSTALLED)
		snprintf(why, room, "%s is not installed", argv[0]);
	else if (result.status)
		snprintf(why, room, "%s: %.200s", argv[0], result.err[0] ? result.err : "failed");
	else if (result.out && !(json = json_loads(result.out, JSON_DECODE_ANY, NULL)))
		/* ip and nft print nothing where there is nothing to list. */
		json = result.out[strspn(result.out, " \n")] ? NULL : json_array();
	if (!result.status && !json)
		snprintf(why, room, "%s: prints what is not JSON", argv[0]);
	free(result.out);
	return json;
}
