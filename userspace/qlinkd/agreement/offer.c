// SPDX-License-Identifier: GPL-2.0-or-later
/* The offers of an open session, ours and the peer's; part of the agreement. */
#include "offer.h"

#include <string.h>

#include "action.h"
#include "policy.h"

static void half_wait(struct session_half *half, enum session_step step,
		      uint64_t ticket, uint64_t until)
{
	half->step = step;
	half->ticket = ticket;
	half->until = until;
}

/* Requests an action for the offer of a half and waits for its result. */
static void half_ask(struct session *session, struct session_half *half,
		     struct session_actions *actions,
		     enum session_action_type type, enum session_step step,
		     uint64_t until)
{
	struct session_action *action = action_ask(session, actions, type);

	action->offer = half->offer;
	half_wait(half, step, action->ticket, until);
}

/*
 * The keys of an offer that ends without an answer are lost. So the next offers are small, and grow by
 * one key with each one that is agreed on: whoever cuts the connection again and again costs few keys.
 */
static uint8_t fewer(uint8_t most)
{
	return most > 4 ? most / 4 : 1;
}

void offer_void(struct session *session, struct session_actions *actions)
{
	struct session_half tx = {
		.most = session->tx.step == SESSION_STEP_OFFERED ? fewer(session->tx.most) :
								   session->tx.most,
		.want = session->tx.want,
		.want_source = session->tx.want_source,
	};

	action_add(actions, SESSION_ACTION_DROP_TX);
	action_add(actions, SESSION_ACTION_DROP_RX);
	session->tx = tx;
	memset(&session->rx, 0, sizeof(session->rx));
}

/* A KEM key serves one offer, so each invitation has a new one. */
static void invite(struct session *session, uint64_t now,
		   struct session_actions *actions)
{
	struct session_action *action;

	action = action_ask(session, actions, SESSION_ACTION_INVITE);
	session->rx.invite = 0;
	half_wait(&session->rx, SESSION_STEP_INVITING, action->ticket,
		  now + SESSION_OPEN_MS);
}

void offer_begin(struct session *session, uint64_t now,
		 struct session_actions *actions)
{
	invite(session, now, actions);
	offer_try(session, now, actions);
}

/* --- ours, to send --- */

/* How many of the wanted epochs fit in one offer; 0 if no epoch is left. */
static uint8_t room(const struct session_half *tx)
{
	uint64_t left = SESSION_EPOCH_MAX - tx->newest;
	uint64_t n = tx->want < tx->most ? tx->want : tx->most;

	return (uint8_t)(n < left ? n : left);
}

bool offer_are_over(const struct session *session)
{
	return session->leave.is_wanted || session->leave.has_heard;
}

void offer_try(struct session *session, uint64_t now, struct session_actions *actions)
{
	struct session_half *tx = &session->tx;

	if (session->phase != SESSION_PHASE_READY || tx->step != SESSION_STEP_IDLE)
		return;
	tx->until = 0;
	/* The policies of this session may not allow a source that was wanted in the last one. */
	if (!(session->sources & 1 << tx->want_source))
		tx->want = 0;
	if (!tx->want || now < tx->not_before || offer_are_over(session))
		return;
	if (!tx->invite) {
		tx->until = now + SESSION_OFFER_MS;
		return;
	}
	if (!room(tx)) {
		tx->want = 0;
		action_note(actions, SESSION_NOTE_NO_EPOCH, SESSION_REASON_EPOCH);
		return;
	}
	tx->offer = (struct session_offer){
		.id = tx->done + 1,
		.invite = tx->invite,
		.first = tx->newest + 1,
		.n = room(tx),
		.source = tx->want_source,
	};
	half_ask(session, tx, actions, SESSION_ACTION_PREPARE,
		 SESSION_STEP_PREPARING, now + SESSION_FETCH_MS);
}

/* The offer failed: its key IDs are spent, and its number is not used again. */
static void tx_give_up(struct session *session, uint64_t now,
		       struct session_actions *actions)
{
	struct session_half *tx = &session->tx;

	action_add(actions, SESSION_ACTION_DROP_TX);
	tx->done = tx->offer.id;
	tx->not_before = now + SESSION_PAUSE_MS;
	half_wait(tx, SESSION_STEP_IDLE, 0, 0);
}

