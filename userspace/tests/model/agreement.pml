/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two ends of a link (end.pml) in a world in which everything fails that may fail; doc/proof.md says what is
 * checked, and what is left out. What may happen, and how often, is in the environment of the checker that Spin
 * makes of this file: see run. A mutant has a fault in the protocol itself, which must be found.
 */

#ifndef EPOCH_MAX
#define EPOCH_MAX	3
#endif
#define OFFER_MOST	2

/* Bits of "kinds": faults, each of which takes one of the number of all faults; and frames. */
#define F_CUT		1
#define F_KILL		2
#define F_HOST		4
#define F_KME		8
#define F_KERNEL	16
#define F_DELAY		32
#define F_LOSE		64
#define F_DOUBLE	128
#define F_SERVING	256
#define FRAMES		512
#define TWO_SOURCES	1024
/* What takes a second ends before what takes more, so that no end waits for ever for one that pauses. */
#define ORDERED		2048

#define MUTANT_EARLY		1
#define MUTANT_UNCONFIRMED	2
#define MUTANT_AGAIN		3
#define MUTANT_FIRST		4
#define MUTANT_LEAVE		5
#define MUTANT_UNION		6
#define MUTANT_NO_RECONCILE	7
#define MUTANT_NO_TIMER		8

int kinds;
byte mutant;
bool is_faulty;
byte faults, commands, changes, policies;

c_decl {
static int given(const char *name) { const char *text = getenv(name); return text ? atoi(text) : 0; }
}

#define MESSAGES	8	/* on their way in one direction of a connection */
#define OPS		6	/* that the kernel has not done yet */
#define KEYS		7
#define NUM		byte

#define HYBRID		1
#define PQC		2
#define SOURCE_BIT(s)	(1 << (s))
#define BOTH_SOURCES	(SOURCE_BIT(HYBRID) | SOURCE_BIT(PQC))

/* Left out here: versions, suites, pre-shared secrets, chains and numbers of KMEs are all right. */
#define DEMANDS_OF_STATE
#define DEMANDS_OF_END
#define VERSIONS_OF_MSG
#define DEMANDS_CHAIN(e)	false
#define NO_VERSION(e)		false
#define SOURCE_IS_REFUSED(e)	(!(E[e].sources & SOURCE_BIT(E[e].rx.of_source)))
#define take_versions(e)	skip
#define find_refusal(e)		reason_found = 0

#define COMMON_SOURCES(e)	(mutant == MUTANT_UNION -> E[e].own.sources | E[e].peer.sources : \
							E[e].own.sources & E[e].peer.sources)
#define MUTANT_INSTALL_EARLY(e)	if :: mutant == MUTANT_EARLY -> install_tx(e) :: else -> skip fi
#define UNLESS_UNCONFIRMED	&& mutant != MUTANT_UNCONFIRMED
#define MUTANT_EPOCH_AGAIN(e)	if :: mutant == MUTANT_AGAIN -> E[e].tx.newest = 0 :: else -> skip fi;
#define MUTANT_RX_FIRST		|| mutant == MUTANT_FIRST
#define MUTANT_LEAVE_EARLY	|| mutant == MUTANT_LEAVE

#define clear_stated(s) \
	s.tx_newest = 0; s.tx_held = 0; s.rx_newest = 0; s.rx_held = 0; s.sources = 0

#define copy_stated(to, from) \
	to.tx_newest = from.tx_newest; to.tx_held = from.tx_held; \
	to.rx_newest = from.rx_newest; to.rx_held = from.rx_held; \
	to.sources = from.sources

/* A session tells a late answer by the number of its last withdrawal. */
#define forget_pending(p) \
	if \
	:: kinds & F_DOUBLE -> skip \
	:: else -> clear_pending(p) \
	fi

#define copy_op(to, from) \
	to.what = from.what; to.ticket = from.ticket; to.direction = from.direction; to.staged_only = from.staged_only; \
	to.first = from.first; to.last = from.last; to.key = from.key; \
	to.held_tx = from.held_tx; to.held_rx = from.held_rx; to.sources = from.sources

