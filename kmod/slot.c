// SPDX-License-Identifier: GPL-2.0
/* A slot: what one key at a time needs to seal or open frames. */
#include "slot.h"

#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/math64.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "compat.h"

/**
 * DOC: Slots and lanes
 *
 * A slot has the key's transform, its counters and its replay windows. To make one takes
 * longer than to set a key, and sleeps. So the slot of a wiped key goes to a pool, and the
 * next key takes it from there.
 *
 * Each CPU seals in a lane of its own and takes sequences from it without a lock. The
 * limits of a key hold for all lanes together: a lane leases a portion of what is left,
 * and leases again when it has used that. Without a limit it still leases, so that it
 * finds a limit that is set later.
 */

#define QLINK_POOL_SLOTS_MAX	256

#define QLINK_LEASE_BLOCKS	4096

/* What a lane leases where there is no limit. */
#define QLINK_LEASE_FRAMES	BIT_ULL(16)
#define QLINK_LEASE_BYTES	BIT_ULL(26)

static struct kmem_cache *qlink_rx_lane_cache;

/**
 * struct qlink_slot_pool - idle slots
 */
struct qlink_slot_pool {
	/** @lock: guards the rest; BHs off, innermost */
	spinlock_t lock;
	/** @first: wiped, and each with a transform */
	struct qlink_slot *first;
	/** @n: at most QLINK_POOL_SLOTS_MAX */
	unsigned int n;
};

static struct qlink_slot_pool qlink_slot_pools[QLINK_DIRECTIONS] = {
	[QLINK_DIRECTION_TX] = { .lock = __SPIN_LOCK_UNLOCKED(qlink_slot_pools.lock) },
	[QLINK_DIRECTION_RX] = { .lock = __SPIN_LOCK_UNLOCKED(qlink_slot_pools.lock) },
};

static unsigned int qlink_n_lanes(void)
{
	return min_t(unsigned int, nr_cpu_ids, QLINK_LANES);
}

static unsigned int qlink_slot_n_tx_lanes(enum qlink_direction direction)
{
	return direction == QLINK_DIRECTION_TX ? qlink_n_lanes() : 0;
}

/* Make a slot without a transform; sleeps if @gfp lets it. */
static struct qlink_slot *qlink_slot_alloc(enum qlink_direction direction, gfp_t gfp)
{
	unsigned int i, n = qlink_slot_n_tx_lanes(direction);
	struct qlink_slot *slot = kzalloc(struct_size(slot, tx_lanes, n), gfp | __GFP_ACCOUNT);

	if (!slot)
		return NULL;
	slot->direction = direction;
	for (i = 0; i < n; i++)
		spin_lock_init(&slot->tx_lanes[i].lock);
	return slot;
}

static void qlink_slot_destroy(struct qlink_slot *slot)
{
	if (slot->spare_lane)
		kmem_cache_free(qlink_rx_lane_cache, slot->spare_lane);
	if (slot->aead)
		qlink_aead_free(slot->aead);
	kfree_sensitive(slot);
}

static struct qlink_slot *qlink_slot_make(enum qlink_direction direction)
{
	struct qlink_slot *slot = qlink_slot_alloc(direction, GFP_KERNEL);
	struct qlink_aead *aead;

	if (!slot)
		return ERR_PTR(-ENOMEM);
	aead = qlink_aead_new();
	if (IS_ERR(aead)) {
		kfree(slot);
		return ERR_CAST(aead);
	}
	slot->aead = aead;
	return slot;
}

/* Take a slot from the pool. BHs off. */
static struct qlink_slot *qlink_slot_pop(enum qlink_direction direction)
{
	struct qlink_slot_pool *pool = &qlink_slot_pools[direction];
	struct qlink_slot *slot;

	spin_lock(&pool->lock);
	slot = pool->first;
	if (slot) {
		pool->first = slot->next_idle;
		pool->n--;
	}
	spin_unlock(&pool->lock);
	return slot;
}

/* Put a slot into the pool; false where the pool is full. */
static bool qlink_slot_push(struct qlink_slot *slot)
{
	struct qlink_slot_pool *pool = &qlink_slot_pools[slot->direction];
	bool has_room;

	spin_lock_bh(&pool->lock);
	has_room = pool->n < QLINK_POOL_SLOTS_MAX;
	if (has_room) {
		slot->next_idle = pool->first;
		pool->first = slot;
		pool->n++;
	}
	spin_unlock_bh(&pool->lock);
	return has_room;
}

