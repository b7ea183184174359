/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an agreement is made of: messages, events, actions, its state. */
#ifndef QLINKD_AGREEMENT_H
#define QLINKD_AGREEMENT_H

#include <stdbool.h>
#include <stdint.h>

#define SESSION_RING_ID_BYTES	16
#define SESSION_EPOCH_MAX		281474976710655ULL
/* The kernel takes no epoch further ahead of the newest than this. */
#define SESSION_EPOCH_LEAP	(1ULL << 32)
/* Runs of epochs that one ring may be said to hold. */
#define SESSION_RANGES_MAX	16
/* Epochs of one offer. */
#define SESSION_OFFER_MAX		64
#define SESSION_ACTIONS_MAX	12

/* Never: no timer is wanted. */
#define SESSION_NO_DEADLINE	UINT64_MAX

/* How long what is waited for may take, in ms. */
#define SESSION_OPEN_MS	5000
#define SESSION_FETCH_MS		15000
#define SESSION_OFFER_MS		30000
#define SESSION_WITHDRAW_MS	5000
/* After something went wrong, before it is tried again. */
#define SESSION_PAUSE_MS		1000

/**
 * enum session_message - what the ends say; numbers are the protocol's
 * @SESSION_MESSAGE_HELLO: versions and generation; opens a session
 * @SESSION_MESSAGE_STATE: policy, rings and chains
 * @SESSION_MESSAGE_INVITE: the receiver's KEM key and nonce for one offer
 * @SESSION_MESSAGE_OFFER: key IDs, ciphertext and nonce of the sender
 * @SESSION_MESSAGE_CONFIRM: the receiver holds the keys
 * @SESSION_MESSAGE_REFUSE: the receiver does not, and why
 * @SESSION_MESSAGE_WITHDRAW: epochs that must not be used any more
 * @SESSION_MESSAGE_WITHDRAWN: they are gone
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
};

/**
 * enum session_reason - why something did not come about; the protocol's
 * @SESSION_REASON_NONE: no reason given
 * @SESSION_REASON_SOURCE: a source that the policies do not both allow
 * @SESSION_REASON_EPOCH: an epoch that is not above all that were held
 * @SESSION_REASON_CHAIN: a chain that the receiver does not hold
 * @SESSION_REASON_KEY_ID: a key ID that its KME does not have
 * @SESSION_REASON_KME: its KME does not answer
 * @SESSION_REASON_KEM: a ciphertext that cannot be opened
 * @SESSION_REASON_KERNEL: the kernel refused the keys
 * @SESSION_REASON_TIMEOUT: it took too long
 * @SESSION_REASON_CONFIRM: the key confirmation was wrong
 * @SESSION_REASON_POLICY: the policy changed
 * @SESSION_REASON_LIMIT: a limit of the key is reached
 * @SESSION_REASON_COMMAND: somebody said so
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
	SESSION_N_REASONS,
};

/**
 * enum session_direction - a direction as the one who speaks sees it
 * @SESSION_DIRECTION_TX: what the speaker sends
 * @SESSION_DIRECTION_RX: what the speaker receives
 */
enum session_direction {
	SESSION_DIRECTION_TX,
	SESSION_DIRECTION_RX,
};

/**
 * struct session_range - a run of epochs
 */
struct session_range {
	/** @first: its first epoch, above 0 */
	uint64_t first;

	/** @last: its last, not below @first */
	uint64_t last;
};

/**
 * struct session_ring - what the kernel says of one ring
 *
 * Who holds more runs than fit deletes the oldest before it says so.
 */
struct session_ring {
	/** @id: from the kernel, new when the ring was wiped */
	uint8_t id[SESSION_RING_ID_BYTES];

	/** @newest: the highest epoch ever held, 0 for none */
	uint64_t newest;

	/** @held: runs of epochs held, ascending, none touching the next */
	struct session_range held[SESSION_RANGES_MAX];

	/** @n_held: how many of @held count */
	uint8_t n_held;
};

/**
 * struct session_rings - both rings of a link
 */
struct session_rings {
	/** @tx: keys that the speaker seals with */
	struct session_ring tx;

	/** @rx: keys that it opens with */
	struct session_ring rx;
};

/**
 * struct session_versions - versions of the protocol that an end speaks
 */
