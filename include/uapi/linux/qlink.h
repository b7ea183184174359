/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/* Do not edit directly, auto-generated from: */
/*	include/netlink/qlink.yaml */
/* YNL-GEN uapi header */
/* To regenerate run: scripts/gen-netlink */

#ifndef _UAPI_LINUX_QLINK_H
#define _UAPI_LINUX_QLINK_H

#define QLINK_FAMILY_NAME	"qlink"
#define QLINK_FAMILY_VERSION	1

#define QLINK_KEY_BYTES				32
#define QLINK_SALT_BYTES			12
#define QLINK_KME_KEY_ID_BYTES			16
#define QLINK_RING_ID_BYTES			16
#define QLINK_EPOCH_MAX				281474976710655
#define QLINK_HARD_BLOCKS_DEFAULT		134217728
#define QLINK_HARD_BLOCKS_MAX			1073741824
#define QLINK_REKEY_MS_MAX			86400000
#define QLINK_REKEY_COUNT_MAX			281474976710656
#define QLINK_HARD_SECONDS_DEFAULT		300
#define QLINK_HARD_SECONDS_MAX			604800
#define QLINK_GRACE_MS_DEFAULT			1000
#define QLINK_GRACE_MS_MAX			60000
#define QLINK_KEEPALIVE_MS_MIN			10
#define QLINK_KEEPALIVE_MS_MAX			60000
#define QLINK_BLOCKS2_UNIT			65536
#define QLINK_BLOCKS2_LOG2_DEFAULT		77
#define QLINK_BLOCKS2_LOG2_MIN			16
#define QLINK_BLOCKS2_LOG2_MAX			79
#define QLINK_PARCEL_BYTES_MIN			128
#define QLINK_PARCEL_BYTES_MAX			16032
#define QLINK_PARCEL_INTERVAL_US_MIN		20
#define QLINK_PARCEL_INTERVAL_US_MAX		1000000
#define QLINK_PARCEL_INTERVAL_US_DEFAULT	1000
#define QLINK_PARCEL_QUEUE_MIN			2
#define QLINK_PARCEL_QUEUE_MAX			4096
#define QLINK_PARCEL_QUEUE_DEFAULT		64
#define QLINK_PARCEL_HOLD_US_MAX		1000
#define QLINK_KMES_MAX				8

/**
 * enum qlink_direction - The direction of the frames of a key, as seen from
 *   this host.
 * @QLINK_DIRECTION_TX: seals the frames that leave
 * @QLINK_DIRECTION_RX: opens the frames that arrive
 */
enum qlink_direction {
	QLINK_DIRECTION_TX,
	QLINK_DIRECTION_RX,
};

/**
 * enum qlink_source - Where a key comes from, as its installer says.
 * @QLINK_SOURCE_QKD: a QKD key alone
 * @QLINK_SOURCE_HYBRID: a QKD key mixed with a post-quantum exchange
 * @QLINK_SOURCE_PQC: a post-quantum exchange alone
 * @QLINK_SOURCE_STATIC: a fixed key, for tests
 */
enum qlink_source {
	QLINK_SOURCE_QKD,
	QLINK_SOURCE_HYBRID,
	QLINK_SOURCE_PQC,
	QLINK_SOURCE_STATIC,
};

/**
 * enum qlink_underlay - What the sealed frames are sent over.
 * @QLINK_UNDERLAY_NONE: not configured yet
 * @QLINK_UNDERLAY_ETH: an EtherType of its own, to the MAC address of the peer
 * @QLINK_UNDERLAY_UDP: UDP between two addresses
 */
enum qlink_underlay {
	QLINK_UNDERLAY_NONE,
	QLINK_UNDERLAY_ETH,
	QLINK_UNDERLAY_UDP,
};

/**
 * enum qlink_parcel_mode - How frames share a sealed frame.
 * @QLINK_PARCEL_MODE_OFF: each has one of its own
 * @QLINK_PARCEL_MODE_PACK: small ones that are forwarded in one go travel
 *   together
 * @QLINK_PARCEL_MODE_PAD: sealed frames have one size, and are sent when there
 *   is something to send
 * @QLINK_PARCEL_MODE_CONSTANT: sealed frames have one size, and one is sent at
 *   each tick of the link's clock
 */
