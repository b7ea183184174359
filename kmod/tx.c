// SPDX-License-Identifier: GPL-2.0
/* The transmit path: from the stack to the underlay. */
#include "tx.h"

#include <linux/etherdevice.h>
#include <linux/hash.h>
#include <linux/skbuff.h>
#include <linux/workqueue.h>
#include <net/gso.h>

#include "bundle.h"
#include "drop.h"
#include "gso.h"
#include "nest.h"
#include "outer.h"
#include "pack.h"
#include "pages.h"
#include "pmtu.h"

/**
 * DOC: Transmit path
 *
 * ::
 *
 *    1  qlink_tx_xmit()             the stack's frame, BHs off
 *    2    qlink_tx_frame()          drop it if this link is in the middle of sending: a loop
 *    3      qlink_tx_one()          find the underlay; one frame, or one of many segments?
 *    4        qlink_tx_small()      one frame
 *    5          qlink_tx_type()     choose its type; if it does not fit, qlink_tx_too_big()
 *    6          qlink_tx_own()      get a linear buffer of our own, with room
 *    7          qlink_tx_push_csum()  type 2: write where its checksum will be
 *    8          qlink_tx_send()
 *    9            qlink_tx_seal()   write the header, encrypt in place
 *   10              qlink_tx_take() find the key, take a sequence
 *   11            qlink_tx_emit()   the underlay adds its headers and sends
 *
 * A frame takes these 11 steps, in this order. A frame of many segments goes from step 3 to
 * qlink_tx_large(). Where qlink can cut it, each segment goes on at step 8, or, where the
 * underlay takes bundles, several segments are sealed side by side into one packet, which
 * goes on at step 11. Where the kernel has to cut it, each segment goes on at step 4.
 *
 * live.c makes keepalives and sends them by qlink_tx_keepalive(), also without a
 * carrier, because the carrier comes back only after a keepalive.
 *
 * A frame with an unfinished checksum keeps it unfinished (type 2). The tag proves
 * more than any checksum, so nobody computes one under it.
 *
 * A frame is encrypted in place only in memory that nobody else can see: linear and
 * not cloned. Anything else is copied first, above all the page-cache pages of
 * sendfile().
 *
 * With "parcel pack", frames that come in a softirq wait in the CPU's queue until its end. Then
 * small ones that follow each other share a parcel (pack.c); any other goes as above, behind
 * those that came before it. A frame that a process sends waits for nothing.
 *
 * Where the FPU is busy (6.12, a softirq inside a task's use of it), the frame
 * waits in its CPU's queue. Later frames of the link on that CPU wait behind it, so
 * that the order stays.
 */

/**
 * struct qlink_tx_cpu - the frames of one CPU that wait for its FPU
 */
struct qlink_tx_cpu {
	/** @queues: where they wait; skb->dev of each is the qlink device */
	struct qlink_queues queues;
	/** @work: sends them, from a softirq of the same CPU */
	struct work_struct work;
};

static DEFINE_PER_CPU(struct qlink_tx_cpu, qlink_tx_cpus);

static const unsigned int qlink_tx_counters[] = {
	[QLINK_XMIT_DOWN]	= QLINK_A_STATS_TX_NO_UNDERLAY,
	[QLINK_XMIT_NO_ROUTE]	= QLINK_A_STATS_TX_NO_ROUTE,
	[QLINK_XMIT_LOOP]	= QLINK_A_STATS_TX_LOOP,
	[QLINK_XMIT_TOO_BIG]	= QLINK_A_STATS_TX_TOO_BIG,
	[QLINK_XMIT_NO_MEMORY]	= QLINK_A_STATS_TX_NO_MEMORY,
};

static void qlink_tx_drop(struct qlink_dev *link, struct sk_buff *skb, unsigned int counter)
{
	/* A packet of many segments counts as that many frames. */
	qlink_drop(link->stats, link->dev, skb, counter,
		   max_t(unsigned int, skb_shinfo(skb)->gso_segs, 1));
}

