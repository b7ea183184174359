/* SPDX-License-Identifier: GPL-2.0 */
/* The names of counters and of the values of enums. */
/* Do not edit: scripts/gen-netlink makes it from include/netlink/qlink.yaml. */
#ifndef QLINK_NAMES_GEN_H
#define QLINK_NAMES_GEN_H

#include <linux/stddef.h>
#include <linux/qlink.h>

static inline const char *qlink_direction_name(enum qlink_direction value)
{
	switch (value) {
	case QLINK_DIRECTION_TX:
		return "tx";
	case QLINK_DIRECTION_RX:
		return "rx";
	}
	return "unknown";
}

static inline const char *qlink_source_name(enum qlink_source value)
{
	switch (value) {
	case QLINK_SOURCE_QKD:
		return "qkd";
	case QLINK_SOURCE_HYBRID:
		return "hybrid";
	case QLINK_SOURCE_PQC:
		return "pqc";
	case QLINK_SOURCE_STATIC:
		return "static";
	}
	return "unknown";
}

static inline const char *qlink_underlay_name(enum qlink_underlay value)
{
	switch (value) {
	case QLINK_UNDERLAY_NONE:
		return "none";
	case QLINK_UNDERLAY_ETH:
		return "eth";
	case QLINK_UNDERLAY_UDP:
		return "udp";
	}
	return "unknown";
}

static inline const char *qlink_parcel_mode_name(enum qlink_parcel_mode value)
{
	switch (value) {
	case QLINK_PARCEL_MODE_OFF:
		return "off";
	case QLINK_PARCEL_MODE_PACK:
		return "pack";
	case QLINK_PARCEL_MODE_PAD:
		return "pad";
	case QLINK_PARCEL_MODE_CONSTANT:
		return "constant";
	}
	return "unknown";
}

static inline const char *qlink_key_state_name(enum qlink_key_state value)
{
	switch (value) {
	case QLINK_KEY_STATE_STAGED:
		return "staged";
	case QLINK_KEY_STATE_ACTIVE:
		return "active";
	case QLINK_KEY_STATE_RETIRED:
		return "retired";
	}
	return "unknown";
}

static inline const char *qlink_link_state_name(enum qlink_link_state value)
{
	switch (value) {
	case QLINK_LINK_STATE_UNCONFIGURED:
		return "unconfigured";
	case QLINK_LINK_STATE_ADMIN_DOWN:
		return "admin-down";
	case QLINK_LINK_STATE_UNDERLAY_DOWN:
		return "underlay-down";
	case QLINK_LINK_STATE_UNDERLAY_TAKEN:
		return "underlay-taken";
	case QLINK_LINK_STATE_NO_ROUTE:
		return "no-route";
	case QLINK_LINK_STATE_NO_KEY:
		return "no-key";
	case QLINK_LINK_STATE_PEER_LOST:
		return "peer-lost";
	case QLINK_LINK_STATE_UP:
		return "up";
	}
	return "unknown";
}

static inline const char *qlink_wipe_cause_name(enum qlink_wipe_cause value)
{
	switch (value) {
	case QLINK_WIPE_CAUSE_NONE:
		return "none";
	case QLINK_WIPE_CAUSE_SUSPEND:
		return "suspend";
	case QLINK_WIPE_CAUSE_HIBERNATION:
		return "hibernation";
	case QLINK_WIPE_CAUSE_CLONE:
		return "clone";
	case QLINK_WIPE_CAUSE_REBOOT:
		return "reboot";
	}
	return "unknown";
}

/* A counter is named by its attribute; NULL for one that is no counter. */

