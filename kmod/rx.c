// SPDX-License-Identifier: GPL-2.0
/* The receive path: from the underlay to the stack. */
#include "rx.h"

#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/interrupt.h>
#include <linux/kernel_stat.h>
#include <linux/skbuff.h>
#include <net/gro.h>

#include "bundle.h"
#include "delivery.h"
#include "drop.h"
#include "event.h"
#include "faultpoint.h"
#include "outer.h"
#include "pages.h"
#include "parcel_rx.h"
#include "roam.h"
#include "tx.h"

/**
 * DOC: Receive path
 *
 * ::
 *
 *   qlink_rx_receive()   a frame of a link, in the softirq that received it
 *     qlink_rx_check()     check what the header alone shows
 *     the link's queue     all frames but the first one of a softirq
 *   qlink_rx_poll()      one NAPI a CPU, for all links: the queues in turn
 *     qlink_rx_frame()     each frame of a queue; the first one comes here at once
 *       qlink_rx_find()    find the key of its epoch; drop a replay before it is decrypted
 *       qlink_rx_own()     get a linear buffer of our own
 *       qlink_rx_open()    check and decrypt in place; check the window again and mark it
 *       qlink_delivery_make() restore the checksum state, hand to GRO; or take a keepalive
 *       qlink_rx_parcel()  take a parcel apart; deliver each of its frames
 *     qlink_rx_bundle()    the same for frames that came in one packet: each is decrypted
 *                          into a buffer of its own
 *
 * Frames that come together wait in the queue, because GRO can merge them. A frame that
 * comes alone would wait for nothing. Nobody can know whether others follow, but the first
 * frame is known: all queues are empty, and no frame came before it in this softirq. It is
 * opened at once and goes up without GRO.
 *
 * Until the tag has proved valid, nothing changes except one counter.
 */

/**
 * struct qlink_rx_cpu - what one CPU received and has not opened yet
 */
struct qlink_rx_cpu {
	/** @napi: opens them */
	struct napi_struct napi;
	/** @queues: where frames and bundles wait; skb->dev of each is the qlink device */
	struct qlink_queues queues;
	/** @softirqs: the CPU's count of receive softirqs when the last frame came */
	unsigned int softirqs;
};

static DEFINE_PER_CPU(struct qlink_rx_cpu, qlink_rx_cpus);

/* NAPI needs a device; this one belongs to no link. */
static struct net_device *qlink_rx_napi_dev;

static void qlink_rx_count(struct qlink_dev *link, const struct sk_buff *skb,
			   unsigned int counter, unsigned int n)
{
	qlink_drop_count(link->stats, link->dev, skb, counter, n);
	if (counter == QLINK_A_STATS_RX_AUTH_ERROR)
		qlink_event_raise(link, QLINK_EVENT_KIND_AUTH_FAILURES);
	else if (counter == QLINK_A_STATS_RX_REPLAY || counter == QLINK_A_STATS_RX_OLD)
		qlink_event_raise(link, QLINK_EVENT_KIND_REPLAYS);
}

static void qlink_rx_drop(struct qlink_dev *link, struct sk_buff *skb, unsigned int counter)
{
	qlink_rx_count(link, skb, counter, 1);
	kfree_skb_reason(skb, qlink_drop_reason(counter));
}

static void qlink_rx_drop_bundle(struct qlink_dev *link, struct sk_buff *bundle,
				 unsigned int counter)
{
	qlink_rx_count(link, bundle, counter, qlink_bundle_n(bundle));
	kfree_skb_reason(bundle, qlink_drop_reason(counter));
}

/* A packet that did not get into the queue: a bundle, or a frame with no size of segments. */
static void qlink_rx_drop_queued(struct qlink_dev *link, struct sk_buff *skb, unsigned int counter)
{
	if (qlink_queue_cb(skb)->is_bundle)
		qlink_rx_drop_bundle(link, skb, counter);
	else
		qlink_rx_drop(link, skb, counter);
}

