// SPDX-License-Identifier: GPL-2.0
/* The transmit path: from the stack to the underlay. */
#include "tx.h"

#include <linux/etherdevice.h>
#include <linux/skbuff.h>
#include <linux/workqueue.h>
#include <net/gso.h>

#include "bundle.h"
#include "gso.h"
#include "pages.h"
#include "pmtu.h"

/**
 * DOC: Transmit path
 *
 * ::
 *
 *   qlink_tx_xmit()     the stack's frame, BHs off
 *     qlink_tx_frame()  not a second time on its way down
 *       qlink_tx_type()   which type it is, and whether it fits, or else
 *       qlink_tx_too_big() tell the sender
 *       qlink_tx_own()    a linear buffer of our own, with room
 *       qlink_tx_send()
 *         qlink_tx_seal()   take a number, write the header, encrypt in place
 *         ops->xmit()       the underlay's headers, and away
 *       qlink_tx_large()  a frame of many segments: cut, and each goes through
 *                         qlink_tx_send(); or sealed side by side into bundles, where the
 *                         underlay takes them; or through all of this, where the kernel cut it
 *
 * A keepalive is made by live.c and comes in by qlink_tx_keepalive(), whatever the
 * carrier says, because it is what brings that back.
 *
 * A frame whose checksum is still to do keeps it that way (type 2): the tag
 * proves more than any checksum, so nobody computes one under it.
 *
 * Encryption happens in place only in memory that nobody else can see: linear,
 * not cloned. Anything else, page-cache pages of sendfile() above all, is copied
 * first.
 *
 * Where the FPU is busy (6.12, a softirq inside a task's use of it), the frame
 * waits in its CPU's queue, and later frames of that CPU behind it, so that
 * none overtakes.
 */

#define QLINK_TX_QUEUE_MAX	1000

/**
 * struct qlink_tx_cpu - the frames of one CPU that wait for its FPU
 */
struct qlink_tx_cpu {
	/** @queue: each with skb->dev, the qlink device */
	struct sk_buff_head queue;
	/** @work: takes them up again, from a softirq of the same CPU */
	struct work_struct work;
};

static DEFINE_PER_CPU(struct qlink_tx_cpu, qlink_tx_cpus);

/**
 * struct qlink_tx_nest - a link that is in the middle of sending a frame
 *
 * On the stack of who sends it. Where the underlay leads over another link,
 * that one's frame is sent before the first returns, and its nest lies inside.
 */
struct qlink_tx_nest {
	/** @outer: the one around it, or NULL */
	struct qlink_tx_nest *outer;
	/** @link: that sends */
	const struct qlink_dev *link;
};

/* The innermost of each CPU; BHs off. */
static DEFINE_PER_CPU(struct qlink_tx_nest *, qlink_tx_nests);

static const unsigned int qlink_tx_counters[] = {
	[QLINK_XMIT_DOWN]	= QLINK_A_STATS_TX_NO_UNDERLAY,
	[QLINK_XMIT_NO_ROUTE]	= QLINK_A_STATS_TX_NO_ROUTE,
	[QLINK_XMIT_LOOP]	= QLINK_A_STATS_TX_LOOP,
	[QLINK_XMIT_TOO_BIG]	= QLINK_A_STATS_TX_TOO_BIG,
	[QLINK_XMIT_NO_MEMORY]	= QLINK_A_STATS_TX_NO_MEMORY,
};

static void qlink_tx_drop(struct qlink_dev *link, struct sk_buff *skb, unsigned int counter)
{
	/* What would have been many frames is counted as many. */
	qlink_stats_add(link->stats, counter, max_t(unsigned int, skb_shinfo(skb)->gso_segs, 1));
	kfree_skb(skb);
}

/**
 * qlink_tx_type() - choose the type of a frame and see that it fits
 * @skb: from the MAC header on; its checksum may be finished here
 * @max_bytes: that a sealed frame may measure
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

/* Who sent a frame that does not fit may learn so; its frame is dropped in any case. */
static void qlink_tx_too_big(struct qlink_dev *link, struct sk_buff *skb,
			     unsigned int max_bytes)
{
	if (qlink_pmtu_tell(link, skb, max_bytes))
		qlink_stats_inc(link->stats, QLINK_A_STATS_TX_TOO_BIG);
	else
		qlink_tx_drop(link, skb, QLINK_A_STATS_TX_TOO_BIG);
}