enum qlink_parcel_mode {
	QLINK_PARCEL_MODE_OFF,
	QLINK_PARCEL_MODE_PACK,
	QLINK_PARCEL_MODE_PAD,
	QLINK_PARCEL_MODE_CONSTANT,
};

/**
 * enum qlink_key_state - The state of a key.
 * @QLINK_KEY_STATE_STAGED: installed but not used yet; a receive key already
 *   opens frames
 * @QLINK_KEY_STATE_ACTIVE: the key in use
 * @QLINK_KEY_STATE_RETIRED: replaced by a newer key; still opens late frames
 */
enum qlink_key_state {
	QLINK_KEY_STATE_STAGED,
	QLINK_KEY_STATE_ACTIVE,
	QLINK_KEY_STATE_RETIRED,
};

/**
 * enum qlink_link_state - Whether the link can seal frames, and if not, why.
 * @QLINK_LINK_STATE_UNCONFIGURED: it has no underlay yet
 * @QLINK_LINK_STATE_ADMIN_DOWN: the device is down
 * @QLINK_LINK_STATE_UNDERLAY_DOWN: the lower device has no carrier
 * @QLINK_LINK_STATE_UNDERLAY_TAKEN: the lower device is a port of a bridge,
 *   which takes its frames
 * @QLINK_LINK_STATE_NO_ROUTE: there is no route to the peer
 * @QLINK_LINK_STATE_NO_KEY: there is no key to seal with
 * @QLINK_LINK_STATE_PEER_LOST: keepalives do not come back: the peer does not
 *   hear this host, or this host does not hear the peer
 * @QLINK_LINK_STATE_UP: frames can be sealed, and with keepalives the peer
 *   hears this host
 */
enum qlink_link_state {
	QLINK_LINK_STATE_UNCONFIGURED,
	QLINK_LINK_STATE_ADMIN_DOWN,
	QLINK_LINK_STATE_UNDERLAY_DOWN,
	QLINK_LINK_STATE_UNDERLAY_TAKEN,
	QLINK_LINK_STATE_NO_ROUTE,
	QLINK_LINK_STATE_NO_KEY,
	QLINK_LINK_STATE_PEER_LOST,
	QLINK_LINK_STATE_UP,
};

/**
 * enum qlink_event_kind - What has happened to a link since its last event.
 *   One event may report several kinds.
 * @QLINK_EVENT_KIND_ROTATED: another transmit key took over
 * @QLINK_EVENT_KIND_OVERDUE: the transmit key should be replaced, but no other
 *   is staged
 * @QLINK_EVENT_KIND_EXHAUSTED: no key is left to seal with
 * @QLINK_EVENT_KIND_KEYS_LOW: fewer transmit keys are staged than keys-low
 * @QLINK_EVENT_KIND_PEER_EPOCH: the peer seals under a newer key
 * @QLINK_EVENT_KIND_AUTH_FAILURES: frames arrived whose tag is not valid
 * @QLINK_EVENT_KIND_REPLAYS: frames arrived that had arrived before, or too
 *   late to know
 * @QLINK_EVENT_KIND_WIPED: all keys of the host were wiped
 * @QLINK_EVENT_KIND_PEER_LOST: keepalives no longer come back
 * @QLINK_EVENT_KIND_PEER_HEARD: a keepalive came back, after none had
 * @QLINK_EVENT_KIND_BLOCKS2_HIGH: the transmit keys of the link together have
 *   sealed as much as blocks2-log2 says
 * @QLINK_EVENT_KIND_ROUTE_LOST: there is no route to the peer any more
 * @QLINK_EVENT_KIND_ROUTE_FOUND: there is a route to the peer again
 * @QLINK_EVENT_KIND_PEER_MOVED: the endpoint of the peer has moved to where
 *   its newest beacon came from
 * @QLINK_EVENT_KIND_PEER_PORT: authentic frames came from a UDP port that
 *   their sender did not choose: a NAT is between the ends, and may not pass
 *   what this end sends
 * @QLINK_EVENT_KIND_PEER_ADDRESS: frames with the id of the link came from
 *   another address than the peer's: perhaps the peer has a new MAC or IP
 *   address, perhaps somebody forges frames
 */
