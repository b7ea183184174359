// SPDX-License-Identifier: GPL-2.0
/* One key of one direction: epoch, source, transform, limits, lanes, wipe. */
#include "key.h"

#include <linux/bitops.h>
#include <linux/math.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/siphash.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "compat.h"

/**
 * DOC: Life of a key
 *
 * ::
 *
 *      install         first use       a newer key      grace over
 *         v                v           takes over  v         v
 *       STAGED ---------> ACTIVE ----------------> RETIRED -> WIPED
 *   tx: waits          seals             done at once: WIPED
 *   rx: opens          opens             opens until grace is over
 *
 * A key only moves right: a limit retires it early, a deletion wipes it at once.
 * At most one key of a direction is ACTIVE. A receiver opens STAGED keys too,
 * because its peer turns over first: install at the receiver, then at the
 * sender, and no frame is lost.
 *
 * The transmit counters live with the key and for all possible CPUs, so neither
 * hot-plug, preemption nor rotation can rewind them, and an epoch not above
 * every epoch seen before is refused: no nonce is used twice, even when the
 * installer restarts and repeats itself.
 *
 * A staged key is raw: 128 bytes, of which 32 are the key. It is given a use, with
 * a transform, when it is one of the next; then nothing of the raw key is left. A
 * receive key that is further away opens its first frames without a transform and
 * is given a use by the first that authenticates.
 *
 * Wiping unpublishes the key; one RCU grace period later, when no frame can
 * still be using it, the transform is let go, which overwrites the expanded key,
 * and raw key and salt are wiped with the key's own memory. A grace period and a
 * work item cost more than a key, so the keys that go within QLINK_WIPE_DELAY_MS share
 * them: the work lets a grace period begin, and wipes them when it comes the next time
 * and that is over. So a key is wiped at most twice that delay after it has gone, or
 * once more where a grace period is slow. What a key was used with waits for the next
 * one.
 */

#define QLINK_WIPE_DELAY_MS	30
#define QLINK_WIPE_AT_ONCE	128
#define QLINK_KEY_IDLE_MAX	256

#define QLINK_LEASE_BLOCKS	4096

/* What a lane takes at once where there is no limit: it asks now and then, for there may be one. */
#define QLINK_LEASE_FRAMES	BIT_ULL(16)
#define QLINK_LEASE_BYTES	BIT_ULL(26)

static struct workqueue_struct *qlink_key_wq __ro_after_init;
static struct kmem_cache *qlink_key_cache;
static struct kmem_cache *qlink_rx_lane_cache;

/* Keys that have left their rings, the last one first. */
static LLIST_HEAD(qlink_keys_gone);

/* Of those, what the work has taken, the first one first; and the grace period that they wait for.
 * The work's alone, and of who has disabled that.
 */
static struct llist_node *qlink_keys_waiting;
static unsigned long qlink_keys_grace_period;

/**
 * struct qlink_key_idle - what keys were used with, and others can be
 */
struct qlink_key_idle {
	/** @lock: guards the rest; BHs off, innermost */
	spinlock_t lock;
	/** @first: wiped, and each with a transform */
	struct qlink_key_use *first;
	/** @n: at most QLINK_KEY_IDLE_MAX */
	unsigned int n;
};

static struct qlink_key_idle qlink_keys_idle[QLINK_DIRECTIONS] = {
	[QLINK_DIRECTION_TX] = { .lock = __SPIN_LOCK_UNLOCKED(qlink_keys_idle.lock) },
	[QLINK_DIRECTION_RX] = { .lock = __SPIN_LOCK_UNLOCKED(qlink_keys_idle.lock) },
};

static void qlink_keys_wipe(struct work_struct *work);
static DECLARE_DELAYED_WORK(qlink_keys_wipe_work, qlink_keys_wipe);

/* A keyed hash of 64 bits: equal keys are found when the bytes of one are gone already. With a
 * million keys at hand, one install in 2^44 takes an unequal key for an equal one and is refused.
 */
static siphash_key_t qlink_key_secret __read_mostly;

/**
 * qlink_key_new() - make a key that no ring holds yet
 * @config: what the installer says; checked by the caller
 * @ring: that will hold it
 *
 * Context: Process context, sleeps.
 * Return: the key, for qlink_key_free(), or %NULL without memory
 */
