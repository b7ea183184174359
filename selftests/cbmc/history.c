// SPDX-License-Identifier: GPL-2.0
/* Every record that has room reserved is within the pages, and the sums do not overflow. */
/* cbmc: --unwind 130 --unsigned-overflow-check */
/* mutant: kmod/history.c s/number = max(number, history->n - QLINK_HISTORY_RECORDS)/number = history->n - QLINK_HISTORY_RECORDS/ */
/* mutant: kmod/history.h s/DIV_ROUND_UP_ULL(blocks \* blocks/DIV_ROUND_UP_ULL(blocks * blocks * blocks/ */
#include "nondet.h"

#include "../../kmod/history.c"

/* All pages are this one: what is checked is that there is one, and where in it a record lies. */
static struct qlink_record page[QLINK_RECORDS_PER_PAGE];

/* Any state in which every key that has gone had reserved its room before. */
static void any_history(struct qlink_history *history)
{
	u64 n_pages = nondet_u64();
	unsigned int i;

	*history = (struct qlink_history){ .n = nondet_u64(), .n_keys = nondet_u64(), .blocks2 = nondet_u64() };
	__CPROVER_assume(history->n < history->n_keys && history->n_keys < 1ULL << 62);
	__CPROVER_assume(history->blocks2 < 1ULL << 62);
	__CPROVER_assume(n_pages <= QLINK_HISTORY_PAGES && (n_pages == QLINK_HISTORY_PAGES ||
			 n_pages * QLINK_RECORDS_PER_PAGE >= history->n_keys));
	history->n_pages = n_pages;
	for (i = 0; i < QLINK_HISTORY_PAGES; i++)
		history->page[i] = i < n_pages ? page : NULL;
}

void harness(void)
{
	struct qlink_record record = { .direction = nondet_u8(), .source = nondet_u8() }, got;
	struct qlink_usage counted = { 0, 0 };
	struct qlink_history history;
	u64 blocks = nondet_u64(), after = nondet_u64(), number;

	any_history(&history);
	__CPROVER_assume(record.direction < QLINK_DIRECTIONS && record.source < QLINK_SOURCES);
	__CPROVER_assume(blocks <= 1ULL << 30);	/* QLINK_HARD_BLOCKS_MAX */
	qlink_history_add(&history, &record, &counted, blocks);
	number = qlink_history_read(&history, after, &got);
	/* never again what was read, never what was overwritten */
	assert(!number || (number > after && number <= history.n && history.n - number < QLINK_HISTORY_RECORDS));
	assert(number || after >= history.n);
	assert(!history.lock.is_held);
}