/* The rules of PROTOCOL.md section 3, in order. Returns the counter of the broken rule, or 0. */
static unsigned int qlink_rx_check(const struct net_device *dev,
				   const struct qlink_header *header, unsigned int bytes)
{
	u8 type = qlink_header_type(header);

	if (unlikely(!netif_running(dev)))
		return QLINK_A_STATS_RX_DOWN;
	if (unlikely(type > QLINK_TYPE_PARCEL))
		return QLINK_A_STATS_RX_BAD_TYPE;
	if (unlikely(!qlink_type_has_length(type, bytes)))
		return QLINK_A_STATS_RX_SHORT;
	if (unlikely(!qlink_header_epoch(header) || !qlink_header_sequence(header)))
		return QLINK_A_STATS_RX_BAD_HEADER;
	return 0;
}

static unsigned int qlink_rx_replay_counter(enum qlink_replay_verdict verdict)
{
	return verdict == QLINK_REPLAY_OLD ? QLINK_A_STATS_RX_OLD : QLINK_A_STATS_RX_REPLAY;
}

/* A frame is decrypted in place only where nobody else can see the memory. The copy has the frame
 * alone, in memory that GRO can take over.
 */
static struct sk_buff *qlink_rx_own(struct sk_buff *skb)
{
	struct sk_buff *copy;

	if (likely(!skb_is_nonlinear(skb) && !skb_cloned(skb)))
		return skb;
	copy = netdev_alloc_skb_ip_align(skb->dev, skb->len);
	if (unlikely(!copy))
		return NULL;
	*qlink_origin_of(copy) = *qlink_origin_of(skb);
	/* It cannot fail: the frame has that many bytes. */
	skb_copy_bits(skb, 0, skb_put(copy, skb->len), skb->len);
	consume_skb(skb);
	return copy;
}

static unsigned int qlink_rx_late_counter(const struct qlink_ring *ring, u64 epoch)
{
	switch (qlink_ring_late(ring, epoch)) {
	case QLINK_LATE_UNKNOWN:
		break;
	case QLINK_LATE_GRACE:
		return QLINK_A_STATS_RX_AFTER_GRACE;
	case QLINK_LATE_EVICTED:
		return QLINK_A_STATS_RX_EVICTED;
	case QLINK_LATE_EXPIRED:
		return QLINK_A_STATS_RX_EXPIRED;
	}
	return QLINK_A_STATS_RX_NO_KEY;
}

static unsigned int qlink_rx_open_counter(int err)
{
	switch (err) {
	case -EBADMSG:
		return QLINK_A_STATS_RX_AUTH_ERROR;
	case -ENOENT:
		return QLINK_A_STATS_RX_NO_KEY;
	case -ENOMEM:
		return QLINK_A_STATS_RX_NO_MEMORY;
	default:
		return QLINK_A_STATS_RX_OPEN_ERROR;
	}
}

/* Remove all state of the lower device and the outer headers. */
static void qlink_rx_scrub(struct sk_buff *skb)
{
	skb_scrub_packet(skb, true);
	/* Over a virtual wire it may still be charged to its sender, for more than its own size. */
	skb_orphan(skb);
	skb->truesize = SKB_TRUESIZE(skb_end_offset(skb));
	skb_clear_hash(skb);
	__vlan_hwaccel_clear_tag(skb);
	skb_set_queue_mapping(skb, 0);
	skb->ip_summed = CHECKSUM_NONE;
	skb->csum_level = 0;
	skb->encapsulation = 0;
	/* What the lower device says of segments was true of the sealed frame. */
	if (unlikely(skb_is_gso(skb)))
		skb_gso_reset(skb);
}

/* The ECN field of the outer header, where the link looks at it. Not-ECT changes nothing. */
static u8 qlink_rx_ecn(const struct qlink_dev *link, const struct sk_buff *skb)
{
	return unlikely(READ_ONCE(link->takes_ecn)) ? qlink_outer_ecn(skb) : INET_ECN_NOT_ECT;
}

