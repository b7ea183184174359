/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One end of the agreement: what session.c and offer.c do with an event, written from PROTOCOL.md, section 3.
 *
 * agreement.pml puts two such ends into a world and checks what must hold. It defines, before it includes this
 * file, what an action does: send(), kernel(), slow(), plain() and note(). Numbers are those of agreement.h.
 *
 * Each inline runs in a d_step, for the end e. The event is in the globals of "The event" below.
 */

#define DOWN		0
#define PAUSE		1
#define HELLO_SENT	2
#define READS_RINGS	3
#define STATE_SENT	4
#define RECONCILES	5
#define READY		6
#define BLOCKED		7

#define IDLE		0
#define INVITING	1
#define INVITED		2
#define PREPARING	3
#define OFFERED		4
#define FETCHING	5
#define INSTALLING	6

#define HELLO		1
#define STATE		2
#define INVITE		3
#define OFFER		4
#define CONFIRM		5
#define REFUSE		6
#define WITHDRAW	7
#define WITHDRAWN	8
#define LEAVE		9

#define DO_SEND		0
#define DO_RINGS	1
#define DO_RECONCILE	2
#define DO_INVITE	3
#define DO_PREPARE	4
#define DO_FETCH	5
#define DO_INSTALL_RX	6
#define DO_INSTALL_TX	7
#define DO_DELETE	8
#define DO_DROP_TX	9
#define DO_DROP_RX	10
#define DO_RESTART_CHAIN 11
#define DO_LEFT		12
#define DO_NOTE		13

#define BECAUSE_SOURCE	1
#define BECAUSE_EPOCH	2
#define BECAUSE_CHAIN	3
#define BECAUSE_KEY_ID	4
#define BECAUSE_KME	5
#define BECAUSE_KEM	6
#define BECAUSE_KERNEL	7
#define BECAUSE_TIMEOUT	8
#define BECAUSE_CONFIRM	9
#define BECAUSE_POLICY	10

#define SAYS_READY	0
#define SAYS_AGREED	1
#define SAYS_REFUSED	2
#define SAYS_REJECTED	3
#define SAYS_NO_VERSION	4
#define SAYS_NO_SOURCE	5
#define SAYS_NO_SUITE	6
#define SAYS_NO_PSK	7
#define SAYS_NO_CHAIN	8
#define SAYS_NO_EPOCH	9
#define SAYS_VIOLATION	10
#define SAYS_TIMEOUT	11
#define SAYS_FAILED	12

#define TX	0
#define RX	1

/* One direction of an agreement. */
typedef Half {
	NUM step;
	NUM source;		/* tx: of the wanted keys */
	NUM want;
	NUM most;
	NUM id;			/* of the offer: number, invitation, first epoch, epochs, source */
	NUM for_invite;
	NUM first;
	NUM n;
	NUM of_source;
	NUM key;		/* what its keys are derived from */
	NUM done;
	NUM invite;
	NUM newest;
	NUM ticket;
	bool armed;		/* waiting ends some time */
	bool rests		/* tx: an offer was refused less than a second ago */
}

/* A withdrawal. */
typedef Pending {
	bool open;
	bool direction;
	NUM id;
	NUM first;
	NUM last;
	NUM ticket;
	NUM reason
}

/* What STATE says, as far as the agreement reads it. */
typedef Stated {
	NUM tx_newest;
	NUM tx_held;
	NUM rx_newest;
	NUM rx_held;
	NUM sources;
	DEMANDS_OF_STATE
}

typedef End {
	NUM phase;
	NUM ticket;
	NUM gen;
	NUM peer_gen;
	NUM last_id;
	NUM policy;		/* set of sources that this end allows */
	NUM sources;		/* set that both allow, in this session */
	bool has_state;
	bool wants_to_leave;
	bool said_leave;
	bool heard_leave;
	bool has_left;
	bool leave_armed;
	Stated own;
	Stated peer;
	Half tx;
	Half rx;
	Pending ow;		/* our own withdrawal, and the peer's */
	Pending pw
	DEMANDS_OF_END
}

