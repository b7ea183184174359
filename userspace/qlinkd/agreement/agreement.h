/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The data of an agreement: messages, events, actions, state. */
#ifndef QLINKD_AGREEMENT_H
#define QLINKD_AGREEMENT_H

#include <stdbool.h>
#include <stdint.h>

/**
 * DOC: Words
 *
 * userspace/PROTOCOL.md, sections 2 and 3, is the specification.
 *
 * * agreement: what both agents know of one link's keys, and the rules by which they change it
 * * session: the time from one exchange of HELLO and STATE until either end starts over
 * * generation: number of an end's session; a message of another generation is ignored
 * * ring: all keys of one direction that one kernel holds; its id is new after it was wiped
 * * epoch: number of one key of one direction; it only grows and is never used again
 * * range: a run of consecutive epochs, from a first to a last
 * * policy: which sources of keys (qkd, hybrid, pqc) an end allows
 * * sender, receiver: the end that seals and the end that opens the frames of a direction
 * * invitation: a KEM key and a nonce of the receiver, for one offer
 * * offer: key IDs, KEM ciphertext and nonce of the sender, for 1 to 64 new epochs
 * * confirmation: proof of the receiver that it has derived the same keys
 * * reconcile: delete the keys that the other end's STATE does not list
 * * withdraw: agree that a range of epochs is deleted at both ends
 * * step: one call of session_step(): one event in, a list of actions out
 * * ticket: number of an action whose result the agreement waits for
 * * leave: settle all offers and make no more, so that the link can change to another connection
 * * chain: a secret on which all later keys of a direction depend, see secrets/exchange.h
 */

#define SESSION_RING_ID_BYTES	16
#define SESSION_EPOCH_MAX	281474976710655ULL
/* The kernel refuses an epoch that is further above the newest than this. */
#define SESSION_EPOCH_LEAP	(1ULL << 32)
/* Most ranges of epochs that STATE can list for one ring. */
#define SESSION_RANGES_MAX	16
/* Most epochs of one offer. */
#define SESSION_OFFER_MAX	64
/* Most KMEs that give a secret for one key, and that an end can have. */
#define SESSION_KMES_MAX	4
#define SESSION_NODES_MAX	8
/* Most KME key IDs of one offer: its epochs times its KMEs. */
#define SESSION_KEY_IDS_MAX	128
/* Most actions of one step. */
#define SESSION_ACTIONS_MAX	14

/* No timer is needed. */
#define SESSION_NO_DEADLINE	UINT64_MAX

/* Time limits in ms: to open a session, fetch keys, settle an offer, settle a withdrawal. */
#define SESSION_OPEN_MS		5000
#define SESSION_FETCH_MS	15000
#define SESSION_OFFER_MS	30000
#define SESSION_WITHDRAW_MS	5000
/* How long a session that leaves waits for another connection, in ms; then it starts over. */
#define SESSION_LEAVE_MS	10000
/* Pause in ms after a failure, before the next attempt. */
#define SESSION_PAUSE_MS	1000
/*
 * HELLO of a new generation and WITHDRAW cost a dump of all keys. A peer may send this many at once,
 * and one more in so many ms; a sound one needs two in SESSION_PAUSE_MS at most.
 */
#define SESSION_COSTLY_MAX	16
#define SESSION_COSTLY_MS	(SESSION_PAUSE_MS / 2)

/**
 * enum session_message - types of messages; PROTOCOL.md, section 2, has the same numbers
 * @SESSION_MESSAGE_HELLO: versions and generation; opens a session
 * @SESSION_MESSAGE_STATE: policy, rings and chains
 * @SESSION_MESSAGE_INVITE: the receiver's KEM key and nonce for one offer
 * @SESSION_MESSAGE_OFFER: the sender's key IDs, ciphertext and nonce
 * @SESSION_MESSAGE_CONFIRM: the receiver holds the keys
 * @SESSION_MESSAGE_REFUSE: the receiver does not hold the keys, with a reason
 * @SESSION_MESSAGE_WITHDRAW: epochs that must not be used any more
 * @SESSION_MESSAGE_WITHDRAWN: those epochs are deleted
 * @SESSION_MESSAGE_LEAVE: the speaker makes no more offers in this session, and has none open
 */
