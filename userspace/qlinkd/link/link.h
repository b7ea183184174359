/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One link of the agent: its agreement with the peer, its QKD keys, its device. */
#ifndef QLINKD_LINK_H
#define QLINKD_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/secret.h"
#include "libqlink/event.h"
#include "libqlink/protection.h"
#include "qlinkd/agreement/policy.h"
#include "qlinkd/agreement/session.h"
#include "qlinkd/config/config.h"
#include "qlinkd/secrets/exchange.h"
#include "qlinkd/services.h"
#include "stocks.h"
#include "usage.h"

/* The rule that was broken, with a word or two of what broke it before it. */
#define LINK_WHY_BYTES	(sizeof(struct qlink_why) + 40)

/**
 * DOC: Words
 *
 * - link: a qlink device and its peer, as the agent keys it.
 * - session: the agreement of both ends on keys, see agreement/agreement.h.
 * - run: calls the rest when a message, an answer, an event or the clock asks for it.
 * - act: carries out the actions that the session returns.
 * - choose: picks the source of the keys, how many to stage, and the rekey period.
 * - stocks, stock: the QKD keys that KMEs delivered and no offer has used, see stocks.h. A key is
 *   usable while the peer can fetch it, as far as is known.
 * - view: the device as the kernel last described it.
 */

/**
 * struct link_counters - counters of a link
 */
struct link_counters {
	/** @sessions: sessions that became ready */
	uint64_t sessions;

	/** @offers: our offers that the peer confirmed */
	uint64_t offers;

	/** @offers_refused: our offers that the peer refused, or that failed at this end */
	uint64_t offers_refused;

	/** @offers_rejected: offers of the peer that this end rejected */
	uint64_t offers_rejected;

	/** @violations: messages of the peer that break the protocol */
	uint64_t violations;

	/** @timeouts: sessions that ended because an answer did not come in time */
	uint64_t timeouts;

	/** @failures: sessions that ended because the ends might hold different keys, or
	 * because the kernel refused a request
	 */
	uint64_t failures;

	/** @chain_restarts: restarts of the sending chain */
	uint64_t chain_restarts;

	/** @peer_chain_restarts: offers of the peer for which its sending chain was restarted */
	uint64_t peer_chain_restarts;

	/** @source_changes: changes of the source of keys that this end offers */
	uint64_t source_changes;

	/** @peer_source_changes: changes of the source of keys that the peer offers */
	uint64_t peer_source_changes;

	/** @tx_keys: transmit keys installed, by source */
	uint64_t tx_keys[QLINK_SOURCE_STATIC];

	/** @rx_keys: receive keys installed, by source */
	uint64_t rx_keys[QLINK_SOURCE_STATIC];

	/** @keys_burned: keys that a KME may have delivered and neither end will use */
	uint64_t keys_burned;

	/** @keys_expired: QKD keys that were wiped for their age before they were offered */
	uint64_t keys_expired;

	/** @keys_refused: keys of a KME that were not taken: seen before, or of a wrong length */
	uint64_t keys_refused;

	/** @records_lost: records of keys that the kernel overwrote before they were read */
	uint64_t records_lost;
};

/**
 * struct link_counter - the name and place of a counter
 */
struct link_counter {
	/** @name: words with underscores; %NULL ends the list */
	const char *name;

	/** @help: what it counts */
	const char *help;

	/** @offset: in struct link_counters */
	size_t offset;
};

/* All counters but the keys by source. */
extern const struct link_counter link_counters[];

/**
 * struct link_ops - what a link calls of its owner
 */
struct link_ops {
	/** @say: send bytes to the peer; a failure ends the connection */
	void (*say)(void *arg, const uint8_t *data, size_t len);

	/** @kick: call link_run() soon, whatever link_deadline() returned before */
	void (*kick)(void *arg);

	/** @hang_up: end the connection to the peer; link_disconnect() is called later */
	void (*hang_up)(void *arg, const char *why);

	/**
	 * @left: nothing is in flight on the connection, and no offer follows: the link may change
	 * to another one, but not during the call
	 */
	void (*left)(void *arg);

	/**
	 * @taken_by: name the device of another link to the same peer that has a link id, or
	 * return %NULL; messages of two such links could not be told apart
	 */
	const char *(*taken_by)(void *arg, uint16_t id);
};

/**
 * struct link_kept - what waits until the chains of a link are on the disk
 */
struct link_kept {
	/** @tickets: of the actions that wait for it, to receive and to send; 0 for none */
	uint64_t tickets[2];

	/** @until: when they wait no longer, ms; 0 if none waits */
	uint64_t until;

	/** @is_slow: the disk took too long, and has not caught up yet: nothing waits for it */
	bool is_slow;
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

	/** @config: its section of the file; must outlive the link */
	const struct config_link *config;

	/** @services: must outlive the link */
	struct services *services;

	/** @ops: the owner's */
	struct link_ops ops;

	/** @arg: argument of @ops */
	void *arg;

	/** @id: link id of its device, 0 while the device does not exist */
	uint16_t id;

	/** @session: its agreement with the peer */
	struct session session;

	/** @exchange: secrets of the offers; secret memory of run.c */
	struct exchange *exchange;

	/** @stocks: of QKD keys */
	struct stocks *stocks;

	/** @kept: of keptchain.c */
	struct link_kept kept;

	/** @is_unsure: the kernel did not delete keys that had to go, so that the ends may
	 * hold different keys; the session starts over
	 */
	bool is_unsure;

	/** @choice: the source of keys that this end offers */
	struct policy_choice choice;

	/** @view: the device as last read, updated by events */
	struct qlink_link view;

	/** @view_at: when @view was last read or updated, as services_now() */
	uint64_t view_at;

	/** @key_since: time in ms of the first frame under the active transmit key, as @view tells */
	uint64_t key_since;

	/** @has_view: @view is valid */
	bool has_view;

	/** @period_ms: rekey period set in the kernel, 0 if none is set yet */
	uint32_t period_ms;

	/** @counters: what happened so far */
	struct link_counters counters;

	/** @usage: of QKD keys by the transmit keys */
	struct usage usage;

	/** @why: what keeps the link from agreeing on keys; empty if nothing does */
	char why[LINK_WHY_BYTES];
};

/**
 * link_look() - read the state of the device
 * @link: its @view is filled in
 *
 * Return: 0, or a negative errno with @why of the link filled in.
 */
int link_look(struct link *link);

/**
 * link_counter() - read a counter
 * @link: the link
 * @counter: an entry of link_counters
 *
 * Return: its value.
 */
uint64_t link_counter(const struct link *link, const struct link_counter *counter);

/**
 * link_phase_name() - name the phase of the session
 * @link: the link
 *
 * Return: a word.
 */
const char *link_phase_name(const struct link *link);

/**
 * link_protection() - say how well a link protects frames, as the agent has seen it last
 * @link: the link
 * @lacks: out, bits of enum qlink_lack; 0 unless degraded
 *
 * Return: its protection; QLINK_BLOCKED if the device was not seen.
 */
enum qlink_protection link_protection(const struct link *link, uint32_t *lacks);

#endif
