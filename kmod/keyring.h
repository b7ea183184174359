/* SPDX-License-Identifier: GPL-2.0 */
/* The keys of a link: a ring for each direction, by epoch. */
#ifndef QLINK_KEYRING_H
#define QLINK_KEYRING_H

#include <linux/list.h>
#include <linux/netlink.h>
#include <linux/qlink.h>

#include "accept.h"
#include "ring_rx.h"
#include "ring_tx.h"

#define QLINK_EPOCH_JUMP_MAX	BIT_ULL(32)

struct qlink_keyring;

/**
 * struct qlink_keyring_upcalls - what a ring tells the layers above it
 */
struct qlink_keyring_upcalls {
	/** @tx_changed: the tx ring got a key to seal with, or lost its last one */
	void (*tx_changed)(struct qlink_keyring *keyring);
	/** @wiped: all keys of both rings were wiped; what came under them proves nothing now */
	void (*wiped)(struct qlink_keyring *keyring);
	/** @tell: takes bits of enum qlink_event_kind; BHs may be off, a ring's lock held */
	void (*tell)(struct qlink_keyring *keyring, u32 kinds);
};

/**
 * struct qlink_keyring - both rings of a link
 */
struct qlink_keyring {
	/** @tx: keys that seal */
	struct qlink_ring tx;
	/** @rx: keys that open */
	struct qlink_ring rx;
	/** @history: of the keys of both */
	struct qlink_history *history;
	/** @generation: counts installs, deletions and wipes, from 1 on */
	u32 generation;
	/** @upcalls: constant */
	const struct qlink_keyring_upcalls *upcalls;
	/** @entry: in the list of all keyrings of the host */
	struct list_head entry;
	/** @n_wipes: how often all keys of the host were wiped */
	u32 n_wipes;
	/** @wiped_by: cause of the last wipe */
	enum qlink_wipe_cause wiped_by;
};

int qlink_keyring_init(struct qlink_keyring *keyring, const struct net_device *dev,
		       const struct qlink_keyring_upcalls *upcalls);
void qlink_keyring_destroy(struct qlink_keyring *keyring);
void qlink_keyring_free(struct qlink_keyring *keyring);

int qlink_keyring_install(struct qlink_keyring *keyring, struct qlink_key **keys,
			  unsigned int n, unsigned int *refused,
			  struct netlink_ext_ack *extack);
int qlink_keyring_delete(struct qlink_keyring *keyring,
			 const struct qlink_key_config *names, unsigned int n,
			 struct netlink_ext_ack *extack);
void qlink_keyring_set_limits(struct qlink_keyring *keyring,
			      const struct qlink_limits *limits);
bool qlink_keyring_refuse(struct qlink_keyring *keyring, const struct qlink_accept *accept);

void qlink_keyrings_silence(void);
int qlink_keyrings_silenced(void);
void qlink_keyrings_unsilence(int n);
void qlink_keyrings_stop(void);
void qlink_keyrings_wipe(enum qlink_wipe_cause cause);
void qlink_keyrings_rename(void);

static inline struct qlink_ring *qlink_keyring_ring(struct qlink_keyring *keyring,
						    enum qlink_direction direction)
{
	return direction == QLINK_DIRECTION_TX ? &keyring->tx : &keyring->rx;
}

#endif