enum session_message {
	SESSION_MESSAGE_HELLO = 1,
	SESSION_MESSAGE_STATE = 2,
	SESSION_MESSAGE_INVITE = 3,
	SESSION_MESSAGE_OFFER = 4,
	SESSION_MESSAGE_CONFIRM = 5,
	SESSION_MESSAGE_REFUSE = 6,
	SESSION_MESSAGE_WITHDRAW = 7,
	SESSION_MESSAGE_WITHDRAWN = 8,
	SESSION_MESSAGE_LEAVE = 9,
};

/**
 * enum session_reason - why something failed; PROTOCOL.md, section 2, has the same numbers
 * @SESSION_REASON_NONE: no reason given
 * @SESSION_REASON_SOURCE: the two policies do not both allow the source, or there are fewer KMEs
 *	than an end demands
 * @SESSION_REASON_EPOCH: the epoch is not above all epochs that were ever held
 * @SESSION_REASON_CHAIN: the receiver does not hold the chain
 * @SESSION_REASON_KEY_ID: the receiver's KME does not have the key ID
 * @SESSION_REASON_KME: the receiver's KME does not answer
 * @SESSION_REASON_KEM: the ciphertext cannot be opened
 * @SESSION_REASON_KERNEL: the kernel refused the keys
 * @SESSION_REASON_TIMEOUT: it took too long
 * @SESSION_REASON_CONFIRM: the key confirmation was wrong
 * @SESSION_REASON_POLICY: the policy changed
 * @SESSION_REASON_LIMIT: a limit of the key is reached
 * @SESSION_REASON_COMMAND: an operator asked for it
 * @SESSION_REASON_MEMORY: there is no memory for an offer that may be locked
 * @SESSION_N_REASONS: number of reasons
 */
enum session_reason {
	SESSION_REASON_NONE,
	SESSION_REASON_SOURCE,
	SESSION_REASON_EPOCH,
	SESSION_REASON_CHAIN,
	SESSION_REASON_KEY_ID,
	SESSION_REASON_KME,
	SESSION_REASON_KEM,
	SESSION_REASON_KERNEL,
	SESSION_REASON_TIMEOUT,
	SESSION_REASON_CONFIRM,
	SESSION_REASON_POLICY,
	SESSION_REASON_LIMIT,
	SESSION_REASON_COMMAND,
	SESSION_REASON_MEMORY,
	SESSION_N_REASONS,
};

/**
 * enum session_direction - a direction as the end that sends the message sees it
 * @SESSION_DIRECTION_TX: frames that this end sends
 * @SESSION_DIRECTION_RX: frames that this end receives
 */
enum session_direction {
	SESSION_DIRECTION_TX,
	SESSION_DIRECTION_RX,
};

/**
 * struct session_range - a run of consecutive epochs
 */
struct session_range {
	/** @first: first epoch, above 0 */
	uint64_t first;

	/** @last: last epoch, not below @first */
	uint64_t last;
};

/**
 * struct session_ring - what the kernel reports of one ring
 *
 * An end that holds more than SESSION_RANGES_MAX ranges deletes the oldest before it sends
 * STATE.
 */
struct session_ring {
	/** @id: from the kernel; it gives a wiped ring a new one */
	uint8_t id[SESSION_RING_ID_BYTES];

	/** @newest: highest epoch that was ever held, 0 if none was */
	uint64_t newest;

	/** @held: ranges of epochs held, ascending, with a gap between any two */
	struct session_range held[SESSION_RANGES_MAX];

	/** @n_held: number of valid members of @held */
	uint8_t n_held;
};

/**
 * struct session_rings - both rings of a link
 */
struct session_rings {
	/** @tx: keys that the end seals with */
	struct session_ring tx;

	/** @rx: keys that the end opens with */
	struct session_ring rx;
};