/* Mark an authentic frame as received, once, and let the ring follow its key. Returns the counter
 * of the broken rule, or 0.
 */
static unsigned int qlink_rx_accept(struct qlink_ring *ring, struct qlink_key *key,
				    const struct qlink_header *header, unsigned int bytes)
{
	enum qlink_replay_verdict verdict;
	unsigned int made;
	int err;

	err = qlink_slot_commit(qlink_key_slot(key), qlink_header_lane(header),
				qlink_header_sequence(header), bytes, &verdict, &made);
	if (unlikely(made))
		qlink_ring_note_windows(ring, key, made);
	if (unlikely(err))
		return QLINK_A_STATS_RX_NO_MEMORY;
	if (unlikely(verdict != QLINK_REPLAY_GOOD))
		return qlink_rx_replay_counter(verdict);
	qlink_ring_follow(ring, key);
	return 0;
}

/* Find the key of a frame. Returns the counter of the broken rule, or 0. */
static __always_inline unsigned int
qlink_rx_find(struct qlink_ring *ring, const struct qlink_header *header, struct qlink_key **key)
{
	enum qlink_replay_verdict verdict;
	struct qlink_slot *slot;

	*key = qlink_ring_find(ring, qlink_header_epoch(header));
	if (unlikely(!*key))
		return qlink_rx_late_counter(ring, qlink_header_epoch(header));
	/* Without a slot no frame has authenticated under the key. */
	slot = qlink_key_slot(*key);
	if (unlikely(!slot))
		return 0;

	verdict = qlink_slot_check(slot, qlink_header_lane(header),
				   qlink_header_sequence(header));
	if (unlikely(verdict != QLINK_REPLAY_GOOD))
		return qlink_rx_replay_counter(verdict);
	return 0;
}

/* Decrypt @bytes of @frame to @to, or in place, and accept the frame. Returns the counter of the
 * broken rule, or 0.
 */
static __always_inline unsigned int
qlink_rx_open(struct qlink_ring *ring, struct qlink_key *key, const struct qlink_header *header,
	      u8 *to, const u8 *frame, unsigned int bytes)
{
	u8 nonce[QLINK_NONCE_BYTES];
	int err;

	qlink_nonce(nonce, key->salt, header);
	qlink_aead_lock();
	err = qlink_ring_open(ring, key, to, frame, bytes, nonce);
	qlink_aead_unlock();
	if (unlikely(err))
		return qlink_rx_open_counter(err);
	return qlink_rx_accept(ring, key, header, bytes - QLINK_OVERHEAD_BYTES);
}

/* Apart from qlink_rx_plaintext(): other frames need no parcel on the stack. */
static noinline void qlink_rx_parcel(struct napi_struct *napi, struct qlink_dev *link,
				     struct sk_buff *skb, const struct qlink_header *header,
				     u8 ecn, const struct qlink_origin *origin)
{
	struct qlink_parcel_rx parcel = {
		.link = link,
		.cuts = &link->cuts,
		.napi = this_cpu_ptr(&qlink_rx_cpus.napi),
		.gro = napi,
		.header = header,
		.origin = origin,
		.ecn = ecn,
	};

	qlink_stats_inc(link->stats, QLINK_A_STATS_RX_PARCELS);
	qlink_parcel_rx_take(&parcel, skb->data, skb->len);
	consume_skb(skb);
}

/* @origin: where it came from, or NULL where that does not matter */
static void qlink_rx_plaintext(struct napi_struct *napi, struct qlink_dev *link,
			       struct sk_buff *skb, const struct qlink_header *header, u8 ecn,
			       const struct qlink_origin *origin)
{
	u8 type = qlink_header_type(header);

	if (unlikely(origin))
		qlink_roam_hear(link, origin, header, skb->data);
	if (type == QLINK_TYPE_PARCEL)
		qlink_rx_parcel(napi, link, skb, header, ecn, origin);
	else
		qlink_delivery_make(napi, link, skb, type, ecn);
}