struct session_versions {
	/** @min: the floor that it was configured with, above 0 */
	uint8_t min;

	/** @max: the highest */
	uint8_t max;
};

/**
 * struct session_state - what an end says of itself in STATE
 */
struct session_state {
	/** @rings: its rings */
	struct session_rings rings;

	/** @versions: once more, now under the session's digest */
	struct session_versions versions;

	/** @policy: an enum policy */
	uint8_t policy;

	/** @sources: the set that @policy allows, see policy_sources() */
	uint8_t sources;
};

/**
 * struct session_offer - what an offer is about
 */
struct session_offer {
	/** @id: counted up by the sender, from 1 in each session */
	uint64_t id;

	/** @invite: the receiver's invitation that it uses up */
	uint64_t invite;

	/** @first: the first epoch */
	uint64_t first;

	/** @n: how many epochs, 1 to SESSION_OFFER_MAX */
	uint8_t n;

	/** @source: an enum qlink_source */
	uint8_t source;
};

/**
 * struct session_withdraw - epochs that must not be used any more
 */
struct session_withdraw {
	/** @id: counted up by who asks */
	uint64_t id;

	/** @range: the epochs */
	struct session_range range;

	/** @direction: an enum session_direction, as who asks sees it */
	uint8_t direction;

	/** @reason: an enum session_reason */
	uint8_t reason;
};

/**
 * struct session_msg - a message as far as the agreement looks into it
 *
 * Key IDs, KEM keys, nonces and chains belong to whoever carries out actions.
 */
struct session_msg {
	/** @type: an enum session_message */
	uint8_t type;

	/**
	 * @is_good: what the carrier found out: the digest of the session is
	 * right (INVITE, OFFER), or the key confirmation is (CONFIRM)
	 */
	bool is_good;

	/** @from: generation of who speaks, above 0 */
	uint64_t from;

	/** @to: generation of the other end as the speaker knows it, or 0 */
	uint64_t to;

	/** @reason: of REFUSE, an enum session_reason */
	uint8_t reason;

	union {
		/** @versions: HELLO */
		struct session_versions versions;

		/** @state: STATE */
		struct session_state state;

		/** @invite: INVITE: its number, above 0 */
		uint64_t invite;

		/** @offer: OFFER; for CONFIRM and REFUSE only its id */
		struct session_offer offer;

		/** @withdraw: WITHDRAW, WITHDRAWN */
		struct session_withdraw withdraw;
	};
};

/**
 * enum session_event_type - what happens to an agreement
 * @SESSION_EVENT_CONNECTED: the peer can be spoken to
 * @SESSION_EVENT_DISCONNECTED: it cannot any more
 * @SESSION_EVENT_TICK: time has passed
 * @SESSION_EVENT_MESSAGE: the peer said something: @msg
 * @SESSION_EVENT_WANT: so many keys of this source are wanted to send: @n, @source
 * @SESSION_EVENT_WITHDRAW: stop using these epochs: @withdraw
 * @SESSION_EVENT_RESTART: start over, as after the kernel wiped the rings
 * @SESSION_EVENT_DONE: an action with a ticket was carried out: @ticket, @is_ok
 */
enum session_event_type {
	SESSION_EVENT_CONNECTED,
	SESSION_EVENT_DISCONNECTED,
	SESSION_EVENT_TICK,
	SESSION_EVENT_MESSAGE,
	SESSION_EVENT_WANT,
	SESSION_EVENT_WITHDRAW,
	SESSION_EVENT_RESTART,
	SESSION_EVENT_DONE,
};

/**
 * struct session_event - one event
 */
struct session_event {
	/** @type: an enum session_event_type */
	uint8_t type;

	/** @is_ok: whether the action succeeded */
	bool is_ok;

	/** @reason: why not, an enum session_reason */
	uint8_t reason;

	/** @source: of the keys that are wanted, an enum qlink_source */
	uint8_t source;

	/** @n: keys wanted, 0 for none any more; epochs prepared */
	uint32_t n;

	/** @ticket: of the action that is done */
	uint64_t ticket;

	/** @msg: what the peer said; read during the call only */
	const struct session_msg *msg;

	/** @rings: what RINGS found out; read during the call only */
	const struct session_rings *rings;

	/** @withdraw: what to withdraw; its id is not read */
	struct session_withdraw withdraw;
};