/**
 * struct session_versions - versions of the protocol that an end speaks
 */
struct session_versions {
	/** @min: lowest version that its configuration allows, above 0 */
	uint8_t min;

	/** @max: highest version */
	uint8_t max;
};

/**
 * enum session_psk - what both ends' STATE says about the pre-shared secret of the link
 * @SESSION_PSK_SAME: both ends have the same, or none
 * @SESSION_PSK_DIFFERS: they have different ones
 * @SESSION_PSK_ONLY_PEER: only the peer has one
 * @SESSION_PSK_ONLY_OWN: only this end has one
 */
enum session_psk {
	SESSION_PSK_SAME,
	SESSION_PSK_DIFFERS,
	SESSION_PSK_ONLY_PEER,
	SESSION_PSK_ONLY_OWN,
};

/**
 * struct session_state - what an end states about itself in STATE
 */
struct session_state {
	/** @rings: both rings */
	struct session_rings rings;

	/** @versions: as in HELLO; here the session's digest covers them */
	struct session_versions versions;

	/** @policy: an enum policy */
	uint8_t policy;

	/** @sources: the set that @policy allows, see policy_sources() */
	uint8_t sources;

	/** @suite: of the connection */
	uint8_t suite;

	/** @suite_least: lowest suite that the end accepts for this link */
	uint8_t suite_least;

	/** @kmes_least: least number of KMEs of a key of source qkd or hybrid, 1 or more */
	uint8_t kmes_least;

	/** @kmes_most: most KMEs of which the end puts secrets into one key, up to @n_kmes */
	uint8_t kmes_most;

	/** @n_kmes: number of KMEs that the end has */
	uint8_t n_kmes;

	/** @demands_chain: it accepts no chain that starts from zero */
	bool demands_chain;

	/** @psk: of the peer: an enum session_psk, set by exchange_received() */
	uint8_t psk;

	/**
	 * @starts_from_zero: of the peer: the chain of a direction does, as both STATE tell; set
	 * by exchange_received()
	 */
	bool starts_from_zero;
};

/**
 * struct session_offer - number, epochs, source and KMEs of an offer
 */
struct session_offer {
	/** @id: its number; the sender counts from 1 in each session */
	uint64_t id;

	/** @invite: number of the receiver's invitation that the offer consumes */
	uint64_t invite;

	/** @first: first epoch */
	uint64_t first;

	/** @n: number of epochs, 1 to SESSION_OFFER_MAX */
	uint8_t n;

	/** @source: an enum qlink_source */
	uint8_t source;

	/** @n_kmes: number of KMEs that give a secret for each epoch; 0 for pqc */
	uint8_t n_kmes;

	/** @kmes: their places in the lists of both ends, counted from 1, ascending */
	uint8_t kmes[SESSION_KMES_MAX];
};

/**
 * struct session_withdraw - epochs that must not be used any more
 */
struct session_withdraw {
	/** @id: its number, from the end that asks; a later one has a higher number */
	uint64_t id;

	/** @range: the epochs */
	struct session_range range;

	/** @direction: an enum session_direction, as the end that asks sees it */
	uint8_t direction;

	/** @reason: an enum session_reason */
	uint8_t reason;
};

/**
 * struct session_msg - the part of a message that the agreement reads
 *
 * The executor of the actions handles key IDs, KEM keys, nonces and chains.
 */
struct session_msg {
	/** @type: an enum session_message */
	uint8_t type;

	/**
	 * @is_verified: set by exchange_received(): the session's digest is right (INVITE,
	 * OFFER) or the key confirmation is right (CONFIRM); true for other types
	 */
	bool is_verified;

	/** @from: generation of the end that sends the message, above 0 */
	uint64_t from;

	/** @to: generation of the other end as that end knows it, 0 if it knows none */
	uint64_t to;

	/** @reason: REFUSE: an enum session_reason */
	uint8_t reason;

	/** @place: REFUSE: place of the KME that is the reason, 0 for none */
	uint8_t place;

