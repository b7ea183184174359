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

void rekey_init(struct rekey *rekey, const struct rekey_config *config)
{
	memset(rekey, 0, sizeof(*rekey));
	rekey->config = *config;
	rekey->generation = config->generation;
}

/* --- sessions --- */

static void enter(struct rekey *rekey, enum rekey_phase phase, uint64_t until)
{
	rekey->phase = (uint8_t)phase;
	rekey->until = until;
	rekey->ticket = 0;
}

static void delete(struct rekey_actions *actions,
		   const struct rekey_withdraw *withdraw)
{
	action_add(actions, REKEY_ACTION_DELETE)->withdraw = *withdraw;
}

/*
 * Forget what this session agreed on. Keys that we were about to stop
 * receiving under go now: the next session tells the peer.
 */
static void void_session(struct rekey *rekey, struct rekey_actions *actions)
{
	if (rekey->asked.is_open &&
	    rekey->asked.withdraw.direction == REKEY_DIRECTION_RX)
		delete(actions, &rekey->asked.withdraw);
	memset(&rekey->asked, 0, sizeof(rekey->asked));
	memset(&rekey->told, 0, sizeof(rekey->told));
	rekey->has_state = false;
	rekey->sources = 0;
	rekey->version = 0;
	offer_void(rekey, actions);
}

static void say_hello(struct rekey *rekey, struct rekey_actions *actions)
{
	action_say(rekey, actions, REKEY_MESSAGE_HELLO)->versions =
		rekey->config.versions;
}

/* A new generation: whatever is still on its way belongs to the old one. */
static void start(struct rekey *rekey, uint64_t now,
		  struct rekey_actions *actions)
{
	void_session(rekey, actions);
	if (!++rekey->generation)
		rekey->generation = 1;
	enter(rekey, REKEY_PHASE_HELLO, now + REKEY_SESSION_MS);
	say_hello(rekey, actions);
}

/* Start over, but not in a circle at full speed. */
static void pause_first(struct rekey *rekey, uint64_t now,
			struct rekey_actions *actions)
{
	void_session(rekey, actions);
	enter(rekey, REKEY_PHASE_PAUSE, now + REKEY_PAUSE_MS);
}

static void violated(struct rekey *rekey, uint64_t now,
		     struct rekey_actions *actions)
{
	action_note(actions, REKEY_NOTE_VIOLATION, REKEY_REASON_NONE);
	pause_first(rekey, now, actions);
}

static void timed_out(struct rekey *rekey, uint64_t now,
		      struct rekey_actions *actions)
{
	action_note(actions, REKEY_NOTE_TIMEOUT, REKEY_REASON_TIMEOUT);
	start(rekey, now, actions);
}

static void settle(struct rekey *rekey, enum offer_outcome outcome,
		   uint64_t now, struct rekey_actions *actions)
{
	switch (outcome) {
	case OFFER_GOES_ON:
		break;
	case OFFER_VIOLATION:
		violated(rekey, now, actions);
		break;
	case OFFER_TIMEOUT:
		timed_out(rekey, now, actions);
		break;
	case OFFER_FAILED:
		pause_first(rekey, now, actions);
		break;
	}
}

static uint8_t common_version(const struct rekey_versions *own,
			      const struct rekey_versions *peer)
{
	uint8_t version = own->max < peer->max ? own->max : peer->max;

	return version < own->min || version < peer->min ? 0 : version;
}

static void ask_rings(struct rekey *rekey, uint64_t now,
		      struct rekey_actions *actions)
{
	rekey->version = common_version(&rekey->config.versions,
					&rekey->peer_versions);
	if (!rekey->version) {
		action_note(actions, REKEY_NOTE_NO_VERSION, REKEY_REASON_NONE);
		enter(rekey, REKEY_PHASE_BLOCKED, 0);
		return;
	}
	enter(rekey, REKEY_PHASE_RINGS, now + REKEY_SESSION_MS);
	rekey->ticket = action_ask(rekey, actions, REKEY_ACTION_RINGS)->ticket;
}

static void on_hello(struct rekey *rekey, const struct rekey_msg *msg,
		     uint64_t now, struct rekey_actions *actions)
{
	bool is_new = msg->from != rekey->peer_generation;

	rekey->peer_generation = msg->from;
	rekey->peer_versions = msg->versions;
	/* Our own HELLO comes when the pause is over. */
	if (rekey->phase == REKEY_PHASE_PAUSE)
		return;
	if (is_new) {
		void_session(rekey, actions);
		enter(rekey, REKEY_PHASE_HELLO, now + REKEY_SESSION_MS);
	}
	/* The peer must know our generation, or else it ignores the rest. */
	if (is_new || msg->to != rekey->generation)
		say_hello(rekey, actions);
	if (rekey->phase == REKEY_PHASE_HELLO && msg->to == rekey->generation)
		ask_rings(rekey, now, actions);
}