#define clear_op(o) \
	o.what = 0; o.ticket = 0; o.direction = 0; o.staged_only = 0; o.first = 0; o.last = 0; o.key = 0; \
	o.held_tx = 0; o.held_rx = 0; o.sources = 0

#define kernel_install(e, which, h) \
	clear_op(op); \
	op.what = which; op.ticket = h.ticket; op.first = h.first; op.last = h.first + h.n - 1; op.key = h.key; \
	kernel(e)

#define kernel_rings(e, t) \
	clear_op(op); \
	op.what = DO_RINGS; op.ticket = t; \
	kernel(e)

#define kernel_reconcile(e, t) \
	clear_op(op); \
	op.what = DO_RECONCILE; op.ticket = t; op.sources = E[e].sources; \
	op.held_tx = E[e].peer.tx_held; op.held_rx = E[e].peer.rx_held; \
	kernel(e)

#define kernel_delete(e, t, dir, from, upto, staged) \
	clear_op(op); \
	op.what = DO_DELETE; op.ticket = t; op.direction = dir; op.first = from; op.last = upto; \
	op.staged_only = staged; \
	kernel(e)

#define new_ticket(e, where) \
	where = 0; \
	i = 0; \
	do \
	:: i++; \
		is_free = (i != E[e].ticket && i != E[e].tx.ticket && i != E[e].rx.ticket && i != E[e].pw.ticket); \
		j = 0; \
		do \
		:: j < K[e].n -> \
			is_free = is_free && K[e].op[j].ticket != i; \
			j++ \
		:: else -> break \
		od; \
		if \
		:: is_free -> break \
		:: else -> skip \
		fi \
	od; \
	where = i

/* Preparing, fetching and making a KEM key are under way as long as the session waits for them. */
#define slow(e, what, h)	skip
#define plain(e, what)		skip
#define note(e, what, why)	skip

#include "end.pml"

/* --- the world --- */

/* What a kernel is asked to do, in the order in which it does it. */
typedef Op {
	byte what;
	byte ticket;
	bool direction;
	bool staged_only;
	byte first;
	byte last;
	byte key;
	byte held_tx;	/* RECONCILE: what the peer stated, and the sources in common */
	byte held_rx;
	byte sources
}

typedef Queue {
	Op op[OPS];
	byte n
}

/* A ring: which epochs it holds, with which keys. A key is a number above its source, new for each offer of the
 * direction; the keys of the epochs of an offer differ by their epochs.
 */
typedef Ring {
	byte held;
	byte newest;
	byte current;
	byte key[EPOCH_MAX + 1]
}

Queue K[2];
Ring rtx[2], rrx[2];
byte accept[2];			/* sources that the kernel accepts */
byte enforced[2];		/* the policy, as far as the kernel was told */
byte used[2];			/* keys that were installed to send, by their numbers, once */
bool excused[2];		/* the receiver of this end's direction may lack keys until they are compared */
byte wants[2];

chan line[4] = [MESSAGES] of { Msg };	/* to + 2 * connection */
bool is_up[2];				/* a connection */
bool via[2];				/* that the link is on, at each end */
bool last_via;
bool may_move;				/* time is up for an end that has not left yet */
byte in_flight[16];			/* generations of an end in messages: 8 * end + generation */

hidden Op op;
hidden Op no_op;
hidden byte i, j, k, bits;
hidden byte is_free;

#define LINE(to, v)	line[(to) + 2 * (v)]
#define DO_RESTRICT	14
#define KEY_OF(k, s)	((k) << 2 | (s))
#define NUMBER_OF(key)	((key) >> 2)
#define SOURCE_OF(key)	((key) & 3)

/* --- what the actions of an end do --- */



/* What nobody reads any more is cleared, so that states that differ in nothing else are one state. */
inline forget_rings(e) {
	clear_stated(E[e].own);
	clear_stated(E[e].peer)
}

inline forget_session(e) {
	forget_rings(e);
	E[e].last_id = 0
}


