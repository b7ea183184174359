// SPDX-License-Identifier: GPL-2.0
/* The wiping of keys that have left their rings: when, how many at once, and what is recorded. How
 * soon a key is wiped: "Life of a key" in key.c.
 */
#include "key_wipe.h"

#include <linux/llist.h>
#include <linux/rcupdate.h>
#include <linux/workqueue.h>

#include "compat.h"

#define QLINK_WIPE_DELAY_MS	30
#define QLINK_WIPE_AT_ONCE	128

static struct workqueue_struct *qlink_key_wq __ro_after_init;

/* Keys that have left their rings, the last one first. */
static LLIST_HEAD(qlink_keys_gone);

/* Keys that the work has taken from there, the first one first, and the grace period that they wait
 * for. Only the work uses these, or code that has disabled the work.
 */
static struct llist_node *qlink_keys_waiting;
static unsigned long qlink_keys_grace_period;

static void qlink_keys_wipe(struct work_struct *work);
static DECLARE_DELAYED_WORK(qlink_keys_wipe_work, qlink_keys_wipe);

/* No key lives through a sleep of the host, so the difference between the two clocks is the same
 * for all times of a key. To read both clocks at each event would cost more.
 */
static u64 qlink_key_boot_ms(ktime_t at)
{
	return ktime_to_ms(ktime_mono_to_any(at, TK_OFFS_BOOT));
}

/* No frame uses the key any more, so its counts are final. A key without frames gets no record. */
static void qlink_key_record(struct qlink_key *key)
{
	struct qlink_slot *slot = key->slot;
	struct qlink_record record = {
		.epoch = key->name.epoch,
		.first_ms = qlink_key_boot_ms(slot->first_at),
		.last_ms = qlink_key_boot_ms(max(slot->first_at, slot->last_at)),
		.direction = key->direction,
		.source = key->source,
		.kmes = key->kmes,
	};

	qlink_key_usage(key, &record.usage);
	if (!record.usage.frames)
		return;
	memcpy(record.kme_key_id, key->kme_key_id, sizeof(record.kme_key_id));
	qlink_history_add(slot->history, &record, &slot->counted, qlink_key_blocks(key));
}

static void qlink_key_wipe(struct qlink_key *key)
{
	struct qlink_history *history = key->has_slot ? key->slot->history : NULL;

	if (history) {
		qlink_key_record(key);
		qlink_history_put(history);
	}
	qlink_key_destroy(key);
}

/* Wipe the first keys of a list, few enough that softirqs can wait for it. Returns the rest. */
static struct llist_node *qlink_keys_wipe_some(struct llist_node *keys)
{
	struct llist_node *next;
	unsigned int i;

	for (i = 0; keys && i < QLINK_WIPE_AT_ONCE; i++, keys = next) {
		next = keys->next;
		qlink_key_wipe(llist_entry(keys, struct qlink_key, gone));
	}
	return keys;
}

/* In the order in which they left their rings, which is the order of their records. */
static struct llist_node *qlink_keys_take_gone(void)
{
	return llist_reverse_order(llist_del_all(&qlink_keys_gone));
}

static void qlink_keys_wipe_soon(unsigned int ms)
{
	queue_delayed_work(qlink_key_wq, &qlink_keys_wipe_work, msecs_to_jiffies(ms));
}

static void qlink_keys_wipe(struct work_struct *work)
{
	if (qlink_keys_waiting && poll_state_synchronize_rcu(qlink_keys_grace_period)) {
		qlink_keys_waiting = qlink_keys_wipe_some(qlink_keys_waiting);
		if (qlink_keys_waiting) {
			qlink_keys_wipe_soon(0);
			return;
		}
	}
	if (!qlink_keys_waiting) {
		qlink_keys_waiting = qlink_keys_take_gone();
		if (!qlink_keys_waiting)
			return;
		qlink_keys_grace_period = start_poll_synchronize_rcu();
	}
	qlink_keys_wipe_soon(QLINK_WIPE_DELAY_MS);
}

/**
 * qlink_key_free() - wipe a key once no frame can be using it
 * @key: unpublished already, and out of its ring; nobody gives it a slot any more
 *
 * Context: Any.
 */
void qlink_key_free(struct qlink_key *key)
{
	if (llist_add(&key->gone, &qlink_keys_gone))
		qlink_keys_wipe_soon(QLINK_WIPE_DELAY_MS);
}

static void qlink_keys_wipe_all(struct llist_node *keys)
{
	while (keys) {
		keys = qlink_keys_wipe_some(keys);
		cond_resched();
	}
}

/**
 * qlink_key_flush() - wipe every key that was freed
 *
 * Context: Process context, sleeps; one at a time.
 */
void qlink_key_flush(void)
{
	struct llist_node *gone;

	disable_delayed_work_sync(&qlink_keys_wipe_work);
	gone = qlink_keys_take_gone();
	synchronize_rcu();
	qlink_keys_wipe_all(qlink_keys_waiting);
	qlink_keys_waiting = NULL;
	qlink_keys_wipe_all(gone);
	enable_delayed_work(&qlink_keys_wipe_work);
	/* A key that was freed since could not queue the disabled work. */
	qlink_keys_wipe_soon(QLINK_WIPE_DELAY_MS);
}

/**
 * qlink_key_wipe_exit() - wait until the last key is wiped
 *
 * Context: Process context, sleeps; when no ring is left.
 */
void qlink_key_wipe_exit(void)
{
	qlink_key_flush();
	cancel_delayed_work_sync(&qlink_keys_wipe_work);
}

/**
 * qlink_key_wipe_init() - choose where keys are wiped
 *
 * Context: Process context, after qlink_aead_init().
 */
void __init qlink_key_wipe_init(void)
{
	/* To wake a thread costs more than to wipe some keys. */
	qlink_key_wq = qlink_aead_may_key_anywhere() ? system_bh_wq : qlink_unbound_wq;
}
