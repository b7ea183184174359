// SPDX-License-Identifier: GPL-2.0-or-later
/* The names of counters and of the values of enums. */
/* Do not edit: scripts/gen-netlink makes it from include/netlink/qlink.yaml. */
#include "names-gen.h"

#define NAMES(array) { .n = sizeof(array) / sizeof((array)[0]), .names = (array) }

static const char *const directions[] = {
	[QLINK_DIRECTION_TX] = "tx",
	[QLINK_DIRECTION_RX] = "rx",
};

const struct qlink_names qlink_directions = NAMES(directions);

static const char *const sources[] = {
	[QLINK_SOURCE_QKD] = "qkd",
	[QLINK_SOURCE_HYBRID] = "hybrid",
	[QLINK_SOURCE_PQC] = "pqc",
	[QLINK_SOURCE_STATIC] = "static",
};

const struct qlink_names qlink_sources = NAMES(sources);

static const char *const underlays[] = {
	[QLINK_UNDERLAY_NONE] = "none",
	[QLINK_UNDERLAY_ETH] = "eth",
	[QLINK_UNDERLAY_UDP] = "udp",
};

const struct qlink_names qlink_underlays = NAMES(underlays);

static const char *const parcel_modes[] = {
	[QLINK_PARCEL_MODE_OFF] = "off",
	[QLINK_PARCEL_MODE_PACK] = "pack",
	[QLINK_PARCEL_MODE_PAD] = "pad",
	[QLINK_PARCEL_MODE_CONSTANT] = "constant",
};

const struct qlink_names qlink_parcel_modes = NAMES(parcel_modes);

static const char *const key_states[] = {
	[QLINK_KEY_STATE_STAGED] = "staged",
	[QLINK_KEY_STATE_ACTIVE] = "active",
	[QLINK_KEY_STATE_RETIRED] = "retired",
};

const struct qlink_names qlink_key_states = NAMES(key_states);

static const char *const link_states[] = {
	[QLINK_LINK_STATE_UNCONFIGURED] = "unconfigured",
	[QLINK_LINK_STATE_ADMIN_DOWN] = "admin-down",
	[QLINK_LINK_STATE_UNDERLAY_DOWN] = "underlay-down",
	[QLINK_LINK_STATE_UNDERLAY_TAKEN] = "underlay-taken",
	[QLINK_LINK_STATE_NO_ROUTE] = "no-route",
	[QLINK_LINK_STATE_NO_KEY] = "no-key",
	[QLINK_LINK_STATE_PEER_LOST] = "peer-lost",
	[QLINK_LINK_STATE_UP] = "up",
};

const struct qlink_names qlink_link_states = NAMES(link_states);

static const char *const event_kinds[] = {
	"rotated",
	"overdue",
	"exhausted",
	"keys-low",
	"peer-epoch",
	"auth-failures",
	"replays",
	"wiped",
	"peer-lost",
	"peer-heard",
	"blocks2-high",
	"route-lost",
	"route-found",
	"peer-moved",
	"peer-port",
	"peer-address",
};

const struct qlink_names qlink_event_kinds = NAMES(event_kinds);

static const char *const wipe_causes[] = {
	[QLINK_WIPE_CAUSE_NONE] = "none",
	[QLINK_WIPE_CAUSE_SUSPEND] = "suspend",
	[QLINK_WIPE_CAUSE_HIBERNATION] = "hibernation",
	[QLINK_WIPE_CAUSE_CLONE] = "clone",
	[QLINK_WIPE_CAUSE_REBOOT] = "reboot",
};

const struct qlink_names qlink_wipe_causes = NAMES(wipe_causes);

