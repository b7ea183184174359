/* SPDX-License-Identifier: GPL-2.0 */
/* A link: one device, one peer. Data only. */
#ifndef QLINK_QLINK_H
#define QLINK_QLINK_H

#include <linux/mutex.h>
#include <linux/netdevice.h>

#include "keyring.h"
#include "stats.h"
#include "underlay.h"

/**
 * struct qlink_events - what of a link is still to be told
 */
struct qlink_events {
	/** @pending: bits of enum qlink_event_kind */
	atomic_t pending;
	/** @work: tells them; due whenever @pending is not 0 */
	struct delayed_work work;
	/** @sent_at: when it did last, in jiffies */
	unsigned long sent_at;
	/** @sequence: of the last event; @work alone changes it */
	u64 sequence;
};

/**
 * struct qlink_dev - a link, as the private part of its net_device
 */
struct qlink_dev {
	/** @attach: its place on an underlay; NULL while it has none. Changed under RTNL */
	struct qlink_attach __rcu *attach;

	/** @keyring: both rings */
	struct qlink_keyring keyring;

	/** @stats: QLINK_A_STATS_* */
	struct qlink_stats __percpu *stats;

	/** @events: that have not been sent yet */
	struct qlink_events events;

	/** @dev: the device */
	struct net_device *dev;

	/** @net: the link netns; stays when the device moves. The link dies with it */
	struct net *net;

	/** @lower: eth: the lower device, RTNL */
	struct net_device *lower;

	/** @config: what is set, RTNL */
	struct qlink_config config;

	/** @limits: how long keys are used, RTNL; the rings have copies */
	struct qlink_limits limits;

	/** @mtu_limit: that an admin chose, 0 for none: as large as the underlay allows; RTNL */
	unsigned int mtu_limit;

	/** @is_resized: the underlay carries more or less than before, and the MTU must follow */
	bool is_resized;

	/** @entry: in the list of all links, RTNL */
	struct list_head entry;

	/** @mutex: one change of keys or policy at a time; inside RTNL */
	struct mutex mutex;

	/** @accept: key sources that may be installed, a bit each; @mutex */
	u32 accept;

	/** @is_dead: no key comes in any more; @mutex */
	bool is_dead;

	/** @carrier_lock: makes looking at the causes and setting the carrier one step; BHs off */
	spinlock_t carrier_lock;

	/** @is_underlay_up: the underlay could carry frames; RTNL, read under @carrier_lock */
	bool is_underlay_up;

	/** @is_underlay_taken: it is not up, because a bridge takes its frames; RTNL */
	bool is_underlay_taken;
};

#endif
