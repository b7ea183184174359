// SPDX-License-Identifier: GPL-2.0-or-later
/* qlinkctl top: the links with their rates, again and again, as a screen or as plain lines. */
#include "top.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "common/number.h"
#include "common/why.h"
#include "poller.h"
#include "watch/plain.h"
#include "watch/screen.h"

#define DELAY_MS	1000
#define TIMES_MOST	1000000
/* An agent that does not answer within this time has a problem, which is shown. */
#define PATIENCE_MS	10000

/* ---- arguments ---- */

/* "SECONDS", with up to three digits after a point. */
static int parse_delay(const char *text, unsigned int *ms)
{
	char *end;
	double s = strtod(text, &end);

	if (!*text || strspn(text, "0123456789.") != strlen(text) || *end ||
	    s * 1000 < VIEW_DELAY_LEAST_MS || s * 1000 > VIEW_DELAY_MOST_MS)
		return ctl_usage("--delay \"%s\": must be a number of seconds from %g to %g", text,
				 VIEW_DELAY_LEAST_MS / 1000.0, VIEW_DELAY_MOST_MS / 1000.0);
	*ms = (unsigned int)(s * 1000 + 0.5);
	return CTL_OK;
}

static int parse_sort(const char *text, struct view *view)
{
	view->is_reversed = *text == '-';
	if (!column_find(text + view->is_reversed, &view->sort))
		return CTL_OK;
	return ctl_usage("--sort \"%s\": must be the heading of a column, as in --sort stock; a - before it reverses", text);
}

static int parse(const struct ctl *ctl, int argc, char **argv, struct view *view, uint64_t *times)
{
	const char *text = argc ? argv[0] : ctl->top.times;
	struct qlink_why why;
	int err = CTL_OK;

	*times = UINT64_MAX;
	view->delay_ms = DELAY_MS;
	if (argc > 1 || (argc && ctl->top.times))
		return ctl_usage("\"%s\": top takes at most one number", argv[argc - 1]);
	if (text && qlink_parse_number(text, 1, TIMES_MOST, times, &why))
		return ctl_usage("\"%s\": %s", text, why.text);
	if (ctl->top.delay)
		err = parse_delay(ctl->top.delay, &view->delay_ms);
	if (!err && ctl->top.sort)
		err = parse_sort(ctl->top.sort, view);
	return err;
}

/* ---- plain lines ---- */

static int print_once(const struct ctl *ctl, const struct table *table, struct view *view)
{
	if (ctl->json)
		return ctl_print_json(json_incref(table->status));
	if (ctl->top.sort && view_update(view, table))
		return ctl_fail("%s", strerror(ENOMEM));
	plain_print(table, ctl->top.sort ? view->order : NULL, stdout);
	return fflush(stdout) ? ctl_fail("standard output: %s", strerror(errno)) : CTL_OK;
}

static int ask(const struct ctl *ctl, struct table *table)
{
	json_t *status = agent_ask(ctl, "status");

	if (!status)
		return CTL_FAILED;
	return table_take(table, status) ? ctl_fail("%s", strerror(ENOMEM)) : CTL_OK;
}

static int run_batch(const struct ctl *ctl, struct table *table, struct view *view, uint64_t times)
{
	const struct timespec delay = { view->delay_ms / 1000, view->delay_ms % 1000 * 1000000L };
	int err = CTL_OK;
	uint64_t i;

	for (i = 0; i < times && !err; i++) {
		if (i)
			nanosleep(&delay, NULL);
		err = ask(ctl, table);
		if (!err)
			err = print_once(ctl, table, view);
	}
	return err;
}

/* ---- a screen ---- */

/* Signals that end a program unless it catches them. */
static const int ending[] = { SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGALRM, SIGTERM, SIGUSR1, SIGUSR2 };

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
	caught = number;
}

/* They come only while ppoll() waits: not while something is drawn. */
static void hold_signals(sigset_t *before)
{
	const struct sigaction action = { .sa_handler = on_signal };
	sigset_t held;
	size_t i;

	sigemptyset(&held);
	sigaddset(&held, SIGWINCH);
	sigaddset(&held, SIGTSTP);
	for (i = 0; i < sizeof(ending) / sizeof(ending[0]); i++) {
		sigaction(ending[i], &action, NULL);
		sigaddset(&held, ending[i]);
	}
	sigprocmask(SIG_BLOCK, &held, before);
}

