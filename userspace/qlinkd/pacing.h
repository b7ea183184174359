/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How often to rekey: as often as the supply of QKD keys allows. */
#ifndef QLINKD_PACING_H
#define QLINKD_PACING_H

#include <stdbool.h>
#include <stdint.h>

/* Arrivals closer together than this belong to one delivery, in ms. */
#define PACING_BURST_MS		60000
/* Gaps between deliveries that are remembered: the longest one counts. */
#define PACING_GAPS		16

/**
 * struct pacing_config - what bounds the rekey period
 */
struct pacing_config {
	/** @floor_ms: never rekey more often, above 0 */
	uint32_t floor_ms;

	/**
	 * @ceiling_ms: never use a key longer while frames flow, whatever the
	 * supply; not below @floor_ms
	 */
	uint32_t ceiling_ms;

	/** @reserve: keys that a plan does not spend: the outage cover */
	uint64_t reserve;
};

/**
 * struct pacing - what was seen of the supply
 *
 * Counts keys that one direction may spend. Time is any clock in ms that does
 * not go back. Invariant: the period of pacing_period() lies from @floor_ms
 * to @ceiling_ms of its configuration, always.
 */
struct pacing {
	/** @config: as given */
	struct pacing_config config;

	/** @stock: keys at hand */
	uint64_t stock;

	/** @last_arrival: when keys came last, 0 for never */
	uint64_t last_arrival;

	/** @burst_start: when the delivery began that they belong to */
	uint64_t burst_start;

	/** @gaps: ms between the ends and starts of the last deliveries */
	uint64_t gaps[PACING_GAPS];

	/** @n_gaps: deliveries seen after the first */
	uint64_t n_gaps;

	/** @window_start: when the present measurement of a trickle began */
	uint64_t window_start;

	/** @window_keys: keys that came since then */
	uint64_t window_keys;

	/** @refill: keys a second times 2^16, smoothed, of a steady supply */
	uint64_t refill;

	/** @target: stock that a steady supply is held at */
	uint64_t target;
};

/**
 * pacing_init() - start without knowing the supply
 * @pacing: filled in
 * @config: copied; its bounds are put in order if they are not
 * @now: time in ms
 */
void pacing_init(struct pacing *pacing, const struct pacing_config *config,
		 uint64_t now);

/**
 * pacing_arrived() - keys came from the KME
 * @pacing: the pacing
 * @n: how many
 * @now: time in ms
 */
void pacing_arrived(struct pacing *pacing, uint64_t n, uint64_t now);

/**
 * pacing_spent() - keys were offered, or lost
 * @pacing: the pacing
 * @n: how many; more than there are leaves none
 */
void pacing_spent(struct pacing *pacing, uint64_t n);

/**
 * pacing_period() - say how long a key is to be used
 * @pacing: the pacing
 * @now: time in ms
 *
 * One rule: what may be spent, over the time that it has to last. Of a trickle
 * the stock above its level lasts a minute more; of bursts the stock
 * above the reserve lasts until the next is due, by the longest gap seen.
 * An idle link spends nothing, because the age of a key runs from
 * its first frame: nothing is to be done for it here.
 *
 * Context: Pure.
 * Return: ms, from the floor to the ceiling. With a stock of 0 it is the ceiling,
 * and what to do without a key is policy_choose()'s.
 */
uint32_t pacing_period(const struct pacing *pacing, uint64_t now);

#endif