/* Set the key of a slot's transform. Returns @slot; or an ERR_PTR, and @slot is freed. */
static struct qlink_slot *qlink_slot_key(struct qlink_slot *slot, const u8 *raw)
{
	int err = qlink_aead_key(slot->aead, raw);

	if (!err)
		return slot;
	qlink_slot_destroy(slot);
	return ERR_PTR(err);
}

/**
 * qlink_slot_new() - make a slot for a key, with its transform
 * @direction: of the key
 * @raw: QLINK_KEY_BYTES bytes of the key; not kept
 *
 * Takes an idle slot where there is one.
 *
 * Context: Process context, sleeps; not under RTNL.
 * Return: the slot, for qlink_slot_free(), or
 * * %-ENOMEM	- no memory
 * * any other	- of the crypto API
 */
struct qlink_slot *qlink_slot_new(enum qlink_direction direction, const u8 *raw)
{
	struct qlink_slot *slot;

	local_bh_disable();
	slot = qlink_slot_pop(direction);
	local_bh_enable();
	if (!slot)
		slot = qlink_slot_make(direction);
	return IS_ERR(slot) ? slot : qlink_slot_key(slot, raw);
}

/**
 * qlink_slot_new_bare() - make a slot without a transform
 * @direction: of the key
 * @raw: QLINK_KEY_BYTES bytes of the key; the slot keeps a copy
 *
 * Context: Any but hard interrupts.
 * Return: the slot, for qlink_slot_free(), or %NULL without memory
 */
struct qlink_slot *qlink_slot_new_bare(enum qlink_direction direction, const u8 *raw)
{
	struct qlink_slot *slot = qlink_slot_alloc(direction, GFP_ATOMIC);

	if (slot)
		memcpy(slot->raw, raw, sizeof(slot->raw));
	return slot;
}

/**
 * qlink_slot_reuse() - have an idle slot for a key, with its transform
 * @direction: of the key
 * @raw: QLINK_KEY_BYTES bytes of the key; not kept
 *
 * Context: BHs off; qlink_aead_may_key_anywhere().
 * Return: the slot, for qlink_slot_free(), or %NULL where none is idle
 */
struct qlink_slot *qlink_slot_reuse(enum qlink_direction direction, const u8 *raw)
{
	struct qlink_slot *slot = qlink_slot_pop(direction);

	if (!slot)
		return NULL;
	/* It cannot fail where setting a key does not sleep. */
	slot = qlink_slot_key(slot, raw);
	return WARN_ON_ONCE(IS_ERR(slot)) ? NULL : slot;
}

/* One window stays for the next key. */
static void qlink_slot_free_lanes(struct qlink_slot *slot)
{
	struct qlink_rx_lane *lane, *next;
	unsigned int i;

	for_each_set_bit(i, &slot->rx_lists, QLINK_RX_LANE_LISTS) {
		lane = rcu_dereference_protected(slot->rx_lanes[i], true);
		for (; lane; lane = next) {
			next = lane->next;
			if (slot->spare_lane)
				kmem_cache_free(qlink_rx_lane_cache, lane);
			else
				slot->spare_lane = lane;
		}
	}
}

/* Zero all that is of the key, but for the transform. */
static void qlink_slot_reset(struct qlink_slot *slot)
{
	unsigned int i;

	memset_startat(slot, 0, rx_lanes);
	for (i = 0; i < qlink_slot_n_tx_lanes(slot->direction); i++)
		memset_startat(&slot->tx_lanes[i], 0, sequence);
}

/**
 * qlink_slot_free() - wipe a slot, and put it into the pool or free it
 * @slot: no frame can be using it; NULL is fine
 *
 * Context: Process context, sleeps; any but hard interrupts where
 * qlink_aead_may_key_anywhere().
 */
void qlink_slot_free(struct qlink_slot *slot)
{
	if (!slot)
		return;
	qlink_slot_free_lanes(slot);
	qlink_slot_reset(slot);
	if (!slot->aead || qlink_aead_wipe(slot->aead) || !qlink_slot_push(slot))
		qlink_slot_destroy(slot);
}

/**
 * qlink_slot_exit() - free the idle slots
 *
 * Context: Process context, when no key is left.
 */
