// SPDX-License-Identifier: GPL-2.0
/* What authentic frames tell of where the peer is. */
#include "roam.h"

#include "event.h"
#include "live.h"

/* The link may have been given another underlay since the frame was received. */
static struct qlink_attach *qlink_roam_attach(const struct qlink_dev *link,
					      const struct qlink_origin *origin)
{
	struct qlink_attach *attach = rcu_dereference_bh(link->attach);

	return attach && attach->config.roam &&
	       attach->ops->may_roam_to(attach, origin) ? attach : NULL;
}

static void qlink_roam_tell_port(struct qlink_dev *link)
{
	qlink_stats_inc(link->stats, QLINK_A_STATS_RX_PEER_PORT);
	qlink_event_raise(link, QLINK_EVENT_KIND_PEER_PORT);
}

/**
 * qlink_roam_beacon() - follow an authentic keepalive, if it is a beacon
 * @link: alive
 * @origin: where it came from, noted when it was received
 * @header: of the frame, or of the parcel that it was in
 * @plaintext: of the keepalive, never seen before
 *
 * A sender puts a beacon only into what it sends from the port that it receives on.
 *
 * Context: Softirq, in an RCU read side.
 */
void qlink_roam_beacon(struct qlink_dev *link, const struct qlink_origin *origin,
		       const struct qlink_header *header, const u8 *plaintext)
{
	const struct qlink_key *newest;
	struct qlink_keepalive keepalive;
	struct qlink_attach *attach;
	struct qlink_mark mark;

	qlink_keepalive_get(&keepalive, plaintext);
	if (origin->note != QLINK_ORIGIN_ROAMING || !qlink_keepalive_is_beacon(&keepalive))
		return;
	attach = qlink_roam_attach(link, origin);
	if (!attach)
		return;
	/* A wipe empties the rings first: where its number is seen, an older key is not current. */
	mark.n_wipes = smp_load_acquire(&link->keyring.n_wipes);
	mark.epoch = qlink_header_epoch(header);
	mark.stamp = keepalive.stamp;
	newest = rcu_dereference_bh(link->keyring.rx.current_key);
	if (!newest || newest->name.epoch != mark.epoch)
		return;
	if (!qlink_endpoint_follow(&attach->endpoint, origin, &mark))
		return;
	qlink_stats_inc(link->stats, QLINK_A_STATS_PEER_MOVED);
	qlink_event_raise(link, QLINK_EVENT_KIND_PEER_MOVED);
	/* A peer that was not heard may have waited for this end to know where it is. */
	qlink_live_prompt(link);
}

/**
 * qlink_roam_hear() - an authentic frame has come, from a place that matters
 * @link: alive
 * @origin: where it came from, noted when it was received
 * @header: of the frame
 * @plaintext: of the frame, never seen before
 *
 * Only a beacon moves the endpoint. Where that is fixed, a port that the peer does not
 * send from shows that a NAT is between the ends.
 *
 * Context: Softirq, in an RCU read side.
 */
void qlink_roam_hear(struct qlink_dev *link, const struct qlink_origin *origin,
		     const struct qlink_header *header, const u8 *plaintext)
{
	if (origin->note == QLINK_ORIGIN_ODD_PORT)
		qlink_roam_tell_port(link);
	else if (qlink_header_type(header) == QLINK_TYPE_KEEPALIVE)
		qlink_roam_beacon(link, origin, header, plaintext);
}

/**
 * qlink_roam_stray() - a frame came from another address than the peer's
 * @attach: of the link that has its id
 *
 * Anybody can send such a frame. So it is no news while keepalives show that the peer is
 * where it should be, and otherwise a hint.
 *
 * Context: Softirq, in an RCU read side.
 */
void qlink_roam_stray(struct qlink_attach *attach)
{
	struct qlink_dev *link = netdev_priv(attach->dev);

	if (netif_running(attach->dev) && !READ_ONCE(link->live.is_heard))
		qlink_event_raise(link, QLINK_EVENT_KIND_PEER_ADDRESS);
}
