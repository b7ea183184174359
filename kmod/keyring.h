/* SPDX-License-Identifier: GPL-2.0 */
/* The keys of a link: a ring for each direction, by epoch. */
#ifndef QLINK_KEYRING_H
#define QLINK_KEYRING_H

#include <linux/list.h>
#include <linux/netlink.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/qlink.h>

#include "key.h"

#define QLINK_RING_KEYS_MAX	32768
#define QLINK_GRACE_MS		1000
#define QLINK_EPOCH_JUMP_MAX	BIT_ULL(32)

struct qlink_keyring;

/**
 * struct qlink_keyring_upcalls - what a ring tells the layers above it
 */
struct qlink_keyring_upcalls {
	/** @tx_changed: there is a key to seal with where there was none, or none any more */
	void (*tx_changed)(struct qlink_keyring *keyring);
};

/**
 * struct qlink_ring - the keys of one direction of a link
 *
 * @keys is sorted by epoch, oldest first, and every key in it is at or below
 * @newest_epoch, which never goes down. At most one key is ACTIVE, and it is
 * the one that @current_key points to. Counts agree with the states.
 */
struct qlink_ring {
	/** @current_key: tx: the key that seals; rx: the newest that has authenticated */
	struct qlink_key __rcu *current_key;
	/** @keyring: that the ring belongs to */
	struct qlink_keyring *keyring;
	/** @direction: tx or rx */
	enum qlink_direction direction;
	/** @lock: guards all below and the change of @current_key; taken with BHs off */
	spinlock_t lock;
	/** @keys: oldest epoch first */
	struct list_head keys;
	/** @newest_epoch: that the ring ever held, 0 for none */
	u64 newest_epoch;
	/** @n_staged: keys in this state */
	u32 n_staged;
	/** @n_retired: keys in this state */
	u32 n_retired;
	/** @is_dead: no key seals or comes in any more, and no timer is armed */
	bool is_dead;
	/** @id: random, a new one whenever the ring starts afresh */
	u8 id[QLINK_RING_ID_BYTES];
	/** @reap_work: wipes retired keys when their grace is over */
	struct delayed_work reap_work;
};

/**
 * struct qlink_keyring - both rings of a link
 */
struct qlink_keyring {
	/** @tx: keys that seal */
	struct qlink_ring tx;
	/** @rx: keys that open */
	struct qlink_ring rx;
	/** @upcalls: constant */
	const struct qlink_keyring_upcalls *upcalls;
	/** @entry: in the list of all keyrings of the host */
	struct list_head entry;
	/** @n_wipes: how often all keys of the host were wiped */
	u32 n_wipes;
	/** @wiped_by: the last time */
	enum qlink_wipe_cause wiped_by;
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

void qlink_keyring_init(struct qlink_keyring *keyring,
			const struct qlink_keyring_upcalls *upcalls);
void qlink_keyring_destroy(struct qlink_keyring *keyring);

int qlink_keyring_install(struct qlink_keyring *keyring, struct qlink_key **keys,
			  unsigned int n, struct netlink_ext_ack *extack);
int qlink_keyring_delete(struct qlink_keyring *keyring,
			 const struct qlink_key_config *names, unsigned int n,
			 struct netlink_ext_ack *extack);
bool qlink_keyring_refuse(struct qlink_keyring *keyring, u32 accept);

void qlink_keyrings_silence(void);
void qlink_keyrings_wipe(enum qlink_wipe_cause cause);
void qlink_keyrings_rename(void);

struct qlink_key *qlink_ring_find(struct qlink_ring *ring, u64 epoch);
void qlink_ring_follow(struct qlink_ring *ring, struct qlink_key *key);
void qlink_ring_rotate(struct qlink_ring *ring, struct qlink_key *key);

void qlink_ring_read(struct qlink_ring *ring, struct qlink_ring_info *info);
int qlink_ring_visit(struct qlink_ring *ring, u64 after, qlink_key_visitor visit, void *arg);

static inline struct qlink_ring *qlink_keyring_ring(struct qlink_keyring *keyring,
						    enum qlink_direction direction)
{
	return direction == QLINK_DIRECTION_TX ? &keyring->tx : &keyring->rx;
}

#endif