/**
 * enum session_action_type - what is to be done, in the order given
 * @SESSION_ACTION_SEND: tell the peer @msg, with what belongs to it
 * @SESSION_ACTION_RINGS: ask the kernel for both rings; ticket
 * @SESSION_ACTION_RECONCILE: delete transmit keys outside @peer's receive ring,
 *	and staged receive keys newer than the current one outside its transmit
 *	ring; accept only @sources; restart the sending chain unless the peer named
 *	it. All keys go if @sources is empty. Ticket
 * @SESSION_ACTION_INVITE: make a KEM key and a nonce; ticket
 * @SESSION_ACTION_PREPARE: find QKD keys, encapsulate, derive, for at most @offer.n
 *	epochs; answer with how many, or with SESSION_REASON_KEM if the peer's KEM key
 *	is none. Ticket
 * @SESSION_ACTION_FETCH: fetch the keys of @offer by ID and derive; ticket
 * @SESSION_ACTION_INSTALL_RX: install what was derived to receive, all or none, and
 *	advance the receiving chain if that succeeds; ticket
 * @SESSION_ACTION_INSTALL_TX: advance the sending chain and install to send;
 *	ticket
 * @SESSION_ACTION_DELETE: delete the epochs of @withdraw, its direction as seen
 *	from here; only keys newer than the current one if @staged_only. Ticket, or
 *	0 where nobody waits
 * @SESSION_ACTION_DROP_TX: wipe what was prepared or offered; its key IDs are spent
 * @SESSION_ACTION_DROP_RX: wipe the invitation, and what was fetched for an offer
 * @SESSION_ACTION_RESTART_CHAIN: restart the sending chain
 * @SESSION_ACTION_NOTE: tell people: @note, @reason
 *
 * One with a ticket is answered with SESSION_EVENT_DONE, now or later. What
 * touches the kernel is carried out in the order given, dropped or not.
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
	SESSION_ACTION_NOTE,
};

/**
 * enum session_note - what people should hear of
 * @SESSION_NOTE_READY: the session is open, offers can be made
 * @SESSION_NOTE_AGREED: an offer was confirmed and its keys are installed
 * @SESSION_NOTE_REFUSED: the peer refused our offer
 * @SESSION_NOTE_REJECTED: we refused the peer's
 * @SESSION_NOTE_NO_VERSION: no version of the protocol in common: blocked
 * @SESSION_NOTE_NO_SOURCE: the policies have no source in common: blocked
 * @SESSION_NOTE_NO_EPOCH: no epoch is left that the kernel would take: blocked
 * @SESSION_NOTE_VIOLATION: the peer said what it must not: starting over
 * @SESSION_NOTE_TIMEOUT: the peer or the kernel is silent: starting over
 * @SESSION_NOTE_FAILED: the ends may hold different keys: starting over
 */
enum session_note {
	SESSION_NOTE_READY,
	SESSION_NOTE_AGREED,
	SESSION_NOTE_REFUSED,
	SESSION_NOTE_REJECTED,
	SESSION_NOTE_NO_VERSION,
	SESSION_NOTE_NO_SOURCE,
	SESSION_NOTE_NO_EPOCH,
	SESSION_NOTE_VIOLATION,
	SESSION_NOTE_TIMEOUT,
	SESSION_NOTE_FAILED,
};

/**
 * struct session_action - one thing to be done
 */
struct session_action {
	/** @type: an enum session_action_type */
	uint8_t type;

	/** @note: an enum session_note */
	uint8_t note;

	/** @reason: an enum session_reason */
	uint8_t reason;

	/** @sources: what both policies allow */
	uint8_t sources;

	/** @staged_only: see SESSION_ACTION_DELETE */
	bool staged_only;

	/** @ticket: to be named when it is done; 0 for no answer */
	uint64_t ticket;

	/** @offer: the offer */
	struct session_offer offer;

	/** @withdraw: the epochs */
	struct session_withdraw withdraw;

	/** @peer: the peer's STATE; lives until the next step */
	const struct session_state *peer;

	/** @msg: the message */
	struct session_msg msg;
};

/**
 * struct session_actions - what one step asks for
 */
struct session_actions {
	/** @n: how many */
	unsigned int n;

	/** @list: the actions, to be carried out in this order */
	struct session_action list[SESSION_ACTIONS_MAX];
};

