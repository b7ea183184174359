// SPDX-License-Identifier: GPL-2.0-or-later
/* How often to rekey: as often as the supply of QKD keys allows; no I/O. */
#include "pacing.h"

#include <string.h>

/* Small enough that the sum with the staged keys does not overflow. */
#define STOCK_MAX	(UINT64_MAX / 2)

void pacing_init(struct pacing *pacing, const struct pacing_config *config,
		 uint64_t now)
{
	memset(pacing, 0, sizeof(*pacing));
	pacing->config = *config;
	pacing->begun = now;
	pacing->arrived = now;
}

void pacing_arrived(struct pacing *pacing, uint64_t n, uint64_t now)
{
	uint64_t gap = now - pacing->arrived;

	/* The time before the first delivery is no gap between two. */
	if (!pacing->has_arrived)
		pacing->begun = now;
	else if (gap > PACING_STEADY_MS) {
		pacing->gaps[pacing->n_gaps++ % PACING_GAPS] = gap;
		pacing->begun = now;
	}
	pacing->has_arrived = true;
	pacing->arrived = now;
	pacing->stock += n < STOCK_MAX - pacing->stock ? n : STOCK_MAX - pacing->stock;
}

void pacing_spent(struct pacing *pacing, uint64_t n)
{
	pacing->stock -= n < pacing->stock ? n : pacing->stock;
}

static uint64_t longest_gap(const struct pacing *pacing)
{
	uint64_t longest = 0, i;

	for (i = 0; i < PACING_GAPS && i < pacing->n_gaps; i++)
		if (pacing->gaps[i] > longest)
			longest = pacing->gaps[i];
	return longest;
}

/* How long the stock has to last, in ms. */
static uint64_t horizon(const struct pacing *pacing, uint64_t now)
{
	uint64_t silent = now - pacing->arrived;
	uint64_t lasted = pacing->arrived - pacing->begun;
	uint64_t gap = longest_gap(pacing);

	/* In the first gap nothing is known about its length. */
	if (!pacing->n_gaps && silent > PACING_STEADY_MS)
		gap = PACING_FIRST_GAP_MS;
	if (lasted >= gap || silent >= gap || gap - silent < PACING_STEADY_MS)
		return PACING_STEADY_MS;
	return gap - silent;
}

uint32_t pacing_period(const struct pacing *pacing, uint64_t staged, uint64_t now)
{
	const struct pacing_config *config = &pacing->config;
	uint64_t spendable = pacing->stock + staged, period;

	if (spendable <= config->reserve)
		return config->ceiling_ms;
	spendable -= config->reserve;
	period = horizon(pacing, now) / spendable;
	if (period < config->floor_ms)
		return config->floor_ms;
	return period < config->ceiling_ms ? (uint32_t)period :
					     config->ceiling_ms;
}