/* The copy is charged to the socket in the place of the frame, so that its limits still hold. */
static void qlink_tx_move_owner(struct sk_buff *to, struct sk_buff *from)
{
	if (!from->sk)
		return;
	swap(to->truesize, from->truesize);
	swap(to->destructor, from->destructor);
	swap(to->sk, from->sk);
}

/**
 * qlink_tx_own() - make a frame linear, unshared and roomy
 * @skb: taken over
 * @headroom: that header and underlay need
 * @tailroom: that tag and underlay need
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
	qlink_tx_move_owner(copy, skb);
	/* Who asked when it was sent is told by the lower device. */
	skb_shinfo(copy)->tx_flags |= skb_shinfo(skb)->tx_flags & SKBTX_ANY_TSTAMP;
	skb_shinfo(copy)->tskey = skb_shinfo(skb)->tskey;
	consume_skb(skb);
	return copy;
}

static void qlink_tx_push_csum(struct sk_buff *skb)
{
	u16 start = skb_checksum_start_offset(skb);
	u16 offset = skb->csum_offset;
	u8 *at = skb_push(skb, QLINK_CSUM_BYTES);

	put_unaligned_be16(start, at);
	put_unaligned_be16(offset, at + 2);
}

/* Find a key with numbers left; the ring sees to one that has none, and there is another, or more
 * of the same, or nothing.
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
		qlink_ring_turn(ring, key, err);
	}
	return NULL;
}

/**
 * qlink_tx_seal() - turn a plaintext into a sealed frame, in place
 * @link: of the frame
 * @link_id: of its attach
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

/* Send what is sealed, @n frames; or count why not. */
static bool qlink_tx_emit(struct qlink_dev *link, struct qlink_attach *attach,
			  struct sk_buff *skb, unsigned int n, u32 flow)
{
	enum qlink_xmit_verdict verdict;

	skb->ip_summed = CHECKSUM_NONE;
	skb->encapsulation = 0;
	verdict = attach->ops->xmit(attach, skb, flow);
	if (likely(verdict == QLINK_XMIT_SENT))
		return true;
	qlink_stats_add(link->stats, qlink_tx_counters[verdict], n);
	return false;
}

/* Seal a plaintext that is linear, ours alone and has room, and send it; or count why not. */
static bool qlink_tx_send(struct qlink_dev *link, struct qlink_attach *attach,
			  struct sk_buff *skb, u8 type, u32 flow)
{
	unsigned int bytes = skb->len;
	int err;

	skb_push(skb, QLINK_HEADER_BYTES);
	skb_put(skb, QLINK_TAG_BYTES);
	qlink_aead_lock();
	err = qlink_tx_seal(link, attach->config.link_id, skb->data, bytes, type);
	qlink_aead_unlock();
	if (unlikely(err)) {
		qlink_tx_drop(link, skb, qlink_tx_seal_counter(err));
		return false;
	}
	return qlink_tx_emit(link, attach, skb, 1, flow);
}

/* A frame that is no larger than the underlay carries, or is too big for it. */
static void qlink_tx_small(struct qlink_dev *link, struct qlink_attach *attach,
			   struct sk_buff *skb)
{
	unsigned int max_bytes = READ_ONCE(attach->max_bytes);
	unsigned int bytes = skb->len;
	struct sk_buff *own;
	u32 flow;
	int type;

	type = qlink_tx_type(skb, max_bytes);
	if (unlikely(type == -EMSGSIZE))
		return qlink_tx_too_big(link, skb, max_bytes);
	if (unlikely(type < 0))
		return qlink_tx_drop(link, skb, QLINK_A_STATS_TX_NO_MEMORY);
	skb_dst_drop(skb);