void qlink_slot_exit(void)
{
	struct qlink_slot *slot;
	int i;

	local_bh_disable();
	for (i = 0; i < QLINK_DIRECTIONS; i++) {
		while ((slot = qlink_slot_pop(i)))
			qlink_slot_destroy(slot);
	}
	local_bh_enable();
	kmem_cache_destroy(qlink_rx_lane_cache);
}

/**
 * qlink_slot_init() - make what all slots share
 *
 * Context: Process context, sleeps.
 * Return: 0 or %-ENOMEM
 */
int __init qlink_slot_init(void)
{
	qlink_rx_lane_cache = KMEM_CACHE(qlink_rx_lane, SLAB_ACCOUNT);
	return qlink_rx_lane_cache ? 0 : -ENOMEM;
}

static void qlink_slot_tx_usage(const struct qlink_slot *slot, struct qlink_usage *usage)
{
	unsigned int i;

	for (i = 0; i < qlink_n_lanes(); i++) {
		usage->frames += READ_ONCE(slot->tx_lanes[i].sequence);
		usage->bytes += READ_ONCE(slot->tx_lanes[i].bytes);
	}
}

static void qlink_slot_rx_usage(const struct qlink_slot *slot, struct qlink_usage *usage)
{
	struct qlink_rx_lane *lane;
	unsigned int i;

	for_each_set_bit(i, &slot->rx_lists, QLINK_RX_LANE_LISTS) {
		/* They are there as long as the key. */
		lane = rcu_dereference_check(slot->rx_lanes[i], true);
		for (; lane; lane = lane->next) {
			usage->frames += atomic64_read(&lane->frames);
			usage->bytes += atomic64_read(&lane->bytes);
		}
	}
}

/**
 * qlink_slot_usage() - what the key of a slot has been used for
 * @slot: as of qlink_key_usage()
 * @usage: out, sealed or accepted; zeroed by the caller
 *
 * Context: Any.
 */
void qlink_slot_usage(const struct qlink_slot *slot, struct qlink_usage *usage)
{
	if (slot->direction == QLINK_DIRECTION_TX)
		qlink_slot_tx_usage(slot, usage);
	else
		qlink_slot_rx_usage(slot, usage);
}

/**
 * qlink_slot_blocks() - AES blocks that the key of a transmit slot has sealed
 * @slot: as of qlink_key_blocks()
 *
 * Blocks that lanes have leased and not used are left out. That is as exact as a look
 * at lanes that go on can be.
 *
 * Context: Any.
 * Return: blocks
 */
u64 qlink_slot_blocks(const struct qlink_slot *slot)
{
	u64 blocks = slot->hard_blocks;
	unsigned int i;

	for (i = 0; i < qlink_n_lanes(); i++)
		blocks -= READ_ONCE(slot->tx_lanes[i].leased_blocks);
	blocks -= atomic64_read(&slot->unleased_blocks);
	/* A lane leased some between the two looks. */
	return (s64)blocks < 0 ? 0 : blocks;
}

/* Takes @portion of what is left, or @needed if that is more, or all that is left. */
static u64 qlink_slot_lease(atomic64_t *unleased, u64 portion, u64 needed)
{
	s64 left = atomic64_read(unleased);
	s64 taken;

	do {
		taken = min_t(s64, max(portion, needed), left);
	} while (!atomic64_try_cmpxchg(unleased, &left, left - taken));
	return taken;
}

/* A quarter of a fair share, so that lanes leave little unused when the limit is reached. */
static u64 qlink_slot_portion(s64 left)
{
	return div_s64(left, 4 * qlink_n_lanes());
}

/* False when the key has no frame left. */
static bool qlink_lane_lease_frames(struct qlink_slot *slot, struct qlink_tx_lane *lane)
{
	s64 left = atomic64_read(&slot->unleased_frames);
	u64 taken = QLINK_LEASE_FRAMES;

	if (left != S64_MAX && !READ_ONCE(slot->is_overdue))
		taken = qlink_slot_lease(&slot->unleased_frames,
					 min_t(u64, qlink_slot_portion(left), taken), 1);
	WRITE_ONCE(lane->sequence_end, min(lane->sequence + taken, QLINK_SEQUENCE_MAX));
	return taken;
}

/* False when the key has too few bytes left. A frame that is larger than the whole limit of a
 * key is let through: no other key could take it either, and the frame would use up all keys.
 */
