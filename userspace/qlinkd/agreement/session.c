// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The agreement of one link with its peer, as a pure state machine: sessions,
 * reconciliation and withdrawals. Offers are in offer.c.
 */
#include "session.h"

#include <errno.h>
#include <string.h>

#include "action.h"
#include "offer.h"
#include "policy.h"

void session_init(struct session *session, const struct session_config *config)
{
	memset(session, 0, sizeof(*session));
	session->config = *config;
	session->generation = config->generation;
	session->tx.most = SESSION_OFFER_MAX;
}

void session_demand_chain(struct session *session, bool demands)
{
	session->config.demands_chain = demands;
}

/* --- sessions --- */

static void enter(struct session *session, enum session_phase phase, uint64_t until)
{
	session->phase = (uint8_t)phase;
	session->until = until;
	session->ticket = 0;
}

static void delete(struct session_actions *actions,
		   const struct session_withdraw *withdraw)
{
	action_add(actions, SESSION_ACTION_DELETE)->withdraw = *withdraw;
}

/*
 * Drops all that this session agreed on. Receive keys that we were withdrawing are deleted
 * now: the STATE of the next session tells the peer that they are gone.
 */
static void void_session(struct session *session, struct session_actions *actions)
{
	if (session->own_withdrawal.is_open &&
	    session->own_withdrawal.withdraw.direction == SESSION_DIRECTION_RX)
		delete(actions, &session->own_withdrawal.withdraw);
	memset(&session->own_withdrawal, 0, sizeof(session->own_withdrawal));
	memset(&session->peer_withdrawal, 0, sizeof(session->peer_withdrawal));
	session->has_state = false;
	session->sources = 0;
	session->kmes_least = 0;
	session->version = 0;
	session->leave.has_said = false;
	session->leave.has_heard = false;
	session->leave.has_left = false;
	if (!session->leave.is_wanted)
		session->leave.until = 0;
	offer_void(session, actions);
}

static void send_hello(struct session *session, struct session_actions *actions)
{
	action_send(session, actions, SESSION_MESSAGE_HELLO)->versions =
		session->config.versions;
}

/* Takes a new generation: messages that are still on their way belong to the old one. */
static void start(struct session *session, uint64_t now,
		  struct session_actions *actions)
{
	void_session(session, actions);
	if (!++session->generation)
		session->generation = 1;
	enter(session, SESSION_PHASE_HELLO, now + SESSION_OPEN_MS);
	send_hello(session, actions);
}

/* Starts over after a pause, so that a failure that repeats does not keep both ends busy. */
static void start_later(struct session *session, uint64_t now,
			struct session_actions *actions)
{
	void_session(session, actions);
	enter(session, SESSION_PHASE_PAUSE, now + SESSION_PAUSE_MS);
}

static void violated(struct session *session, uint64_t now,
		     struct session_actions *actions)
{
	action_note(actions, SESSION_NOTE_VIOLATION, SESSION_REASON_NONE);
	start_later(session, now, actions);
}

static void timed_out(struct session *session, uint64_t now,
		      struct session_actions *actions)
{
	action_note(actions, SESSION_NOTE_TIMEOUT, SESSION_REASON_TIMEOUT);
	start(session, now, actions);
}

static void follow(struct session *session, enum offer_outcome outcome,
		   uint64_t now, struct session_actions *actions)
{
	switch (outcome) {
	case OFFER_GOES_ON:
		break;
	case OFFER_VIOLATION:
		violated(session, now, actions);
		break;
	case OFFER_TIMEOUT:
		timed_out(session, now, actions);
		break;
	case OFFER_FAILED:
		start_later(session, now, actions);
		break;
	}
}

static uint8_t common_version(const struct session_versions *own,
			      const struct session_versions *peer)
{
	uint8_t version = own->max < peer->max ? own->max : peer->max;

	return version < own->min || version < peer->min ? 0 : version;
}

