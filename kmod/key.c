// SPDX-License-Identifier: GPL-2.0
/* One key of one direction: epoch, source, state, and the slot that it has. */
#include "key.h"

#include <linux/err.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/slab.h>

#include "compat.h"

/**
 * DOC: Life of a key
 *
 * ::
 *
 *      install         its turn        a newer key      grace over
 *         v                v           takes over  v         v
 *       STAGED ---------> ACTIVE ----------------> RETIRED -> WIPED
 *   tx: waits          seals             done at once: WIPED
 *   rx: opens          opens             opens until grace is over
 *
 * A key only moves right: a limit retires it early, a deletion wipes it at once.
 * At most one key of a direction is ACTIVE. A receiver opens frames under STAGED
 * keys too, because its peer changes to a new key first: install a key at the
 * receiver, then at the sender, and no frame is lost.
 *
 * No nonce is used twice, even when the installer restarts and repeats itself. The
 * transmit counters belong to the key and exist for all possible CPUs, so hot-plug,
 * preemption and rotation cannot rewind them. An install refuses an epoch that is
 * not above every epoch seen before. The epoch is part of the nonce, so even a key that
 * is installed again, after its ring was wiped or on another link, starts other nonces
 * (qlink_nonce()).
 *
 * A staged key is raw: 128 bytes, of which 32 are the key. When it is one of the
 * next keys it gets a slot with a transform; after that no copy of the raw key is
 * left. A receive key that is further away opens its first frames without a
 * transform, and the first frame that authenticates gives it a slot.
 *
 * A key that is to be wiped is unpublished at once. One RCU grace period later no
 * frame can still be using it. Then its transform is wiped, which overwrites the
 * expanded key, and raw key and salt are wiped with the key's own memory. The slot
 * waits for the next key.
 *
 * A grace period and a work item cost more than one key, so all keys that go within
 * QLINK_WIPE_DELAY_MS share them. The work starts a grace period; the next time that
 * the work runs and the grace period is over, it wipes the keys. So a key is wiped at
 * most twice that delay after it has gone, or one delay later where a grace period is
 * slow.
 */

static struct kmem_cache *qlink_key_cache;

/* Secret of the fingerprints: a keyed hash of 64 bits, so that an equal key is found even when the
 * bytes of the first one are wiped. With a million keys at hand, one install in 2^44 is refused
 * although its key equals none.
 */
static siphash_key_t qlink_key_secret __read_mostly;

/* Give a key that nobody else knows its slot, with a transform. */
static int qlink_key_add_transform(struct qlink_key *key)
{
	struct qlink_slot *slot = qlink_slot_new(key->direction, key->raw);

	if (IS_ERR(slot))
		return PTR_ERR(slot);
	qlink_key_give(key, slot);
	return 0;
}

/**
 * qlink_key_new() - make a key that no ring holds yet
 * @config: the installer's description; checked by the caller
 * @ring: the ring that will hold it
 *
 * Where setting a key may sleep, a receive key gets its transform here, since its frames may
 * come at any time. So the installer waits for that, not those who want the link mutex, and
 * the installer's cgroup is charged, except for what the crypto API allocates, which charges
 * nobody.
 *
 * Context: Process context, sleeps; not under RTNL, nor under a mutex that RTNL waits for.
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
	key->kmes = config->kmes;
	key->hard_blocks = config->hard_blocks;
	memcpy(key->kme_key_id, config->kme_key_id, sizeof(key->kme_key_id));
	memcpy(key->salt, config->salt, sizeof(key->salt));
	memcpy(key->raw, config->key, sizeof(key->raw));
	key->fingerprint = siphash(config->key, QLINK_KEY_BYTES, &qlink_key_secret);
	if (key->direction == QLINK_DIRECTION_RX && !qlink_aead_may_key_anywhere() &&
	    qlink_key_add_transform(key)) {
		qlink_key_destroy(key);
		return NULL;
	}
	return key;
}

/**
 * qlink_key_destroy() - wipe a key, its slot and its memory at once
 * @key: no frame can be using it; for anything else there is qlink_key_free()
 *
 * Context: As qlink_slot_free().
 */
void qlink_key_destroy(struct qlink_key *key)
{
	if (key->has_slot)
		qlink_slot_free(key->slot);
	memzero_explicit(key, sizeof(*key));
	kmem_cache_free(qlink_key_cache, key);
}

/**
 * qlink_key_raw() - the bytes of a key that has no transform yet
 * @key: not ready
 *
 * Context: Under the lock of its ring; the bytes are valid as long as it is held.
 * Return: QLINK_KEY_BYTES bytes
 */
const u8 *qlink_key_raw(const struct qlink_key *key)
{
	return key->has_slot ? key->slot->raw : key->raw;
}

