/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The agreement of one link with its peer, as a pure state machine. */
#ifndef QLINKD_SESSION_H
#define QLINKD_SESSION_H

#include "agreement.h"

/**
 * session_init() - initialize an agreement without a connection
 * @session: filled in
 * @config: copied; its generation must be random
 *
 * Context: Pure. There is nothing to free.
 */
void session_init(struct session *session, const struct session_config *config);

/**
 * session_demand_chain() - say whether this end accepts a chain that starts from zero
 * @session: the agreement; its next session follows this
 * @demands: it does not
 *
 * Context: Pure.
 */
void session_demand_chain(struct session *session, bool demands);

/**
 * session_step() - handle one event
 * @session: the agreement
 * @event: the event
 * @now: time in ms of a clock that never goes back
 * @actions: overwritten with the actions to carry out, in this order
 *
 * Context: Pure: changes only @session and @actions.
 * Return:
 * * %0		- the event is handled
 * * %-EBUSY	- WITHDRAW: another withdrawal of ours is under way; try again when it is
 *		  done; nothing changed
 * * %-EPERM	- WANT: the session does not allow the source; nothing changed
 * * %-EINVAL	- WITHDRAW: the range is empty; nothing changed. Or an unknown event
 */
int session_step(struct session *session, const struct session_event *event,
		 uint64_t now, struct session_actions *actions);

/**
 * session_accepts() - check whether a message belongs to this session
 * @session: the agreement
 * @msg: from the peer
 *
 * A message of another session must change nothing; session_step() only counts it. HELLO is
 * always accepted while there is a connection.
 *
 * Context: Pure.
 * Return: %true if the message belongs to this session.
 */
bool session_accepts(const struct session *session, const struct session_msg *msg);

/**
 * session_deadline() - get the time at which SESSION_EVENT_TICK is due
 * @session: the agreement
 *
 * Context: Pure.
 * Return: time in ms of the clock of session_step(), or SESSION_NO_DEADLINE.
 */
uint64_t session_deadline(const struct session *session);

#endif