#define note_generations(m, dest, d) \
	in_flight[8 * (1 - dest) + m.from] = in_flight[8 * (1 - dest) + m.from] + d; \
	in_flight[8 * dest + m.to] = in_flight[8 * dest + m.to] + d

inline send(e) {
	if
	:: is_up[via[e]] ->
		assert(len(LINE(1 - e, via[e])) < MESSAGES);
		note_generations(out, (1 - e), 1);
		LINE(1 - e, via[e])!out
	:: else -> skip
	fi
}

/* A generation that is in no message and that no end knows: real ones are random, and never come again. */
inline new_generation(e) {
	i = 1;
	do
	:: i == E[e].gen || i == E[1 - e].peer_gen || in_flight[8 * e + i] -> i++
	:: else -> break
	od;
	assert(i < 8);
	E[e].gen = i
}

/* Likewise of actions that are not done yet. */



inline kernel(e) {
	assert(K[e].n < OPS);
	copy_op(K[e].op[K[e].n], op);
	K[e].n++
}





/* Preparing, fetching and making a KEM key are under way as long as the session waits for them. */
inline deletes_alone(e) { excused[1 - e] = true }

/* --- a kernel --- */

#define EPOCHS_OF(first, last)	((2 << (last)) - (1 << (first)))
#define UP_TO(epoch)		((2 << (epoch)) - 1)

/* Clears the keys of epochs that are not held. */
#define tidy(r) \
	i = 1; \
	do \
	:: i <= EPOCH_MAX -> \
		if \
		:: !(r.held & 1 << i) -> r.key[i] = 0 \
		:: else -> skip \
		fi; \
		i++ \
	:: else -> break \
	od; \
	if \
	:: !(r.held & 1 << r.current) -> r.current = 0 \
	:: else -> skip \
	fi

/* What must be true of each key that is installed at e. */
#define install(e, r, is_tx) \
	ok = op.first > r.newest && (accept[e] & SOURCE_BIT(SOURCE_OF(op.key))); \
	if \
	:: ok -> \
		assert(enforced[e] & SOURCE_BIT(SOURCE_OF(op.key)));	/* the policy is not widened */ \
		if \
		:: is_tx -> \
			assert(!(used[e] & 1 << NUMBER_OF(op.key)));	/* no key twice */ \
			used[e] = used[e] | 1 << NUMBER_OF(op.key) \
		:: else -> skip \
		fi; \
		r.held = r.held | EPOCHS_OF(op.first, op.last); \
		r.newest = op.last; \
		i = op.first; \
		do \
		:: i <= op.last -> r.key[i] = op.key; i++ \
		:: else -> break \
		od \
	:: else -> skip \
	fi

/* Deletes keys whose source is not accepted any more. */
#define enforce(e, r, is_rx) \
	i = 1; \
	do \
	:: i <= EPOCH_MAX -> \
		if \
		:: r.key[i] && !(accept[e] & SOURCE_BIT(SOURCE_OF(r.key[i]))) -> \
			r.held = r.held & ~(1 << i); \
			excused[1 - e] = excused[1 - e] || is_rx \
		:: else -> skip \
		fi; \
		i++ \
	:: else -> break \
	od; \
	tidy(r)

inline carry_out_reconcile(e) {
	if
	:: !op.sources ->
		rtx[e].held = 0; rrx[e].held = 0
	:: else ->
		if
		:: mutant != MUTANT_NO_RECONCILE ->
			rtx[e].held = rtx[e].held & op.held_rx;
			rrx[e].held = rrx[e].held & (op.held_tx | UP_TO(rrx[e].current))
		:: else -> skip
		fi;
		accept[e] = op.sources;
		assert(!(accept[e] & ~enforced[e]))	/* the kernel enforces the policy */
	fi;
	if
	:: !op.sources -> excused[1 - e] = true
	:: else -> skip
	fi;
	tidy(rtx[e]);
	tidy(rrx[e]);
	enforce(e, rtx[e], false);
	enforce(e, rrx[e], true)
}

