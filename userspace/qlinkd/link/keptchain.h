/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The chains of a link in the state file, if the agent has one. */
#ifndef QLINKD_KEPTCHAIN_H
#define QLINKD_KEPTCHAIN_H

#include "link.h"

/* An action waits for the disk for so long at most. */
#define KEPTCHAIN_WAIT_MS	1000

/**
 * DOC: What the disk must have before the peer goes on
 *
 * A receiver has its new chain on the disk before it confirms, and a sender before it takes up
 * the next offer. Whatever moment an agent is killed at, the sender's chain is then one of the two
 * that the receiver has: the receiver's file is never behind a confirmation, and the sender's
 * never more than one. A disk that fails or is slow gives that up; keys go on.
 */

/**
 * keptchain_restore() - go on with the chains that were kept
 * @link: the link; it has had no session yet
 */
void keptchain_restore(struct link *link);

/**
 * keptchain_save() - keep the chains of a link as they are now
 * @link: the link
 *
 * To be called whenever one of them has changed. Does not wait for the disk.
 */
void keptchain_save(struct link *link);

/**
 * keptchain_defer() - perhaps wait with an answer until the chains of a link are on the disk
 * @link: the link
 * @is_tx: the sending chain has advanced and was saved, not the receiving one
 * @ticket: of the action to be answered
 * @now: time in ms
 *
 * Return: whether keptchain_next() will return the ticket later; else it is answered now.
 */
bool keptchain_defer(struct link *link, bool is_tx, uint64_t ticket, uint64_t now);

/**
 * keptchain_next() - take a ticket that need not wait any longer
 * @link: the link
 * @now: time in ms
 *
 * Return: the ticket, or 0 for none.
 */
uint64_t keptchain_next(struct link *link, uint64_t now);

/**
 * keptchain_waits() - tell whether an answer waits for the disk
 * @link: the link
 *
 * Return: until when at most, ms; 0 if none waits.
 */
uint64_t keptchain_waits(const struct link *link);

/**
 * keptchain_wipe() - have the kept chains of a link overwritten
 * @link: the link
 */
void keptchain_wipe(const struct link *link);

#endif
