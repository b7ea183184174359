/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How often to rekey: as often as the supply of QKD keys allows; no I/O. */
#ifndef QLINKD_KME_PACING_H
#define QLINKD_KME_PACING_H

#include <stdbool.h>
#include <stdint.h>

/* Keys that come at most this long after the last ones belong to the same delivery, in ms. */
#define PACING_STEADY_MS	60000
/* The assumed length of the first gap while it lasts, in ms. */
#define PACING_FIRST_GAP_MS	(12 * 3600 * 1000)
/* How many gaps between deliveries are remembered; the longest one counts. */
#define PACING_GAPS		16

/**
 * struct pacing_config - limits of the rekey period
 */
struct pacing_config {
	/** @floor_ms: the shortest period, above 0 */
	uint32_t floor_ms;

	/** @ceiling_ms: the longest planned period, at least @floor_ms */
	uint32_t ceiling_ms;

	/** @reserve: keys that a plan leaves in case the next delivery is late */
	uint64_t reserve;
};

/**
 * struct pacing - the supply of keys that one direction may spend, as observed
 *
 * Times are in ms on any clock that does not go back.
 */
struct pacing {
	/** @config: as given */
	struct pacing_config config;

	/** @stock: keys that can be spent now */
	uint64_t stock;

	/** @begun: start of the current or last delivery */
	uint64_t begun;

	/** @arrived: when the last keys came */
	uint64_t arrived;

	/** @has_arrived: keys have ever come */
	bool has_arrived;

	/** @gaps: ms without keys before each of the last deliveries, as a ring */
	uint64_t gaps[PACING_GAPS];

	/** @n_gaps: gaps ever observed */
	uint64_t n_gaps;
};

/**
 * pacing_init() - start with an unknown supply
 * @pacing: filled in
 * @config: copied
 * @now: time in ms
 */
void pacing_init(struct pacing *pacing, const struct pacing_config *config,
		 uint64_t now);

/**
 * pacing_arrived() - note that keys came from the KME
 * @pacing: the pacing
 * @n: how many, above 0
 * @now: time in ms
 */
void pacing_arrived(struct pacing *pacing, uint64_t n, uint64_t now);

/**
 * pacing_spent() - note that keys were offered, lost or too old
 * @pacing: the pacing
 * @n: how many; more than the stock empties it
 */
void pacing_spent(struct pacing *pacing, uint64_t n);

/**
 * pacing_period() - say how long each key is to be used
 * @pacing: the pacing
 * @staged: keys that were offered and are not used yet
 * @now: time in ms
 *
 * One rule serves fibre and satellite: the stock above the reserve is spread over the time that it
 * has to last. Where keys keep coming, that time is a minute, so that the stock stays at a
 * minute's supply. Where keys come in bursts, it lasts until the longest observed gap is over. A
 * delivery that lasts longer than the gap counts as a steady supply again.
 *
 * A call spends nothing, and neither does an idle link: the age of a key runs from its first
 * frame.
 *
 * Context: Pure.
 * Return: ms, from floor to ceiling.
 */
uint32_t pacing_period(const struct pacing *pacing, uint64_t staged, uint64_t now);

#endif
