/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All transfers of a client and its timer, on one file descriptor. */
#ifndef QLINKD_KME_LOOP_H
#define QLINKD_KME_LOOP_H

#include <curl/curl.h>

#include "http.h"

/**
 * struct kme_loop - the running transfers of a client, and its timer
 */
struct kme_loop {
	/** @multi: libcurl's handle of all transfers */
	CURLM *multi;

	/** @epoll: readable when kme_loop_run() has work to do */
	int epoll;

	/** @timer: a timerfd, which @epoll watches */
	int timer;

	/** @curl_at_ms: when libcurl must run, in CLOCK_BOOTTIME; or -1 */
	int64_t curl_at_ms;
};

/**
 * kme_now_ms() - read the clock of a client
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
 * @loop: from kme_loop_init(), without transfers
 */
void kme_loop_exit(struct kme_loop *loop);

/**
 * kme_loop_run() - continue transfers, without waiting
 * @loop: the loop
 */
void kme_loop_run(struct kme_loop *loop);

/**
 * kme_loop_done() - take a transfer that is over
 * @loop: the loop
 * @code: how it ended, for kme_transfer_end()
 *
 * Return: the transfer, or %NULL if none is over.
 */
struct kme_transfer *kme_loop_done(struct kme_loop *loop, CURLcode *code);

/**
 * kme_loop_arm() - set the timer to the first time that libcurl or the caller must run
 * @loop: the loop
 * @at_ms: when the caller must run, in CLOCK_BOOTTIME; or -1
 */
void kme_loop_arm(struct kme_loop *loop, int64_t at_ms);

#endif
