/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When an end may ask a KME that fails if both ends ask at the same time; no I/O. */
#ifndef QLINKD_TURN_H
#define QLINKD_TURN_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The length of a turn. A shorter one has no time for a TLS handshake. A longer one could make the keys
 * that a peer named come after its offer is over, see stock.c.
 */
#define TURN_MIN_MS	1000
#define TURN_MAX_MS	6000

/**
 * DOC: Turns
 *
 * Some KMEs hold a lock while they talk to their partner about keys, and wait for the partner's lock. If
 * both ends ask at the same moment, each KME waits for the other until the clients give up. To ask one
 * thing at a time does not help: that is the limit of one end. So the ends take turns.
 *
 * Wall time is cut into slots of turn-ms. Even slots belong to the end whose name is the lower, odd slots
 * to the other end. The wall clock is the only one that both ends share without a message: NTP or PTP sets
 * it at both. A message would need the peer, but a KME is asked for keys while the peer is away, too.
 *
 * ::
 *
 *	|  slot of A            |  slot of B            |  slot of A ...
 *	| A may ask |           | B may ask |           |
 *	             |<- 3/8 ->| 1/8 of a slot
 *
 * A request begins in the first half of a slot of its end, and is given up after three eighths. So it
 * ends an eighth of a slot before the other end may ask, by which the two clocks may differ.
 *
 * All requests take turns, not only those for new keys. The keys that the peer named are fetched in answer
 * to its offer, which it may send while it asks for more: a KME locks its partner for both. Requests
 * for the status lock nothing as far as is known, but are rare; and a rule without exceptions is easier to
 * check.
 *
 * Nothing is remembered from one slot to the next. A step of the clock moves the slots, and from the next
 * look at the clock on they are right again; nobody waits for longer than a slot and a half.
 *
 * The names are those of the agents, by which they also know each other in TLS, and not of their hash, as
 * for who dials. If sites have several agents at one pair of KMEs, their operator can name them so that all
 * of one site come before all of the other.
 */

/**
 * struct turn - the turns of one end at a KME
 */
struct turn {
	/** @ms: length of a slot; 0: this end may always ask */
	uint32_t ms;

	/** @is_second: this end has the odd slots */
	bool is_second;
};

/**
 * turn_init() - say whose turns are which
 * @turn: filled in
 * @ms: length of a slot, TURN_MIN_MS to TURN_MAX_MS; 0 for no turns
 * @own: this agent's name
 * @peer: the peer's name, another one; case makes no difference, as in certificates
 */
void turn_init(struct turn *turn, uint32_t ms, const char *own, const char *peer);

/**
 * turn_same() - compare turns
 * @a: one
 * @b: the other
 *
 * Return: true if both have the same slots.
 */
bool turn_same(const struct turn *a, const struct turn *b);

/**
 * turn_wait() - say when this end may ask
 * @turn: from turn_init()
 * @wall_ms: CLOCK_REALTIME
 *
 * Return: ms until it may, 0 for now; at most a slot and a half.
 */
uint32_t turn_wait(const struct turn *turn, uint64_t wall_ms);

/**
 * turn_limit() - say how long a request may take
 * @turn: from turn_init()
 * @limit_ms: what it may take without turns
 *
 * Return: ms, at most @limit_ms.
 */
uint32_t turn_limit(const struct turn *turn, uint32_t limit_ms);

#endif