/* Another policy: it accepts no more than before, unless that were nothing. */
inline carry_out_restrict(e) {
	enforced[e] = op.sources;
	accept[e] = ((accept[e] & op.sources) -> accept[e] & op.sources : op.sources);
	enforce(e, rtx[e], false);
	enforce(e, rrx[e], true)
}

inline carry_out_delete(e) {
	bits = EPOCHS_OF(op.first, op.last);
	if
	:: op.staged_only -> bits = bits & ~UP_TO(rrx[e].current)
	:: else -> skip
	fi;
	if
	:: op.direction == TX ->
		rtx[e].held = rtx[e].held & ~bits;
		tidy(rtx[e])
	:: else ->
		rrx[e].held = rrx[e].held & ~bits;
		tidy(rrx[e])
	fi
}

/* Takes the oldest operation of a kernel off its queue, and does it. */
inline carry_out(e) {
	refuse_op(e);
	ok = true;
	if
	:: op.what == DO_RINGS ->
		ev_state.tx_newest = rtx[e].newest; ev_state.tx_held = rtx[e].held;
		ev_state.rx_newest = rrx[e].newest; ev_state.rx_held = rrx[e].held;
		ev_state.sources = 0
	:: op.what == DO_RECONCILE -> carry_out_reconcile(e)
	:: op.what == DO_INSTALL_TX -> install(e, rtx[e], true)
	:: op.what == DO_INSTALL_RX -> install(e, rrx[e], false)
	:: op.what == DO_DELETE -> carry_out_delete(e)
	:: op.what == DO_RESTRICT -> carry_out_restrict(e)
	fi;
	ev_ticket = op.ticket
}

/* --- what must be true after each step --- */

#define ARE_COMPARED	(E[0].phase == READY && E[1].phase == READY && \
			 E[0].peer_gen == E[1].gen && E[1].peer_gen == E[0].gen && !K[0].n && !K[1].n && \
			 !E[0].ow.open && !E[1].ow.open && !E[0].pw.open && !E[1].pw.open)

/* Keys that the executor deletes before it sends what comes after; they seal nothing any more. */
inline find_going(e) {
	bits = 0;
	i = 0;
	do
	:: i < K[e].n ->
		if
		:: K[e].op[i].what == DO_DELETE && K[e].op[i].direction == TX ->
			bits = bits | EPOCHS_OF(K[e].op[i].first, K[e].op[i].last)
		:: else -> skip
		fi;
		i++
	:: else -> break
	od
}

inline check_direction(e) {
	find_going(e);
	i = 1;
	do
	:: i <= EPOCH_MAX ->
		/* Where both ends hold an epoch, they hold the same key. */
		assert(!(rtx[e].held & rrx[1 - e].held & 1 << i) || rtx[e].key[i] == rrx[1 - e].key[i]);
		i++
	:: else -> break
	od;
	if
	:: ARE_COMPARED -> excused[e] = false
	:: else -> skip
	fi;
	/* No end seals under a key that the other lacks, */
	/* but until they have compared their keys after the other lost them. */
	assert(excused[e] || !(rtx[e].held & ~bits & ~rrx[1 - e].held))
}

inline check() {
	check_direction(0);
	check_direction(1)
}

/* --- connections --- */

inline clear_lines() {
	do
	:: (len(line[0]) > 0) -> line[0]?got
	:: (len(line[1]) > 0) -> line[1]?got
	:: (len(line[2]) > 0) -> line[2]?got
	:: (len(line[3]) > 0) -> line[3]?got
	:: else -> break
	od;
	i = 0;
	do
	:: i < 16 -> in_flight[i] = 0; i++
	:: else -> break
	od
}

inline clear_line(x, v) {
	do
	:: (len(LINE(x, v)) > 0) ->
		LINE(x, v)?got;
		note_generations(got, x, (0 - 1))
	:: else -> break
	od
}

inline connect() {
	clear_lines();
	last_via = 0; via[0] = 0; via[1] = 0; may_move = false;
	is_up[0] = true; is_up[1] = false;
	ev_connected(0);
	ev_connected(1)
}