enum qlink_event_kind {
	QLINK_EVENT_KIND_ROTATED = 1,
	QLINK_EVENT_KIND_OVERDUE = 2,
	QLINK_EVENT_KIND_EXHAUSTED = 4,
	QLINK_EVENT_KIND_KEYS_LOW = 8,
	QLINK_EVENT_KIND_PEER_EPOCH = 16,
	QLINK_EVENT_KIND_AUTH_FAILURES = 32,
	QLINK_EVENT_KIND_REPLAYS = 64,
	QLINK_EVENT_KIND_WIPED = 128,
	QLINK_EVENT_KIND_PEER_LOST = 256,
	QLINK_EVENT_KIND_PEER_HEARD = 512,
	QLINK_EVENT_KIND_BLOCKS2_HIGH = 1024,
	QLINK_EVENT_KIND_ROUTE_LOST = 2048,
	QLINK_EVENT_KIND_ROUTE_FOUND = 4096,
	QLINK_EVENT_KIND_PEER_MOVED = 8192,
	QLINK_EVENT_KIND_PEER_PORT = 16384,
	QLINK_EVENT_KIND_PEER_ADDRESS = 32768,
};

#define QLINK_DSCP_INHERIT	64
#define QLINK_TTL_INHERIT	256
#define QLINK_KEYS_LOW_DEFAULT	16

/**
 * enum qlink_wipe_cause - Why the kernel wiped all keys of all links.
 * @QLINK_WIPE_CAUSE_NONE: it has not wiped them
 * @QLINK_WIPE_CAUSE_SUSPEND: the host went to sleep
 * @QLINK_WIPE_CAUSE_HIBERNATION: an image of the host's memory was about to be
 *   written or restored
 * @QLINK_WIPE_CAUSE_CLONE: the host is a virtual machine, a copy of one that
 *   ran before
 * @QLINK_WIPE_CAUSE_REBOOT: the host was about to reboot, to halt or to be
 *   switched off
 */
enum qlink_wipe_cause {
	QLINK_WIPE_CAUSE_NONE,
	QLINK_WIPE_CAUSE_SUSPEND,
	QLINK_WIPE_CAUSE_HIBERNATION,
	QLINK_WIPE_CAUSE_CLONE,
	QLINK_WIPE_CAUSE_REBOOT,
};

enum {
	QLINK_A_RING_PAD = 1,
	QLINK_A_RING_ID,
	QLINK_A_RING_NEWEST_EPOCH,
	QLINK_A_RING_CURRENT_EPOCH,
	QLINK_A_RING_CURRENT_SOURCE,
	QLINK_A_RING_STAGED,
	QLINK_A_RING_RETIRED,
	QLINK_A_RING_REKEYS,
	QLINK_A_RING_AGE_MS,
	QLINK_A_RING_OVERDUE,
	QLINK_A_RING_USAGE,
	QLINK_A_RING_CURRENT_KMES,

	__QLINK_A_RING_MAX,
	QLINK_A_RING_MAX = (__QLINK_A_RING_MAX - 1)
};

enum {
	QLINK_A_USAGE_PAD = 1,
	QLINK_A_USAGE_SOURCE,
	QLINK_A_USAGE_FRAMES,
	QLINK_A_USAGE_BYTES,

	__QLINK_A_USAGE_MAX,
	QLINK_A_USAGE_MAX = (__QLINK_A_USAGE_MAX - 1)
};

