// SPDX-License-Identifier: GPL-2.0
/* Seals plaintexts under the keys of a link, and sends them. */
#include "seal.h"

#include <linux/skbuff.h>

#include "drop.h"

/**
 * qlink_seal_can_send() - can a frame be sealed and sent right now?
 * @link: alive
 *
 * Where not, the link's state says why.
 *
 * Context: BHs off, in an RCU read side.
 * Return: whether it can
 */
bool qlink_seal_can_send(const struct qlink_dev *link)
{
	const struct qlink_attach *attach = rcu_dereference_bh(link->attach);

	return attach && qlink_attach_has_target(attach) && READ_ONCE(link->is_underlay_up) &&
	       rcu_access_pointer(link->keyring.tx.current_key) && qlink_aead_may_run();
}

static const unsigned int qlink_seal_counters[] = {
	[QLINK_XMIT_DOWN]	= QLINK_A_STATS_TX_NO_UNDERLAY,
	[QLINK_XMIT_NO_ROUTE]	= QLINK_A_STATS_TX_NO_ROUTE,
	[QLINK_XMIT_LOOP]	= QLINK_A_STATS_TX_LOOP,
	[QLINK_XMIT_TOO_BIG]	= QLINK_A_STATS_TX_TOO_BIG,
	[QLINK_XMIT_NO_MEMORY]	= QLINK_A_STATS_TX_NO_MEMORY,
};

/* Find a key with sequences left, and take one. Where the key gives none, the ring starts, extends
 * or replaces the key, or is left without one.
 */
static struct qlink_key *qlink_seal_take(struct qlink_dev *link, unsigned int lane,
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

static __always_inline int qlink_seal_do_begin(struct qlink_dev *link, u16 link_id, u8 *frame,
					       unsigned int bytes, u8 type, struct qlink_key **key)
{
	unsigned int lane = qlink_lane();
	u64 sequence;

	*key = qlink_seal_take(link, lane, bytes, &sequence);
	if (unlikely(!*key))
		return -ENOKEY;
	qlink_header_put((struct qlink_header *)frame, type, lane, link_id, (*key)->name.epoch,
			 sequence);
	return 0;
}

static __always_inline int qlink_seal_do_end(struct qlink_key *key, u8 *frame, unsigned int bytes)
{
	u8 nonce[QLINK_NONCE_BYTES];

	qlink_nonce(nonce, key->salt, (const struct qlink_header *)frame);
	return qlink_aead_seal(key->slot->aead, frame, bytes + QLINK_OVERHEAD_BYTES, nonce);
}

/**
 * qlink_seal_begin() - take a key and a sequence, and write the header
 * @link: of the frame
 * @link_id: of the link's attach
 * @frame: memory of ours alone: room for the header, plaintext, room for the tag
 * @bytes: of the plaintext, which need not be there yet
 * @type: of the frame
 * @key: out, borrowed under RCU
 *
 * Context: BHs off, under qlink_aead_lock().
 * Return: 0, or %-ENOKEY without a key
 */
int qlink_seal_begin(struct qlink_dev *link, u16 link_id, u8 *frame, unsigned int bytes, u8 type,
		     struct qlink_key **key)
{
	return qlink_seal_do_begin(link, link_id, frame, bytes, type, key);
}

/**
 * qlink_seal_end() - encrypt a plaintext in place
 * @key: of qlink_seal_begin()
 * @frame: as there; the plaintext is there now
 * @bytes: as there
 *
 * Context: As of qlink_seal_begin(), in the same section.
 * Return: 0, or an errno of the cipher
 */
int qlink_seal_end(struct qlink_key *key, u8 *frame, unsigned int bytes)
{
	return qlink_seal_do_end(key, frame, bytes);
}

/**
 * qlink_seal() - turn a plaintext into a sealed frame, in place
 * @link: as of qlink_seal_begin()
 * @link_id: as there
 * @frame: as there, with the plaintext
 * @bytes: as there
 * @type: as there
 *
 * Context: BHs off, under qlink_aead_lock().
 * Return: 0, %-ENOKEY without a key, or an errno of the cipher
 */
int qlink_seal(struct qlink_dev *link, u16 link_id, u8 *frame, unsigned int bytes, u8 type)
{
	struct qlink_key *key;
	int err;

	err = qlink_seal_do_begin(link, link_id, frame, bytes, type, &key);
	if (unlikely(err))
		return err;
	return qlink_seal_do_end(key, frame, bytes);
}

/**
 * qlink_seal_counter() - why a frame was not sealed
 * @err: of qlink_seal() and others
 *
 * Return: QLINK_A_STATS_*
 */
unsigned int qlink_seal_counter(int err)
{
	return err == -ENOKEY ? QLINK_A_STATS_TX_NO_KEY : QLINK_A_STATS_TX_SEAL_ERROR;
}

/**
 * qlink_seal_emit() - send a packet of sealed frames
 * @link: of them
 * @attach: of the link
 * @skb: from the first header on; taken over
 * @n: number of inner frames
 * @flow: fields of the outer header
 *
 * Context: BHs off, in an RCU read side, in a nest of the link.
 * Return: whether it was sent; if not, @n frames are counted
 */
bool qlink_seal_emit(struct qlink_dev *link, struct qlink_attach *attach, struct sk_buff *skb,
		     unsigned int n, struct qlink_flow flow)
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
	qlink_drop_count(link->stats, link->dev, NULL, qlink_seal_counters[verdict], n);
	return false;
}

/**
 * qlink_seal_send() - seal a plaintext and send it
 * @link: of its frames
 * @attach: of the link
 * @skb: plaintext that is linear, ours alone and has room; taken over
 * @n: number of its inner frames
 * @type: of the sealed frame
 * @flow: fields of the outer header
 *
 * Context: As of qlink_seal_emit(), and qlink_aead_may_run().
 * Return: whether it was sent; if not, @n frames are counted
 */
bool qlink_seal_send(struct qlink_dev *link, struct qlink_attach *attach, struct sk_buff *skb,
		     unsigned int n, u8 type, struct qlink_flow flow)
{
	unsigned int bytes = skb->len;
	int err;

	skb_push(skb, QLINK_HEADER_BYTES);
	skb_put(skb, QLINK_TAG_BYTES);
	qlink_aead_lock();
	err = qlink_seal(link, attach->config.link_id, skb->data, bytes, type);
	qlink_aead_unlock();
	if (unlikely(err)) {
		qlink_drop(link->stats, link->dev, skb, qlink_seal_counter(err), n);
		return false;
	}
	return qlink_seal_emit(link, attach, skb, n, flow);
}