struct qlink_key *qlink_key_new(const struct qlink_key_config *config,
				const struct qlink_ring *ring)
{
	struct qlink_key *key = kmem_cache_zalloc(qlink_key_cache, GFP_KERNEL);

	if (!key)
		return NULL;
	key->name.ring = ring;
	key->name.epoch = config->epoch;
	key->direction = config->direction;
	key->source = config->source;
	key->hard_blocks = config->hard_blocks;
	memcpy(key->kme_key_id, config->kme_key_id, sizeof(key->kme_key_id));
	memcpy(key->salt, config->salt, sizeof(key->salt));
	memcpy(key->raw, config->key, sizeof(key->raw));
	key->fingerprint = siphash(config->key, QLINK_KEY_BYTES, &qlink_key_secret);
	return key;
}

static unsigned int qlink_key_n_lanes(void)
{
	return min_t(unsigned int, nr_cpu_ids, QLINK_LANES);
}

static unsigned int qlink_key_n_tx_lanes(enum qlink_direction direction)
{
	return direction == QLINK_DIRECTION_TX ? qlink_key_n_lanes() : 0;
}

/* What a key is used with but for its transform; sleeps if @gfp lets it. */
static struct qlink_key_use *qlink_key_use_alloc(enum qlink_direction direction, gfp_t gfp)
{
	unsigned int i, n = qlink_key_n_tx_lanes(direction);
	struct qlink_key_use *use = kzalloc(struct_size(use, tx_lanes, n), gfp | __GFP_ACCOUNT);

	if (!use)
		return NULL;
	use->direction = direction;
	for (i = 0; i < n; i++)
		spin_lock_init(&use->tx_lanes[i].lock);
	return use;
}

static void qlink_key_use_destroy(struct qlink_key_use *use)
{
	if (use->spare_lane)
		kmem_cache_free(qlink_rx_lane_cache, use->spare_lane);
	if (use->aead)
		qlink_aead_free(use->aead);
	kfree_sensitive(use);
}

static struct qlink_key_use *qlink_key_use_make(enum qlink_direction direction)
{
	struct qlink_key_use *use = qlink_key_use_alloc(direction, GFP_KERNEL);
	struct qlink_aead *aead;

	if (!use)
		return ERR_PTR(-ENOMEM);
	aead = qlink_aead_new();
	if (IS_ERR(aead)) {
		kfree(use);
		return ERR_CAST(aead);
	}
	use->aead = aead;
	return use;
}

/* BHs off. */
static struct qlink_key_use *qlink_key_take_idle(enum qlink_direction direction)
{
	struct qlink_key_idle *idle = &qlink_keys_idle[direction];
	struct qlink_key_use *use;

	spin_lock(&idle->lock);
	use = idle->first;
	if (use) {
		idle->first = use->next_idle;
		idle->n--;
	}
	spin_unlock(&idle->lock);
	return use;
}

static bool qlink_key_put_idle(struct qlink_key_use *use)
{
	struct qlink_key_idle *idle = &qlink_keys_idle[use->direction];
	bool has_room;

	spin_lock_bh(&idle->lock);
	has_room = idle->n < QLINK_KEY_IDLE_MAX;
	if (has_room) {
		use->next_idle = idle->first;
		idle->first = use;
		idle->n++;
	}
	spin_unlock_bh(&idle->lock);
	return has_room;
}

/* Returns @use, or an ERR_PTR where it has gone. */
static struct qlink_key_use *qlink_key_use_with(struct qlink_key_use *use, const u8 *raw)
{
	int err = qlink_aead_key(use->aead, raw);

	if (!err)
		return use;
	qlink_key_use_destroy(use);
	return ERR_PTR(err);
}

/**
 * qlink_key_use_new() - make what a key is used with, for qlink_key_give()
 * @direction: of the key
 * @raw: QLINK_KEY_BYTES bytes of the key; not kept
 *
 * Context: Process context, sleeps; not under RTNL.
 * Return: the use, for qlink_key_use_free(), or
 * * %-ENOMEM	- no memory
 * * any other	- of the crypto API
 */
struct qlink_key_use *qlink_key_use_new(enum qlink_direction direction, const u8 *raw)
{
	struct qlink_key_use *use;

	local_bh_disable();
	use = qlink_key_take_idle(direction);
	local_bh_enable();
	if (!use)
		use = qlink_key_use_make(direction);
	return IS_ERR(use) ? use : qlink_key_use_with(use, raw);
}

