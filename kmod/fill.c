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
 * It may do so a few times only: a key that gives way before all parts of a record are under it
 * would keep all that waits behind it for ever, and use up all keys.
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
	fill->memory += skb->truesize;
}

/* Take the first frame off the list. What its record still takes is the caller's affair. */
static struct sk_buff *qlink_fill_dequeue(struct qlink_fill *fill)
{
	struct sk_buff *skb = __skb_dequeue(&fill->frames);

	if (skb)
		fill->memory -= skb->truesize;
	return skb;
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

static void qlink_fill_reset_cut(struct qlink_fill *fill)
{
	fill->is_cut = false;
	fill->written = 0;
	fill->n_begun = 0;
}

/* The first frame is in parcels to its end. */
static void qlink_fill_done(struct qlink_fill *fill, struct qlink_fill_sum *sum)
{
	struct sk_buff *skb = qlink_fill_dequeue(fill);

	qlink_fill_reset_cut(fill);
	sum->records++;
	if (qlink_fill_cb(skb)->kind != QLINK_PARCEL_KEEPALIVE) {
		sum->n++;
		sum->bytes += skb->len;
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
	if (fill->is_of_frame && n < left && qlink_owner_is_there(skb))
		qlink_owner_charge(parcel, skb);
	else if (fill->is_of_frame)
		qlink_owner_move(parcel, skb);
	if (n == left)
		qlink_fill_done(fill, sum);
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
	fill->n_begun++;
}

/* How often a record may begin anew. One that does so more often finds no key that lasts for all
 * its parts, and others wait behind it.
 */
#define QLINK_FILL_BEGUN_MAX	3

/**
 * qlink_fill_is_hopeless() - will the first record never be whole?
 * @fill: of the caller
 *
 * Context: BHs off.
 * Return: whether to drop it, with qlink_fill_give_up()
 */
bool qlink_fill_is_hopeless(const struct qlink_fill *fill)
{
	return fill->n_begun > QLINK_FILL_BEGUN_MAX;
}

/**
 * qlink_fill_dress() - give a parcel what queues below look at, where it is of one frame
 * @fill: with that frame
 * @parcel: new
 *
 * Context: BHs off.
 */
void qlink_fill_dress(const struct qlink_fill *fill, struct sk_buff *parcel)
{
	const struct sk_buff *skb = skb_peek(&fill->frames);

	if (!fill->is_of_frame || !skb)
		return;
	parcel->priority = skb->priority;
	parcel->mark = skb->mark;
	parcel->tstamp = skb->tstamp;
	parcel->tstamp_type = skb->tstamp_type;
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
 * qlink_fill_give_up() - drop the first record, if it is cut: a parcel of it was not sent, or the
 * record is hopeless
 * @fill: of the caller
 *
 * Context: BHs off.
 */
void qlink_fill_give_up(struct qlink_fill *fill)
{
	struct sk_buff *skb;

	if (!fill->is_cut)
		return;
	skb = qlink_fill_dequeue(fill);
	fill->bytes -= qlink_fill_cb(skb)->bytes - fill->written;
	qlink_fill_reset_cut(fill);
	kfree_skb(skb);
}

/**
 * qlink_fill_take() - take back the first frames that wait, to be sent in another way
 * @fill: of the caller
 * @frames: they are added here, in their order; the first one may have been sent in part
 * @n: how many at most
 *
 * A keepalive is not among them: others follow.
 *
 * Context: BHs off.
 */
void qlink_fill_take(struct qlink_fill *fill, struct sk_buff_head *frames, unsigned int n)
{
	struct sk_buff *skb;

	if (fill->is_cut)
		fill->bytes += QLINK_PARCEL_HEAD_BYTES + fill->written;
	qlink_fill_reset_cut(fill);
	while (n-- && (skb = qlink_fill_dequeue(fill))) {
		fill->bytes -= QLINK_PARCEL_HEAD_BYTES + qlink_fill_cb(skb)->bytes;
		if (qlink_fill_cb(skb)->kind == QLINK_PARCEL_KEEPALIVE)
			consume_skb(skb);
		else
			__skb_queue_tail(frames, skb);
	}
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
	fill->bytes = 0;
	fill->memory = 0;
	qlink_fill_reset_cut(fill);
	return n;
}
