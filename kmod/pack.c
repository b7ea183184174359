// SPDX-License-Identifier: GPL-2.0
/* Small frames that are put into one parcel. */
#include "pack.h"

#include <linux/skbuff.h>

#include "fill.h"
#include "pages.h"
#include "parcel.h"

/* Largest plaintext of a parcel; 0 where the underlay carries none. */
static unsigned int qlink_pack_room(const struct qlink_attach *attach)
{
	return qlink_fill_room(READ_ONCE(attach->max_bytes));
}

/* Most bytes that a frame takes in a parcel. */
static unsigned int qlink_pack_bytes(const struct sk_buff *skb)
{
	return QLINK_PARCEL_HEAD_BYTES + QLINK_CSUM_BYTES + skb->len;
}

/**
 * qlink_pack_takes() - may a frame leave in a parcel with others?
 * @attach: where it leaves
 * @skb: from the MAC header on
 *
 * A large frame gains nothing. Where a socket asks when its frame was sent, the frame has to
 * reach the lower device itself. SCTP's checksum is of a kind that no record has.
 *
 * Context: BHs off.
 * Return: whether it may
 */
bool qlink_pack_takes(const struct qlink_attach *attach, struct sk_buff *skb)
{
	return qlink_pack_bytes(skb) <= qlink_pack_room(attach) / 2 && skb->len >= ETH_HLEN &&
	       !skb_is_gso(skb) && !(skb_shinfo(skb)->tx_flags & SKBTX_ANY_TSTAMP) &&
	       !(skb->ip_summed == CHECKSUM_PARTIAL && skb_csum_is_sctp(skb));
}

/**
 * qlink_pack_may_wait() - may a frame wait for others that are not there yet?
 * @attach: where it leaves
 * @skb: from the MAC header on
 * @n: frames that wait before it
 * @bytes: of them
 *
 * Context: BHs off.
 * Return: whether a parcel would have room for all these and another one like it
 */
bool qlink_pack_may_wait(const struct qlink_attach *attach, struct sk_buff *skb, unsigned int n,
			 unsigned int bytes)
{
	return qlink_pack_takes(attach, skb) &&
	       QLINK_PARCEL_FIRST_BYTES + bytes + n * QLINK_PARCEL_HEAD_BYTES +
	       2 * qlink_pack_bytes(skb) <= qlink_pack_room(attach);
}

/**
 * qlink_pack_fits() - can a frame join those that are there?
 * @pack: the pack
 * @skb: qlink_pack_takes()
 * @flow: of it
 *
 * Context: BHs off.
 * Return: whether there is room, and queues and the outer header treat it as them
 */
bool qlink_pack_fits(const struct qlink_pack *pack, const struct sk_buff *skb,
		     const struct qlink_flow *flow)
{
	unsigned int have;

	if (!pack->n)
		return true;
	have = pack->parcel ? pack->parcel->len :
	       QLINK_PARCEL_FIRST_BYTES + qlink_pack_bytes(pack->first);
	return have + qlink_pack_bytes(skb) <= pack->max_bytes &&
	       skb->priority == pack->priority && skb->mark == pack->mark &&
	       flow->tos == pack->flow.tos && flow->ttl == pack->flow.ttl &&
	       flow->copies == pack->flow.copies;
}

/* Copies a frame into the parcel, as a record. */
static void qlink_pack_record(struct sk_buff *parcel, const struct sk_buff *skb)
{
	bool is_partial = skb->ip_summed == CHECKSUM_PARTIAL;
	unsigned int bytes = skb->len + (is_partial ? QLINK_CSUM_BYTES : 0);
	u8 *at = skb_put(parcel, QLINK_PARCEL_HEAD_BYTES + bytes);

	put_unaligned_be16(qlink_parcel_head(is_partial ? QLINK_PARCEL_FRAME_CSUM :
							  QLINK_PARCEL_FRAME, bytes), at);
	at += QLINK_PARCEL_HEAD_BYTES;
	if (is_partial) {
		qlink_csum_put(at, skb_checksum_start_offset(skb), skb->csum_offset);
		at += QLINK_CSUM_BYTES;
	}
	/* It cannot fail: the frame has that many bytes. */
	skb_copy_bits(skb, 0, at, skb->len);
}

/* Makes the parcel, with the frame that was alone until now. */
static bool qlink_pack_open(struct qlink_pack *pack, const struct qlink_attach *attach)
{
	unsigned int headroom = attach->headroom + QLINK_HEADER_BYTES;
	struct sk_buff *parcel;

	parcel = qlink_pages_skb(headroom + pack->max_bytes + QLINK_TAG_BYTES + attach->tailroom);
	if (unlikely(!parcel))
		return false;
	skb_reserve(parcel, headroom);
	put_unaligned_be16(0, skb_put(parcel, QLINK_PARCEL_FIRST_BYTES));
	qlink_pack_record(parcel, pack->first);
	parcel->dev = pack->first->dev;
	parcel->priority = pack->priority;
	parcel->mark = pack->mark;
	consume_skb(pack->first);
	pack->first = NULL;
	pack->parcel = parcel;
	return true;
}

/**
 * qlink_pack_add() - put a frame to those that are there
 * @pack: the pack
 * @attach: where it leaves
 * @skb: qlink_pack_fits(); taken over
 * @flow: of it
 *
 * Context: BHs off.
 * Return: false without memory for a parcel; then nothing has changed
 */
bool qlink_pack_add(struct qlink_pack *pack, const struct qlink_attach *attach,
		    struct sk_buff *skb, const struct qlink_flow *flow)
{
	if (!pack->n) {
		pack->first = skb;
		pack->flow = *flow;
		pack->priority = skb->priority;
		pack->mark = skb->mark;
		pack->max_bytes = qlink_pack_room(attach);
	} else if (!pack->parcel && unlikely(!qlink_pack_open(pack, attach))) {
		return false;
	}
	pack->n++;
	pack->bytes += skb->len;
	if (pack->parcel) {
		qlink_pack_record(pack->parcel, skb);
		consume_skb(skb);
	}
	return true;
}