/**
 * qlink_key_use_again() - have what another key was used with for this one
 * @direction: of the key
 * @raw: QLINK_KEY_BYTES bytes of the key; not kept
 *
 * Context: BHs off; qlink_aead_may_key_anywhere().
 * Return: the use, as of qlink_key_use_new(), or %NULL where none is idle
 */
struct qlink_key_use *qlink_key_use_again(enum qlink_direction direction, const u8 *raw)
{
	struct qlink_key_use *use = qlink_key_take_idle(direction);

	if (!use)
		return NULL;
	/* It cannot fail where setting a key is quick. */
	use = qlink_key_use_with(use, raw);
	return WARN_ON_ONCE(IS_ERR(use)) ? NULL : use;
}

/* One window stays for the next key. */
static void qlink_key_free_lanes(struct qlink_key_use *use)
{
	struct qlink_rx_lane *lane, *next;
	unsigned int i;

	for_each_set_bit(i, &use->rx_lists, QLINK_RX_LANE_LISTS) {
		lane = rcu_dereference_protected(use->rx_lanes[i], true);
		for (; lane; lane = next) {
			next = lane->next;
			if (use->spare_lane)
				kmem_cache_free(qlink_rx_lane_cache, lane);
			else
				use->spare_lane = lane;
		}
	}
}

/* As it was when it was made. */
static void qlink_key_use_reset(struct qlink_key_use *use)
{
	unsigned int i;

	memset_startat(use, 0, rx_lanes);
	for (i = 0; i < qlink_key_n_tx_lanes(use->direction); i++)
		memset_startat(&use->tx_lanes[i], 0, sequence);
}

/**
 * qlink_key_use_free() - wipe what a key was used with, and keep it for another or free it
 * @use: no frame can be using it; NULL is fine
 *
 * Context: Process context, sleeps; any but hard interrupts where
 * qlink_aead_may_key_anywhere().
 */
void qlink_key_use_free(struct qlink_key_use *use)
{
	if (!use)
		return;
	qlink_key_free_lanes(use);
	qlink_key_use_reset(use);
	if (!use->aead || qlink_aead_wipe(use->aead) || !qlink_key_put_idle(use))
		qlink_key_use_destroy(use);
}

/**
 * qlink_key_raw() - the bytes of a key that has no transform yet
 * @key: not ready
 *
 * Context: Under the lock of its ring, which the bytes are there for.
 * Return: QLINK_KEY_BYTES bytes
 */
const u8 *qlink_key_raw(const struct qlink_key *key)
{
	return key->is_used ? key->use->raw : key->raw;
}

/**
 * qlink_key_make_use() - give a receive key a use, but no transform
 * @key: not used yet
 *
 * Context: BHs off, under the lock of its ring.
 * Return: 0 or %-ENOMEM
 */
int qlink_key_make_use(struct qlink_key *key)
{
	struct qlink_key_use *use = qlink_key_use_alloc(key->direction, GFP_ATOMIC);

	if (!use)
		return -ENOMEM;
	memcpy(use->raw, key->raw, sizeof(use->raw));
	memzero_explicit(key->raw, sizeof(key->raw));
	key->use = use;
	/* Pairs with qlink_key_is_used(). */
	smp_store_release(&key->is_used, true);
	return 0;
}

/**
 * qlink_key_give() - give a key its transform, and a use if it has none
 * @key: not ready
 * @use: of qlink_key_use_new()
 *
 * Context: BHs off, under the lock of its ring.
 * Return: what is left over, for qlink_key_use_free(); or NULL
 */
struct qlink_key_use *qlink_key_give(struct qlink_key *key, struct qlink_key_use *use)
{
	if (key->direction == QLINK_DIRECTION_TX)
		atomic64_set(&use->unleased_blocks, key->hard_blocks);
	if (!key->is_used) {
		memzero_explicit(key->raw, sizeof(key->raw));
		key->use = use;
		use = NULL;
		/* Pairs with qlink_key_is_used(). */
		smp_store_release(&key->is_used, true);
	} else {
		key->use->aead = use->aead;
		use->aead = NULL;
		memzero_explicit(key->use->raw, sizeof(key->use->raw));
	}
	/* Pairs with qlink_key_is_ready(). */
	smp_store_release(&key->is_ready, true);
	return use;
}

static void qlink_key_tx_usage(const struct qlink_key *key, struct qlink_usage *usage)
{
	unsigned int i;

	for (i = 0; i < qlink_key_n_lanes(); i++) {
		usage->frames += READ_ONCE(key->use->tx_lanes[i].sequence);
		usage->bytes += READ_ONCE(key->use->tx_lanes[i].bytes);
	}
}

