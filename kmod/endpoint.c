// SPDX-License-Identifier: GPL-2.0
/* Where a peer can be reached over UDP, as configured or learned. */
#include "endpoint.h"

#include <linux/jiffies.h>
#include <linux/slab.h>

/**
 * DOC: Endpoint
 *
 * Frames are sent to a target, which each frame finds under RCU. A link that roams gets
 * another one when a beacon of the peer comes from elsewhere: PROTOCOL.md section 6 says
 * which beacons count. The beacon was authentic and no replay, or it would not come here.
 *
 * A target has the routes to its address, and both go together. If the routes were the
 * link's, a CPU that has just looked up a route to the old address could store it after
 * the address has changed.
 */

/* The shortest time between two moves: a beacon that somebody held back and sends from elsewhere
 * is authentic, and should not have the endpoint move back and forth at any rate.
 */
#define QLINK_ENDPOINT_GAP	HZ

static void qlink_target_destroy(struct qlink_target *target)
{
	dst_cache_destroy(&target->dst_cache);
	kfree(target);
}

static void qlink_target_free_rcu(struct rcu_head *rcu)
{
	qlink_target_destroy(container_of(rcu, struct qlink_target, rcu));
}

static struct qlink_target *qlink_target_new(const void *address, __be16 port, gfp_t gfp)
{
	struct qlink_target *target = kzalloc(sizeof(*target), gfp);

	if (!target || dst_cache_init(&target->dst_cache, gfp)) {
		kfree(target);
		return NULL;
	}
	memcpy(&target->address, address, sizeof(target->address));
	target->port = port;
	return target;
}

/**
 * qlink_endpoint_init() - make an endpoint
 * @endpoint: zeroed
 * @remote: its address as configured; all zero where it is to be learned
 * @port: its UDP port as configured
 *
 * Context: Process context, sleeps.
 * Return: 0 or %-ENOMEM
 */
int qlink_endpoint_init(struct qlink_endpoint *endpoint, const struct in6_addr *remote,
			__be16 port)
{
	int err = dst_cache_init(&endpoint->configured.dst_cache, GFP_KERNEL_ACCOUNT);

	if (err)
		return err;
	spin_lock_init(&endpoint->lock);
	endpoint->configured.address = *remote;
	endpoint->configured.port = port;
	if (!ipv6_addr_any(remote))
		RCU_INIT_POINTER(endpoint->target, &endpoint->configured);
	return 0;
}

/**
 * qlink_endpoint_exit() - free what belongs to an endpoint
 * @endpoint: no frame can be looking at it; zeroed or made by qlink_endpoint_init()
 *
 * Context: Any but hard interrupts.
 */
void qlink_endpoint_exit(struct qlink_endpoint *endpoint)
{
	struct qlink_target *target = rcu_dereference_protected(endpoint->target, true);

	if (target && target != &endpoint->configured)
		qlink_target_destroy(target);
	dst_cache_destroy(&endpoint->configured.dst_cache);
}

static void qlink_endpoint_set(struct qlink_endpoint *endpoint, struct qlink_target *target)
{
	struct qlink_target *before = rcu_dereference_protected(endpoint->target,
								lockdep_is_held(&endpoint->lock));

	rcu_assign_pointer(endpoint->target, target);
	if (before && before != &endpoint->configured)
		call_rcu(&before->rcu, qlink_target_free_rcu);
}

/**
 * qlink_endpoint_inherit() - go on where an endpoint of the same link was
 * @endpoint: just made, and no frame can find it
 * @from: the one that it takes over from
 * @is_same: it was configured the same: the place counts, too, and not only which beacon was newest
 *
 * Without memory it begins as configured.
 *
 * Context: Process context, sleeps.
 */
void qlink_endpoint_inherit(struct qlink_endpoint *endpoint, struct qlink_endpoint *from,
			    bool is_same)
{
	struct qlink_target *learned = NULL;
	struct qlink_place now, former;

	qlink_endpoint_read(from, &now, &former);
	if (is_same && now.is_known &&
	    (!ipv6_addr_equal(&now.address, &endpoint->configured.address) ||
	     now.port != endpoint->configured.port))
		learned = qlink_target_new(&now.address, now.port, GFP_KERNEL_ACCOUNT);
	if (learned)
		RCU_INIT_POINTER(endpoint->target, learned);

	spin_lock_bh(&from->lock);
	endpoint->newest = from->newest;
	if (is_same) {
		endpoint->former = from->former;
		endpoint->has_moved = from->has_moved;
		endpoint->moved_at = from->moved_at;
	}
	spin_unlock_bh(&from->lock);
}