enum {
	IFLA_QLINK_ID = 1,
	IFLA_QLINK_UNDERLAY,
	IFLA_QLINK_LOWER,
	IFLA_QLINK_ETHERTYPE,
	IFLA_QLINK_PEER,
	IFLA_QLINK_LOCAL,
	IFLA_QLINK_REMOTE,
	IFLA_QLINK_PORT,
	IFLA_QLINK_SOURCE_PORTS,
	IFLA_QLINK_ACCEPT,
	IFLA_QLINK_STATE,
	IFLA_QLINK_TX,
	IFLA_QLINK_RX,
	IFLA_QLINK_WIPES,
	IFLA_QLINK_WIPED_BY,
	IFLA_QLINK_PAD,
	IFLA_QLINK_REKEY_MS,
	IFLA_QLINK_REKEY_FRAMES,
	IFLA_QLINK_REKEY_BYTES,
	IFLA_QLINK_HARD_SECONDS,
	IFLA_QLINK_GRACE_MS,
	IFLA_QLINK_KEYS_LOW,
	IFLA_QLINK_KEEPALIVE_MS,
	IFLA_QLINK_PEER_HEARD,
	IFLA_QLINK_PEER_EPOCH,
	IFLA_QLINK_ECHO_US,
	IFLA_QLINK_BLOCKS2_LOG2,
	IFLA_QLINK_BLOCKS2,
	IFLA_QLINK_GENERATION,
	IFLA_QLINK_DEV,
	IFLA_QLINK_DSCP,
	IFLA_QLINK_ECN,
	IFLA_QLINK_TTL,
	IFLA_QLINK_FWMARK,
	IFLA_QLINK_ROAM,
	IFLA_QLINK_PARCEL,
	IFLA_QLINK_PARCEL_BYTES,
	IFLA_QLINK_PARCEL_INTERVAL_US,
	IFLA_QLINK_PARCEL_QUEUE,
	IFLA_QLINK_PARCEL_SIZE,
	IFLA_QLINK_ENDPOINT,
	IFLA_QLINK_ENDPOINT_PORT,
	IFLA_QLINK_PARCEL_HOLD_US,
	IFLA_QLINK_ACCEPT_KMES,

	__IFLA_QLINK_MAX,
	IFLA_QLINK_MAX = (__IFLA_QLINK_MAX - 1)
};

enum {
	QLINK_A_KEY_PAD = 1,
	QLINK_A_KEY_DIRECTION,
	QLINK_A_KEY_EPOCH,
	QLINK_A_KEY_SOURCE,
	QLINK_A_KEY_KME_KEY_ID,
	QLINK_A_KEY_KEY,
	QLINK_A_KEY_SALT,
	QLINK_A_KEY_HARD_BLOCKS,
	QLINK_A_KEY_STATE,
	QLINK_A_KEY_FRAMES,
	QLINK_A_KEY_BYTES,
	QLINK_A_KEY_KMES,

	__QLINK_A_KEY_MAX,
	QLINK_A_KEY_MAX = (__QLINK_A_KEY_MAX - 1)
};

enum {
	QLINK_A_RECORD_PAD = 1,
	QLINK_A_RECORD_NUMBER,
	QLINK_A_RECORD_DIRECTION,
	QLINK_A_RECORD_EPOCH,
	QLINK_A_RECORD_SOURCE,
	QLINK_A_RECORD_KME_KEY_ID,
	QLINK_A_RECORD_FIRST_MS,
	QLINK_A_RECORD_LAST_MS,
	QLINK_A_RECORD_FRAMES,
	QLINK_A_RECORD_BYTES,
	QLINK_A_RECORD_KMES,

	__QLINK_A_RECORD_MAX,
	QLINK_A_RECORD_MAX = (__QLINK_A_RECORD_MAX - 1)
};

