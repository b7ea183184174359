/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an agent has of one link: its agreement, its QKD keys, its device. */
#ifndef QLINKD_LINK_H
#define QLINKD_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/secret.h"
#include "libqlink/event.h"
#include "qlinkd/agreement/policy.h"
#include "qlinkd/agreement/session.h"
#include "qlinkd/config/config.h"
#include "qlinkd/secrets/exchange.h"
#include "qlinkd/services.h"
#include "stock.h"

#define LINK_WHY_BYTES	160

/**
 * struct link_counters - what a link has gone through
 */
struct link_counters {
	/** @sessions: that became ready */
	uint64_t sessions;

	/** @offers: of ours that were confirmed */
	uint64_t offers;

	/** @offers_refused: of ours that were refused, or came to nothing here */
	uint64_t offers_refused;

	/** @offers_rejected: of the peer's that we refused */
	uint64_t offers_rejected;

	/** @violations: the peer said what it must not */
	uint64_t violations;

	/** @timeouts: sessions that ended because somebody was silent */
	uint64_t timeouts;

	/** @failures: sessions that ended because keys might have differed, or the kernel
	 * refused
	 */
	uint64_t failures;

	/** @chain_restarts: of the sending chain */
	uint64_t chain_restarts;

	/** @source_changes: of the keys that we offer */
	uint64_t source_changes;

	/** @tx_keys: installed to send, by source */
	uint64_t tx_keys[QLINK_SOURCE_STATIC];

	/** @rx_keys: installed to receive, by source */
	uint64_t rx_keys[QLINK_SOURCE_STATIC];

	/** @keys_burned: that a KME may have given away and nobody has */
	uint64_t keys_burned;

	/** @records_lost: of keys that went, overwritten before they were read */
	uint64_t records_lost;
};

/**
 * struct link_counter - a counter that is one number
 */
struct link_counter {
	/** @name: a word with underscores; %NULL ends the list */
	const char *name;

	/** @offset: in struct link_counters */
	size_t offset;
};

/* All of them but keys by source. */
extern const struct link_counter link_counters[];

/**
 * struct link_ops - what a link needs of its owner
 */
struct link_ops {
	/** @say: send bytes to the peer; what cannot be sent ends the connection */
	void (*say)(void *arg, const uint8_t *data, size_t len);

	/** @kick: call link_run() soon, whatever link_deadline() said before */
	void (*kick)(void *arg);
};

struct link_act;
struct link_choose;
struct link_run;

/**
 * struct link - one link
 *
 * Members are for run.c, act.c and choose.c; others only read them. What one of
 * these files needs for itself is in @run, @act and @choose.
 */
struct link {
	/** @run: what drives it, of run.c */
	struct link_run *run;

	/** @act: what carries out actions, of act.c */
	struct link_act *act;

	/** @choose: what chooses source and pace, of choose.c */
	struct link_choose *choose;

	/** @config: as in the file; outlives the link */
	const struct config_link *config;

	/** @services: outlive the link */
	struct services *services;

	/** @ops: of the owner */
	struct link_ops ops;

	/** @arg: for @ops */
	void *arg;

	/** @id: link id of its device, 0 while there is none */
	uint16_t id;

	/** @session: the agreement */
	struct session session;

	/** @exchange: what offers are made of */
	struct exchange *exchange;

	/** @stock: of QKD keys */
	struct stock *stock;

	/** @is_unsure: keys that nobody waits for could not be deleted: the ends may hold
	 * different ones
	 */
	bool is_unsure;

	/** @choice: the source of our offers */
	struct policy_choice choice;

	/** @view: the device as it was seen last, corrected by events */
	struct qlink_link view;

	/** @has_view: @view counts */
	bool has_view;

	/** @period_ms: as the kernel was told, 0 for not yet */
	uint32_t period_ms;

	/** @counters: what happened so far */
	struct link_counters counters;

	/** @why: what is in the way, empty for nothing */
	char why[LINK_WHY_BYTES];
};

/**
 * link_look() - see what the device is like
 * @link: its @view is filled in
 *
 * Return: 0, or a negative errno, which @why of the link tells.
 */
int link_look(struct link *link);

/**
 * link_counter() - read a counter
 * @link: the link
 * @counter: which, of link_counters
 *
 * Return: its value.
 */
uint64_t link_counter(const struct link *link, const struct link_counter *counter);

/**
 * link_phase_name() - say how far the agreement is
 * @link: the link
 *
 * Return: a word.
 */
const char *link_phase_name(const struct link *link);

#endif
