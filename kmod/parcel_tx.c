// SPDX-License-Identifier: GPL-2.0
/* Seals and sends the parcels that a fill is written into. */
#include "parcel_tx.h"

#include <linux/err.h>
#include <linux/hash.h>

#include "drop.h"
#include "pages.h"
#include "seal.h"

static_assert(QLINK_PARCEL_BYTES_MAX == QLINK_PARCEL_PLAINTEXT_MAX + QLINK_OVERHEAD_BYTES);
static_assert(QLINK_PARCEL_BYTES_MIN >= QLINK_FILL_BYTES_MIN + QLINK_OVERHEAD_BYTES);

/**
 * qlink_parcel_tx_bytes() - the size of all parcels of a link
 * @link: with the mode pad or constant
 * @attach: of the link
 *
 * Context: Any.
 * Return: bytes of plaintext; 0 where the underlay carries too little
 */
unsigned int qlink_parcel_tx_bytes(const struct qlink_dev *link,
				   const struct qlink_attach *attach)
{
	unsigned int bytes = READ_ONCE(link->parcel_bytes), max = READ_ONCE(attach->max_bytes);

	return qlink_fill_room(bytes ? min(bytes, max) : max);
}

/**
 * qlink_parcel_tx_share() - into which size of parcels to cut what waits, all about alike
 * @fill: not empty
 * @attach: of the link
 *
 * Context: Any.
 * Return: bytes of plaintext; 0 where the underlay carries too little
 */
unsigned int qlink_parcel_tx_share(const struct qlink_fill *fill,
				   const struct qlink_attach *attach)
{
	unsigned int max = qlink_fill_room(READ_ONCE(attach->max_bytes)), n;

	if (unlikely(!max))
		return 0;
	n = DIV_ROUND_UP(fill->bytes, max - QLINK_PARCEL_FIRST_BYTES);
	return QLINK_PARCEL_FIRST_BYTES + max(DIV_ROUND_UP(fill->bytes, n),
					      QLINK_FILL_BYTES_MIN - QLINK_PARCEL_FIRST_BYTES);
}

/**
 * qlink_parcel_tx_hash() - the flow that all parcels of this CPU belong to
 *
 * They have frames of many flows. The underlay has to keep the order of a lane.
 *
 * Context: BHs off.
 * Return: a hash
 */
u32 qlink_parcel_tx_hash(void)
{
	return hash_32(qlink_lane() + 1, 31);
}

/**
 * qlink_parcel_tx_flow() - the fields of the outer header of a parcel that shows nothing of frames
 * @attach: of the link
 * @hash: of the parcel's flow, or QLINK_FLOW_FROM_PORT
 *
 * Return: its flow; where fields would be copied from frames, they are 0
 */
struct qlink_flow qlink_parcel_tx_flow(const struct qlink_attach *attach, u32 hash)
{
	struct qlink_flow flow = attach->outer;

	flow.copies = 0;
	flow.hash = hash;
	return flow;
}

static struct sk_buff *qlink_parcel_tx_new(struct qlink_dev *link,
					   const struct qlink_attach *attach,
					   const struct qlink_fill *fill, unsigned int bytes)
{
	unsigned int sealed = bytes + QLINK_OVERHEAD_BYTES;
	struct sk_buff *parcel;

	parcel = qlink_pages_skb(attach->headroom + sealed + attach->tailroom);
	if (unlikely(!parcel))
		return NULL;
	skb_reserve(parcel, attach->headroom);
	skb_put(parcel, sealed);
	parcel->dev = link->dev;
	qlink_fill_dress(fill, parcel);
	return parcel;
}

/* Count what a parcel has, and what goes with it, as dropped. */
static void qlink_parcel_tx_lose(struct qlink_dev *link, struct sk_buff *parcel,
				 struct qlink_fill *fill, const struct qlink_fill_sum *sum, int err)
{
	qlink_drop(link->stats, link->dev, parcel, qlink_seal_counter(err),
		   sum->records + fill->is_cut);
	qlink_fill_give_up(fill);
}

/* What has been sent of the record goes with it. */
static void qlink_parcel_tx_give_up(struct qlink_dev *link, struct qlink_fill *fill)
{
	if (fill->is_cut)
		qlink_drop_count(link->stats, link->dev, NULL, QLINK_A_STATS_TX_CUT_LOST, 1);
	qlink_fill_give_up(fill);
}

/**
 * qlink_parcel_tx_make() - make a sealed parcel of what waits
 * @link: of the frames
 * @attach: of the link
 * @fill: of the link
 * @bytes: of plaintext, at least QLINK_FILL_BYTES_MIN
 * @sum: out: what it has
 *
 * Context: BHs off, in an RCU read side, qlink_aead_may_run().
 * Return: the parcel, from its header on; %-ENOMEM or %-ENOKEY, and nothing has changed; or an
 * errno of the cipher: what would have been in the parcel is counted and gone
 */