/**
 * qlink_endpoint_forget_routes() - have routes looked up anew
 * @endpoint: made by qlink_endpoint_init()
 *
 * Context: Any but hard interrupts.
 */
void qlink_endpoint_forget_routes(struct qlink_endpoint *endpoint)
{
	struct qlink_target *target;

	rcu_read_lock();
	target = qlink_endpoint_target(endpoint);
	if (target)
		dst_cache_reset(&target->dst_cache);
	rcu_read_unlock();
}

static bool qlink_mark_is_newer(const struct qlink_mark *mark, const struct qlink_mark *than)
{
	if (mark->n_wipes != than->n_wipes)
		return (s32)(mark->n_wipes - than->n_wipes) > 0;
	if (mark->epoch != than->epoch)
		return mark->epoch > than->epoch;
	return mark->stamp > than->stamp;
}

static bool qlink_target_is_at(const struct qlink_target *target,
			       const struct qlink_origin *origin)
{
	return target && target->port == origin->port &&
	       !memcmp(&target->address, origin->address.bytes, sizeof(target->address));
}

static void qlink_endpoint_note_former(struct qlink_endpoint *endpoint,
				       const struct qlink_target *target)
{
	endpoint->former = (struct qlink_place){ .is_known = target };
	if (!target)
		return;
	endpoint->former.address = target->address;
	endpoint->former.port = target->port;
}

/* May it move there now? The newest beacon counts, from wherever it came. */
static bool qlink_endpoint_may_move(struct qlink_endpoint *endpoint,
				    const struct qlink_target *now,
				    const struct qlink_origin *origin,
				    const struct qlink_mark *mark)
{
	lockdep_assert_held(&endpoint->lock);

	if (!qlink_mark_is_newer(mark, &endpoint->newest))
		return false;
	endpoint->newest = *mark;
	return !qlink_target_is_at(now, origin) &&
	       !(endpoint->has_moved &&
		 time_before(jiffies, endpoint->moved_at + QLINK_ENDPOINT_GAP));
}

/**
 * qlink_endpoint_follow() - a beacon of the peer has come
 * @endpoint: of a link that roams
 * @origin: where it came from: an address that frames can be sent to
 * @mark: of the beacon, which was authentic and no replay
 *
 * Without memory the endpoint stays, until the next beacon.
 *
 * Context: BHs off, in an RCU read side.
 * Return: whether the endpoint has moved
 */
bool qlink_endpoint_follow(struct qlink_endpoint *endpoint, const struct qlink_origin *origin,
			   const struct qlink_mark *mark)
{
	struct qlink_target *now, *next = NULL;

	spin_lock(&endpoint->lock);
	now = rcu_dereference_protected(endpoint->target, lockdep_is_held(&endpoint->lock));
	if (qlink_endpoint_may_move(endpoint, now, origin, mark))
		next = qlink_target_new(origin->address.bytes, origin->port, GFP_ATOMIC);
	if (next) {
		qlink_endpoint_note_former(endpoint, now);
		qlink_endpoint_set(endpoint, next);
		endpoint->has_moved = true;
		endpoint->moved_at = jiffies;
	}
	spin_unlock(&endpoint->lock);
	return next;
}

/**
 * qlink_endpoint_read() - read where an endpoint is and was
 * @endpoint: made by qlink_endpoint_init()
 * @now: out
 * @former: out, where it was before it moved last; not known if it never moved
 *
 * Context: Any but hard interrupts.
 */
void qlink_endpoint_read(struct qlink_endpoint *endpoint, struct qlink_place *now,
			 struct qlink_place *former)
{
	const struct qlink_target *target;

	spin_lock_bh(&endpoint->lock);
	target = rcu_dereference_protected(endpoint->target, lockdep_is_held(&endpoint->lock));
	*now = (struct qlink_place){ .is_known = target };
	if (target) {
		now->address = target->address;
		now->port = target->port;
	}
	*former = endpoint->former;
	spin_unlock_bh(&endpoint->lock);
}
