// SPDX-License-Identifier: GPL-2.0
/* Frames that are written into parcels of a given size, cut where a parcel ends. */
#include "fill.h"

#include <linux/etherdevice.h>

#include "owner.h"

/**
 * DOC: Cutting
 *
 * A record that a parcel's end has cut goes on in the parcel with the next sequence of the same
 * epoch and lane (PROTOCOL.md, section 7). Which sequence a parcel has is known when its key and
 * its sequence have been taken, and they are taken before it is written. Where it is not the next
 * one, because the key has changed or another CPU goes on, the record begins anew in it. So
 * nothing is lost, whatever happens between two parcels.
 *
 * The frames of a fill lie in its list until their last byte is in a parcel. Their control buffer
 * says what their records are.
 */

/**
 * struct qlink_fill_cb - control block of a frame in a fill
 */
struct qlink_fill_cb {
	/** @kind: an enum qlink_parcel_kind */
	u8 kind;
	/** @bytes: of the record's content */
	u16 bytes;
};

static struct qlink_fill_cb *qlink_fill_cb(const struct sk_buff *skb)
{
	return (struct qlink_fill_cb *)skb->cb;
}

static unsigned int qlink_fill_content_bytes(const struct sk_buff *skb)
{
	return skb->len + (skb->ip_summed == CHECKSUM_PARTIAL ? QLINK_CSUM_BYTES : 0);
}

/**
 * qlink_fill_record_bytes() - how much of parcels a frame takes
 * @skb: qlink_fill_takes()
 *
 * Return: bytes, with the head of its record
 */
unsigned int qlink_fill_record_bytes(const struct sk_buff *skb)
{
	return QLINK_PARCEL_HEAD_BYTES + qlink_fill_content_bytes(skb);
}

/**
 * qlink_fill_takes() - can a frame be a record?
 * @skb: from the MAC header on
 *
 * Context: Any.
 * Return: false where it is shorter than a header, longer than a record, one of many segments, or
 * has a checksum state that no record has: SCTP's
 */
bool qlink_fill_takes(struct sk_buff *skb)
{
	return skb->len >= ETH_HLEN && !skb_is_gso(skb) &&
	       qlink_fill_content_bytes(skb) <= QLINK_PARCEL_RECORD_BYTES_MAX &&
	       !(skb->ip_summed == CHECKSUM_PARTIAL && skb_csum_is_sctp(skb));
}

/**
 * qlink_fill_init() - make an empty fill
 * @fill: out
 */
void qlink_fill_init(struct qlink_fill *fill)
{
	memset(fill, 0, sizeof(*fill));
	__skb_queue_head_init(&fill->frames);
}

static void qlink_fill_prepare(struct qlink_fill *fill, struct sk_buff *skb, u8 kind)
{
	BUILD_BUG_ON(sizeof(struct qlink_fill_cb) > sizeof(skb->cb));
	*qlink_fill_cb(skb) = (struct qlink_fill_cb){
		.kind = kind,
		.bytes = qlink_fill_content_bytes(skb),
	};
	fill->bytes += QLINK_PARCEL_HEAD_BYTES + qlink_fill_cb(skb)->bytes;
}

/**
 * qlink_fill_add() - have a frame wait, behind all others
 * @fill: of the caller
 * @skb: qlink_fill_takes(); taken over
 *
 * Context: Any.
 */
void qlink_fill_add(struct qlink_fill *fill, struct sk_buff *skb)
{
	qlink_fill_prepare(fill, skb, skb->ip_summed == CHECKSUM_PARTIAL ?
			   QLINK_PARCEL_FRAME_CSUM : QLINK_PARCEL_FRAME);
	__skb_queue_tail(&fill->frames, skb);
}

static bool qlink_fill_is_beacon(const struct sk_buff *skb)
{
	struct qlink_keepalive keepalive;

	qlink_keepalive_get(&keepalive, skb->data);
	return qlink_keepalive_is_beacon(&keepalive);
}