/**
 * qlink_tx_type() - choose the type of a frame and check that it fits
 * @skb: from the MAC header on; its checksum may be finished here
 * @max_bytes: largest size of a sealed frame
 *
 * A frame with a VLAN tag and a full payload is 4 bytes too long for type 2.
 * Finishing its checksum makes it a type 0 that fits.
 *
 * Return: the type, %-EMSGSIZE when it does not fit, or %-ENOMEM
 */
static int qlink_tx_type(struct sk_buff *skb, unsigned int max_bytes)
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
static void qlink_tx_too_big(struct qlink_dev *link, struct sk_buff *skb,
			     unsigned int max_bytes)
{
	if (qlink_pmtu_tell(link, skb, max_bytes))
		qlink_drop_count(link->stats, link->dev, NULL, QLINK_A_STATS_TX_TOO_BIG, 1);
	else
		qlink_tx_drop(link, skb, QLINK_A_STATS_TX_TOO_BIG);
}

/* Does the frame hold its socket? One that a program at ingress has assigned may be gone. */
static bool qlink_tx_has_owner(const struct sk_buff *skb)
{
	return skb->sk && skb->destructor && skb->destructor != sock_pfree;
}

/* Charge a new segment to a socket: what skb_set_owner_w() does, without its questions. */
static void qlink_tx_charge(struct sk_buff *own, struct sock *sk)
{
	if (unlikely(!sk_fullsock(sk)))
		return;
	own->sk = sk;
	own->destructor = sock_wfree;
	refcount_add(own->truesize, &sk->sk_wmem_alloc);
}

/* Is TCP told when the frame has left (TCP small queues)? That destructor needs nothing but the
 * socket. What others need (of a ring's packet, its place in the ring) stays with the frame.
 */
static bool qlink_tx_tells_tcp(const struct sk_buff *skb)
{
	return sk_fullsock(skb->sk) && sk_is_tcp(skb->sk) && skb->destructor != sock_edemux &&
	       skb->destructor != sock_efree;
}

/* Charge a copy, or the last part of a frame, to the frame's socket, so that the socket's limits
 * hold. The frame itself is freed at once.
 */
static void qlink_tx_take_owner(struct sk_buff *own, struct sk_buff *skb)
{
	if (!qlink_tx_has_owner(skb))
		return;
	skb_set_owner_w(own, skb->sk);
	if (likely(qlink_tx_tells_tcp(skb)))
		swap(own->destructor, skb->destructor);
}

/**
 * qlink_tx_own() - make a frame linear, unshared and roomy
 * @skb: taken over
 * @headroom: bytes that header and underlay need
 * @tailroom: bytes that tag and underlay need
 *
 * Return: @skb or a copy; NULL without memory, and @skb is untouched
 */
static struct sk_buff *qlink_tx_own(struct sk_buff *skb, unsigned int headroom,
				    unsigned int tailroom)
{
	struct sk_buff *copy;

	if (!skb_is_nonlinear(skb) && !skb_cloned(skb) &&
	    skb_headroom(skb) >= headroom && skb_tailroom(skb) >= tailroom)
		return skb;

	copy = skb_copy_expand(skb, headroom, tailroom, GFP_ATOMIC);
	if (unlikely(!copy))
		return NULL;
	qlink_tx_take_owner(copy, skb);
	copy->ooo_okay = skb->ooo_okay;
	/* Where a socket asks when the frame was sent, the lower device answers. */
	skb_shinfo(copy)->tx_flags |= skb_shinfo(skb)->tx_flags & SKBTX_ANY_TSTAMP;
	skb_shinfo(copy)->tskey = skb_shinfo(skb)->tskey;
	consume_skb(skb);
	return copy;
}