/* An end changes to the last connection. */
inline move(e) {
	/* An end that has left loses no offer by that. */
	assert(may_move || is_faulty ||
	       (E[e].tx.step != OFFERED && (E[e].tx.step != INSTALLING && E[e].rx.step != INSTALLING)));
	ev_disconnected(e);
	via[e] = last_via;
	ev_connected(e);
	if
	:: via[1 - e] == last_via ->
		is_up[1 - last_via] = false;
		clear_line(0, (1 - last_via));
		clear_line(1, (1 - last_via));
		may_move = false
	:: else -> skip
	fi
}

#define IS_MOVING	(via[0] != last_via || via[1] != last_via)
#define HAS_NEXT(e)	(via[e] != last_via && is_up[last_via] && (len(LINE(e, last_via)) > 0))

inline receive(e, v) {
	LINE(e, v)?got;
	note_generations(got, e, (0 - 1));
	got.is_verified = (got.type != CONFIRM || got.key == E[e].tx.key);
	ev_message(e)
}

/* --- the steps of an end, its kernel and its KMEs --- */

#define IS_SLOW(e)	(E[e].tx.step == PREPARING || E[e].rx.step == INVITING || E[e].rx.step == FETCHING)
#define IS_CALM		(is_up[last_via] && E[0].phase && E[1].phase && !K[0].n && !K[1].n && \
			 (len(line[0]) == 0) && (len(line[1]) == 0) && (len(line[2]) == 0) && (len(line[3]) == 0) && \
			 !IS_SLOW(0) && !IS_SLOW(1))
#define IS_QUIET	(IS_CALM && !IS_MOVING)

/* A timer ends once nothing else can happen; earlier where messages and kernels may be late. */
#define TIME_IS_UP	(mutant != MUTANT_NO_TIMER && (IS_QUIET || (kinds & F_DELAY && faults)))

#define PAUSES(e)	(E[e].phase == PAUSE || (E[e].phase == READY && \
			 (E[e].tx.rests || (E[e].rx.step == IDLE && E[e].rx.armed))))
#define LONG_TIME_IS_UP	(TIME_IS_UP && !(kinds & ORDERED && IS_QUIET && (PAUSES(0) || PAUSES(1))))

inline tick(e, which) {
	if
	:: IS_QUIET -> skip
	:: else -> faults--
	fi;
	due_leave = false; due_phase = false; due_ow = false; due_pw = false;
	due_tx = false; due_rx = false; due_rest = false;
	which = true;
	ev_tick(e);
	which = false;
	check()
}

/* A number that no key of the direction has: real keys never come again. */
inline new_key(e) {
	k = 1;
	do
	:: k < KEYS ->
		is_free = NUMBER_OF(E[1 - e].rx.key) != k;
		i = 1;
		do
		:: i <= EPOCH_MAX ->
			is_free = is_free && NUMBER_OF(rtx[e].key[i]) != k && NUMBER_OF(rrx[1 - e].key[i]) != k;
			i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < OPS ->
			is_free = is_free && !(K[e].op[i].what == DO_INSTALL_TX && NUMBER_OF(K[e].op[i].key) == k) &&
				  !(K[1 - e].op[i].what == DO_INSTALL_RX && NUMBER_OF(K[1 - e].op[i].key) == k);
			i++
		:: else -> break
		od;
		if
		:: is_free -> break
		:: else -> k++
		fi
	:: else -> break
	od;
	assert(k < KEYS);
	used[e] = used[e] & ~(1 << k)
}

inline prepare(e) {
	new_key(e);
	ok = true;
	ev_reason = 0;
	ev_ticket = E[e].tx.ticket;
	ev_n = E[e].tx.n;
	ev_key = KEY_OF(k, E[e].tx.of_source);
	ev_done(e);
	check()
}

#define slow_done(e, t, is_ok, why, made) \
	ok = is_ok; \
	ev_reason = why; \
	ev_ticket = t; \
	ev_key = made; \
	ev_done(e); \
	ev_key = 0; \
	check()

