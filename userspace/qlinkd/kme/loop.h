/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The transfers of all clients of an agent, on one file descriptor. */
#ifndef QLINKD_KME_LOOP_H
#define QLINKD_KME_LOOP_H

#include <curl/curl.h>
#include <stdint.h>

struct kme_loop;

/**
 * struct kme_multi - transfers that share connections
 */
struct kme_multi {
	/** @curl: libcurl's handle of these transfers and connections */
	CURLM *curl;

	/** @done: a transfer is over; may add transfers, must not end a struct kme_multi */
	void (*done)(struct kme_multi *multi, CURL *easy, CURLcode code);

	/** @due: the time of kme_multi_wake() has come; under the same rules */
	void (*due)(struct kme_multi *multi);

	/** @loop: where it runs; this and what follows are for loop.c */
	struct kme_loop *loop;

	/** @woken: as for kme_multi_watch(); %NULL if libcurl does all */
	void (*woken)(struct kme_multi *multi);

	/** @wake: an eventfd, or -1 */
	int wake;

	/** @number: stands for it in events of the loop */
	uint32_t number;

	/** @at_ms: when libcurl must run, in CLOCK_BOOTTIME; or -1 */
	int64_t at_ms;

	/** @due_ms: when @due is called, in CLOCK_BOOTTIME; or -1 */
	int64_t due_ms;

	/** @next: another of the loop, or %NULL */
	struct kme_multi *next;
};

/**
 * kme_now_ms() - read the clock of clients
 *
 * Return: CLOCK_BOOTTIME in ms.
 */
int64_t kme_now_ms(void);

/**
 * kme_loop_new() - make a loop
 * @loop: where it goes; the caller frees it with kme_loop_free()
 *
 * Return: 0, or a negative errno.
 */
int kme_loop_new(struct kme_loop **loop);

/**
 * kme_loop_free() - free a loop
 * @loop: from kme_loop_new(), without clients; or %NULL
 */
void kme_loop_free(struct kme_loop *loop);

/**
 * kme_loop_fd() - say what the owner watches
 * @loop: the loop
 *
 * Return: a file descriptor that is readable when kme_loop_run() has work to do; it never changes.
 */
int kme_loop_fd(const struct kme_loop *loop);

/**
 * kme_loop_run() - continue all transfers, without waiting
 * @loop: the loop
 */
void kme_loop_run(struct kme_loop *loop);

/**
 * kme_loop_first() - look through what is on a loop
 * @loop: the loop
 *
 * Return: the first struct kme_multi, or %NULL; the others follow by their @next.
 */
struct kme_multi *kme_loop_first(const struct kme_loop *loop);

/**
 * kme_multi_init() - begin on a loop
 * @multi: its @done and @due are set, the rest is filled in; ended by kme_multi_exit()
 * @loop: the loop
 *
 * Return: 0, or %-ENOMEM.
 */
int kme_multi_init(struct kme_multi *multi, struct kme_loop *loop);

/**
 * kme_multi_wake() - have @due called once
 * @multi: on a loop; an earlier call no longer counts
 * @ms: after this time, in kme_loop_run()
 */
void kme_multi_wake(struct kme_multi *multi, uint32_t ms);

/**
 * kme_multi_watch() - be called without libcurl
 * @multi: from kme_multi_init(); its @wake is an eventfd from here on, which other threads may write to
 * @woken: called within kme_loop_run() when @wake was written to, and when the time of kme_multi_arm() has come
 *
 * Return: 0, or a negative errno.
 */
int kme_multi_watch(struct kme_multi *multi, void (*woken)(struct kme_multi *multi));

/**
 * kme_multi_arm() - say when to call @woken at the latest
 * @multi: after kme_multi_watch()
 * @at_ms: CLOCK_BOOTTIME in ms, or -1
 */
void kme_multi_arm(struct kme_multi *multi, int64_t at_ms);

/**
 * kme_multi_exit() - close all connections
 * @multi: without transfers; not within kme_loop_run()
 */
void kme_multi_exit(struct kme_multi *multi);

#endif