static void qlink_rx_strip(struct sk_buff *skb)
{
	__skb_pull(skb, QLINK_HEADER_BYTES);
	__skb_trim(skb, skb->len - QLINK_TAG_BYTES);
}

/* Apart from qlink_rx_frame(): few frames need the copy, and the stack is cleared for it. */
static noinline void qlink_rx_noted(struct napi_struct *napi, struct qlink_dev *link,
				    struct sk_buff *own, const struct qlink_header *header, u8 ecn)
{
	struct qlink_origin origin = *qlink_origin_of(own);

	qlink_rx_scrub(own);
	qlink_rx_plaintext(napi, link, own, header, ecn, &origin);
}

static void qlink_rx_frame(struct napi_struct *napi, struct sk_buff *skb)
{
	const struct qlink_header *header = (const struct qlink_header *)skb->data;
	struct qlink_dev *link = netdev_priv(skb->dev);
	struct qlink_ring *ring = &link->keyring.rx;
	u8 ecn = qlink_rx_ecn(link, skb);
	struct qlink_key *key;
	unsigned int counter;
	struct sk_buff *own;

	counter = qlink_rx_find(ring, header, &key);
	if (unlikely(counter)) {
		qlink_rx_drop(link, skb, counter);
		return;
	}

	own = qlink_rx_own(skb);
	if (unlikely(!own)) {
		qlink_rx_drop(link, skb, QLINK_A_STATS_RX_NO_MEMORY);
		return;
	}

	header = (const struct qlink_header *)own->data;
	counter = qlink_rx_open(ring, key, header, own->data, own->data, own->len);
	if (unlikely(counter)) {
		qlink_rx_drop(link, own, counter);
		return;
	}
	qlink_rx_strip(own);
	if (unlikely(qlink_origin_of(own)->note)) {
		qlink_rx_noted(napi, link, own, header, ecn);
		return;
	}
	qlink_rx_scrub(own);
	qlink_rx_plaintext(napi, link, own, header, ecn, NULL);
}

/* Where the current frame of a walk can be read. A frame that is not in one piece is copied to
 * @to.
 */
static const u8 *qlink_rx_read(struct qlink_bundle_walk *walk, u8 *to, unsigned int bytes)
{
	const u8 *frame = qlink_bundle_frame(walk, bytes);

	if (likely(frame))
		return frame;
	/* It cannot fail: the frame has that many bytes. */
	skb_copy_bits(walk->bundle, walk->at, to, bytes);
	return to;
}

/* Open and deliver the current frame of a walk. Returns the counter of the broken rule, or 0. */
static unsigned int qlink_rx_one(struct napi_struct *napi, struct qlink_dev *link,
				 const struct qlink_origin *origin,
				 struct qlink_bundle_walk *walk, u8 ecn)
{
	unsigned int bytes = qlink_bundle_bytes(walk), counter;
	struct qlink_ring *ring = &link->keyring.rx;
	struct qlink_header header;
	struct qlink_key *key;
	struct sk_buff *own;

	if (unlikely(!qlink_bundle_header(walk, &header)))
		return QLINK_A_STATS_RX_SHORT;
	counter = qlink_rx_check(link->dev, &header, bytes) ?:
		  qlink_rx_find(ring, &header, &key);
	if (unlikely(counter))
		return counter;

	own = qlink_pages_skb(NET_SKB_PAD + bytes);
	if (unlikely(!own))
		return QLINK_A_STATS_RX_NO_MEMORY;
	skb_reserve(own, NET_SKB_PAD);
	skb_put(own, bytes);
	counter = qlink_rx_open(ring, key, &header, own->data,
				qlink_rx_read(walk, own->data, bytes), bytes);
	if (unlikely(counter)) {
		kfree_skb_reason(own, qlink_drop_reason(counter));
		return counter;
	}
	qlink_rx_strip(own);
	qlink_rx_plaintext(napi, link, own, &header, ecn, likely(!origin->note) ? NULL : origin);
	return 0;
}

