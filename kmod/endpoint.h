/* SPDX-License-Identifier: GPL-2.0 */
/* Where a peer can be reached over UDP, as configured or learned. */
#ifndef QLINK_ENDPOINT_H
#define QLINK_ENDPOINT_H

#include <linux/if_ether.h>
#include <linux/in6.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <net/dst_cache.h>

#include "queue.h"

/**
 * struct qlink_peer_address - where sealed frames come from, as a port sees it
 *
 * Compared as memory; bytes that the family does not use are zero.
 */
struct qlink_peer_address {
	/** @bytes: a MAC address, an IPv4 or an IPv6 address */
	u8 bytes[16];
};

/**
 * enum qlink_origin_note - why it matters where a frame came from, once it is authentic
 * @QLINK_ORIGIN_USUAL: it does not
 * @QLINK_ORIGIN_ROAMING: the endpoint of its link may follow it
 * @QLINK_ORIGIN_ODD_PORT: its sender has not chosen that port, and does not receive there
 */
enum qlink_origin_note {
	QLINK_ORIGIN_USUAL,
	QLINK_ORIGIN_ROAMING,
	QLINK_ORIGIN_ODD_PORT,
};

/**
 * struct qlink_origin - where a frame came from
 *
 * In the control block of a packet only @note is valid, unless it is
 * QLINK_ORIGIN_ROAMING.
 */
struct qlink_origin {
	/** @address: the address */
	struct qlink_peer_address address;
	/** @port: over UDP */
	__be16 port;
	/** @address_bytes: over UDP: 4 or 16 of @address, the rest is zero */
	u8 address_bytes;
	/** @note: an enum qlink_origin_note */
	u8 note;
};

/**
 * struct qlink_target - an address and UDP port that frames are sent to
 *
 * All but the routes is constant while frames can find it, so that a route never
 * belongs to another address.
 */
struct qlink_target {
	/** @address: an IPv4 address is in the first bytes, the rest is zero */
	struct in6_addr address;
	/** @port: where the peer receives */
	__be16 port;
	/** @dst_cache: one route a CPU */
	struct dst_cache dst_cache;
	/** @rcu: frees it */
	struct rcu_head rcu;
};

/**
 * struct qlink_mark - which of two beacons is newer
 */
struct qlink_mark {
	/** @n_wipes: how often all keys of the link were wiped: after a wipe, epochs start anew */
	u32 n_wipes;
	/** @epoch: of the key that the beacon authenticated under */
	u64 epoch;
	/** @stamp: of the beacon, by the peer's clock */
	u64 stamp;
};

/**
 * struct qlink_place - an address and port, to be shown
 */
struct qlink_place {
	/** @is_known: false: the rest is zero */
	bool is_known;
	/** @address: an IPv4 address is in the first bytes */
	struct in6_addr address;
	/** @port: UDP port */
	__be16 port;
};

/**
 * struct qlink_endpoint - the end of a link that frames are sent to
 *
 * All zero where the underlay has none.
 */
struct qlink_endpoint {
	/** @target: where it is now, NULL while nobody knows; changes under @lock */
	struct qlink_target __rcu *target;
	/** @configured: where it was configured to be, if it was */
	struct qlink_target configured;
	/** @lock: guards all below; taken with BHs off */
	spinlock_t lock;
	/** @newest: the newest beacon */
	struct qlink_mark newest;
	/** @has_moved: @moved_at is valid */
	bool has_moved;
	/** @moved_at: when it moved last, in jiffies */
	unsigned long moved_at;
	/** @former: where it was before that */
	struct qlink_place former;
};

int qlink_endpoint_init(struct qlink_endpoint *endpoint, const struct in6_addr *remote,
			__be16 port);
void qlink_endpoint_exit(struct qlink_endpoint *endpoint);
void qlink_endpoint_inherit(struct qlink_endpoint *endpoint, struct qlink_endpoint *from,
			    bool is_same);

void qlink_endpoint_forget_routes(struct qlink_endpoint *endpoint);

bool qlink_endpoint_follow(struct qlink_endpoint *endpoint, const struct qlink_origin *origin,
			   const struct qlink_mark *mark);
void qlink_endpoint_read(struct qlink_endpoint *endpoint, struct qlink_place *now,
			 struct qlink_place *former);

/**
 * qlink_endpoint_target() - where frames are sent now
 * @endpoint: of a link over UDP
 *
 * Context: RCU read side, with BHs off or not.
 * Return: the target, borrowed until the read side ends; NULL while none is known
 */
static inline struct qlink_target *qlink_endpoint_target(const struct qlink_endpoint *endpoint)
{
	return rcu_dereference_check(endpoint->target, rcu_read_lock_bh_held());
}

static_assert(sizeof(struct qlink_queue_cb) + sizeof(struct qlink_origin) <=
	      sizeof_field(struct sk_buff, cb));

/**
 * qlink_origin_of() - where a packet came from, noted in its control block
 * @skb: received, and not handed on; the note is behind what its queue has there
 *
 * Return: the note, valid once the port has found the packet's link
 */
static inline struct qlink_origin *qlink_origin_of(struct sk_buff *skb)
{
	return (struct qlink_origin *)(skb->cb + sizeof(struct qlink_queue_cb));
}

#endif