/* A message. Which members are valid follows from its type. */
typedef Msg {
	NUM type;
	NUM from;
	NUM to;
	bool is_verified;
	bool is_sane;		/* STATE: its rings, versions and suite are what they may be */
	bool direction;
	NUM id;			/* of INVITE, of an offer, of a withdrawal */
	NUM for_invite;
	NUM first;		/* first epoch; last epoch or number of epochs */
	NUM last;
	NUM source;
	NUM reason;
	NUM key;
	Stated state
	VERSIONS_OF_MSG
}

End E[2];

/* --- the event: what the world fills in before a step --- */

hidden Msg got;		/* a message */
hidden byte ok;			/* DONE: the action succeeded */
hidden NUM ev_reason;		/* DONE: or why not */
hidden NUM ev_n;		/* WANT: number of keys; DONE of PREPARE: epochs */
hidden NUM ev_source;		/* WANT */
hidden NUM ev_ticket;		/* DONE */
hidden NUM ev_key;		/* DONE of PREPARE and FETCH: what the keys are derived from */
hidden Stated ev_state;		/* DONE of RINGS */
hidden Pending ev_withdraw;	/* WITHDRAW */
hidden byte is_costly;		/* the peer has used up its budget of costly messages */
hidden byte due_leave, due_phase, due_ow, due_pw, due_tx, due_rx, due_rest;	/* TICK */

/* --- of a step --- */

/* What the end does when the rest of the step is done, in this order: see follow(). */
#define STAY		0
#define VIOLATED	1
#define FAILED		2
#define TIMED_OUT	3
#define BEGIN		4
hidden byte then;
hidden byte invites, tries, compares;

hidden Msg out;			/* what send() sends */
hidden NUM reason_found;
hidden NUM n_room;

#define clear_pending(p) \
	p.open = false; p.direction = TX; p.id = 0; p.first = 0; p.last = 0; p.ticket = 0; p.reason = 0

inline clear_out(e, what) {
	out.type = what; out.from = E[e].gen; out.to = E[e].peer_gen; out.is_verified = true; out.is_sane = true;
	out.direction = TX; out.id = 0; out.for_invite = 0; out.first = 0; out.last = 0; out.source = 0;
	out.reason = 0; out.key = 0;
	clear_stated(out.state)
}

inline enter(e, which) {
	E[e].phase = which;
	E[e].ticket = 0
}

#define wait(h, which, on, is_armed) \
	h.step = which; \
	h.ticket = on; \
	h.armed = is_armed

#define clear_offer(h) \
	h.id = 0; h.for_invite = 0; h.first = 0; h.n = 0; h.of_source = 0; h.key = 0

#define fewer(h) \
	if \
	:: h.most > 4 -> h.most = h.most / 4 \
	:: else -> h.most = 1 \
	fi

/* Drops offers and invitations; what is wanted stays. */
inline offer_void(e) {
	if
	:: E[e].tx.step == OFFERED -> fewer(E[e].tx)
	:: else -> skip
	fi;
	plain(e, DO_DROP_TX);
	plain(e, DO_DROP_RX);
	wait(E[e].tx, IDLE, 0, false);
	clear_offer(E[e].tx);
	E[e].tx.done = 0; E[e].tx.invite = 0; E[e].tx.newest = 0; E[e].tx.rests = false;
	wait(E[e].rx, IDLE, 0, false);
	clear_offer(E[e].rx);
	E[e].rx.done = 0; E[e].rx.invite = 0; E[e].rx.newest = 0
}