	union {
		/** @versions: HELLO */
		struct session_versions versions;

		/** @state: STATE */
		struct session_state state;

		/** @invite: INVITE: its number, above 0 */
		uint64_t invite;

		/** @offer: OFFER; in CONFIRM and REFUSE only its id is valid */
		struct session_offer offer;

		/** @withdraw: WITHDRAW, WITHDRAWN */
		struct session_withdraw withdraw;
	};
};

/**
 * enum session_event_type - types of events
 * @SESSION_EVENT_CONNECTED: a connection to the peer is open
 * @SESSION_EVENT_DISCONNECTED: the connection is closed
 * @SESSION_EVENT_TICK: time has passed
 * @SESSION_EVENT_MESSAGE: a message of the peer arrived: @msg
 * @SESSION_EVENT_WANT: @n transmit keys of source @source are wanted
 * @SESSION_EVENT_WITHDRAW: stop using these epochs: @withdraw
 * @SESSION_EVENT_RESTART: start over, for example after the kernel wiped the rings
 * @SESSION_EVENT_LEAVE: the link is to change to another connection
 * @SESSION_EVENT_SERVING: other KMEs of this end are up than the last INVITE said
 * @SESSION_EVENT_DONE: an action with a ticket has finished: @ticket, @is_ok
 */
enum session_event_type {
	SESSION_EVENT_CONNECTED,
	SESSION_EVENT_DISCONNECTED,
	SESSION_EVENT_TICK,
	SESSION_EVENT_MESSAGE,
	SESSION_EVENT_WANT,
	SESSION_EVENT_WITHDRAW,
	SESSION_EVENT_RESTART,
	SESSION_EVENT_LEAVE,
	SESSION_EVENT_SERVING,
	SESSION_EVENT_DONE,
};

/**
 * struct session_event - one event
 */
struct session_event {
	/** @type: an enum session_event_type */
	uint8_t type;

	/** @is_ok: DONE: the action succeeded */
	bool is_ok;

	/** @reason: DONE: why the action failed, an enum session_reason */
	uint8_t reason;

	/** @place: DONE of FETCH: place of the KME that is the reason, 0 for none */
	uint8_t place;

	/** @suite: CONNECTED: suite of the connection */
	uint8_t suite;

	/** @source: WANT: source of the keys, an enum qlink_source */
	uint8_t source;

	/** @n: WANT: number of keys, 0 to want no more; DONE of PREPARE: epochs prepared */
	uint32_t n;

	/** @n_kmes: DONE of PREPARE: number of KMEs of the offer */
	uint8_t n_kmes;

	/** @kmes: DONE of PREPARE: their places */
	uint8_t kmes[SESSION_KMES_MAX];

	/** @ticket: DONE: ticket of the action */
	uint64_t ticket;

	/** @msg: MESSAGE: the message; read during the call only */
	const struct session_msg *msg;

	/** @rings: DONE of RINGS: both rings; read during the call only */
	const struct session_rings *rings;

	/** @withdraw: WITHDRAW: what to withdraw; its id is not read */
	struct session_withdraw withdraw;
};