static void ask_rings(struct session *session, uint64_t now,
		      struct session_actions *actions)
{
	session->version = common_version(&session->config.versions,
					  &session->peer_versions);
	if (!session->version) {
		action_note(actions, SESSION_NOTE_NO_VERSION, SESSION_REASON_NONE);
		enter(session, SESSION_PHASE_BLOCKED, 0);
		return;
	}
	enter(session, SESSION_PHASE_RINGS, now + SESSION_OPEN_MS);
	session->ticket = action_ask(session, actions, SESSION_ACTION_RINGS)->ticket;
}

/* Takes one costly message from the peer's budget. Returns false if it is used up. */
static bool may_cost(struct session *session, uint64_t now)
{
	uint64_t from = session->costly_until > now ? session->costly_until : now;

	if (from - now > (SESSION_COSTLY_MAX - 1) * SESSION_COSTLY_MS)
		return false;
	session->costly_until = from + SESSION_COSTLY_MS;
	return true;
}

static void on_hello(struct session *session, const struct session_msg *msg,
		     uint64_t now, struct session_actions *actions)
{
	bool is_new = msg->from != session->peer_generation;

	session->peer_generation = msg->from;
	session->peer_versions = msg->versions;
	/* We send our own HELLO when the pause is over. */
	if (session->phase == SESSION_PHASE_PAUSE)
		return;
	if (is_new && !may_cost(session, now)) {
		violated(session, now, actions);
		return;
	}
	if (is_new) {
		void_session(session, actions);
		enter(session, SESSION_PHASE_HELLO, now + SESSION_OPEN_MS);
	}
	/* The peer ignores all other messages until it knows our generation. */
	if (is_new || msg->to != session->generation)
		send_hello(session, actions);
	if (session->phase == SESSION_PHASE_HELLO && msg->to == session->generation)
		ask_rings(session, now, actions);
}

static bool ring_is_sane(const struct session_ring *ring)
{
	uint64_t last = 0;
	uint8_t i;

	if (ring->newest > SESSION_EPOCH_MAX || ring->n_held > SESSION_RANGES_MAX)
		return false;
	for (i = 0; i < ring->n_held; i++) {
		if (ring->held[i].first <= last ||
		    ring->held[i].last < ring->held[i].first)
			return false;
		last = ring->held[i].last;
	}
	return last <= ring->newest;
}

/* New offers start above every epoch that either end stated. */
static void set_newest(struct session *session)
{
	uint64_t own = session->own.rings.tx.newest;
	uint64_t peer = session->peer.rings.rx.newest;

	session->rx.newest = session->own.rings.rx.newest;
	session->tx.newest = own > peer ? own : peer;
	/* Never offer an epoch that the kernel would refuse; this leaves no epoch to offer. */
	if (own && session->tx.newest - own > SESSION_EPOCH_LEAP - SESSION_OFFER_MAX)
		session->tx.newest = SESSION_EPOCH_MAX;
}

/* Whether a demand of an end keeps keys from being made; noted if so. */
static bool is_refused(const struct session *session, struct session_actions *actions)
{
	const struct session_state *own = &session->own, *peer = &session->peer;

	if (own->suite < own->suite_least || own->suite < peer->suite_least) {
		action_note(actions, SESSION_NOTE_NO_SUITE, SESSION_REASON_POLICY);
		return true;
	}
	if (peer->psk != SESSION_PSK_SAME) {
		action_note(actions, SESSION_NOTE_NO_PSK, SESSION_REASON_POLICY);
		return true;
	}
	if (peer->starts_from_zero && (own->demands_chain || peer->demands_chain)) {
		action_note(actions, SESSION_NOTE_NO_CHAIN, SESSION_REASON_CHAIN);
		return true;
	}
	return false;
}

/* Sources that both policies allow, and for which both ends put together the secrets of enough KMEs. */
static uint8_t common_sources(const struct session *session)
{
	const struct session_state *own = &session->own, *peer = &session->peer;
	uint8_t sources = own->sources & peer->sources;

	if (own->kmes_most < session->kmes_least || peer->kmes_most < session->kmes_least)
		sources &= ~policy_kme_sources();
	return sources;
}

