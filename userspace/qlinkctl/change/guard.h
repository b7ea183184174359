/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process that puts a change back unless it is confirmed in time. */
#ifndef QLINKCTL_GUARD_H
#define QLINKCTL_GUARD_H

#include "pending.h"
#include "proof.h"

/* Room for an answer of the guard. */
#define GUARD_TEXT	512

/**
 * DOC: The guard
 *
 * It is started before the change begins. If the command that makes the change ends before it is done,
 * however that happens, the guard puts back what was before, at once. When the change is done, the time
 * runs: the guard puts it back at the end, by CLOCK_BOOTTIME, so that a machine that slept does not wait
 * longer. It has a session of its own, and no descriptor of who started it but the lock; a hang-up does not
 * end it. SIGTERM has it put the change back at once: it is about to be killed, for example at shutdown.
 *
 * It ends only with the change. If the change cannot be confirmed, its time runs on; if it cannot be put
 * back, the guard tries again and again, and it cannot be confirmed any more.
 */

/**
 * struct guard - what the command has of the guard
 */
struct guard {
	/** @fd: a socket to it, or -1 */
	int fd;
};

/**
 * guard_start() - start the guard
 * @guard: filled in
 * @ctl: this run; the guard has a socket of its own
 * @pending: whose lock is held; the guard holds it, too
 * @proof: the guard confirms the change when this holds; %NULL if it never does by itself
 * @why: filled in on failure
 *
 * Return: 0, or a negative errno; then there is no guard.
 */
int guard_start(struct guard *guard, const struct ctl *ctl, struct pending *pending, struct proof *proof,
		struct qlink_why *why);

/**
 * guard_done() - say that the change is done, so that its time runs
 * @guard: from guard_start(); the deadline is in the folder
 *
 * Return: 0, or a negative errno; then the guard has ended.
 */
int guard_done(struct guard *guard);

/**
 * guard_dismiss() - end the guard: all was put back
 * @guard: from guard_start(), or with @fd -1
 */
void guard_dismiss(struct guard *guard);

/**
 * guard_wait() - wait until the change is confirmed or put back
 * @guard: after guard_done()
 * @text: what became of it: "confirmed", or why it was put back
 *
 * Return: true if it was confirmed.
 */
bool guard_wait(struct guard *guard, char text[GUARD_TEXT]);

/**
 * guard_ask() - have a guard confirm a change, or put it back
 * @pending: from pending_open()
 * @what: "confirm" or "rollback"
 * @text: what the guard says, without "ok "
 * @is_done: it has done so
 *
 * Return: 0, or a negative errno without a guard; %-ENOTCONN if it has ended meanwhile.
 */
int guard_ask(const struct pending *pending, const char *what, char text[GUARD_TEXT], bool *is_done);

#endif