/**
 * enum session_action_type - types of actions
 * @SESSION_ACTION_SEND: send @msg to the peer; exchange_fill() adds the rest of it
 * @SESSION_ACTION_RINGS: read both rings from the kernel; ticket
 * @SESSION_ACTION_RECONCILE: delete transmit keys that are not in @peer's receive ring,
 *	and staged receive keys that are newer than the current one and not in @peer's
 *	transmit ring; let the kernel accept only @sources; restart the sending chain
 *	unless the peer named it. If @sources is empty, delete all keys. Ticket
 * @SESSION_ACTION_INVITE: make a KEM key and a nonce; ticket
 * @SESSION_ACTION_PREPARE: take QKD keys, encapsulate and derive, for at most @offer.n
 *	epochs. The result is the number of epochs and the places of the KMEs, or
 *	SESSION_REASON_KEM if the peer's KEM key is not a valid key. Ticket
 * @SESSION_ACTION_FETCH: fetch the keys of @offer by ID and derive; ticket
 * @SESSION_ACTION_INSTALL_RX: install the derived keys to receive, all or none; if that
 *	succeeds, advance the receiving chain; ticket
 * @SESSION_ACTION_INSTALL_TX: advance the sending chain and install the keys to send;
 *	ticket
 * @SESSION_ACTION_DELETE: delete the epochs of @withdraw, whose direction is this end's;
 *	if @staged_only, delete only keys newer than the current one. The ticket is 0 if
 *	the agreement does not wait for the result
 * @SESSION_ACTION_DROP_TX: wipe what was prepared or offered; its key IDs are spent
 * @SESSION_ACTION_DROP_RX: wipe the invitation, and what was fetched for an offer
 * @SESSION_ACTION_RESTART_CHAIN: restart the sending chain
 * @SESSION_ACTION_LEFT: nothing is in flight in either direction, and no offer follows: if there
 *	is another connection, change to it by SESSION_EVENT_DISCONNECTED and _CONNECTED
 * @SESSION_ACTION_NOTE: log an event: @note, @reason
 *
 * The executor carries actions out in the order given. It answers an action that has a
 * ticket with SESSION_EVENT_DONE, at once or later. It carries out every action on the
 * kernel, even if the offer of the action was dropped meanwhile.
 */
enum session_action_type {
	SESSION_ACTION_SEND,
	SESSION_ACTION_RINGS,
	SESSION_ACTION_RECONCILE,
	SESSION_ACTION_INVITE,
	SESSION_ACTION_PREPARE,
	SESSION_ACTION_FETCH,
	SESSION_ACTION_INSTALL_RX,
	SESSION_ACTION_INSTALL_TX,
	SESSION_ACTION_DELETE,
	SESSION_ACTION_DROP_TX,
	SESSION_ACTION_DROP_RX,
	SESSION_ACTION_RESTART_CHAIN,
	SESSION_ACTION_LEFT,
	SESSION_ACTION_NOTE,
};

/**
 * enum session_note - events for the log
 * @SESSION_NOTE_READY: the session is open, offers can be made
 * @SESSION_NOTE_AGREED: an offer was confirmed and its keys are installed
 * @SESSION_NOTE_REFUSED: the peer refused our offer, or we could not prepare it
 * @SESSION_NOTE_REJECTED: we refused the peer's offer
 * @SESSION_NOTE_NO_VERSION: no version of the protocol in common: blocked
 * @SESSION_NOTE_NO_SOURCE: the policies have no source in common: blocked
 * @SESSION_NOTE_NO_SUITE: the suite of the connection is too low for an end: blocked
 * @SESSION_NOTE_NO_PSK: the pre-shared secrets of the ends are not the same: blocked
 * @SESSION_NOTE_NO_CHAIN: a chain starts from zero, which an end does not accept: blocked
 * @SESSION_NOTE_NO_EPOCH: the kernel would accept no further epoch: blocked
 * @SESSION_NOTE_VIOLATION: the peer broke the protocol: starting over
 * @SESSION_NOTE_TIMEOUT: the peer or the kernel did not answer in time: starting over
 * @SESSION_NOTE_FAILED: the ends may hold different keys: starting over
 */
enum session_note {
	SESSION_NOTE_READY,
	SESSION_NOTE_AGREED,
	SESSION_NOTE_REFUSED,
	SESSION_NOTE_REJECTED,
	SESSION_NOTE_NO_VERSION,
	SESSION_NOTE_NO_SOURCE,
	SESSION_NOTE_NO_SUITE,
	SESSION_NOTE_NO_PSK,
	SESSION_NOTE_NO_CHAIN,
	SESSION_NOTE_NO_EPOCH,
	SESSION_NOTE_VIOLATION,
	SESSION_NOTE_TIMEOUT,
	SESSION_NOTE_FAILED,
};

/**
 * struct session_action - one action; its type says which members are valid
 */
struct session_action {
	/** @type: an enum session_action_type */
	uint8_t type;

