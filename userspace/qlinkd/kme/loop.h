/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libcurl's transfers and a timer behind one file descriptor. */
#ifndef QLINKD_KME_LOOP_H
#define QLINKD_KME_LOOP_H

#include <curl/curl.h>

#include "http.h"

/**
 * struct kme_loop - transfers that run, and what they wait for
 */
struct kme_loop {
	/** @multi: libcurl's side */
	CURLM *multi;

	/** @epoll: readable when kme_loop_run() has something to do */
	int epoll;

	/** @timer: a timerfd, one of those that @epoll watches */
	int timer;

	/** @curl_at_ms: CLOCK_BOOTTIME when libcurl wants to run, or -1 */
	int64_t curl_at_ms;
};

/**
 * kme_now_ms() - the clock of everything here
 *
 * Return: CLOCK_BOOTTIME in ms.
 */
int64_t kme_now_ms(void);

/**
 * kme_loop_init() - make a loop
 * @loop: filled in; freed with kme_loop_exit()
 *
 * Return: 0, or a negative errno.
 */
int kme_loop_init(struct kme_loop *loop);

/**
 * kme_loop_exit() - free a loop
 * @loop: from kme_loop_init(); without transfers
 */
void kme_loop_exit(struct kme_loop *loop);

/**
 * kme_loop_run() - let transfers go on, without waiting
 * @loop: the loop
 */
void kme_loop_run(struct kme_loop *loop);

/**
 * kme_loop_done() - take a transfer that is over
 * @loop: the loop
 * @code: what libcurl says of it, for kme_transfer_end()
 *
 * Return: the transfer, or %NULL when there is no more.
 */
struct kme_transfer *kme_loop_done(struct kme_loop *loop, CURLcode *code);

/**
 * kme_loop_arm() - set the timer for libcurl and the caller
 * @loop: the loop
 * @at_ms: when the caller wants to run, or -1
 */
void kme_loop_arm(struct kme_loop *loop, int64_t at_ms);

#endif