static void qlink_rx_bundle(struct napi_struct *napi, struct sk_buff *bundle)
{
	struct qlink_dev *link = netdev_priv(bundle->dev);
	u8 ecn = qlink_rx_ecn(link, bundle);
	struct qlink_bundle_walk walk;
	unsigned int counter;

	qlink_bundle_walk(&walk, bundle, 0, skb_shinfo(bundle)->gso_size);
	for (; qlink_bundle_bytes(&walk); qlink_bundle_next(&walk)) {
		counter = qlink_rx_one(napi, link, qlink_origin_of(bundle), &walk, ecn);
		if (unlikely(counter))
			qlink_rx_count(link, bundle, counter, 1);
	}
	consume_skb(bundle);
}

/* Have a frame or a bundle wait for the poll. Where there is no room it is counted and dropped. */
static void qlink_rx_queue(struct qlink_rx_cpu *here, struct qlink_dev *link, struct sk_buff *skb,
			   bool is_bundle)
{
	struct qlink_queue *queue = this_cpu_ptr(link->rx_queue);
	bool is_first;

	qlink_queue_cb(skb)->is_bundle = is_bundle;
	if (unlikely(!qlink_queue_add(queue, skb, is_bundle ? qlink_bundle_n(skb) : 1,
				      &is_first))) {
		qlink_rx_drop_queued(link, skb, QLINK_A_STATS_RX_QUEUE_FULL);
		return;
	}
	if (is_first)
		napi_schedule(&here->napi);
}

static bool qlink_rx_may_open(void)
{
	return qlink_aead_may_run() && !qlink_faultpoint_hits(QLINK_FAULTPOINT_RX_WAITS);
}

/* While one frame goes up, a frame inside it is not the first: links over links do not nest. The
 * kernel's count of softirqs tells one from the next. Nothing else does, except a run of our own
 * NAPI after each single frame, which would cost more than the queue that this saves.
 */
static bool qlink_rx_is_first(struct qlink_rx_cpu *here)
{
	unsigned int softirqs = __this_cpu_read(kstat.softirqs[NET_RX_SOFTIRQ]);
	bool came_before = here->softirqs == softirqs;

	here->softirqs = softirqs;
	return !came_before && !napi_is_scheduled(&here->napi) &&
	       qlink_queues_are_empty(&here->queues) && qlink_rx_may_open();
}

/**
 * qlink_rx_receive() - take over a frame from a port
 * @attach: of the link that the frame belongs to
 * @skb: from the qlink header on, which is linear; not shared; taken over
 *
 * Context: Softirq, in an RCU read side.
 */
void qlink_rx_receive(struct qlink_attach *attach, struct sk_buff *skb)
{
	struct qlink_rx_cpu *here = this_cpu_ptr(&qlink_rx_cpus);
	struct qlink_dev *link = netdev_priv(attach->dev);
	unsigned int counter = qlink_rx_check(attach->dev,
					      (const struct qlink_header *)skb->data, skb->len);

	if (unlikely(counter)) {
		qlink_rx_drop(link, skb, counter);
		return;
	}

	skb->dev = attach->dev;
	if (qlink_rx_is_first(here)) {
		qlink_rx_frame(NULL, skb);
		return;
	}
	qlink_rx_queue(here, link, skb, false);
}

/**
 * qlink_rx_receive_bundle() - take over frames that came to a port in one packet
 * @attach: of the link that the frames belong to
 * @skb: frames of gso_size bytes each, the last may have fewer; from the first qlink header on;
 *	taken over
 *
 * Context: Softirq, in an RCU read side.
 */
