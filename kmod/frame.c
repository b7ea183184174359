// SPDX-License-Identifier: GPL-2.0
/* A frame of the stack on its way to the underlay: by itself, in segments, or in parts. */
#include "frame.h"

#include <linux/etherdevice.h>
#include <linux/skbuff.h>
#include <net/gso.h>

#include "bundle.h"
#include "drop.h"
#include "gso.h"
#include "nest.h"
#include "outer.h"
#include "owner.h"
#include "pages.h"
#include "parcel_tx.h"
#include "pmtu.h"
#include "seal.h"

/**
 * DOC: A frame by itself
 *
 * ::
 *
 *    1  qlink_frame_send()          drop it if this link is in the middle of sending: a loop
 *    2    qlink_frame_one()         find the underlay; one frame, or one of many segments?
 *    3      qlink_frame_small()     one frame
 *    4        qlink_frame_type()    choose its type; does it fit?
 *    5        qlink_frame_own()     get a linear buffer of our own, with room
 *    6        qlink_frame_push_csum()  type 2: write where its checksum will be
 *    7        qlink_seal_send()     header, key and sequence; encrypt in place
 *    8          qlink_seal_emit()   the underlay adds its headers and sends
 *
 * A frame takes these 8 steps, in this order. A frame of many segments goes from step 2 to
 * qlink_frame_large(). Where qlink can cut it, each segment goes on at step 7, or, where the
 * underlay takes bundles, several segments are sealed side by side into one packet, which
 * goes on at step 8. Where the kernel has to cut it, each segment goes on at step 3. A frame that
 * does not fit goes in parts, in parcels, or without them to qlink_frame_too_big().
 *
 * A frame with an unfinished checksum keeps it unfinished (type 2). The tag proves
 * more than any checksum, so nobody computes one under it.
 *
 * A frame is encrypted in place only in memory that nobody else can see: linear and
 * not cloned. Anything else is copied first, above all the page-cache pages of
 * sendfile().
 */

/**
 * qlink_frame_drop() - drop a frame and count it
 * @link: of it
 * @skb: taken over
 * @counter: QLINK_A_STATS_*
 *
 * Context: BHs off.
 */
void qlink_frame_drop(struct qlink_dev *link, struct sk_buff *skb, unsigned int counter)
{
	/* A packet of many segments counts as that many frames. */
	qlink_drop(link->stats, link->dev, skb, counter,
		   max_t(unsigned int, skb_shinfo(skb)->gso_segs, 1));
}

/**
 * qlink_frame_type() - choose the type of a frame and check that it fits
 * @skb: from the MAC header on; its checksum may be finished here
 * @max_bytes: largest size of a sealed frame
 *
 * A frame with a VLAN tag and a full payload is 4 bytes too long for type 2.
 * Finishing its checksum makes it a type 0 that fits.
 *
 * Return: the type, %-EMSGSIZE when it does not fit, or %-ENOMEM
 */
static int qlink_frame_type(struct sk_buff *skb, unsigned int max_bytes)
{
	unsigned int bytes = skb->len + QLINK_OVERHEAD_BYTES;

	if (unlikely(bytes > max_bytes))
		return -EMSGSIZE;
	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return QLINK_TYPE_FRAME;
	if (likely(bytes + QLINK_CSUM_BYTES <= max_bytes && !skb_csum_is_sctp(skb)))
		return QLINK_TYPE_FRAME_CSUM;
	if (skb_csum_hwoffload_help(skb, 0))
		return -ENOMEM;
	return QLINK_TYPE_FRAME;
}

/* Tell the sender of a frame that does not fit, if possible; the frame is dropped in any case. */
static void qlink_frame_too_big(struct qlink_dev *link, struct sk_buff *skb,
				unsigned int max_bytes)
{
	if (qlink_pmtu_tell(link, skb, max_bytes))
		qlink_drop_count(link->stats, link->dev, NULL, QLINK_A_STATS_TX_TOO_BIG, 1);
	else
		qlink_frame_drop(link, skb, QLINK_A_STATS_TX_TOO_BIG);
}

/**
 * qlink_frame_own() - make a frame linear, unshared and roomy
 * @skb: taken over
 * @headroom: bytes that header and underlay need
 * @tailroom: bytes that tag and underlay need
 *
 * Return: @skb or a copy; NULL without memory, and @skb is untouched
 */
