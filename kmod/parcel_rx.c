// SPDX-License-Identifier: GPL-2.0
/* Takes received parcels apart, and puts records that they cut together again. */
#include "parcel_rx.h"

#include <linux/qlink.h>
#include <linux/skbuff.h>
#include <net/inet_ecn.h>

#include "cut.h"
#include "delivery.h"

/**
 * DOC: Taking apart
 *
 * By the rules of PROTOCOL.md, section 7. All that a record becomes is the affair of delivery.c,
 * and all that is known of a link here is what it holds. So selftests/unit/parcel_rx_test.c can
 * compile these files for the host, feed them what no peer would send, and be the delivery.
 */

/* Of a frame that came in parts: congestion that one of them met (RFC 3168, 5.3). */
static u8 qlink_parcel_rx_worse_ecn(u8 last, u8 earlier)
{
	return unlikely(earlier == INET_ECN_CE) ? earlier : last;
}

/* A record is whole. @ecn: what qlink_parcel_rx_worse_ecn() gives of its parts before this
 * parcel.
 */
static void qlink_parcel_rx_whole(const struct qlink_parcel_rx *parcel, struct sk_buff *skb,
				  u8 kind, u8 ecn)
{
	static const u8 types[] = {
		[QLINK_PARCEL_FRAME]		= QLINK_TYPE_FRAME,
		[QLINK_PARCEL_FRAME_CSUM]	= QLINK_TYPE_FRAME_CSUM,
		[QLINK_PARCEL_KEEPALIVE]	= QLINK_TYPE_KEEPALIVE,
	};

	if (unlikely(!qlink_type_has_length(types[kind], skb->len + QLINK_OVERHEAD_BYTES)))
		qlink_delivery_drop(parcel->link, skb, QLINK_A_STATS_RX_SHORT);
	else if (unlikely(kind == QLINK_PARCEL_KEEPALIVE) && unlikely(parcel->origin))
		qlink_delivery_make_keepalive(parcel->link, skb, parcel->header, parcel->origin);
	else
		qlink_delivery_make(parcel->gro, parcel->link, skb, types[kind],
				    qlink_parcel_rx_worse_ecn(parcel->ecn, ecn));
}

static void qlink_parcel_rx_hold(const struct qlink_parcel_rx *parcel, struct sk_buff *begin)
{
	begin = qlink_cuts_hold(parcel->cuts, qlink_header_lane(parcel->header), begin);
	if (unlikely(begin))
		qlink_delivery_drop(parcel->link, begin, QLINK_A_STATS_RX_CUT_LOST);
}

/* The parcel has a part of what is held from now on. */
static void qlink_parcel_rx_hold_part(const struct qlink_parcel_rx *parcel, struct sk_buff *begin)
{
	struct qlink_cut *cut = qlink_cut_of(begin);

	cut->ecn = qlink_parcel_rx_worse_ecn(parcel->ecn, cut->ecn);
	qlink_parcel_rx_hold(parcel, begin);
}

/* The begin that is held meets a parcel that is not older. Returns whether the parcel can be taken
 * apart further.
 */
static bool qlink_parcel_rx_continue(const struct qlink_parcel_rx *parcel, struct sk_buff *begin,
				     bool is_good)
{
	bool is_lost = !qlink_cut_is_next(begin, parcel->header);

	if (!is_lost && is_good && parcel->walk.rest_bytes &&
	    likely(qlink_cut_fits(begin, &parcel->walk))) {
		if (qlink_cut_add(begin, parcel->header, &parcel->walk))
			qlink_parcel_rx_whole(parcel, begin, qlink_cut_of(begin)->kind,
					      qlink_cut_of(begin)->ecn);
		else
			qlink_parcel_rx_hold_part(parcel, begin);
		return true;
	}
	qlink_delivery_drop(parcel->link, begin, QLINK_A_STATS_RX_CUT_LOST);
	if (is_good && is_lost && parcel->walk.rest_bytes)
		qlink_delivery_miss(parcel->link, QLINK_A_STATS_RX_CUT_LATE);
	return is_good && (is_lost || !parcel->walk.rest_bytes);
}

/* A record that begins in this parcel. */
static void qlink_parcel_rx_record(const struct qlink_parcel_rx *parcel,
				   const struct qlink_parcel_record *record)
{
	bool is_cut = record->here < record->bytes;
	struct sk_buff *skb;

	if (unlikely(is_cut && parcel->is_older)) {
		qlink_delivery_miss(parcel->link, QLINK_A_STATS_RX_CUT_LOST);
		return;
	}
	skb = napi_alloc_skb(parcel->napi, record->bytes);
	if (unlikely(!skb)) {
		qlink_delivery_miss(parcel->link, QLINK_A_STATS_RX_NO_MEMORY);
		return;
	}
	skb_put_data(skb, record->content, record->here);
	if (likely(!is_cut)) {
		qlink_parcel_rx_whole(parcel, skb, record->kind, INET_ECN_NOT_ECT);
		return;
	}
	qlink_cut_begin(skb, parcel->header, record);
	qlink_parcel_rx_hold_part(parcel, skb);
}

/* The records, or why the parcel ends before its end. */
static void qlink_parcel_rx_records(struct qlink_parcel_rx *parcel)
{
	struct qlink_parcel_record record;
	int err;

	while ((err = qlink_parcel_next(&parcel->walk, &record)) > 0)
		qlink_parcel_rx_record(parcel, &record);
	if (unlikely(err))
		qlink_delivery_miss(parcel->link, QLINK_A_STATS_RX_PARCEL_BAD);
}

/**
 * qlink_parcel_rx_take() - take a parcel apart, and deliver what is in it
 * @parcel: all members set but those that say otherwise
 * @plaintext: of it; stays with the caller
 * @bytes: of that
 *
 * Context: Softirq, in an RCU read side.
 */
void qlink_parcel_rx_take(struct qlink_parcel_rx *parcel, const u8 *plaintext,
			  unsigned int bytes)
{
	struct sk_buff *begin = qlink_cuts_take(parcel->cuts, qlink_header_lane(parcel->header));
	bool is_good = qlink_parcel_begin(&parcel->walk, plaintext, bytes);

	parcel->is_older = begin && qlink_cut_is_older(begin, parcel->header);
	if (begin && !parcel->is_older)
		is_good = qlink_parcel_rx_continue(parcel, begin, is_good);
	else if (is_good && unlikely(parcel->walk.rest_bytes))
		qlink_delivery_miss(parcel->link, QLINK_A_STATS_RX_CUT_LATE);

	if (likely(is_good))
		qlink_parcel_rx_records(parcel);
	else
		qlink_delivery_miss(parcel->link, QLINK_A_STATS_RX_PARCEL_BAD);
	if (unlikely(parcel->is_older))
		qlink_parcel_rx_hold(parcel, begin);
}