	/** @note: an enum session_note */
	uint8_t note;

	/** @reason: an enum session_reason */
	uint8_t reason;

	/** @place: place of the KME that is the reason, 0 for none */
	uint8_t place;

	/** @sources: set of sources that both policies allow */
	uint8_t sources;

	/** @staged_only: see SESSION_ACTION_DELETE */
	bool staged_only;

	/** @ticket: names the action in SESSION_EVENT_DONE; 0 if none is wanted */
	uint64_t ticket;

	/** @offer: the offer */
	struct session_offer offer;

	/** @withdraw: the epochs */
	struct session_withdraw withdraw;

	/** @peer: the peer's STATE; valid until the next step */
	const struct session_state *peer;

	/** @msg: the message */
	struct session_msg msg;
};

/**
 * struct session_actions - the actions of one step
 */
struct session_actions {
	/** @n: number of actions */
	unsigned int n;

	/** @list: the actions, in the order in which they must be carried out */
	struct session_action list[SESSION_ACTIONS_MAX];
};

/**
 * struct session_config - what an agreement starts with
 */
struct session_config {
	/** @versions: versions that this end speaks */
	struct session_versions versions;

	/** @policy: an enum policy */
	uint8_t policy;

	/** @sources: set of sources that @policy allows */
	uint8_t sources;

	/** @suite_least: lowest suite that this end accepts */
	uint8_t suite_least;

	/** @kmes_least: least number of KMEs of a key of source qkd or hybrid, 1 or more */
	uint8_t kmes_least;

	/** @kmes_most: most KMEs of which this end puts secrets into one key, up to @n_kmes */
	uint8_t kmes_most;

	/** @n_kmes: number of KMEs that this end has */
	uint8_t n_kmes;

	/** @demands_chain: this end accepts no chain that starts from zero */
	bool demands_chain;

	/** @generation: random, so that the peer notices a restart of the agent */
	uint64_t generation;
};

/**
 * enum session_phase - phase of the session; see PROTOCOL.md, section 3
 * @SESSION_PHASE_DOWN: no connection
 * @SESSION_PHASE_PAUSE: waits before it starts over
 * @SESSION_PHASE_HELLO: waits for the peer's HELLO
 * @SESSION_PHASE_RINGS: waits for the kernel to report the rings
 * @SESSION_PHASE_STATE: waits for the peer's STATE
 * @SESSION_PHASE_RECONCILE: waits for the kernel to delete keys
 * @SESSION_PHASE_READY: offers can be made
 * @SESSION_PHASE_BLOCKED: a demand of an end is not met; waits for another HELLO
 */
enum session_phase {
	SESSION_PHASE_DOWN,
	SESSION_PHASE_PAUSE,
	SESSION_PHASE_HELLO,
	SESSION_PHASE_RINGS,
	SESSION_PHASE_STATE,
	SESSION_PHASE_RECONCILE,
	SESSION_PHASE_READY,
	SESSION_PHASE_BLOCKED,
};

/**
 * enum session_step - step of an offer, ours (tx) or the peer's (rx)
 * @SESSION_STEP_IDLE: there is no offer
 * @SESSION_STEP_INVITING: rx: our KEM key is being made
 * @SESSION_STEP_INVITED: rx: the peer may offer
 * @SESSION_STEP_PREPARING: tx: key IDs and secrets are being taken
 * @SESSION_STEP_OFFERED: tx: OFFER is sent
 * @SESSION_STEP_FETCHING: rx: the keys of the offer are being fetched
 * @SESSION_STEP_INSTALLING: tx and rx: the kernel is installing the keys
 */
enum session_step {
	SESSION_STEP_IDLE,
	SESSION_STEP_INVITING,
	SESSION_STEP_INVITED,
	SESSION_STEP_PREPARING,
	SESSION_STEP_OFFERED,
	SESSION_STEP_FETCHING,
	SESSION_STEP_INSTALLING,
};

/**
 * struct session_half - one direction of the agreement
 */