/* Drops the oldest operation without doing it. */
inline refuse_op(e) {
	copy_op(op, K[e].op[0]);
	j = 1;
	do
	:: j < K[e].n -> copy_op(K[e].op[j - 1], K[e].op[j]); j++
	:: else -> break
	od;
	K[e].n--;
	clear_op(K[e].op[K[e].n])
}

inline kernel_fails(e) {
	refuse_op(e);
	ok = false;
	ev_reason = BECAUSE_KERNEL;
	ev_ticket = op.ticket;
	ev_done(e);
	check()
}

/* The sender goes on to its next key; the receiver follows when a frame under it comes. */
inline rotate(e) {
	i = rtx[e].current + 1;
	do
	:: i <= EPOCH_MAX && !(rtx[e].held & 1 << i) -> i++
	:: else -> break
	od;
	rtx[e].current = i;
	rtx[e].held = rtx[e].held & ~UP_TO(i - 1);
	tidy(rtx[e]);
	check()
}

#define HAS_NEXT_KEY(e)	(!K[e].n && (rtx[e].held & ~UP_TO(rtx[e].current)))
#define HAS_FRAME(e)	(rtx[1 - e].current > rrx[e].current && (rrx[e].held & 1 << rtx[1 - e].current))

inline hear_frame(e) {
	rrx[e].current = rtx[1 - e].current;
	rrx[e].held = rrx[e].held & ~UP_TO(rrx[e].current - 1);
	tidy(rrx[e]);
	check()
}

inline want_keys(e, s) {
	wants[e]--;
	ev_n = OFFER_MOST;
	ev_source = s;
	ev_want(e);
	check()
}

#define MAY_WANT(e, s)	(wants[e] && !E[e].tx.want && (E[e].phase == READY -> E[e].sources & SOURCE_BIT(s) : 0))

inline command(e, dir, upto) {
	commands--;
	ev_withdraw.open = true; ev_withdraw.direction = dir; ev_withdraw.id = 0; ev_withdraw.ticket = 0;
	ev_withdraw.first = 1; ev_withdraw.last = upto; ev_withdraw.reason = 0;
	ev_withdrawal(e);
	check()
}

/* The agent forgets everything; it wants again what it wanted. */
inline forget(e) {
	wants[e] = wants[e] + (E[e].tx.want -> 1 : 0);
	clear_pending(E[e].ow);
	ev_disconnected(e);
	E[e].peer_gen = 0;
	E[e].tx.want = 0;
	E[e].tx.source = 0;
	E[e].tx.most = OFFER_MOST
}

/* Of what its kernel was asked for, some is still done; deletions were done before anything was sent. */
inline kill(e, some) {
	k = 0;
	do
	:: find_going(e);
		if
		:: K[e].n && (k < some || bits) -> skip
		:: else -> break
		fi;
		carry_out(e);
		k++
	od;
	do
	:: K[e].n -> refuse_op(e)
	:: else -> break
	od;
	forget(e);
	do
	:: K[e].n -> refuse_op(e)
	:: else -> break
	od;
	is_up[0] = false; is_up[1] = false;
	check()
}

inline new_rings(e) {
	rtx[e].held = 0; rtx[e].newest = 0; rrx[e].held = 0; rrx[e].newest = 0;
	tidy(rtx[e]);
	tidy(rrx[e]);
	excused[1 - e] = true
}

/* A reload: the link begins anew on the same connection, and the kernel accepts no more than before. */
inline change_policy(e, set) {
	policies--;
	E[e].policy = set;
	clear_op(op);
	op.what = DO_RESTRICT; op.sources = set;
	kernel(e);
	if
	:: E[e].phase ->
		forget(e);
		ev_connected(e)
	:: else -> skip
	fi;
	check()
}