/**
 * struct session_config - what an agreement starts with
 */
struct session_config {
	/** @versions: what this end speaks */
	struct session_versions versions;

	/** @policy: an enum policy */
	uint8_t policy;

	/** @sources: what @policy allows */
	uint8_t sources;

	/** @generation: random, so that a restarted agent is told apart */
	uint64_t generation;
};

/**
 * enum session_phase - how far the session is; see PROTOCOL.md, section 3
 * @SESSION_PHASE_DOWN: no connection
 * @SESSION_PHASE_PAUSE: waits before it starts over
 * @SESSION_PHASE_HELLO: waits for the peer's HELLO
 * @SESSION_PHASE_RINGS: waits for the kernel to tell the rings
 * @SESSION_PHASE_STATE: waits for the peer's STATE
 * @SESSION_PHASE_RECONCILE: waits for the kernel to delete keys
 * @SESSION_PHASE_READY: offers can be made
 * @SESSION_PHASE_BLOCKED: nothing in common; waits for another HELLO
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
 * enum session_step - how far an offer is, ours or the peer's
 * @SESSION_STEP_IDLE: there is none
 * @SESSION_STEP_INVITING: ours to receive: a KEM key is being made
 * @SESSION_STEP_INVITED: ours to receive: the peer may offer
 * @SESSION_STEP_PREPARING: ours to send: key IDs and secrets are being found
 * @SESSION_STEP_OFFERED: ours to send: the peer has it
 * @SESSION_STEP_FETCHING: the peer's: its keys are being fetched
 * @SESSION_STEP_INSTALLING: either: the kernel is being told
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

	/** @want_source: of the keys wanted to send */
	uint8_t want_source;

	/** @want: keys wanted to send */
	uint32_t want;

	/** @offer: the one in hand */
	struct session_offer offer;

	/** @done: id of the last offer that was settled, 0 for none */
	uint64_t done;

	/** @invite: the invitation in hand, 0 for none */
	uint64_t invite;

	/** @newest: every epoch up to here is spoken for */
	uint64_t newest;

	/** @ticket: of the action that is waited for, 0 for none */
	uint64_t ticket;

	/** @until: when waiting ends, 0 for never */
	uint64_t until;

	/** @not_before: no offer before this, after one was refused */
	uint64_t not_before;
};

/**
 * struct session_pending - a withdrawal that is under way
 */
struct session_pending {
	/** @withdraw: what is withdrawn */
	struct session_withdraw withdraw;

	/** @is_open: it is under way */
	bool is_open;

	/** @ticket: of the deletion that is waited for, 0 for none */
	uint64_t ticket;

	/** @until: when waiting for the peer ends, 0 for never */
	uint64_t until;
};

/**
 * struct session - the agreement of one link
 *
 * Its members are for session.c and offer.c; others may look at @phase, @version
 * and @sources. Keys are installed to send only after the peer confirmed that
 * it holds them.
 */
struct session {
	/** @config: as given */
	struct session_config config;

	/** @phase: an enum session_phase */
	uint8_t phase;

	/** @version: of the protocol in this session */
	uint8_t version;

	/** @sources: what both ends allow in this session */
	uint8_t sources;

	/** @has_state: @peer counts */
	bool has_state;

	/** @generation: ours */
	uint64_t generation;

	/** @peer_generation: the peer's, 0 while unknown */
	uint64_t peer_generation;

	/** @peer_versions: as the peer's HELLO had it */
	struct session_versions peer_versions;

	/** @last_id: for tickets, invitations and withdrawals */
	uint64_t last_id;

	/** @ticket: of RINGS or RECONCILE, 0 for none */
	uint64_t ticket;

	/** @until: when waiting of this phase ends, 0 for never */
	uint64_t until;

	/** @own: our STATE of this session */
	struct session_state own;

	/** @peer: the peer's */
	struct session_state peer;

	/** @tx: our sending direction */
	struct session_half tx;

	/** @rx: our receiving direction */
	struct session_half rx;

	/** @asked: the withdrawal that we asked for */
	struct session_pending asked;

	/** @told: the one that the peer asked for */
	struct session_pending told;

	/** @n_stale: messages of an earlier session, which were ignored */
	uint64_t n_stale;
};

#endif