struct sk_buff *qlink_parcel_tx_make(struct qlink_dev *link, struct qlink_attach *attach,
				     struct qlink_fill *fill, unsigned int bytes,
				     struct qlink_fill_sum *sum)
{
	struct sk_buff *parcel = qlink_parcel_tx_new(link, attach, fill, bytes);
	struct qlink_key *key;
	bool is_written;
	int err;

	if (unlikely(!parcel))
		return ERR_PTR(-ENOMEM);
	qlink_aead_lock();
	err = qlink_seal_begin(link, attach->config.link_id, parcel->data, bytes,
			       QLINK_TYPE_PARCEL, &key);
	is_written = likely(!err);
	if (is_written) {
		qlink_fill_write(fill, parcel, bytes, sum);
		err = qlink_seal_end(key, parcel->data, bytes);
	}
	qlink_aead_unlock();
	if (unlikely(qlink_fill_is_hopeless(fill)))
		qlink_parcel_tx_give_up(link, fill);
	if (likely(!err))
		return parcel;
	if (is_written)
		qlink_parcel_tx_lose(link, parcel, fill, sum, err);
	else
		consume_skb(parcel);
	return ERR_PTR(err);
}

/**
 * qlink_parcel_tx_count() - count a parcel that was sent
 * @link: of it
 * @bytes: of its plaintext
 * @sum: what it has
 *
 * Context: BHs off.
 */
void qlink_parcel_tx_count(struct qlink_dev *link, unsigned int bytes,
			   const struct qlink_fill_sum *sum)
{
	if (sum->n)
		dev_sw_netstats_tx_add(link->dev, sum->n, sum->bytes);
	if (sum->records > sum->n)
		qlink_stats_add(link->stats, QLINK_A_STATS_TX_KEEPALIVE, sum->records - sum->n);
	qlink_stats_inc(link->stats, QLINK_A_STATS_TX_PARCELS);
	qlink_stats_add(link->stats, QLINK_A_STATS_TX_PARCEL_BYTES, bytes);
	qlink_stats_add(link->stats, QLINK_A_STATS_TX_PAD_BYTES, sum->pad);
	if (sum->is_cover)
		qlink_stats_inc(link->stats, QLINK_A_STATS_TX_COVER);
}

/**
 * qlink_parcel_tx_drop() - drop all that waits, and count it
 * @link: of the frames
 * @fill: of the link
 * @counter: QLINK_A_STATS_*
 *
 * Context: BHs off.
 */
void qlink_parcel_tx_drop(struct qlink_dev *link, struct qlink_fill *fill, unsigned int counter)
{
	unsigned int n = qlink_fill_purge(fill);

	if (n)
		qlink_drop_count(link->stats, link->dev, NULL, counter, n);
}

/* No parcel could be made: where that is so for all that waits, nothing waits any more. */
static void qlink_parcel_tx_refuse(struct qlink_dev *link, struct qlink_fill *fill, int err)
{
	if (err == -ENOMEM)
		qlink_parcel_tx_drop(link, fill, QLINK_A_STATS_TX_NO_MEMORY);
	else if (err == -ENOKEY)
		qlink_parcel_tx_drop(link, fill, QLINK_A_STATS_TX_NO_KEY);
}

/**
 * qlink_parcel_tx_send() - make a parcel of what waits, and send it
 * @link: of the frames
 * @attach: of the link
 * @fill: of the link; has less in any case
 * @bytes: of its plaintext; with 0 all that waits is too big
 * @flow: fields of the outer header
 *
 * What is not sent is counted.
 *
 * Context: As of qlink_parcel_tx_make(), in a nest of the link.
 */
void qlink_parcel_tx_send(struct qlink_dev *link, struct qlink_attach *attach,
			  struct qlink_fill *fill, unsigned int bytes, struct qlink_flow flow)
{
	struct qlink_fill_sum sum;
	struct sk_buff *parcel;
	unsigned int n;

	if (unlikely(!bytes)) {
		qlink_parcel_tx_drop(link, fill, QLINK_A_STATS_TX_TOO_BIG);
		return;
	}
	parcel = qlink_parcel_tx_make(link, attach, fill, bytes, &sum);
	if (IS_ERR(parcel)) {
		qlink_parcel_tx_refuse(link, fill, PTR_ERR(parcel));
		return;
	}
	n = sum.records + fill->is_cut;
	if (likely(qlink_seal_emit(link, attach, parcel, n, flow)))
		qlink_parcel_tx_count(link, bytes, &sum);
	else
		qlink_fill_give_up(fill);
}

/**
 * qlink_parcel_tx_send_all() - send all that waits
 * @link: as of qlink_parcel_tx_send()
 * @attach: as there
 * @fill: as there
 * @bytes: as there; of each parcel
 * @flow: as there
 *
 * Context: As of qlink_parcel_tx_send().
 */
void qlink_parcel_tx_send_all(struct qlink_dev *link, struct qlink_attach *attach,
			      struct qlink_fill *fill, unsigned int bytes, struct qlink_flow flow)
{
	while (!qlink_fill_is_empty(fill))
		qlink_parcel_tx_send(link, attach, fill, bytes, flow);
}