static void reconcile(struct session *session, uint64_t now,
		      struct session_actions *actions)
{
	const struct session_state *own = &session->own, *peer = &session->peer;
	struct session_action *action;

	if (is_refused(session, actions)) {
		enter(session, SESSION_PHASE_BLOCKED, 0);
		return;
	}
	session->kmes_least = own->kmes_least > peer->kmes_least ? own->kmes_least :
								   peer->kmes_least;
	session->sources = common_sources(session);
	set_newest(session);
	enter(session, SESSION_PHASE_RECONCILE, now + SESSION_OPEN_MS);
	action = action_ask(session, actions, SESSION_ACTION_RECONCILE);
	action->sources = session->sources;
	action->peer = &session->peer;
	session->ticket = action->ticket;
}

static void on_state(struct session *session, const struct session_msg *msg,
		     uint64_t now, struct session_actions *actions)
{
	const struct session_state *state = &msg->state;

	if (session->has_state || session->phase > SESSION_PHASE_STATE ||
	    state->versions.min != session->peer_versions.min ||
	    state->versions.max != session->peer_versions.max ||
	    state->suite != session->suite ||
	    !ring_is_sane(&state->rings.tx) ||
	    !ring_is_sane(&state->rings.rx)) {
		violated(session, now, actions);
		return;
	}
	session->peer = *state;
	session->has_state = true;
	if (session->phase == SESSION_PHASE_STATE)
		reconcile(session, now, actions);
}

static void rings_read(struct session *session, const struct session_event *event,
		       uint64_t now, struct session_actions *actions)
{
	struct session_state *own = &session->own;

	own->rings = *event->rings;
	own->versions = session->config.versions;
	own->policy = session->config.policy;
	own->sources = session->config.sources;
	own->suite = session->suite;
	own->suite_least = session->config.suite_least;
	own->kmes_least = session->config.kmes_least;
	own->kmes_most = session->config.kmes_most;
	own->n_kmes = session->config.n_kmes;
	own->demands_chain = session->config.demands_chain;
	action_send(session, actions, SESSION_MESSAGE_STATE)->state = *own;
	enter(session, SESSION_PHASE_STATE, now + SESSION_OPEN_MS);
	if (session->has_state)
		reconcile(session, now, actions);
}

static void reconciled(struct session *session, uint64_t now,
		       struct session_actions *actions)
{
	if (!session->sources) {
		action_note(actions, SESSION_NOTE_NO_SOURCE, SESSION_REASON_POLICY);
		enter(session, SESSION_PHASE_BLOCKED, 0);
		return;
	}
	enter(session, SESSION_PHASE_READY, 0);
	action_note(actions, SESSION_NOTE_READY, SESSION_REASON_NONE);
	offer_begin(session, now, actions);
}

static void session_done(struct session *session, const struct session_event *event,
			 uint64_t now, struct session_actions *actions)
{
	if (!event->is_ok) {
		action_note(actions, SESSION_NOTE_FAILED, SESSION_REASON_KERNEL);
		start_later(session, now, actions);
	} else if (session->phase == SESSION_PHASE_RINGS) {
		rings_read(session, event, now, actions);
	} else {
		reconciled(session, now, actions);
	}
}

/* --- withdrawals --- */

