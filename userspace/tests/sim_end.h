/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One end of the simulated link: its agent's session, and what the session asks for. */
#ifndef QLINK_TESTS_SIM_END_H
#define QLINK_TESTS_SIM_END_H

#include <stdbool.h>
#include <stdint.h>

#include "qlinkd/agreement/session.h"
#include "qlinkd/secrets/exchange.h"
#include "sim_ring.h"

#define SIM_OPS		32
#define SIM_OP_KEYS	SESSION_OFFER_MAX
/* KMEs of each end. */
#define SIM_KMES	2

struct sim;

/**
 * struct sim_op - an action that takes time
 */
struct sim_op {
	/** @at: when it is done */
	uint64_t at;

	/** @action: what the session asked for */
	struct session_action action;

	/** @peer: copy of what @action's peer points to */
	struct session_state peer;

	/** @keys: to install */
	struct mix_keys keys[SIM_OP_KEYS];

	/** @from: chain value that @keys were derived from */
	uint8_t from[MIX_CHAIN_BYTES];
};

/**
 * struct sim_end - an agent and its device
 */
struct sim_end {
	/** @session: under test */
	struct session session;

	/** @exchange: secrets and keys of the session */
	struct exchange exchange;

	/** @tx: keys to send with */
	struct sim_ring tx;

	/** @rx: keys to receive with */
	struct sim_ring rx;

	/** @ops: actions that are not done yet, oldest first */
	struct sim_op ops[SIM_OPS];

	/** @n_ops: how many @ops there are */
	unsigned int n_ops;

	/** @notes: how often the session noted each event */
	unsigned int notes[SESSION_NOTE_FAILED + 1];

	/** @reasons: how often it gave each reason */
	unsigned int reasons[SESSION_N_REASONS];

	/** @via: number of the connection that the link is on */
	unsigned int via;

	/** @n_left: how often the session has left a connection */
	unsigned int n_left;

	/** @n_burned: offers of this end that ended with their connection, unsettled */
	unsigned int n_burned;

	/** @n_chain_restarts: how often a chain was restarted */
	unsigned int n_chain_restarts;

	/** @kernel_fails: the kernel refuses to install keys */
	bool kernel_fails;

	/** @policy: of the next agent that starts here */
	uint8_t policy;

	/** @versions: likewise */
	struct session_versions versions;

	/** @suite_least: likewise; 0 for 1, as for @kmes_least */
	uint8_t suite_least;

	/** @kmes_least: likewise */
	uint8_t kmes_least;

	/** @demands_chain: likewise */
	bool demands_chain;

	/** @psk: likewise: its pre-shared secret, or %NULL */
	const char *psk;
};

/**
 * sim_end_start() - start an agent
 * @end: its end; the rings stay
 */
void sim_end_start(struct sim_end *end);

/**
 * sim_end_step() - let one event happen at one end
 * @sim: the simulation
 * @end: number of the end
 * @event: the event
 *
 * Return: as session_step() does.
 */
int sim_end_step(struct sim *sim, unsigned int end, const struct session_event *event);

/**
 * sim_end_finish_next() - finish the oldest action that is due
 * @sim: the simulation
 * @number: number of the end
 *
 * Return: whether there was one.
 */
bool sim_end_finish_next(struct sim *sim, unsigned int number);

#endif