	flow = skb_get_hash(skb);
	own = qlink_tx_own(skb, attach->headroom + QLINK_HEADER_BYTES + QLINK_CSUM_BYTES,
			   attach->tailroom + QLINK_TAG_BYTES);
	if (unlikely(!own))
		return qlink_tx_drop(link, skb, QLINK_A_STATS_TX_NO_MEMORY);

	if (type == QLINK_TYPE_FRAME_CSUM)
		qlink_tx_push_csum(own);
	if (likely(qlink_tx_send(link, attach, own, type, flow)))
		dev_sw_netstats_tx_add(link->dev, 1, bytes);
}

/* The kernel cuts it, into frames whose checksums are still to do. They refer to its payload, so
 * that this is copied once, to where there is room to seal it.
 */
static void qlink_tx_segment(struct qlink_dev *link, struct qlink_attach *attach,
			     struct sk_buff *skb)
{
	struct sk_buff *segments, *segment, *next;

	segments = skb_gso_segment(skb, NETIF_F_SG | NETIF_F_HW_CSUM);
	if (segments == ERR_PTR(-ENOMEM))
		return qlink_tx_drop(link, skb, QLINK_A_STATS_TX_NO_MEMORY);
	if (IS_ERR_OR_NULL(segments))
		return qlink_tx_drop(link, skb, QLINK_A_STATS_TX_BAD_FRAME);
	skb_list_walk_safe(segments, segment, next) {
		skb_mark_not_on_list(segment);
		qlink_tx_small(link, attach, segment);
	}
	consume_skb(skb);
}

/* What queues below look at: whose flow it is, and when it may leave. */
static void qlink_tx_be_like(struct sk_buff *own, const struct sk_buff *skb)
{
	own->dev = skb->dev;
	own->priority = skb->priority;
	own->mark = skb->mark;
	own->tstamp = skb->tstamp;
	own->tstamp_type = skb->tstamp_type;
	skb_copy_hash(own, skb);
}

/* The next segment as the plaintext of a type 2 frame. */
static void qlink_tx_cut_to(struct qlink_gso *gso, u8 *at)
{
	put_unaligned_be16(gso->transport, at);
	put_unaligned_be16(gso->skb->csum_offset, at + 2);
	qlink_gso_cut(gso, at + QLINK_CSUM_BYTES);
}

/* A buffer of our own for a segment. */
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

/* What follows from where it was cut from. The last one is charged for all of them. */
static void qlink_tx_succeed(struct sk_buff *own, struct sk_buff *skb,
			     const struct qlink_gso *gso)
{
	qlink_tx_be_like(own, skb);
	if (gso->at < skb->len)
		return;
	qlink_tx_move_owner(own, skb);
	/* The others name no socket: it must not keep to that one's queue. */
	own->ooo_okay = 1;
}

/* Cut a frame, seal its segments and send them one by one. */
static void qlink_tx_cut_all(struct qlink_dev *link, struct qlink_attach *attach,
			     struct qlink_gso *gso, struct sk_buff *skb, u32 flow)
{
	struct sk_buff *own;
	unsigned int bytes;

	while ((bytes = qlink_gso_bytes(gso))) {
		own = qlink_tx_cut(attach, gso);
		if (unlikely(!own)) {
			qlink_stats_add(link->stats, QLINK_A_STATS_TX_NO_MEMORY,
					qlink_gso_left(gso));
			return;
		}
		qlink_tx_succeed(own, skb, gso);
		if (likely(qlink_tx_send(link, attach, own, QLINK_TYPE_FRAME_CSUM, flow)))
			dev_sw_netstats_tx_add(link->dev, 1, bytes);
	}
}

/**
 * qlink_tx_bundle() - seal segments into a bundle
 * @link: of the frame
 * @attach: of the link
 * @gso: with segments left
 * @bundle: empty
 * @max_bytes: that it may measure
 *
 * A segment that cannot be sealed is counted and is the end of the bundle.
 *
 * Return: bytes of the segments in it, before they were sealed
 */