/* Whoever started this program sees that a signal has ended it. */
static void end_by(int number, const sigset_t *before)
{
	signal(number, SIG_DFL);
	raise(number);
	sigprocmask(SIG_SETMASK, before, NULL);
}

/* One run of the screen. */
struct run {
	const struct ctl *ctl;
	struct table *table;
	struct view *view;
	struct poller poller;
	/* statuses that are still to come */
	uint64_t left;
	/* when the last question was asked */
	uint64_t asked_ms;
	bool has_trouble;
	struct qlink_why trouble;
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t due_ms(const struct run *run)
{
	return run->asked_ms + (run->poller.fd >= 0 ? PATIENCE_MS : run->view->delay_ms);
}

static void start_poll(struct run *run)
{
	run->asked_ms = now_ms();
	if (poller_start(&run->poller, run->ctl, &run->trouble))
		run->has_trouble = true;
}

static void take_answer(struct run *run)
{
	json_t *status;
	int err = poller_read(&run->poller, run->ctl, &status, &run->trouble);

	if (err == -EAGAIN)
		return;
	run->has_trouble = err;
	if (err)
		return;
	if (table_take(run->table, status)) {
		json_decref(status);
		return;
	}
	view_update(run->view, run->table);
	run->left--;
}

static void on_time(struct run *run)
{
	if (now_ms() < due_ms(run))
		return;
	if (run->poller.fd >= 0) {
		run->has_trouble = true;
		qlink_refuse(&run->trouble, 0, "%s: no answer", agent_path(run->ctl));
		poller_stop(&run->poller);
	}
	if (run->view->is_paused)
		return;
	/* The last look has been shown for as long as the others. */
	if (run->left)
		start_poll(run);
	else
		run->view->is_over = true;
}

static void take_keys(struct run *run)
{
	int key;

	while (!run->view->is_over && (key = screen_key(run->view)) >= 0) {
		view_key(run->view, key);
		view_update(run->view, run->table);
	}
}

/* Wait for a key, an answer, a signal, or the time of the next question; false once the terminal is gone. */
static bool wait_for_news(const struct run *run, const sigset_t *mask)
{
	struct pollfd fds[] = { { STDIN_FILENO, POLLIN, 0 }, { run->poller.fd, POLLIN, 0 } };
	uint64_t now = now_ms(), due = due_ms(run), ms = due > now ? due - now : 0;
	struct timespec wait = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 };
	bool is_idle = run->view->is_paused && run->poller.fd < 0;

	ppoll(fds, 2, is_idle ? NULL : &wait, mask);
	return !(fds[0].revents & (POLLHUP | POLLERR | POLLNVAL));
}

static int run_screen(const struct ctl *ctl, struct table *table, struct view *view, uint64_t times)
{
	struct run run = { .ctl = ctl, .table = table, .view = view, .poller.fd = -1, .left = times - 1,
			   .asked_ms = now_ms() };
	struct qlink_why why;
	sigset_t before;
	bool is_there = true;

	hold_signals(&before);
	if (screen_open(&why))
		return ctl_fail("%s", why.text);
	view_update(view, table);
	while (is_there && !caught && !view->is_over) {
		screen_draw(view, table, run.has_trouble ? run.trouble.text : NULL);
		is_there = wait_for_news(&run, &before);
		take_keys(&run);
		if (run.poller.fd >= 0)
			take_answer(&run);
		on_time(&run);
	}
	poller_stop(&run.poller);
	screen_close();
	if (caught)
		end_by(caught, &before);
	return is_there ? CTL_OK : CTL_FAILED;
}

int top_run(struct ctl *ctl, int argc, char **argv)
{
	struct table table = { 0 };
	struct view view = { 0 };
	uint64_t times;
	int err = parse(ctl, argc, argv, &view, &times);

	if (err)
		return err;
	if (ctl->top.batch || ctl->json || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		err = run_batch(ctl, &table, &view, times);
	} else {
		/* An agent that does not run at all is no reason to take over the terminal. */
		err = ask(ctl, &table);
		if (!err)
			err = run_screen(ctl, &table, &view, times);
	}
	view_free(&view);
	table_free(&table);
	return err;
}