static int withdraw(struct session *session, const struct session_event *event,
		    uint64_t now, struct session_actions *actions)
{
	struct session_withdraw wanted = event->withdraw;

	if (!wanted.range.first || wanted.range.last < wanted.range.first)
		return -EINVAL;
	if (session->own_withdrawal.is_open)
		return -EBUSY;
	if (session->phase != SESSION_PHASE_READY) {
		/* Delete without asking the peer; if our STATE was sent, it is wrong now. */
		delete(actions, &wanted);
		if (session->phase > SESSION_PHASE_HELLO)
			start(session, now, actions);
		return 0;
	}
	wanted.id = ++session->last_id;
	/* A sender stops at once; a receiver waits until the sender has stopped. */
	if (wanted.direction == SESSION_DIRECTION_TX)
		delete(actions, &wanted);
	session->own_withdrawal.withdraw = wanted;
	session->own_withdrawal.is_open = true;
	session->own_withdrawal.until = now + SESSION_WITHDRAW_MS;
	action_send(session, actions, SESSION_MESSAGE_WITHDRAW)->withdraw = wanted;
	return 0;
}

static void on_withdraw(struct session *session, const struct session_msg *msg,
			uint64_t now, struct session_actions *actions)
{
	struct session_pending *pending = &session->peer_withdrawal;
	struct session_action *action;

	if (pending->is_open && pending->withdraw.id == msg->withdraw.id)
		return;
	if (pending->is_open || session->phase < SESSION_PHASE_RECONCILE ||
	    !msg->withdraw.range.first ||
	    msg->withdraw.range.last < msg->withdraw.range.first || !may_cost(session, now)) {
		violated(session, now, actions);
		return;
	}
	pending->is_open = true;
	pending->withdraw = msg->withdraw;
	pending->until = now + SESSION_WITHDRAW_MS;
	action = action_ask(session, actions, SESSION_ACTION_DELETE);
	action->withdraw = msg->withdraw;
	/* The peer's sending direction is our receiving direction. */
	action->withdraw.direction = !msg->withdraw.direction;
	action->staged_only = action->withdraw.direction ==
			      SESSION_DIRECTION_RX;
	pending->ticket = action->ticket;
}

static void peer_withdrawal_done(struct session *session, const struct session_event *event,
				 uint64_t now, struct session_actions *actions)
{
	struct session_pending *pending = &session->peer_withdrawal;

	pending->is_open = false;
	pending->ticket = 0;
	pending->until = 0;
	if (!event->is_ok) {
		action_note(actions, SESSION_NOTE_FAILED, SESSION_REASON_KERNEL);
		start_later(session, now, actions);
		return;
	}
	action_send(session, actions, SESSION_MESSAGE_WITHDRAWN)->withdraw =
		pending->withdraw;
}

static void on_withdrawn(struct session *session, const struct session_msg *msg,
			 uint64_t now, struct session_actions *actions)
{
	const struct session_withdraw *got = &msg->withdraw;
	struct session_pending *pending = &session->own_withdrawal;

	/* A duplicate of an answer to a withdrawal that is done. */
	if (!pending->is_open && got->id && got->id == pending->withdraw.id)
		return;
	if (!pending->is_open || got->id != pending->withdraw.id ||
	    got->direction != pending->withdraw.direction ||
	    got->range.first != pending->withdraw.range.first ||
	    got->range.last != pending->withdraw.range.last) {
		violated(session, now, actions);
		return;
	}
	if (pending->withdraw.direction == SESSION_DIRECTION_RX)
		delete(actions, &pending->withdraw);
	pending->is_open = false;
	pending->until = 0;
}

/* --- leaving a connection --- */

static void begin_leaving(struct session *session, uint64_t now)
{
	if (!session->leave.until)
		session->leave.until = now + SESSION_LEAVE_MS;
}

static void on_leave(struct session *session, uint64_t now, struct session_actions *actions)
{
	/* The peer says it once it has settled its offer, so that we have settled it before. */
	if (session->phase < SESSION_PHASE_RECONCILE ||
	    session->rx.step == SESSION_STEP_FETCHING || session->rx.step == SESSION_STEP_INSTALLING) {
		violated(session, now, actions);
		return;
	}
	session->leave.has_heard = true;
	begin_leaving(session, now);
}

static bool is_settled(const struct session *session)
{
	return session->tx.step == SESSION_STEP_IDLE && !session->own_withdrawal.is_open &&
	       !session->peer_withdrawal.is_open;
}

