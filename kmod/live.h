/* SPDX-License-Identifier: GPL-2.0 */
/* Whether the peer hears us, by keepalives that come back. */
#ifndef QLINK_LIVE_H
#define QLINK_LIVE_H

#include "qlink.h"

/**
 * struct qlink_live_info - what is shown of the peer
 */
struct qlink_live_info {
	/** @keepalive_ms: how often we send a keepalive; 0 for never, and the rest is 0 too */
	u32 keepalive_ms;
	/** @is_heard: the peer hears us, and we hear it */
	bool is_heard;
	/** @peer_epoch: the newest of our epochs that has authenticated to it, 0 for none */
	u64 peer_epoch;
	/** @echo_us: round trip of the newest stamp that came back, 0 for none */
	u32 echo_us;
};

void qlink_live_init(struct qlink_dev *link, void (*changed)(struct qlink_dev *link));
void qlink_live_start(struct qlink_dev *link);
void qlink_live_stop(struct qlink_dev *link);

void qlink_live_set(struct qlink_dev *link, u32 keepalive_ms);
void qlink_live_prompt(struct qlink_dev *link);
void qlink_live_forget(struct qlink_dev *link);
void qlink_live_hear(struct qlink_dev *link, const u8 *plaintext);

void qlink_live_read(struct qlink_dev *link, struct qlink_live_info *info);

/**
 * qlink_live_allows_carrier() - does the peer hear us, or need we not know?
 * @link: alive
 *
 * Context: Any.
 * Return: whether the link may have a carrier
 */
static inline bool qlink_live_allows_carrier(const struct qlink_dev *link)
{
	return !READ_ONCE(link->live.keepalive_ms) || READ_ONCE(link->live.is_heard);
}

#endif
