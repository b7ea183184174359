/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Offers of an open session, ours and the peer's; part of the agreement. */
#ifndef QLINKD_OFFER_H
#define QLINKD_OFFER_H

#include "agreement.h"

/**
 * enum offer_outcome - what the session must do after a step of an offer
 * @OFFER_GOES_ON: nothing
 * @OFFER_VIOLATION: start over: the peer broke the rules
 * @OFFER_TIMEOUT: start over: the peer or the kernel is silent
 * @OFFER_FAILED: start over: both ends may hold different keys
 */
enum offer_outcome {
	OFFER_GOES_ON,
	OFFER_VIOLATION,
	OFFER_TIMEOUT,
	OFFER_FAILED,
};

/**
 * offer_void() - forget all offers and invitations
 * @session: the agreement
 * @actions: gets what is to be wiped
 *
 * What is wanted stays wanted.
 */
void offer_void(struct session *session, struct session_actions *actions);

/**
 * offer_begin() - invite the peer, now that the session is open
 * @session: the agreement; newest of both halves is set
 * @now: time in ms
 * @actions: appended to
 */
void offer_begin(struct session *session, uint64_t now,
		 struct session_actions *actions);

/**
 * offer_message() - take INVITE, OFFER, CONFIRM or REFUSE
 * @session: the agreement
 * @msg: of this session
 * @now: time in ms
 * @actions: appended to
 *
 * INVITE may come before our own end is ready; the others may not.
 *
 * Return: what the session must do.
 */
enum offer_outcome offer_message(struct session *session,
				 const struct session_msg *msg, uint64_t now,
				 struct session_actions *actions);

/**
 * offer_done() - take the answer to an action
 * @session: the agreement
 * @event: a SESSION_EVENT_DONE; if nobody waits for its ticket nothing happens
 * @now: time in ms
 * @actions: appended to
 *
 * Return: what the session must do.
 */
enum offer_outcome offer_done(struct session *session,
			      const struct session_event *event, uint64_t now,
			      struct session_actions *actions);

/**
 * offer_tick() - let time pass
 * @session: the agreement, its session open
 * @now: time in ms
 * @actions: appended to
 *
 * Return: what the session must do.
 */
enum offer_outcome offer_tick(struct session *session, uint64_t now,
			      struct session_actions *actions);

/**
 * offer_try() - make an offer if one is wanted and may be made
 * @session: the agreement
 * @now: time in ms
 * @actions: appended to
 */
void offer_try(struct session *session, uint64_t now,
	       struct session_actions *actions);

#endif
