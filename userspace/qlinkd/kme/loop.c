// SPDX-License-Identifier: GPL-2.0-or-later
/* All transfers of a client and its timer, on one file descriptor. */
#include "loop.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "qlinkd/base/clock.h"

#define EVENTS	16

int64_t kme_now_ms(void)
{
	return (int64_t)clock_ms(CLOCK_BOOTTIME);
}

static int watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct kme_loop *loop = arg;
	struct epoll_event event = { .data.fd = fd };

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	if (what != CURL_POLL_OUT)
		event.events |= EPOLLIN;
	if (what != CURL_POLL_IN)
		event.events |= EPOLLOUT;
	curl_multi_assign(loop->multi, fd, loop);
	return epoll_ctl(loop->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd,
			 &event) ? -1 : 0;
}

static int set_curl_timer(CURLM *multi, long ms, void *arg)
{
	struct kme_loop *loop = arg;

	(void)multi;
	loop->curl_at_ms = ms < 0 ? -1 : kme_now_ms() + ms;
	return 0;
}

int kme_loop_init(struct kme_loop *loop)
{
	struct epoll_event event = { .events = EPOLLIN };
	int err;

	loop->curl_at_ms = -1;
	loop->multi = curl_multi_init();
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	loop->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	event.data.fd = loop->timer;
	if (!loop->multi || loop->epoll < 0 || loop->timer < 0 ||
	    epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->timer, &event)) {
		err = loop->multi ? -errno : -ENOMEM;
		kme_loop_exit(loop);
		return err;
	}
	curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, watch);
	curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
	curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, set_curl_timer);
	curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
	return 0;
}

void kme_loop_exit(struct kme_loop *loop)
{
	if (loop->multi)
		curl_multi_cleanup(loop->multi);
	if (loop->epoll >= 0)
		close(loop->epoll);
	if (loop->timer >= 0)
		close(loop->timer);
	memset(loop, 0, sizeof(*loop));
	loop->epoll = loop->timer = -1;
}

static void run_socket(struct kme_loop *loop, const struct epoll_event *event)
{
	int what = 0, left;

	if (event->events & (EPOLLIN | EPOLLHUP))
		what |= CURL_CSELECT_IN;
	if (event->events & EPOLLOUT)
		what |= CURL_CSELECT_OUT;
	if (event->events & EPOLLERR)
		what |= CURL_CSELECT_ERR;
	curl_multi_socket_action(loop->multi, event->data.fd, what, &left);
}

void kme_loop_run(struct kme_loop *loop)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(loop->epoll, events, EVENTS, 0), i, left;
	uint64_t ticks;

	for (i = 0; i < n; i++) {
		if (events[i].data.fd != loop->timer)
			run_socket(loop, &events[i]);
		else if (read(loop->timer, &ticks, sizeof(ticks)) < 0)
			continue;
	}
	if (loop->curl_at_ms >= 0 && loop->curl_at_ms <= kme_now_ms()) {
		loop->curl_at_ms = -1;
		curl_multi_socket_action(loop->multi, CURL_SOCKET_TIMEOUT, 0, &left);
	}
}

struct kme_transfer *kme_loop_done(struct kme_loop *loop, CURLcode *code)
{
	struct kme_transfer *transfer = NULL;
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(loop->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		*code = message->data.result;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
				  &transfer);
		return transfer;
	}
	return NULL;
}

void kme_loop_arm(struct kme_loop *loop, int64_t at_ms)
{
	struct itimerspec when = { 0 };

	if (at_ms < 0 || (loop->curl_at_ms >= 0 && loop->curl_at_ms < at_ms))
		at_ms = loop->curl_at_ms;
	/* The 1 ns: a time of zero would disarm the timer. */
	if (at_ms >= 0) {
		when.it_value.tv_sec = at_ms / 1000;
		when.it_value.tv_nsec = at_ms % 1000 * 1000000 + 1;
	}
	timerfd_settime(loop->timer, TFD_TIMER_ABSTIME, &when, NULL);
}
