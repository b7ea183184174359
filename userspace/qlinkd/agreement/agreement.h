/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an agreement is made of: messages, events, actions, its state. */
#ifndef QLINKD_AGREEMENT_H
#define QLINKD_AGREEMENT_H

#include <stdbool.h>
#include <stdint.h>

#define REKEY_RING_ID_BYTES	16
#define REKEY_EPOCH_MAX		281474976710655ULL
/* The kernel takes no epoch further ahead of the newest than this. */
#define REKEY_EPOCH_LEAP	(1ULL << 32)
/* Runs of epochs that one ring may be said to hold. */
#define REKEY_RANGES_MAX	16
/* Epochs of one offer. */
#define REKEY_OFFER_MAX		64
#define REKEY_ACTIONS_MAX	12

/* Never: no timer is wanted. */
#define REKEY_NO_DEADLINE	UINT64_MAX

/* How long what is waited for may take, in ms. */
#define REKEY_SESSION_MS	5000
#define REKEY_FETCH_MS		15000
#define REKEY_OFFER_MS		30000
#define REKEY_WITHDRAW_MS	5000
/* After something went wrong, before it is tried again. */
#define REKEY_PAUSE_MS		1000

/**
 * enum rekey_message - what the ends say; numbers are the protocol's
 * @REKEY_MESSAGE_HELLO: versions and generation; opens a session
 * @REKEY_MESSAGE_STATE: policy, rings and chains
 * @REKEY_MESSAGE_INVITE: the receiver's KEM key and nonce for one offer
 * @REKEY_MESSAGE_OFFER: key IDs, ciphertext and nonce of the sender
 * @REKEY_MESSAGE_CONFIRM: the receiver holds the keys
 * @REKEY_MESSAGE_REFUSE: the receiver does not, and why
 * @REKEY_MESSAGE_WITHDRAW: epochs that must not be used any more
 * @REKEY_MESSAGE_WITHDRAWN: they are gone
 */
enum rekey_message {
	REKEY_MESSAGE_HELLO = 1,
	REKEY_MESSAGE_STATE = 2,
	REKEY_MESSAGE_INVITE = 3,
	REKEY_MESSAGE_OFFER = 4,
	REKEY_MESSAGE_CONFIRM = 5,
	REKEY_MESSAGE_REFUSE = 6,
	REKEY_MESSAGE_WITHDRAW = 7,
	REKEY_MESSAGE_WITHDRAWN = 8,
};

/**
 * enum rekey_reason - why something did not come about; the protocol's
 * @REKEY_REASON_NONE: no reason given
 * @REKEY_REASON_SOURCE: a source that the policies do not both allow
 * @REKEY_REASON_EPOCH: an epoch that is not above all that were held
 * @REKEY_REASON_CHAIN: a chain that the receiver does not hold
 * @REKEY_REASON_KEY_ID: a key ID that its KME does not have
 * @REKEY_REASON_KME: its KME does not answer
 * @REKEY_REASON_KEM: a ciphertext that cannot be opened
 * @REKEY_REASON_KERNEL: the kernel refused the keys
 * @REKEY_REASON_TIMEOUT: it took too long
 * @REKEY_REASON_CONFIRM: the key confirmation was wrong
 * @REKEY_REASON_POLICY: the policy changed
 * @REKEY_REASON_LIMIT: a limit of the key is reached
 * @REKEY_REASON_COMMAND: somebody said so
 */
enum rekey_reason {
	REKEY_REASON_NONE,
	REKEY_REASON_SOURCE,
	REKEY_REASON_EPOCH,
	REKEY_REASON_CHAIN,
	REKEY_REASON_KEY_ID,
	REKEY_REASON_KME,
	REKEY_REASON_KEM,
	REKEY_REASON_KERNEL,
	REKEY_REASON_TIMEOUT,
	REKEY_REASON_CONFIRM,
	REKEY_REASON_POLICY,
	REKEY_REASON_LIMIT,
	REKEY_REASON_COMMAND,
	REKEY_N_REASONS,
};

/**
 * enum rekey_direction - a direction as the one who speaks sees it
 * @REKEY_DIRECTION_TX: what the speaker sends
 * @REKEY_DIRECTION_RX: what the speaker receives
 */
enum rekey_direction {
	REKEY_DIRECTION_TX,
	REKEY_DIRECTION_RX,
};

/**
 * struct rekey_range - a run of epochs
 */
struct rekey_range {
	/** @first: its first epoch, above 0 */
	uint64_t first;

	/** @last: its last, not below @first */
	uint64_t last;
};

/**
 * struct rekey_ring - what the kernel says of one ring
 *
 * Who holds more runs than fit deletes the oldest before it says so.
 */
