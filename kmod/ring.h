/* SPDX-License-Identifier: GPL-2.0 */
/* The keys of one direction of a link, by epoch. */
#ifndef QLINK_RING_H
#define QLINK_RING_H

#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/qlink.h>

#include "key.h"

#define QLINK_RING_KEYS_MAX	32768
#define QLINK_GRACE_MS		1000

/**
 * struct qlink_ring - the keys of one direction of a link
 *
 * @keys is sorted by epoch, oldest first, and every key in it is at or below
 * @newest_epoch, which never goes down. At most one key is ACTIVE, and it is
 * the one that @current_key points to. Counts agree with the states. Of the keys
 * that are not RETIRED none from @bare on has a transform, and all before it have.
 */
struct qlink_ring {
	/** @current_key: tx: the key that seals; rx: the newest that has authenticated */
	struct qlink_key __rcu *current_key;
	/** @direction: tx or rx */
	enum qlink_direction direction;
	/** @lock: guards all below and the change of @current_key; taken with BHs off */
	spinlock_t lock;
	/** @keys: oldest epoch first */
	struct list_head keys;
	/** @bare: the oldest that is not retired and has no transform, or NULL */
	struct qlink_key *bare;
	/** @newest_epoch: that the ring ever held, 0 for none */
	u64 newest_epoch;
	/** @n_staged: keys in this state */
	u32 n_staged;
	/** @n_ready: of these, how many have a transform */
	u32 n_ready;
	/** @n_retired: keys in this state */
	u32 n_retired;
	/** @is_dead: no key seals or comes in any more, and no timer is armed */
	bool is_dead;
	/** @id: random, a new one whenever the ring starts afresh */
	u8 id[QLINK_RING_ID_BYTES];
	/** @changed: tx: there may be a key to seal with where there was none, or none any more */
	void (*changed)(struct qlink_ring *ring);
	/** @reap_work: wipes retired keys when their grace is over */
	struct delayed_work reap_work;
	/** @prepare_work: gives the next keys their transforms; nobody else does */
	struct delayed_work prepare_work;
};

/**
 * struct qlink_ring_info - what is shown of a ring
 */
struct qlink_ring_info {
	/** @id: of the ring */
	u8 id[QLINK_RING_ID_BYTES];
	/** @newest_epoch: that the ring ever held, 0 for none */
	u64 newest_epoch;
	/** @current_epoch: of the active key, 0 for none */
	u64 current_epoch;
	/** @current_source: of the active key */
	enum qlink_source current_source;
	/** @n_staged: keys that wait for their first frame */
	u32 n_staged;
	/** @n_retired: keys kept for late frames */
	u32 n_retired;
};

/** typedef qlink_key_visitor - sees a key under its ring's lock; non-zero stops */
typedef int (*qlink_key_visitor)(const struct qlink_key *key, void *arg);

void qlink_ring_init(struct qlink_ring *ring, enum qlink_direction direction,
		     void (*changed)(struct qlink_ring *ring));
void qlink_ring_destroy(struct qlink_ring *ring);
void qlink_ring_silence(struct qlink_ring *ring);
void qlink_ring_wipe(struct qlink_ring *ring);
void qlink_ring_rename(struct qlink_ring *ring);

void qlink_ring_publish(struct qlink_ring *ring, struct qlink_key **keys, unsigned int n);
void qlink_ring_prepare(struct qlink_ring *ring);
struct qlink_key *qlink_ring_named(struct qlink_ring *ring, u64 epoch);
void qlink_ring_drop(struct qlink_ring *ring, struct qlink_key *key);
bool qlink_ring_refuse(struct qlink_ring *ring, u32 accept);

struct qlink_key *qlink_ring_find(struct qlink_ring *ring, u64 epoch);
int qlink_ring_open(struct qlink_ring *ring, struct qlink_key *key, u8 *frame,
		    unsigned int bytes, const u8 *nonce);
void qlink_ring_follow(struct qlink_ring *ring, struct qlink_key *key);
void qlink_ring_rotate(struct qlink_ring *ring, struct qlink_key *key);

void qlink_ring_read(struct qlink_ring *ring, struct qlink_ring_info *info);
int qlink_ring_visit(struct qlink_ring *ring, u64 after, qlink_key_visitor visit, void *arg);

#endif
