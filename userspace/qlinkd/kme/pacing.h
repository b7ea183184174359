/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How often to rekey: as often as the supply of QKD keys allows. */
#ifndef QLINKD_PACING_H
#define QLINKD_PACING_H

#include <stdint.h>

/* Keys that come closer together than this are of one delivery, in ms. */
#define PACING_STEADY_MS	60000
/* What the first gap is taken for, as long as it is not over, in ms. */
#define PACING_FIRST_GAP_MS	(12 * 3600 * 1000)
/* Gaps between deliveries that are remembered; the longest one counts. */
#define PACING_GAPS		16

/**
 * struct pacing_config - what bounds the rekey period
 */
struct pacing_config {
	/** @floor_ms: never rekey more often, above 0 */
	uint32_t floor_ms;

	/** @ceiling_ms: never plan to use a key longer; not below @floor_ms */
	uint32_t ceiling_ms;

	/** @reserve: keys that a plan leaves for when the next delivery is late */
	uint64_t reserve;
};

/**
 * struct pacing - what was seen of the supply
 *
 * For keys that one direction may spend. Time is in ms on any clock that does
 * not go back.
 */
struct pacing {
	/** @config: as given */
	struct pacing_config config;

	/** @stock: keys at hand */
	uint64_t stock;

	/** @begun: when the present or last delivery began */
	uint64_t begun;

	/** @arrived: when keys came last */
	uint64_t arrived;

	/** @gaps: ms without keys before each of the last deliveries */
	uint64_t gaps[PACING_GAPS];

	/** @n_gaps: how many were ever seen */
	uint64_t n_gaps;
};

/**
 * pacing_init() - start without knowing the supply
 * @pacing: filled in
 * @config: copied
 * @now: time in ms
 */
void pacing_init(struct pacing *pacing, const struct pacing_config *config,
		 uint64_t now);

/**
 * pacing_arrived() - keys came from the KME
 * @pacing: the pacing
 * @n: how many, above 0
 * @now: time in ms
 */
void pacing_arrived(struct pacing *pacing, uint64_t n, uint64_t now);

/**
 * pacing_spent() - keys were offered, lost or too old
 * @pacing: the pacing
 * @n: how many; more than there are leaves none
 */
void pacing_spent(struct pacing *pacing, uint64_t n);

/**
 * pacing_period() - say how long each key is to be used
 * @pacing: the pacing
 * @staged: keys that were offered and are not used yet
 * @now: time in ms
 *
 * One rule for fibre and satellite: the stock above the reserve is spread
 * over the time that it has to last. That is a minute where keys keep coming,
 * so that a trickle holds the stock at a minute's worth; and until
 * the longest gap seen is over, where keys come in bursts. A delivery that has
 * gone on for longer than the gap is a trickle again.
 *
 * Asking spends nothing, and an idle link does not either: the age of a key
 * runs from its first frame.
 *
 * Context: Pure.
 * Return: ms, from floor to ceiling.
 */
uint32_t pacing_period(const struct pacing *pacing, uint64_t staged, uint64_t now);

#endif