static struct sk_buff *qlink_frame_own(struct sk_buff *skb, unsigned int headroom,
				       unsigned int tailroom)
{
	struct sk_buff *copy;

	if (!skb_is_nonlinear(skb) && !skb_cloned(skb) &&
	    skb_headroom(skb) >= headroom && skb_tailroom(skb) >= tailroom)
		return skb;

	copy = skb_copy_expand(skb, headroom, tailroom, GFP_ATOMIC);
	if (unlikely(!copy))
		return NULL;
	qlink_owner_move(copy, skb);
	copy->ooo_okay = skb->ooo_okay;
	/* Where a socket asks when the frame was sent, the lower device answers. */
	skb_shinfo(copy)->tx_flags |= skb_shinfo(skb)->tx_flags & SKBTX_ANY_TSTAMP;
	skb_shinfo(copy)->tskey = skb_shinfo(skb)->tskey;
	consume_skb(skb);
	return copy;
}

static void qlink_frame_push_csum(struct sk_buff *skb)
{
	u16 start = skb_checksum_start_offset(skb);

	qlink_csum_put(skb_push(skb, QLINK_CSUM_BYTES), start, skb->csum_offset);
}

/**
 * qlink_frame_is_forwarded() - did a device of this host receive a frame?
 * @skb: of the stack; over a virtual wire it may still have a socket
 *
 * Context: Any.
 * Return: whether one did
 */
bool qlink_frame_is_forwarded(const struct sk_buff *skb)
{
	return skb->skb_iif;
}

/* Does the MTU allow frames that the underlay does not carry whole? */
static bool qlink_frame_may_be_cut(const struct qlink_dev *link, const struct qlink_attach *attach)
{
	return READ_ONCE(link->dev->mtu) + QLINK_MTU_LESS > READ_ONCE(attach->max_bytes);
}

/**
 * qlink_frame_flow() - what of a frame its underlay may follow
 * @link: of the frame
 * @attach: of the link
 * @skb: not sealed yet
 *
 * With parcels, all that a CPU forwards comes from one port, so that the underlay keeps its order:
 * a flow may have frames in parcels and others. A flow of this host has some in parcels only where
 * the MTU lets frames be larger than the underlay carries; otherwise it keeps its port, also where
 * several CPUs send it.
 *
 * Context: BHs off.
 * Return: its flow, and the fields of its outer header
 */
struct qlink_flow qlink_frame_flow(const struct qlink_dev *link,
				   const struct qlink_attach *attach, struct sk_buff *skb)
{
	struct qlink_flow flow = qlink_outer_flow(attach, skb);

	if (unlikely(READ_ONCE(link->parcel)) &&
	    (qlink_frame_is_forwarded(skb) || qlink_frame_may_be_cut(link, attach)))
		flow.hash = qlink_parcel_tx_hash();
	return flow;
}

/**
 * qlink_frame_record() - make a frame one that a record can have, and take it off its route
 * @link: of it
 * @skb: not of many segments; taken over where false is returned
 *
 * Context: BHs off.
 * Return: false where it was dropped
 */
bool qlink_frame_record(struct qlink_dev *link, struct sk_buff *skb)
{
	if (unlikely(skb->len < ETH_HLEN)) {
		qlink_frame_drop(link, skb, QLINK_A_STATS_TX_BAD_FRAME);
		return false;
	}
	if (unlikely(skb->ip_summed == CHECKSUM_PARTIAL && skb_csum_is_sctp(skb)) &&
	    skb_csum_hwoffload_help(skb, 0)) {
		qlink_frame_drop(link, skb, QLINK_A_STATS_TX_NO_MEMORY);
		return false;
	}
	if (unlikely(!qlink_fill_takes(skb))) {
		qlink_frame_too_big(link, skb,
				    QLINK_PARCEL_RECORD_BYTES_MAX + QLINK_OVERHEAD_BYTES);
		return false;
	}
	skb_dst_drop(skb);
	return true;
}