struct rekey_ring {
	/** @id: from the kernel, new when the ring was wiped */
	uint8_t id[REKEY_RING_ID_BYTES];

	/** @newest: the highest epoch ever held, 0 for none */
	uint64_t newest;

	/** @held: runs of epochs held, ascending, none touching the next */
	struct rekey_range held[REKEY_RANGES_MAX];

	/** @n_held: how many of @held count */
	uint8_t n_held;
};

/**
 * struct rekey_rings - both rings of a link
 */
struct rekey_rings {
	/** @tx: keys that the speaker seals with */
	struct rekey_ring tx;

	/** @rx: keys that it opens with */
	struct rekey_ring rx;
};

/**
 * struct rekey_versions - versions of the protocol that an end speaks
 */
struct rekey_versions {
	/** @min: the floor that it was configured with, above 0 */
	uint8_t min;

	/** @max: the highest */
	uint8_t max;
};

/**
 * struct rekey_state - what an end says of itself in STATE
 */
struct rekey_state {
	/** @rings: its rings */
	struct rekey_rings rings;

	/** @versions: once more, now under the session's digest */
	struct rekey_versions versions;

	/** @policy: an enum policy */
	uint8_t policy;

	/** @sources: the set that @policy allows, see policy_sources() */
	uint8_t sources;
};

/**
 * struct rekey_offer - what an offer is about
 */
struct rekey_offer {
	/** @id: counted up by the sender, from 1 in each session */
	uint64_t id;

	/** @invite: the receiver's invitation that it uses up */
	uint64_t invite;

	/** @first: the first epoch */
	uint64_t first;

	/** @n: how many epochs, 1 to REKEY_OFFER_MAX */
	uint8_t n;

	/** @source: an enum qlink_source */
	uint8_t source;
};

/**
 * struct rekey_withdraw - epochs that must not be used any more
 */
struct rekey_withdraw {
	/** @id: counted up by who asks */
	uint64_t id;

	/** @range: the epochs */
	struct rekey_range range;

	/** @direction: an enum rekey_direction, as who asks sees it */
	uint8_t direction;

	/** @reason: an enum rekey_reason */
	uint8_t reason;
};

/**
 * struct rekey_msg - a message as far as the agreement looks into it
 *
 * Key IDs, KEM keys, nonces and chains belong to whoever carries out actions.
 */
struct rekey_msg {
	/** @type: an enum rekey_message */
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

	/** @reason: of REFUSE, an enum rekey_reason */
	uint8_t reason;

	union {
		/** @versions: HELLO */
		struct rekey_versions versions;

		/** @state: STATE */
		struct rekey_state state;

		/** @invite: INVITE: its number, above 0 */
		uint64_t invite;

		/** @offer: OFFER; for CONFIRM and REFUSE only its id */
		struct rekey_offer offer;

		/** @withdraw: WITHDRAW, WITHDRAWN */
		struct rekey_withdraw withdraw;
	};
};

/**
 * enum rekey_event_type - what happens to an agreement
 * @REKEY_EVENT_CONNECTED: the peer can be spoken to
 * @REKEY_EVENT_DISCONNECTED: it cannot any more
 * @REKEY_EVENT_TICK: time has passed
 * @REKEY_EVENT_MESSAGE: the peer said something: @msg
 * @REKEY_EVENT_WANT: so many keys of this source are wanted to send: @n, @source
 * @REKEY_EVENT_WITHDRAW: stop using these epochs: @withdraw
 * @REKEY_EVENT_RESTART: start over, as after the kernel wiped the rings
 * @REKEY_EVENT_DONE: an action with a ticket was carried out: @ticket, @is_ok
 */
enum rekey_event_type {
	REKEY_EVENT_CONNECTED,
	REKEY_EVENT_DISCONNECTED,
	REKEY_EVENT_TICK,
	REKEY_EVENT_MESSAGE,
	REKEY_EVENT_WANT,
	REKEY_EVENT_WITHDRAW,
	REKEY_EVENT_RESTART,
	REKEY_EVENT_DONE,
};

/**
 * struct rekey_event - one event
 */
struct rekey_event {
	/** @type: an enum rekey_event_type */
	uint8_t type;

	/** @is_ok: whether the action succeeded */
	bool is_ok;

	/** @reason: why not, an enum rekey_reason */
	uint8_t reason;

	/** @source: of the keys that are wanted, an enum qlink_source */
	uint8_t source;

	/** @n: keys wanted, 0 for none any more; epochs prepared */
	uint32_t n;

	/** @ticket: of the action that is done */
	uint64_t ticket;

	/** @msg: what the peer said; read during the call only */
	const struct rekey_msg *msg;

	/** @rings: what RINGS found out; read during the call only */
	const struct rekey_rings *rings;