/* The keepalive, or the beacon, that waits already; NULL for none. */
static struct sk_buff *qlink_fill_find_keepalive(struct qlink_fill *fill, bool is_beacon)
{
	struct sk_buff *skb;

	skb_queue_walk(&fill->frames, skb) {
		if (fill->is_cut && skb == skb_peek(&fill->frames))
			continue;
		if (qlink_fill_cb(skb)->kind != QLINK_PARCEL_KEEPALIVE)
			break;
		if (qlink_fill_is_beacon(skb) == is_beacon)
			return skb;
	}
	return NULL;
}

/**
 * qlink_fill_add_keepalive() - have a keepalive or a beacon wait, in front of whole frames
 * @fill: of the caller
 * @skb: QLINK_KEEPALIVE_BYTES bytes; taken over
 *
 * It tells what is true now, and frames may wait long. It takes the place of an older one.
 *
 * Context: Any.
 */
void qlink_fill_add_keepalive(struct qlink_fill *fill, struct sk_buff *skb)
{
	struct sk_buff *older = qlink_fill_find_keepalive(fill, qlink_fill_is_beacon(skb));

	if (older) {
		memcpy(older->data, skb->data, QLINK_KEEPALIVE_BYTES);
		consume_skb(skb);
		return;
	}
	qlink_fill_prepare(fill, skb, QLINK_PARCEL_KEEPALIVE);
	if (fill->is_cut)
		__skb_queue_after(&fill->frames, skb_peek(&fill->frames), skb);
	else
		__skb_queue_head(&fill->frames, skb);
}

/* Write a part of a record's content: the checksum state, if it has one, then the frame. */
static void qlink_fill_copy(u8 *to, const struct sk_buff *skb, unsigned int from,
			    unsigned int bytes)
{
	unsigned int state = qlink_fill_cb(skb)->bytes - skb->len, n;
	u8 csum[QLINK_CSUM_BYTES];

	if (from < state) {
		qlink_csum_put(csum, skb_checksum_start_offset(skb), skb->csum_offset);
		n = min(bytes, state - from);
		memcpy(to, csum + from, n);
		to += n;
		from += n;
		bytes -= n;
	}
	/* It cannot fail: the frame has that many bytes. */
	if (bytes)
		skb_copy_bits(skb, from - state, to, bytes);
}

/* The first frame is in parcels to its end. Its socket is charged for the last of them. */
static void qlink_fill_done(struct qlink_fill *fill, struct sk_buff *parcel,
			    struct qlink_fill_sum *sum)
{
	struct sk_buff *skb = __skb_dequeue(&fill->frames);

	fill->is_cut = false;
	fill->written = 0;
	sum->records++;
	if (qlink_fill_cb(skb)->kind != QLINK_PARCEL_KEEPALIVE) {
		sum->n++;
		sum->bytes += skb->len;
		if (!parcel->sk)
			qlink_owner_move(parcel, skb);
	}
	skb_tx_timestamp(skb);
	consume_skb(skb);
}

/* Write as much of the first record's content as there is room for. Returns how much. */
static unsigned int qlink_fill_content(struct qlink_fill *fill, struct sk_buff *parcel, u8 *at,
				       unsigned int room, struct qlink_fill_sum *sum)
{
	struct sk_buff *skb = skb_peek(&fill->frames);
	unsigned int left = qlink_fill_cb(skb)->bytes - fill->written;
	unsigned int n = min(left, room);

	qlink_fill_copy(at, skb, fill->written, n);
	fill->written += n;
	fill->bytes -= n;
	if (n == left)
		qlink_fill_done(fill, parcel, sum);
	return n;
}