inline void_session(e) {
	if
	:: E[e].ow.open && E[e].ow.direction == RX ->
		deletes_alone(e);
		kernel_delete(e, 0, RX, E[e].ow.first, E[e].ow.last, false)
	:: else -> skip
	fi;
	clear_pending(E[e].ow);
	clear_pending(E[e].pw);
	E[e].has_state = false;
	E[e].sources = 0;
	E[e].said_leave = false; E[e].heard_leave = false; E[e].has_left = false;
	E[e].leave_armed = E[e].leave_armed && E[e].wants_to_leave;
	forget_session(e);
	offer_void(e)
}

inline stop_leaving(e) {
	E[e].wants_to_leave = false; E[e].said_leave = false; E[e].heard_leave = false; E[e].has_left = false;
	E[e].leave_armed = false
}

inline send_hello(e) {
	clear_out(e, HELLO);
	send(e)
}

/* --- offers --- */

inline make_invite(e) {
	new_ticket(e, E[e].rx.ticket);
	slow(e, DO_INVITE, E[e].rx);
	E[e].rx.invite = 0;
	E[e].rx.step = INVITING;
	E[e].rx.armed = true
}

#define IS_OVER(e)	(E[e].wants_to_leave || E[e].heard_leave)

inline offer_try(e) {
	if
	:: E[e].phase == READY && E[e].tx.step == IDLE ->
		E[e].tx.armed = false;
		if
		:: !(E[e].sources & SOURCE_BIT(E[e].tx.source)) -> E[e].tx.want = 0
		:: else -> skip
		fi;
		n_room = (E[e].tx.want < E[e].tx.most -> E[e].tx.want : E[e].tx.most);
		n_room = (n_room < EPOCH_MAX - E[e].tx.newest -> n_room : EPOCH_MAX - E[e].tx.newest);
		if
		:: !E[e].tx.want || E[e].tx.rests || IS_OVER(e) -> skip
		:: else ->
			if
			:: !E[e].tx.invite -> E[e].tx.armed = true
			:: E[e].tx.invite && !n_room ->
				E[e].tx.want = 0;
				note(e, SAYS_NO_EPOCH, BECAUSE_EPOCH)
			:: else ->
				E[e].tx.id = E[e].tx.done + 1;
				E[e].tx.for_invite = E[e].tx.invite;
				E[e].tx.first = E[e].tx.newest + 1;
				E[e].tx.n = n_room;
				E[e].tx.of_source = E[e].tx.source;
				E[e].tx.key = 0;
				new_ticket(e, E[e].tx.ticket);
				slow(e, DO_PREPARE, E[e].tx);
				E[e].tx.step = PREPARING;
				E[e].tx.armed = true
			fi
		fi
	:: else -> skip
	fi
}

inline give_up(e) {
	plain(e, DO_DROP_TX);
	E[e].tx.done = E[e].tx.id;
	E[e].tx.rests = true;
	wait(E[e].tx, IDLE, 0, false)
}

inline prepared(e) {
	if
	:: !ok && ev_reason == BECAUSE_KEM -> then = VIOLATED
	:: (!ok && ev_reason != BECAUSE_KEM) || (ok && (!ev_n || ev_n > E[e].tx.n)) ->
		note(e, SAYS_REFUSED, ev_reason);
		give_up(e)
	:: else ->
		E[e].tx.n = ev_n;
		E[e].tx.key = ev_key;
		E[e].tx.newest = E[e].tx.first + ev_n - 1;
		E[e].tx.invite = 0;
		clear_out(e, OFFER);
		out.id = E[e].tx.id; out.for_invite = E[e].tx.for_invite; out.first = E[e].tx.first;
		out.last = ev_n; out.source = E[e].tx.of_source; out.key = ev_key;
		send(e);
		wait(E[e].tx, OFFERED, 0, true);
		MUTANT_INSTALL_EARLY(e)
	fi
}

inline install_tx(e) {
	new_ticket(e, E[e].tx.ticket);
	kernel_install(e, DO_INSTALL_TX, E[e].tx);
	E[e].tx.step = INSTALLING;
	E[e].tx.armed = true
}