static void qlink_key_rx_usage(const struct qlink_key *key, struct qlink_usage *usage)
{
	struct qlink_rx_lane *lane;
	unsigned int i;

	for_each_set_bit(i, &key->use->rx_lists, QLINK_RX_LANE_LISTS) {
		/* They go with the key. */
		lane = rcu_dereference_check(key->use->rx_lanes[i], true);
		for (; lane; lane = lane->next) {
			usage->frames += atomic64_read(&lane->frames);
			usage->bytes += atomic64_read(&lane->bytes);
		}
	}
}

/**
 * qlink_key_usage() - what a key has been used for
 * @key: held by its ring, whose lock is taken, or on its way out of it
 * @usage: out, sealed or accepted
 *
 * Context: Any.
 */
void qlink_key_usage(const struct qlink_key *key, struct qlink_usage *usage)
{
	memset(usage, 0, sizeof(*usage));
	if (!key->is_used)
		return;
	if (key->direction == QLINK_DIRECTION_TX)
		qlink_key_tx_usage(key, usage);
	else
		qlink_key_rx_usage(key, usage);
}

/**
 * qlink_key_blocks() - AES blocks that a key has sealed
 * @key: held by its ring, whose lock is taken, or on its way out of it
 *
 * What lanes have leased and not used is not among them, as exactly as it can be
 * read while they go on.
 *
 * Context: Any.
 * Return: blocks, 0 for a receive key
 */
u64 qlink_key_blocks(const struct qlink_key *key)
{
	u64 blocks = key->hard_blocks;
	unsigned int i;

	if (key->direction != QLINK_DIRECTION_TX || !key->is_ready)
		return 0;
	for (i = 0; i < qlink_key_n_lanes(); i++)
		blocks -= READ_ONCE(key->use->tx_lanes[i].leased_blocks);
	blocks -= atomic64_read(&key->use->unleased_blocks);
	/* A lane leased some between the two looks. */
	return (s64)blocks < 0 ? 0 : blocks;
}

/**
 * qlink_key_begin() - the first frame of a key came
 * @key: used
 *
 * Context: Under the lock of its ring.
 */
void qlink_key_begin(struct qlink_key *key)
{
	if (!key->use->first_at)
		key->use->first_at = ktime_get();
}

/**
 * qlink_key_end() - another key took over from this one, or it goes
 * @key: any
 * @now: of ktime_get(); 0 where the caller has not looked
 *
 * Context: Under the lock of its ring.
 */
void qlink_key_end(struct qlink_key *key, ktime_t now)
{
	if (key->is_used && key->use->first_at && !key->use->last_at)
		key->use->last_at = now ?: ktime_get();
}

/**
 * qlink_key_count() - add to a history what a key was used for since it was counted last
 * @key: used
 * @history: of its ring
 *
 * Context: Under the lock of its ring.
 */
void qlink_key_count(struct qlink_key *key, struct qlink_history *history)
{
	struct qlink_usage *counted = &key->use->counted;
	struct qlink_usage usage, rest;

	qlink_key_usage(key, &usage);
	rest.frames = usage.frames - counted->frames;
	rest.bytes = usage.bytes - counted->bytes;
	if (!rest.frames && !rest.bytes)
		return;
	*counted = usage;
	qlink_history_count(history, key->direction, key->source, &rest);
}

/**
 * qlink_key_retire() - have a key go down in history when it is freed
 * @key: about to leave its ring for qlink_key_free()
 * @history: held by the caller
 *
 * What it was used for so far counts at once, so that no sum goes back meanwhile. A
 * key without any frame may have its first one in flight.
 *
 * Context: Under the lock of its ring.
 */
void qlink_key_retire(struct qlink_key *key, struct qlink_history *history)
{
	if (!key->is_used)
		return;
	qlink_key_end(key, 0);
	/* One that was retired before has been counted. */
	if (key->state != QLINK_KEY_STATE_RETIRED)
		qlink_key_count(key, history);
	key->use->history = qlink_history_get(history);
}

/* Keys do not live through a sleep of the host, so one difference between the clocks is true of all
 * their times. To ask two clocks for each would cost more.
 */
static u64 qlink_key_boot_ms(ktime_t at)
{
	return ktime_to_ms(ktime_mono_to_any(at, TK_OFFS_BOOT));
}