static unsigned int qlink_tx_bundle(struct qlink_dev *link, struct qlink_attach *attach,
				    struct qlink_gso *gso, struct sk_buff *bundle,
				    unsigned int max_bytes)
{
	unsigned int bytes, plain, sealed, sum = 0;
	u8 *frame;
	int err;

	while ((bytes = qlink_gso_bytes(gso)) &&
	       skb_shinfo(bundle)->gso_segs < QLINK_BUNDLE_FRAMES_MAX) {
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
			qlink_stats_inc(link->stats, qlink_tx_seal_counter(err));
			break;
		}
		qlink_bundle_add(bundle, sealed);
		skb_shinfo(bundle)->gso_segs++;
		sum += bytes;
	}
	return sum;
}

/* Cut a frame into bundles and send them. What is left in the end goes one by one: there was no
 * memory for a bundle, or it would have been one of a single segment.
 */
static void qlink_tx_bundle_all(struct qlink_dev *link, struct qlink_attach *attach,
				struct qlink_gso *gso, struct sk_buff *skb, u32 flow,
				unsigned int max_bytes)
{
	struct sk_buff *bundle;
	unsigned int bytes, n;

	while (qlink_gso_left(gso) > 1) {
		bundle = qlink_bundle_new(attach->headroom);
		if (unlikely(!bundle))
			return;
		skb_shinfo(bundle)->gso_size = qlink_gso_bytes(gso) + QLINK_CSUM_BYTES +
					       QLINK_OVERHEAD_BYTES;
		qlink_aead_lock();
		bytes = qlink_tx_bundle(link, attach, gso, bundle, max_bytes);
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
		qlink_tx_succeed(bundle, skb, gso);
		if (likely(qlink_tx_emit(link, attach, bundle, n, flow)))
			dev_sw_netstats_tx_add(link->dev, n, bytes);
	}
}

static void qlink_tx_cut_up(struct qlink_dev *link, struct qlink_attach *attach,
			    struct qlink_gso *gso, struct sk_buff *skb)
{
	unsigned int bundle_bytes = attach->ops->bundle_bytes ?
				    attach->ops->bundle_bytes(attach) : 0;
	u32 flow = skb_get_hash(skb);

	if (bundle_bytes)
		qlink_tx_bundle_all(link, attach, gso, skb, flow, bundle_bytes);
	qlink_tx_cut_all(link, attach, gso, skb, flow);
	consume_skb(skb);
}

/* A frame of many segments. Where these would leave no room for the state of their checksums,
 * or would not fit at all, each is looked at on its own.
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
		return qlink_tx_drop(link, skb, QLINK_A_STATS_TX_NO_UNDERLAY);
	if (unlikely(skb->len < ETH_HLEN))
		return qlink_tx_drop(link, skb, QLINK_A_STATS_TX_BAD_FRAME);
	if (skb_is_gso(skb))
		qlink_tx_large(link, attach, skb);
	else
		qlink_tx_small(link, attach, skb);
}

/* Does the frame come back to a link that is still sending it? Where a queue on the way cuts the
 * nesting, it goes round until it has grown too big.
 */
static bool qlink_tx_is_loop(const struct qlink_tx_nest *nest, const struct qlink_dev *link)
{
	for (; nest; nest = nest->outer) {
		if (nest->link == link)
			return true;
	}
	return false;
}

static bool qlink_tx_enter(struct qlink_tx_nest *nest, const struct qlink_dev *link)
{
	nest->outer = this_cpu_read(qlink_tx_nests);
	nest->link = link;
	if (unlikely(qlink_tx_is_loop(nest->outer, link)))
		return false;
	this_cpu_write(qlink_tx_nests, nest);
	return true;
}

static void qlink_tx_leave(const struct qlink_tx_nest *nest)
{
	this_cpu_write(qlink_tx_nests, nest->outer);
}

