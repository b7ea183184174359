/* SPDX-License-Identifier: GPL-2.0 */
/* A link: one device, one peer. Data only. */
#ifndef QLINK_QLINK_H
#define QLINK_QLINK_H

#include <linux/mutex.h>
#include <linux/netdevice.h>

#include "accept.h"
#include "fill.h"
#include "keyring.h"
#include "queue.h"
#include "stats.h"
#include "underlay.h"

/**
 * struct qlink_events - events of a link that are still to be sent
 */
struct qlink_events {
	/** @pending: bits of enum qlink_event_kind */
	atomic_t pending;
	/** @work: sends them; queued whenever @pending is not 0 */
	struct delayed_work work;
	/** @sent_at: when @work last sent some, in jiffies */
	unsigned long sent_at;
	/** @sequence: of the last event; only @work changes it */
	u64 sequence;
	/** @lock: guards @name */
	spinlock_t lock;
	/** @name: of the device; @work may not take RTNL, under which the device is renamed */
	char name[IFNAMSIZ];
};

#define QLINK_STAMPS	3

struct qlink_dev;

/**
 * struct qlink_live - what a link knows of its peer
 *
 * Times are of ktime_get_ns(). Without keepalives all members but @keepalive_ms,
 * @changed, @lock and @work are 0.
 */
struct qlink_live {
	/** @lock: guards all but @work and @changed; BHs off */
	spinlock_t lock;
	/** @keepalive_ms: how often a keepalive is sent, 0 for never; changes under RTNL */
	u32 keepalive_ms;
	/** @is_heard: the peer hears us, and we hear it */
	bool is_heard;
	/** @stamps: of the keepalives that we sent last, the newest first; 0 for none */
	u64 stamps[QLINK_STAMPS];
	/** @echo: the newest of our stamps that came back, 0 for none */
	u64 echo;
	/** @echo_ns: how long that took */
	u64 echo_ns;
	/** @send_at: when the next keepalive is due */
	u64 send_at;
	/** @peer_stamp: of the last keepalive of the peer, 0 for none */
	u64 peer_stamp;
	/** @peer_epoch: the newest of our epochs that the peer says has authenticated to it */
	u64 peer_epoch;
	/** @peer_ms: the peer's keepalive interval, as it says */
	u32 peer_ms;
	/** @work: sends keepalives, finds a lost peer; enabled while the device is up */
	struct delayed_work work;
	/** @changed: constant; called without @lock when the carrier may have to change */
	void (*changed)(struct qlink_dev *link);
};

/**
 * struct qlink_clock - parcels at a constant rate
 */
struct qlink_clock {
	/** @lock: guards @fill; BHs off */
	spinlock_t lock;
	/** @fill: frames that wait */
	struct qlink_fill fill;
	/**
	 * @ready: the sealed parcel of the next tick; NULL while there is none. Whoever swaps it
	 * out owns it
	 */
	struct sk_buff *ready;
	/** @has_stopped: the queues of the device are stopped; @lock */
	bool has_stopped;
	/** @due: when the next tick is; only the timer changes it while it runs */
	ktime_t due;
	/** @is_able: at the last tick the link could send */
	bool is_able;
	/** @timer: runs while the device is up and the mode is constant */
	struct hrtimer timer;
	/** @interval_us: from tick to tick; RTNL, read by the timer */
	u32 interval_us;
	/** @queue: how much may wait, in parcels; RTNL, read anywhere */
	u16 queue;
};

/**
 * struct qlink_dev - a link, as the private part of its net_device
 */
struct qlink_dev {
	/** @attach: its place on an underlay, NULL while it has none; changes under RTNL */
	struct qlink_attach __rcu *attach;

	/** @keyring: both rings */
	struct qlink_keyring keyring;

	/** @stats: QLINK_A_STATS_* */
	struct qlink_stats __percpu *stats;

	/** @tx_queue: frames to be sealed that wait for the FPU of their CPU */
	struct qlink_queue __percpu *tx_queue;

	/** @rx_queue: received packets that have not been opened yet */
	struct qlink_queue __percpu *rx_queue;

	/** @cuts: frames that the end of a received parcel has cut; NULL until there is one */
	struct qlink_cuts *cuts;

	/**
	 * @parcel: how frames share sealed ones, an enum qlink_parcel_mode; RTNL, and under the
	 * clock's lock where it changes from or to constant; read anywhere
	 */
	u8 parcel;

	/** @parcel_bytes: size of sealed frames, 0 for what fits; RTNL, read anywhere */
	u16 parcel_bytes;

	/** @parcel_hold_us: how long frames wait with the mode pack; RTNL, read anywhere */
	u16 parcel_hold_us;

	/** @clock: of the parcel mode constant */
	struct qlink_clock clock;

	/** @takes_ecn: received frames are told of congestion on the underlay; RTNL */
	bool takes_ecn;

	/** @events: events that have not been sent yet */
	struct qlink_events events;

	/** @live: whether the peer hears us */
	struct qlink_live live;

	/** @dev: the device */
	struct net_device *dev;

	/** @net: the link netns; stays when the device moves. The link is deleted with it */
	struct net *net;

	/** @lower: eth: the lower device, RTNL */
	struct net_device *lower;

	/** @config: as set, RTNL */
	struct qlink_config config;

	/** @limits: how long keys are used, RTNL; the rings have copies */
	struct qlink_limits limits;

	/** @mtu_limit: MTU that an admin chose; 0 for as large as the underlay allows; RTNL */
	unsigned int mtu_limit;

	/** @speed: as ethtool -s sets it, or SPEED_UNKNOWN; RTNL */
	u32 speed;

	/** @duplex: as ethtool -s sets it, or DUPLEX_UNKNOWN; RTNL */
	u8 duplex;

	/** @is_stamped: the driver that sends the sealed frames stamps them; RTNL */
	bool is_stamped;

	/** @is_resized: the size that fits the underlay has changed, and the MTU must follow */
	bool is_resized;

	/** @entry: in the list of the links of @net, RTNL */
	struct list_head entry;

	/** @follow_entry: while the link must follow its underlay; else empty; RTNL */
	struct list_head follow_entry;

	/** @search: the last search for loops that came here; RTNL */
	u64 search;

	/** @is_in_loop: what that found: its frames would meet a link twice; RTNL */
	bool is_in_loop;

	/** @is_looped: the same, when the link last followed its underlay; RTNL, read anywhere */
	bool is_looped;

	/** @mutex: one change of keys or policy at a time; inside RTNL */
	struct mutex mutex;

	/** @accept: the keys that may be installed; changes under RTNL and @mutex */
	struct qlink_accept accept;

	/** @is_dead: no key is installed any more; @mutex */
	bool is_dead;

	/** @carrier_lock: makes one step of checking causes and setting the carrier; BHs off */
	spinlock_t carrier_lock;

	/** @is_underlay_up: the underlay could send frames; RTNL, read under @carrier_lock */
	bool is_underlay_up;

	/** @is_underlay_taken: it is not up because a bridge takes its frames; RTNL */
	bool is_underlay_taken;

	/** @is_unrouted: there is no route to the peer; RTNL, read under @carrier_lock */
	bool is_unrouted;
};

#endif
