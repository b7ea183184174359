// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The agreement of one link with its peer, as a pure state machine: sessions,
 * what both ends hold, and withdrawals. Offers are in offer.c.
 */
#include "session.h"

#include <errno.h>
#include <string.h>

#include "action.h"
#include "offer.h"

void session_init(struct session *session, const struct session_config *config)
{
	memset(session, 0, sizeof(*session));
	session->config = *config;
	session->generation = config->generation;
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
 * Forget what this session agreed on. Keys that we were about to stop
 * receiving under go now: the next session tells the peer.
 */
static void void_session(struct session *session, struct session_actions *actions)
{
	if (session->asked.is_open &&
	    session->asked.withdraw.direction == SESSION_DIRECTION_RX)
		delete(actions, &session->asked.withdraw);
	memset(&session->asked, 0, sizeof(session->asked));
	memset(&session->told, 0, sizeof(session->told));
	session->has_state = false;
	session->sources = 0;
	session->version = 0;
	offer_void(session, actions);
}

static void say_hello(struct session *session, struct session_actions *actions)
{
	action_say(session, actions, SESSION_MESSAGE_HELLO)->versions =
		session->config.versions;
}

/* A new generation: whatever is still on its way belongs to the old one. */
static void start(struct session *session, uint64_t now,
		  struct session_actions *actions)
{
	void_session(session, actions);
	if (!++session->generation)
		session->generation = 1;
	enter(session, SESSION_PHASE_HELLO, now + SESSION_OPEN_MS);
	say_hello(session, actions);
}

/* Start over, but not in a circle at full speed. */
static void pause_first(struct session *session, uint64_t now,
			struct session_actions *actions)
{
	void_session(session, actions);
	enter(session, SESSION_PHASE_PAUSE, now + SESSION_PAUSE_MS);
}

static void violated(struct session *session, uint64_t now,
		     struct session_actions *actions)
{
	action_note(actions, SESSION_NOTE_VIOLATION, SESSION_REASON_NONE);
	pause_first(session, now, actions);
}

static void timed_out(struct session *session, uint64_t now,
		      struct session_actions *actions)
{
	action_note(actions, SESSION_NOTE_TIMEOUT, SESSION_REASON_TIMEOUT);
	start(session, now, actions);
}

static void settle(struct session *session, enum offer_outcome outcome,
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
		pause_first(session, now, actions);
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

static void on_hello(struct session *session, const struct session_msg *msg,
		     uint64_t now, struct session_actions *actions)
{
	bool is_new = msg->from != session->peer_generation;

	session->peer_generation = msg->from;
	session->peer_versions = msg->versions;
	/* Our own HELLO comes when the pause is over. */
	if (session->phase == SESSION_PHASE_PAUSE)
		return;
	if (is_new) {
		void_session(session, actions);
		enter(session, SESSION_PHASE_HELLO, now + SESSION_OPEN_MS);
	}
	/* The peer must know our generation, or else it ignores the rest. */
	if (is_new || msg->to != session->generation)
		say_hello(session, actions);
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

/* New offers start above every epoch that either end named. */
static void set_newest(struct session *session)
{
	uint64_t own = session->own.rings.tx.newest;
	uint64_t peer = session->peer.rings.rx.newest;

	session->rx.newest = session->own.rings.rx.newest;
	session->tx.newest = own > peer ? own : peer;
	/* What the kernel would refuse is not offered: no epoch is left. */
	if (own && session->tx.newest - own > SESSION_EPOCH_LEAP - SESSION_OFFER_MAX)
		session->tx.newest = SESSION_EPOCH_MAX;
}

static void reconcile(struct session *session, uint64_t now,
		      struct session_actions *actions)
{
	struct session_action *action;

	session->sources = session->config.sources & session->peer.sources;
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

static void rings_told(struct session *session, const struct session_event *event,
		       uint64_t now, struct session_actions *actions)
{
	struct session_state *own = &session->own;

	own->rings = *event->rings;
	own->versions = session->config.versions;
	own->policy = session->config.policy;
	own->sources = session->config.sources;
	action_say(session, actions, SESSION_MESSAGE_STATE)->state = *own;
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
		pause_first(session, now, actions);
	} else if (session->phase == SESSION_PHASE_RINGS) {
		rings_told(session, event, now, actions);
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
	if (session->asked.is_open)
		return -EBUSY;
	if (session->phase != SESSION_PHASE_READY) {
		/* Nobody to ask. What was stated of our rings is wrong now. */
		delete(actions, &wanted);
		if (session->phase > SESSION_PHASE_HELLO)
			start(session, now, actions);
		return 0;
	}
	wanted.id = ++session->last_id;
	/* Who sends stops first; who receives lets the sender stop first. */
	if (wanted.direction == SESSION_DIRECTION_TX)
		delete(actions, &wanted);
	session->asked.withdraw = wanted;
	session->asked.is_open = true;
	session->asked.until = now + SESSION_WITHDRAW_MS;
	action_say(session, actions, SESSION_MESSAGE_WITHDRAW)->withdraw = wanted;
	return 0;
}

static void on_withdraw(struct session *session, const struct session_msg *msg,
			uint64_t now, struct session_actions *actions)
{
	struct session_pending *told = &session->told;
	struct session_action *action;

	if (told->is_open && told->withdraw.id == msg->withdraw.id)
		return;
	if (told->is_open || session->phase < SESSION_PHASE_RECONCILE ||
	    !msg->withdraw.range.first ||
	    msg->withdraw.range.last < msg->withdraw.range.first) {
		violated(session, now, actions);
		return;
	}
	told->is_open = true;
	told->withdraw = msg->withdraw;
	told->until = now + SESSION_WITHDRAW_MS;
	action = action_ask(session, actions, SESSION_ACTION_DELETE);
	action->withdraw = msg->withdraw;
	/* What the peer sends is what we receive. */
	action->withdraw.direction = !msg->withdraw.direction;
	action->staged_only = action->withdraw.direction ==
			      SESSION_DIRECTION_RX;
	told->ticket = action->ticket;
}

static void told_done(struct session *session, const struct session_event *event,
		      uint64_t now, struct session_actions *actions)
{
	struct session_pending *told = &session->told;

	told->is_open = false;
	told->ticket = 0;
	told->until = 0;
	if (!event->is_ok) {
		action_note(actions, SESSION_NOTE_FAILED, SESSION_REASON_KERNEL);
		pause_first(session, now, actions);
		return;
	}
	action_say(session, actions, SESSION_MESSAGE_WITHDRAWN)->withdraw =
		told->withdraw;
}

static void on_withdrawn(struct session *session, const struct session_msg *msg,
			 uint64_t now, struct session_actions *actions)
{
	const struct session_withdraw *got = &msg->withdraw;
	struct session_pending *asked = &session->asked;

	/* Said twice, of one that is over. */
	if (!asked->is_open && got->id && got->id == asked->withdraw.id)
		return;
	if (!asked->is_open || got->id != asked->withdraw.id ||
	    got->direction != asked->withdraw.direction ||
	    got->range.first != asked->withdraw.range.first ||
	    got->range.last != asked->withdraw.range.last) {
		violated(session, now, actions);
		return;
	}
	if (asked->withdraw.direction == SESSION_DIRECTION_RX)
		delete(actions, &asked->withdraw);
	asked->is_open = false;
	asked->until = 0;
}

/* --- events --- */

bool session_hears(const struct session *session, const struct session_msg *msg)
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

	if (!session_hears(session, msg)) {
		session->n_stale++;
	} else if (msg->type == SESSION_MESSAGE_HELLO) {
		on_hello(session, msg, now, actions);
	} else if (msg->type == SESSION_MESSAGE_STATE) {
		on_state(session, msg, now, actions);
	} else if (msg->type == SESSION_MESSAGE_WITHDRAW) {
		on_withdraw(session, msg, now, actions);
	} else if (msg->type == SESSION_MESSAGE_WITHDRAWN) {
		on_withdrawn(session, msg, now, actions);
	} else {
		/* The peer may be ready, and invite, a little before us. */
		if (session->phase == SESSION_PHASE_READY ||
		    (session->phase == SESSION_PHASE_RECONCILE &&
		     msg->type == SESSION_MESSAGE_INVITE))
			outcome = offer_message(session, msg, now, actions);
		settle(session, outcome, now, actions);
	}
}

static void on_done(struct session *session, const struct session_event *event,
		    uint64_t now, struct session_actions *actions)
{
	if (!event->ticket)
		return;
	if (event->ticket == session->ticket)
		session_done(session, event, now, actions);
	else if (event->ticket == session->told.ticket)
		told_done(session, event, now, actions);
	else
		settle(session, offer_done(session, event, now, actions), now,
		       actions);
}

static bool is_over(uint64_t until, uint64_t now)
{
	return until && now >= until;
}

static void on_tick(struct session *session, uint64_t now,
		    struct session_actions *actions)
{
	if (session->phase == SESSION_PHASE_PAUSE) {
		if (is_over(session->until, now))
			start(session, now, actions);
	} else if (is_over(session->until, now) ||
		   is_over(session->asked.until, now) ||
		   is_over(session->told.until, now)) {
		timed_out(session, now, actions);
	} else if (session->phase == SESSION_PHASE_READY) {
		settle(session, offer_tick(session, now, actions), now, actions);
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
	void_session(session, actions);
	enter(session, SESSION_PHASE_DOWN, 0);
}

int session_step(struct session *session, const struct session_event *event,
		 uint64_t now, struct session_actions *actions)
{
	actions->n = 0;
	switch ((enum session_event_type)event->type) {
	case SESSION_EVENT_CONNECTED:
		/* Another connection may lead to another agent. */
		session->peer_generation = 0;
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
		if (session->phase != SESSION_PHASE_DOWN)
			start(session, now, actions);
		return 0;
	case SESSION_EVENT_DONE:
		on_done(session, event, now, actions);
		return 0;
	}
	return -EINVAL;
}

static void sooner(uint64_t *deadline, uint64_t until)
{
	if (until && until < *deadline)
		*deadline = until;
}

uint64_t session_deadline(const struct session *session)
{
	uint64_t deadline = SESSION_NO_DEADLINE;

	if (session->phase == SESSION_PHASE_DOWN)
		return deadline;
	sooner(&deadline, session->until);
	sooner(&deadline, session->asked.until);
	sooner(&deadline, session->told.until);
	if (session->phase != SESSION_PHASE_READY)
		return deadline;
	sooner(&deadline, session->tx.until);
	sooner(&deadline, session->rx.until);
	if (session->tx.step == SESSION_STEP_IDLE && session->tx.want &&
	    !session->tx.until)
		sooner(&deadline, session->tx.not_before);
	return deadline;
}
