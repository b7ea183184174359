/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The offers of an open session, ours and the peer's; part of the agreement. */
#ifndef QLINKD_OFFER_H
#define QLINKD_OFFER_H

#include "agreement.h"

/**
 * enum offer_outcome - what the session must do after a step of an offer
 * @OFFER_GOES_ON: nothing; the session continues
 * @OFFER_VIOLATION: start over: the peer broke the rules
 * @OFFER_TIMEOUT: start over: the peer or the kernel did not answer in time
 * @OFFER_FAILED: start over: both ends may hold different keys
 */
enum offer_outcome {
	OFFER_GOES_ON,
	OFFER_VIOLATION,
	OFFER_TIMEOUT,
	OFFER_FAILED,
};

/**
 * offer_void() - drop all offers and invitations
 * @session: the agreement
 * @actions: appended to: the secrets of both directions are wiped
 *
 * The number and source of the wanted keys stay as they are.
 *
 * Context: Pure.
 */
void offer_void(struct session *session, struct session_actions *actions);

/**
 * offer_begin() - invite the peer after the session has opened
 * @session: the agreement; @newest of both halves is set
 * @now: time in ms
 * @actions: appended to
 *
 * Context: Pure.
 */
void offer_begin(struct session *session, uint64_t now,
		 struct session_actions *actions);

/**
 * offer_message() - handle INVITE, OFFER, CONFIRM or REFUSE
 * @session: the agreement
 * @msg: of this session
 * @now: time in ms
 * @actions: appended to
 *
 * INVITE may arrive before this end is ready; the others may not.
 *
 * Context: Pure.
 * Return: what the session must do.
 */
enum offer_outcome offer_message(struct session *session,
				 const struct session_msg *msg, uint64_t now,
				 struct session_actions *actions);

/**
 * offer_repeat_invite() - say again what the current invitation says
 * @session: the agreement; its session is open
 * @actions: appended to; nothing is if there is no invitation now, since one follows soon
 *
 * The invitation keeps its number, so that the peer reads only which KMEs are up.
 *
 * Context: Pure.
 */
void offer_repeat_invite(struct session *session, struct session_actions *actions);

/**
 * offer_done() - handle the result of an action
 * @session: the agreement
 * @event: a SESSION_EVENT_DONE; ignored unless an offer waits for its ticket
 * @now: time in ms
 * @actions: appended to
 *
 * Context: Pure.
 * Return: what the session must do.
 */
enum offer_outcome offer_done(struct session *session,
			      const struct session_event *event, uint64_t now,
			      struct session_actions *actions);

/**
 * offer_tick() - handle timeouts, and offers that are due
 * @session: the agreement; its session is open
 * @now: time in ms
 * @actions: appended to
 *
 * Context: Pure.
 * Return: what the session must do.
 */
enum offer_outcome offer_tick(struct session *session, uint64_t now,
			      struct session_actions *actions);

/**
 * offer_are_over() - check whether this session makes no more offers
 * @session: the agreement
 *
 * Return: %true if it leaves its connection.
 */
bool offer_are_over(const struct session *session);

/**
 * offer_try() - start an offer if keys are wanted and an offer is allowed now
 * @session: the agreement
 * @now: time in ms
 * @actions: appended to
 *
 * Context: Pure.
 */
void offer_try(struct session *session, uint64_t now,
	       struct session_actions *actions);

#endif