static void qlink_tx_push_csum(struct sk_buff *skb)
{
	u16 start = skb_checksum_start_offset(skb);

	qlink_csum_put(skb_push(skb, QLINK_CSUM_BYTES), start, skb->csum_offset);
}

/* Find a key with sequences left, and take one. Where the key gives none, the ring starts, extends
 * or replaces the key, or is left without one.
 */
static struct qlink_key *qlink_tx_take(struct qlink_dev *link, unsigned int lane,
				       unsigned int bytes, u64 *sequence)
{
	struct qlink_ring *ring = &link->keyring.tx;
	struct qlink_key *key;
	int err;

	while ((key = rcu_dereference_bh(ring->current_key))) {
		err = qlink_slot_take(key->slot, lane, bytes, sequence);
		if (likely(!err))
			return key;
		if (unlikely(err == -EMSGSIZE))
			break;
		qlink_ring_limit_reached(ring, key, err);
	}
	return NULL;
}

/**
 * qlink_tx_seal() - turn a plaintext into a sealed frame, in place
 * @link: of the frame
 * @link_id: of the link's attach
 * @frame: memory of ours alone: room for the header, plaintext, room for the tag
 * @bytes: of the plaintext
 * @type: of the frame
 *
 * Context: BHs off, under qlink_aead_lock().
 * Return: 0, %-ENOKEY without a key, or an errno of the cipher
 */
static int qlink_tx_seal(struct qlink_dev *link, u16 link_id, u8 *frame, unsigned int bytes,
			 u8 type)
{
	struct qlink_header *header = (struct qlink_header *)frame;
	unsigned int lane = qlink_lane();
	u8 nonce[QLINK_NONCE_BYTES];
	struct qlink_key *key;
	u64 sequence;

	key = qlink_tx_take(link, lane, bytes, &sequence);
	if (unlikely(!key))
		return -ENOKEY;
	qlink_header_put(header, type, lane, link_id, key->name.epoch, sequence);
	qlink_nonce(nonce, key->salt, header);
	return qlink_aead_seal(key->slot->aead, frame, bytes + QLINK_OVERHEAD_BYTES, nonce);
}

static unsigned int qlink_tx_seal_counter(int err)
{
	return err == -ENOKEY ? QLINK_A_STATS_TX_NO_KEY : QLINK_A_STATS_TX_SEAL_ERROR;
}

/* Send a packet of @n sealed frames; or count why not. */
static bool qlink_tx_emit(struct qlink_dev *link, struct qlink_attach *attach,
			  struct sk_buff *skb, unsigned int n, struct qlink_flow flow)
{
	enum qlink_xmit_verdict verdict;

	skb->ip_summed = CHECKSUM_NONE;
	skb->encapsulation = 0;
	/* Queues below must not part what leaves a CPU in order. */
	if (unlikely(READ_ONCE(link->parcel)))
		__skb_set_sw_hash(skb, flow.hash, true);
	verdict = attach->ops->xmit(attach, skb, flow);
	if (likely(verdict == QLINK_XMIT_SENT))
		return true;
	qlink_drop_count(link->stats, link->dev, NULL, qlink_tx_counters[verdict], n);
	return false;
}

/* Seal a plaintext of @n frames that is linear, ours alone and has room, and send it; or count why
 * not.
 */
static bool qlink_tx_send(struct qlink_dev *link, struct qlink_attach *attach,
			  struct sk_buff *skb, unsigned int n, u8 type, struct qlink_flow flow)
{
	unsigned int bytes = skb->len;
	int err;

	skb_push(skb, QLINK_HEADER_BYTES);
	skb_put(skb, QLINK_TAG_BYTES);
	qlink_aead_lock();
	err = qlink_tx_seal(link, attach->config.link_id, skb->data, bytes, type);
	qlink_aead_unlock();
	if (unlikely(err)) {
		qlink_drop(link->stats, link->dev, skb, qlink_tx_seal_counter(err), n);
		return false;
	}
	return qlink_tx_emit(link, attach, skb, n, flow);
}

