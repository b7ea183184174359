/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agreement of one link with its peer, as a pure state machine. */
#ifndef QLINKD_REKEY_H
#define QLINKD_REKEY_H

#include "agreement.h"

/**
 * rekey_init() - set up an agreement without a connection
 * @rekey: filled in
 * @config: copied; its generation must be random
 */
void rekey_init(struct rekey *rekey, const struct rekey_config *config);

/**
 * rekey_step() - let one event happen
 * @rekey: the agreement
 * @event: what happened
 * @now: time in ms, from any start, never going back
 * @actions: filled in with what is to be done, in this order
 *
 * Context: Pure: touches nothing but @rekey and @actions.
 * Return:
 * * %0		- done
 * * %-EBUSY	- WITHDRAW: one is under way, try when it is done; no change
 * * %-EPERM	- WANT: a source that the session does not allow; no change
 * * %-EINVAL	- WITHDRAW: an empty range; no change
 */
int rekey_step(struct rekey *rekey, const struct rekey_event *event,
	       uint64_t now, struct rekey_actions *actions);

/**
 * rekey_hears() - ask whether a message is of this session
 * @rekey: the agreement
 * @msg: from the peer
 *
 * One that is not must leave no trace; rekey_step() only counts it. HELLO is
 * always heard while there is a connection.
 *
 * Return: whether it is.
 */
bool rekey_hears(const struct rekey *rekey, const struct rekey_msg *msg);

/**
 * rekey_deadline() - say when REKEY_EVENT_TICK is due
 * @rekey: the agreement
 *
 * Return: the time, on the clock of rekey_step(), or REKEY_NO_DEADLINE.
 */
uint64_t rekey_deadline(const struct rekey *rekey);

#endif