static void qlink_tx_frame(struct qlink_dev *link, struct sk_buff *skb)
{
	struct qlink_tx_nest nest;

	if (unlikely(!qlink_tx_enter(&nest, link)))
		return qlink_tx_drop(link, skb, QLINK_A_STATS_TX_LOOP);
	qlink_tx_one(link, skb);
	qlink_tx_leave(&nest);
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
 *
 * It is no packet of the device, and is counted on its own; but where it is
 * dropped, as any frame is.
 *
 * Context: BHs off, in an RCU read side, qlink_aead_may_run(); not on the way of
 * another frame.
 */
void qlink_tx_keepalive(struct qlink_dev *link, const u8 *plaintext)
{
	struct qlink_attach *attach = rcu_dereference_bh(link->attach);
	struct qlink_tx_nest nest;
	struct sk_buff *skb;

	if (!attach) {
		qlink_stats_inc(link->stats, QLINK_A_STATS_TX_NO_UNDERLAY);
		return;
	}
	skb = qlink_tx_make(link, attach, plaintext, QLINK_KEEPALIVE_BYTES);
	if (!skb) {
		qlink_stats_inc(link->stats, QLINK_A_STATS_TX_NO_MEMORY);
		return;
	}
	if (!qlink_tx_enter(&nest, link))
		return qlink_tx_drop(link, skb, QLINK_A_STATS_TX_LOOP);
	if (qlink_tx_send(link, attach, skb, QLINK_TYPE_KEEPALIVE, 0))
		qlink_stats_inc(link->stats, QLINK_A_STATS_TX_KEEPALIVE);
	qlink_tx_leave(&nest);
}

static void qlink_tx_wait(struct qlink_tx_cpu *here, struct qlink_dev *link,
			  struct sk_buff *skb)
{
	if (skb_queue_len_lockless(&here->queue) >= QLINK_TX_QUEUE_MAX)
		return qlink_tx_drop(link, skb, QLINK_A_STATS_TX_QUEUE_FULL);

	qlink_stats_inc(link->stats, QLINK_A_STATS_TX_FPU_WAIT);
	skb_queue_tail(&here->queue, skb);
	queue_work_on(smp_processor_id(), system_bh_wq, &here->work);
}

/* Its frames' devices cannot go while it runs: their ndo_uninit purges the queue, and
 * the core waits for this RCU read side before it frees them.
 */
static void qlink_tx_work(struct work_struct *work)
{
	struct qlink_tx_cpu *here = container_of(work, struct qlink_tx_cpu, work);
	struct sk_buff *skb;

	local_bh_disable();
	rcu_read_lock();
	while (qlink_aead_may_run() && (skb = skb_dequeue(&here->queue)))
		qlink_tx_frame(netdev_priv(skb->dev), skb);
	if (!skb_queue_empty(&here->queue))
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
	struct qlink_tx_cpu *here = this_cpu_ptr(&qlink_tx_cpus);
	struct qlink_dev *link = netdev_priv(dev);

	if (unlikely(!qlink_aead_may_run() || !skb_queue_empty_lockless(&here->queue)))
		qlink_tx_wait(here, link, skb);
	else
		qlink_tx_frame(link, skb);
	return NETDEV_TX_OK;
}

/**
 * qlink_queue_purge() - free a device's frames in a queue of many devices
 * @queue: of frames with skb->dev set
 * @dev: that goes
 *
 * Context: Process context, when nobody adds frames of @dev any more.
 */
void qlink_queue_purge(struct sk_buff_head *queue, const struct net_device *dev)
{
	struct sk_buff *skb, *next;
	struct sk_buff_head gone;

	__skb_queue_head_init(&gone);
	spin_lock_bh(&queue->lock);
	skb_queue_walk_safe(queue, skb, next) {
		if (skb->dev != dev)
			continue;
		__skb_unlink(skb, queue);
		__skb_queue_tail(&gone, skb);
	}
	spin_unlock_bh(&queue->lock);
	__skb_queue_purge(&gone);
}

/**
 * qlink_tx_purge() - free the waiting frames of a device that goes
 * @dev: closed; nothing is sent through it any more
 *
 * Context: Process context.
 */
void qlink_tx_purge(struct net_device *dev)
{
	int cpu;

	for_each_possible_cpu(cpu)
		qlink_queue_purge(&per_cpu(qlink_tx_cpus, cpu).queue, dev);
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
		skb_queue_head_init(&per_cpu(qlink_tx_cpus, cpu).queue);
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