enum {
	QLINK_A_STATS_PAD = 1,
	QLINK_A_STATS_TX_NO_UNDERLAY,
	QLINK_A_STATS_TX_NO_KEY,
	QLINK_A_STATS_TX_BAD_FRAME,
	QLINK_A_STATS_TX_TOO_BIG,
	QLINK_A_STATS_TX_NO_MEMORY,
	QLINK_A_STATS_TX_NO_ROUTE,
	QLINK_A_STATS_TX_LOOP,
	QLINK_A_STATS_TX_QUEUE_FULL,
	QLINK_A_STATS_TX_PARCEL_FULL,
	QLINK_A_STATS_TX_CUT_LOST,
	QLINK_A_STATS_TX_SEAL_ERROR,
	QLINK_A_STATS_RX_SHORT,
	QLINK_A_STATS_RX_BAD_TYPE,
	QLINK_A_STATS_RX_BAD_HEADER,
	QLINK_A_STATS_RX_DOWN,
	QLINK_A_STATS_RX_QUEUE_FULL,
	QLINK_A_STATS_RX_NO_MEMORY,
	QLINK_A_STATS_RX_NO_KEY,
	QLINK_A_STATS_RX_AFTER_GRACE,
	QLINK_A_STATS_RX_EVICTED,
	QLINK_A_STATS_RX_EXPIRED,
	QLINK_A_STATS_RX_REPLAY,
	QLINK_A_STATS_RX_OLD,
	QLINK_A_STATS_RX_AUTH_ERROR,
	QLINK_A_STATS_RX_OPEN_ERROR,
	QLINK_A_STATS_RX_BAD_ECN,
	QLINK_A_STATS_RX_PARCEL_BAD,
	QLINK_A_STATS_RX_CUT_LOST,
	QLINK_A_STATS_RX_BAD_INNER,
	QLINK_A_STATS_TX_KEEPALIVE,
	QLINK_A_STATS_RX_KEEPALIVE,
	QLINK_A_STATS_TX_PARCELS,
	QLINK_A_STATS_TX_PARCEL_BYTES,
	QLINK_A_STATS_TX_PAD_BYTES,
	QLINK_A_STATS_TX_COVER,
	QLINK_A_STATS_TX_PARCEL_LATE,
	QLINK_A_STATS_RX_CUT_LATE,
	QLINK_A_STATS_RX_PARCELS,
	QLINK_A_STATS_TX_FPU_WAIT,
	QLINK_A_STATS_RX_FPU_WAIT,
	QLINK_A_STATS_PEER_MOVED,
	QLINK_A_STATS_RX_PEER_PORT,
	QLINK_A_STATS_KEY_REFUSED,

	__QLINK_A_STATS_MAX,
	QLINK_A_STATS_MAX = (__QLINK_A_STATS_MAX - 1)
};

enum {
	QLINK_A_PORT_PAD = 1,
	QLINK_A_PORT_RX_SHORT,
	QLINK_A_PORT_RX_BAD_VERSION,
	QLINK_A_PORT_RX_NO_LINK,
	QLINK_A_PORT_RX_OTHER_PEER,

	__QLINK_A_PORT_MAX,
	QLINK_A_PORT_MAX = (__QLINK_A_PORT_MAX - 1)
};

enum {
	QLINK_A_EVENT_PAD = 1,
	QLINK_A_EVENT_SEQUENCE,
	QLINK_A_EVENT_KINDS,
	QLINK_A_EVENT_TX,
	QLINK_A_EVENT_RX,
	QLINK_A_EVENT_AUTH_FAILURES,
	QLINK_A_EVENT_REPLAYS,
	QLINK_A_EVENT_PEER_HEARD,
	QLINK_A_EVENT_ENDPOINT,
	QLINK_A_EVENT_ENDPOINT_PORT,
	QLINK_A_EVENT_FORMER,
	QLINK_A_EVENT_FORMER_PORT,

	__QLINK_A_EVENT_MAX,
	QLINK_A_EVENT_MAX = (__QLINK_A_EVENT_MAX - 1)
};

enum {
	QLINK_A_IFINDEX = 1,
	QLINK_A_IFNAME,
	QLINK_A_LINK,
	QLINK_A_KEY,
	QLINK_A_STATS,
	QLINK_A_PORT,
	QLINK_A_EVENT,
	QLINK_A_RECORD,
	QLINK_A_AFTER,

	__QLINK_A_MAX,
	QLINK_A_MAX = (__QLINK_A_MAX - 1)
};

enum {
	QLINK_CMD_LINK_GET = 1,
	QLINK_CMD_LINK_SET,
	QLINK_CMD_KEY_INSTALL,
	QLINK_CMD_KEY_DEL,
	QLINK_CMD_KEY_GET,
	QLINK_CMD_ROTATE,
	QLINK_CMD_EVENT,
	QLINK_CMD_RECORD_GET,

	__QLINK_CMD_MAX,
	QLINK_CMD_MAX = (__QLINK_CMD_MAX - 1)
};

#define QLINK_MCGRP_EVENTS	"events"

#endif /* _UAPI_LINUX_QLINK_H */
