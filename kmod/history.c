// SPDX-License-Identifier: GPL-2.0
/* What the keys of a link were used for: a record of each that has gone, and sums of all. */
#include "history.h"

#include <linux/slab.h>

/**
 * qlink_history_new() - make the history of a link that has none yet
 *
 * Context: Process context, sleeps.
 * Return: the history, for qlink_history_put(), or %NULL without memory
 */
struct qlink_history *qlink_history_new(void)
{
	struct qlink_history *history = kzalloc(sizeof(*history), GFP_KERNEL_ACCOUNT);

	if (!history)
		return NULL;
	kref_init(&history->ref);
	spin_lock_init(&history->lock);
	return history;
}

/**
 * qlink_history_get() - hold a history
 * @history: held by somebody else
 *
 * Context: Any.
 * Return: @history
 */
struct qlink_history *qlink_history_get(struct qlink_history *history)
{
	kref_get(&history->ref);
	return history;
}

static void qlink_history_free(struct kref *ref)
{
	struct qlink_history *history = container_of(ref, struct qlink_history, ref);
	unsigned int i;

	for (i = 0; i < history->n_pages; i++)
		kfree(history->page[i]);
	kfree(history);
}

/**
 * qlink_history_put() - release a history
 * @history: of qlink_history_new() or qlink_history_get()
 *
 * Context: Any.
 */
void qlink_history_put(struct qlink_history *history)
{
	kref_put(&history->ref, qlink_history_free);
}

/**
 * qlink_history_reserve() - make room for the records of keys
 * @history: held
 * @n: keys that are about to be installed
 *
 * The memory of a record is charged to the installer of the key, so that no record is missing
 * later.
 *
 * Context: Process context, sleeps; under the link mutex.
 * Return: 0 or %-ENOMEM
 */
int qlink_history_reserve(struct qlink_history *history, unsigned int n)
{
	u64 n_pages = min(DIV_ROUND_UP_ULL(history->n_keys + n, QLINK_RECORDS_PER_PAGE),
			  QLINK_HISTORY_PAGES);
	struct qlink_record *page;

	while (history->n_pages < n_pages) {
		page = kzalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
		if (!page)
			return -ENOMEM;
		spin_lock_bh(&history->lock);
		history->page[history->n_pages++] = page;
		spin_unlock_bh(&history->lock);
	}
	history->n_keys += n;
	return 0;
}

/**
 * qlink_history_count() - add to the sums what a key was used for
 * @history: held
 * @direction: of the key
 * @source: of the key
 * @usage: the part that was not counted before
 *
 * Context: BHs off.
 */
void qlink_history_count(struct qlink_history *history, enum qlink_direction direction,
			 enum qlink_source source, const struct qlink_usage *usage)
{
	struct qlink_usage *sum = &history->usage[direction][source];

	spin_lock(&history->lock);
	sum->frames += usage->frames;
	sum->bytes += usage->bytes;
	spin_unlock(&history->lock);
}

/**
 * qlink_history_usage() - read what keys were used for, as far as it was counted
 * @history: held
 * @direction: of the keys
 * @by_source: out, QLINK_SOURCES of them
 *
 * Context: BHs off.
 */
void qlink_history_usage(struct qlink_history *history, enum qlink_direction direction,
			 struct qlink_usage *by_source)
{
	spin_lock(&history->lock);
	memcpy(by_source, history->usage[direction], sizeof(history->usage[direction]));
	spin_unlock(&history->lock);
}

/**
 * qlink_history_blocks2() - the sum, over all tx keys that have gone, of their AES blocks squared
 * @history: held
 *
 * Context: BHs off.
 * Return: the sum, as of qlink_blocks2()
 */
u64 qlink_history_blocks2(struct qlink_history *history)
{
	u64 sum;

	spin_lock(&history->lock);
	sum = history->blocks2;
	spin_unlock(&history->lock);
	return sum;
}

static unsigned int qlink_history_index(u64 number)
{
	return (number - 1) % QLINK_HISTORY_RECORDS;
}

static struct qlink_record *qlink_history_at(const struct qlink_history *history, u64 number)
{
	unsigned int index = qlink_history_index(number);

	return &history->page[index / QLINK_RECORDS_PER_PAGE][index % QLINK_RECORDS_PER_PAGE];
}

/**
 * qlink_history_add() - record what a key was used for
 * @history: held, with room reserved for the key
 * @record: of the key, which no frame can be using any more
 * @counted: the part that qlink_history_count() has counted; the sums get the rest
 * @blocks: AES blocks that the key has sealed; 0 for a receive key
 *
 * Context: Any but hard interrupts.
 */
void qlink_history_add(struct qlink_history *history, const struct qlink_record *record,
		       const struct qlink_usage *counted, u64 blocks)
{
	struct qlink_usage *sum = &history->usage[record->direction][record->source];

	spin_lock_bh(&history->lock);
	sum->frames += record->usage.frames - counted->frames;
	sum->bytes += record->usage.bytes - counted->bytes;
	history->blocks2 += qlink_blocks2(blocks);
	*qlink_history_at(history, ++history->n) = *record;
	spin_unlock_bh(&history->lock);
}

/**
 * qlink_history_read() - copy the next record after a number
 * @history: held
 * @after: number of the record that was read last, 0 for none
 * @record: out
 *
 * Context: Any but hard interrupts.
 * Return: the number of the record, above @after + 1 where some were overwritten; 0
 * where there is no newer one
 */
u64 qlink_history_read(struct qlink_history *history, u64 after, struct qlink_record *record)
{
	u64 number;

	spin_lock_bh(&history->lock);
	number = after;
	if (history->n > QLINK_HISTORY_RECORDS)
		number = max(number, history->n - QLINK_HISTORY_RECORDS);
	if (number < history->n)
		*record = *qlink_history_at(history, ++number);
	else
		number = 0;
	spin_unlock_bh(&history->lock);
	return number;
}
