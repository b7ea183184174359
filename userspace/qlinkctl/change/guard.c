// SPDX-License-Identifier: GPL-2.0-or-later
/* The process that puts a change back unless it is confirmed in time. */
#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "libqlink/event.h"
#include "undo.h"

/* A client that connects and says nothing must not hold up the end. */
#define CLIENT_MS	1000
/* How often links are looked at again that no event speaks of: the agent sends none. */
#define LOOK_MS		300
/* Between two attempts to put a change back; longer each time, up to the second number. */
#define AGAIN_S		1
#define AGAIN_MAX_S	60
/* What the command says. */
#define SAYS_DONE	'd'
#define SAYS_DISMISS	'x'

/**
 * struct watch - the guard itself
 */
struct watch {
	/** @ctl: its run */
	struct ctl ctl;

	/** @pending: whose lock it holds */
	struct pending *pending;

	/** @proof: confirms the change, or %NULL */
	struct proof *proof;

	/** @monitor: events of links, or %NULL */
	struct qlink_monitor *monitor;

	/** @parent: the command; -1 once it has ended */
	int parent;

	/** @listener: who confirms connects here */
	int listener;

	/** @timer: the end of the time */
	int timer;

	/** @signals: SIGTERM */
	int signals;

	/** @seconds: how long it waits */
	uint32_t seconds;

	/** @is_done: the change is done, and its time runs */
	bool is_done;

	/** @again_s: how long it waits until it tries again to put the change back; 0 before the first time */
	uint32_t again_s;

	/** @reason: why it puts the change back */
	char reason[400];