/* Did a device of this host receive the frame? Over a virtual wire it may still have a socket. */
static bool qlink_tx_is_forwarded(const struct sk_buff *skb)
{
	return skb->skb_iif;
}

/* With parcels, all that a CPU forwards comes from one port, so that the underlay keeps its order:
 * a flow may have frames in parcels and others. A flow of this host has none in parcels, and may
 * be sent by several CPUs.
 */
static struct qlink_flow qlink_tx_flow(const struct qlink_dev *link,
				       const struct qlink_attach *attach, struct sk_buff *skb)
{
	struct qlink_flow flow = qlink_outer_flow(attach, skb);

	if (unlikely(READ_ONCE(link->parcel)) && qlink_tx_is_forwarded(skb))
		flow.hash = hash_32(qlink_lane() + 1, 31);
	return flow;
}

/* One frame, which may still be too big for the underlay. */
static void qlink_tx_small(struct qlink_dev *link, struct qlink_attach *attach,
			   struct sk_buff *skb)
{
	unsigned int max_bytes = READ_ONCE(attach->max_bytes);
	unsigned int bytes = skb->len;
	struct qlink_flow flow;
	struct sk_buff *own;
	int type;

	type = qlink_tx_type(skb, max_bytes);
	if (unlikely(type == -EMSGSIZE)) {
		qlink_tx_too_big(link, skb, max_bytes);
		return;
	}
	if (unlikely(type < 0)) {
		qlink_tx_drop(link, skb, QLINK_A_STATS_TX_NO_MEMORY);
		return;
	}
	skb_dst_drop(skb);

	flow = qlink_tx_flow(link, attach, skb);
	own = qlink_tx_own(skb, attach->headroom + QLINK_HEADER_BYTES + QLINK_CSUM_BYTES,
			   attach->tailroom + QLINK_TAG_BYTES);
	if (unlikely(!own)) {
		qlink_tx_drop(link, skb, QLINK_A_STATS_TX_NO_MEMORY);
		return;
	}

	if (type == QLINK_TYPE_FRAME_CSUM)
		qlink_tx_push_csum(own);
	if (likely(qlink_tx_send(link, attach, own, 1, type, flow)))
		dev_sw_netstats_tx_add(link->dev, 1, bytes);
}

/* Have the kernel cut a frame, into segments with unfinished checksums. The segments refer to the
 * payload, so it is copied only once, to where there is room to seal it.
 */
static void qlink_tx_segment(struct qlink_dev *link, struct qlink_attach *attach,
			     struct sk_buff *skb)
{
	struct sk_buff *segments, *segment, *next;

	segments = skb_gso_segment(skb, NETIF_F_SG | NETIF_F_HW_CSUM);
	if (segments == ERR_PTR(-ENOMEM)) {
		qlink_tx_drop(link, skb, QLINK_A_STATS_TX_NO_MEMORY);
		return;
	}
	if (IS_ERR_OR_NULL(segments)) {
		qlink_tx_drop(link, skb, QLINK_A_STATS_TX_BAD_FRAME);
		return;
	}
	skb_list_walk_safe(segments, segment, next) {
		skb_mark_not_on_list(segment);
		qlink_tx_small(link, attach, segment);
	}
	consume_skb(skb);
}

/* Copy what queues below look at: flow, priority, and when the frame may leave. */
static void qlink_tx_copy_metadata(struct sk_buff *own, const struct sk_buff *skb)
{
	own->dev = skb->dev;
	own->priority = skb->priority;
	own->mark = skb->mark;
	own->tstamp = skb->tstamp;
	own->tstamp_type = skb->tstamp_type;
	skb_copy_hash(own, skb);
}

