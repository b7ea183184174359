// SPDX-License-Identifier: GPL-2.0
/* A ring as netlink attributes: in links and in events. */
#include "ring_show.h"

#include <net/netlink.h>

static size_t qlink_ring_usage_bytes(void)
{
	return QLINK_SOURCES * (nla_total_size(0) +			/* the nest */
				nla_total_size(sizeof(u8)) +		/* source */
				2 * nla_total_size_64bit(sizeof(u64)));	/* frames, bytes */
}

/**
 * qlink_ring_bytes() - room that qlink_ring_fill() needs
 *
 * Return: bytes, with the nest
 */
size_t qlink_ring_bytes(void)
{
	return nla_total_size(0) +			/* the nest */
	       nla_total_size(QLINK_RING_ID_BYTES) +
	       2 * nla_total_size_64bit(sizeof(u64)) +	/* newest, current */
	       2 * nla_total_size(sizeof(u8)) +		/* source, KMEs */
	       2 * nla_total_size(sizeof(u32)) +	/* staged, retired */
	       2 * nla_total_size_64bit(sizeof(u64)) +	/* rekeys, age */
	       nla_total_size(sizeof(u8)) +		/* overdue */
	       qlink_ring_usage_bytes();
}

static int qlink_ring_fill_source(struct sk_buff *msg, enum qlink_source source,
				  const struct qlink_usage *usage)
{
	struct nlattr *nest;

	if (!usage->frames)
		return 0;
	nest = nla_nest_start(msg, QLINK_A_RING_USAGE);
	if (!nest || nla_put_u8(msg, QLINK_A_USAGE_SOURCE, source) ||
	    nla_put_u64_64bit(msg, QLINK_A_USAGE_FRAMES, usage->frames, QLINK_A_USAGE_PAD) ||
	    nla_put_u64_64bit(msg, QLINK_A_USAGE_BYTES, usage->bytes, QLINK_A_USAGE_PAD))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int qlink_ring_fill_usage(struct sk_buff *msg, struct qlink_ring *ring)
{
	struct qlink_usage usage[QLINK_SOURCES];
	enum qlink_source source;
	int err = 0;

	qlink_ring_usage(ring, usage);
	for (source = 0; source < QLINK_SOURCES && !err; source++)
		err = qlink_ring_fill_source(msg, source, &usage[source]);
	return err;
}

/**
 * qlink_ring_fill() - show a ring
 * @msg: with room
 * @ring: any
 * @attribute: type of the nest that the ring goes into
 *
 * Context: Any but hard interrupts. Takes the ring's lock.
 * Return: 0, or %-EMSGSIZE without room
 */
int qlink_ring_fill(struct sk_buff *msg, struct qlink_ring *ring, int attribute)
{
	struct qlink_ring_info info;
	struct nlattr *nest;

	qlink_ring_read(ring, &info);
	nest = nla_nest_start(msg, attribute);
	if (!nest ||
	    nla_put(msg, QLINK_A_RING_ID, sizeof(info.id), info.id) ||
	    nla_put_u64_64bit(msg, QLINK_A_RING_NEWEST_EPOCH, info.newest_epoch,
			      QLINK_A_RING_PAD) ||
	    nla_put_u64_64bit(msg, QLINK_A_RING_CURRENT_EPOCH, info.current_epoch,
			      QLINK_A_RING_PAD) ||
	    (info.current_epoch &&
	     (nla_put_u8(msg, QLINK_A_RING_CURRENT_SOURCE, info.current_source) ||
	      nla_put_u8(msg, QLINK_A_RING_CURRENT_KMES, info.current_kmes))) ||
	    nla_put_u32(msg, QLINK_A_RING_STAGED, info.n_staged) ||
	    nla_put_u32(msg, QLINK_A_RING_RETIRED, info.n_retired) ||
	    nla_put_u64_64bit(msg, QLINK_A_RING_REKEYS, info.n_rekeys, QLINK_A_RING_PAD) ||
	    nla_put_u64_64bit(msg, QLINK_A_RING_AGE_MS, info.age_ms, QLINK_A_RING_PAD) ||
	    (ring->direction == QLINK_DIRECTION_TX &&
	     nla_put_u8(msg, QLINK_A_RING_OVERDUE, info.is_overdue)) ||
	    qlink_ring_fill_usage(msg, ring))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}
