// SPDX-License-Identifier: GPL-2.0
/* One key of one direction: epoch, source, transform, limits, lanes, wipe. */
#include "key.h"

#include <linux/math.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/siphash.h>
#include <linux/slab.h>

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
 * Wiping unpublishes the key; one RCU grace period later, when no frame can
 * still be using it, the transform is freed, which wipes the expanded key, and
 * the salt is wiped with the key's own memory. The raw key is never kept.
 */

#define QLINK_LEASE_BLOCKS	4096

static struct workqueue_struct *qlink_key_wq;

/* Two keyed hashes of 64 bits: equal keys are found without keeping any. */
static siphash_key_t qlink_key_secrets[2] __read_mostly;

/**
 * qlink_key_init() - make what all keys share
 *
 * Context: Process context, sleeps.
 * Return: 0 or %-ENOMEM
 */
int __init qlink_key_init(void)
{
	get_random_bytes(qlink_key_secrets, sizeof(qlink_key_secrets));
	qlink_key_wq = alloc_workqueue("qlink_key", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return qlink_key_wq ? 0 : -ENOMEM;
}

/**
 * qlink_key_exit() - wait until the last key is wiped
 *
 * Context: Process context, when no ring is left.
 */
void qlink_key_exit(void)
{
	qlink_key_flush();
	destroy_workqueue(qlink_key_wq);
	memzero_explicit(qlink_key_secrets, sizeof(qlink_key_secrets));
}

static void qlink_key_hash(const u8 *key, u8 *fingerprint)
{
	u64 hash;
	int i;

	for (i = 0; i < ARRAY_SIZE(qlink_key_secrets); i++) {
		hash = siphash(key, QLINK_KEY_BYTES, &qlink_key_secrets[i]);
		memcpy(fingerprint + i * sizeof(hash), &hash, sizeof(hash));
	}
}

static int qlink_key_make_tx_lanes(struct qlink_key *key)
{
	unsigned int i, n = min_t(unsigned int, nr_cpu_ids, QLINK_LANES);

	key->tx_lanes = kcalloc(n, sizeof(*key->tx_lanes), GFP_KERNEL_ACCOUNT);
	if (!key->tx_lanes)
		return -ENOMEM;
	for (i = 0; i < n; i++)
		spin_lock_init(&key->tx_lanes[i].lock);
	return 0;
}

static void qlink_key_destroy(struct qlink_key *key)
{
	struct qlink_rx_lanes *lanes = rcu_dereference_protected(key->rx_lanes, true);
	int i;

	if (!IS_ERR_OR_NULL(key->aead))
		qlink_aead_free(key->aead);
	for (i = 0; lanes && i < QLINK_LANES; i++)
		kfree(rcu_dereference_protected(lanes->lane[i], true));
	kfree(lanes);
	kfree(key->tx_lanes);
	kfree_sensitive(key);
}

/**
 * qlink_key_new() - make a key that no ring holds yet
 * @config: what the installer says; checked by the caller
 * @link: both rings of the link
 * @ring: of @link, that will hold it
 *
 * Context: Process context, sleeps; not under RTNL.
 * Return: the key, for qlink_key_free(), or
 * * %-ENOMEM	- no memory
 * * any other	- of the crypto API
 */
struct qlink_key *qlink_key_new(const struct qlink_key_config *config,
				const struct qlink_keyring *link,
				const struct qlink_ring *ring)
{
	struct qlink_key *key = kzalloc(sizeof(*key), GFP_KERNEL_ACCOUNT);
	int err = 0;

	if (!key)
		return ERR_PTR(-ENOMEM);

	key->name.ring = ring;
	key->name.epoch = config->epoch;
	key->link = link;
	key->direction = config->direction;
	key->source = config->source;
	key->hard_blocks = config->hard_blocks;
	atomic64_set(&key->unleased_blocks, config->hard_blocks);
	memcpy(key->kme_key_id, config->kme_key_id, sizeof(key->kme_key_id));
	memcpy(key->salt, config->salt, sizeof(key->salt));
	qlink_key_hash(config->key, key->fingerprint);

	key->aead = qlink_aead_new(config->key);
	if (IS_ERR(key->aead))
		err = PTR_ERR(key->aead);
	else if (key->direction == QLINK_DIRECTION_TX)
		err = qlink_key_make_tx_lanes(key);
	if (err) {
		qlink_key_destroy(key);
		return ERR_PTR(err);
	}
	return key;
}

static void qlink_key_free_work(struct work_struct *work)
{
	qlink_key_destroy(container_of(to_rcu_work(work), struct qlink_key, free_work));
}

/**
 * qlink_key_free() - wipe a key once no frame can be using it
 * @key: unpublished already
 *
 * Context: Any.
 */
void qlink_key_free(struct qlink_key *key)
{
	INIT_RCU_WORK(&key->free_work, qlink_key_free_work);
	queue_rcu_work(qlink_key_wq, &key->free_work);
}

/**
 * qlink_key_flush() - wait until every key that was freed is wiped
 *
 * Context: Process context, sleeps.
 */
void qlink_key_flush(void)
{
	/* The callbacks of the grace periods queue the work. */
	rcu_barrier();
	flush_workqueue(qlink_key_wq);
}

/* A lane takes more of the key's limit: a portion, a whole frame, or what is left. */
static void qlink_key_lease(struct qlink_key *key, struct qlink_tx_lane *lane, u64 blocks)
{
	s64 left = atomic64_read(&key->unleased_blocks);
	s64 portion;

	do {
		portion = min_t(s64, QLINK_LEASE_BLOCKS, key->hard_blocks / QLINK_LANES);
		portion = max_t(s64, portion, blocks - lane->leased_blocks);
		portion = min(portion, left);
	} while (!atomic64_try_cmpxchg(&key->unleased_blocks, &left, left - portion));
	lane->leased_blocks += portion;
}

static int qlink_lane_take(struct qlink_key *key, struct qlink_tx_lane *lane,
			   unsigned int bytes, u64 *sequence)
{
	/* As GCM spends them: the text, the tag's mask and the length block. */
	u64 blocks = DIV_ROUND_UP(bytes, 16) + 2;

	if (unlikely(lane->leased_blocks < blocks))
		qlink_key_lease(key, lane, blocks);
	if (unlikely(lane->leased_blocks < blocks || lane->sequence >= QLINK_SEQUENCE_MAX))
		return -ENOKEY;
	lane->leased_blocks -= blocks;
	lane->bytes += bytes;
	*sequence = ++lane->sequence;
	return 0;
}

/**
 * qlink_key_take() - take the next sequence of a lane, for one frame
 * @key: transmit key; the caller is in its RCU read side
 * @lane: qlink_lane()
 * @bytes: of plaintext that the frame has
 * @sequence: out, unique under @key and @lane for ever
 *
 * Context: BHs off, under qlink_aead_lock().
 * Return: 0, or %-ENOKEY when the key's limit is reached
 */
int qlink_key_take(struct qlink_key *key, unsigned int lane, unsigned int bytes,
		   u64 *sequence)
{
	struct qlink_tx_lane *here = &key->tx_lanes[lane];
	int err;

	if (likely(nr_cpu_ids <= QLINK_LANES))
		return qlink_lane_take(key, here, bytes, sequence);

	spin_lock(&here->lock);
	err = qlink_lane_take(key, here, bytes, sequence);
	spin_unlock(&here->lock);
	return err;
}

static struct qlink_rx_lane *qlink_key_find_lane(struct qlink_key *key, u8 lane)
{
	struct qlink_rx_lanes *lanes = rcu_dereference_bh(key->rx_lanes);

	return lanes ? rcu_dereference_bh(lanes->lane[lane]) : NULL;
}

/* Made by the first frame that authenticates; of two at once the loser uses the winner's. */
static struct qlink_rx_lane *qlink_key_make_lane(struct qlink_key *key, u8 lane)
{
	struct qlink_rx_lanes *lanes = rcu_dereference_bh(key->rx_lanes);
	struct qlink_rx_lane *new;

	if (!lanes) {
		lanes = kzalloc(sizeof(*lanes), GFP_ATOMIC | __GFP_ACCOUNT);
		if (!lanes)
			return NULL;
		if (unrcu_pointer(cmpxchg(&key->rx_lanes, NULL, RCU_INITIALIZER(lanes))))
			kfree(lanes);
		lanes = rcu_dereference_bh(key->rx_lanes);
	}

	new = kzalloc(sizeof(*new), GFP_ATOMIC | __GFP_ACCOUNT);
	if (!new)
		return NULL;
	qlink_replay_init(&new->replay);
	if (unrcu_pointer(cmpxchg(&lanes->lane[lane], NULL, RCU_INITIALIZER(new))))
		kfree(new);
	return rcu_dereference_bh(lanes->lane[lane]);
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
 * @key: receive key; the caller is in its RCU read side
 * @lane: from the header
 * @sequence: from the header
 * @bytes: of plaintext
 * @verdict: out, where 0 is returned: good the first time, otherwise drop the frame
 *
 * Context: BHs off.
 * Return: 0, or %-ENOMEM when there is none for the window; drop the frame
 */
int qlink_key_commit(struct qlink_key *key, u8 lane, u64 sequence, unsigned int bytes,
		     enum qlink_replay_verdict *verdict)
{
	struct qlink_rx_lane *here = qlink_key_find_lane(key, lane);

	if (unlikely(!here))
		here = qlink_key_make_lane(key, lane);
	if (unlikely(!here))
		return -ENOMEM;

	*verdict = qlink_replay_commit(&here->replay, sequence);
	if (*verdict == QLINK_REPLAY_GOOD) {
		atomic64_inc(&here->frames);
		atomic64_add(bytes, &here->bytes);
	}
	return 0;
}

static void qlink_key_tx_usage(const struct qlink_key *key, u64 *frames, u64 *bytes)
{
	unsigned int i, n = min_t(unsigned int, nr_cpu_ids, QLINK_LANES);

	for (i = 0; i < n; i++) {
		*frames += READ_ONCE(key->tx_lanes[i].sequence);
		*bytes += READ_ONCE(key->tx_lanes[i].bytes);
	}
}

static void qlink_key_rx_usage(const struct qlink_key *key, u64 *frames, u64 *bytes)
{
	struct qlink_rx_lanes *lanes;
	struct qlink_rx_lane *lane;
	int i;

	rcu_read_lock();
	lanes = rcu_dereference(key->rx_lanes);
	for (i = 0; lanes && i < QLINK_LANES; i++) {
		lane = rcu_dereference(lanes->lane[i]);
		if (!lane)
			continue;
		*frames += atomic64_read(&lane->frames);
		*bytes += atomic64_read(&lane->bytes);
	}
	rcu_read_unlock();
}

/**
 * qlink_key_usage() - what a key has been used for
 * @key: held by its ring, whose lock is taken
 * @frames: out, sealed or accepted
 * @bytes: out, of plaintext
 *
 * Context: Any.
 */
void qlink_key_usage(const struct qlink_key *key, u64 *frames, u64 *bytes)
{
	*frames = 0;
	*bytes = 0;
	if (key->direction == QLINK_DIRECTION_TX)
		qlink_key_tx_usage(key, frames, bytes);
	else
		qlink_key_rx_usage(key, frames, bytes);
}