inline withdraw_offer(e, why) {
	E[e].last_id = E[e].last_id + 1;
	clear_out(e, WITHDRAW);
	out.id = E[e].last_id; out.first = E[e].tx.first; out.last = E[e].tx.newest;
	out.direction = TX; out.reason = why;
	send(e);
	note(e, SAYS_FAILED, why)
}

inline on_confirm(e) {
	if
	:: (got.id == E[e].tx.done && E[e].tx.done) ||
	   (E[e].tx.step == INSTALLING && got.id == E[e].tx.id) -> skip
	:: else ->
		if
		:: E[e].tx.step != OFFERED || got.id != E[e].tx.id -> then = VIOLATED
		:: E[e].tx.step == OFFERED && got.id == E[e].tx.id && !got.is_verified UNLESS_UNCONFIRMED ->
			withdraw_offer(e, BECAUSE_CONFIRM);
			then = FAILED
		:: else -> install_tx(e)
		fi
	fi
}

inline on_refuse(e) {
	if
	:: got.id == E[e].tx.done && E[e].tx.done -> skip
	:: else ->
		if
		:: E[e].tx.step != OFFERED || got.id != E[e].tx.id -> then = VIOLATED
		:: else ->
			note(e, SAYS_REFUSED, got.reason);
			if
			:: got.reason == BECAUSE_CHAIN && !DEMANDS_CHAIN(e) -> plain(e, DO_RESTART_CHAIN)
			:: else -> skip
			fi;
			if
			:: got.reason == BECAUSE_EPOCH || got.reason == BECAUSE_KERNEL ||
			   (got.reason == BECAUSE_CHAIN && DEMANDS_CHAIN(e)) -> then = FAILED
			:: else ->
				if
				:: got.reason != BECAUSE_KEY_ID && got.reason != BECAUSE_KME -> fewer(E[e].tx)
				:: else -> skip
				fi;
				give_up(e);
				tries = true
			fi
		fi
	fi
}

inline on_invite(e) {
	if
	:: !got.is_verified || !got.id -> then = VIOLATED
	:: got.is_verified && got.id && (got.id <= E[e].tx.invite || got.id <= E[e].tx.for_invite) -> skip
	:: else ->
		if
		:: E[e].tx.invite -> then = VIOLATED
		:: else ->
			E[e].tx.invite = got.id;
			tries = true
		fi
	fi
}

inline tx_installed(e) {
	if
	:: !ok ->
		withdraw_offer(e, BECAUSE_KERNEL);
		then = FAILED
	:: else ->
		note(e, SAYS_AGREED, 0);
		E[e].tx.want = (E[e].tx.want < E[e].tx.n -> 0 : E[e].tx.want - E[e].tx.n);
		E[e].tx.done = E[e].tx.id;
		E[e].tx.most = (E[e].tx.most < OFFER_MOST -> E[e].tx.most + 1 : E[e].tx.most);
		wait(E[e].tx, IDLE, 0, false);
		tries = true
	fi
}

inline refuse(e, why) {
	clear_out(e, REFUSE);
	out.id = E[e].rx.id;
	out.reason = why;
	send(e);
	note(e, SAYS_REJECTED, why);
	plain(e, DO_DROP_RX);
	E[e].rx.done = E[e].rx.id;
	invites = true
}

inline on_offer(e) {
	if
	:: (got.id && got.id <= E[e].rx.done) || (E[e].rx.id && got.id == E[e].rx.id) -> skip
	:: else ->
		if
		:: !got.is_verified || E[e].rx.step != INVITED || E[e].heard_leave ||
		   got.for_invite != E[e].rx.invite || !got.id || !got.last || got.last > 64 -> then = VIOLATED
		:: else ->
			E[e].rx.id = got.id; E[e].rx.for_invite = got.for_invite; E[e].rx.first = got.first;
			E[e].rx.n = got.last; E[e].rx.of_source = got.source; E[e].rx.key = got.key;
			reason_found = 0;
			if
			:: SOURCE_IS_REFUSED(e) -> reason_found = BECAUSE_SOURCE
			:: else ->
				if
				:: got.first <= E[e].rx.newest || got.first > EPOCH_MAX - got.last + 1 ->
					reason_found = BECAUSE_EPOCH
				:: else -> skip
				fi
			fi;
			if
			:: reason_found -> refuse(e, reason_found)
			:: else ->
				new_ticket(e, E[e].rx.ticket);
				slow(e, DO_FETCH, E[e].rx);
				E[e].rx.step = FETCHING;
				E[e].rx.armed = true
			fi
		fi
	fi
}