static bool qlink_lane_lease_bytes(struct qlink_slot *slot, struct qlink_tx_lane *lane,
				   unsigned int bytes)
{
	u64 end = READ_ONCE(lane->bytes_end);
	u64 unused = max(end, lane->bytes) - lane->bytes;
	s64 left = atomic64_read(&slot->unleased_bytes);
	u64 taken = QLINK_LEASE_BYTES;

	if (left != S64_MAX && !READ_ONCE(slot->is_overdue))
		taken = qlink_slot_lease(&slot->unleased_bytes,
					 min_t(u64, qlink_slot_portion(left), taken),
					 bytes - unused);
	if (unused + taken < bytes && taken && bytes > READ_ONCE(slot->rekey_bytes))
		taken = bytes - unused;
	WRITE_ONCE(lane->bytes_end, lane->bytes + unused + taken);
	return unused + taken >= bytes;
}

/**
 * qlink_lane_lease() - lease what a lane needs for one frame
 * @slot: of the lane
 * @lane: of this CPU
 * @blocks: that the frame takes
 * @bytes: that the frame has
 *
 * Return: 0 or as of qlink_slot_take()
 */
static int qlink_lane_lease(struct qlink_slot *slot, struct qlink_tx_lane *lane, u64 blocks,
			    unsigned int bytes)
{
	if (!READ_ONCE(slot->has_begun))
		return -EAGAIN;
	/* The MTU has grown since the key was installed. */
	if (blocks > slot->hard_blocks)
		return -EMSGSIZE;
	if (lane->leased_blocks < blocks)
		lane->leased_blocks += qlink_slot_lease(&slot->unleased_blocks,
							min_t(u64, QLINK_LEASE_BLOCKS,
							      slot->hard_blocks / QLINK_LANES),
							blocks - lane->leased_blocks);
	if (lane->leased_blocks < blocks || lane->sequence >= QLINK_SEQUENCE_MAX)
		return -ENOKEY;
	if (lane->sequence >= READ_ONCE(lane->sequence_end) &&
	    !qlink_lane_lease_frames(slot, lane))
		return -EKEYEXPIRED;
	if (lane->bytes + bytes > READ_ONCE(lane->bytes_end) &&
	    !qlink_lane_lease_bytes(slot, lane, bytes))
		return -EKEYEXPIRED;
	return 0;
}

static int qlink_lane_take(struct qlink_slot *slot, struct qlink_tx_lane *lane,
			   unsigned int bytes, u64 *sequence)
{
	u64 blocks = qlink_blocks(bytes);
	int err;

	if (unlikely(lane->leased_blocks < blocks ||
		     lane->sequence >= READ_ONCE(lane->sequence_end) ||
		     lane->bytes + bytes > READ_ONCE(lane->bytes_end))) {
		err = qlink_lane_lease(slot, lane, blocks, bytes);
		if (err)
			return err;
	}
	lane->leased_blocks -= blocks;
	lane->bytes += bytes;
	*sequence = ++lane->sequence;
	return 0;
}

/**
 * qlink_slot_set_hard_blocks() - say how many AES blocks the key of a slot may seal
 * @slot: transmit slot that no frame uses yet
 * @blocks: at most QLINK_HARD_BLOCKS_MAX
 *
 * Context: Any.
 */
void qlink_slot_set_hard_blocks(struct qlink_slot *slot, u32 blocks)
{
	slot->hard_blocks = blocks;
	atomic64_set(&slot->unleased_blocks, blocks);
}

/**
 * qlink_slot_limit() - say when the key of a transmit slot should give way
 * @slot: of a ready key
 * @frames: from now on, 0 for never
 * @bytes: of plaintext from now on, 0 for never
 *
 * A lane that is leasing at the same time may miss it, until it leases again.
 *
 * Context: Under the lock of the key's ring.
 */
void qlink_slot_limit(struct qlink_slot *slot, u64 frames, u64 bytes)
{
	unsigned int i;

	atomic64_set(&slot->unleased_frames, frames ?: S64_MAX);
	atomic64_set(&slot->unleased_bytes, bytes ?: S64_MAX);
	WRITE_ONCE(slot->rekey_bytes, bytes);
	WRITE_ONCE(slot->is_overdue, false);
	for (i = 0; i < qlink_n_lanes(); i++) {
		WRITE_ONCE(slot->tx_lanes[i].sequence_end, 0);
		WRITE_ONCE(slot->tx_lanes[i].bytes_end, 0);
	}
}