static bool ring_is_sane(const struct rekey_ring *ring)
{
	uint64_t last = 0;
	uint8_t i;

	if (ring->newest > REKEY_EPOCH_MAX || ring->n_held > REKEY_RANGES_MAX)
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
static void set_newest(struct rekey *rekey)
{
	uint64_t own = rekey->own.rings.tx.newest;
	uint64_t peer = rekey->peer.rings.rx.newest;

	rekey->rx.newest = rekey->own.rings.rx.newest;
	rekey->tx.newest = own > peer ? own : peer;
	/* What the kernel would refuse is not offered: no epoch is left. */
	if (own && rekey->tx.newest - own > REKEY_EPOCH_LEAP - REKEY_OFFER_MAX)
		rekey->tx.newest = REKEY_EPOCH_MAX;
}

static void reconcile(struct rekey *rekey, uint64_t now,
		      struct rekey_actions *actions)
{
	struct rekey_action *action;

	rekey->sources = rekey->config.sources & rekey->peer.sources;
	set_newest(rekey);
	enter(rekey, REKEY_PHASE_RECONCILE, now + REKEY_SESSION_MS);
	action = action_ask(rekey, actions, REKEY_ACTION_RECONCILE);
	action->sources = rekey->sources;
	action->peer = &rekey->peer;
	rekey->ticket = action->ticket;
}

static void on_state(struct rekey *rekey, const struct rekey_msg *msg,
		     uint64_t now, struct rekey_actions *actions)
{
	const struct rekey_state *state = &msg->state;

	if (rekey->has_state || rekey->phase > REKEY_PHASE_STATE ||
	    state->versions.min != rekey->peer_versions.min ||
	    state->versions.max != rekey->peer_versions.max ||
	    !ring_is_sane(&state->rings.tx) ||
	    !ring_is_sane(&state->rings.rx)) {
		violated(rekey, now, actions);
		return;
	}
	rekey->peer = *state;
	rekey->has_state = true;
	if (rekey->phase == REKEY_PHASE_STATE)
		reconcile(rekey, now, actions);
}

static void rings_told(struct rekey *rekey, const struct rekey_event *event,
		       uint64_t now, struct rekey_actions *actions)
{
	struct rekey_state *own = &rekey->own;

	own->rings = *event->rings;
	own->versions = rekey->config.versions;
	own->policy = rekey->config.policy;
	own->sources = rekey->config.sources;
	action_say(rekey, actions, REKEY_MESSAGE_STATE)->state = *own;
	enter(rekey, REKEY_PHASE_STATE, now + REKEY_SESSION_MS);
	if (rekey->has_state)
		reconcile(rekey, now, actions);
}

static void reconciled(struct rekey *rekey, uint64_t now,
		       struct rekey_actions *actions)
{
	if (!rekey->sources) {
		action_note(actions, REKEY_NOTE_NO_SOURCE, REKEY_REASON_POLICY);
		enter(rekey, REKEY_PHASE_BLOCKED, 0);
		return;
	}
	enter(rekey, REKEY_PHASE_READY, 0);
	action_note(actions, REKEY_NOTE_READY, REKEY_REASON_NONE);
	offer_begin(rekey, now, actions);
}

static void session_done(struct rekey *rekey, const struct rekey_event *event,
			 uint64_t now, struct rekey_actions *actions)
{
	if (!event->is_ok) {
		action_note(actions, REKEY_NOTE_FAILED, REKEY_REASON_KERNEL);
		pause_first(rekey, now, actions);
	} else if (rekey->phase == REKEY_PHASE_RINGS) {
		rings_told(rekey, event, now, actions);
	} else {
		reconciled(rekey, now, actions);
	}
}

/* --- withdrawals --- */

static int withdraw(struct rekey *rekey, const struct rekey_event *event,
		    uint64_t now, struct rekey_actions *actions)
{
	struct rekey_withdraw wanted = event->withdraw;

	if (!wanted.range.first || wanted.range.last < wanted.range.first)
		return -EINVAL;
	if (rekey->asked.is_open)
		return -EBUSY;
	if (rekey->phase != REKEY_PHASE_READY) {
		/* Nobody to ask. What was stated of our rings is wrong now. */
		delete(actions, &wanted);
		if (rekey->phase > REKEY_PHASE_HELLO)
			start(rekey, now, actions);
		return 0;
	}
	wanted.id = ++rekey->last_id;
	/* Who sends stops first; who receives lets the sender stop first. */
	if (wanted.direction == REKEY_DIRECTION_TX)
		delete(actions, &wanted);
	rekey->asked.withdraw = wanted;
	rekey->asked.is_open = true;
	rekey->asked.until = now + REKEY_WITHDRAW_MS;
	action_say(rekey, actions, REKEY_MESSAGE_WITHDRAW)->withdraw = wanted;
	return 0;
}

static void on_withdraw(struct rekey *rekey, const struct rekey_msg *msg,
			uint64_t now, struct rekey_actions *actions)
{
	struct rekey_pending *told = &rekey->told;
	struct rekey_action *action;

	if (told->is_open && told->withdraw.id == msg->withdraw.id)
		return;
	if (told->is_open || rekey->phase < REKEY_PHASE_RECONCILE ||
	    !msg->withdraw.range.first ||
	    msg->withdraw.range.last < msg->withdraw.range.first) {
		violated(rekey, now, actions);
		return;
	}
	told->is_open = true;
	told->withdraw = msg->withdraw;
	told->until = now + REKEY_WITHDRAW_MS;
	action = action_ask(rekey, actions, REKEY_ACTION_DELETE);
	action->withdraw = msg->withdraw;
	/* What the peer sends is what we receive. */
	action->withdraw.direction = !msg->withdraw.direction;
	action->staged_only = action->withdraw.direction ==
			      REKEY_DIRECTION_RX;
	told->ticket = action->ticket;
}

static void told_done(struct rekey *rekey, const struct rekey_event *event,
		      uint64_t now, struct rekey_actions *actions)
{
	struct rekey_pending *told = &rekey->told;

	told->is_open = false;
	told->ticket = 0;
	told->until = 0;
	if (!event->is_ok) {
		action_note(actions, REKEY_NOTE_FAILED, REKEY_REASON_KERNEL);
		pause_first(rekey, now, actions);
		return;
	}
	action_say(rekey, actions, REKEY_MESSAGE_WITHDRAWN)->withdraw =
		told->withdraw;
}

static void on_withdrawn(struct rekey *rekey, const struct rekey_msg *msg,
			 uint64_t now, struct rekey_actions *actions)
{
	const struct rekey_withdraw *got = &msg->withdraw;
	struct rekey_pending *asked = &rekey->asked;

	/* Said twice, of one that is over. */
	if (!asked->is_open && got->id && got->id == asked->withdraw.id)
		return;
	if (!asked->is_open || got->id != asked->withdraw.id ||
	    got->direction != asked->withdraw.direction ||
	    got->range.first != asked->withdraw.range.first ||
	    got->range.last != asked->withdraw.range.last) {
		violated(rekey, now, actions);
		return;
	}
	if (asked->withdraw.direction == REKEY_DIRECTION_RX)
		delete(actions, &asked->withdraw);
	asked->is_open = false;
	asked->until = 0;
}

/* --- events --- */

bool rekey_hears(const struct rekey *rekey, const struct rekey_msg *msg)
{
	if (rekey->phase == REKEY_PHASE_DOWN || !msg->from)
		return false;
	if (msg->type == REKEY_MESSAGE_HELLO)
		return true;
	return msg->from == rekey->peer_generation &&
	       msg->to == rekey->generation &&
	       rekey->phase >= REKEY_PHASE_RINGS &&
	       rekey->phase != REKEY_PHASE_BLOCKED;
}

static void on_message(struct rekey *rekey, const struct rekey_msg *msg,
		       uint64_t now, struct rekey_actions *actions)
{
	enum offer_outcome outcome = OFFER_VIOLATION;

	if (!rekey_hears(rekey, msg)) {
		rekey->n_stale++;
	} else if (msg->type == REKEY_MESSAGE_HELLO) {
		on_hello(rekey, msg, now, actions);
	} else if (msg->type == REKEY_MESSAGE_STATE) {
		on_state(rekey, msg, now, actions);
	} else if (msg->type == REKEY_MESSAGE_WITHDRAW) {
		on_withdraw(rekey, msg, now, actions);
	} else if (msg->type == REKEY_MESSAGE_WITHDRAWN) {
		on_withdrawn(rekey, msg, now, actions);
	} else {
		/* The peer may be ready, and invite, a little before us. */
		if (rekey->phase == REKEY_PHASE_READY ||
		    (rekey->phase == REKEY_PHASE_RECONCILE &&
		     msg->type == REKEY_MESSAGE_INVITE))
			outcome = offer_message(rekey, msg, now, actions);
		settle(rekey, outcome, now, actions);
	}
}

static void on_done(struct rekey *rekey, const struct rekey_event *event,
		    uint64_t now, struct rekey_actions *actions)
{
	if (!event->ticket)
		return;
	if (event->ticket == rekey->ticket)
		session_done(rekey, event, now, actions);
	else if (event->ticket == rekey->told.ticket)
		told_done(rekey, event, now, actions);
	else
		settle(rekey, offer_done(rekey, event, now, actions), now,
		       actions);
}

static bool is_over(uint64_t until, uint64_t now)
{
	return until && now >= until;
}

static void on_tick(struct rekey *rekey, uint64_t now,
		    struct rekey_actions *actions)
{
	if (rekey->phase == REKEY_PHASE_PAUSE) {
		if (is_over(rekey->until, now))
			start(rekey, now, actions);
	} else if (is_over(rekey->until, now) ||
		   is_over(rekey->asked.until, now) ||
		   is_over(rekey->told.until, now)) {
		timed_out(rekey, now, actions);
	} else if (rekey->phase == REKEY_PHASE_READY) {
		settle(rekey, offer_tick(rekey, now, actions), now, actions);
	}
}

static int want(struct rekey *rekey, const struct rekey_event *event,
		uint64_t now, struct rekey_actions *actions)
{
	bool is_ready = rekey->phase == REKEY_PHASE_READY;
	uint8_t allowed = is_ready ? rekey->sources : rekey->config.sources;

	if (event->source > 7 || !(allowed & 1 << event->source))
		return -EPERM;
	rekey->tx.want = event->n;
	rekey->tx.want_source = event->source;
	offer_try(rekey, now, actions);
	return 0;
}

static void disconnected(struct rekey *rekey, struct rekey_actions *actions)
{
	if (rekey->phase == REKEY_PHASE_DOWN)
		return;
	void_session(rekey, actions);
	enter(rekey, REKEY_PHASE_DOWN, 0);
}

int rekey_step(struct rekey *rekey, const struct rekey_event *event,
	       uint64_t now, struct rekey_actions *actions)
{
	actions->n = 0;
	switch ((enum rekey_event_type)event->type) {
	case REKEY_EVENT_CONNECTED:
		/* Another connection may lead to another agent. */
		rekey->peer_generation = 0;
		start(rekey, now, actions);
		return 0;
	case REKEY_EVENT_DISCONNECTED:
		disconnected(rekey, actions);
		return 0;
	case REKEY_EVENT_TICK:
		on_tick(rekey, now, actions);
		return 0;
	case REKEY_EVENT_MESSAGE:
		on_message(rekey, event->msg, now, actions);
		return 0;
	case REKEY_EVENT_WANT:
		return want(rekey, event, now, actions);
	case REKEY_EVENT_WITHDRAW:
		return withdraw(rekey, event, now, actions);
	case REKEY_EVENT_RESTART:
		if (rekey->phase != REKEY_PHASE_DOWN)
			start(rekey, now, actions);
		return 0;
	case REKEY_EVENT_DONE:
		on_done(rekey, event, now, actions);
		return 0;
	}
	return -EINVAL;
}

static void sooner(uint64_t *deadline, uint64_t until)
{
	if (until && until < *deadline)
		*deadline = until;
}

uint64_t rekey_deadline(const struct rekey *rekey)
{
	uint64_t deadline = REKEY_NO_DEADLINE;

	if (rekey->phase == REKEY_PHASE_DOWN)
		return deadline;
	sooner(&deadline, rekey->until);
	sooner(&deadline, rekey->asked.until);
	sooner(&deadline, rekey->told.until);
	if (rekey->phase != REKEY_PHASE_READY)
		return deadline;
	sooner(&deadline, rekey->tx.until);
	sooner(&deadline, rekey->rx.until);
	if (rekey->tx.step == REKEY_STEP_IDLE && rekey->tx.want &&
	    !rekey->tx.until)
		sooner(&deadline, rekey->tx.not_before);
	return deadline;
}