struct session_half {
	/** @step: an enum session_step */
	uint8_t step;

	/** @want_source: tx: source of the keys that are wanted, an enum qlink_source */
	uint8_t want_source;

	/** @most: tx: number of epochs of an offer, at most: few after offers were lost */
	uint8_t most;

	/** @want: tx: number of keys that are wanted */
	uint32_t want;

	/** @offer: the current offer */
	struct session_offer offer;

	/** @done: number of the last offer that was settled, 0 if none was */
	uint64_t done;

	/** @invite: number of the current invitation, 0 if there is none */
	uint64_t invite;

	/** @newest: every epoch up to this one is in use or was offered */
	uint64_t newest;

	/** @ticket: of the action that @step waits for, 0 for none */
	uint64_t ticket;

	/** @until: time in ms at which waiting ends, 0 for never */
	uint64_t until;

	/** @not_before: tx: time in ms before which no offer is made, after one was refused */
	uint64_t not_before;
};

/**
 * struct session_pending - a withdrawal
 */
struct session_pending {
	/** @withdraw: what is withdrawn */
	struct session_withdraw withdraw;

	/** @is_open: the withdrawal is under way */
	bool is_open;

	/** @ticket: of the deletion that it waits for, 0 for none */
	uint64_t ticket;

	/** @until: time in ms at which waiting ends, 0 for never */
	uint64_t until;
};

/**
 * struct session_leave - how far a session has come that leaves its connection
 */
struct session_leave {
	/** @is_wanted: SESSION_EVENT_LEAVE came; it holds over sessions of this connection */
	bool is_wanted;

	/** @has_said: LEAVE was sent in this session */
	bool has_said;

	/** @has_heard: the peer's LEAVE came in this session */
	bool has_heard;

	/** @has_left: nothing is in flight, see SESSION_ACTION_LEFT */
	bool has_left;

	/** @until: time in ms at which waiting for another connection ends, 0 for never */
	uint64_t until;
};

/**
 * struct session - the agreement of one link
 *
 * Only session.c and offer.c use its members; others may read @phase, @version, @sources, @suite,
 * @kmes_least and @leave. Keys are installed to send only after the peer has confirmed that it holds
 * them.
 */
struct session {
	/** @config: as given to session_init() */
	struct session_config config;

	/** @phase: an enum session_phase */
	uint8_t phase;

	/** @version: version of the protocol in this session */
	uint8_t version;

	/** @sources: set of sources that both ends allow in this session */
	uint8_t sources;

	/** @suite: of the connection */
	uint8_t suite;

	/** @kmes_least: least number of KMEs that an end demands in this session */
	uint8_t kmes_least;

	/** @has_state: the peer's STATE has arrived: @peer is valid */
	bool has_state;

	/** @generation: our generation */
	uint64_t generation;

	/** @peer_generation: the peer's generation, 0 while unknown */
	uint64_t peer_generation;

	/** @peer_versions: versions from the peer's HELLO */
	struct session_versions peer_versions;

	/** @last_id: last number given to a ticket, an invitation or a withdrawal */
	uint64_t last_id;

	/** @ticket: ticket of RINGS or RECONCILE, 0 for none */
	uint64_t ticket;

	/** @until: time in ms at which this phase times out, 0 for never */
	uint64_t until;

	/** @own: our STATE of this session */
	struct session_state own;

	/** @peer: the peer's STATE of this session */
	struct session_state peer;

	/** @tx: our sending direction */
	struct session_half tx;

	/** @rx: our receiving direction */
	struct session_half rx;

	/** @own_withdrawal: the withdrawal that we asked for */
	struct session_pending own_withdrawal;

	/** @peer_withdrawal: the withdrawal that the peer asked for */
	struct session_pending peer_withdrawal;

	/** @leave: whether it leaves its connection */
	struct session_leave leave;

	/** @costly_until: time in ms by which the budget of costly messages is full again */
	uint64_t costly_until;

	/** @n_stale: number of messages of an earlier session, which were ignored */
	uint64_t n_stale;
};

#endif