/* No frame uses it any more: now the counts are final. A key that had none leaves nothing. */
static void qlink_key_go_down(struct qlink_key *key)
{
	struct qlink_key_use *use = key->use;
	struct qlink_record record = {
		.epoch = key->name.epoch,
		.first_ms = qlink_key_boot_ms(use->first_at),
		.last_ms = qlink_key_boot_ms(max(use->first_at, use->last_at)),
		.direction = key->direction,
		.source = key->source,
	};

	qlink_key_usage(key, &record.usage);
	if (!record.usage.frames)
		return;
	memcpy(record.kme_key_id, key->kme_key_id, sizeof(record.kme_key_id));
	qlink_history_add(use->history, &record, &use->counted, qlink_key_blocks(key));
}

static void qlink_key_wipe(struct qlink_key *key)
{
	struct qlink_key_use *use = key->is_used ? key->use : NULL;

	if (use && use->history) {
		qlink_key_go_down(key);
		qlink_history_put(use->history);
	}
	qlink_key_use_free(use);
	memzero_explicit(key, sizeof(*key));
	kmem_cache_free(qlink_key_cache, key);
}

/* Wipe the first of a list, so many that softirqs can wait for it. Returns the rest. */
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

/* In the order in which they went, which is that of their records. */
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
		if (qlink_keys_waiting)
			return qlink_keys_wipe_soon(0);
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
 * @key: unpublished already, and out of its ring; nobody gives it a use any more
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
	/* Who freed the first key since could not queue it. */
	qlink_keys_wipe_soon(QLINK_WIPE_DELAY_MS);
}

/**
 * qlink_key_exit() - wait until the last key is wiped
 *
 * Context: Process context, when no ring is left.
 */
void qlink_key_exit(void)
{
	struct qlink_key_use *use;
	int i;

	qlink_key_flush();
	cancel_delayed_work_sync(&qlink_keys_wipe_work);
	local_bh_disable();
	for (i = 0; i < QLINK_DIRECTIONS; i++) {
		while ((use = qlink_key_take_idle(i)))
			qlink_key_use_destroy(use);
	}
	local_bh_enable();
	kmem_cache_destroy(qlink_rx_lane_cache);
	kmem_cache_destroy(qlink_key_cache);
	memzero_explicit(&qlink_key_secret, sizeof(qlink_key_secret));
}

/**
 * qlink_key_init() - make what all keys share
 *
 * Context: Process context, sleeps.
 * Return: 0 or %-ENOMEM
 */
int __init qlink_key_init(void)
{
	get_random_bytes(&qlink_key_secret, sizeof(qlink_key_secret));
	qlink_key_cache = KMEM_CACHE(qlink_key, SLAB_ACCOUNT | SLAB_NO_MERGE);
	qlink_rx_lane_cache = KMEM_CACHE(qlink_rx_lane, SLAB_ACCOUNT);
	/* To wake a thread costs more than to wipe some keys. */
	qlink_key_wq = qlink_aead_may_key_anywhere() ? system_bh_wq : qlink_unbound_wq;
	if (qlink_key_cache && qlink_rx_lane_cache)
		return 0;
	qlink_key_exit();
	return -ENOMEM;
}

/* Takes @portion of what is left, or @needed if that is more, or what there is. */
static u64 qlink_key_lease(atomic64_t *unleased, u64 portion, u64 needed)
{
	s64 left = atomic64_read(unleased);
	s64 taken;

	do {
		taken = min_t(s64, max(portion, needed), left);
	} while (!atomic64_try_cmpxchg(unleased, &left, left - taken));
	return taken;
}

/* A quarter of a fair share, so that what the other lanes have left over is little. */
static u64 qlink_key_portion(s64 left)
{
	return left / (4 * qlink_key_n_lanes());
}

/* False when the key has no more. */
static bool qlink_lane_lease_frames(struct qlink_key_use *use, struct qlink_tx_lane *lane)
{
	s64 left = atomic64_read(&use->unleased_frames);
	u64 taken = QLINK_LEASE_FRAMES;

	if (left != S64_MAX && !READ_ONCE(use->is_overdue))
		taken = qlink_key_lease(&use->unleased_frames,
					min_t(u64, qlink_key_portion(left), taken), 1);
	WRITE_ONCE(lane->sequence_end, min(lane->sequence + taken, QLINK_SEQUENCE_MAX));
	return taken;
}

