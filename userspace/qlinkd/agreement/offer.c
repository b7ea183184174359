// SPDX-License-Identifier: GPL-2.0-or-later
/* Offers of an open session, ours and the peer's; part of the agreement. */
#include "offer.h"

#include <string.h>

#include "action.h"

static void half_wait(struct rekey_half *half, enum rekey_step step,
		      uint64_t ticket, uint64_t until)
{
	half->step = step;
	half->ticket = ticket;
	half->until = until;
}

/* Have something done for the offer of a half, and wait for that. */
static void half_ask(struct rekey *rekey, struct rekey_half *half,
		     struct rekey_actions *actions,
		     enum rekey_action_type type, enum rekey_step step,
		     uint64_t until)
{
	struct rekey_action *action = action_ask(rekey, actions, type);

	action->offer = half->offer;
	half_wait(half, step, action->ticket, until);
}

void offer_void(struct rekey *rekey, struct rekey_actions *actions)
{
	struct rekey_half tx = {
		.want = rekey->tx.want,
		.want_source = rekey->tx.want_source,
	};

	action_add(actions, REKEY_ACTION_DROP_TX);
	action_add(actions, REKEY_ACTION_DROP_RX);
	rekey->tx = tx;
	memset(&rekey->rx, 0, sizeof(rekey->rx));
}

/* A KEM key serves one offer: each new invitation has its own. */
static void invite(struct rekey *rekey, uint64_t now,
		   struct rekey_actions *actions)
{
	struct rekey_action *action;

	action = action_ask(rekey, actions, REKEY_ACTION_INVITE);
	rekey->rx.invite = 0;
	half_wait(&rekey->rx, REKEY_STEP_INVITING, action->ticket,
		  now + REKEY_SESSION_MS);
}

void offer_begin(struct rekey *rekey, uint64_t now,
		 struct rekey_actions *actions)
{
	invite(rekey, now, actions);
	offer_try(rekey, now, actions);
}

/* --- ours, to send --- */

/* How many of the wanted epochs one offer can carry; 0 if none are left. */
static uint8_t room(const struct rekey_half *tx)
{
	uint64_t left = REKEY_EPOCH_MAX - tx->newest;
	uint64_t n = tx->want < REKEY_OFFER_MAX ? tx->want : REKEY_OFFER_MAX;

	return (uint8_t)(n < left ? n : left);
}

void offer_try(struct rekey *rekey, uint64_t now, struct rekey_actions *actions)
{
	struct rekey_half *tx = &rekey->tx;

	if (rekey->phase != REKEY_PHASE_READY || tx->step != REKEY_STEP_IDLE)
		return;
	tx->until = 0;
	/* The policies of this session may not allow what was wanted before. */
	if (!(rekey->sources & 1 << tx->want_source))
		tx->want = 0;
	if (!tx->want || now < tx->not_before)
		return;
	if (!tx->invite) {
		tx->until = now + REKEY_OFFER_MS;
		return;
	}
	if (!room(tx)) {
		tx->want = 0;
		action_note(actions, REKEY_NOTE_NO_EPOCH, REKEY_REASON_EPOCH);
		return;
	}
	tx->offer = (struct rekey_offer){
		.id = tx->done + 1,
		.invite = tx->invite,
		.first = tx->newest + 1,
		.n = room(tx),
		.source = tx->want_source,
	};
	half_ask(rekey, tx, actions, REKEY_ACTION_PREPARE,
		 REKEY_STEP_PREPARING, now + REKEY_FETCH_MS);
}

/* The offer came to nothing; its key IDs are spent, and so is its number. */
static void tx_give_up(struct rekey *rekey, uint64_t now,
		       struct rekey_actions *actions)
{
	struct rekey_half *tx = &rekey->tx;

	action_add(actions, REKEY_ACTION_DROP_TX);
	tx->done = tx->offer.id;
	tx->not_before = now + REKEY_PAUSE_MS;
	half_wait(tx, REKEY_STEP_IDLE, 0, 0);
}