	/** @withdraw: what to withdraw; its id is not read */
	struct rekey_withdraw withdraw;
};

/**
 * enum rekey_action_type - what is to be done, in the order given
 * @REKEY_ACTION_SEND: tell the peer @msg, with what belongs to it
 * @REKEY_ACTION_RINGS: ask the kernel for both rings; ticket
 * @REKEY_ACTION_RECONCILE: delete transmit keys outside @peer's receive ring,
 *	and staged receive keys newer than the current one outside its transmit
 *	ring; accept only @sources; restart the sending chain unless the peer named
 *	it. All keys go if @sources is empty. Ticket
 * @REKEY_ACTION_INVITE: make a KEM key and a nonce; ticket
 * @REKEY_ACTION_PREPARE: find QKD keys, encapsulate, derive, for at most @offer.n
 *	epochs; answer with how many, or with REKEY_REASON_KEM if the peer's KEM key
 *	is none. Ticket
 * @REKEY_ACTION_FETCH: fetch the keys of @offer by ID and derive; ticket
 * @REKEY_ACTION_INSTALL_RX: install what was derived to receive, all or none, and
 *	advance the receiving chain if that succeeds; ticket
 * @REKEY_ACTION_INSTALL_TX: advance the sending chain and install to send;
 *	ticket
 * @REKEY_ACTION_DELETE: delete the epochs of @withdraw, its direction as seen
 *	from here; only keys newer than the current one if @staged_only. Ticket, or
 *	0 where nobody waits
 * @REKEY_ACTION_DROP_TX: wipe what was prepared or offered; its key IDs are spent
 * @REKEY_ACTION_DROP_RX: wipe the invitation, and what was fetched for an offer
 * @REKEY_ACTION_RESTART_CHAIN: restart the sending chain
 * @REKEY_ACTION_NOTE: tell people: @note, @reason
 *
 * One with a ticket is answered with REKEY_EVENT_DONE, now or later. What
 * touches the kernel is carried out in the order given, dropped or not.
 */
enum rekey_action_type {
	REKEY_ACTION_SEND,
	REKEY_ACTION_RINGS,
	REKEY_ACTION_RECONCILE,
	REKEY_ACTION_INVITE,
	REKEY_ACTION_PREPARE,
	REKEY_ACTION_FETCH,
	REKEY_ACTION_INSTALL_RX,
	REKEY_ACTION_INSTALL_TX,
	REKEY_ACTION_DELETE,
	REKEY_ACTION_DROP_TX,
	REKEY_ACTION_DROP_RX,
	REKEY_ACTION_RESTART_CHAIN,
	REKEY_ACTION_NOTE,
};

/**
 * enum rekey_note - what people should hear of
 * @REKEY_NOTE_READY: the session is open, offers can be made
 * @REKEY_NOTE_AGREED: an offer was confirmed and its keys are installed
 * @REKEY_NOTE_REFUSED: the peer refused our offer
 * @REKEY_NOTE_REFUSING: we refused the peer's
 * @REKEY_NOTE_NO_VERSION: no version of the protocol in common: blocked
 * @REKEY_NOTE_NO_SOURCE: the policies have no source in common: blocked
 * @REKEY_NOTE_NO_EPOCH: no epoch is left that the kernel would take: blocked
 * @REKEY_NOTE_VIOLATION: the peer said what it must not: starting over
 * @REKEY_NOTE_TIMEOUT: the peer or the kernel is silent: starting over
 * @REKEY_NOTE_FAILED: the ends may hold different keys: starting over
 */
enum rekey_note {
	REKEY_NOTE_READY,
	REKEY_NOTE_AGREED,
	REKEY_NOTE_REFUSED,
	REKEY_NOTE_REFUSING,
	REKEY_NOTE_NO_VERSION,
	REKEY_NOTE_NO_SOURCE,
	REKEY_NOTE_NO_EPOCH,
	REKEY_NOTE_VIOLATION,
	REKEY_NOTE_TIMEOUT,
	REKEY_NOTE_FAILED,
};

/**
 * struct rekey_action - one thing to be done
 */
struct rekey_action {
	/** @type: an enum rekey_action_type */
	uint8_t type;

	/** @note: an enum rekey_note */
	uint8_t note;

	/** @reason: an enum rekey_reason */
	uint8_t reason;

	/** @sources: what both policies allow */
	uint8_t sources;

	/** @staged_only: see REKEY_ACTION_DELETE */
	bool staged_only;

	/** @ticket: to be named when it is done; 0 for no answer */
	uint64_t ticket;

	/** @offer: the offer */
	struct rekey_offer offer;

	/** @withdraw: the epochs */
	struct rekey_withdraw withdraw;