static enum offer_outcome prepared(struct session *session,
				   const struct session_event *event,
				   uint64_t now, struct session_actions *actions)
{
	struct session_half *tx = &session->tx;

	/* The KEM key of this invitation is not valid: every offer for it would fail. */
	if (!event->is_ok && event->reason == SESSION_REASON_KEM)
		return OFFER_VIOLATION;
	if (!event->is_ok || !event->n || event->n > tx->offer.n) {
		action_note(actions, SESSION_NOTE_REFUSED, event->reason);
		tx_give_up(session, now, actions);
		return OFFER_GOES_ON;
	}
	tx->offer.n = (uint8_t)event->n;
	tx->offer.n_kmes = event->n_kmes;
	memcpy(tx->offer.kmes, event->kmes, sizeof(tx->offer.kmes));
	tx->newest = tx->offer.first + tx->offer.n - 1;
	tx->invite = 0;
	action_send(session, actions, SESSION_MESSAGE_OFFER)->offer = tx->offer;
	half_wait(tx, SESSION_STEP_OFFERED, 0, now + SESSION_OFFER_MS);
	return OFFER_GOES_ON;
}

/* The receiver holds keys that we will not use: have it delete them. */
static void withdraw_offer(struct session *session, enum session_reason reason,
			   struct session_actions *actions)
{
	struct session_msg *msg;

	msg = action_send(session, actions, SESSION_MESSAGE_WITHDRAW);
	msg->withdraw = (struct session_withdraw){
		.id = ++session->last_id,
		.range = { session->tx.offer.first, session->tx.newest },
		.direction = SESSION_DIRECTION_TX,
		.reason = (uint8_t)reason,
	};
	action_note(actions, SESSION_NOTE_FAILED, (uint8_t)reason);
}

static enum offer_outcome on_confirm(struct session *session,
				     const struct session_msg *msg, uint64_t now,
				     struct session_actions *actions)
{
	struct session_half *tx = &session->tx;

	/* A duplicate: the first one was handled. */
	if (msg->offer.id == tx->done && tx->done)
		return OFFER_GOES_ON;
	if (tx->step == SESSION_STEP_INSTALLING && msg->offer.id == tx->offer.id)
		return OFFER_GOES_ON;
	if (tx->step != SESSION_STEP_OFFERED || msg->offer.id != tx->offer.id)
		return OFFER_VIOLATION;
	if (!msg->is_verified) {
		withdraw_offer(session, SESSION_REASON_CONFIRM, actions);
		return OFFER_FAILED;
	}
	half_ask(session, tx, actions, SESSION_ACTION_INSTALL_TX,
		 SESSION_STEP_INSTALLING, now + SESSION_OPEN_MS);
	return OFFER_GOES_ON;
}

/* Then no chain starts from zero in a session: whoever cannot follow one would only have to refuse it. */
static bool demands_chain(const struct session *session)
{
	return session->own.demands_chain || session->peer.demands_chain;
}

static enum offer_outcome on_refuse(struct session *session,
				    const struct session_msg *msg, uint64_t now,
				    struct session_actions *actions)
{
	struct session_half *tx = &session->tx;

	if (msg->offer.id == tx->done && tx->done)
		return OFFER_GOES_ON;
	if (tx->step != SESSION_STEP_OFFERED || msg->offer.id != tx->offer.id)
		return OFFER_VIOLATION;
	action_note(actions, SESSION_NOTE_REFUSED, msg->reason)->place = msg->place;
	if (msg->reason == SESSION_REASON_CHAIN && !demands_chain(session))
		action_add(actions, SESSION_ACTION_RESTART_CHAIN);
	/* The ends disagree on the keys or chains that they hold: only a new session compares them. */
	if (msg->reason == SESSION_REASON_EPOCH || msg->reason == SESSION_REASON_KERNEL ||
	    (msg->reason == SESSION_REASON_CHAIN && demands_chain(session)))
		return OFFER_FAILED;
	/* A KME that does not give keys rests. Whatever else the reason is may be so again in a second. */
	if (msg->reason != SESSION_REASON_KEY_ID && msg->reason != SESSION_REASON_KME)
		tx->most = fewer(tx->most);
	tx_give_up(session, now, actions);
	offer_try(session, now, actions);
	return OFFER_GOES_ON;
}

static enum offer_outcome on_invite(struct session *session,
				    const struct session_msg *msg, uint64_t now,
				    struct session_actions *actions)
{
	struct session_half *tx = &session->tx;

