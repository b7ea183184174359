/* SPDX-License-Identifier: GPL-2.0 */
/* Records that the end of a parcel has cut: what a receiver holds of them, one for each lane. */
#ifndef QLINK_CUT_H
#define QLINK_CUT_H

#include <linux/skbuff.h>

#include "parcel.h"

struct qlink_cuts;

/**
 * struct qlink_cut - the begin of a record, in the control buffer of its skb
 */
struct qlink_cut {
	/** @epoch: of its parcels */
	u64 epoch;
	/** @sequence: of the last one */
	u64 sequence;
	/** @since: jiffies when it came */
	unsigned long since;
	/** @missing: bytes that the skb has room for and does not have yet */
	u16 missing;
	/** @kind: an enum qlink_parcel_kind */
	u8 kind;
	/** @ecn: of the outer headers of its parcels, as the receiver sums it up */
	u8 ecn;
};

/**
 * qlink_cut_of() - what is known of a begin
 * @begin: of qlink_cut_begin()
 *
 * Return: in its control buffer
 */
static inline struct qlink_cut *qlink_cut_of(const struct sk_buff *begin)
{
	BUILD_BUG_ON(sizeof(struct qlink_cut) > sizeof(begin->cb));
	return (struct qlink_cut *)begin->cb;
}

void qlink_cut_begin(struct sk_buff *begin, const struct qlink_header *header,
		     const struct qlink_parcel_record *record);
bool qlink_cut_is_older(const struct sk_buff *begin, const struct qlink_header *header);
bool qlink_cut_is_next(const struct sk_buff *begin, const struct qlink_header *header);
bool qlink_cut_fits(const struct sk_buff *begin, const struct qlink_parcel_walk *walk);
bool qlink_cut_add(struct sk_buff *begin, const struct qlink_header *header,
		   const struct qlink_parcel_walk *walk);

struct sk_buff *qlink_cuts_take(struct qlink_cuts **cuts, u8 lane);
struct sk_buff *qlink_cuts_hold(struct qlink_cuts **cuts, u8 lane, struct sk_buff *begin);
void qlink_cuts_drop(struct qlink_cuts **cuts);
void qlink_cuts_free(struct qlink_cuts **cuts);

#endif