/* False when the key has too few more. But a frame that is larger than all that a key may seal
 * goes by itself: no key would ever do, and the frame would spend them all.
 */
static bool qlink_lane_lease_bytes(struct qlink_key_use *use, struct qlink_tx_lane *lane,
				   unsigned int bytes)
{
	u64 end = READ_ONCE(lane->bytes_end);
	u64 unused = max(end, lane->bytes) - lane->bytes;
	s64 left = atomic64_read(&use->unleased_bytes);
	u64 taken = QLINK_LEASE_BYTES;

	if (left != S64_MAX && !READ_ONCE(use->is_overdue))
		taken = qlink_key_lease(&use->unleased_bytes,
					min_t(u64, qlink_key_portion(left), taken),
					bytes - unused);
	if (unused + taken < bytes && taken && bytes > READ_ONCE(use->rekey_bytes))
		taken = bytes - unused;
	WRITE_ONCE(lane->bytes_end, lane->bytes + unused + taken);
	return unused + taken >= bytes;
}

/**
 * qlink_lane_ask() - a lane needs more than it was leased
 * @key: of the lane
 * @lane: of this CPU
 * @blocks: that a frame takes
 * @bytes: that it has
 *
 * Return: 0 or as of qlink_key_take()
 */
static int qlink_lane_ask(struct qlink_key *key, struct qlink_tx_lane *lane, u64 blocks,
			  unsigned int bytes)
{
	struct qlink_key_use *use = key->use;

	if (!READ_ONCE(use->has_begun))
		return -EAGAIN;
	if (lane->leased_blocks < blocks)
		lane->leased_blocks += qlink_key_lease(&use->unleased_blocks,
						       min_t(u64, QLINK_LEASE_BLOCKS,
							     key->hard_blocks / QLINK_LANES),
						       blocks - lane->leased_blocks);
	if (lane->leased_blocks < blocks || lane->sequence >= QLINK_SEQUENCE_MAX)
		return -ENOKEY;
	if (lane->sequence >= READ_ONCE(lane->sequence_end) &&
	    !qlink_lane_lease_frames(use, lane))
		return -EKEYEXPIRED;
	if (lane->bytes + bytes > READ_ONCE(lane->bytes_end) &&
	    !qlink_lane_lease_bytes(use, lane, bytes))
		return -EKEYEXPIRED;
	return 0;
}

static int qlink_lane_take(struct qlink_key *key, struct qlink_tx_lane *lane,
			   unsigned int bytes, u64 *sequence)
{
	/* As GCM spends them: the text, the tag's mask and the length block. */
	u64 blocks = DIV_ROUND_UP(bytes, 16) + 2;
	int err;

	if (unlikely(lane->leased_blocks < blocks ||
		     lane->sequence >= READ_ONCE(lane->sequence_end) ||
		     lane->bytes + bytes > READ_ONCE(lane->bytes_end))) {
		err = qlink_lane_ask(key, lane, blocks, bytes);
		if (err)
			return err;
	}
	lane->leased_blocks -= blocks;
	lane->bytes += bytes;
	*sequence = ++lane->sequence;
	return 0;
}

/**
 * qlink_key_limit() - say when a transmit key should give way
 * @key: ready
 * @frames: from now on, 0 for never
 * @bytes: of plaintext, likewise
 *
 * A lane that is in the middle of asking may miss it, until it asks again.
 *
 * Context: Under the lock of its ring.
 */
void qlink_key_limit(struct qlink_key *key, u64 frames, u64 bytes)
{
	unsigned int i;

	atomic64_set(&key->use->unleased_frames, frames ?: S64_MAX);
	atomic64_set(&key->use->unleased_bytes, bytes ?: S64_MAX);
	WRITE_ONCE(key->use->rekey_bytes, bytes);
	WRITE_ONCE(key->use->is_overdue, false);
	for (i = 0; i < qlink_key_n_lanes(); i++) {
		WRITE_ONCE(key->use->tx_lanes[i].sequence_end, 0);
		WRITE_ONCE(key->use->tx_lanes[i].bytes_end, 0);
	}
}