/* Write the next segment as the plaintext of a type 2 frame. */
static void qlink_tx_cut_to(struct qlink_gso *gso, u8 *at)
{
	qlink_csum_put(at, gso->transport, gso->skb->csum_offset);
	qlink_gso_cut(gso, at + QLINK_CSUM_BYTES);
}

/* Write the next segment into a buffer of its own. */
static struct sk_buff *qlink_tx_cut(const struct qlink_attach *attach, struct qlink_gso *gso)
{
	unsigned int headroom = attach->headroom + QLINK_HEADER_BYTES;
	unsigned int bytes = QLINK_CSUM_BYTES + qlink_gso_bytes(gso);
	struct sk_buff *own;

	own = qlink_pages_skb(headroom + bytes + QLINK_TAG_BYTES + attach->tailroom);
	if (unlikely(!own))
		return NULL;
	skb_reserve(own, headroom);
	qlink_tx_cut_to(gso, skb_put(own, bytes));
	return own;
}

/* Set the fields that a segment or bundle has from the original frame. Each belongs to the frame's
 * socket: a queue that keeps the packets of a socket in order (fq) lets others overtake them.
 */
static void qlink_tx_follow(struct sk_buff *own, struct sk_buff *skb,
			    const struct qlink_gso *gso)
{
	if (gso->at == skb->len)
		qlink_tx_take_owner(own, skb);
	else if (qlink_tx_has_owner(skb))
		qlink_tx_charge(own, skb->sk);
	qlink_tx_copy_metadata(own, skb);
	/* Only the first one may take another queue than the packets before it. */
	own->ooo_okay = skb->ooo_okay;
	skb->ooo_okay = 0;
}

/* Cut a frame, seal its segments and send them one by one. */
static void qlink_tx_cut_all(struct qlink_dev *link, struct qlink_attach *attach,
			     struct qlink_gso *gso, struct sk_buff *skb,
			     struct qlink_flow flow)
{
	struct sk_buff *own;
	unsigned int bytes;

	while ((bytes = qlink_gso_bytes(gso))) {
		own = qlink_tx_cut(attach, gso);
		if (unlikely(!own)) {
			qlink_drop_count(link->stats, link->dev, skb, QLINK_A_STATS_TX_NO_MEMORY,
					 qlink_gso_left(gso));
			return;
		}
		qlink_tx_follow(own, skb, gso);
		if (likely(qlink_tx_send(link, attach, own, 1, QLINK_TYPE_FRAME_CSUM, flow)))
			dev_sw_netstats_tx_add(link->dev, 1, bytes);
	}
}

/**
 * qlink_tx_bundle() - seal segments into a bundle
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
static unsigned int qlink_tx_bundle(struct qlink_dev *link, struct qlink_attach *attach,
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
		qlink_tx_cut_to(gso, frame + QLINK_HEADER_BYTES);
		err = qlink_tx_seal(link, attach->config.link_id, frame, plain,
				    QLINK_TYPE_FRAME_CSUM);
		if (unlikely(err)) {
			qlink_drop_count(link->stats, link->dev, gso->skb,
					 qlink_tx_seal_counter(err), 1);
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
static void qlink_tx_bundle_all(struct qlink_dev *link, struct qlink_attach *attach,
				struct qlink_gso *gso, struct sk_buff *skb,
				struct qlink_flow flow, unsigned int max_bytes)
{
	unsigned int last = qlink_tx_has_owner(skb) && qlink_tx_tells_tcp(skb);
	unsigned int bytes, n, left;
	struct sk_buff *bundle;

	while ((left = qlink_gso_left(gso)) > 1 + last) {
		bundle = qlink_bundle_new(attach->headroom);
		if (unlikely(!bundle))
			return;
		skb_shinfo(bundle)->gso_size = qlink_gso_bytes(gso) + QLINK_CSUM_BYTES +
					       QLINK_OVERHEAD_BYTES;
		qlink_aead_lock();
		bytes = qlink_tx_bundle(link, attach, gso, bundle, max_bytes,
					min_t(unsigned int, left - last, QLINK_BUNDLE_FRAMES_MAX));
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
		qlink_tx_follow(bundle, skb, gso);
		if (likely(qlink_tx_emit(link, attach, bundle, n, flow)))
			dev_sw_netstats_tx_add(link->dev, n, bytes);
	}
}

static void qlink_tx_cut_up(struct qlink_dev *link, struct qlink_attach *attach,
			    struct qlink_gso *gso, struct sk_buff *skb)
{
	unsigned int bundle_bytes = attach->ops->bundle_bytes ?
				    attach->ops->bundle_bytes(attach) : 0;
	struct qlink_flow flow = qlink_tx_flow(link, attach, skb);

	if (bundle_bytes)
		qlink_tx_bundle_all(link, attach, gso, skb, flow, bundle_bytes);
	qlink_tx_cut_all(link, attach, gso, skb, flow);
	consume_skb(skb);
}

/* A frame of many segments. Where a segment with its checksum state would not fit, the kernel
 * cuts the frame, and each segment is handled like a frame of its own.
 */