	if (!msg->is_verified || !msg->invite)
		return OFFER_VIOLATION;
	/* A duplicate. Numbers only grow, so an old number is never a new invitation. */
	if (msg->invite <= tx->invite || msg->invite <= tx->offer.invite)
		return OFFER_GOES_ON;
	if (tx->invite)
		return OFFER_VIOLATION;
	tx->invite = msg->invite;
	offer_try(session, now, actions);
	return OFFER_GOES_ON;
}

static enum offer_outcome tx_installed(struct session *session,
				       const struct session_event *event,
				       uint64_t now,
				       struct session_actions *actions)
{
	struct session_half *tx = &session->tx;
	struct session_action *action;

	if (!event->is_ok) {
		withdraw_offer(session, SESSION_REASON_KERNEL, actions);
		return OFFER_FAILED;
	}
	action = action_add(actions, SESSION_ACTION_NOTE);
	action->note = SESSION_NOTE_AGREED;
	action->offer = tx->offer;
	tx->want -= tx->want < tx->offer.n ? tx->want : tx->offer.n;
	tx->done = tx->offer.id;
	tx->most += tx->most < SESSION_OFFER_MAX;
	half_wait(tx, SESSION_STEP_IDLE, 0, 0);
	offer_try(session, now, actions);
	return OFFER_GOES_ON;
}

/* --- the peer's, to receive --- */

/* @place is that of the KME which is the reason, or 0. */
static void refuse(struct session *session, enum session_reason reason, uint8_t place,
		   uint64_t now, struct session_actions *actions)
{
	struct session_half *rx = &session->rx;
	struct session_msg *msg;

	msg = action_send(session, actions, SESSION_MESSAGE_REFUSE);
	msg->offer = rx->offer;
	msg->reason = (uint8_t)reason;
	msg->place = place;
	action_note(actions, SESSION_NOTE_REJECTED, (uint8_t)reason)->place = place;
	action_add(actions, SESSION_ACTION_DROP_RX);
	rx->done = rx->offer.id;
	invite(session, now, actions);
}

/* Checks an offer before its keys are fetched, because fetching them uses them up. */
static enum session_reason check_offer(const struct session *session)
{
	const struct session_offer *offer = &session->rx.offer;

	if (offer->source > 7 || !(session->sources & 1 << offer->source) ||
	    (policy_kme_sources() & 1 << offer->source && offer->n_kmes < session->kmes_least))
		return SESSION_REASON_SOURCE;
	if (offer->first <= session->rx.newest ||
	    offer->first > SESSION_EPOCH_MAX - offer->n + 1 ||
	    (session->rx.newest &&
	     offer->first + offer->n - 1 - session->rx.newest > SESSION_EPOCH_LEAP))
		return SESSION_REASON_EPOCH;
	return SESSION_REASON_NONE;
}

static enum offer_outcome on_offer(struct session *session,
				   const struct session_msg *msg, uint64_t now,
				   struct session_actions *actions)
{
	struct session_half *rx = &session->rx;
	enum session_reason reason;

	/* Duplicates: of an offer that was settled, and of the current one. */
	if (msg->offer.id && msg->offer.id <= rx->done)
		return OFFER_GOES_ON;
	if (rx->offer.id && msg->offer.id == rx->offer.id)
		return OFFER_GOES_ON;
	if (!msg->is_verified || rx->step != SESSION_STEP_INVITED || session->leave.has_heard ||
	    msg->offer.invite != rx->invite || !msg->offer.id ||
	    !msg->offer.n || msg->offer.n > SESSION_OFFER_MAX)
		return OFFER_VIOLATION;
	rx->offer = msg->offer;
	reason = check_offer(session);
	if (reason) {
		refuse(session, reason, 0, now, actions);
		return OFFER_GOES_ON;
	}
	half_ask(session, rx, actions, SESSION_ACTION_FETCH,
		 SESSION_STEP_FETCHING, now + SESSION_FETCH_MS);
	return OFFER_GOES_ON;
}

static void fetched(struct session *session, const struct session_event *event,
		    uint64_t now, struct session_actions *actions)
{
	struct session_half *rx = &session->rx;

	if (!event->is_ok) {
		refuse(session, event->reason, event->place, now, actions);
		return;
	}
	half_ask(session, rx, actions, SESSION_ACTION_INSTALL_RX,
		 SESSION_STEP_INSTALLING, now + SESSION_OPEN_MS);
}

