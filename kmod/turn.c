// SPDX-License-Identifier: GPL-2.0
/* What frames of one link become that leave a queue together: parcels, by the mode of the link. */
#include "turn.h"

#include "clock.h"
#include "drop.h"
#include "frame.h"
#include "nest.h"
#include "parcel_tx.h"
#include "seal.h"

/* Seal and send a parcel of several frames; or count why not. */
static void qlink_turn_parcel(struct qlink_dev *link, struct qlink_attach *attach,
			      const struct qlink_pack *pack)
{
	struct qlink_fill_sum sum = { .records = pack->n, .n = pack->n, .bytes = pack->bytes };
	unsigned int bytes = pack->parcel->len;

	if (likely(qlink_seal_send(link, attach, pack->parcel, pack->n, QLINK_TYPE_PARCEL,
				   pack->flow)))
		qlink_parcel_tx_count(link, bytes, &sum);
}

static void qlink_turn_parcel_out(struct qlink_dev *link, const struct qlink_pack *pack)
{
	struct qlink_attach *attach = rcu_dereference_bh(link->attach);
	struct qlink_nest nest;
	unsigned int counter;

	counter = unlikely(!attach) ? QLINK_A_STATS_TX_NO_UNDERLAY :
		  unlikely(!qlink_nest_enter(&nest, link)) ? QLINK_A_STATS_TX_LOOP : 0;
	if (unlikely(counter)) {
		qlink_drop(link->stats, link->dev, pack->parcel, counter, pack->n);
		return;
	}
	qlink_turn_parcel(link, attach, pack);
	qlink_nest_leave(&nest);
}

/* Send what is in a pack, and empty it. Without a link it is empty. */
static void qlink_turn_pack_out(struct qlink_dev *link, struct qlink_pack *pack)
{
	if (qlink_pack_is_empty(pack))
		return;
	if (pack->parcel)
		qlink_turn_parcel_out(link, pack);
	else
		qlink_frame_send(link, pack->first);
	*pack = (struct qlink_pack){ 0 };
}

/* Put a frame into a pack, where that is possible; otherwise it is untouched. A frame of this host
 * stays charged to its socket until it has left.
 */
static bool qlink_turn_pack(struct qlink_dev *link, struct qlink_pack *pack, struct sk_buff *skb)
{
	struct qlink_attach *attach = rcu_dereference_bh(link->attach);
	struct qlink_flow flow;

	if (unlikely(!attach) || !qlink_frame_is_forwarded(skb) || !qlink_pack_takes(attach, skb))
		return false;
	flow = qlink_frame_flow(link, attach, skb);
	if (!qlink_pack_fits(pack, skb, &flow))
		qlink_turn_pack_out(link, pack);
	return qlink_pack_add(pack, attach, skb, &flow);
}

/**
 * qlink_turn_records() - make a frame of the stack frames that records can have
 * @link: of the frame
 * @skb: taken over
 * @records: out: fewer than there were segments, where some were dropped
 *
 * Context: BHs off.
 */
void qlink_turn_records(struct qlink_dev *link, struct sk_buff *skb, struct sk_buff_head *records)
{
	struct sk_buff *segments = skb, *segment, *next;

	__skb_queue_head_init(records);
	if (skb_is_gso(skb))
		segments = qlink_frame_segments(link, skb);
	skb_list_walk_safe(segments, segment, next) {
		skb_mark_not_on_list(segment);
		if (qlink_frame_record(link, segment))
			__skb_queue_tail(records, segment);
	}
}

/* Send padded parcels: those that are full, or all that waits. */
static void qlink_turn_pad_out(struct qlink_dev *link, struct qlink_fill *fill, bool all)
{
	struct qlink_attach *attach = rcu_dereference_bh(link->attach);
	unsigned int bytes = attach ? qlink_parcel_tx_bytes(link, attach) : 0;
	struct qlink_flow flow;
	struct qlink_nest nest;

	if (unlikely(!attach || READ_ONCE(link->is_looped) || !qlink_nest_enter(&nest, link))) {
		qlink_parcel_tx_drop(link, fill, attach ? QLINK_A_STATS_TX_LOOP :
							  QLINK_A_STATS_TX_NO_UNDERLAY);
		return;
	}
	flow = qlink_parcel_tx_flow(attach, QLINK_FLOW_FROM_PORT);
	while (!qlink_fill_is_empty(fill) &&
	       (all || QLINK_PARCEL_FIRST_BYTES + fill->bytes >= bytes))
		qlink_parcel_tx_send(link, attach, fill, bytes, flow);
	qlink_nest_leave(&nest);
}

/**
 * qlink_turn_out() - send all that a turn has
 * @link: of its frames; without one it has none
 * @turn: empty then
 *
 * Context: As of qlink_frame_send().
 */
void qlink_turn_out(struct qlink_dev *link, struct qlink_turn *turn)
{
	qlink_turn_pack_out(link, &turn->pack);
	if (unlikely(!qlink_fill_is_empty(&turn->fill)))
		qlink_turn_pad_out(link, &turn->fill, true);
}

static void qlink_turn_pad(struct qlink_dev *link, struct qlink_turn *turn, struct sk_buff *skb)
{
	struct sk_buff_head records;

	qlink_turn_pack_out(link, &turn->pack);
	qlink_turn_records(link, skb, &records);
	while ((skb = __skb_dequeue(&records))) {
		qlink_fill_add(&turn->fill, skb);
		qlink_turn_pad_out(link, &turn->fill, false);
	}
}

/**
 * qlink_turn_as() - send a frame as a mode says, but not by the clock
 * @link: of the frame
 * @turn: it comes behind all that is in it
 * @skb: taken over
 * @mode: an enum qlink_parcel_mode, but constant
 *
 * Context: As of qlink_frame_send().
 */
void qlink_turn_as(struct qlink_dev *link, struct qlink_turn *turn, struct sk_buff *skb, u8 mode)
{
	if (mode == QLINK_PARCEL_MODE_PAD) {
		qlink_turn_pad(link, turn, skb);
		return;
	}
	if (mode == QLINK_PARCEL_MODE_PACK && qlink_fill_is_empty(&turn->fill) &&
	    qlink_turn_pack(link, &turn->pack, skb))
		return;
	qlink_turn_out(link, turn);
	qlink_frame_send(link, skb);
}

/**
 * qlink_turn_add() - send a frame as the mode of its link says
 * @link: of the frame
 * @turn: it comes behind all that is in it
 * @skb: taken over
 *
 * Context: As of qlink_frame_send().
 */
void qlink_turn_add(struct qlink_dev *link, struct qlink_turn *turn, struct sk_buff *skb)
{
	u8 mode = READ_ONCE(link->parcel);
	struct sk_buff_head records;

	if (mode != QLINK_PARCEL_MODE_CONSTANT) {
		qlink_turn_as(link, turn, skb, mode);
		return;
	}
	qlink_turn_out(link, turn);
	qlink_turn_records(link, skb, &records);
	while (mode == QLINK_PARCEL_MODE_CONSTANT) {
		if (qlink_clock_add(link, &records))
			return;
		mode = READ_ONCE(link->parcel);
	}
	/* It has just changed. */
	while ((skb = __skb_dequeue(&records)))
		qlink_turn_as(link, turn, skb, mode);
}