	/** @peer: the peer's STATE; lives until the next step */
	const struct rekey_state *peer;

	/** @msg: the message */
	struct rekey_msg msg;
};

/**
 * struct rekey_actions - what one step asks for
 */
struct rekey_actions {
	/** @n: how many */
	unsigned int n;

	/** @list: the actions, to be carried out in this order */
	struct rekey_action list[REKEY_ACTIONS_MAX];
};

/**
 * struct rekey_config - what an agreement starts with
 */
struct rekey_config {
	/** @versions: what this end speaks */
	struct rekey_versions versions;

	/** @policy: an enum policy */
	uint8_t policy;

	/** @sources: what @policy allows */
	uint8_t sources;

	/** @generation: random, so that a restarted agent is told apart */
	uint64_t generation;
};

/**
 * enum rekey_phase - how far the session is; see PROTOCOL.md, section 3
 * @REKEY_PHASE_DOWN: no connection
 * @REKEY_PHASE_PAUSE: waits before it starts over
 * @REKEY_PHASE_HELLO: waits for the peer's HELLO
 * @REKEY_PHASE_RINGS: waits for the kernel to tell the rings
 * @REKEY_PHASE_STATE: waits for the peer's STATE
 * @REKEY_PHASE_RECONCILE: waits for the kernel to delete keys
 * @REKEY_PHASE_READY: offers can be made
 * @REKEY_PHASE_BLOCKED: nothing in common; waits for another HELLO
 */
enum rekey_phase {
	REKEY_PHASE_DOWN,
	REKEY_PHASE_PAUSE,
	REKEY_PHASE_HELLO,
	REKEY_PHASE_RINGS,
	REKEY_PHASE_STATE,
	REKEY_PHASE_RECONCILE,
	REKEY_PHASE_READY,
	REKEY_PHASE_BLOCKED,
};

/**
 * enum rekey_step - how far an offer is, ours or the peer's
 * @REKEY_STEP_IDLE: there is none
 * @REKEY_STEP_INVITING: ours to receive: a KEM key is being made
 * @REKEY_STEP_INVITED: ours to receive: the peer may offer
 * @REKEY_STEP_PREPARING: ours to send: key IDs and secrets are being found
 * @REKEY_STEP_OFFERED: ours to send: the peer has it
 * @REKEY_STEP_FETCHING: the peer's: its keys are being fetched
 * @REKEY_STEP_INSTALLING: either: the kernel is being told
 */
enum rekey_step {
	REKEY_STEP_IDLE,
	REKEY_STEP_INVITING,
	REKEY_STEP_INVITED,
	REKEY_STEP_PREPARING,
	REKEY_STEP_OFFERED,
	REKEY_STEP_FETCHING,
	REKEY_STEP_INSTALLING,
};

/**
 * struct rekey_half - one direction of the agreement
 */
struct rekey_half {
	/** @step: an enum rekey_step */
	uint8_t step;

	/** @want_source: of the keys wanted to send */
	uint8_t want_source;

	/** @want: keys wanted to send */
	uint32_t want;

	/** @offer: the one in hand */
	struct rekey_offer offer;

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
 * struct rekey_pending - a withdrawal that is under way
 */
struct rekey_pending {
	/** @withdraw: what is withdrawn */
	struct rekey_withdraw withdraw;

	/** @is_open: it is under way */
	bool is_open;

	/** @ticket: of the deletion that is waited for, 0 for none */
	uint64_t ticket;

	/** @until: when waiting for the peer ends, 0 for never */
	uint64_t until;
};

/**
 * struct rekey - the agreement of one link
 *
 * Its members are for rekey.c and offer.c; others may look at @phase, @version
 * and @sources. Keys are installed to send only after the peer confirmed that
 * it holds them.
 */
struct rekey {
	/** @config: as given */
	struct rekey_config config;

	/** @phase: an enum rekey_phase */
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
	struct rekey_versions peer_versions;

	/** @last_id: for tickets, invitations and withdrawals */
	uint64_t last_id;

	/** @ticket: of RINGS or RECONCILE, 0 for none */
	uint64_t ticket;

	/** @until: when waiting of this phase ends, 0 for never */
	uint64_t until;

	/** @own: our STATE of this session */
	struct rekey_state own;

	/** @peer: the peer's */
	struct rekey_state peer;

	/** @tx: our sending direction */
	struct rekey_half tx;

	/** @rx: our receiving direction */
	struct rekey_half rx;

	/** @asked: the withdrawal that we asked for */
	struct rekey_pending asked;

	/** @told: the one that the peer asked for */
	struct rekey_pending told;

	/** @n_stale: messages of an earlier session, which were ignored */
	uint64_t n_stale;
};

#endif