static void note_left(struct session *session, struct session_actions *actions)
{
	session->leave.has_left = true;
	action_add(actions, SESSION_ACTION_LEFT);
}

/* After each step: says LEAVE once our offer is settled, and has left once both ends have said it. */
static void leave(struct session *session, struct session_actions *actions)
{
	struct session_leave *leave = &session->leave;

	if (leave->has_left || !(leave->is_wanted || leave->has_heard))
		return;
	switch ((enum session_phase)session->phase) {
	case SESSION_PHASE_DOWN:
	case SESSION_PHASE_PAUSE:
	case SESSION_PHASE_BLOCKED:
		/* There is no session in which anything could be in flight. */
		note_left(session, actions);
		break;
	case SESSION_PHASE_READY:
		if (!leave->has_said && is_settled(session)) {
			action_send(session, actions, SESSION_MESSAGE_LEAVE);
			leave->has_said = true;
		}
		if (leave->has_said && leave->has_heard)
			note_left(session, actions);
		break;
	case SESSION_PHASE_HELLO:
	case SESSION_PHASE_RINGS:
	case SESSION_PHASE_STATE:
	case SESSION_PHASE_RECONCILE:
		break;
	}
}

/* There is no other connection after all: goes on with this one. */
static void stay(struct session *session, uint64_t now, struct session_actions *actions)
{
	bool has_session = session->leave.has_said || session->leave.has_heard;

	memset(&session->leave, 0, sizeof(session->leave));
	if (has_session)
		timed_out(session, now, actions);
}

/* --- events --- */

bool session_accepts(const struct session *session, const struct session_msg *msg)
{
	if (session->phase == SESSION_PHASE_DOWN || !msg->from)
		return false;
	if (msg->type == SESSION_MESSAGE_HELLO)
		return true;
	return msg->from == session->peer_generation &&
	       msg->to == session->generation &&
	       session->phase >= SESSION_PHASE_RINGS &&
	       session->phase != SESSION_PHASE_BLOCKED;
}

static void on_message(struct session *session, const struct session_msg *msg,
		       uint64_t now, struct session_actions *actions)
{
	enum offer_outcome outcome = OFFER_VIOLATION;

	if (!session_accepts(session, msg)) {
		session->n_stale++;
	} else if (msg->type == SESSION_MESSAGE_HELLO) {
		on_hello(session, msg, now, actions);
	} else if (msg->type == SESSION_MESSAGE_STATE) {
		on_state(session, msg, now, actions);
	} else if (msg->type == SESSION_MESSAGE_WITHDRAW) {
		on_withdraw(session, msg, now, actions);
	} else if (msg->type == SESSION_MESSAGE_WITHDRAWN) {
		on_withdrawn(session, msg, now, actions);
	} else if (msg->type == SESSION_MESSAGE_LEAVE) {
		on_leave(session, now, actions);
	} else {
		/* The peer may be ready, and send INVITE, a little earlier than we are. */
		if (session->phase == SESSION_PHASE_READY ||
		    (session->phase == SESSION_PHASE_RECONCILE &&
		     msg->type == SESSION_MESSAGE_INVITE))
			outcome = offer_message(session, msg, now, actions);
		follow(session, outcome, now, actions);
	}
}

static void on_done(struct session *session, const struct session_event *event,
		    uint64_t now, struct session_actions *actions)
{
	if (!event->ticket)
		return;
	if (event->ticket == session->ticket)
		session_done(session, event, now, actions);
	else if (event->ticket == session->peer_withdrawal.ticket)
		peer_withdrawal_done(session, event, now, actions);
	else
		follow(session, offer_done(session, event, now, actions), now,
		       actions);
}

static bool is_over(uint64_t until, uint64_t now)
{
	return until && now >= until;
}