/* Write records until a parcel is full, or no frame is left. Returns where the last one ends. */
static u8 *qlink_fill_records(struct qlink_fill *fill, struct sk_buff *parcel, u8 *at,
			      const u8 *end, struct qlink_fill_sum *sum)
{
	struct sk_buff *skb;

	while (!fill->is_cut && end - at >= QLINK_PARCEL_HEAD_BYTES &&
	       (skb = skb_peek(&fill->frames))) {
		put_unaligned_be16(qlink_parcel_head(qlink_fill_cb(skb)->kind,
						     qlink_fill_cb(skb)->bytes), at);
		at += QLINK_PARCEL_HEAD_BYTES;
		fill->bytes -= QLINK_PARCEL_HEAD_BYTES;
		fill->is_cut = true;
		at += qlink_fill_content(fill, parcel, at, end - at, sum);
		sum->is_cover = false;
	}
	return at;
}

/* The record that was cut begins anew, where a parcel cannot go on with it. */
static void qlink_fill_begin(struct qlink_fill *fill, const struct qlink_header *header)
{
	if (!fill->is_cut || (fill->epoch == qlink_header_epoch(header) &&
			      fill->lane == qlink_header_lane(header) &&
			      fill->sequence + 1 == qlink_header_sequence(header)))
		return;
	fill->bytes += QLINK_PARCEL_HEAD_BYTES + fill->written;
	fill->written = 0;
	fill->is_cut = false;
}

/**
 * qlink_fill_write() - write what waits into a parcel
 * @fill: of the caller
 * @parcel: its header, and behind it room for the plaintext
 * @bytes: of that room, at least QLINK_FILL_BYTES_MIN; all are written
 * @sum: out
 *
 * Context: BHs off.
 */
void qlink_fill_write(struct qlink_fill *fill, struct sk_buff *parcel, unsigned int bytes,
		      struct qlink_fill_sum *sum)
{
	const struct qlink_header *header = (const struct qlink_header *)parcel->data;
	u8 *plaintext = parcel->data + QLINK_HEADER_BYTES, *at, *end = plaintext + bytes;
	unsigned int rest = 0;

	*sum = (struct qlink_fill_sum){ .is_cover = true };
	at = plaintext + QLINK_PARCEL_FIRST_BYTES;
	qlink_fill_begin(fill, header);
	if (fill->is_cut) {
		rest = qlink_fill_content(fill, parcel, at, end - at, sum);
		sum->is_cover = false;
	}
	put_unaligned_be16(rest, plaintext);
	at = qlink_fill_records(fill, parcel, at + rest, end, sum);
	sum->pad = end - at;
	memset(at, 0, sum->pad);
	fill->epoch = qlink_header_epoch(header);
	fill->lane = qlink_header_lane(header);
	fill->sequence = qlink_header_sequence(header);
}

/**
 * qlink_fill_give_up() - drop a record that is cut, because a parcel of it was not sent
 * @fill: of the caller
 *
 * Context: BHs off.
 */
void qlink_fill_give_up(struct qlink_fill *fill)
{
	struct sk_buff *skb;

	if (!fill->is_cut)
		return;
	skb = __skb_dequeue(&fill->frames);
	fill->bytes -= qlink_fill_cb(skb)->bytes - fill->written;
	fill->is_cut = false;
	fill->written = 0;
	kfree_skb(skb);
}

/**
 * qlink_fill_take() - take back all frames that wait, to be sent in another way
 * @fill: of the caller; empty then
 * @frames: out: they, in their order; the first one may have been sent in part
 *
 * A keepalive is not among them: others follow.
 *
 * Context: BHs off.
 */
void qlink_fill_take(struct qlink_fill *fill, struct sk_buff_head *frames)
{
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(&fill->frames))) {
		if (qlink_fill_cb(skb)->kind == QLINK_PARCEL_KEEPALIVE)
			consume_skb(skb);
		else
			__skb_queue_tail(frames, skb);
	}
	qlink_fill_init(fill);
}

/**
 * qlink_fill_purge() - drop all that waits
 * @fill: of the caller
 *
 * Context: BHs off.
 * Return: how many frames and keepalives there were
 */
unsigned int qlink_fill_purge(struct qlink_fill *fill)
{
	unsigned int n = skb_queue_len(&fill->frames);

	__skb_queue_purge(&fill->frames);
	qlink_fill_init(fill);
	return n;
}
