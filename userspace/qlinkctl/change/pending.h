/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The folder of a change that is being made, or waits to be confirmed. */
#ifndef QLINKCTL_PENDING_H
#define QLINKCTL_PENDING_H

#include <stdbool.h>
#include <stddef.h>

#include "before.h"
#include "common/why.h"

#define PENDING_FOLDER	"/var/lib/qlink"

/**
 * DOC: The folder
 *
 * "lock" is locked by whoever makes a change, and by the guard of one that waits: there is one
 * at a time. "change" is what was before: it appears, with all that is in it, before the change
 * begins, and goes when the change is done, confirmed or put back. So whoever is ended at any time
 * leaves either no such folder, or all that is needed to put things back. "guard" is the socket of
 * the guard, "last.json" what became of the last change.
 */

/**
 * struct pending - the folder
 */
struct pending {
	/** @folder: its path; on the heap */
	char *folder;

	/** @change: path of what was before; on the heap */
	char *change;

	/** @guard: path of the socket; on the heap */
	char *guard;

	/** @lock: the lock, or -1 */
	int lock;
};

/**
 * pending_open() - name the folder
 * @pending: filled in; closed with pending_close(), also on failure
 * @folder: its path, or %NULL for the usual one
 * @why: filled in on failure
 *
 * Return: 0, or a negative errno.
 */
int pending_open(struct pending *pending, const char *folder, struct qlink_why *why);

/**
 * pending_lock() - be the only one who makes a change; the folder is made if it is not there
 * @pending: from pending_open()
 * @why: filled in on failure
 *
 * The lock is held until pending_close() of this process, and of those that it has forked.
 *
 * Return: 0; %-EBUSY if somebody else has it; %-EPERM if others may write to the folder; or another negative errno.
 */
int pending_lock(struct pending *pending, struct qlink_why *why);

/**
 * pending_unlock() - give up the lock
 * @pending: from pending_open(); one that was forked meanwhile keeps it
 */
void pending_unlock(struct pending *pending);

/**
 * pending_has_change() - ask whether there is a change that was not ended
 * @pending: from pending_open()
 *
 * Return: whether there is one.
 */
bool pending_has_change(const struct pending *pending);

/**
 * pending_note() - keep what became of a change
 * @pending: from pending_open()
 * @outcome: "applied", "confirmed" or "rolled-back"
 * @why: as in "not confirmed in 30 s", or %NULL
 */
void pending_note(const struct pending *pending, const char *outcome, const char *why);

/**
 * pending_last() - say what became of the last change
 * @pending: from pending_open()
 * @text: where it goes, as in "; the last one was rolled back at 2026-11-30 21:04:05: not confirmed in 30 s"
 * @room: at @text; it is empty if nothing is known
 */
void pending_last(const struct pending *pending, char *text, size_t room);

/**
 * pending_close() - give up the lock and free the names
 * @pending: from pending_open()
 */
void pending_close(struct pending *pending);

#endif