proctype end_of_link(byte e)
{
end:	do
	/* messages */
	:: d_step { (len(LINE(e, via[e])) > 0) -> receive(e, via[e]); check() }
	:: d_step { HAS_NEXT(e) -> move(e); check() }
	:: d_step { via[e] != last_via && is_up[last_via] && (E[e].has_left || may_move) -> move(e); check() }
	:: d_step { kinds & F_LOSE && faults && (len(LINE(e, via[e])) > 0) ->
		faults--; LINE(e, via[e])?got; note_generations(got, e, (0 - 1))
	}
	:: d_step { kinds & F_DOUBLE && faults && (len(LINE(e, via[e])) > 0) ->
		faults--; LINE(e, via[e])?<got>;
		got.is_verified = (got.type != CONFIRM || got.key == E[e].tx.key);
		ev_message(e); check()
	}
	/* what an end has asked for */
	:: d_step { K[e].n -> carry_out(e); ev_done(e); check() }
	:: d_step { kinds & F_KERNEL && faults && K[e].n && K[e].op[0].ticket ->
		faults--; kernel_fails(e)
	}
	:: d_step { E[e].rx.step == INVITING -> slow_done(e, E[e].rx.ticket, true, 0, 0) }
	:: d_step { E[e].tx.step == PREPARING -> prepare(e) }
	:: d_step { E[e].rx.step == FETCHING -> slow_done(e, E[e].rx.ticket, true, 0, E[e].rx.key) }
	/* no KEM key; no QKD key; the KME has lost a key, does not answer, or gives a wrong one; no such chain */
	:: d_step { kinds & F_KME && faults && E[e].rx.step == INVITING -> faults--; slow_done(e, E[e].rx.ticket, false, BECAUSE_KEM, 0) }
	:: d_step { kinds & F_KME && faults && E[e].tx.step == PREPARING -> faults--; slow_done(e, E[e].tx.ticket, false, BECAUSE_KME, 0) }
	:: d_step { kinds & F_KME && faults && E[e].rx.step == FETCHING -> faults--; slow_done(e, E[e].rx.ticket, false, BECAUSE_KEY_ID, 0) }
	:: d_step { kinds & F_KME && faults && E[e].rx.step == FETCHING -> faults--; slow_done(e, E[e].rx.ticket, false, BECAUSE_CHAIN, 0) }
	:: d_step { kinds & F_KME && faults && E[e].rx.step == FETCHING ->
		faults--; slow_done(e, E[e].rx.ticket, true, 0, KEY_OF(KEYS, SOURCE_OF(E[e].rx.key)))
	}
	/* time */
	:: d_step { LONG_TIME_IS_UP && E[e].leave_armed -> tick(e, due_leave) }
	:: d_step { TIME_IS_UP && E[e].phase == PAUSE -> tick(e, due_phase) }
	:: d_step { LONG_TIME_IS_UP && E[e].phase > PAUSE && PHASE_IS_ARMED(e) -> tick(e, due_phase) }
	:: d_step { LONG_TIME_IS_UP && E[e].ow.open -> tick(e, due_ow) }
	:: d_step { LONG_TIME_IS_UP && E[e].pw.open -> tick(e, due_pw) }
	:: d_step { LONG_TIME_IS_UP && E[e].phase == READY && E[e].tx.armed -> tick(e, due_tx) }
	:: d_step { LONG_TIME_IS_UP && E[e].phase == READY && E[e].rx.armed && E[e].rx.step -> tick(e, due_rx) }
	:: d_step { TIME_IS_UP && E[e].phase == READY && E[e].rx.armed && !E[e].rx.step -> tick(e, due_rx) }
	:: d_step { TIME_IS_UP && E[e].phase == READY && E[e].tx.rests -> tick(e, due_rest) }
	/* the connection */
	:: d_step { !is_up[via[e]] && E[e].phase -> ev_disconnected(e); check() }
	/* frames */
	:: d_step { kinds & FRAMES && HAS_NEXT_KEY(e) -> rotate(e) }
	:: d_step { kinds & FRAMES && HAS_FRAME(e) -> hear_frame(e) }
	/* keys are wanted */
	:: d_step { MAY_WANT(e, HYBRID) -> want_keys(e, HYBRID) }
	:: d_step { (kinds & TWO_SOURCES || !(E[e].policy & SOURCE_BIT(HYBRID))) && MAY_WANT(e, PQC) -> want_keys(e, PQC) }
	/* a command */
	:: d_step { commands && !E[e].ow.open && rtx[e].newest -> command(e, TX, rtx[e].newest) }
	:: d_step { commands && !E[e].ow.open && rrx[e].newest -> command(e, RX, rrx[e].newest) }
	:: d_step { kinds & F_SERVING && faults && E[e].phase == READY && E[e].rx.step == INVITED -> faults--; ev_serving(e); check() }
	:: d_step { kinds & F_KILL && faults -> faults--; kill(e, 0) }
	:: d_step { kinds & F_KILL && faults && K[e].n -> faults--; kill(e, 1) }
	:: d_step { kinds & F_KILL && faults && K[e].n > 1 -> faults--; kill(e, OPS) }
	:: d_step { kinds & F_HOST && faults -> faults--; kill(e, OPS); new_rings(e); check() }
	:: d_step { policies && E[e].policy != BOTH_SOURCES -> change_policy(e, BOTH_SOURCES) }
	:: d_step { policies && E[e].policy != SOURCE_BIT(HYBRID) -> change_policy(e, SOURCE_BIT(HYBRID)) }
	:: d_step { policies && E[e].policy != SOURCE_BIT(PQC) -> change_policy(e, SOURCE_BIT(PQC)) }
	od
}