/* A frame that is larger than what the underlay carries goes in parts, over parcels about alike. */
static void qlink_frame_in_parts(struct qlink_dev *link, struct qlink_attach *attach,
				 struct sk_buff *skb)
{
	struct qlink_flow flow = qlink_frame_flow(link, attach, skb);
	struct qlink_fill fill;

	/* It would be cut at each of them, and go round for ever. */
	if (unlikely(READ_ONCE(link->is_looped))) {
		qlink_frame_drop(link, skb, QLINK_A_STATS_TX_LOOP);
		return;
	}
	if (!qlink_frame_record(link, skb))
		return;
	qlink_fill_init(&fill);
	fill.is_of_frame = true;
	/* All parcels of a lane come from one port: the peer expects one behind the other. */
	flow.hash = qlink_parcel_tx_hash();
	qlink_fill_add(&fill, skb);
	qlink_parcel_tx_send_all(link, attach, &fill, qlink_parcel_tx_share(&fill, attach), flow);
}

/* One frame, which may still be too big for the underlay. */
static void qlink_frame_small(struct qlink_dev *link, struct qlink_attach *attach,
			      struct sk_buff *skb)
{
	unsigned int max_bytes = READ_ONCE(attach->max_bytes);
	unsigned int bytes = skb->len;
	struct qlink_flow flow;
	struct sk_buff *own;
	int type;

	type = qlink_frame_type(skb, max_bytes);
	if (unlikely(type == -EMSGSIZE)) {
		if (READ_ONCE(link->parcel))
			qlink_frame_in_parts(link, attach, skb);
		else
			qlink_frame_too_big(link, skb, max_bytes);
		return;
	}
	if (unlikely(type < 0)) {
		qlink_frame_drop(link, skb, QLINK_A_STATS_TX_NO_MEMORY);
		return;
	}
	skb_dst_drop(skb);

	flow = qlink_frame_flow(link, attach, skb);
	own = qlink_frame_own(skb, attach->headroom + QLINK_HEADER_BYTES + QLINK_CSUM_BYTES,
			      attach->tailroom + QLINK_TAG_BYTES);
	if (unlikely(!own)) {
		qlink_frame_drop(link, skb, QLINK_A_STATS_TX_NO_MEMORY);
		return;
	}

	if (type == QLINK_TYPE_FRAME_CSUM)
		qlink_frame_push_csum(own);
	if (likely(qlink_seal_send(link, attach, own, 1, type, flow)))
		dev_sw_netstats_tx_add(link->dev, 1, bytes);
}

/**
 * qlink_frame_segments() - have the kernel cut a frame, into segments with unfinished checksums
 * @link: of it
 * @skb: of many segments; taken over
 *
 * The segments refer to the payload, so it is copied only once, to where there is room to seal it.
 *
 * Context: BHs off.
 * Return: a list; %NULL where the frame was dropped
 */
struct sk_buff *qlink_frame_segments(struct qlink_dev *link, struct sk_buff *skb)
{
	struct sk_buff *segments = skb_gso_segment(skb, NETIF_F_SG | NETIF_F_HW_CSUM);

	if (IS_ERR_OR_NULL(segments)) {
		qlink_frame_drop(link, skb, segments == ERR_PTR(-ENOMEM) ?
			      QLINK_A_STATS_TX_NO_MEMORY : QLINK_A_STATS_TX_BAD_FRAME);
		return NULL;
	}
	consume_skb(skb);
	return segments;
}

static void qlink_frame_segment(struct qlink_dev *link, struct qlink_attach *attach,
				struct sk_buff *skb)
{
	struct sk_buff *segments = qlink_frame_segments(link, skb), *segment, *next;

	skb_list_walk_safe(segments, segment, next) {
		skb_mark_not_on_list(segment);
		qlink_frame_small(link, attach, segment);
	}
}

/* Copy what queues below look at: flow, priority, and when the frame may leave. */
static void qlink_frame_copy_metadata(struct sk_buff *own, const struct sk_buff *skb)
{
	own->dev = skb->dev;
	own->priority = skb->priority;
	own->mark = skb->mark;
	own->tstamp = skb->tstamp;
	own->tstamp_type = skb->tstamp_type;
	skb_copy_hash(own, skb);
}

