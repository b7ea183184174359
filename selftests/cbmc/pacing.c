// SPDX-License-Identifier: GPL-2.0
/* The rekey period is between floor and ceiling in every state of the supply, and nothing overflows. */
/* cbmc: --unwind 18 --unsigned-overflow-check */
/* mutant: userspace/qlinkd/kme/pacing.c s/#define STOCK_MAX	(UINT64_MAX \/ 2)/#define STOCK_MAX UINT64_MAX/ */
/* mutant: userspace/qlinkd/kme/pacing.c s/spendable <= config->reserve/spendable < config->reserve/ */
#include "nondet.h"

#include <assert.h>

#include "qlinkd/kme/pacing.c"

/* Any state that calls can have left, by a clock that has not gone back. */
static struct pacing any_pacing(uint64_t now)
{
	struct pacing any;

	__CPROVER_assume(any.config.floor_ms && any.config.floor_ms <= any.config.ceiling_ms);
	__CPROVER_assume(any.begun <= any.arrived && any.arrived <= now);
	__CPROVER_assume(any.stock <= STOCK_MAX && any.n_gaps < UINT64_MAX);
	return any;
}

void harness(void)
{
	uint64_t now = nondet_u64(), staged = nondet_u64(), n = nondet_u64();
	struct pacing pacing = any_pacing(now);
	uint32_t period;

	__CPROVER_assume(staged <= UINT32_MAX);
	if (nondet_bool()) {
		pacing_arrived(&pacing, n, now);
		assert(pacing.begun <= pacing.arrived && pacing.arrived == now);
	} else {
		pacing_spent(&pacing, n);
	}
	assert(pacing.stock <= UINT64_MAX / 2);
	period = pacing_period(&pacing, staged, now);
	assert(period >= pacing.config.floor_ms && period <= pacing.config.ceiling_ms);
}