static enum offer_outcome prepared(struct rekey *rekey,
				   const struct rekey_event *event,
				   uint64_t now, struct rekey_actions *actions)
{
	struct rekey_half *tx = &rekey->tx;

	/* With this invitation it would fail for ever. */
	if (!event->is_ok && event->reason == REKEY_REASON_KEM)
		return OFFER_VIOLATION;
	if (!event->is_ok || !event->n || event->n > tx->offer.n) {
		action_note(actions, REKEY_NOTE_REFUSED, event->reason);
		tx_give_up(rekey, now, actions);
		return OFFER_GOES_ON;
	}
	tx->offer.n = (uint8_t)event->n;
	tx->newest = tx->offer.first + tx->offer.n - 1;
	tx->invite = 0;
	action_say(rekey, actions, REKEY_MESSAGE_OFFER)->offer = tx->offer;
	half_wait(tx, REKEY_STEP_OFFERED, 0, now + REKEY_OFFER_MS);
	return OFFER_GOES_ON;
}

/* The receiver holds keys that we will not use: it must not wait for them. */
static void take_back(struct rekey *rekey, enum rekey_reason reason,
		      struct rekey_actions *actions)
{
	struct rekey_msg *msg;

	msg = action_say(rekey, actions, REKEY_MESSAGE_WITHDRAW);
	msg->withdraw = (struct rekey_withdraw){
		.id = ++rekey->last_id,
		.range = { rekey->tx.offer.first, rekey->tx.newest },
		.direction = REKEY_DIRECTION_TX,
		.reason = (uint8_t)reason,
	};
	action_note(actions, REKEY_NOTE_FAILED, (uint8_t)reason);
}

static enum offer_outcome on_confirm(struct rekey *rekey,
				     const struct rekey_msg *msg, uint64_t now,
				     struct rekey_actions *actions)
{
	struct rekey_half *tx = &rekey->tx;

	/* Said twice: the first was heard. */
	if (msg->offer.id == tx->done && tx->done)
		return OFFER_GOES_ON;
	if (tx->step == REKEY_STEP_INSTALLING && msg->offer.id == tx->offer.id)
		return OFFER_GOES_ON;
	if (tx->step != REKEY_STEP_OFFERED || msg->offer.id != tx->offer.id)
		return OFFER_VIOLATION;
	if (!msg->is_good) {
		take_back(rekey, REKEY_REASON_CONFIRM, actions);
		return OFFER_FAILED;
	}
	half_ask(rekey, tx, actions, REKEY_ACTION_INSTALL_TX,
		 REKEY_STEP_INSTALLING, now + REKEY_SESSION_MS);
	return OFFER_GOES_ON;
}

static enum offer_outcome on_refuse(struct rekey *rekey,
				    const struct rekey_msg *msg, uint64_t now,
				    struct rekey_actions *actions)
{
	struct rekey_half *tx = &rekey->tx;

	if (msg->offer.id == tx->done && tx->done)
		return OFFER_GOES_ON;
	if (tx->step != REKEY_STEP_OFFERED || msg->offer.id != tx->offer.id)
		return OFFER_VIOLATION;
	action_note(actions, REKEY_NOTE_REFUSED, msg->reason);
	if (msg->reason == REKEY_REASON_CHAIN)
		action_add(actions, REKEY_ACTION_RESTART_CHAIN);
	/* The ends do not agree on what is held: only a new session tells. */
	if (msg->reason == REKEY_REASON_EPOCH ||
	    msg->reason == REKEY_REASON_KERNEL)
		return OFFER_FAILED;
	tx_give_up(rekey, now, actions);
	offer_try(rekey, now, actions);
	return OFFER_GOES_ON;
}

static enum offer_outcome on_invite(struct rekey *rekey,
				    const struct rekey_msg *msg, uint64_t now,
				    struct rekey_actions *actions)
{
	struct rekey_half *tx = &rekey->tx;

	if (!msg->is_good || !msg->invite)
		return OFFER_VIOLATION;
	/* Said twice. Numbers grow, so an old one cannot be the next. */
	if (msg->invite <= tx->invite || msg->invite <= tx->offer.invite)
		return OFFER_GOES_ON;
	if (tx->invite)
		return OFFER_VIOLATION;
	tx->invite = msg->invite;
	offer_try(rekey, now, actions);
	return OFFER_GOES_ON;
}