static void qlink_tx_large(struct qlink_dev *link, struct qlink_attach *attach,
			   struct sk_buff *skb)
{
	struct qlink_gso gso;

	if (likely(qlink_gso_begin(&gso, skb) &&
		   qlink_gso_bytes(&gso) + QLINK_OVERHEAD_BYTES + QLINK_CSUM_BYTES <=
		   READ_ONCE(attach->max_bytes)))
		qlink_tx_cut_up(link, attach, &gso, skb);
	else
		qlink_tx_segment(link, attach, skb);
}

static void qlink_tx_one(struct qlink_dev *link, struct sk_buff *skb)
{
	struct qlink_attach *attach = rcu_dereference_bh(link->attach);

	if (unlikely(!attach))
		qlink_tx_drop(link, skb, QLINK_A_STATS_TX_NO_UNDERLAY);
	else if (unlikely(skb->len < ETH_HLEN))
		qlink_tx_drop(link, skb, QLINK_A_STATS_TX_BAD_FRAME);
	else if (skb_is_gso(skb))
		qlink_tx_large(link, attach, skb);
	else
		qlink_tx_small(link, attach, skb);
}

static void qlink_tx_frame(struct qlink_dev *link, struct sk_buff *skb)
{
	struct qlink_nest nest;

	if (unlikely(!qlink_nest_enter(&nest, link))) {
		qlink_tx_drop(link, skb, QLINK_A_STATS_TX_LOOP);
		return;
	}
	qlink_tx_one(link, skb);
	qlink_nest_leave(&nest);
}

/* Seal and send a parcel of several frames; or count why not. */
static void qlink_tx_parcel(struct qlink_dev *link, struct qlink_attach *attach,
			    const struct qlink_pack *pack)
{
	unsigned int bytes = pack->parcel->len;

	if (unlikely(!qlink_tx_send(link, attach, pack->parcel, pack->n, QLINK_TYPE_PARCEL,
				    pack->flow)))
		return;
	dev_sw_netstats_tx_add(link->dev, pack->n, pack->bytes);
	qlink_stats_inc(link->stats, QLINK_A_STATS_TX_PARCELS);
	qlink_stats_add(link->stats, QLINK_A_STATS_TX_PARCEL_BYTES, bytes);
}

static void qlink_tx_parcel_out(struct qlink_dev *link, const struct qlink_pack *pack)
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
	qlink_tx_parcel(link, attach, pack);
	qlink_nest_leave(&nest);
}

/* Send what is in a pack, and empty it. Without a link it is empty. */
static void qlink_tx_pack_out(struct qlink_dev *link, struct qlink_pack *pack)
{
	if (qlink_pack_is_empty(pack))
		return;
	if (pack->parcel)
		qlink_tx_parcel_out(link, pack);
	else
		qlink_tx_frame(link, pack->first);
	*pack = (struct qlink_pack){ 0 };
}