	/** @has_ended: there is nothing left to guard */
	bool has_ended;
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- the two ends ---- */

static void tell_parent(const struct watch *watch, const char *text)
{
	if (watch->parent >= 0)
		send(watch->parent, text, strlen(text), MSG_NOSIGNAL);
}

/* Whoever hears of the end may begin another change at once. */
static void tell_end(struct watch *watch, const char *text)
{
	pending_unlock(watch->pending);
	tell_parent(watch, text);
}

static void end_confirmed(struct watch *watch, const char *by, char text[GUARD_TEXT])
{
	int err = before_forget(watch->pending->change);

	/* If it still waits, so does the guard. */
	watch->has_ended = !pending_has_change(watch->pending);
	if (err) {
		snprintf(text, GUARD_TEXT, "%s: %s", watch->pending->change, strerror(-err));
		syslog(LOG_ERR, "the change could not be confirmed: %s", text);
		return;
	}
	pending_note(watch->pending, "confirmed", by);
	syslog(LOG_NOTICE, "the change is confirmed: %s", by);
	snprintf(text, GUARD_TEXT, "ok confirmed");
	tell_end(watch, "confirmed");
}

/* Whoever waits for it may not reach this machine any more. */
static void try_again_later(struct watch *watch)
{
	struct itimerspec at = { .it_value = { .tv_nsec = 0 } };

	watch->again_s = watch->again_s ? watch->again_s * 2 : AGAIN_S;
	if (watch->again_s > AGAIN_MAX_S)
		watch->again_s = AGAIN_MAX_S;
	at.it_value.tv_sec = watch->again_s;
	timerfd_settime(watch->timer, 0, &at, NULL);
	/* Half of it is back: that must not be kept. */
	watch->proof = NULL;
}

static void end_put_back(struct watch *watch, const char *reason, char text[GUARD_TEXT])
{
	struct qlink_why why;

	if (reason != watch->reason)
		snprintf(watch->reason, sizeof(watch->reason), "%s", reason);
	watch->has_ended = true;
	if (undo_change(&watch->ctl, watch->pending, true, reason, &why)) {
		syslog(LOG_ERR, "%s, and what was before could not be put back: %s; it is tried again, also by \"qlinkctl rollback\"",
		       reason, why.text);
		snprintf(text, GUARD_TEXT, "could not be put back: %.400s", why.text);
		/* Somebody may have deleted it to keep what there is. */
		watch->has_ended = !pending_has_change(watch->pending);
	} else {
		syslog(LOG_WARNING, "%s: what was before was put back%s%s", reason, *why.text ? "; " : "", why.text);
		snprintf(text, GUARD_TEXT, "ok %.100s: what was before was put back%s%.300s", reason,
			 *why.text ? "; " : "", why.text);
		undo_tell_service(&watch->ctl);
	}
	if (watch->has_ended) {
		tell_end(watch, strncmp(text, "ok ", 3) ? text : text + 3);
		return;
	}
	tell_parent(watch, text);
	try_again_later(watch);
}

/* ---- what happens ---- */

static void set_timer(struct watch *watch)
{
	struct itimerspec at = { .it_value = { .tv_nsec = 1 } };
	struct before before;

	/* Without a deadline that can be read, the time is over at once. */
	if (!before_load(&before, watch->pending->change)) {
		watch->seconds = before.seconds;
		at.it_value.tv_sec = (time_t)(before.deadline_ms / 1000);
		at.it_value.tv_nsec = (long)(before.deadline_ms % 1000) * 1000000 + 1;
	}
	before_free(&before);
	timerfd_settime(watch->timer, TFD_TIMER_ABSTIME, &at, NULL);
	watch->is_done = true;
	if (watch->proof)
		watch->proof->since_ms = now_ms();
}

static void heard_parent(struct watch *watch)
{
	char text[GUARD_TEXT], says;
	ssize_t got = recv(watch->parent, &says, 1, 0);

	if (got > 0 && says == SAYS_DISMISS) {
		watch->has_ended = true;
		return;
	}
	if (got > 0 && says == SAYS_DONE) {
		set_timer(watch);
		return;
	}
	close(watch->parent);
	watch->parent = -1;
	if (!watch->is_done && !watch->again_s)
		end_put_back(watch, "the command was ended while it made the change", text);
}

static void answer(struct watch *watch, const char *asks, char text[GUARD_TEXT])
{
	if (watch->again_s && !strcmp(asks, "rollback"))
		end_put_back(watch, watch->reason, text);
	else if (watch->again_s)
		snprintf(text, GUARD_TEXT, "the change is being put back, which is tried again: %.300s", watch->reason);
	else if (!watch->is_done)
		snprintf(text, GUARD_TEXT, "the change is being made: try again");
	else if (!strcmp(asks, "confirm"))
		end_confirmed(watch, "by qlinkctl confirm", text);
	else if (!strcmp(asks, "rollback"))
		end_put_back(watch, "qlinkctl rollback was called", text);
	else
		snprintf(text, GUARD_TEXT, "\"%.40s\": neither confirm nor rollback", asks);
}

static void serve_client(struct watch *watch)
{
	const struct timeval patience = { .tv_sec = CLIENT_MS / 1000, .tv_usec = CLIENT_MS % 1000 * 1000 };
	int fd = accept4(watch->listener, NULL, NULL, SOCK_CLOEXEC);
	char asks[16] = "", text[GUARD_TEXT] = "";

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (recv(fd, asks, sizeof(asks) - 1, 0) > 0) {
		answer(watch, asks, text);
		send(fd, text, strlen(text), MSG_NOSIGNAL);
	}
	close(fd);
}

static void look(struct watch *watch)
{
	char text[GUARD_TEXT];
	struct qlink_why lacks;

	if (!watch->is_done || !watch->proof || ctl_open(&watch->ctl))
		return;
	if (proof_holds(watch->proof, &watch->ctl, now_ms(), &lacks))
		end_confirmed(watch, "all links are as well protected as before", text);
}

static void over(struct watch *watch)
{
	char reason[400], text[GUARD_TEXT];
	struct qlink_why lacks = { "" };

	if (watch->again_s) {
		end_put_back(watch, watch->reason, text);
		return;
	}
	snprintf(reason, sizeof(reason), "not confirmed in %u s", watch->seconds);
	if (watch->proof && !ctl_open(&watch->ctl)) {
		/* What came last may have come between two looks. */
		look(watch);
		if (watch->has_ended)
			return;
		proof_holds(watch->proof, &watch->ctl, now_ms(), &lacks);
		snprintf(reason, sizeof(reason), "not as well protected as before in %u s: %.300s", watch->seconds, lacks.text);
	}
	end_put_back(watch, reason, text);
}

/* What it says does not matter: that is looked up. */
static void drain(struct watch *watch)
{
	struct qlink_event event;
	struct qlink_error error;

	qlink_monitor_next(watch->monitor, &event, &error);
}

static int wait_for(struct watch *watch, struct pollfd fds[5])
{
	int limit = watch->proof && watch->is_done ? LOOK_MS : -1;
	size_t i;

	fds[0].fd = watch->parent;
	fds[1].fd = watch->listener;
	fds[2].fd = watch->signals;
	fds[3].fd = watch->timer;
	fds[4].fd = watch->monitor ? qlink_monitor_fd(watch->monitor) : -1;
	for (i = 0; i < 5; i++) {
		fds[i].events = POLLIN;
		fds[i].revents = 0;
	}
	return poll(fds, 5, limit);
}

static void run(struct watch *watch)
{
	struct pollfd fds[5];
	char text[GUARD_TEXT];

	while (!watch->has_ended) {
		if (wait_for(watch, fds) < 0 && errno != EINTR)
			break;
		if (fds[2].revents) {
			end_put_back(watch, watch->again_s ? watch->reason : "the guard was told to end", text);
			/* It is about to be killed; what was before is kept. */
			watch->has_ended = true;
		}
		if (!watch->has_ended && fds[0].revents)
			heard_parent(watch);
		if (!watch->has_ended && fds[1].revents)
			serve_client(watch);
		if (!watch->has_ended && fds[3].revents)
			over(watch);
		if (!watch->has_ended && fds[4].revents)
			drain(watch);
		if (!watch->has_ended)
			look(watch);
	}
}

/* ---- its start ---- */

static int open_signals(void)
{
	sigset_t set;

	signal(SIGHUP, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	return sigprocmask(SIG_BLOCK, &set, NULL) ? -1 : signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Who started the command waits until nobody has its output open. */
static void leave_descriptors(const int *keep, size_t n)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), fd, limit = (int)sysconf(_SC_OPEN_MAX);
	size_t i;

	for (fd = 0; fd < 3; fd++)
		dup2(null, fd);
	if (limit > 4096)
		limit = 4096;
	for (fd = 3; fd < limit; fd++) {
		for (i = 0; i < n && keep[i] != fd; i++)
			;
		if (i == n)
			close(fd);
	}
}

__attribute__((noreturn))
static void be_guard(struct watch *watch)
{
	const int keep[] = { watch->parent, watch->listener, watch->pending->lock };
	struct qlink_error error;

	setsid();
	/* Whoever leads a session may get a terminal that hangs up. */
	if (fork())
		_exit(0);
	prctl(PR_SET_NAME, "qlinkctl-guard");
	leave_descriptors(keep, sizeof(keep) / sizeof(keep[0]));
	if (chdir("/"))
		_exit(1);
	openlog("qlinkctl", LOG_PID, LOG_DAEMON);
	watch->ctl.nl = NULL;
	watch->signals = open_signals();
	watch->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (watch->proof && qlink_monitor_open(&watch->monitor, &error))
		watch->monitor = NULL;
	if (watch->signals < 0 || watch->timer < 0)
		_exit(1);
	/* The command goes on when it hears this. */
	tell_parent(watch, "r");
	run(watch);
	unlink(watch->pending->guard);
	_exit(0);
}

static int listen_at(const char *path, struct qlink_why *why)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(at.sun_path))
		return qlink_refuse(why, -ENAMETOOLONG, "%s: longer than a socket's path may be, %zu bytes", path,
				    sizeof(at.sun_path) - 1);
	strcpy(at.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* Nobody else listens there: we have the lock. */
	unlink(path);
	if (fd >= 0 && !bind(fd, (struct sockaddr *)&at, sizeof(at)) && !listen(fd, 8))
		return fd;
	qlink_refuse(why, -errno, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -EIO;
}

static int start(struct guard *guard, struct watch *watch, struct qlink_why *why)
{
	int ends[2], status;
	pid_t child;
	char is_ready;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return qlink_refuse(why, -errno, "the guard: %s", strerror(errno));
	watch->parent = ends[1];
	fflush(NULL);
	child = fork();
	if (!child) {
		close(ends[0]);
		be_guard(watch);
	}
	close(ends[1]);
	guard->fd = ends[0];
	if (child > 0 && waitpid(child, &status, 0) == child && recv(guard->fd, &is_ready, 1, 0) == 1)
		return 0;
	close(guard->fd);
	guard->fd = -1;
	return qlink_refuse(why, -EAGAIN, "the guard did not start");
}

int guard_start(struct guard *guard, const struct ctl *ctl, struct pending *pending, struct proof *proof,
		struct qlink_why *why)
{
	struct watch watch = { .ctl = *ctl, .pending = pending, .proof = proof };
	int err;

	guard->fd = -1;
	watch.listener = listen_at(pending->guard, why);
	if (watch.listener < 0)
		return watch.listener;
	err = start(guard, &watch, why);
	close(watch.listener);
	return err;
}

/* ---- the command ---- */

int guard_done(struct guard *guard)
{
	const char says = SAYS_DONE;

	return send(guard->fd, &says, 1, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

void guard_dismiss(struct guard *guard)
{
	const char says = SAYS_DISMISS;

	if (guard->fd < 0)
		return;
	send(guard->fd, &says, 1, MSG_NOSIGNAL);
	close(guard->fd);
	guard->fd = -1;
}

bool guard_wait(struct guard *guard, char text[GUARD_TEXT])
{
	ssize_t got = recv(guard->fd, text, GUARD_TEXT - 1, 0);

	text[got > 0 ? got : 0] = '\0';
	if (got <= 0)
		snprintf(text, GUARD_TEXT, "the guard has ended: \"qlinkctl rollback\" puts back what was before");
	close(guard->fd);
	guard->fd = -1;
	return !strcmp(text, "confirmed");
}

int guard_ask(const struct pending *pending, const char *what, char text[GUARD_TEXT], bool *is_done)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd, err = 0;
	ssize_t got;

	if (strlen(pending->guard) >= sizeof(at.sun_path))
		return -ENAMETOOLONG;
	strcpy(at.sun_path, pending->guard);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) || send(fd, what, strlen(what), MSG_NOSIGNAL) < 0)
		err = -errno;
	got = err ? 0 : recv(fd, text, GUARD_TEXT - 1, MSG_WAITALL);
	close(fd);
	if (err)
		return err;
	if (got <= 0)
		return -ENOTCONN;
	text[got] = '\0';
	*is_done = !strncmp(text, "ok ", 3);
	if (*is_done)
		memmove(text, text + 3, strlen(text + 3) + 1);
	return 0;
}