static enum offer_outcome tx_installed(struct rekey *rekey,
				       const struct rekey_event *event,
				       uint64_t now,
				       struct rekey_actions *actions)
{
	struct rekey_half *tx = &rekey->tx;
	struct rekey_action *action;

	if (!event->is_ok) {
		take_back(rekey, REKEY_REASON_KERNEL, actions);
		return OFFER_FAILED;
	}
	action = action_add(actions, REKEY_ACTION_NOTE);
	action->note = REKEY_NOTE_AGREED;
	action->offer = tx->offer;
	tx->want -= tx->want < tx->offer.n ? tx->want : tx->offer.n;
	tx->done = tx->offer.id;
	half_wait(tx, REKEY_STEP_IDLE, 0, 0);
	offer_try(rekey, now, actions);
	return OFFER_GOES_ON;
}

/* --- the peer's, to receive --- */

static void refuse(struct rekey *rekey, enum rekey_reason reason, uint64_t now,
		   struct rekey_actions *actions)
{
	struct rekey_half *rx = &rekey->rx;
	struct rekey_msg *msg;

	msg = action_say(rekey, actions, REKEY_MESSAGE_REFUSE);
	msg->offer = rx->offer;
	msg->reason = (uint8_t)reason;
	action_note(actions, REKEY_NOTE_REFUSING, (uint8_t)reason);
	action_add(actions, REKEY_ACTION_DROP_RX);
	rx->done = rx->offer.id;
	invite(rekey, now, actions);
}

/* What must hold before keys are fetched, which uses them up. */
static enum rekey_reason objection(const struct rekey *rekey)
{
	const struct rekey_offer *offer = &rekey->rx.offer;

	if (offer->source > 7 || !(rekey->sources & 1 << offer->source))
		return REKEY_REASON_SOURCE;
	if (offer->first <= rekey->rx.newest ||
	    offer->first > REKEY_EPOCH_MAX - offer->n + 1 ||
	    (rekey->rx.newest &&
	     offer->first + offer->n - 1 - rekey->rx.newest > REKEY_EPOCH_LEAP))
		return REKEY_REASON_EPOCH;
	return REKEY_REASON_NONE;
}

static enum offer_outcome on_offer(struct rekey *rekey,
				   const struct rekey_msg *msg, uint64_t now,
				   struct rekey_actions *actions)
{
	struct rekey_half *rx = &rekey->rx;
	enum rekey_reason reason;

	/* Said twice. */
	if (msg->offer.id && msg->offer.id <= rx->done)
		return OFFER_GOES_ON;
	if (rx->offer.id && msg->offer.id == rx->offer.id)
		return OFFER_GOES_ON;
	if (!msg->is_good || rx->step != REKEY_STEP_INVITED ||
	    msg->offer.invite != rx->invite || !msg->offer.id ||
	    !msg->offer.n || msg->offer.n > REKEY_OFFER_MAX)
		return OFFER_VIOLATION;
	rx->offer = msg->offer;
	reason = objection(rekey);
	if (reason) {
		refuse(rekey, reason, now, actions);
		return OFFER_GOES_ON;
	}
	half_ask(rekey, rx, actions, REKEY_ACTION_FETCH,
		 REKEY_STEP_FETCHING, now + REKEY_FETCH_MS);
	return OFFER_GOES_ON;
}

static void fetched(struct rekey *rekey, const struct rekey_event *event,
		    uint64_t now, struct rekey_actions *actions)
{
	struct rekey_half *rx = &rekey->rx;

	if (!event->is_ok) {
		refuse(rekey, event->reason, now, actions);
		return;
	}
	half_ask(rekey, rx, actions, REKEY_ACTION_INSTALL_RX,
		 REKEY_STEP_INSTALLING, now + REKEY_SESSION_MS);
}