/* Put a frame into a pack, where that is possible; otherwise it is untouched. A frame of this host
 * stays charged to its socket until it has left.
 */
static bool qlink_tx_pack(struct qlink_dev *link, struct qlink_pack *pack, struct sk_buff *skb)
{
	struct qlink_attach *attach = rcu_dereference_bh(link->attach);
	struct qlink_flow flow;

	if (!READ_ONCE(link->parcel) || unlikely(!attach) || !qlink_tx_is_forwarded(skb) ||
	    !qlink_pack_takes(attach, skb))
		return false;
	flow = qlink_tx_flow(link, attach, skb);
	if (!qlink_pack_fits(pack, skb, &flow))
		qlink_tx_pack_out(link, pack);
	return qlink_pack_add(pack, attach, skb, &flow);
}

/* Send the frames of a link that have waited, in their order, as long as that is possible. What is
 * left in the pack then comes before all that is left in the batch.
 */
static void qlink_tx_batch(struct qlink_dev *link, struct sk_buff_head *batch,
			   struct qlink_pack *pack)
{
	struct sk_buff *skb;

	while (qlink_aead_may_run() && (skb = __skb_dequeue(batch))) {
		if (qlink_tx_pack(link, pack, skb))
			continue;
		qlink_tx_pack_out(link, pack);
		qlink_tx_frame(link, skb);
	}
}

static struct sk_buff *qlink_tx_make(const struct qlink_dev *link,
				     const struct qlink_attach *attach,
				     const u8 *plaintext, unsigned int bytes)
{
	unsigned int headroom = attach->headroom + QLINK_HEADER_BYTES;
	struct sk_buff *skb;

	skb = alloc_skb(headroom + bytes + QLINK_TAG_BYTES + attach->tailroom, GFP_ATOMIC);
	if (!skb)
		return NULL;
	skb_reserve(skb, headroom);
	skb_put_data(skb, plaintext, bytes);
	skb->dev = link->dev;
	return skb;
}

/**
 * qlink_tx_keepalive() - seal and send a keepalive
 * @link: alive
 * @plaintext: QLINK_KEEPALIVE_BYTES bytes
 * @flow: 0, or QLINK_FLOW_FROM_PORT for a beacon
 *
 * The device does not count it as a packet; it has a counter of its own. A drop is
 * counted like that of any frame.
 *
 * Context: BHs off, in an RCU read side, qlink_aead_may_run(); not while another
 * frame is being sent.
 */
void qlink_tx_keepalive(struct qlink_dev *link, const u8 *plaintext, u32 flow)
{
	struct qlink_attach *attach = rcu_dereference_bh(link->attach);
	struct qlink_flow out;
	struct qlink_nest nest;
	struct sk_buff *skb;

	if (!attach) {
		qlink_drop_count(link->stats, link->dev, NULL, QLINK_A_STATS_TX_NO_UNDERLAY, 1);
		return;
	}
	skb = qlink_tx_make(link, attach, plaintext, QLINK_KEEPALIVE_BYTES);
	if (!skb) {
		qlink_drop_count(link->stats, link->dev, NULL, QLINK_A_STATS_TX_NO_MEMORY, 1);
		return;
	}
	if (!qlink_nest_enter(&nest, link)) {
		qlink_tx_drop(link, skb, QLINK_A_STATS_TX_LOOP);
		return;
	}
	out = attach->outer;
	out.hash = flow;
	if (qlink_tx_send(link, attach, skb, 1, QLINK_TYPE_KEEPALIVE, out))
		qlink_stats_inc(link->stats, QLINK_A_STATS_TX_KEEPALIVE);
	qlink_nest_leave(&nest);
}