/* Write the next segment as the plaintext of a type 2 frame. */
static void qlink_frame_cut_to(struct qlink_gso *gso, u8 *at)
{
	qlink_csum_put(at, gso->transport, gso->skb->csum_offset);
	qlink_gso_cut(gso, at + QLINK_CSUM_BYTES);
}

/* Write the next segment into a buffer of its own. */
static struct sk_buff *qlink_frame_cut(const struct qlink_attach *attach, struct qlink_gso *gso)
{
	unsigned int headroom = attach->headroom + QLINK_HEADER_BYTES;
	unsigned int bytes = QLINK_CSUM_BYTES + qlink_gso_bytes(gso);
	struct sk_buff *own;

	own = qlink_pages_skb(headroom + bytes + QLINK_TAG_BYTES + attach->tailroom);
	if (unlikely(!own))
		return NULL;
	skb_reserve(own, headroom);
	qlink_frame_cut_to(gso, skb_put(own, bytes));
	return own;
}

/* Set the fields that a segment or bundle has from the original frame. Each belongs to the frame's
 * socket: a queue that keeps the packets of a socket in order (fq) lets others overtake them.
 */
static void qlink_frame_follow(struct sk_buff *own, struct sk_buff *skb,
			       const struct qlink_gso *gso)
{
	if (gso->at == skb->len)
		qlink_owner_move(own, skb);
	else if (qlink_owner_is_there(skb))
		qlink_owner_charge(own, skb);
	qlink_frame_copy_metadata(own, skb);
	/* Only the first one may take another queue than the packets before it. */
	own->ooo_okay = skb->ooo_okay;
	skb->ooo_okay = 0;
}

/* Cut a frame, seal its segments and send them one by one. */
static void qlink_frame_cut_all(struct qlink_dev *link, struct qlink_attach *attach,
				struct qlink_gso *gso, struct sk_buff *skb,
			     struct qlink_flow flow)
{
	struct sk_buff *own;
	unsigned int bytes;

	while ((bytes = qlink_gso_bytes(gso))) {
		own = qlink_frame_cut(attach, gso);
		if (unlikely(!own)) {
			qlink_drop_count(link->stats, link->dev, skb, QLINK_A_STATS_TX_NO_MEMORY,
					 qlink_gso_left(gso));
			return;
		}
		qlink_frame_follow(own, skb, gso);
		if (likely(qlink_seal_send(link, attach, own, 1, QLINK_TYPE_FRAME_CSUM, flow)))
			dev_sw_netstats_tx_add(link->dev, 1, bytes);
	}
}

/**
 * qlink_frame_bundle() - seal segments into a bundle
 * @link: of the frame
 * @attach: of the link
 * @gso: with segments left
 * @bundle: empty
 * @max_bytes: largest size of the bundle
 * @max_n: largest number of segments in it
 *
 * A segment that cannot be sealed is counted and ends the bundle.
 *
 * Return: bytes of the segments in the bundle, before they were sealed
 */
static unsigned int qlink_frame_bundle(struct qlink_dev *link, struct qlink_attach *attach,
				       struct qlink_gso *gso, struct sk_buff *bundle,
				    unsigned int max_bytes, unsigned int max_n)
{
	unsigned int bytes, plain, sealed, sum = 0;
	u8 *frame;
	int err;

	while ((bytes = qlink_gso_bytes(gso)) && skb_shinfo(bundle)->gso_segs < max_n) {
		plain = bytes + QLINK_CSUM_BYTES;
		sealed = plain + QLINK_OVERHEAD_BYTES;
		if (bundle->len + sealed > max_bytes)
			break;
		frame = qlink_bundle_room(bundle, sealed);
		if (unlikely(!frame))
			break;
		qlink_frame_cut_to(gso, frame + QLINK_HEADER_BYTES);
		err = qlink_seal(link, attach->config.link_id, frame, plain,
				 QLINK_TYPE_FRAME_CSUM);
		if (unlikely(err)) {
			qlink_drop_count(link->stats, link->dev, gso->skb,
					 qlink_seal_counter(err), 1);
			break;
		}
		qlink_bundle_add(bundle, sealed);
		skb_shinfo(bundle)->gso_segs++;
		sum += bytes;
	}
	return sum;
}