inline fetched(e) {
	if
	:: !ok -> refuse(e, ev_reason)
	:: else ->
		E[e].rx.key = ev_key;
		new_ticket(e, E[e].rx.ticket);
		kernel_install(e, DO_INSTALL_RX, E[e].rx);
		E[e].rx.step = INSTALLING;
		E[e].rx.armed = true
	fi
}

inline rx_installed(e) {
	if
	:: !ok -> refuse(e, BECAUSE_KERNEL)
	:: else ->
		clear_out(e, CONFIRM);
		out.id = E[e].rx.id;
		out.key = E[e].rx.key;
		send(e);
		E[e].rx.newest = E[e].rx.first + E[e].rx.n - 1;
		E[e].rx.done = E[e].rx.id;
		invites = true
	fi
}

inline invited(e) {
	if
	:: !ok -> wait(E[e].rx, IDLE, 0, true)
	:: else ->
		E[e].last_id = E[e].last_id + 1;
		E[e].rx.invite = E[e].last_id;
		clear_out(e, INVITE);
		out.id = E[e].rx.invite;
		send(e);
		wait(E[e].rx, INVITED, 0, false)
	fi
}

inline offer_done(e) {
	if
	:: ev_ticket == E[e].tx.ticket && E[e].tx.step == INSTALLING -> tx_installed(e)
	:: ev_ticket == E[e].tx.ticket && E[e].tx.step != INSTALLING -> prepared(e)
	:: ev_ticket != E[e].tx.ticket && ev_ticket == E[e].rx.ticket ->
		if
		:: E[e].rx.step == INVITING -> invited(e)
		:: E[e].rx.step == FETCHING -> fetched(e)
		:: else -> rx_installed(e)
		fi
	:: else -> skip
	fi
}

/* --- sessions --- */

inline on_hello(e) {
	reason_found = (got.from != E[e].peer_gen);
	E[e].peer_gen = got.from;
	take_versions(e);
	if
	:: E[e].phase == PAUSE -> skip
	:: E[e].phase != PAUSE && reason_found && is_costly -> then = VIOLATED
	:: else ->
		if
		:: reason_found ->
			void_session(e);
			enter(e, HELLO_SENT)
		:: else -> skip
		fi;
		if
		:: reason_found || got.to != E[e].gen -> send_hello(e)
		:: else -> skip
		fi;
		if
		:: E[e].phase == HELLO_SENT && got.to == E[e].gen ->
			if
			:: NO_VERSION(e) ->
				note(e, SAYS_NO_VERSION, 0);
				enter(e, BLOCKED)
			:: else ->
				enter(e, READS_RINGS);
				new_ticket(e, E[e].ticket);
				kernel_rings(e, E[e].ticket)
			fi
		:: else -> skip
		fi
	fi
}

inline reconcile(e) {
	find_refusal(e);
	if
	:: reason_found -> enter(e, BLOCKED)
	:: else ->
		E[e].sources = COMMON_SOURCES(e);
		E[e].rx.newest = E[e].own.rx_newest;
		E[e].tx.newest = (E[e].own.tx_newest > E[e].peer.rx_newest ->
				  E[e].own.tx_newest : E[e].peer.rx_newest);
		MUTANT_EPOCH_AGAIN(e)
		enter(e, RECONCILES);
		new_ticket(e, E[e].ticket);
		kernel_reconcile(e, E[e].ticket)
	fi
}