/* --- what no end does --- */

inline make_connection(ends) {
	changes--;
	last_via = 1 - last_via;
	is_up[last_via] = true;
	may_move = false;
	if
	:: ends != 1 -> ev_leave(0)
	:: else -> skip
	fi;
	if
	:: ends != 0 -> ev_leave(1)
	:: else -> skip
	fi;
	check()
}

#define IS_DONE(e)	(E[e].phase == READY && E[e].tx.step == IDLE && E[e].rx.step == INVITED && !E[e].tx.want)
#define IS_GOOD		(IS_CALM && !IS_MOVING && ((IS_DONE(0) && IS_DONE(1) && ARE_COMPARED) || \
			 (E[0].phase == BLOCKED && E[1].phase == BLOCKED && !(E[0].policy & E[1].policy))))

init {
	d_step {
		c_code {
			now.kinds = given("KINDS"); now.mutant = given("MUTANT"); now.faults = given("FAULTS");
			now.commands = given("COMMANDS"); now.changes = given("CHANGES");
			now.policies = given("POLICIES"); now.wants[0] = now.wants[1] = given("WANTS");
		};
		is_faulty = faults || commands || policies;
		E[0].policy = BOTH_SOURCES; E[1].policy = BOTH_SOURCES;
		E[0].tx.most = OFFER_MOST; E[1].tx.most = OFFER_MOST;
		accept[0] = BOTH_SOURCES; accept[1] = BOTH_SOURCES;
		enforced[0] = BOTH_SOURCES; enforced[1] = BOTH_SOURCES
	};
	atomic { run end_of_link(0); run end_of_link(1) };
	do
	:: d_step { !is_up[0] && !is_up[1] && !E[0].phase && !E[1].phase -> connect(); check() }
	:: d_step { kinds & F_CUT && faults && is_up[last_via] -> faults--; is_up[0] = false; is_up[1] = false }
	:: d_step { changes && !IS_MOVING && is_up[last_via] && E[0].phase && E[1].phase -> make_connection(0) }
	:: d_step { changes && !IS_MOVING && is_up[last_via] && E[0].phase && E[1].phase -> make_connection(1) }
	:: d_step { changes && !IS_MOVING && is_up[last_via] && E[0].phase && E[1].phase -> make_connection(2) }
	:: d_step { IS_MOVING && !may_move && IS_CALM -> may_move = true }
	:: d_step { kinds & F_DELAY && IS_MOVING && !may_move && faults -> faults--; may_move = true }
	/* Whatever happened, all ends well: to stop elsewhere is an error. */
	:: d_step { IS_GOOD -> faults = 0; commands = 0; changes = 0; policies = 0 }; break
	od
}