static void rx_installed(struct rekey *rekey, const struct rekey_event *event,
			 uint64_t now, struct rekey_actions *actions)
{
	struct rekey_half *rx = &rekey->rx;

	if (!event->is_ok) {
		refuse(rekey, REKEY_REASON_KERNEL, now, actions);
		return;
	}
	action_say(rekey, actions, REKEY_MESSAGE_CONFIRM)->offer = rx->offer;
	rx->newest = rx->offer.first + rx->offer.n - 1;
	rx->done = rx->offer.id;
	invite(rekey, now, actions);
}

static void invited(struct rekey *rekey, const struct rekey_event *event,
		    uint64_t now, struct rekey_actions *actions)
{
	struct rekey_half *rx = &rekey->rx;

	if (!event->is_ok) {
		half_wait(rx, REKEY_STEP_IDLE, 0, now + REKEY_PAUSE_MS);
		return;
	}
	rx->invite = ++rekey->last_id;
	action_say(rekey, actions, REKEY_MESSAGE_INVITE)->invite = rx->invite;
	half_wait(rx, REKEY_STEP_INVITED, 0, 0);
}

/* --- both --- */

enum offer_outcome offer_message(struct rekey *rekey,
				 const struct rekey_msg *msg, uint64_t now,
				 struct rekey_actions *actions)
{
	switch (msg->type) {
	case REKEY_MESSAGE_INVITE:
		return on_invite(rekey, msg, now, actions);
	case REKEY_MESSAGE_OFFER:
		return on_offer(rekey, msg, now, actions);
	case REKEY_MESSAGE_CONFIRM:
		return on_confirm(rekey, msg, now, actions);
	case REKEY_MESSAGE_REFUSE:
		return on_refuse(rekey, msg, now, actions);
	default:
		return OFFER_VIOLATION;
	}
}

static enum offer_outcome tx_done(struct rekey *rekey,
				  const struct rekey_event *event,
				  uint64_t now, struct rekey_actions *actions)
{
	if (rekey->tx.step == REKEY_STEP_INSTALLING)
		return tx_installed(rekey, event, now, actions);
	return prepared(rekey, event, now, actions);
}

static void rx_done(struct rekey *rekey, const struct rekey_event *event,
		    uint64_t now, struct rekey_actions *actions)
{
	if (rekey->rx.step == REKEY_STEP_INVITING)
		invited(rekey, event, now, actions);
	else if (rekey->rx.step == REKEY_STEP_FETCHING)
		fetched(rekey, event, now, actions);
	else
		rx_installed(rekey, event, now, actions);
}

enum offer_outcome offer_done(struct rekey *rekey,
			      const struct rekey_event *event, uint64_t now,
			      struct rekey_actions *actions)
{
	if (event->ticket == rekey->tx.ticket)
		return tx_done(rekey, event, now, actions);
	if (event->ticket == rekey->rx.ticket)
		rx_done(rekey, event, now, actions);
	return OFFER_GOES_ON;
}

static enum offer_outcome tx_tick(struct rekey *rekey, uint64_t now,
				  struct rekey_actions *actions)
{
	struct rekey_half *tx = &rekey->tx;

	if (tx->until && now >= tx->until) {
		/* Our own KME is slow: no reason to trouble the peer. */
		if (tx->step != REKEY_STEP_PREPARING)
			return OFFER_TIMEOUT;
		action_note(actions, REKEY_NOTE_REFUSED, REKEY_REASON_TIMEOUT);
		tx_give_up(rekey, now, actions);
	} else if (tx->step == REKEY_STEP_IDLE && !tx->until &&
		   now >= tx->not_before) {
		offer_try(rekey, now, actions);
	}
	return OFFER_GOES_ON;
}

enum offer_outcome offer_tick(struct rekey *rekey, uint64_t now,
			      struct rekey_actions *actions)
{
	struct rekey_half *rx = &rekey->rx;

	if (rx->until && now >= rx->until) {
		if (rx->step == REKEY_STEP_INSTALLING)
			return OFFER_TIMEOUT;
		if (rx->step == REKEY_STEP_FETCHING)
			refuse(rekey, REKEY_REASON_TIMEOUT, now, actions);
		else
			invite(rekey, now, actions);
	}
	return tx_tick(rekey, now, actions);
}