static void on_tick(struct session *session, uint64_t now,
		    struct session_actions *actions)
{
	if (is_over(session->leave.until, now)) {
		stay(session, now, actions);
	} else if (session->phase == SESSION_PHASE_PAUSE) {
		if (is_over(session->until, now))
			start(session, now, actions);
	} else if (is_over(session->until, now) ||
		   is_over(session->own_withdrawal.until, now) ||
		   is_over(session->peer_withdrawal.until, now)) {
		timed_out(session, now, actions);
	} else if (session->phase == SESSION_PHASE_READY) {
		follow(session, offer_tick(session, now, actions), now, actions);
	}
}

static int want(struct session *session, const struct session_event *event,
		uint64_t now, struct session_actions *actions)
{
	bool is_ready = session->phase == SESSION_PHASE_READY;
	uint8_t allowed = is_ready ? session->sources : session->config.sources;

	if (event->source > 7 || !(allowed & 1 << event->source))
		return -EPERM;
	session->tx.want = event->n;
	session->tx.want_source = event->source;
	offer_try(session, now, actions);
	return 0;
}

static void disconnected(struct session *session, struct session_actions *actions)
{
	if (session->phase == SESSION_PHASE_DOWN)
		return;
	memset(&session->leave, 0, sizeof(session->leave));
	void_session(session, actions);
	enter(session, SESSION_PHASE_DOWN, 0);
}

static int take(struct session *session, const struct session_event *event,
		uint64_t now, struct session_actions *actions)
{
	switch ((enum session_event_type)event->type) {
	case SESSION_EVENT_CONNECTED:
		/* Behind a new connection there may be another agent. */
		session->peer_generation = 0;
		session->suite = event->suite;
		memset(&session->leave, 0, sizeof(session->leave));
		start(session, now, actions);
		return 0;
	case SESSION_EVENT_DISCONNECTED:
		disconnected(session, actions);
		return 0;
	case SESSION_EVENT_TICK:
		on_tick(session, now, actions);
		return 0;
	case SESSION_EVENT_MESSAGE:
		on_message(session, event->msg, now, actions);
		return 0;
	case SESSION_EVENT_WANT:
		return want(session, event, now, actions);
	case SESSION_EVENT_WITHDRAW:
		return withdraw(session, event, now, actions);
	case SESSION_EVENT_RESTART:
		memset(&session->leave, 0, sizeof(session->leave));
		if (session->phase != SESSION_PHASE_DOWN)
			start(session, now, actions);
		return 0;
	case SESSION_EVENT_LEAVE:
		session->leave.is_wanted = true;
		begin_leaving(session, now);
		return 0;
	case SESSION_EVENT_SERVING:
		if (session->phase == SESSION_PHASE_READY)
			offer_repeat_invite(session, actions);
		return 0;
	case SESSION_EVENT_DONE:
		on_done(session, event, now, actions);
		return 0;
	}
	return -EINVAL;
}

int session_step(struct session *session, const struct session_event *event,
		 uint64_t now, struct session_actions *actions)
{
	int err;

	actions->n = 0;
	err = take(session, event, now, actions);
	leave(session, actions);
	return err;
}

static void set_earlier(uint64_t *deadline, uint64_t until)
{
	if (until && until < *deadline)
		*deadline = until;
}

uint64_t session_deadline(const struct session *session)
{
	uint64_t deadline = SESSION_NO_DEADLINE;

	if (session->phase == SESSION_PHASE_DOWN)
		return deadline;
	set_earlier(&deadline, session->until);
	set_earlier(&deadline, session->leave.until);
	set_earlier(&deadline, session->own_withdrawal.until);
	set_earlier(&deadline, session->peer_withdrawal.until);
	if (session->phase != SESSION_PHASE_READY)
		return deadline;
	set_earlier(&deadline, session->tx.until);
	set_earlier(&deadline, session->rx.until);
	if (session->tx.step == SESSION_STEP_IDLE && session->tx.want &&
	    !session->tx.until && !offer_are_over(session))
		set_earlier(&deadline, session->tx.not_before);
	return deadline;
}
