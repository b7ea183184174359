/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agreement of one link with its peer, as a pure state machine. */
#ifndef QLINKD_SESSION_H
#define QLINKD_SESSION_H

#include "agreement.h"

/**
 * session_init() - set up an agreement without a connection
 * @session: filled in
 * @config: copied; its generation must be random
 */
void session_init(struct session *session, const struct session_config *config);

/**
 * session_step() - let one event happen
 * @session: the agreement
 * @event: what happened
 * @now: time in ms, from any start, never going back
 * @actions: filled in with what is to be done, in this order
 *
 * Context: Pure: touches nothing but @session and @actions.
 * Return:
 * * %0		- done
 * * %-EBUSY	- WITHDRAW: one is under way, try when it is done; no change
 * * %-EPERM	- WANT: a source that the session does not allow; no change
 * * %-EINVAL	- WITHDRAW: an empty range; no change
 */
int session_step(struct session *session, const struct session_event *event,
		 uint64_t now, struct session_actions *actions);

/**
 * session_hears() - ask whether a message is of this session
 * @session: the agreement
 * @msg: from the peer
 *
 * One that is not must leave no trace; session_step() only counts it. HELLO is
 * always heard while there is a connection.
 *
 * Return: whether it is.
 */
bool session_hears(const struct session *session, const struct session_msg *msg);

/**
 * session_deadline() - say when SESSION_EVENT_TICK is due
 * @session: the agreement
 *
 * Return: the time, on the clock of session_step(), or SESSION_NO_DEADLINE.
 */
uint64_t session_deadline(const struct session *session);

#endif