inline on_state(e) {
	if
	:: E[e].has_state || E[e].phase > STATE_SENT || !got.is_sane -> then = VIOLATED
	:: else ->
		copy_stated(E[e].peer, got.state);
		E[e].has_state = true;
		if
		:: E[e].phase == STATE_SENT -> compares = true
		:: else -> skip
		fi
	fi
}

inline rings_read(e) {
	copy_stated(E[e].own, ev_state);
	E[e].own.sources = E[e].policy;
	clear_out(e, STATE);
	copy_stated(out.state, E[e].own);
	send(e);
	enter(e, STATE_SENT);
	if
	:: E[e].has_state -> compares = true
	:: else -> skip
	fi
}

inline reconciled(e) {
	forget_rings(e);
	if
	:: !E[e].sources ->
		note(e, SAYS_NO_SOURCE, BECAUSE_POLICY);
		enter(e, BLOCKED)
	:: else ->
		enter(e, READY);
		note(e, SAYS_READY, 0);
		invites = true;
		tries = true
	fi
}

/* --- withdrawals --- */

#define send_withdraw(e, what, p) \
	clear_out(e, what); \
	out.id = p.id; out.direction = p.direction; out.first = p.first; out.last = p.last; out.reason = p.reason; \
	send(e)

inline withdraw(e) {
	if
	:: !ev_withdraw.first || ev_withdraw.last < ev_withdraw.first || E[e].ow.open -> skip
	:: else ->
		if
		:: E[e].phase != READY ->
			if
			:: ev_withdraw.direction == RX -> deletes_alone(e)
			:: else -> skip
			fi;
			kernel_delete(e, 0, ev_withdraw.direction, ev_withdraw.first, ev_withdraw.last, false);
			if
			:: E[e].phase > HELLO_SENT -> then = BEGIN
			:: else -> skip
			fi
		:: else ->
			E[e].last_id = E[e].last_id + 1;
			if
			:: ev_withdraw.direction == TX MUTANT_RX_FIRST ->
				kernel_delete(e, 0, ev_withdraw.direction, ev_withdraw.first, ev_withdraw.last, false)
			:: else -> skip
			fi;
			E[e].ow.open = true; E[e].ow.direction = ev_withdraw.direction; E[e].ow.id = E[e].last_id;
			E[e].ow.first = ev_withdraw.first; E[e].ow.last = ev_withdraw.last;
			E[e].ow.reason = ev_withdraw.reason;
			send_withdraw(e, WITHDRAW, E[e].ow)
		fi
	fi
}

inline on_withdraw(e) {
	if
	:: E[e].pw.open && E[e].pw.id == got.id -> skip
	:: else ->
		if
		:: E[e].pw.open || E[e].phase < RECONCILES || !got.first || got.last < got.first || is_costly ->
			then = VIOLATED
		:: else ->
			E[e].pw.open = true; E[e].pw.id = got.id; E[e].pw.direction = got.direction;
			E[e].pw.first = got.first; E[e].pw.last = got.last; E[e].pw.reason = got.reason;
			new_ticket(e, E[e].pw.ticket);
			kernel_delete(e, E[e].pw.ticket, !got.direction, got.first, got.last, !got.direction == RX)
		fi
	fi
}

inline peer_withdrawal_done(e) {
	E[e].pw.open = false;
	E[e].pw.ticket = 0;
	if
	:: !ok ->
		note(e, SAYS_FAILED, BECAUSE_KERNEL);
		then = FAILED
	:: else ->
		send_withdraw(e, WITHDRAWN, E[e].pw);
		forget_pending(E[e].pw)
	fi
}