static inline const char *qlink_stats_name(unsigned int value)
{
	switch (value) {
	case QLINK_A_STATS_TX_NO_UNDERLAY:
		return "tx_no_underlay";
	case QLINK_A_STATS_TX_NO_KEY:
		return "tx_no_key";
	case QLINK_A_STATS_TX_BAD_FRAME:
		return "tx_bad_frame";
	case QLINK_A_STATS_TX_TOO_BIG:
		return "tx_too_big";
	case QLINK_A_STATS_TX_NO_MEMORY:
		return "tx_no_memory";
	case QLINK_A_STATS_TX_NO_ROUTE:
		return "tx_no_route";
	case QLINK_A_STATS_TX_LOOP:
		return "tx_loop";
	case QLINK_A_STATS_TX_QUEUE_FULL:
		return "tx_queue_full";
	case QLINK_A_STATS_TX_PARCEL_FULL:
		return "tx_parcel_full";
	case QLINK_A_STATS_TX_CUT_LOST:
		return "tx_cut_lost";
	case QLINK_A_STATS_TX_SEAL_ERROR:
		return "tx_seal_error";
	case QLINK_A_STATS_RX_SHORT:
		return "rx_short";
	case QLINK_A_STATS_RX_BAD_TYPE:
		return "rx_bad_type";
	case QLINK_A_STATS_RX_BAD_HEADER:
		return "rx_bad_header";
	case QLINK_A_STATS_RX_DOWN:
		return "rx_down";
	case QLINK_A_STATS_RX_QUEUE_FULL:
		return "rx_queue_full";
	case QLINK_A_STATS_RX_NO_MEMORY:
		return "rx_no_memory";
	case QLINK_A_STATS_RX_NO_KEY:
		return "rx_no_key";
	case QLINK_A_STATS_RX_AFTER_GRACE:
		return "rx_after_grace";
	case QLINK_A_STATS_RX_EVICTED:
		return "rx_evicted";
	case QLINK_A_STATS_RX_EXPIRED:
		return "rx_expired";
	case QLINK_A_STATS_RX_REPLAY:
		return "rx_replay";
	case QLINK_A_STATS_RX_OLD:
		return "rx_old";
	case QLINK_A_STATS_RX_AUTH_ERROR:
		return "rx_auth_error";
	case QLINK_A_STATS_RX_OPEN_ERROR:
		return "rx_open_error";
	case QLINK_A_STATS_RX_BAD_ECN:
		return "rx_bad_ecn";
	case QLINK_A_STATS_RX_PARCEL_BAD:
		return "rx_parcel_bad";
	case QLINK_A_STATS_RX_CUT_LOST:
		return "rx_cut_lost";
	case QLINK_A_STATS_RX_BAD_INNER:
		return "rx_bad_inner";
	case QLINK_A_STATS_TX_KEEPALIVE:
		return "tx_keepalive";
	case QLINK_A_STATS_RX_KEEPALIVE:
		return "rx_keepalive";
	case QLINK_A_STATS_TX_PARCELS:
		return "tx_parcels";
	case QLINK_A_STATS_TX_PARCEL_BYTES:
		return "tx_parcel_bytes";
	case QLINK_A_STATS_TX_PAD_BYTES:
		return "tx_pad_bytes";
	case QLINK_A_STATS_TX_COVER:
		return "tx_cover";
	case QLINK_A_STATS_TX_PARCEL_LATE:
		return "tx_parcel_late";
	case QLINK_A_STATS_RX_CUT_LATE:
		return "rx_cut_late";
	case QLINK_A_STATS_RX_PARCELS:
		return "rx_parcels";
	case QLINK_A_STATS_TX_FPU_WAIT:
		return "tx_fpu_wait";
	case QLINK_A_STATS_RX_FPU_WAIT:
		return "rx_fpu_wait";
	case QLINK_A_STATS_PEER_MOVED:
		return "peer_moved";
	case QLINK_A_STATS_RX_PEER_PORT:
		return "rx_peer_port";
	case QLINK_A_STATS_KEY_REFUSED:
		return "key_refused";
	}
	return NULL;
}

static inline const char *qlink_port_name(unsigned int value)
{
	switch (value) {
	case QLINK_A_PORT_RX_SHORT:
		return "rx_short";
	case QLINK_A_PORT_RX_BAD_VERSION:
		return "rx_bad_version";
	case QLINK_A_PORT_RX_NO_LINK:
		return "rx_no_link";
	case QLINK_A_PORT_RX_OTHER_PEER:
		return "rx_other_peer";
	}
	return NULL;
}

#endif