/**
 * qlink_key_add_slot() - give a receive key a slot, but no transform
 * @key: without a slot
 *
 * Context: BHs off, under the lock of its ring.
 * Return: 0 or %-ENOMEM
 */
int qlink_key_add_slot(struct qlink_key *key)
{
	struct qlink_slot *slot = qlink_slot_new_bare(key->direction, key->raw);

	if (!slot)
		return -ENOMEM;
	memzero_explicit(key->raw, sizeof(key->raw));
	key->slot = slot;
	/* Pairs with qlink_key_slot(). */
	smp_store_release(&key->has_slot, true);
	return 0;
}

/**
 * qlink_key_give() - give a key its transform, and a slot if it has none
 * @key: not ready
 * @slot: of qlink_slot_new() or qlink_slot_reuse()
 *
 * Context: BHs off, under the lock of its ring; or before anybody knows @key.
 * Return: the slot that is left over, for qlink_slot_free(); or %NULL
 */
struct qlink_slot *qlink_key_give(struct qlink_key *key, struct qlink_slot *slot)
{
	if (key->direction == QLINK_DIRECTION_TX)
		qlink_slot_set_hard_blocks(slot, key->hard_blocks);
	if (!key->has_slot) {
		memzero_explicit(key->raw, sizeof(key->raw));
		key->slot = slot;
		slot = NULL;
		/* Pairs with qlink_key_slot(). */
		smp_store_release(&key->has_slot, true);
	} else {
		key->slot->aead = slot->aead;
		slot->aead = NULL;
		memzero_explicit(key->slot->raw, sizeof(key->slot->raw));
	}
	/* Pairs with qlink_key_is_ready(). */
	smp_store_release(&key->is_ready, true);
	return slot;
}

/**
 * qlink_key_usage() - what a key has been used for
 * @key: in its ring, whose lock is held, or about to be wiped
 * @usage: out, sealed or accepted
 *
 * Context: Any.
 */
void qlink_key_usage(const struct qlink_key *key, struct qlink_usage *usage)
{
	memset(usage, 0, sizeof(*usage));
	if (key->has_slot)
		qlink_slot_usage(key->slot, usage);
}

/**
 * qlink_key_blocks() - AES blocks that a key has sealed
 * @key: in its ring, whose lock is held, or about to be wiped
 *
 * Context: Any.
 * Return: blocks, as of qlink_slot_blocks(); 0 for a receive key
 */
u64 qlink_key_blocks(const struct qlink_key *key)
{
	if (key->direction != QLINK_DIRECTION_TX || !key->is_ready)
		return 0;
	return qlink_slot_blocks(key->slot);
}

/**
 * qlink_key_begin() - the first frame of a key came
 * @key: with a slot
 *
 * Context: Under the lock of its ring.
 */
void qlink_key_begin(struct qlink_key *key)
{
	if (!key->slot->first_at)
		key->slot->first_at = ktime_get();
}

/**
 * qlink_key_end() - another key took over from this one, or this one goes
 * @key: any
 * @now: of ktime_get(); 0 where the caller has not asked
 *
 * Context: Under the lock of its ring.
 */
void qlink_key_end(struct qlink_key *key, ktime_t now)
{
	if (key->has_slot && key->slot->first_at && !key->slot->last_at)
		key->slot->last_at = now ?: ktime_get();
}

/**
 * qlink_key_count() - add to a history what a key was used for since it was last counted
 * @key: with a slot
 * @history: of its ring
 *
 * Context: Under the lock of its ring.
 */
void qlink_key_count(struct qlink_key *key, struct qlink_history *history)
{
	struct qlink_usage *counted = &key->slot->counted;
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
 * qlink_key_retire() - have a key recorded in a history when it is wiped
 * @key: about to leave its ring for qlink_key_free()
 * @history: held by the caller
 *
 * The usage so far is counted at once, so that no sum goes down meanwhile. Even a
 * key without any frame is prepared for a record, because its first frame may be in
 * flight.
 *
 * Context: Under the lock of its ring.
 */
void qlink_key_retire(struct qlink_key *key, struct qlink_history *history)
{
	if (!key->has_slot)
		return;
	qlink_key_end(key, 0);
	/* A key that retired before has been counted. */
	if (key->state != QLINK_KEY_STATE_RETIRED)
		qlink_key_count(key, history);
	key->slot->history = qlink_history_get(history);
}

/**
 * qlink_key_exit() - undo qlink_key_init(), when the last key is wiped
 *
 * Context: Process context.
 */
void qlink_key_exit(void)
{
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
	if (qlink_key_cache)
		return 0;
	qlink_key_exit();
	return -ENOMEM;
}