inline on_withdrawn(e) {
	if
	:: !E[e].ow.open && got.id && got.id == E[e].ow.id -> skip
	:: else ->
		if
		:: !E[e].ow.open || got.id != E[e].ow.id || got.direction != E[e].ow.direction ||
		   got.first != E[e].ow.first || got.last != E[e].ow.last -> then = VIOLATED
		:: else ->
			if
			:: E[e].ow.direction == RX -> kernel_delete(e, 0, RX, E[e].ow.first, E[e].ow.last, false)
			:: else -> skip
			fi;
			E[e].ow.open = false;
			forget_pending(E[e].ow)
		fi
	fi
}

/* --- leaving a connection --- */

inline on_leave(e) {
	if
	:: E[e].phase < RECONCILES || E[e].rx.step == FETCHING || E[e].rx.step == INSTALLING -> then = VIOLATED
	:: else ->
		E[e].heard_leave = true;
		E[e].leave_armed = true
	fi
}

/* After each step. */
inline leave(e) {
	if
	:: E[e].has_left || !IS_OVER(e) -> skip
	:: else ->
		if
		:: E[e].phase == DOWN || E[e].phase == PAUSE || E[e].phase == BLOCKED ->
			E[e].has_left = true;
			plain(e, DO_LEFT)
		:: E[e].phase == READY ->
			if
			:: !E[e].said_leave && !E[e].ow.open && !E[e].pw.open &&
			   (E[e].tx.step == IDLE MUTANT_LEAVE_EARLY) ->
				clear_out(e, LEAVE);
				send(e);
				E[e].said_leave = true
			:: else -> skip
			fi;
			if
			:: E[e].said_leave && E[e].heard_leave ->
				E[e].has_left = true;
				plain(e, DO_LEFT)
			:: else -> skip
			fi
		:: else -> skip
		fi
	fi
}

/* --- what a step ends with --- */

/* Ends the session: begins a new one at once, or after a pause. */
inline start_over(e) {
	if
	:: then == VIOLATED -> note(e, SAYS_VIOLATION, 0)
	:: then == TIMED_OUT -> note(e, SAYS_TIMEOUT, BECAUSE_TIMEOUT)
	:: else -> skip
	fi;
	void_session(e);
	if
	:: then == VIOLATED || then == FAILED -> enter(e, PAUSE)
	:: else ->
		new_generation(e);
		enter(e, HELLO_SENT);
		send_hello(e)
	fi
}

inline follow(e) {
	if
	:: invites -> make_invite(e)
	:: else -> skip
	fi;
	if
	:: tries -> offer_try(e)
	:: else -> skip
	fi;
	if
	:: compares -> reconcile(e)
	:: else -> skip
	fi;
	if
	:: then -> start_over(e)
	:: else -> skip
	fi;
	then = STAY; invites = false; tries = false; compares = false;
	leave(e)
}

/* --- events; each is one step of the end --- */

#define ACCEPTS(e)	(E[e].phase != DOWN && got.from && (got.type == HELLO || \
			 (got.from == E[e].peer_gen && got.to == E[e].gen && E[e].phase >= READS_RINGS && \
			  E[e].phase != BLOCKED)))

inline ev_connected(e) {
	E[e].peer_gen = 0;
	stop_leaving(e);
	then = BEGIN;
	follow(e)
}

inline ev_disconnected(e) {
	if
	:: E[e].phase != DOWN ->
		stop_leaving(e);
		void_session(e);
		enter(e, DOWN)
	:: else -> skip
	fi;
	follow(e)
}

inline ev_restart(e) {
	stop_leaving(e);
	if
	:: E[e].phase != DOWN -> then = BEGIN
	:: else -> skip
	fi;
	follow(e)
}

inline ev_leave(e) {
	E[e].wants_to_leave = true;
	E[e].leave_armed = true;
	follow(e)
}

inline ev_serving(e) {
	if
	:: E[e].phase == READY && E[e].rx.step == INVITED ->
		clear_out(e, INVITE);
		out.id = E[e].rx.invite;
		send(e)
	:: else -> skip
	fi;
	follow(e)
}