const char *const qlink_stats_names[QLINK_A_STATS_MAX + 1] = {
	[QLINK_A_STATS_TX_NO_UNDERLAY] = "tx_no_underlay",
	[QLINK_A_STATS_TX_NO_KEY] = "tx_no_key",
	[QLINK_A_STATS_TX_BAD_FRAME] = "tx_bad_frame",
	[QLINK_A_STATS_TX_TOO_BIG] = "tx_too_big",
	[QLINK_A_STATS_TX_NO_MEMORY] = "tx_no_memory",
	[QLINK_A_STATS_TX_NO_ROUTE] = "tx_no_route",
	[QLINK_A_STATS_TX_LOOP] = "tx_loop",
	[QLINK_A_STATS_TX_QUEUE_FULL] = "tx_queue_full",
	[QLINK_A_STATS_TX_PARCEL_FULL] = "tx_parcel_full",
	[QLINK_A_STATS_TX_CUT_LOST] = "tx_cut_lost",
	[QLINK_A_STATS_TX_SEAL_ERROR] = "tx_seal_error",
	[QLINK_A_STATS_RX_SHORT] = "rx_short",
	[QLINK_A_STATS_RX_BAD_TYPE] = "rx_bad_type",
	[QLINK_A_STATS_RX_BAD_HEADER] = "rx_bad_header",
	[QLINK_A_STATS_RX_DOWN] = "rx_down",
	[QLINK_A_STATS_RX_QUEUE_FULL] = "rx_queue_full",
	[QLINK_A_STATS_RX_NO_MEMORY] = "rx_no_memory",
	[QLINK_A_STATS_RX_NO_KEY] = "rx_no_key",
	[QLINK_A_STATS_RX_AFTER_GRACE] = "rx_after_grace",
	[QLINK_A_STATS_RX_EVICTED] = "rx_evicted",
	[QLINK_A_STATS_RX_EXPIRED] = "rx_expired",
	[QLINK_A_STATS_RX_REPLAY] = "rx_replay",
	[QLINK_A_STATS_RX_OLD] = "rx_old",
	[QLINK_A_STATS_RX_AUTH_ERROR] = "rx_auth_error",
	[QLINK_A_STATS_RX_OPEN_ERROR] = "rx_open_error",
	[QLINK_A_STATS_RX_BAD_ECN] = "rx_bad_ecn",
	[QLINK_A_STATS_RX_PARCEL_BAD] = "rx_parcel_bad",
	[QLINK_A_STATS_RX_CUT_LOST] = "rx_cut_lost",
	[QLINK_A_STATS_RX_BAD_INNER] = "rx_bad_inner",
	[QLINK_A_STATS_TX_KEEPALIVE] = "tx_keepalive",
	[QLINK_A_STATS_RX_KEEPALIVE] = "rx_keepalive",
	[QLINK_A_STATS_TX_PARCELS] = "tx_parcels",
	[QLINK_A_STATS_TX_PARCEL_BYTES] = "tx_parcel_bytes",
	[QLINK_A_STATS_TX_PAD_BYTES] = "tx_pad_bytes",
	[QLINK_A_STATS_TX_COVER] = "tx_cover",
	[QLINK_A_STATS_TX_PARCEL_LATE] = "tx_parcel_late",
	[QLINK_A_STATS_RX_CUT_LATE] = "rx_cut_late",
	[QLINK_A_STATS_RX_PARCELS] = "rx_parcels",
	[QLINK_A_STATS_TX_FPU_WAIT] = "tx_fpu_wait",
	[QLINK_A_STATS_RX_FPU_WAIT] = "rx_fpu_wait",
	[QLINK_A_STATS_PEER_MOVED] = "peer_moved",
	[QLINK_A_STATS_RX_PEER_PORT] = "rx_peer_port",
	[QLINK_A_STATS_KEY_REFUSED] = "key_refused",
};

const char *const qlink_port_names[QLINK_A_PORT_MAX + 1] = {
	[QLINK_A_PORT_RX_SHORT] = "rx_short",
	[QLINK_A_PORT_RX_BAD_VERSION] = "rx_bad_version",
	[QLINK_A_PORT_RX_NO_LINK] = "rx_no_link",
	[QLINK_A_PORT_RX_OTHER_PEER] = "rx_other_peer",
};