void qlink_rx_receive_bundle(struct qlink_attach *attach, struct sk_buff *skb)
{
	struct qlink_dev *link = netdev_priv(attach->dev);

	if (unlikely(!netif_running(attach->dev))) {
		qlink_rx_drop_bundle(link, skb, QLINK_A_STATS_RX_DOWN);
		return;
	}

	skb->dev = attach->dev;
	qlink_rx_queue(this_cpu_ptr(&qlink_rx_cpus), link, skb, true);
}

/* Open the packets of a batch, as long as that is possible. Returns how many frames they had. */
static int qlink_rx_batch(struct napi_struct *napi, struct sk_buff_head *batch)
{
	struct sk_buff *skb;
	int done = 0;

	while (likely(qlink_rx_may_open()) && (skb = __skb_dequeue(batch))) {
		if (qlink_queue_cb(skb)->is_bundle) {
			done += qlink_bundle_n(skb);
			qlink_rx_bundle(napi, skb);
		} else {
			done++;
			qlink_rx_frame(napi, skb);
		}
	}
	return done;
}

static void qlink_rx_wait(struct qlink_queue *queue, struct sk_buff_head *batch)
{
	struct qlink_dev *link = netdev_priv(skb_peek(batch)->dev);

	qlink_stats_inc(link->stats, QLINK_A_STATS_RX_FPU_WAIT);
	qlink_faultpoint_delay(QLINK_FAULTPOINT_POLL_MS);
	qlink_queue_put_back(queue, batch);
}

/* A batch is in no queue from which qlink_queue_kill() could take it, and neither is a frame that
 * GRO holds. But both are in this RCU read side, and a device is freed a grace period after its
 * ndo_uninit.
 */
static int qlink_rx_poll(struct napi_struct *napi, int budget)
{
	struct qlink_rx_cpu *here = container_of(napi, struct qlink_rx_cpu, napi);
	struct qlink_queue *queue;
	struct sk_buff_head batch;
	int done = 0;

	__skb_queue_head_init(&batch);
	rcu_read_lock();
	while (done < budget && (queue = qlink_queues_take(&here->queues, &batch))) {
		done += qlink_rx_batch(napi, &batch);
		if (unlikely(!skb_queue_empty(&batch))) {
			qlink_rx_wait(queue, &batch);
			done = budget;
		}
	}
	if (done >= budget)
		napi_gro_flush(napi, false);
	rcu_read_unlock();

	if (done < budget)
		napi_complete_done(napi, done);
	return min(done, budget);
}

/**
 * qlink_rx_group_new() - make the groups in which the links of a netns wait
 *
 * Context: Process context, sleeps.
 * Return: as of qlink_queue_group_new()
 */
struct qlink_queue_group __percpu *qlink_rx_group_new(void)
{
	return qlink_queue_group_new(&qlink_rx_cpus.queues);
}

/**
 * qlink_rx_init() - make the CPUs' queues and NAPIs
 *
 * A CPU that goes offline hands its scheduled NAPI, and with it the queue, to another.
 *
 * Context: Process context, sleeps.
 * Return: 0 or %-ENOMEM
 */
int __init qlink_rx_init(void)
{
	int cpu;

	qlink_rx_napi_dev = alloc_netdev_dummy(0);
	if (!qlink_rx_napi_dev)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct qlink_rx_cpu *here = per_cpu_ptr(&qlink_rx_cpus, cpu);

		qlink_queues_init(&here->queues);
		/* A socket that polls it would miss the card, and run it on another CPU. */
		set_bit(NAPI_STATE_NO_BUSY_POLL, &here->napi.state);
		netif_napi_add(qlink_rx_napi_dev, &here->napi, qlink_rx_poll);
		napi_enable(&here->napi);
	}
	return 0;
}

/**
 * qlink_rx_exit() - undo qlink_rx_init(), when no device is left
 *
 * Context: Process context, sleeps.
 */
void qlink_rx_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct qlink_rx_cpu *here = per_cpu_ptr(&qlink_rx_cpus, cpu);

		napi_disable(&here->napi);
		netif_napi_del(&here->napi);
	}
	free_netdev(qlink_rx_napi_dev);
}