static void rx_installed(struct session *session, const struct session_event *event,
			 uint64_t now, struct session_actions *actions)
{
	struct session_half *rx = &session->rx;

	if (!event->is_ok) {
		refuse(session, SESSION_REASON_KERNEL, 0, now, actions);
		return;
	}
	action_send(session, actions, SESSION_MESSAGE_CONFIRM)->offer = rx->offer;
	rx->newest = rx->offer.first + rx->offer.n - 1;
	rx->done = rx->offer.id;
	invite(session, now, actions);
}

static void invited(struct session *session, const struct session_event *event,
		    uint64_t now, struct session_actions *actions)
{
	struct session_half *rx = &session->rx;

	if (!event->is_ok) {
		half_wait(rx, SESSION_STEP_IDLE, 0, now + SESSION_PAUSE_MS);
		return;
	}
	rx->invite = ++session->last_id;
	action_send(session, actions, SESSION_MESSAGE_INVITE)->invite = rx->invite;
	half_wait(rx, SESSION_STEP_INVITED, 0, 0);
}

void offer_repeat_invite(struct session *session, struct session_actions *actions)
{
	if (session->rx.step == SESSION_STEP_INVITED)
		action_send(session, actions, SESSION_MESSAGE_INVITE)->invite =
			session->rx.invite;
}

/* --- both --- */

enum offer_outcome offer_message(struct session *session,
				 const struct session_msg *msg, uint64_t now,
				 struct session_actions *actions)
{
	switch (msg->type) {
	case SESSION_MESSAGE_INVITE:
		return on_invite(session, msg, now, actions);
	case SESSION_MESSAGE_OFFER:
		return on_offer(session, msg, now, actions);
	case SESSION_MESSAGE_CONFIRM:
		return on_confirm(session, msg, now, actions);
	case SESSION_MESSAGE_REFUSE:
		return on_refuse(session, msg, now, actions);
	default:
		return OFFER_VIOLATION;
	}
}

static enum offer_outcome tx_done(struct session *session,
				  const struct session_event *event,
				  uint64_t now, struct session_actions *actions)
{
	if (session->tx.step == SESSION_STEP_INSTALLING)
		return tx_installed(session, event, now, actions);
	return prepared(session, event, now, actions);
}

static void rx_done(struct session *session, const struct session_event *event,
		    uint64_t now, struct session_actions *actions)
{
	if (session->rx.step == SESSION_STEP_INVITING)
		invited(session, event, now, actions);
	else if (session->rx.step == SESSION_STEP_FETCHING)
		fetched(session, event, now, actions);
	else
		rx_installed(session, event, now, actions);
}

enum offer_outcome offer_done(struct session *session,
			      const struct session_event *event, uint64_t now,
			      struct session_actions *actions)
{
	if (event->ticket == session->tx.ticket)
		return tx_done(session, event, now, actions);
	if (event->ticket == session->rx.ticket)
		rx_done(session, event, now, actions);
	return OFFER_GOES_ON;
}

static enum offer_outcome tx_tick(struct session *session, uint64_t now,
				  struct session_actions *actions)
{
	struct session_half *tx = &session->tx;

	if (tx->until && now >= tx->until) {
		/* If only our own KME is slow, the session can continue. */
		if (tx->step != SESSION_STEP_PREPARING)
			return OFFER_TIMEOUT;
		action_note(actions, SESSION_NOTE_REFUSED, SESSION_REASON_TIMEOUT);
		tx_give_up(session, now, actions);
	} else if (tx->step == SESSION_STEP_IDLE && !tx->until &&
		   now >= tx->not_before) {
		offer_try(session, now, actions);
	}
	return OFFER_GOES_ON;
}

enum offer_outcome offer_tick(struct session *session, uint64_t now,
			      struct session_actions *actions)
{
	struct session_half *rx = &session->rx;

	if (rx->until && now >= rx->until) {
		if (rx->step == SESSION_STEP_INSTALLING)
			return OFFER_TIMEOUT;
		if (rx->step == SESSION_STEP_FETCHING)
			refuse(session, SESSION_REASON_TIMEOUT, 0, now, actions);
		else
			invite(session, now, actions);
	}
	return tx_tick(session, now, actions);
}