/**
 * qlink_slot_take() - take the next sequence of a lane, for one frame
 * @slot: of a transmit key; the caller is in its RCU read side
 * @lane: qlink_lane()
 * @bytes: of plaintext that the frame has
 * @sequence: out, never given out again under this key and @lane
 *
 * Context: BHs off, under qlink_aead_lock().
 * Return:
 * * %0			- taken
 * * %-EAGAIN		- it is the key's first frame
 * * %-EKEYEXPIRED	- a soft limit of the key is reached
 * * %-ENOKEY		- a hard limit of the key is reached
 * * %-EMSGSIZE		- the hard limit of the key is below what this frame needs; drop the frame
 *
 * After another error, call qlink_ring_limit_reached() and try again.
 */
int qlink_slot_take(struct qlink_slot *slot, unsigned int lane, unsigned int bytes,
		    u64 *sequence)
{
	struct qlink_tx_lane *here = &slot->tx_lanes[lane];
	int err;

	if (likely(nr_cpu_ids <= QLINK_LANES))
		return qlink_lane_take(slot, here, bytes, sequence);

	spin_lock(&here->lock);
	err = qlink_lane_take(slot, here, bytes, sequence);
	spin_unlock(&here->lock);
	return err;
}

static struct qlink_rx_lane *qlink_lane_find(struct qlink_rx_lane *first, u8 lane)
{
	while (first && first->lane != lane)
		first = first->next;
	return first;
}

static struct qlink_rx_lane *qlink_slot_find_lane(struct qlink_slot *slot, u8 lane)
{
	return qlink_lane_find(rcu_dereference_bh(slot->rx_lanes[lane % QLINK_RX_LANE_LISTS]),
			       lane);
}

/* The first frame of a lane that authenticates adds the lane's window. Where two CPUs do it at
 * once, both get the window that was added first.
 */
static struct qlink_rx_lane *qlink_slot_add_lane(struct qlink_slot *slot, u8 lane,
						 unsigned int *made)
{
	unsigned int i = lane % QLINK_RX_LANE_LISTS;
	struct qlink_rx_lane __rcu **list = &slot->rx_lanes[i];
	struct qlink_rx_lane *new = xchg(&slot->spare_lane, NULL) ?:
				    kmem_cache_alloc(qlink_rx_lane_cache, GFP_ATOMIC);
	struct qlink_rx_lane *here;

	if (!new)
		return NULL;
	new->lane = lane;
	qlink_replay_init(&new->replay);
	atomic64_set(&new->frames, 0);
	atomic64_set(&new->bytes, 0);
	set_bit(i, &slot->rx_lists);
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
 * qlink_slot_check() - would this sequence be accepted?
 * @slot: of a receive key; the caller is in its RCU read side
 * @lane: from the header, not authenticated yet
 * @sequence: from the header, not authenticated yet
 *
 * Context: BHs off.
 * Return: the verdict; good where no frame of the lane has authenticated yet
 */
enum qlink_replay_verdict qlink_slot_check(struct qlink_slot *slot, u8 lane, u64 sequence)
{
	struct qlink_rx_lane *here = qlink_slot_find_lane(slot, lane);

	return here ? qlink_replay_check(&here->replay, sequence) : QLINK_REPLAY_GOOD;
}

/**
 * qlink_slot_commit() - accept the sequence of an authentic frame, once
 * @slot: of a receive key; the caller is in its RCU read side
 * @lane: from the header
 * @sequence: from the header
 * @bytes: of plaintext
 * @verdict: out, where no error is returned: good the first time, otherwise drop the frame
 * @made: out, bytes of memory of a new window, 0 nearly always
 *
 * Context: BHs off.
 * Return: 0, or %-ENOMEM when there is no memory for the window; then drop the frame
 */
int qlink_slot_commit(struct qlink_slot *slot, u8 lane, u64 sequence, unsigned int bytes,
		      enum qlink_replay_verdict *verdict, unsigned int *made)
{
	struct qlink_rx_lane *here = qlink_slot_find_lane(slot, lane);

	*made = 0;
	if (unlikely(!here))
		here = qlink_slot_add_lane(slot, lane, made);
	if (unlikely(!here))
		return -ENOMEM;

	*verdict = qlink_replay_commit(&here->replay, sequence);
	if (*verdict == QLINK_REPLAY_GOOD) {
		atomic64_inc(&here->frames);
		atomic64_add(bytes, &here->bytes);
	}
	return 0;
}