/* Have a frame wait for the CPU's work, which runs at the end of this softirq, or later. */
static void qlink_tx_wait(struct qlink_dev *link, struct sk_buff *skb)
{
	unsigned int n = max_t(unsigned int, skb_shinfo(skb)->gso_segs, 1);
	bool is_first;

	if (!qlink_queue_add(this_cpu_ptr(link->tx_queue), skb, n, &is_first)) {
		qlink_tx_drop(link, skb, QLINK_A_STATS_TX_QUEUE_FULL);
		return;
	}
	queue_work_on(smp_processor_id(), system_bh_wq,
		      this_cpu_ptr(&qlink_tx_cpus.work));
}

/* A pack is filled from several turns of one link, but does not wait while another has its turn. */
static void qlink_tx_turns(struct qlink_tx_cpu *here)
{
	struct qlink_dev *link = NULL, *next;
	struct qlink_pack pack = { 0 };
	struct qlink_queue *queue;
	struct sk_buff_head batch;

	__skb_queue_head_init(&batch);
	while (qlink_aead_may_run() && (queue = qlink_queues_take(&here->queues, &batch))) {
		next = netdev_priv(skb_peek(&batch)->dev);
		if (next != link)
			qlink_tx_pack_out(link, &pack);
		link = next;
		qlink_tx_batch(link, &batch, &pack);
		if (!skb_queue_empty(&batch)) {
			qlink_tx_pack_out(link, &pack);
			qlink_queue_put_back(queue, &batch);
		}
	}
	qlink_tx_pack_out(link, &pack);
}

/* The devices of these frames cannot go while this runs: their ndo_uninit kills the queues, and
 * the core waits for this RCU read side before it frees them.
 */
static void qlink_tx_work(struct work_struct *work)
{
	struct qlink_tx_cpu *here = container_of(work, struct qlink_tx_cpu, work);

	local_bh_disable();
	rcu_read_lock();
	qlink_tx_turns(here);
	if (!qlink_queues_are_empty(&here->queues))
		queue_work(system_bh_wq, work);
	rcu_read_unlock();
	local_bh_enable();
}

/**
 * qlink_tx_xmit() - ndo_start_xmit of a qlink device
 * @skb: frame from the MAC header on; taken over
 * @dev: qlink device
 *
 * Context: BHs off, in an RCU read side.
 * Return: NETDEV_TX_OK always: a frame is sent or counted
 */
netdev_tx_t qlink_tx_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct qlink_dev *link = netdev_priv(dev);

	if (READ_ONCE(link->parcel) && in_serving_softirq()) {
		qlink_tx_wait(link, skb);
	} else if (unlikely(!qlink_aead_may_run() ||
			    !qlink_queue_is_empty(this_cpu_ptr(link->tx_queue)))) {
		if (!READ_ONCE(link->parcel))
			qlink_stats_inc(link->stats, QLINK_A_STATS_TX_FPU_WAIT);
		qlink_tx_wait(link, skb);
	} else {
		qlink_tx_frame(link, skb);
	}
	return NETDEV_TX_OK;
}

/**
 * qlink_tx_group_new() - make the groups in which the links of a netns wait
 *
 * Context: Process context, sleeps.
 * Return: as of qlink_queue_group_new()
 */
struct qlink_queue_group __percpu *qlink_tx_group_new(void)
{
	return qlink_queue_group_new(&qlink_tx_cpus.queues);
}

/**
 * qlink_tx_init() - make the CPUs' queues
 *
 * Return: 0
 */
int __init qlink_tx_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		qlink_queues_init(&per_cpu(qlink_tx_cpus, cpu).queues);
		INIT_WORK(&per_cpu(qlink_tx_cpus, cpu).work, qlink_tx_work);
	}
	return 0;
}

/**
 * qlink_tx_exit() - wait for the last work, when no device is left
 */
void qlink_tx_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		cancel_work_sync(&per_cpu(qlink_tx_cpus, cpu).work);
	qlink_pages_exit();
}