/* Cut a frame into bundles and send them. The caller sends the segments that are left one by one:
 * there was no memory for a bundle, or only the last ones are left. TCP's last segment never goes
 * in a bundle: a queue that takes the bundle apart keeps only owners of the other kind.
 */
static void qlink_frame_bundle_all(struct qlink_dev *link, struct qlink_attach *attach,
				   struct qlink_gso *gso, struct sk_buff *skb,
				struct qlink_flow flow, unsigned int max_bytes)
{
	unsigned int last = qlink_owner_is_there(skb) && qlink_owner_is_told(skb);
	unsigned int bytes, n, max_n, left;
	struct sk_buff *bundle;

	while ((left = qlink_gso_left(gso)) > 1 + last) {
		bundle = qlink_bundle_new(attach->headroom);
		if (unlikely(!bundle))
			return;
		skb_shinfo(bundle)->gso_size = qlink_gso_bytes(gso) + QLINK_CSUM_BYTES +
					       QLINK_OVERHEAD_BYTES;
		max_n = min_t(unsigned int, left - last, QLINK_BUNDLE_FRAMES_MAX);
		qlink_aead_lock();
		bytes = qlink_frame_bundle(link, attach, gso, bundle, max_bytes, max_n);
		qlink_aead_unlock();
		n = skb_shinfo(bundle)->gso_segs;
		if (unlikely(n < 2)) {
			skb_shinfo(bundle)->gso_size = 0;
			skb_shinfo(bundle)->gso_segs = 0;
		}
		if (unlikely(!n)) {
			kfree_skb(bundle);
			return;
		}
		qlink_frame_follow(bundle, skb, gso);
		if (likely(qlink_seal_emit(link, attach, bundle, n, flow)))
			dev_sw_netstats_tx_add(link->dev, n, bytes);
	}
}

static void qlink_frame_cut_up(struct qlink_dev *link, struct qlink_attach *attach,
			       struct qlink_gso *gso, struct sk_buff *skb)
{
	unsigned int bundle_bytes = attach->ops->bundle_bytes ?
				    attach->ops->bundle_bytes(attach) : 0;
	struct qlink_flow flow = qlink_frame_flow(link, attach, skb);

	if (bundle_bytes)
		qlink_frame_bundle_all(link, attach, gso, skb, flow, bundle_bytes);
	qlink_frame_cut_all(link, attach, gso, skb, flow);
	consume_skb(skb);
}

/* A frame of many segments. Where a segment with its checksum state would not fit, the kernel
 * cuts the frame, and each segment is handled like a frame of its own.
 */
static void qlink_frame_large(struct qlink_dev *link, struct qlink_attach *attach,
			      struct sk_buff *skb)
{
	struct qlink_gso gso;

	if (likely(qlink_gso_begin(&gso, skb) &&
		   qlink_gso_bytes(&gso) + QLINK_OVERHEAD_BYTES + QLINK_CSUM_BYTES <=
		   READ_ONCE(attach->max_bytes)))
		qlink_frame_cut_up(link, attach, &gso, skb);
	else
		qlink_frame_segment(link, attach, skb);
}

static void qlink_frame_one(struct qlink_dev *link, struct sk_buff *skb)
{
	struct qlink_attach *attach = rcu_dereference_bh(link->attach);

	if (unlikely(!attach))
		qlink_frame_drop(link, skb, QLINK_A_STATS_TX_NO_UNDERLAY);
	else if (unlikely(skb->len < ETH_HLEN))
		qlink_frame_drop(link, skb, QLINK_A_STATS_TX_BAD_FRAME);
	else if (skb_is_gso(skb))
		qlink_frame_large(link, attach, skb);
	else
		qlink_frame_small(link, attach, skb);
}

/**
 * qlink_frame_send() - send a frame by itself
 * @link: of it
 * @skb: from the MAC header on; taken over
 *
 * Context: BHs off, in an RCU read side, qlink_aead_may_run().
 */
void qlink_frame_send(struct qlink_dev *link, struct sk_buff *skb)
{
	struct qlink_nest nest;

	if (unlikely(!qlink_nest_enter(&nest, link))) {
		qlink_frame_drop(link, skb, QLINK_A_STATS_TX_LOOP);
		return;
	}
	qlink_frame_one(link, skb);
	qlink_nest_leave(&nest);
}