/**
 * qlink_key_take() - take the next sequence of a lane, for one frame
 * @key: transmit key; the caller is in its RCU read side
 * @lane: qlink_lane()
 * @bytes: of plaintext that the frame has
 * @sequence: out, unique under @key and @lane for ever
 *
 * Context: BHs off, under qlink_aead_lock().
 * Return:
 * * %0			- taken
 * * %-EAGAIN		- it is the key's first frame
 * * %-EKEYEXPIRED	- a limit of the key is reached that it should not go beyond
 * * %-ENOKEY		- a limit of the key is reached that it must not go beyond
 *
 * With an error, tell qlink_ring_turn() and try again.
 */
int qlink_key_take(struct qlink_key *key, unsigned int lane, unsigned int bytes,
		   u64 *sequence)
{
	struct qlink_tx_lane *here = &key->use->tx_lanes[lane];
	int err;

	if (likely(nr_cpu_ids <= QLINK_LANES))
		return qlink_lane_take(key, here, bytes, sequence);

	spin_lock(&here->lock);
	err = qlink_lane_take(key, here, bytes, sequence);
	spin_unlock(&here->lock);
	return err;
}

static struct qlink_rx_lane *qlink_lane_find(struct qlink_rx_lane *first, u8 lane)
{
	while (first && first->lane != lane)
		first = first->next;
	return first;
}

static struct qlink_rx_lane *qlink_key_find_lane(struct qlink_key *key, u8 lane)
{
	if (unlikely(!qlink_key_is_used(key)))
		return NULL;
	return qlink_lane_find(rcu_dereference_bh(key->use->rx_lanes[lane % QLINK_RX_LANE_LISTS]),
			       lane);
}

/* Made by the first frame that authenticates; of two at once the loser uses the winner's. */
static struct qlink_rx_lane *qlink_key_make_lane(struct qlink_key *key, u8 lane,
						 unsigned int *made)
{
	unsigned int i = lane % QLINK_RX_LANE_LISTS;
	struct qlink_rx_lane __rcu **list = &key->use->rx_lanes[i];
	struct qlink_rx_lane *new = xchg(&key->use->spare_lane, NULL) ?:
				    kmem_cache_alloc(qlink_rx_lane_cache, GFP_ATOMIC);
	struct qlink_rx_lane *here;

	if (!new)
		return NULL;
	new->lane = lane;
	qlink_replay_init(&new->replay);
	atomic64_set(&new->frames, 0);
	atomic64_set(&new->bytes, 0);
	set_bit(i, &key->use->rx_lists);
	do {
		new->next = rcu_dereference_bh(*list);
		here = qlink_lane_find(new->next, lane);
		if (here) {
			kmem_cache_free(qlink_rx_lane_cache, new);
			return here;
		}
	} while (unrcu_pointer(cmpxchg(list, RCU_INITIALIZER(new->next),
				       RCU_INITIALIZER(new))) != new->next);
	*made = sizeof(*new);
	return new;
}

/**
 * qlink_key_check() - would this sequence be accepted?
 * @key: receive key; the caller is in its RCU read side
 * @lane: from the header, not authenticated yet
 * @sequence: likewise
 *
 * Context: BHs off.
 * Return: the verdict; good where nothing of the lane has authenticated yet
 */
enum qlink_replay_verdict qlink_key_check(struct qlink_key *key, u8 lane, u64 sequence)
{
	struct qlink_rx_lane *here = qlink_key_find_lane(key, lane);

	return here ? qlink_replay_check(&here->replay, sequence) : QLINK_REPLAY_GOOD;
}

/**
 * qlink_key_commit() - accept the sequence of an authentic frame, once
 * @key: receive key that is used; the caller is in its RCU read side
 * @lane: from the header
 * @sequence: from the header
 * @bytes: of plaintext
 * @verdict: out, where no error is returned: good the first time, otherwise drop the frame
 * @made: out, bytes of memory that a window was made of, 0 nearly always
 *
 * Context: BHs off.
 * Return: 0, or %-ENOMEM when there is none for the window; drop the frame
 */
int qlink_key_commit(struct qlink_key *key, u8 lane, u64 sequence, unsigned int bytes,
		     enum qlink_replay_verdict *verdict, unsigned int *made)
{
	struct qlink_rx_lane *here = qlink_key_find_lane(key, lane);

	*made = 0;
	if (unlikely(!here))
		here = qlink_key_make_lane(key, lane, made);
	if (unlikely(!here))
		return -ENOMEM;

	*verdict = qlink_replay_commit(&here->replay, sequence);
	if (*verdict == QLINK_REPLAY_GOOD) {
		atomic64_inc(&here->frames);
		atomic64_add(bytes, &here->bytes);
	}
	return 0;
}