inline ev_want(e) {
	reason_found = (E[e].phase == READY -> E[e].sources : E[e].policy);
	if
	:: reason_found & SOURCE_BIT(ev_source) ->
		E[e].tx.want = ev_n;
		E[e].tx.source = ev_source;
		tries = true
	:: else -> skip
	fi;
	follow(e)
}

inline ev_withdrawal(e) {
	withdraw(e);
	follow(e)
}

inline ev_message(e) {
	if
	:: ACCEPTS(e) ->
		if
		:: got.type == HELLO -> on_hello(e)
		:: got.type == STATE -> on_state(e)
		:: got.type == WITHDRAW -> on_withdraw(e)
		:: got.type == WITHDRAWN -> on_withdrawn(e)
		:: got.type == LEAVE -> on_leave(e)
		:: got.type == INVITE && (E[e].phase == READY || E[e].phase == RECONCILES) -> on_invite(e)
		:: got.type == OFFER && E[e].phase == READY -> on_offer(e)
		:: got.type == CONFIRM && E[e].phase == READY -> on_confirm(e)
		:: got.type == REFUSE && E[e].phase == READY -> on_refuse(e)
		:: else -> then = VIOLATED
		fi
	:: else -> skip
	fi;
	follow(e)
}

inline ev_done(e) {
	if
	:: !ev_ticket -> skip
	:: ev_ticket && ev_ticket == E[e].ticket ->
		if
		:: !ok ->
			note(e, SAYS_FAILED, BECAUSE_KERNEL);
			then = FAILED
		:: ok && E[e].phase == READS_RINGS -> rings_read(e)
		:: else -> reconciled(e)
		fi
	:: ev_ticket && ev_ticket != E[e].ticket && ev_ticket == E[e].pw.ticket -> peer_withdrawal_done(e)
	:: else -> offer_done(e)
	fi;
	follow(e)
}

#define PHASE_IS_ARMED(e)	(E[e].phase >= PAUSE && E[e].phase <= RECONCILES)

inline tick_rx(e) {
	if
	:: due_rx && E[e].rx.step == FETCHING -> refuse(e, BECAUSE_TIMEOUT)
	:: due_rx && E[e].rx.step != FETCHING -> invites = true
	:: else -> skip
	fi
}

inline tick_tx(e) {
	if
	:: due_tx && E[e].tx.step != PREPARING -> then = TIMED_OUT
	:: due_tx && E[e].tx.step == PREPARING ->
		note(e, SAYS_REFUSED, BECAUSE_TIMEOUT);
		give_up(e)
	:: else ->
		if
		:: E[e].tx.step == IDLE && !E[e].tx.armed && !E[e].tx.rests -> tries = true
		:: else -> skip
		fi
	fi
}

inline ev_tick(e) {
	assert(!due_leave || E[e].leave_armed);
	assert(!due_phase || PHASE_IS_ARMED(e));
	assert(!due_ow || E[e].ow.open);
	assert(!due_pw || E[e].pw.open);
	assert(E[e].phase != READY || ((!due_tx || E[e].tx.armed) && (!due_rx || E[e].rx.armed)));
	if
	:: due_rest -> E[e].tx.rests = false
	:: else -> skip
	fi;
	if
	:: due_leave ->
		reason_found = E[e].said_leave || E[e].heard_leave;
		stop_leaving(e);
		if
		:: reason_found -> then = TIMED_OUT
		:: else -> skip
		fi
	:: !due_leave && E[e].phase == PAUSE ->
		if
		:: due_phase -> then = BEGIN
		:: else -> skip
		fi
	:: !due_leave && E[e].phase != PAUSE && (due_phase || due_ow || due_pw) -> then = TIMED_OUT
	:: else ->
		if
		:: E[e].phase == READY ->
			if
			:: due_rx && E[e].rx.step == INSTALLING -> then = TIMED_OUT
			:: else ->
				tick_rx(e);
				tick_tx(e)
			fi
		:: else -> skip
		fi
	fi;
	follow(e)
}
