// SPDX-License-Identifier: GPL-2.0-or-later
/* The transfers of all clients of an agent, on one file descriptor. */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "qlinkd/base/clock.h"

#define EVENTS	16
/* In an event: the timer. A socket's event has the number of its struct kme_multi, which is above 0. */
#define TIMER	0

struct kme_loop {
	/* readable when there is work to do */
	int epoll;
	/* a timerfd, which epoll watches */
	int timer;
	struct kme_multi *first;
	uint32_t n_made;
};

int64_t kme_now_ms(void)
{
	return (int64_t)clock_ms(CLOCK_BOOTTIME);
}

int kme_loop_fd(const struct kme_loop *loop)
{
	return loop->epoll;
}

struct kme_multi *kme_loop_first(const struct kme_loop *loop)
{
	return loop->first;
}

int kme_loop_new(struct kme_loop **out)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = TIMER };
	struct kme_loop *loop = calloc(1, sizeof(*loop));
	int err;

	if (!loop)
		return -ENOMEM;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	loop->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (loop->epoll < 0 || loop->timer < 0 || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->timer, &event)) {
		err = -errno;
		kme_loop_free(loop);
		return err;
	}
	*out = loop;
	return 0;
}

void kme_loop_free(struct kme_loop *loop)
{
	if (!loop)
		return;
	if (loop->epoll >= 0)
		close(loop->epoll);
	if (loop->timer >= 0)
		close(loop->timer);
	free(loop);
}

/* The first of two times, of which -1 is none. */
static int64_t first_of(int64_t a, int64_t b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* Sets the timer to the first time that libcurl must run or that somebody wants to be called. */
static void arm(struct kme_loop *loop)
{
	struct itimerspec when = { 0 };
	struct kme_multi *multi;
	int64_t at_ms = -1;

	for (multi = loop->first; multi; multi = multi->next)
		at_ms = first_of(at_ms, first_of(multi->at_ms, multi->due_ms));
	/* The 1 ns: a time of zero would disarm the timer. */
	if (at_ms >= 0) {
		when.it_value.tv_sec = at_ms / 1000;
		when.it_value.tv_nsec = at_ms % 1000 * 1000000 + 1;
	}
	timerfd_settime(loop->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static int watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct kme_multi *multi = arg;
	struct epoll_event event = { .data.u64 = (uint64_t)multi->number << 32 | (uint32_t)fd };
	int epoll = multi->loop->epoll;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	if (what != CURL_POLL_OUT)
		event.events |= EPOLLIN;
	if (what != CURL_POLL_IN)
		event.events |= EPOLLOUT;
	curl_multi_assign(multi->curl, fd, multi);
	return epoll_ctl(epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) ? -1 : 0;
}

static int set_timer(CURLM *curl, long ms, void *arg)
{
	struct kme_multi *multi = arg;

	(void)curl;
	multi->at_ms = ms < 0 ? -1 : kme_now_ms() + ms;
	arm(multi->loop);
	return 0;
}

int kme_multi_init(struct kme_multi *multi, struct kme_loop *loop)
{
	multi->curl = curl_multi_init();
	if (!multi->curl)
		return -ENOMEM;
	multi->loop = loop;
	multi->number = ++loop->n_made;
	multi->at_ms = -1;
	multi->due_ms = -1;
	multi->wake = -1;
	multi->next = loop->first;
	loop->first = multi;
	curl_multi_setopt(multi->curl, CURLMOPT_SOCKETFUNCTION, watch);
	curl_multi_setopt(multi->curl, CURLMOPT_SOCKETDATA, multi);
	curl_multi_setopt(multi->curl, CURLMOPT_TIMERFUNCTION, set_timer);
	curl_multi_setopt(multi->curl, CURLMOPT_TIMERDATA, multi);
	return 0;
}

void kme_multi_wake(struct kme_multi *multi, uint32_t ms)
{
	multi->due_ms = kme_now_ms() + ms;
	arm(multi->loop);
}

int kme_multi_watch(struct kme_multi *multi, void (*woken)(struct kme_multi *multi))
{
	struct epoll_event event = { .events = EPOLLIN };

	multi->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (multi->wake < 0)
		return -errno;
	event.data.u64 = (uint64_t)multi->number << 32 | (uint32_t)multi->wake;
	if (epoll_ctl(multi->loop->epoll, EPOLL_CTL_ADD, multi->wake, &event))
		return -errno;
	multi->woken = woken;
	return 0;
}

void kme_multi_arm(struct kme_multi *multi, int64_t at_ms)
{
	multi->at_ms = at_ms;
	arm(multi->loop);
}

void kme_multi_exit(struct kme_multi *multi)
{
	struct kme_loop *loop = multi->loop;
	struct kme_multi **at;

	curl_multi_cleanup(multi->curl);
	/* A thread may have a copy of it, so that epoll would not forget it by itself. */
	if (multi->wake >= 0) {
		epoll_ctl(loop->epoll, EPOLL_CTL_DEL, multi->wake, NULL);
		close(multi->wake);
	}
	for (at = &loop->first; *at != multi; at = &(*at)->next)
		;
	*at = multi->next;
	arm(loop);
}

/* An event may be older than the end of its connections: then there is none, or libcurl ignores it. */
static void run_socket(struct kme_loop *loop, const struct epoll_event *event)
{
	struct kme_multi *multi = loop->first;
	int what = 0, left;
	eventfd_t count;

	while (multi && multi->number != event->data.u64 >> 32)
		multi = multi->next;
	if (multi && multi->woken) {
		eventfd_read(multi->wake, &count);
		multi->woken(multi);
		return;
	}
	if (event->events & (EPOLLIN | EPOLLHUP))
		what |= CURL_CSELECT_IN;
	if (event->events & EPOLLOUT)
		what |= CURL_CSELECT_OUT;
	if (event->events & EPOLLERR)
		what |= CURL_CSELECT_ERR;
	if (multi)
		curl_multi_socket_action(multi->curl, (curl_socket_t)(uint32_t)event->data.u64, what, &left);
}

static void run_timer(struct kme_multi *multi)
{
	int left;

	if (multi->at_ms < 0 || multi->at_ms > kme_now_ms())
		return;
	multi->at_ms = -1;
	if (multi->woken)
		multi->woken(multi);
	else
		curl_multi_socket_action(multi->curl, CURL_SOCKET_TIMEOUT, 0, &left);
}

static void run_due(struct kme_multi *multi)
{
	if (multi->due_ms < 0 || multi->due_ms > kme_now_ms())
		return;
	multi->due_ms = -1;
	multi->due(multi);
}

static void report_done(struct kme_multi *multi)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(multi->curl, &left))) {
		if (message->msg == CURLMSG_DONE)
			multi->done(multi, message->easy_handle, message->data.result);
	}
}

void kme_loop_run(struct kme_loop *loop)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(loop->epoll, events, EVENTS, 0), i;
	struct kme_multi *multi;
	uint64_t ticks;

	for (i = 0; i < n; i++) {
		if (events[i].data.u64 != TIMER)
			run_socket(loop, &events[i]);
		else if (read(loop->timer, &ticks, sizeof(ticks)) < 0)
			continue;
	}
	for (multi = loop->first; multi; multi = multi->next) {
		run_timer(multi);
		report_done(multi);
		run_due(multi);
	}
	arm(loop);
}
